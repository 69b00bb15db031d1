//! `--emb-out`: embeddings as rows of a matrix, in place of text in the records.
//!
//! Workers write embeddings into the records; here, in input order, each moves to the next row of the file, and the
//! record gets the row's number. What was embedded before and came in as text moves too.
//!
//! Order: rows stand in the order of the records. The number of rows that are written is part of the counts that a
//! killed run leaves behind, and rows are handed to the system before the records that name them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use realsyn_cli::Run;
use realsyn_lines::{AtomicFile, Sink};
use realsyn_pipe::Through;
use realsyn_record::{Edits, Kind, Record, Sidecars};
use realsyn_vector::npy::{Element, Writer};
use serde_json::json;

/// What the rows of a kind are counted under.
const ROWS: &str = "emb_rows";
/// How often rows are put on disk: as often as a run's journal.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The matrix under construction.
pub struct Sidecar {
    path: PathBuf,
    /// The matrix's width, as far as it is known.
    dim: Option<usize>,
    writer: Option<Writer<AtomicFile>>,
    /// The rows so far, by kind of record.
    counts: BTreeMap<String, u64>,
    rows: usize,
    synced: Instant,
    sidecars: Sidecars,
}

impl Sidecar {
    /// Starts the matrix, or goes on with that of the run that `run` resumes. `dim` is the model's width, if it names it.
    ///
    /// # Errors
    /// The file exists and `force` is not given.
    pub fn new(
        path: &Path,
        force: bool,
        resumes: bool,
        run: &mut Run,
        dim: Option<usize>,
    ) -> Result<Self> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        if resumes && !part.exists() && path.exists() && run.done() > 0 {
            // The run was killed when the matrix had its name and the records had not.
            std::fs::rename(path, &part).with_context(|| path.display().to_string())?;
        }
        let counts: BTreeMap<String, u64> = run
            .tally()
            .0
            .iter()
            .filter_map(|(kind, counts)| Some((kind.clone(), counts.notes.get(ROWS)?.as_u64()?)))
            .collect();
        let mut sidecar = Self {
            path: path.to_owned(),
            dim: None,
            writer: None,
            rows: usize::try_from(counts.values().sum::<u64>())?,
            counts,
            synced: Instant::now(),
            sidecars: Sidecars::new(),
        };
        if sidecar.rows == 0 {
            // So that a file that is in the way is found before the work is done.
            drop(AtomicFile::create(
                path,
                force || (resumes && part.exists()),
            )?);
        }
        if let Some(dim) = dim {
            sidecar.open(dim)?;
        }
        Ok(sidecar)
    }

    /// Opens the file, in which there is nothing yet or what an earlier run has left.
    fn open(&mut self, dim: usize) -> Result<()> {
        let kept = Writer::<AtomicFile>::length(dim, Element::F16, self.rows);
        let writer = if self.rows == 0 {
            Writer::new(AtomicFile::resume(&self.path, 0)?, dim, Element::F16)
        } else {
            let file = AtomicFile::resume(&self.path, kept)?;
            Writer::resume(file, dim, Element::F16, self.rows)
        };
        self.dim = Some(dim);
        self.writer = Some(writer.with_context(|| self.path.display().to_string())?);
        Ok(())
    }
}

impl Through for Sidecar {
    /// Moves the embeddings of a batch's records into the matrix.
    fn take(&mut self, sink: &mut Sink) -> Result<()> {
        let mut out = Vec::with_capacity(sink.out.len());
        let (mut vector, mut vectors) = (Vec::new(), Vec::new());
        let file = self.path.to_string_lossy().into_owned();
        for line in sink
            .out
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let record = Record::parse(line)?;
            let embedding = match record.kind() {
                Kind::Image | Kind::Sentence | Kind::Pair => record.embedding()?,
                _ => None,
            };
            let Some(embedding) = embedding else {
                out.extend_from_slice(line);
                out.push(b'\n');
                continue;
            };
            embedding.read(&mut self.sidecars, &mut vector)?;
            if self.dim.is_none() {
                self.open(embedding.dim)?;
            }
            ensure!(
                self.dim == Some(embedding.dim),
                "an embedding of {} dimensions among others of {}",
                embedding.dim,
                self.dim.unwrap_or_default()
            );
            let emb = json!({
                "model": embedding.model, "dim": embedding.dim, "file": file, "row": self.rows,
            });
            Edits::new().set("emb", &emb)?.apply(&record, &mut out);
            out.push(b'\n');
            vectors.extend_from_slice(&vector);
            self.rows += 1;
            *self
                .counts
                .entry(record.kind().name().to_owned())
                .or_default() += 1;
        }
        sink.out = out;
        for (kind, rows) in &self.counts {
            let notes = &mut sink.tally.of(kind).notes;
            notes.insert(ROWS.to_owned(), (*rows).into());
        }
        if vectors.is_empty() {
            return Ok(());
        }
        let path = self.path.display().to_string();
        let writer = self.writer.as_mut().with_context(|| path.clone())?;
        writer
            .push(&vectors)
            .and_then(|()| writer.get_mut().flush())
            .with_context(|| path.clone())?;
        if self.synced.elapsed() >= SYNC_EVERY {
            writer.get_mut().sync()?;
            self.synced = Instant::now();
        }
        Ok(())
    }

    /// Gives the file its name.
    fn finish(&mut self) -> Result<()> {
        if self.writer.is_none() {
            // Nothing was embedded, and of what width it would have been is not known.
            self.open(1)?;
        }
        let path = self.path.display().to_string();
        let writer = self.writer.take().with_context(|| path.clone())?;
        let file = writer.finish().with_context(|| path.clone())?;
        Ok(file.finish()?)
    }
}
