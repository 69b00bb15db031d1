//! Lloyd's iterations.

use crate::assign::prepare;
use crate::bounds::Motion;
use crate::checkpoint::{Checkpoint, Saved, Terms};
use crate::lloyd::{Lloyd, range};
use crate::repair::repair;
use crate::sealed::{bytes_of, hash};
use crate::search::{Engine, NOWHERE};
use crate::seeding::{plus_plus, random};
use crate::{Centroids, ClusterError, Metric, Vectors};

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
    /// Where to keep what a killed run goes on from, if it is to be kept. A run that goes on gives the same result, and tells
    /// of the former iterations again.
    pub checkpoint: Option<Checkpoint>,
}

/// Where the first centroids come from.
#[derive(Debug, Clone)]
pub enum Init {
    /// The k rows of the smallest keys.
    Random,
    /// Rows drawn by k-means++.
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
/// to the mean of its rows. A cluster that is left empty is given half of the largest one.
///
/// # Errors
/// There are fewer rows than clusters or more than 32 bits number, a number is not finite, the given first centroids do
/// not fit, or the checkpoint is of another run or cannot be written.
///
/// # Panics
/// If there is not one key a row.
pub fn fit(
    vectors: &dyn Vectors,
    keys: &[f64],
    options: &Options,
    each: &mut dyn FnMut(&Iteration),
) -> Result<Centroids, ClusterError> {
    fit_with(Engine::detect(), vectors, keys, options, each)
}

fn fit_with(
    engine: Engine,
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
    let mut lloyd = Lloyd::new(vectors, engine, (k, metric), range, jobs);
    let mut keeper = Keeper::open(options, keys, vectors)?;
    let mut values = match keeper.saved.take() {
        Some(saved) => {
            if saved.iterations.len() > options.iterations {
                return Err(keeper.too_far(saved.iterations.len()));
            }
            saved.iterations.iter().for_each(&mut *each);
            keeper.iterations = saved.iterations;
            lloyd.restore(saved.clusters)?;
            if hash(&lloyd.sums.bytes()) != saved.sums {
                return Err(keeper.other_rows());
            }
            saved.centroids
        }
        None => first(engine, vectors, keys, options)?,
    };
    let mut motion = Motion::unknown(k);
    let done = keeper.iterations.len();
    let rests = |iteration: &Iteration| iteration.moved == 0 && iteration.repaired == 0;
    if !keeper.iterations.last().is_some_and(rests) {
        for iteration in done + 1..=options.iterations {
            let (columns, moved) = lloyd.pass(&values, &motion)?;
            let wcss = lloyd.sums.wcss(metric, lloyd.squares, &values);
            lloyd.sums.means(metric, &mut values);
            let repaired = repair(metric, &mut lloyd.sums.counts(), &mut values, dim);
            motion = Motion::between(&columns, &values);
            let told = Iteration {
                iteration,
                wcss,
                moved,
                rows,
                repaired,
            };
            each(&told);
            keeper.keep(told, &values, &mut lloyd)?;
            if rests(&told) {
                break;
            }
        }
    }
    Ok(Centroids {
        metric,
        model: None,
        dim,
        values,
    })
}

/// The checkpoint, if one is asked for.
struct Keeper<'a> {
    checkpoint: Option<(&'a Checkpoint, Terms)>,
    saved: Option<Saved>,
    iterations: Vec<Iteration>,
}

impl<'a> Keeper<'a> {
    fn open(
        options: &'a Options,
        keys: &[f64],
        vectors: &dyn Vectors,
    ) -> Result<Self, ClusterError> {
        let checkpoint = options.checkpoint.as_ref().map(|checkpoint| {
            let keys: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
            let terms = Terms {
                k: options.k,
                rows: vectors.rows(),
                dim: vectors.dim(),
                metric: options.metric,
                init: match &options.init {
                    Init::Random => "random".to_owned(),
                    Init::PlusPlus => "kmeans++".to_owned(),
                    Init::Given(values) => hash(&bytes_of(values)),
                },
                keys: hash(&keys),
            };
            (checkpoint, terms)
        });
        let saved = match &checkpoint {
            Some((checkpoint, terms)) => checkpoint.load(terms)?,
            None => None,
        };
        Ok(Self {
            checkpoint,
            saved,
            iterations: Vec::new(),
        })
    }

    fn keep(
        &mut self,
        iteration: Iteration,
        centroids: &[f32],
        lloyd: &mut Lloyd<'_>,
    ) -> Result<(), ClusterError> {
        let Some((checkpoint, terms)) = &self.checkpoint else {
            return Ok(());
        };
        self.iterations.push(iteration);
        let saved = Saved {
            iterations: std::mem::take(&mut self.iterations),
            centroids: centroids.to_vec(),
            clusters: std::mem::take(&mut lloyd.clusters),
            sums: hash(&lloyd.sums.bytes()),
        };
        let written = checkpoint.save(terms, &saved);
        self.iterations = saved.iterations;
        lloyd.clusters = saved.clusters;
        written
    }

    fn other_rows(&self) -> ClusterError {
        self.error("of other vectors; remove it to begin anew".to_owned())
    }

    fn too_far(&self, done: usize) -> ClusterError {
        self.error(format!("after {done} iterations, more than are asked for"))
    }

    fn error(&self, reason: String) -> ClusterError {
        let path = self.checkpoint.as_ref();
        ClusterError::File {
            path: path
                .map(|(checkpoint, _)| checkpoint.path.clone())
                .unwrap_or_default(),
            reason,
        }
    }
}

/// Whether so many rows can be made into so many clusters.
pub fn check(rows: usize, dim: usize, k: usize) -> Result<(), ClusterError> {
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

/// The first centroids.
fn first(
    engine: Engine,
    vectors: &dyn Vectors,
    keys: &[f64],
    options: &Options,
) -> Result<Vec<f32>, ClusterError> {
    let (dim, k, metric) = (vectors.dim(), options.k, options.metric);
    let chosen = match &options.init {
        Init::Random => random(keys, k),
        Init::PlusPlus => plus_plus(engine, vectors, keys, (k, metric), options.jobs.max(1))?,
        Init::Given(values) => {
            let mut values = values.clone();
            if values.len() != k * dim {
                return Err(ClusterError::InitCount {
                    k,
                    given: values.len() / dim,
                });
            }
            prepare_all(metric, &mut values, dim)?;
            return Ok(values);
        }
    };
    rows_of(vectors, metric, &chosen)
}

/// Makes centroids that come from elsewhere ready for the metric.
pub fn prepare_all(metric: Metric, values: &mut [f32], dim: usize) -> Result<(), ClusterError> {
    prepare(
        Engine::detect().kernel,
        metric,
        values,
        dim,
        &mut Vec::new(),
    )
    .map_err(|row| ClusterError::NotFinite { row })
}

/// The rows of the given numbers, prepared.
pub fn rows_of(
    vectors: &dyn Vectors,
    metric: Metric,
    numbers: &[usize],
) -> Result<Vec<f32>, ClusterError> {
    let dim = vectors.dim();
    let mut values = vec![0.0; numbers.len() * dim];
    for (row, &number) in values.chunks_exact_mut(dim).zip(numbers) {
        vectors.read(number, row);
        prepare_all(metric, row, dim).map_err(|_| ClusterError::NotFinite { row: number })?;
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
