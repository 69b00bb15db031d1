//! From sentence records to what is indexed.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use realsyn_cli::Run;
use realsyn_cluster::{Assigned, Assigner};
use realsyn_lines::{Batch, Batches, Cut, Line, Operand, Problem, ordered};
use realsyn_pipe::Refusal;
use realsyn_record::{Kind, Record, Sidecars, doc_of};
use realsyn_retrieve::Sentence;

use crate::index::Indexer;

/// A sentence as it was read.
pub struct Read {
    /// What made the embedding; empty if that is not known.
    pub model: String,
    /// Its id.
    pub id: String,
    /// The document it stands in.
    pub doc: String,
    /// Its text.
    pub text: String,
    /// Its cluster.
    pub cluster: u64,
    /// Its embedding.
    pub vector: Vec<f32>,
}

impl Read {
    /// What the index takes of it.
    pub fn borrow(&self) -> Sentence<'_> {
        let Self {
            id,
            doc,
            text,
            cluster,
            vector,
            ..
        } = self;
        Sentence {
            id,
            doc,
            text,
            cluster: *cluster,
            vector,
        }
    }
}

/// Indexes the sentences of a file for a run that looks things up in them. A line that is no sentence with an embedding
/// of the right model ends the run: the file is the whole run's, so there is no record that could be rejected in its
/// place.
///
/// # Errors
/// There is such a line, or no sentence at all.
pub fn index(path: &Path, assigner: &Assigner, run: &Run, indexer: &mut Indexer) -> Result<()> {
    ensure!(
        path != Path::new("-"),
        "--sentences must be a file; standard input is for images"
    );
    let operands = Operand::list(&[path.to_owned()]);
    for operand in &operands {
        operand.check()?;
    }
    let cut = Cut {
        max_line: run.max_line(),
        ..Cut::default()
    };
    let stop = run.stop();
    ordered(
        Batches::new(operands, cut, 0, &stop),
        run.jobs(),
        &stop,
        || Ok(Sidecars::new()),
        |sidecars, batch: Batch| lines(assigner, sidecars, &batch),
        |batch: Vec<(String, Read)>| {
            for (place, sentence) in batch {
                indexer.push(&sentence).context(place)?;
            }
            Ok(())
        },
    )?;
    ensure!(
        indexer.len() > 0,
        "{}: there is no sentence",
        path.display()
    );
    Ok(())
}

fn lines(
    assigner: &Assigner,
    sidecars: &mut Sidecars,
    batch: &Batch,
) -> Result<Vec<(String, Read)>> {
    let mut sentences = Vec::new();
    for line in batch.lines() {
        let place = format!("{}:{}", line.file, line.number);
        match sentence(assigner, sidecars, &line) {
            Ok(Some(sentence)) => sentences.push((place, sentence)),
            Ok(None) => {}
            Err(error) => return Err(error.context(place)),
        }
    }
    Ok(sentences)
}

/// The line's sentence, unless it is of another kind or a duplicate.
fn sentence(assigner: &Assigner, sidecars: &mut Sidecars, line: &Line<'_>) -> Result<Option<Read>> {
    match line.problem {
        Some(Problem::TooLong { bytes }) => {
            bail!("a line of {bytes} bytes is too long (--max-line)")
        }
        Some(Problem::Broken { message }) => bail!("the input breaks off: {message}"),
        None => {}
    }
    let record = Record::parse(line.bytes)?;
    if record.kind() != Kind::Sentence {
        return Ok(None);
    }
    read(assigner, sidecars, &record).map_err(|refusal| anyhow!(refusal.message))
}

/// What is indexed of a sentence record, unless it is a marked duplicate.
///
/// # Errors
/// It has no embedding of the centroids' dimension, or a field is broken.
pub fn read(
    assigner: &Assigner,
    sidecars: &mut Sidecars,
    record: &Record<'_>,
) -> Result<Option<Read>, Refusal> {
    if record.raw("dup_of").is_some() {
        return Ok(None);
    }
    let embedding = record.embedding()?.ok_or_else(|| {
        Refusal::error(
            "missing-emb",
            "the sentence has no embedding; rs-embed adds them",
        )
    })?;
    let dim = assigner.dim();
    if embedding.dim != dim {
        let message = format!(
            "an embedding of {} dimensions; the centroids have {dim}",
            embedding.dim
        );
        return Err(Refusal::error("dim-mismatch", message));
    }
    let mut vector = Vec::new();
    embedding.read(sidecars, &mut vector)?;
    let cluster = if let Some(cluster) = record.get::<u64>("cluster")? {
        cluster
    } else {
        let mut nearest: Vec<Assigned> = Vec::new();
        assigner
            .assign(&mut vector.clone(), &mut nearest)
            .map_err(|error| Refusal::error(error.code(), error.to_string()))?;
        nearest.first().map_or(0, |one| u64::from(one.cluster))
    };
    let id = record.id()?.into_owned();
    let doc = match record.text("doc")? {
        Some(doc) => doc.into_owned(),
        None => doc_of(&id).to_owned(),
    };
    Ok(Some(Read {
        model: embedding.model.into_owned(),
        id,
        doc,
        text: record.need_text("text")?.into_owned(),
        cluster,
        vector,
    }))
}
