//! All images at once, in place of batch by batch.

use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Error, Result, ensure};
use realsyn_cli::{Outcome, Run};
use realsyn_pipe::{RecordFold, RecordMap, Refusal, Reply, fold};
use realsyn_record::{Kind, Record, Sidecars};
use realsyn_retrieve::{Hit, Query, Scratch};
use realsyn_vector::npy::{Element, Matrix, Writer};
use tempfile::NamedTempFile;

use crate::stage::Retrieve;

/// Queries whose brute force is done at a time.
const BLOCK: usize = 256;

/// Answers the run's images. Their lines and vectors wait in temporary files.
///
/// # Errors
/// Embeddings are of another model than the sentences', or a file cannot be written.
pub fn records(mut run: Run, stage: &Retrieve) -> Result<Outcome> {
    let index = stage.searcher().index();
    let spool = NamedTempFile::new().context("a temporary file for the embeddings")?;
    // Single precision: what comes from a sidecar may have it, and --bulk must not change an answer.
    let mut writer = Writer::new(BufWriter::new(spool.reopen()?), index.dim(), Element::F32)?;
    let (mut docs, mut sampled) = (Vec::new(), Vec::new());
    let spooled = fold(&mut run, &Images(stage), |image| {
        let (vector, doc, is_sampled) = image?;
        if is_sampled {
            sampled.push(docs.len());
        }
        docs.push(doc);
        writer
            .push(&vector)
            .context("the temporary file of the embeddings")
    })?;
    drop(
        writer
            .finish()
            .context("the temporary file of the embeddings")?,
    );
    let queries = Matrix::open(spool.path())?;
    let found = stage.searcher().search_bulk(&queries, &docs, run.jobs())?;
    sample(stage, &queries, &docs, &sampled, |query| {
        found.hits(query).collect()
    })?;
    spooled.decide(&mut run, |number, _| {
        let number = usize::try_from(number)?;
        let hits: Vec<Hit> = found.hits(number).collect();
        Ok(match stage.texts(docs[number], &hits)? {
            Some(edits) => Reply::Edit(edits),
            None => Retrieve::nothing().into(),
        })
    })?;
    stage.finish(&mut run)?;
    Ok(run.finish()?)
}

/// Compares the sampled queries' hits with those of brute force.
fn sample(
    stage: &Retrieve,
    queries: &Matrix,
    docs: &[Option<u32>],
    sampled: &[usize],
    found: impl Fn(usize) -> Vec<Hit>,
) -> Result<()> {
    let Some(recall) = stage.recall() else {
        return Ok(());
    };
    let mut scratch = Scratch::default();
    for block in sampled.chunks(BLOCK) {
        let mut vectors = vec![Vec::new(); block.len()];
        for (&query, vector) in block.iter().zip(&mut vectors) {
            queries.read_rows(query, query + 1, vector);
        }
        let asked: Vec<Query<'_>> = block
            .iter()
            .zip(&vectors)
            .map(|(&query, vector)| Query {
                vector,
                doc: docs.get(query).copied().flatten(),
            })
            .collect();
        let all = stage.searcher().search_all(&mut scratch, &asked)?;
        for (&query, all) in block.iter().zip(&all) {
            recall.count(&found(query), all);
        }
    }
    Ok(())
}

/// Takes from an image what is looked up.
struct Images<'a>(&'a Retrieve);

impl RecordFold for Images<'_> {
    type Worker = Sidecars;
    /// The vector, the document, and whether it is in the sample; or what ends the run.
    type Item = Result<(Vec<f32>, Option<u32>, bool), Error>;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Image
    }

    fn worker(&self) -> Result<Sidecars> {
        Ok(Sidecars::new())
    }

    fn prepare(&self, sidecars: &mut Sidecars, record: &Record<'_>) -> Result<Self::Item, Refusal> {
        match self.0.image(sidecars, record) {
            Ok(image) => image.map(|image| Ok((image.vector, image.doc, image.is_sampled))),
            Err(fatal) => Ok(Err(fatal)),
        }
    }
}

/// Answers the rows of a matrix: pair records that have nothing but an id and texts.
///
/// # Errors
/// The matrix cannot be read or has another dimension than the index.
pub fn rows(mut run: Run, stage: &Retrieve, path: &Path) -> Result<Outcome> {
    let queries = Matrix::open(path)?;
    let dim = stage.searcher().index().dim();
    ensure!(
        queries.dim() == dim,
        "{}: {} dimensions; the sentences have {dim}",
        path.display(),
        queries.dim()
    );
    let found = stage.searcher().search_bulk(&queries, &[], run.jobs())?;
    if let Some(recall) = stage.recall() {
        let sampled: Vec<usize> = (0..queries.rows())
            .filter(|row| recall.samples(&row.to_string()))
            .collect();
        sample(stage, &queries, &[], &sampled, |query| {
            found.hits(query).collect()
        })?;
    }
    let mut sink = run.sink();
    for row in 0..queries.rows() {
        let line = format!("{{\"schema\":\"image/1\",\"id\":\"{row}\"}}");
        let record = Record::parse(line.as_bytes())?;
        let hits: Vec<Hit> = found.hits(row).collect();
        let counts = sink.tally.of(Kind::Image.name());
        counts.seen += 1;
        if let Some(edits) = stage.texts(None, &hits)? {
            counts.kept += 1;
            edits.apply(&record, &mut sink.out);
            sink.out.push(b'\n');
        } else {
            let origin = realsyn_lines::Origin {
                file: path.to_str(),
                line: None,
                record: line.as_bytes(),
                ..realsyn_lines::Origin::default()
            };
            let Refusal {
                class,
                code,
                message,
            } = Retrieve::nothing();
            sink.refuse(Kind::Image.name(), class, code, &message, origin);
        }
        if sink.out.len() >= 1 << 18 {
            run.accept(std::mem::replace(&mut sink, run.sink()))?;
        }
    }
    run.accept(sink)?;
    stage.finish(&mut run)?;
    Ok(run.finish()?)
}
