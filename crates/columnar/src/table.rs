//! A file and its row groups.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::column::Column;
use crate::pages::Source;
use crate::row::{Flaw, Line};
use crate::schema::{self, Plan};
use crate::{ColumnarError, Limits, thrift};

/// What a Parquet file begins and ends with.
const MAGIC: &[u8] = b"PAR1";
/// What an encrypted one ends with.
const ENCRYPTED: &[u8] = b"PARE";
/// The longest footer: enough for 100,000 column chunks.
const FOOTER: usize = 64 << 20;

/// A Parquet file.
#[derive(Debug)]
pub struct Table {
    source: Arc<Source>,
    metadata: ParquetMetaData,
    limits: Limits,
}

impl Table {
    /// Reads the footer of a file, which must be one that can be read at any place.
    ///
    /// # Errors
    /// The disk's, or `bad-parquet`.
    pub fn open(file: File, limits: Limits) -> Result<Self, ColumnarError> {
        let length = file.metadata()?.len();
        let source = Arc::new(Source { file, length });
        let bad = |what: &str| ColumnarError::Footer(what.to_owned());
        if length < 12 || source.range(0, 4)? != MAGIC {
            return Err(bad("it does not begin as one"));
        }
        let tail = source.range(length - 8, 8)?;
        match &tail[4..] {
            MAGIC => {}
            ENCRYPTED => return Err(bad("its footer is encrypted")),
            _ => {
                return Err(bad(
                    "it does not end as one: it is cut off, or still being written",
                ));
            }
        }
        let size = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]) as usize;
        if size > FOOTER || size as u64 > length - 12 {
            return Err(bad("its footer is longer than it can be"));
        }
        let footer = source.range(length - 8 - size as u64, size)?;
        thrift::check_footer(&footer).map_err(|what| bad(&format!("its footer: {what}")))?;
        let decode = || ParquetMetaDataReader::decode_metadata(&footer);
        let metadata = catch_unwind(AssertUnwindSafe(decode))
            .map_err(|_| bad("its footer is damaged"))?
            .map_err(|error| bad(&format!("its footer: {error}")))?;
        Ok(Self {
            source,
            metadata,
            limits,
        })
    }

    /// The names of the columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let root = self.metadata.file_metadata().schema();
        root.get_fields().iter().map(|field| field.name())
    }

    /// The number of row groups.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    /// The rows of a row group, with the columns that are `wanted`.
    #[must_use]
    pub fn rows(&self, group: usize, wanted: &dyn Fn(&str) -> bool) -> Rows<'_> {
        let metadata = self.metadata.row_group(group);
        let left = u64::try_from(metadata.num_rows()).unwrap_or(0);
        Rows {
            table: self,
            group,
            plan: schema::plan(self.metadata.file_metadata().schema(), wanted),
            columns: None,
            row: 0,
            left,
        }
    }
}

/// The rows of a row group.
pub struct Rows<'a> {
    table: &'a Table,
    group: usize,
    plan: Plan,
    columns: Option<Vec<Column>>,
    row: u64,
    left: u64,
}

impl Rows<'_> {
    /// Writes the next row into `line`, in place of what is there; `None` when there is no more.
    ///
    /// # Errors
    /// `damaged-row` and `document-too-large`, after which the next row can be had; `bad-parquet`, after which no more
    /// comes.
    pub fn next(&mut self, line: &mut Vec<u8>) -> Option<Result<(), ColumnarError>> {
        line.clear();
        if self.left == 0 {
            return None;
        }
        Some(self.read(line))
    }

    fn read(&mut self, line: &mut Vec<u8>) -> Result<(), ColumnarError> {
        let mut columns = match self.columns.take() {
            Some(columns) => columns,
            None => self.open()?,
        };
        if let Some((column, what)) = columns
            .iter_mut()
            .find_map(|column| Some((column.name.clone(), column.next_row().err()?)))
        {
            return Err(self.broken(column, what));
        }
        let limit = self.table.limits.row;
        let written = Line { out: line, limit }.row(&self.plan.columns, &mut columns);
        self.columns = Some(columns);
        let (group, row) = (self.group, self.row);
        (self.row, self.left) = (row + 1, self.left - 1);
        written.map_err(|flaw| match flaw {
            Flaw::TooLong => ColumnarError::TooLong { group, row, limit },
            Flaw::Damaged(what) => ColumnarError::Row { group, row, what },
        })
    }

    fn open(&mut self) -> Result<Vec<Column>, ColumnarError> {
        let metadata = self.table.metadata.row_group(self.group);
        let mut columns = Vec::with_capacity(self.plan.leaves.len());
        for &leaf in &self.plan.leaves {
            let Some(chunk) = metadata.columns().get(leaf) else {
                return Err(self.broken(String::new(), "it has no chunk".to_owned()));
            };
            let descriptor = chunk.column_descr_ptr();
            let name = descriptor.path().string();
            let (source, limit) = (&self.table.source, self.table.limits.page);
            match Column::open(source, chunk, descriptor, self.left, limit) {
                Ok(column) => columns.push(column),
                Err(what) => return Err(self.broken(name, what)),
            }
        }
        Ok(columns)
    }

    /// The end of the row group.
    fn broken(&mut self, column: String, what: String) -> ColumnarError {
        ColumnarError::Column {
            group: self.group,
            row: self.row,
            column,
            what,
            lost: std::mem::take(&mut self.left),
        }
    }
}
