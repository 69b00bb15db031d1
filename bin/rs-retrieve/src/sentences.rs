//! From a file of sentence records to an index.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use realsyn_cli::Run;
use realsyn_cluster::{Assigned, Assigner, Centroids, Metric};
use realsyn_lines::{Batch, Batches, Cut, Line, Operand, Problem, ordered};
use realsyn_record::{Kind, Record, Sidecars, doc_of};
use realsyn_retrieve::{Builder, Centres, Index, Sentence};

/// Builds the index in memory. A line that is no sentence with an embedding of the right model ends the run: the file
/// is the whole run's, so there is no record that could be rejected in its place.
pub fn index(path: &Path, centroids: Centroids, run: &Run) -> Result<Index<Vec<u8>>> {
    ensure!(
        path != Path::new("-"),
        "--sentences must be a file; standard input is for images"
    );
    let assigner = Assigner::new(&centroids)?;
    let dim = centroids.dim;
    let mut model = centroids.model;
    let centres = Centres {
        values: centroids.values,
        dim,
        is_euclidean: centroids.metric == Metric::Euclidean,
    };
    let operands = Operand::list(&[path.to_owned()]);
    for operand in &operands {
        operand.check()?;
    }
    let cut = Cut {
        max_line: run.max_line(),
        ..Cut::default()
    };
    let stop = run.stop();
    let mut builder: Option<Builder> = None;
    ordered(
        Batches::new(operands, cut, 0, &stop),
        run.jobs(),
        &stop,
        || Ok(Sidecars::new()),
        |sidecars, batch: Batch| read(&assigner, sidecars, &batch),
        |batch: Vec<Read>| {
            for sentence in batch {
                let place = || sentence.place.clone();
                let known = model.get_or_insert_with(|| sentence.model.clone());
                let is_known = *known == sentence.model;
                ensure!(
                    is_known,
                    "{}: an embedding of model {}, not {known}",
                    place(),
                    sentence.model
                );
                let builder = match &mut builder {
                    Some(builder) => builder,
                    None => builder.insert(Builder::new(centres.clone(), known)?),
                };
                builder.push(&sentence.borrow()).with_context(place)?;
            }
            Ok(())
        },
    )?;
    let builder = match builder {
        Some(builder) => builder,
        None => Builder::new(centres, model.as_deref().unwrap_or_default())?,
    };
    ensure!(
        !builder.is_empty(),
        "{}: there is no sentence",
        path.display()
    );
    Ok(Index::open(builder.finish())?)
}

/// A sentence as it was read.
struct Read {
    place: String,
    model: String,
    id: String,
    doc: String,
    text: String,
    cluster: u64,
    vector: Vec<f32>,
}

impl Read {
    fn borrow(&self) -> Sentence<'_> {
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

fn read(assigner: &Assigner, sidecars: &mut Sidecars, batch: &Batch) -> Result<Vec<Read>> {
    let mut sentences = Vec::new();
    for line in batch.lines() {
        let sentence = sentence(assigner, sidecars, &line);
        sentences.extend(sentence.with_context(|| format!("{}:{}", line.file, line.number))?);
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
    if record.kind() != Kind::Sentence || record.raw("dup_of").is_some() {
        return Ok(None);
    }
    let embedding = record
        .embedding()?
        .ok_or_else(|| anyhow!("the sentence has no embedding"))?;
    let dim = assigner.dim();
    ensure!(
        embedding.dim == dim,
        "an embedding of {} dimensions; the centroids have {dim}",
        embedding.dim
    );
    let mut vector = Vec::new();
    embedding.read(sidecars, &mut vector)?;
    let cluster = if let Some(cluster) = record.get::<u64>("cluster")? {
        cluster
    } else {
        let mut nearest: Vec<Assigned> = Vec::new();
        assigner.assign(&mut vector.clone(), &mut nearest)?;
        nearest.first().map_or(0, |one| u64::from(one.cluster))
    };
    let id = record.id()?.into_owned();
    let doc = match record.text("doc")? {
        Some(doc) => doc.into_owned(),
        None => doc_of(&id).to_owned(),
    };
    Ok(Some(Read {
        place: format!("{}:{}", line.file, line.number),
        model: embedding.model.into_owned(),
        id,
        doc,
        text: record.need_text("text")?.into_owned(),
        cluster,
        vector,
    }))
}
