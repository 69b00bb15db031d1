//! Indexes: made of records or of a matrix, kept in a file or for one run, and opened.

use std::collections::BTreeMap;
use std::io::{Seek, Write};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use realsyn_cli::{Outcome, Run};
use realsyn_cluster::{Assigned, Assigner, Centroids, Metric};
use realsyn_lines::{AtomicFile, ordered};
use realsyn_pipe::{RecordFold, Refusal, scan};
use realsyn_record::{Kind, Record, Sidecars};
use realsyn_retrieve::{Builder, Centres, Index};
use realsyn_vector::map::Map;
use realsyn_vector::npy::Matrix;
use tempfile::NamedTempFile;

use crate::Own;
use crate::sentences::{self, Read};

/// Rows of a matrix that are assigned at a time.
const BLOCK: usize = 1024;

/// Sentences on their way into an index, all of one model.
pub struct Indexer {
    builder: Builder,
    model: Option<String>,
}

impl Indexer {
    /// An index around `centroids`; its temporary files lie in `folder`.
    ///
    /// # Errors
    /// There is no centroid.
    pub fn new(centroids: Centroids, folder: &Path) -> Result<Self> {
        let centres = Centres {
            values: centroids.values,
            dim: centroids.dim,
            is_euclidean: centroids.metric == Metric::Euclidean,
        };
        let model = centroids.model;
        let builder = Builder::new(centres, folder)?;
        Ok(Self { builder, model })
    }

    /// Adds a sentence.
    ///
    /// # Errors
    /// Its embedding is of another model, or its cluster has no centroid.
    pub fn push(&mut self, sentence: &Read) -> Result<()> {
        // Of a matrix's rows nobody knows the model.
        if !sentence.model.is_empty() {
            let known = self.model.get_or_insert_with(|| sentence.model.clone());
            ensure!(
                *known == sentence.model,
                "an embedding of model {}, not {known}",
                sentence.model
            );
        }
        Ok(self.builder.push(&sentence.borrow())?)
    }

    /// The number of sentences so far.
    pub fn len(&self) -> usize {
        self.builder.len()
    }

    /// Writes the index.
    ///
    /// # Errors
    /// The disk is full.
    pub fn finish(self, out: &mut (impl Write + Seek)) -> Result<()> {
        let model = self.model.unwrap_or_default();
        Ok(self.builder.finish(&model, out)?)
    }
}

/// Opens the index that a run looks things up in.
///
/// # Errors
/// It is damaged, or cannot be made.
pub fn open(own: &Own, run: &Run) -> Result<Index<Map>> {
    let at = |path: &Path| {
        let map = Map::open(path).with_context(|| path.display().to_string())?;
        Index::open(map).with_context(|| path.display().to_string())
    };
    if let Some(path) = &own.index {
        return at(path);
    }
    let (Some(sentences), Some(centroids)) = (&own.sentences, &own.centroids) else {
        return Err(anyhow!(
            "--index, or --sentences and --centroids, are needed"
        ));
    };
    let mut file = NamedTempFile::new().context("a temporary file for the index")?;
    let folder = file.path().parent().unwrap_or(Path::new(".")).to_owned();
    let centroids = Centroids::load(centroids)?;
    let assigner = Assigner::new(&centroids)?;
    let mut indexer = Indexer::new(centroids, &folder)?;
    sentences::index(sentences, &assigner, run, &mut indexer)?;
    indexer.finish(file.as_file_mut())?;
    // The map keeps the file's bytes after its name is gone.
    at(file.path())
}

/// Makes an index of the run's sentences, or of the rows of a matrix.
///
/// # Errors
/// The file exists, embeddings are of two models, or the disk is full.
pub fn build(path: &Path, mut run: Run, force: bool, own: &Own) -> Result<Outcome> {
    if run.operands().is_empty() {
        // A resumed run that had ended.
        return Ok(run.finish()?);
    }
    let centroids = own
        .centroids
        .as_deref()
        .ok_or_else(|| anyhow!("--centroids are needed"))?;
    let mut out = AtomicFile::create(path, force)?;
    let centroids = Centroids::load(centroids)?;
    let assigner = Assigner::new(&centroids)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut indexer = Indexer::new(centroids, folder.unwrap_or(Path::new(".")))?;
    match &own.vectors {
        Some(path) => rows(path, &assigner, &mut indexer, &mut run)?,
        None => records(&assigner, &mut indexer, &mut run)?,
    }
    ensure!(indexer.len() > 0, "there is no sentence to index");
    indexer
        .finish(&mut out)
        .with_context(|| path.display().to_string())?;
    out.finish()?;
    Ok(run.finish()?)
}

/// The run's sentences.
fn records(assigner: &Assigner, indexer: &mut Indexer, run: &mut Run) -> Result<()> {
    let mut seen: BTreeMap<Kind, u64> = BTreeMap::new();
    scan(run, &Sentences(assigner), |sentence| {
        let Some(sentence) = sentence else {
            return Ok(());
        };
        *seen.entry(Kind::Sentence).or_default() += 1;
        indexer.push(&sentence)
    })?;
    for (kind, count) in seen {
        let counts = run.tally().of(kind.name());
        counts.seen += count;
        counts.kept += count;
    }
    Ok(())
}

/// From records to what is indexed.
struct Sentences<'a>(&'a Assigner);

impl RecordFold for Sentences<'_> {
    type Worker = Sidecars;
    /// Nothing for a marked duplicate.
    type Item = Option<Read>;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Sentence
    }

    fn worker(&self) -> Result<Sidecars> {
        Ok(Sidecars::new())
    }

    fn prepare(
        &self,
        sidecars: &mut Sidecars,
        record: &Record<'_>,
    ) -> Result<Option<Read>, Refusal> {
        sentences::read(self.0, sidecars, record)
    }
}

/// The rows of a matrix, which have no text.
fn rows(path: &Path, assigner: &Assigner, indexer: &mut Indexer, run: &mut Run) -> Result<()> {
    let matrix = Matrix::open(path)?;
    let dim = assigner.dim();
    ensure!(
        matrix.dim() == dim,
        "{}: {} dimensions; the centroids have {dim}",
        path.display(),
        matrix.dim()
    );
    ordered(
        (0..matrix.rows()).step_by(BLOCK),
        run.jobs(),
        &run.stop(),
        || Ok::<(), anyhow::Error>(()),
        |(), from| {
            let (mut block, mut unit, mut nearest) = (Vec::new(), Vec::new(), Vec::new());
            matrix.read_rows(from, matrix.rows().min(from + BLOCK), &mut block);
            unit.clone_from(&block);
            assigner
                .assign(&mut unit, &mut nearest)
                .with_context(|| format!("{}, rows from {from}", path.display()))?;
            Ok((from, block, nearest))
        },
        |(from, block, nearest): (usize, Vec<f32>, Vec<Assigned>)| {
            for ((row, nearest), number) in block.chunks_exact(dim).zip(&nearest).zip(from..) {
                indexer.push(&Read {
                    model: String::new(),
                    id: number.to_string(),
                    doc: String::new(),
                    text: String::new(),
                    cluster: nearest.cluster.into(),
                    vector: row.to_vec(),
                })?;
            }
            Ok(())
        },
    )?;
    let counts = run.tally().of(Kind::Sentence.name());
    counts.seen += matrix.rows() as u64;
    counts.kept += matrix.rows() as u64;
    Ok(())
}
