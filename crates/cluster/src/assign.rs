//! The nearest centroid of each row.

use realsyn_vector::kernel::{Kernel, Nearest, Panels, Rows, inner};

use crate::{Centroids, ClusterError, Metric};

/// One row's cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assigned {
    /// The cluster, counted from 0; of several equally near ones the first.
    pub cluster: u32,
    /// The cosine of row and centroid, for either metric.
    pub sim: f32,
}

/// Finds the nearest centroids of rows.
///
/// Memory: the packed centroids, 4·k·d bytes; share one among threads.
#[derive(Debug)]
pub struct Assigner {
    kernel: Kernel,
    metric: Metric,
    panels: Panels,
    /// −‖c‖²/2 for the Euclidean metric, else 0.
    bias: Vec<f32>,
}

impl Assigner {
    /// Packs the centroids.
    ///
    /// # Errors
    /// There is no centroid, or more than 32 bits number.
    pub fn new(centroids: &Centroids) -> Result<Self, ClusterError> {
        let k = centroids.k();
        if k == 0 {
            return Err(ClusterError::Zero("the number of centroids"));
        }
        if u32::try_from(k).is_err() {
            return Err(ClusterError::TooMany {
                what: "centroids",
                count: k,
            });
        }
        Ok(Self::packed(
            centroids.metric,
            &centroids.values,
            centroids.dim,
        ))
    }

    pub(crate) fn packed(metric: Metric, values: &[f32], dim: usize) -> Self {
        let bias = match metric {
            Metric::Spherical => vec![0.0; values.len() / dim],
            Metric::Euclidean => values
                .chunks_exact(dim)
                .map(|c| -0.5 * inner(c, c))
                .collect(),
        };
        Self {
            kernel: Kernel::detect(),
            metric,
            panels: Panels::pack_biased(values, dim, &bias),
            bias,
        }
    }

    /// The number of dimensions that rows must have.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.panels.dim()
    }

    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    /// Finds the clusters of `rows`, which are in row-major order and are scaled to unit length in place if the metric is
    /// spherical. The answer of a row depends on that row alone.
    ///
    /// # Errors
    /// A number is not finite; the error's row counts from the first of `rows`.
    pub fn assign(&self, rows: &mut [f32], out: &mut Vec<Assigned>) -> Result<(), ClusterError> {
        let dim = self.dim();
        let mut squares = Vec::new();
        prepare(self.metric, rows, dim, 0, &mut squares)?;
        let mut nearest = vec![Nearest::NONE; squares.len()];
        self.nearest(Rows::all(rows, dim), &mut nearest);
        out.clear();
        out.extend(nearest.iter().zip(&squares).map(|(nearest, &square)| {
            let bias = self
                .bias
                .get(nearest.index as usize)
                .copied()
                .unwrap_or(0.0);
            let sim = match self.metric {
                Metric::Spherical => nearest.score,
                #[expect(clippy::cast_possible_truncation, reason = "a cosine")]
                Metric::Euclidean => {
                    let norms = (square * -2.0 * f64::from(bias)).sqrt();
                    if norms > 0.0 {
                        (f64::from(nearest.score - bias) / norms) as f32
                    } else {
                        0.0
                    }
                }
            };
            Assigned {
                cluster: cluster_of(nearest),
                sim: sim.clamp(-1.0, 1.0),
            }
        }));
        Ok(())
    }

    /// Joins the nearest centroids of prepared rows into `best`.
    pub(crate) fn nearest(&self, rows: Rows<'_>, best: &mut [Nearest]) {
        self.kernel.nearest(rows, &self.panels, 0, best);
    }
}

/// The nearest centroid's number; 0 where all scores overflow, so that none is nearest.
pub fn cluster_of(nearest: &Nearest) -> u32 {
    if nearest.index == u32::MAX {
        0
    } else {
        nearest.index
    }
}

/// Makes rows ready for the metric: replaces `squares` by each row's squared length, after it was scaled to unit length
/// if the metric is spherical. A row of zeros stays as it is.
///
/// # Errors
/// A number is not finite; `first` is the number of the first row.
pub fn prepare(
    metric: Metric,
    rows: &mut [f32],
    dim: usize,
    first: usize,
    squares: &mut Vec<f64>,
) -> Result<(), ClusterError> {
    squares.clear();
    for (number, row) in rows.chunks_exact_mut(dim).enumerate() {
        let square = square(row);
        if !square.is_finite() {
            return Err(ClusterError::NotFinite {
                row: first + number,
            });
        }
        squares.push(match metric {
            Metric::Spherical if square > 0.0 => {
                let scale = 1.0 / square.sqrt();
                for x in row.iter_mut() {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "rounded once to single precision"
                    )]
                    let scaled = (f64::from(*x) * scale) as f32;
                    *x = scaled;
                }
                1.0
            }
            _ => square,
        });
    }
    Ok(())
}

/// The squared length, in 8 interleaved sums so that it does not wait for each addition.
fn square(row: &[f32]) -> f64 {
    let (blocks, rest) = row.as_chunks::<8>();
    let mut sums = [0.0f64; 8];
    for block in blocks {
        for (sum, &x) in sums.iter_mut().zip(block) {
            *sum += f64::from(x) * f64::from(x);
        }
    }
    rest.iter().fold(sums.iter().sum(), |sum, &x| {
        sum + f64::from(x) * f64::from(x)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_is_given_for_both_metrics() {
        let values = vec![1.0, 0.0, 0.0, 2.0];
        for metric in [Metric::Spherical, Metric::Euclidean] {
            let values = if metric == Metric::Spherical {
                vec![1.0, 0.0, 0.0, 1.0]
            } else {
                values.clone()
            };
            let assigner = Assigner::new(&Centroids {
                metric,
                model: None,
                dim: 2,
                values,
            })
            .unwrap();
            let mut out = Vec::new();
            assigner
                .assign(&mut [0.3, 0.4, 3.0, 0.0], &mut out)
                .unwrap();
            let clusters: Vec<u32> = out.iter().map(|a| a.cluster).collect();
            assert_eq!(
                clusters,
                if metric == Metric::Spherical {
                    [1, 0]
                } else {
                    [0, 0]
                }
            );
            assert!(
                (out[0].sim
                    - if metric == Metric::Spherical {
                        0.8
                    } else {
                        0.6
                    })
                .abs()
                    < 1e-6
            );
            assert!((out[1].sim - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn numbers_that_are_not_finite_are_found() {
        let centroids = Centroids {
            metric: Metric::Spherical,
            model: None,
            dim: 1,
            values: vec![1.0],
        };
        let error = Assigner::new(&centroids)
            .unwrap()
            .assign(&mut [1.0, f32::NAN], &mut Vec::new())
            .unwrap_err();
        assert!(matches!(error, ClusterError::NotFinite { row: 1 }));
    }
}
