//! From records or a matrix to centroids.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use realsyn_cli::{Common, Outcome};
use realsyn_cluster::{Centroids, Checkpoint, Init, Iteration, Options, fit};
use realsyn_lines::LinesError;
use realsyn_record::fixed;

use crate::{Own, rows};

/// Clusters and writes the centroids.
pub fn run(common: &Common, own: &Own) -> Result<Outcome> {
    let Some(out) = &own.out else {
        bail!("--out is needed")
    };
    is_free(common, out)?;
    let from = own.from.as_deref().map(Centroids::load).transpose()?;
    let (mut run, rows) = rows::start(common, own)?;
    let Some(rows) = rows else {
        return Ok(run.finish()?);
    };
    let vectors = rows.vectors();
    let k = own.k.or(from.as_ref().map(Centroids::k));
    let k = k.context("-k is needed")?;
    let told = from.as_ref().map(|from| from.metric).unwrap_or_default();
    let metric = own.metric.map_or(told, Into::into);
    let init = match (from, own.init) {
        (Some(from), _) => {
            ensure!(
                from.dim == vectors.dim(),
                "--from: {} dimensions, the vectors {}",
                from.dim,
                vectors.dim()
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
        checkpoint: own.checkpoint.as_ref().map(|path| Checkpoint {
            path: path.clone(),
            identity: rows.model.clone().unwrap_or_default(),
        }),
    };
    let mut told = Ok(());
    let mut centroids = fit(&*vectors, &rows.keys, &options, &mut |iteration| {
        if told.is_ok() {
            told = run.write(metric_line(iteration).as_bytes());
        }
    })?;
    told?;
    centroids.model.clone_from(&rows.model);
    centroids.save(out)?;
    Ok(run.finish()?)
}

/// An error if the file is there and must not be replaced.
pub fn is_free(common: &Common, out: &Path) -> Result<()> {
    let is_free = common.force || common.resume || !out.is_file();
    ensure!(is_free, LinesError::Exists(out.to_owned()));
    Ok(())
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
