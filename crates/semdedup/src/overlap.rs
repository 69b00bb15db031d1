//! Which clusters must be compared with which.
//!
//! Each vector is at home with the centre c of the largest inner product. Let x be at home with a, y with b, and their
//! cosine distance be below β. Then x·(a−b) ≥ 0 ≥ y·(a−b), and x·(a−b) − y·(a−b) ≤ |x−y|·|a−b| < √(2β)·|a−b|: one of the
//! two *margins* is below √(β/2)·|a−b|. So whoever compares each x with all of the clusters b where
//! x·a − x·b ≤ √(β/2)·|a−b| misses no pair ([`Overlap::Exact`]).
//!
//! Few pairs need that much: what parts two near vectors seldom points from one centre straight at another. For
//! [`Overlap::Recall`] a sample of vectors is compared with all others; half of it sets what share of the bound is
//! enough, the other half judges it.
//!
//! Memory: the centres twice, 4 bytes a number. Order: everything here depends on the set of vectors and the centres.

use realsyn_vector::kernel::{Kernel, LANES, Nearest, Panels, Rows, inner};

use crate::parallel::fill;
use crate::store::Store;

/// Vectors that find their homes at a time.
const BLOCK: usize = 512;

/// How many of the pairs must be found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Overlap {
    /// All: the bound above.
    Exact,
    /// At least this share, 0 to 1, as far as a sample can say.
    Recall(f64),
}

/// Unit vectors that part the vectors into clusters.
#[derive(Debug)]
pub struct Centres {
    values: Vec<f32>,
    dim: usize,
    panels: Panels,
    kernel: Kernel,
}

impl Centres {
    /// Centres in row-major order; each is scaled to unit length.
    ///
    /// # Panics
    /// If `values` is not a whole number of centres.
    #[must_use]
    pub fn new(mut values: Vec<f32>, dim: usize) -> Self {
        for centre in values.chunks_exact_mut(dim) {
            let norm = crate::exact::dot(centre, centre).sqrt();
            if norm > 0.0 && norm.is_finite() {
                for x in centre {
                    #[expect(clippy::cast_possible_truncation, reason = "rounded once")]
                    let unit = (f64::from(*x) / norm) as f32;
                    *x = unit;
                }
            }
        }
        Self {
            panels: Panels::pack(&values, dim),
            values,
            dim,
            kernel: Kernel::detect(),
        }
    }

    /// The number of centres.
    #[must_use]
    pub fn k(&self) -> usize {
        self.values.len() / self.dim
    }

    /// The number of dimensions.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    fn centre(&self, cluster: usize) -> &[f32] {
        &self.values[cluster * self.dim..(cluster + 1) * self.dim]
    }

    /// The home of each node.
    pub(crate) fn homes(&self, store: &Store, jobs: usize) -> Vec<u32> {
        #[derive(Default)]
        struct Scratch {
            unit: Vec<f32>,
            rows: Vec<f32>,
            nearest: Vec<Nearest>,
        }
        let mut homes = vec![0u32; store.distinct()];
        fill(
            jobs,
            &mut homes,
            BLOCK,
            |scratch: &mut Scratch, block, homes| {
                scratch.rows.clear();
                for at in 0..homes.len() {
                    store.unit(crate::store::number(block * BLOCK + at), &mut scratch.unit);
                    scratch.rows.extend_from_slice(&scratch.unit);
                }
                scratch.nearest.clear();
                scratch.nearest.resize(homes.len(), Nearest::NONE);
                let rows = Rows::all(&scratch.rows, self.dim);
                self.kernel
                    .nearest(rows, &self.panels, 0, &mut scratch.nearest);
                for (home, nearest) in homes.iter_mut().zip(&scratch.nearest) {
                    *home = nearest.index;
                }
            },
        );
        homes
    }

    /// Replaces `out` by the inner products of unit vectors (row-major) with all centres, one row after the other.
    pub(crate) fn scores(&self, rows: &[f32], out: &mut Vec<f32>) {
        out.clear();
        out.resize(rows.len() / self.dim * self.k(), 0.0);
        self.kernel
            .scores(Rows::all(rows, self.dim), self.panels.view(), out);
    }

    /// The distance between two centres. Not from their inner product, which says little of centres that nearly meet.
    fn apart(&self, one: usize, other: usize) -> f64 {
        let pairs = self.centre(one).iter().zip(self.centre(other));
        let mut sums = [0.0f64; LANES];
        for (at, (&x, &y)) in pairs.enumerate() {
            let difference = f64::from(x) - f64::from(y);
            sums[at % LANES] += difference * difference;
        }
        sums.iter().sum::<f64>().sqrt()
    }

    /// Replaces `out` by the largest margin towards each cluster at which a vector at home in `home` is compared with it.
    /// `reach` is √(β/2), or less of it.
    pub(crate) fn limits(&self, home: usize, reach: f64, out: &mut Vec<f32>) {
        out.clear();
        out.extend((0..self.k()).map(|other| {
            #[expect(clippy::cast_possible_truncation, reason = "the slack is larger")]
            let limit = (reach * self.apart(home, other) + self.slack()) as f32;
            limit
        }));
    }

    /// More than a margin in single precision may be off: two sums of `dim` products of unit vectors.
    fn slack(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "dimensions are few")]
        let dim = self.dim as f64;
        4.0 * (dim + 8.0) / f64::from(1u32 << 24)
    }

    /// The reach at which a pair of unit vectors in two clusters is compared.
    pub(crate) fn needs(&self, (x, a): (&[f32], usize), (y, b): (&[f32], usize)) -> f64 {
        if a == b {
            return 0.0;
        }
        let margin = |row: &[f32], home: usize, other: usize| {
            f64::from(inner(row, self.centre(home)) - inner(row, self.centre(other)))
        };
        let least = margin(x, a, b).min(margin(y, b, a)) - self.slack();
        let apart = self.apart(a, b);
        if least <= 0.0 || apart <= 0.0 {
            0.0
        } else {
            least / apart
        }
    }
}

/// A pair that the sample found.
#[derive(Debug, Clone, Copy)]
pub struct Sampled {
    /// Its cosine distance.
    pub distance: f64,
    /// The reach at which it is compared.
    pub needs: f64,
    /// Whether it judges; the others set the reach.
    pub judges: bool,
}

/// The reach at which `share` of the pairs that set it are compared, between an eighth of `exact` and all of it; a
/// quarter of `exact` when the sample holds no pairs.
pub fn reach(pairs: &[Sampled], share: f64, exact: f64) -> f64 {
    let mut needs: Vec<f64> = pairs
        .iter()
        .filter(|pair| !pair.judges)
        .map(|pair| pair.needs)
        .collect();
    if needs.is_empty() {
        return exact / 4.0;
    }
    needs.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank"
    )]
    let rank = (share * needs.len() as f64).ceil() as usize;
    let reach = needs[rank.clamp(1, needs.len()) - 1];
    // A hair more, so that rounding does not leave out the very pair that set it.
    (reach * (1.0 + 1e-6)).clamp(exact / 8.0, exact)
}
