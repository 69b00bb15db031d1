//! One iteration shared by many machines through files.
//!
//! Each machine writes what its rows add up to, and the parts are merged. Sums are whole numbers and seeds are the rows of
//! the smallest keys, so the merged centroids are byte for byte those of one machine:
//!
//! 1. [`write_seeds`] for each shard: its k rows of the smallest keys, and the range of its coordinates; [`merge`] makes the
//!    first centroids of them.
//! 2. [`write_sums`] for each shard: the exact sums, sizes and squared lengths of its rows by nearest centroid; [`merge`]
//!    moves the centroids and repairs empty clusters as [`crate::fit`] does. And again.
//!
//! A pass over a shard knows nothing of the pass before, so every row is looked at, and how many rows moved is not known.
//!
//! **Memory.** Seeds: 4·k·d bytes a part. Sums: 16·k·d bytes, one part at a time, and those of a pass over the rows.
//! **Order.** The order of the parts changes nothing.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::bounds::Motion;
use crate::centroids::Round;
use crate::fit::{check, prepare_all, rows_of};
use crate::lloyd::{Lloyd, range};
use crate::repair::repair;
use crate::sealed::{self, bytes_of, hash, numbers_of};
use crate::search::Engine;
use crate::seeding::random;
use crate::sums::{Range, Sums};
use crate::{Centroids, ClusterError, Metric, Vectors};

const SCHEMA: &str = "kmeans-partial/1";

/// The rows of one machine.
#[derive(Clone, Copy)]
pub struct Shard<'a> {
    /// The rows.
    pub vectors: &'a dyn Vectors,
    /// The content hash of the model that made them, where it is known.
    pub model: Option<&'a str>,
    /// The number of threads. It changes no result.
    pub jobs: usize,
}

/// What a merge did beside the centroids.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merged {
    /// Counted from 1.
    pub iteration: usize,
    /// As [`crate::Iteration::wcss`].
    pub wcss: f64,
    /// The rows of all parts.
    pub rows: u64,
    /// The empty clusters that were repaired.
    pub repaired: usize,
    /// The centroids that moved. When none does, further iterations change nothing.
    pub changed: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Header {
    schema: String,
    /// What all parts must have in common.
    #[serde(flatten)]
    common: Common,
    rows: u64,
    exponent: i32,
    /// Of sums: the whole sum of the squared lengths, which has more than 64 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    squares: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Common {
    k: usize,
    dim: usize,
    metric: Metric,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Of seeds: what the keys depend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// Of sums: the hash of the centroids that rows were assigned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

/// Centroids as the shards use them, and where they come from.
#[derive(Debug)]
pub struct Step {
    centroids: Centroids,
    round: Round,
}

impl Step {
    /// Reads centroids that [`merge`] made, or any others for the spherical metric.
    ///
    /// # Errors
    /// They cannot be read, or the metric is Euclidean and no range is known.
    pub fn load(path: &Path) -> Result<Self, ClusterError> {
        let mut centroids = Centroids::load(path)?;
        let round = match (Round::load(path)?, centroids.metric) {
            (Some(round), _) => round,
            (None, Metric::Spherical) => {
                prepare_all(centroids.metric, &mut centroids.values, centroids.dim)?;
                Round {
                    exponent: Range::UNIT.exponent(),
                    iteration: 0,
                }
            }
            (None, Metric::Euclidean) => {
                return Err(bad(
                    path,
                    "Euclidean sums need a range that all shards agree on: make the first centroids with --partial and --merge",
                ));
            }
        };
        Ok(Self { centroids, round })
    }

    /// Writes the centroids so that shards can go on from them.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ClusterError> {
        self.centroids.save_round(path, Some(self.round))
    }

    /// The centroids.
    #[must_use]
    pub fn centroids(&self) -> &Centroids {
        &self.centroids
    }

    fn common(&self, model: Option<&str>) -> Common {
        Common {
            k: self.centroids.k(),
            dim: self.centroids.dim,
            metric: self.centroids.metric,
            model: model.or(self.centroids.model.as_deref()).map(str::to_owned),
            seed: None,
            from: Some(hash(&bytes_of(&self.centroids.values))),
        }
    }

    fn range(&self) -> Range {
        Range::from_exponent(self.round.exponent).unwrap_or(Range::UNIT)
    }
}

/// Writes a shard's part of the first centroids: its `k` rows with the smallest keys. `seed` is what the keys depend on.
///
/// # Errors
/// A number is not finite, nothing is asked for, or the file cannot be written.
pub fn write_seeds(
    path: &Path,
    shard: Shard<'_>,
    keys: &[f64],
    (k, metric, seed): (usize, Metric, u64),
) -> Result<(), ClusterError> {
    let (rows, dim) = (shard.vectors.rows(), shard.vectors.dim());
    // A shard may have fewer rows than there are clusters.
    check(rows.max(k), dim, k)?;
    let chosen = random(keys, k);
    let values = rows_of(shard.vectors, metric, &chosen)?;
    let keys: Vec<u8> = chosen
        .iter()
        .flat_map(|&row| keys[row].to_le_bytes())
        .collect();
    let header = Header {
        schema: SCHEMA.to_owned(),
        common: Common {
            k,
            dim,
            metric,
            model: shard.model.map(str::to_owned),
            seed: Some(seed),
            from: None,
        },
        rows: rows as u64,
        exponent: range(shard.vectors, metric, shard.jobs.max(1))?.exponent(),
        squares: None,
    };
    sealed::write(path, &header, &[&keys, &bytes_of(&values)])
}

/// Writes a shard's part of an iteration: the sums of its rows by nearest centroid.
///
/// # Errors
/// Rows and centroids do not have the same dimension, a number is not finite or beyond the agreed range, or the file cannot
/// be written.
pub fn write_sums(path: &Path, shard: Shard<'_>, step: &Step) -> Result<(), ClusterError> {
    let Step { centroids, .. } = step;
    let (rows, k, metric) = (shard.vectors.rows(), centroids.k(), centroids.metric);
    check(rows.max(k), shard.vectors.dim(), k)?;
    if centroids.dim != shard.vectors.dim() {
        return Err(ClusterError::DimMismatch {
            centroids: centroids.dim,
            vectors: shard.vectors.dim(),
        });
    }
    let jobs = shard.jobs.max(1);
    if !step.range().contains(range(shard.vectors, metric, jobs)?) {
        return Err(bad(
            path,
            "a vector of this shard has a number beyond the range of the shards that the first centroids were made of",
        ));
    }
    let mut lloyd = Lloyd::new(
        shard.vectors,
        Engine::detect(),
        (k, metric),
        step.range(),
        jobs,
    );
    lloyd.pass(&centroids.values, &Motion::unknown(k))?;
    let header = Header {
        schema: SCHEMA.to_owned(),
        common: step.common(shard.model),
        rows: rows as u64,
        exponent: step.round.exponent,
        squares: Some(lloyd.squares.to_string()),
    };
    sealed::write(path, &header, &[&lloyd.sums.bytes()])
}

/// Merges parts: seeds into first centroids, or sums, given the centroids that they were made with, into moved ones.
///
/// # Errors
/// There is no part, a file cannot be read, or a part does not fit the others or the centroids.
pub fn merge(
    parts: &[PathBuf],
    from: Option<Step>,
) -> Result<(Step, Option<Merged>), ClusterError> {
    match from {
        None => Ok((merge_seeds(parts)?, None)),
        Some(step) => merge_sums(parts, step).map(|(step, merged)| (step, Some(merged))),
    }
}

/// The parts one after another, each of what the first one is of.
fn read_parts(
    parts: &[PathBuf],
    mut take: impl FnMut(&Path, &Header, Vec<u8>) -> Result<(), ClusterError>,
) -> Result<Common, ClusterError> {
    let mut expected: Option<Common> = None;
    for path in parts {
        let (header, bytes) = sealed::read::<Header>(path)?;
        if header.schema != SCHEMA {
            return Err(bad(
                path,
                &format!("schema is {:?}, not {SCHEMA:?}", header.schema),
            ));
        }
        let common = expected.get_or_insert_with(|| header.common.clone());
        if common.seed.is_some() != header.common.seed.is_some() {
            let what = if header.common.seed.is_some() {
                "holds seeds, which are merged without --from"
            } else {
                "holds sums, which are merged with --from"
            };
            return Err(bad(path, what));
        }
        if common.from != header.common.from {
            return Err(bad(path, "was made with other centroids"));
        }
        if *common != header.common {
            return Err(bad(
                path,
                "differs from the other parts in its clusters, dimensions, metric, model or seed",
            ));
        }
        take(path, &header, bytes)?;
    }
    expected.ok_or(ClusterError::Zero("the number of parts"))
}

fn merge_seeds(parts: &[PathBuf]) -> Result<Step, ClusterError> {
    // Key and vector of each candidate.
    let mut seeds: Vec<(f64, Vec<f32>)> = Vec::new();
    let (mut rows, mut exponent) = (0u64, i32::MIN);
    let common = read_parts(parts, |path, header, bytes| {
        let Common { k, dim, .. } = header.common;
        if header.common.seed.is_none() {
            return Err(bad(path, "holds sums, which are merged with --from"));
        }
        rows += header.rows;
        exponent = exponent.max(header.exponent);
        let count = usize::try_from(header.rows).unwrap_or(usize::MAX).min(k);
        if bytes.len() != count * (8 + 4 * dim) {
            return Err(bad(path, "of another size than it says"));
        }
        let (keys, values) = bytes.split_at(8 * count);
        let keys = keys
            .as_chunks::<8>()
            .0
            .iter()
            .map(|&key| f64::from_le_bytes(key));
        let values = numbers_of(values);
        seeds.extend(keys.zip(values.chunks_exact(dim).map(<[f32]>::to_vec)));
        seeds.sort_by(|a, b| a.0.total_cmp(&b.0));
        seeds.truncate(k);
        Ok(())
    })?;
    let Common {
        k,
        dim,
        metric,
        model,
        ..
    } = common;
    if seeds.len() < k {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        return Err(ClusterError::TooFewRows { k, rows });
    }
    Ok(Step {
        centroids: Centroids {
            metric,
            model,
            dim,
            values: seeds.into_iter().flat_map(|(_, values)| values).collect(),
        },
        round: Round {
            exponent,
            iteration: 0,
        },
    })
}

fn merge_sums(parts: &[PathBuf], mut step: Step) -> Result<(Step, Merged), ClusterError> {
    let range = step.range();
    let Step { centroids, round } = &mut step;
    let (k, dim, metric) = (centroids.k(), centroids.dim, centroids.metric);
    let mut sums = Sums::new(k, dim, range);
    let (mut rows, mut squares) = (0u64, 0u128);
    let hashed = hash(&bytes_of(&centroids.values));
    let common = read_parts(parts, |path, header, bytes| {
        let part = header
            .squares
            .as_deref()
            .and_then(|text| text.parse::<u128>().ok());
        let Some(part) = part else {
            return Err(bad(path, "holds seeds, which are merged without --from"));
        };
        if header.common.from.as_ref() != Some(&hashed) {
            return Err(bad(path, "was made with other centroids"));
        }
        if header.exponent != range.exponent() || !sums.merge(&bytes) {
            return Err(bad(path, "of another size than it says"));
        }
        rows += header.rows;
        squares += part;
        Ok(())
    })?;
    if let (Some(known), Some(model)) = (&centroids.model, &common.model)
        && known != model
    {
        let path = parts.first().cloned().unwrap_or_default();
        return Err(bad(
            &path,
            "is of vectors of another model than the centroids",
        ));
    }
    centroids.model = centroids.model.take().or(common.model);
    let old = centroids.values.clone();
    let wcss = sums.wcss(metric, squares, &old);
    sums.means(metric, &mut centroids.values);
    let repaired = repair(metric, &mut sums.counts(), &mut centroids.values, dim);
    round.iteration += 1;
    let pairs = old
        .chunks_exact(dim)
        .zip(centroids.values.chunks_exact(dim));
    let merged = Merged {
        iteration: round.iteration,
        wcss,
        rows,
        repaired,
        changed: pairs.filter(|(old, new)| old != new).count(),
    };
    Ok((step, merged))
}

fn bad(path: &Path, reason: &str) -> ClusterError {
    ClusterError::File {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Init, MemoryVectors, Options, fit, row_keys};

    fn values(rows: usize, dim: usize, seed: u64) -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "a test")]
        let number = |i: usize| realsyn_record::uniform(seed, &i.to_string()) as f32 * 6.0 - 2.0;
        (0..rows * dim).map(number).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn shards_give_the_bytes_of_one_machine(
            seed in 0u64..1000,
            cuts in prop::collection::vec(1usize..399, 3),
            euclidean in any::<bool>(),
        ) {
            let (rows, dim, k) = (400, 5, 30);
            let metric = if euclidean { Metric::Euclidean } else { Metric::Spherical };
            let values = values(rows, dim, seed);
            let dir = tempfile::tempdir().unwrap();
            let mut cuts = cuts;
            cuts.extend([0, rows]);
            cuts.sort_unstable();
            cuts.dedup();
            let path = |name: String| dir.path().join(name);
            let shard = |from: usize, to: usize| MemoryVectors::new(values[from * dim..to * dim].to_vec(), dim);
            let mut parts = Vec::new();
            for window in cuts.windows(2) {
                let (from, to) = (window[0], window[1]);
                let vectors = shard(from, to);
                let part = path(format!("s{from}"));
                let shard = Shard { vectors: &vectors, model: None, jobs: 2 };
                write_seeds(&part, shard, &row_keys(from, to - from, seed), (k, metric, seed)).unwrap();
                parts.push(part);
            }
            parts.reverse();
            let (mut step, _) = merge(&parts, None).unwrap();
            let mut costs = Vec::new();
            for _ in 0..4 {
                let file = path("c.npy".to_owned());
                step.save(&file).unwrap();
                step = Step::load(&file).unwrap();
                let mut parts = Vec::new();
                for window in cuts.windows(2) {
                    let (from, to) = (window[0], window[1]);
                    let vectors = shard(from, to);
                    let part = path(format!("p{from}"));
                    write_sums(&part, Shard { vectors: &vectors, model: None, jobs: 1 }, &step).unwrap();
                    parts.push(part);
                }
                let (next, merged) = merge(&parts, Some(step)).unwrap();
                step = next;
                let merged = merged.unwrap();
                prop_assert_eq!(merged.rows, 400);
                costs.push((merged.iteration, merged.wcss.to_bits(), merged.repaired));
            }
            let options = Options { k, iterations: 4, metric, init: Init::Random, jobs: 1, checkpoint: None };
            let mut told = Vec::new();
            let whole = fit(&MemoryVectors::new(values.clone(), dim), &row_keys(0, rows, seed), &options, &mut |i| {
                told.push((i.iteration, i.wcss.to_bits(), i.repaired));
            }).unwrap();
            prop_assert_eq!(&step.centroids().values, &whole.values);
            prop_assert_eq!(costs, told);
        }
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let vectors = MemoryVectors::new(values(50, 3, 1), 3);
        let shard = Shard {
            vectors: &vectors,
            model: None,
            jobs: 1,
        };
        let keys = row_keys(0, 50, 0);
        let seeds = |name: &str, k: usize, metric| {
            write_seeds(&path(name), shard, &keys, (k, metric, 0)).unwrap();
            path(name)
        };
        let (a, b) = (
            seeds("a", 4, Metric::Spherical),
            seeds("b", 5, Metric::Spherical),
        );
        let many = seeds("many", 60, Metric::Spherical);
        let said = |parts: &[PathBuf], from| merge(parts, from).unwrap_err().to_string();
        assert!(said(&[a.clone(), b], None).contains("b: differs"));
        assert!(said(&[many], None).contains("60 clusters cannot be made of 50"));
        assert!(said(&[], None).contains("parts"));
        let step = || merge(std::slice::from_ref(&a), None).unwrap().0;
        assert!(said(std::slice::from_ref(&a), Some(step())).contains("seeds"));
        write_sums(&path("sums"), shard, &step()).unwrap();
        assert!(said(&[path("sums")], None).contains("--from"));
        let (moved, _) = merge(&[path("sums")], Some(step())).unwrap();
        assert!(said(&[path("sums")], Some(moved)).contains("other centroids"));
        // Without a range Euclidean sums cannot be shared.
        let plain = Centroids {
            metric: Metric::Euclidean,
            model: None,
            dim: 3,
            values: vec![1.0; 3],
        };
        plain.save(&path("plain.npy")).unwrap();
        assert!(
            Step::load(&path("plain.npy"))
                .unwrap_err()
                .to_string()
                .contains("range")
        );
        // A shard that was not asked for its range.
        let small = seeds("small", 2, Metric::Euclidean);
        let (step, _) = merge(&[small], None).unwrap();
        let large = MemoryVectors::new(vec![1e6; 6], 3);
        let large = Shard {
            vectors: &large,
            ..shard
        };
        assert!(
            write_sums(&path("p"), large, &step)
                .unwrap_err()
                .to_string()
                .contains("beyond the range")
        );
    }
}
