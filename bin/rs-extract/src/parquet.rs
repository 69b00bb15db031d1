//! Parquet, a document a row: OBELICS, MMC4 and `OmniCorpus` by the names of their columns.
//!
//! A row is read as the line of JSON that it would be, with the columns that are known alone, in the file's order. So it
//! gives the records of that line, with the same ids when the line has no more keys.
//!
//! A file is read in place; what comes over a pipe, or compressed as a whole, is put into a temporary file first, since a
//! Parquet file begins at its end.
//!
//! Memory: a batch of rows, and what `realsyn-columnar` holds of each column: a page, at most 256 MiB unpacked. Order: the
//! file's.

use std::fs::File;
use std::io::{self, Seek as _};
use std::sync::Arc;

use realsyn_columnar::{ColumnarError, Limits, Table};
use realsyn_extract::Form;
use realsyn_lines::{Operand, Origin};

use crate::lines;
use crate::settle::Desk;
use crate::tasks::{self, Input, Outlet, Over, Piece, Plan};

/// The columns that forms have.
const COLUMNS: [&str; 12] = [
    "images",
    "texts",
    "metadata",
    "general_metadata",
    "text_list",
    "image_info",
    "url",
    "title",
    "language",
    "lang",
    "license",
    "licence",
];
/// As for lines: documents are long and dear.
const BATCH: usize = 16;
/// Bytes from which on a batch is full.
const FULL: usize = 1 << 18;

/// A row, or why there is none.
struct Row {
    /// Its number in the file, counted from 1.
    number: u64,
    /// Where its line ends in the batch.
    end: usize,
    error: Option<ColumnarError>,
}

/// Some rows of a file.
struct Rows {
    name: Arc<str>,
    form: Option<Form>,
    lines: Vec<u8>,
    waiting: Vec<Row>,
}

impl Rows {
    fn is_full(&self) -> bool {
        self.waiting.len() >= BATCH || self.lines.len() >= FULL
    }
}

/// Sends the rows of a file.
///
/// # Errors
/// The run is over.
pub fn read(input: Input, plan: &Plan, outlet: &mut Outlet) -> Result<(), Over> {
    let name = Arc::clone(&input.name);
    let limits = Limits {
        row: usize::try_from(plan.max_document).unwrap_or(usize::MAX),
        ..Limits::default()
    };
    let opened = file(input)
        .map_err(ColumnarError::from)
        .and_then(|file| Table::open(file, limits));
    let table = match opened {
        Ok(table) => table,
        Err(error) => return outlet.reject(&name, None, error.code(), error.to_string()),
    };
    let has = |name: &str| table.columns().any(|column| column == name);
    let is_interleaved = has("images") && has("texts");
    if !has("text_list") && !is_interleaved {
        let columns: Vec<&str> = table.columns().take(20).collect();
        let message = format!(
            "a Parquet file with neither images and texts nor text_list, but {}",
            columns.join(", ")
        );
        return outlet.reject(&name, None, "unknown-document", message);
    }
    let empty = || Rows {
        name: Arc::clone(&name),
        form: lines::form(plan.from),
        lines: Vec::new(),
        waiting: Vec::new(),
    };
    let (mut batch, mut line, mut number) = (empty(), Vec::new(), 0);
    for group in 0..table.groups() {
        let mut rows = table.rows(group, &|name| COLUMNS.contains(&name));
        while let Some(read) = rows.next(&mut line) {
            number += 1;
            let error = read.err();
            if error.is_none() {
                batch.lines.extend_from_slice(&line);
            }
            let lost = error.as_ref().map_or(0, ColumnarError::lost);
            batch.waiting.push(Row {
                number,
                end: batch.lines.len(),
                error,
            });
            number += lost;
            if batch.is_full() {
                send(std::mem::replace(&mut batch, empty()), outlet)?;
            }
        }
    }
    send(batch, outlet)
}

/// Sends what an earlier run has not done.
fn send(mut batch: Rows, outlet: &mut Outlet) -> Result<(), Over> {
    let done = outlet.skip(batch.waiting.len() as u64);
    let done = usize::try_from(done).unwrap_or(usize::MAX);
    let start = done
        .checked_sub(1)
        .map_or(0, |last| batch.waiting[last].end);
    batch.waiting.drain(..done);
    if batch.waiting.is_empty() {
        return Ok(());
    }
    batch.lines.drain(..start);
    for row in &mut batch.waiting {
        row.end -= start;
    }
    outlet.send(batch)
}

/// The file itself, or a copy of what can be read only once.
fn file(mut input: Input) -> io::Result<File> {
    if let Operand::File(path) = &input.operand {
        let file = File::open(path)?;
        let mut start = [0; 4];
        let is_plain = io::Read::read_exact(&mut &file, &mut start).is_ok() && &start == b"PAR1";
        if is_plain && file.metadata()?.is_file() {
            return Ok(file);
        }
    }
    let mut copy = tempfile::tempfile()?;
    io::copy(&mut input.reader, &mut copy)?;
    copy.rewind()?;
    Ok(copy)
}

impl Piece for Rows {
    fn units(&self) -> u64 {
        self.waiting.len() as u64
    }

    fn settle(self: Box<Self>, desk: &mut Desk<'_>) {
        let mut start = 0;
        for row in &self.waiting {
            let line = &self.lines[start..row.end];
            start = row.end;
            let origin = Origin {
                file: Some(&self.name),
                line: Some(row.number),
                record: line,
                ..Origin::default()
            };
            if let Some(error) = &row.error {
                desk.refuse(error.code(), &error.to_string(), origin);
            } else {
                let folder = tasks::folder(&self.name);
                let made = realsyn_extract::interleaved(line, self.form, folder, desk.options());
                desk.settle(made, origin);
            }
        }
    }
}
