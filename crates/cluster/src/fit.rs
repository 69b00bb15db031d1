//! Lloyd's iterations.

use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use realsyn_vector::kernel::{Nearest, Rows};

use crate::assign::{Assigner, cluster_of, prepare};
use crate::seeding::{plus_plus, random};
use crate::sums::{Range, Sums};
use crate::{Centroids, ClusterError, Metric, Vectors};

/// Rows that a thread reads and assigns at a time. It sets the speed and nothing else.
pub const BLOCK_ROWS: usize = 512;

/// No cluster yet.
const NOWHERE: u32 = u32::MAX;

/// What to make.
#[derive(Debug, Clone)]
pub struct Options {
    /// The number of clusters.
    pub k: usize,
    /// The most iterations; they end early only when no row changes its cluster and no cluster is empty.
    pub iterations: usize,
    /// What "near" means.
    pub metric: Metric,
    /// Where the first centroids come from.
    pub init: Init,
    /// The number of threads. It changes no result.
    pub jobs: usize,
}

/// Where the first centroids come from.
#[derive(Debug, Clone)]
pub enum Init {
    /// The k rows of the smallest keys.
    Random,
    /// Rows drawn by k-means++, which reads all rows k − 1 times.
    PlusPlus,
    /// These, one after another in row-major order.
    Given(Vec<f32>),
}

/// What an iteration did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Iteration {
    /// Counted from 1.
    pub iteration: usize,
    /// The sum of the rows' squared distances to the nearest centroids, before these move. For the spherical metric rows
    /// and centroids are unit vectors, so a row adds 2 − 2·cosine.
    pub wcss: f64,
    /// The rows that changed their cluster; all of them in the first iteration.
    pub moved: usize,
    /// All rows.
    pub rows: usize,
    /// The empty clusters that were repaired.
    pub repaired: usize,
}

impl Iteration {
    /// The share of rows that changed their cluster.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn moved_share(&self) -> f64 {
        self.moved as f64 / self.rows as f64
    }
}

/// Clusters the rows of `vectors` and returns the centroids; `each` is told of every iteration.
///
/// `keys[i]` is the key of row i, a hash of the seed and the row's id: it alone decides which rows become seeds.
///
/// An iteration assigns each row to its nearest centroid (of several equally near ones the first) and moves each centroid
/// to the mean of its rows. A cluster that is left empty is repaired: in the order of their numbers, each empty cluster
/// takes half of the largest cluster (of several the first), as in Faiss: its centroid becomes a copy of the largest one's,
/// and the two are pushed apart by a factor of 1 ± 1/1024, with the sign alternating over the dimensions.
///
/// # Errors
/// There are fewer rows than clusters or more than 32 bits number, a number is not finite, or the given first centroids do
/// not fit.
///
/// # Panics
/// If there is not one key a row.
pub fn fit(
    vectors: &dyn Vectors,
    keys: &[f64],
    options: &Options,
    each: &mut dyn FnMut(&Iteration),
) -> Result<Centroids, ClusterError> {
    let (rows, dim, k, metric) = (vectors.rows(), vectors.dim(), options.k, options.metric);
    assert_eq!(keys.len(), rows, "one key a row");
    check(rows, dim, k)?;
    let jobs = options.jobs.max(1);
    let range = range(vectors, metric, jobs)?;
    let mut centroids = Centroids {
        metric,
        model: None,
        dim,
        values: first(vectors, keys, options)?,
    };
    let mut sums = Sums::new(k, dim, range);
    let mut clusters = vec![NOWHERE; rows];
    for iteration in 1..=options.iterations {
        sums.clear();
        let assigner = Assigner::packed(metric, &centroids.values, dim);
        let (whole, moved) = assign(vectors, &assigner, range, &sums, &mut clusters, jobs)?;
        sums.means(metric, &mut centroids.values);
        let repaired = repair(metric, &mut sums.counts(), &mut centroids.values, dim);
        each(&Iteration {
            iteration,
            wcss: range.cost(whole),
            moved,
            rows,
            repaired,
        });
        if moved == 0 && repaired == 0 {
            break;
        }
    }
    Ok(centroids)
}

fn check(rows: usize, dim: usize, k: usize) -> Result<(), ClusterError> {
    for (what, count) in [("the number of clusters", k), ("the dimension", dim)] {
        if count == 0 {
            return Err(ClusterError::Zero(what));
        }
    }
    for (what, count) in [("rows", rows), ("clusters", k)] {
        if count >= NOWHERE as usize {
            return Err(ClusterError::TooMany { what, count });
        }
    }
    if rows < k {
        Err(ClusterError::TooFewRows { k, rows })
    } else {
        Ok(())
    }
}

/// The range of the prepared rows' coordinates.
fn range(vectors: &dyn Vectors, metric: Metric, jobs: usize) -> Result<Range, ClusterError> {
    if metric == Metric::Spherical {
        return Ok(Range::UNIT);
    }
    let largest = Mutex::new(0.0f32);
    in_parallel(
        jobs,
        blocks(vectors.rows()),
        |(block, squares): &mut (Vec<f32>, Vec<f64>), (from, to)| {
            vectors.read(from, to, block);
            prepare(metric, block, vectors.dim(), from, squares)?;
            let here = block.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
            let mut largest = largest.lock().unwrap_or_else(PoisonError::into_inner);
            *largest = largest.max(here);
            Ok(())
        },
    )?;
    Ok(Range::of(
        largest.into_inner().unwrap_or_else(PoisonError::into_inner),
    ))
}

fn blocks(rows: usize) -> impl Iterator<Item = (usize, usize)> + Send {
    (0..rows)
        .step_by(BLOCK_ROWS)
        .map(move |from| (from, (from + BLOCK_ROWS).min(rows)))
}

/// The first centroids.
fn first(vectors: &dyn Vectors, keys: &[f64], options: &Options) -> Result<Vec<f32>, ClusterError> {
    let (dim, k, metric) = (vectors.dim(), options.k, options.metric);
    let chosen = match &options.init {
        Init::Random => random(keys, k),
        Init::PlusPlus => plus_plus(vectors, keys, k, metric, options.jobs.max(1))?,
        Init::Given(values) => {
            let mut values = values.clone();
            if values.len() != k * dim {
                return Err(ClusterError::InitCount {
                    k,
                    given: values.len() / dim,
                });
            }
            prepare(metric, &mut values, dim, 0, &mut Vec::new())?;
            return Ok(values);
        }
    };
    let (mut values, mut row, mut squares) = (Vec::with_capacity(k * dim), Vec::new(), Vec::new());
    for number in chosen {
        vectors.read(number, number + 1, &mut row);
        prepare(metric, &mut row, dim, number, &mut squares)?;
        values.extend_from_slice(&row);
    }
    Ok(values)
}

/// One thread's buffers.
#[derive(Default)]
struct Scratch {
    rows: Vec<f32>,
    squares: Vec<f64>,
    nearest: Vec<Nearest>,
}

/// Assigns all rows and adds them to their clusters' sums; returns the whole cost and the number of rows that moved.
fn assign(
    vectors: &dyn Vectors,
    assigner: &Assigner,
    range: Range,
    sums: &Sums,
    clusters: &mut [u32],
    jobs: usize,
) -> Result<(u128, usize), ClusterError> {
    let dim = vectors.dim();
    let total = Mutex::new((0u128, 0usize));
    // The score of a spherical centroid leaves out its squared length, which is 1.
    let offset = f64::from(u8::from(assigner.metric() == Metric::Spherical));
    in_parallel(
        jobs,
        clusters.chunks_mut(BLOCK_ROWS).enumerate(),
        |scratch: &mut Scratch, (block, clusters)| {
            let from = block * BLOCK_ROWS;
            vectors.read(from, from + clusters.len(), &mut scratch.rows);
            prepare(
                assigner.metric(),
                &mut scratch.rows,
                dim,
                from,
                &mut scratch.squares,
            )?;
            scratch.nearest.clear();
            scratch.nearest.resize(clusters.len(), Nearest::NONE);
            assigner.nearest(Rows::all(&scratch.rows, dim), &mut scratch.nearest);
            let (mut whole, mut moved) = (0u128, 0);
            let rows = scratch.rows.chunks_exact(dim).zip(&scratch.squares);
            for ((cluster, nearest), (row, square)) in
                clusters.iter_mut().zip(&scratch.nearest).zip(rows)
            {
                let now = cluster_of(nearest);
                moved += usize::from(now != *cluster);
                *cluster = now;
                sums.add(now, row);
                let cost = (square - 2.0 * f64::from(nearest.score) + offset).max(0.0);
                whole += u128::from(range.whole_cost(cost));
            }
            let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
            total.0 += whole;
            total.1 += moved;
            Ok(())
        },
    )?;
    Ok(total.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Gives every empty cluster half of the largest one; returns how many were empty.
fn repair(metric: Metric, counts: &mut [u64], centroids: &mut [f32], dim: usize) -> usize {
    let empty: Vec<usize> = (0..counts.len())
        .filter(|&cluster| counts[cluster] == 0)
        .collect();
    for &cluster in &empty {
        let largest = (0..counts.len())
            .rev()
            .max_by_key(|&other| counts[other])
            .unwrap_or(0);
        let copy = centroids[largest * dim..(largest + 1) * dim].to_vec();
        for (target, sign) in [(cluster, 1.0f32), (largest, -1.0)] {
            let target = &mut centroids[target * dim..(target + 1) * dim];
            for ((c, &x), turn) in target
                .iter_mut()
                .zip(&copy)
                .zip([sign, -sign].into_iter().cycle())
            {
                *c = x * (1.0 + turn / 1024.0);
            }
            // Finite numbers stay finite, so there is nothing to report.
            let _ = prepare(metric, target, dim, 0, &mut Vec::new());
        }
        counts[cluster] = counts[largest] / 2;
        counts[largest] -= counts[cluster];
    }
    empty.len()
}

/// Hands the items, in order, to `jobs` threads, each with buffers of its own. The error of the earliest item that fails
/// is returned, whatever the timing.
pub fn in_parallel<T: Send, S: Default>(
    jobs: usize,
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(&mut S, T) -> Result<(), ClusterError> + Sync,
) -> Result<(), ClusterError> {
    let items = Mutex::new(items.enumerate());
    let failed = AtomicBool::new(false);
    let errors = Mutex::new(Vec::new());
    let thread = || {
        let mut scratch = S::default();
        while !failed.load(Ordering::Relaxed) {
            let Some((number, item)) = items.lock().unwrap_or_else(PoisonError::into_inner).next()
            else {
                break;
            };
            if let Err(error) = work(&mut scratch, item) {
                // All earlier items are already with a thread, which finishes them.
                failed.store(true, Ordering::Relaxed);
                errors
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((number, error));
            }
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = iter::repeat_with(|| scope.spawn(thread))
            .take(jobs.saturating_sub(1))
            .collect();
        thread();
        drop(others);
    });
    let errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
    errors
        .into_iter()
        .min_by_key(|(number, _)| *number)
        .map_or(Ok(()), |(_, error)| Err(error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{MemoryVectors, row_keys};

    fn options(k: usize, metric: Metric, jobs: usize) -> Options {
        Options {
            k,
            iterations: 12,
            metric,
            init: Init::Random,
            jobs,
        }
    }

    /// `count` rows around `centres` well separated points, in 6 dimensions.
    fn clustered(count: u32, centres: u32, seed: u64) -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "a test")]
        let draw = |what: String| realsyn_record::uniform(seed, &what) as f32 * 2.0 - 1.0;
        (0..count)
            .flat_map(|row| {
                (0..6).map(move |i| {
                    draw(format!("c{}/{i}", row % centres)) + 0.1 * draw(format!("r{row}/{i}"))
                })
            })
            .collect()
    }

    fn run(
        vectors: &MemoryVectors,
        keys: &[f64],
        options: &Options,
    ) -> (Centroids, Vec<Iteration>) {
        let mut iterations = Vec::new();
        let centroids = fit(vectors, keys, options, &mut |i| iterations.push(*i)).unwrap();
        (centroids, iterations)
    }

    #[test]
    fn the_cost_falls_and_ends_at_the_planted_clusters() {
        for metric in [Metric::Spherical, Metric::Euclidean] {
            let vectors = MemoryVectors::new(clustered(1500, 5, 3), 6);
            // Rows 0 to 4 belong to different clusters.
            let seeds = clustered(5, 5, 3);
            let options = Options {
                init: Init::Given(seeds),
                iterations: 50,
                ..options(5, metric, 2)
            };
            let (_, iterations) = run(&vectors, &row_keys(1500, 4), &options);
            assert!(
                iterations
                    .windows(2)
                    .all(|w| w[1].wcss <= w[0].wcss * (1.0 + 1e-6)),
                "{iterations:?}"
            );
            let last = iterations.last().unwrap();
            assert_eq!((iterations[0].moved, last.moved), (1500, 0));
            assert!(last.wcss < 1500.0 * 0.05, "{iterations:?}");
        }
    }

    #[test]
    fn threads_change_nothing() {
        let vectors = MemoryVectors::new(clustered(3000, 40, 5), 6);
        for metric in [Metric::Spherical, Metric::Euclidean] {
            let one = run(&vectors, &row_keys(3000, 1), &options(32, metric, 1));
            for jobs in [2, 3, 8] {
                assert_eq!(
                    run(&vectors, &row_keys(3000, 1), &options(32, metric, jobs)),
                    one
                );
            }
        }
    }

    #[test]
    fn empty_clusters_are_repaired() {
        // Seeds that are all equal: all rows go to the first, the others must be filled.
        let values = clustered(400, 4, 8);
        let given = Options {
            init: Init::Given(values[..6].repeat(4)),
            iterations: 30,
            ..options(4, Metric::Spherical, 1)
        };
        let (centroids, iterations) =
            run(&MemoryVectors::new(values, 6), &row_keys(400, 0), &given);
        assert_eq!(iterations[0].repaired, 3);
        assert_eq!(iterations.last().unwrap().repaired, 0);
        for (i, a) in centroids.values.chunks(6).enumerate() {
            assert!(centroids.values.chunks(6).skip(i + 1).all(|b| a != b));
        }
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        let vectors = MemoryVectors::new(vec![1.0, f32::INFINITY, 0.0, 1.0], 2);
        let code = |k, metric, init| {
            let options = Options {
                init,
                ..options(k, metric, 1)
            };
            fit(&vectors, &[0.1, 0.2], &options, &mut |_| ())
                .unwrap_err()
                .code()
        };
        assert_eq!(code(3, Metric::Spherical, Init::Random), "too-few-rows");
        assert_eq!(code(0, Metric::Spherical, Init::Random), "zero");
        assert_eq!(code(1, Metric::Spherical, Init::Random), "not-finite");
        assert_eq!(code(1, Metric::Euclidean, Init::Random), "not-finite");
        assert_eq!(
            code(2, Metric::Spherical, Init::Given(vec![1.0; 2])),
            "init-count"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_order_of_rows_changes_nothing(seed in 0u64..1000, plus_plus in any::<bool>()) {
            let values = clustered(700, 9, seed);
            let keys = row_keys(700, seed);
            let init = if plus_plus { Init::PlusPlus } else { Init::Random };
            let options = Options { init, iterations: 4, ..options(7, Metric::Spherical, 2) };
            let backwards: Vec<f32> = values.chunks(6).rev().flatten().copied().collect();
            let reversed: Vec<f64> = keys.iter().rev().copied().collect();
            let a = run(&MemoryVectors::new(values, 6), &keys, &options);
            let b = run(&MemoryVectors::new(backwards, 6), &reversed, &options);
            prop_assert_eq!(a, b);
        }

        #[test]
        fn the_first_cost_is_that_of_brute_force(seed in 0u64..1000) {
            let values = clustered(300, 9, seed);
            let keys = row_keys(300, seed);
            let given = values[..5 * 6].to_vec();
            let options = Options { init: Init::Given(given.clone()), iterations: 1, ..options(5, Metric::Euclidean, 1) };
            let (_, iterations) = run(&MemoryVectors::new(values.clone(), 6), &keys, &options);
            let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>();
            let truth: f64 = values
                .chunks(6)
                .map(|row| given.chunks(6).map(|c| distance(row, c)).fold(f64::INFINITY, f64::min))
                .sum();
            prop_assert!((iterations[0].wcss - truth).abs() < 1e-3 * truth.max(1.0), "{} {}", iterations[0].wcss, truth);
        }
    }
}
