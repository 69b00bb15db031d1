//! The search over one kind of record, and what is told of it.

use std::io::BufWriter;

use anyhow::{Context as _, Result, ensure};
use realsyn_cli::Run;
use realsyn_cluster::{Centroids, Init, Metric, Options as Fit, fit};
use realsyn_record::fixed;
use realsyn_semdedup::{
    Centres, Found, Names, Options, Overlap, Row, Store, TABLE, at_percentile, given, search,
};
use realsyn_vector::npy::{Element, Matrix, Writer};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::{Own, edges};

/// Up to so many distinct vectors all pairs are compared: clusters would cost more than they save.
const ALL_PAIRS: usize = 200_000;
/// Vectors for each cluster that k-means looks at, and how often.
const POINTS: usize = 40;
const ITERATIONS: usize = 5;

/// What the search over one kind found, at the distance that was asked for or chosen.
pub struct Judged {
    pub found: Found,
    pub place: usize,
}

/// Searches, or takes the edges that were given, and writes what there is to say into the funnel of `kind`.
pub fn judge(
    run: &mut Run,
    own: &Own,
    kind: &str,
    store: &Store,
    names: &Names,
    model: Option<&str>,
) -> Result<Judged> {
    if !own.merge.is_empty() {
        let pairs = edges::read(run, &own.merge, kind, names)?;
        let found = given(store, pairs);
        let row = found.row(store, 0);
        told(
            run,
            kind,
            store,
            &row,
            &format!("{kind}: joined by --merge"),
        );
        return Ok(Judged { found, place: 0 });
    }
    let centres = centres(run, own, store, model)?;
    let exact = own.exact || own.recall >= 1.0;
    let distances = match own.percentile {
        Some(_) => &TABLE[..],
        None => std::slice::from_ref(&own.distance),
    };
    let found = search(
        store,
        &Options {
            distances,
            centres: centres.as_ref(),
            overlap: if exact {
                Overlap::Exact
            } else {
                Overlap::Recall(own.recall)
            },
            part: own.edges.map(Into::into),
            jobs: run.jobs(),
        },
    )?;
    let place = match own.percentile {
        Some(percent) => calibrate(run, kind, store, &found, percent),
        None => 0,
    };
    let row = found.row(store, place);
    let recall = found.recall(place);
    let how = match (&centres, recall) {
        (None, _) => "all pairs compared".to_owned(),
        (Some(centres), Some(recall)) => format!(
            "{} clusters; of {} sampled pairs {} % found",
            centres.k(),
            recall.pairs,
            fixed(100.0 * recall.share, 2)
        ),
        (Some(centres), None) if exact => {
            format!("{} clusters, no pair missed", centres.k())
        }
        (Some(centres), None) => format!("{} clusters; no pair in the sample", centres.k()),
    };
    run.note(kind, "distance", json!(row.distance));
    run.note(kind, "pairs_compared", json!(found.compared));
    if let Some(centres) = &centres {
        run.note(kind, "clusters", json!(centres.k()));
        run.note(kind, "overlap", json!(rounded(found.overlap)));
    }
    if centres.is_none() || exact {
        run.note(kind, "recall", json!(1.0));
    } else if let Some(recall) = recall {
        run.note(kind, "recall", json!(rounded(recall.share)));
        run.note(kind, "recall_pairs", json!(recall.pairs));
    }
    let what = format!("{kind}: distance {}, {how}", row.distance);
    told(run, kind, store, &row, &what);
    Ok(Judged { found, place })
}

/// What both ways to sets have to say.
fn told(run: &mut Run, kind: &str, store: &Store, row: &Row, what: &str) {
    run.note(kind, "distinct", json!(store.distinct()));
    run.note(kind, "sets", json!(row.sets));
    run.note(kind, "largest_set", json!(row.largest));
    let sets = match row.sets {
        0 => "no duplicates".to_owned(),
        sets => format!("{sets} sets, the largest of {}", row.largest),
    };
    run.tell(&format!("{what}; {sets}"));
}

fn rounded(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

/// Tells the table and chooses a distance of it.
fn calibrate(run: &mut Run, kind: &str, store: &Store, found: &Found, percent: f64) -> usize {
    let rows = found.rows(store);
    let place = at_percentile(&rows, store.records(), percent);
    #[expect(clippy::cast_precision_loss, reason = "shares")]
    let share = |count: u64| fixed(100.0 * count as f64 / store.records() as f64, 2);
    run.tell(&format!(
        "{kind}: distance, records that have a nearer neighbour, records that would be dropped"
    ));
    for (at, row) in rows.iter().enumerate() {
        let mark = if at == place { " <- taken" } else { "" };
        run.tell(&format!(
            "{kind}: {:<5} {:>6} % {:>6} %{mark}",
            row.distance,
            share(row.near),
            share(row.dropped)
        ));
    }
    let table: Vec<_> = rows
        .iter()
        .map(|row| json!([row.distance, row.near, row.dropped]))
        .collect();
    run.note(kind, "distances", table.into());
    place
}

/// The centres of the clusters, if the search goes by clusters.
fn centres(run: &Run, own: &Own, store: &Store, model: Option<&str>) -> Result<Option<Centres>> {
    if let Some(path) = &own.centroids {
        let centroids = Centroids::load(path)?;
        if let (Some(theirs), Some(ours)) = (&centroids.model, model) {
            ensure!(
                theirs == ours,
                "--centroids are of model {theirs}, the embeddings of {ours}"
            );
        }
        return Ok(Some(Centres::new(centroids.values, centroids.dim)));
    }
    let k = match own.clusters {
        Some(k) => k as usize,
        None if own.exact || store.distinct() <= ALL_PAIRS => return Ok(None),
        None => 2 * store.distinct().isqrt(),
    };
    let k = k.min(store.distinct());
    if k == 0 {
        return Ok(None);
    }
    let sample = store.sample(k.saturating_mul(POINTS));
    let (rows, keys): (Vec<usize>, Vec<f64>) = sample.into_iter().unzip();
    let options = Fit {
        k,
        iterations: ITERATIONS,
        metric: Metric::Spherical,
        init: Init::Random,
        jobs: run.jobs(),
        checkpoint: None,
    };
    let centroids = fit(&copy(store, &rows)?, &keys, &options, &mut |_| ())
        .context("clustering the embeddings")?;
    Ok(Some(Centres::new(centroids.values, centroids.dim)))
}

/// The rows that k-means looks at, in a temporary file of their own: in memory they would grow with the dimension.
fn copy(store: &Store, rows: &[usize]) -> Result<Matrix> {
    let what = "the temporary file of the sample";
    let file = NamedTempFile::new().context(what)?;
    let out = BufWriter::with_capacity(1 << 18, file.reopen().context(what)?);
    let mut writer = Writer::new(out, store.dim(), Element::F32).context(what)?;
    let mut unit = Vec::new();
    for &row in rows {
        store.unit_row(row, &mut unit);
        writer.push(&unit).context(what)?;
    }
    writer.finish().context(what)?;
    Ok(Matrix::open(file.path())?)
}
