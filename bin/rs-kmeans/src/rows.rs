//! What is clustered: records' embeddings, or the rows of a matrix.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use realsyn_cli::{Common, Run};
use realsyn_cluster::{Picked, Vectors, row_keys, sample};
use realsyn_pipe::{RecordFold, Refusal, scan};
use realsyn_record::{Kind, Record, Sidecars, uniform};
use realsyn_vector::npy::{Element, Matrix, Writer};
use tempfile::NamedTempFile;

use crate::page::PAGE;
use crate::{Chosen, Own, is_chosen};

/// Vectors on disk, and the key of each.
pub struct Rows {
    matrix: Matrix,
    /// The rows that are used, if not all are.
    picked: Option<Vec<usize>>,
    /// The hashes of seed and id.
    pub keys: Vec<f64>,
    /// What made the vectors.
    pub model: Option<String>,
}

impl Rows {
    /// The vectors that are used.
    pub fn vectors(&self) -> Box<dyn Vectors + '_> {
        match &self.picked {
            Some(rows) => Box::new(Picked::new(&self.matrix, rows.clone())),
            None => Box::new(Borrowed(&self.matrix)),
        }
    }

    fn sample(&mut self, count: usize) {
        let chosen = sample(&self.keys, count);
        self.keys = chosen.iter().map(|&row| self.keys[row]).collect();
        self.picked = Some(match &self.picked {
            Some(rows) => chosen.iter().map(|&row| rows[row]).collect(),
            None => chosen,
        });
    }
}

/// A matrix that is owned elsewhere.
struct Borrowed<'a>(&'a Matrix);

impl Vectors for Borrowed<'_> {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn read(&self, from: usize, out: &mut [f32]) {
        self.0.copy_rows(from, out);
    }
}

/// Starts a run and reads what it clusters; no rows if a resumed run had ended.
pub fn start(common: &Common, own: &Own) -> Result<(Run, Option<Rows>)> {
    // Before anything is written: a matrix that is not there ends the run at once.
    let matrix = own.vectors.as_deref().map(Matrix::open).transpose()?;
    let mut run = common.start(&PAGE, own)?;
    if run.operands().is_empty() {
        return Ok((run, None));
    }
    let mut rows = match (matrix, &own.vectors) {
        (Some(matrix), Some(path)) => of_matrix(matrix, path, own)?,
        _ => of_records(&mut run, own)?,
    };
    if let Some(count) = own.sample {
        rows.sample(count);
    }
    Ok((run, Some(rows)))
}

fn of_matrix(matrix: Matrix, path: &Path, own: &Own) -> Result<Rows> {
    let (first, last) = own
        .rows
        .map_or((0, matrix.rows()), |span| (span.first, span.last));
    ensure!(
        last <= matrix.rows(),
        "--rows {first}..{last}: {} has {} rows",
        path.display(),
        matrix.rows()
    );
    Ok(Rows {
        keys: row_keys(first, last - first, own.seed),
        picked: own.rows.map(|_| (first..last).collect()),
        matrix,
        model: None,
    })
}

/// Gathers the records' embeddings in a temporary file, in the half precision that they travel in.
fn of_records(run: &mut Run, own: &Own) -> Result<Rows> {
    let spool = NamedTempFile::new().context("a temporary file for the embeddings")?;
    let mut keys = Vec::new();
    let mut seen: BTreeMap<Kind, u64> = BTreeMap::new();
    let mut first: Option<(String, usize, Writer<BufWriter<File>>)> = None;
    scan(
        run,
        &Fit {
            seed: own.seed,
            kind: own.kind,
        },
        |item| {
            let (model, dim, writer) = if let Some(first) = &mut first {
                first
            } else {
                let writer = Writer::new(BufWriter::new(spool.reopen()?), item.dim, Element::F16)?;
                first.insert((item.model.clone(), item.dim, writer))
            };
            ensure!(
                *model == item.model,
                "embeddings of two models: {model} and {}",
                item.model
            );
            ensure!(
                *dim == item.dim,
                "embeddings of {dim} and of {} dimensions",
                item.dim
            );
            writer
                .push(&item.vector)
                .context("the temporary file of the embeddings")?;
            keys.push(item.key);
            *seen.entry(item.kind).or_default() += 1;
            Ok(())
        },
    )?;
    for (kind, count) in seen {
        let counts = run.tally().of(kind.name());
        counts.seen += count;
        counts.kept += count;
    }
    let Some((model, _, writer)) = first else {
        bail!("there is no record to cluster")
    };
    writer
        .finish()
        .context("the temporary file of the embeddings")?;
    // The map keeps the file's bytes after its name is gone.
    let matrix = Matrix::open(Path::new(spool.path()))?;
    Ok(Rows {
        matrix,
        picked: None,
        keys,
        model: Some(model),
    })
}

struct Fit {
    seed: u64,
    kind: Option<Chosen>,
}

struct Item {
    kind: Kind,
    key: f64,
    model: String,
    dim: usize,
    vector: Vec<f32>,
}

impl RecordFold for Fit {
    type Worker = Sidecars;
    type Item = Item;

    fn handles(&self, kind: Kind) -> bool {
        is_chosen(self.kind, kind)
    }

    fn worker(&self) -> Result<Sidecars> {
        Ok(Sidecars::new())
    }

    fn prepare(&self, sidecars: &mut Sidecars, record: &Record<'_>) -> Result<Item, Refusal> {
        let missing = || {
            Refusal::error(
                "missing-emb",
                "the record has no embedding; rs-embed adds them",
            )
        };
        let embedding = record.embedding()?.ok_or_else(missing)?;
        let mut vector = Vec::new();
        embedding.read(sidecars, &mut vector)?;
        Ok(Item {
            kind: record.kind(),
            key: uniform(self.seed, &record.id()?),
            model: embedding.model.into_owned(),
            dim: embedding.dim,
            vector,
        })
    }
}
