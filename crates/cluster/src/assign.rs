//! The nearest centroid of each row.

use realsyn_vector::kernel::Kernel;

use crate::parallel::BATCH_ROWS;
use crate::search::{Columns, Engine, Found, NOWHERE, Scratch, Start};
use crate::{Centroids, ClusterError, Metric};

/// One row's cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assigned {
    /// The cluster, counted from 0; of several equally near ones the first.
    pub cluster: u32,
    /// The cosine of row and centroid, for either metric.
    pub sim: f32,
}

/// Finds the nearest centroids of rows, exactly.
///
/// Memory: the centroids in single precision and as bytes, about 5·k·d bytes; share one among threads.
#[derive(Debug)]
pub struct Assigner {
    columns: Columns,
}

impl Assigner {
    /// Packs the centroids.
    ///
    /// # Errors
    /// There is no centroid, or more than 32 bits number.
    pub fn new(centroids: &Centroids) -> Result<Self, ClusterError> {
        Self::with(Engine::detect(), centroids)
    }

    fn with(engine: Engine, centroids: &Centroids) -> Result<Self, ClusterError> {
        let k = centroids.k();
        if k == 0 {
            return Err(ClusterError::Zero("the number of centroids"));
        }
        let order = u32::try_from(k).ok().filter(|&k| k < NOWHERE);
        let order = order.ok_or(ClusterError::TooMany {
            what: "centroids",
            count: k,
        })?;
        let (metric, values) = (centroids.metric, &centroids.values);
        let order = (0..order).collect();
        Ok(Self {
            columns: Columns::pack(engine, metric, values, centroids.dim, order),
        })
    }

    /// The number of dimensions that rows must have.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.columns.dim()
    }

    /// Finds the clusters of `rows`, which are in row-major order and are scaled to unit length in place if the metric is
    /// spherical. The answer of a row depends on that row alone.
    ///
    /// # Errors
    /// A number is not finite; the error's row counts from the first of `rows`.
    pub fn assign(&self, rows: &mut [f32], out: &mut Vec<Assigned>) -> Result<(), ClusterError> {
        let (dim, metric) = (self.dim(), self.columns.metric());
        let (mut squares, mut found) = (Vec::new(), Vec::new());
        let mut scratch = Scratch::default();
        let start = Start {
            cluster: NOWHERE,
            score: f64::NEG_INFINITY,
            panels: self.columns.panels(),
        };
        out.clear();
        for (batch, rows) in rows.chunks_mut(BATCH_ROWS * dim).enumerate() {
            prepare(self.columns.kernel(), metric, rows, dim, &mut squares).map_err(|row| {
                ClusterError::NotFinite {
                    row: batch * BATCH_ROWS + row,
                }
            })?;
            let starts = vec![start; squares.len()];
            self.columns
                .search(rows, &squares, &starts, &mut scratch, &mut found);
            out.extend(found.iter().zip(&squares).map(|(found, &square)| Assigned {
                cluster: found.cluster,
                sim: self.sim(found, square),
            }));
        }
        Ok(())
    }

    /// The cosine of a row and its centroid; 0 if one of them has no length.
    fn sim(&self, found: &Found, square: f64) -> f32 {
        let centroid = self.columns.squares()[found.cluster as usize];
        let product = match self.columns.metric() {
            Metric::Spherical => found.score,
            Metric::Euclidean => {
                let lengths = (square * centroid).sqrt();
                if lengths > 0.0 {
                    (found.score + 0.5 * centroid) / lengths
                } else {
                    0.0
                }
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "a cosine")]
        let sim = product.clamp(-1.0, 1.0) as f32;
        sim
    }
}

/// Makes rows ready for the metric: replaces `squares` by each row's squared length, after it was scaled to unit length
/// if the metric is spherical. A row of zeros stays as it is.
///
/// # Errors
/// A number of the row that is returned is not finite.
pub fn prepare(
    kernel: Kernel,
    metric: Metric,
    rows: &mut [f32],
    dim: usize,
    squares: &mut Vec<f64>,
) -> Result<(), usize> {
    squares.clear();
    for (number, row) in rows.chunks_exact_mut(dim).enumerate() {
        let square = kernel.product(row, row);
        if !square.is_finite() {
            return Err(number);
        }
        squares.push(match metric {
            Metric::Spherical if square > 0.0 => {
                kernel.scale(row, 1.0 / square.sqrt());
                1.0
            }
            _ => square,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use realsyn_vector::kernel::Coarse;

    use super::*;

    fn centroids(metric: Metric, dim: usize, mut values: Vec<f32>) -> Centroids {
        prepare(Kernel::Portable, metric, &mut values, dim, &mut Vec::new()).unwrap();
        Centroids {
            metric,
            model: None,
            dim,
            values,
        }
    }

    #[test]
    fn the_cosine_is_given_for_both_metrics() {
        for metric in [Metric::Spherical, Metric::Euclidean] {
            let assigner = Assigner::new(&centroids(metric, 2, vec![1.0, 0.0, 0.0, 2.0])).unwrap();
            let mut out = Vec::new();
            assigner
                .assign(&mut [0.3, 0.4, 3.0, 0.0, 0.0, 0.0], &mut out)
                .unwrap();
            let clusters: Vec<u32> = out.iter().map(|a| a.cluster).collect();
            let sims: Vec<f32> = out.iter().map(|a| a.sim).collect();
            let (first, cosine) = match metric {
                Metric::Spherical => (1, 0.8),
                Metric::Euclidean => (0, 0.6),
            };
            assert_eq!(clusters, [first, 0, 0]);
            assert!((sims[0] - cosine).abs() < 1e-6 && (sims[1] - 1.0).abs() < 1e-6);
            assert!(sims[2].abs() < 1e-6);
        }
    }

    #[test]
    fn numbers_that_are_not_finite_are_found() {
        let assigner = Assigner::new(&centroids(Metric::Spherical, 1, vec![1.0])).unwrap();
        let mut rows = vec![1.0; 700];
        rows[600] = f32::NAN;
        let error = assigner.assign(&mut rows, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, ClusterError::NotFinite { row: 600 }));
    }

    /// The nearest centroid by definition.
    fn plain(metric: Metric, row: &[f32], centroids: &Centroids) -> u32 {
        let product = |a: &[f32], b: &[f32]| Kernel::Portable.product(a, b);
        let scores = centroids
            .values
            .chunks_exact(row.len())
            .map(|c| match metric {
                Metric::Spherical => product(row, c),
                Metric::Euclidean => product(row, c) - 0.5 * product(c, c),
            });
        let mut best = (0, f64::NEG_INFINITY);
        for (cluster, score) in (0u32..).zip(scores) {
            if score > best.1 {
                best = (cluster, score);
            }
        }
        best.0
    }

    fn numbers(count: usize) -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(
            prop_oneof![8 => -1.0f32..1.0, 1 => Just(0.0f32), 1 => 3.0f32..4.0],
            count,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_way_finds_the_nearest(
            (dim, rows, columns) in (1usize..50, 1usize..150, 1usize..40).prop_flat_map(|(m, k, dim)| {
                (Just(dim), numbers(m * dim), numbers(k * dim))
            }),
            twins in any::<bool>(),
            apart in prop_oneof![Just(0.0f32), Just(100.0)],
        ) {
            let (mut rows, mut columns) = (rows, columns);
            if twins {
                // Ties: equal centroids far apart, and rows that are centroids.
                let half = columns.len() / dim / 2 * dim;
                let (low, high) = columns.split_at_mut(half);
                high[..half].copy_from_slice(low);
                let length = rows.len().min(columns.len()) / 2 / dim * dim;
                rows[..length].copy_from_slice(&columns[..length]);
            }
            // All vectors lean to one side.
            rows.iter_mut().chain(&mut columns).for_each(|x| *x += apart);
            for metric in [Metric::Spherical, Metric::Euclidean] {
                let centroids = centroids(metric, dim, columns.clone());
                let mut prepared = rows.clone();
                prepare(Kernel::Portable, metric, &mut prepared, dim, &mut Vec::new()).unwrap();
                let truth: Vec<u32> = prepared.chunks_exact(dim).map(|row| plain(metric, row, &centroids)).collect();
                for kernel in Kernel::available() {
                    for way in Coarse::available() {
                        let assigner = Assigner::with(Engine { kernel, way }, &centroids).unwrap();
                        let mut out = Vec::new();
                        assigner.assign(&mut rows.clone(), &mut out).unwrap();
                        let here: Vec<u32> = out.iter().map(|a| a.cluster).collect();
                        prop_assert_eq!(&here, &truth, "{:?} {:?} {:?}", metric, kernel, way);
                    }
                }
            }
        }
    }

    #[test]
    fn long_rows_are_searched_without_the_coarse_look() {
        let dim = realsyn_vector::kernel::MOST_DIMS + 1;
        let mut values = vec![0.0; 3 * dim];
        for (at, row) in [2, 0, 1].into_iter().enumerate() {
            values[at * dim + row] = 1.0;
        }
        let assigner = Assigner::new(&centroids(Metric::Spherical, dim, values.clone())).unwrap();
        let mut out = Vec::new();
        assigner.assign(&mut values, &mut out).unwrap();
        let clusters: Vec<u32> = out.iter().map(|a| a.cluster).collect();
        assert_eq!(clusters, [0, 1, 2]);
    }
}
