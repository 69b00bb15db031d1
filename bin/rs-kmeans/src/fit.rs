//! From records or a matrix to centroids.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use realsyn_cli::{Common, Outcome, Run};
use realsyn_cluster::{Centroids, Init, Iteration, Metric, Options, fit, row_keys};
use realsyn_lines::LinesError;
use realsyn_pipe::{RecordFold, Refusal, scan};
use realsyn_record::{Kind, Record, Sidecars, fixed, uniform};
use realsyn_vector::npy::{Element, Matrix, Writer};
use tempfile::NamedTempFile;

use crate::page::PAGE;
use crate::{Chosen, Own, is_chosen};

/// Clusters and writes the centroids.
pub fn run(common: &Common, own: &Own) -> Result<Outcome> {
    let (Some(k), Some(out)) = (own.k, &own.out) else {
        bail!("-k and --out are needed")
    };
    let is_free = common.force || common.resume || !out.is_file();
    ensure!(is_free, LinesError::Exists(out.clone()));
    let from = own.from.as_deref().map(Centroids::load).transpose()?;
    let vectors = own.vectors.as_deref().map(Matrix::open).transpose()?;
    let mut run = common.start(&PAGE, own)?;
    if run.operands().is_empty() {
        // A resumed run that had ended.
        return Ok(run.finish()?);
    }
    let rows = match vectors {
        Some(matrix) => Rows {
            keys: row_keys(matrix.rows(), own.seed),
            matrix,
            model: None,
        },
        None => read(&mut run, own)?,
    };
    let metric = match own.metric {
        crate::Metric::Spherical => Metric::Spherical,
        crate::Metric::Euclidean => Metric::Euclidean,
    };
    let init = match (from, own.init) {
        (Some(from), _) => {
            ensure!(
                from.dim == rows.matrix.dim(),
                "--from: {} dimensions, the vectors {}",
                from.dim,
                rows.matrix.dim()
            );
            same_model(from.model.as_deref(), rows.model.as_deref()).context("--from")?;
            Init::Given(from.values)
        }
        (None, crate::Init::Random) => Init::Random,
        (None, crate::Init::PlusPlus) => Init::PlusPlus,
    };
    let options = Options {
        k,
        iterations: own.iterations,
        metric,
        init,
        jobs: run.jobs(),
    };
    let mut told = Ok(());
    let mut centroids = fit(&rows.matrix, &rows.keys, &options, &mut |iteration| {
        if told.is_ok() {
            told = run.write(metric_line(iteration).as_bytes());
        }
    })?;
    told?;
    centroids.model = rows.model;
    centroids.save(out)?;
    Ok(run.finish()?)
}

fn metric_line(iteration: &Iteration) -> String {
    format!(
        "{{\"schema\":\"metric/1\",\"stage\":\"rs-kmeans\",\"iteration\":{},\"wcss\":{},\"moved\":{},\"repaired\":{}}}\n",
        iteration.iteration,
        fixed(iteration.wcss, 6),
        fixed(iteration.moved_share(), 6),
        iteration.repaired
    )
}

/// An error if both models are known and differ.
pub fn same_model(centroids: Option<&str>, vectors: Option<&str>) -> Result<()> {
    if let (Some(centroids), Some(vectors)) = (centroids, vectors) {
        ensure!(
            centroids == vectors,
            "the centroids are of model {centroids}, the embeddings of {vectors}"
        );
    }
    Ok(())
}

/// What is clustered.
struct Rows {
    matrix: Matrix,
    keys: Vec<f64>,
    model: Option<String>,
}

/// Gathers the records' embeddings in a temporary file, in the half precision that they travel in.
fn read(run: &mut Run, own: &Own) -> Result<Rows> {
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
