//! An iteration that many machines share through files.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use realsyn_cli::{Common, Outcome};
use realsyn_cluster::shards::{Shard, Step, merge as merge_parts, write_seeds, write_sums};
use realsyn_record::fixed;

use crate::fit::{is_free, same_model};
use crate::page::PAGE;
use crate::{Own, rows};

/// Writes this shard's part.
pub fn partial(common: &Common, own: &Own, path: &Path) -> Result<Outcome> {
    is_free(common, path)?;
    let from = own.from.as_deref().map(Step::load).transpose()?;
    let (run, rows) = rows::start(common, own)?;
    let Some(rows) = rows else {
        return Ok(run.finish()?);
    };
    let vectors = rows.vectors();
    let shard = Shard {
        vectors: &*vectors,
        model: rows.model.as_deref(),
        jobs: run.jobs(),
    };
    if let Some(step) = from {
        let from = step.centroids();
        same_model(from.model.as_deref(), rows.model.as_deref()).context("--from")?;
        ensure!(
            own.k.is_none_or(|k| k == from.k()),
            "--from holds {} centroids",
            from.k()
        );
        ensure!(
            own.metric.is_none_or(|metric| from.metric == metric.into()),
            "--from holds centroids for the other metric"
        );
        write_sums(path, shard, &step)?;
    } else {
        let k = own.k.context("-k is needed")?;
        let metric = own.metric.map(Into::into).unwrap_or_default();
        write_seeds(path, shard, &rows.keys, (k, metric, own.seed))?;
    }
    Ok(run.finish()?)
}

/// Makes centroids of the shards' parts.
pub fn merge(common: &Common, own: &Own) -> Result<Outcome> {
    let Some(out) = &own.out else {
        bail!("--out is needed")
    };
    is_free(common, out)?;
    ensure!(
        !common.files.is_empty(),
        "--merge needs the files of --partial"
    );
    let from = own.from.as_deref().map(Step::load).transpose()?;
    let mut run = common.start_without_operands(&PAGE, own)?;
    let (step, merged) = merge_parts(&common.files, from)?;
    if let Some(merged) = merged {
        let line = format!(
            "{{\"schema\":\"metric/1\",\"stage\":\"rs-kmeans\",\"iteration\":{},\"wcss\":{},\"repaired\":{},\"changed\":{}}}\n",
            merged.iteration,
            fixed(merged.wcss, 6),
            merged.repaired,
            merged.changed
        );
        run.write(line.as_bytes())?;
    }
    step.save(out)?;
    Ok(run.finish()?)
}
