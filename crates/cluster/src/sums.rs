//! Sums of rows as whole numbers: any order of addition gives the same bits.
//!
//! Coordinates are scaled by a power of two so that the largest becomes at most 2³⁰, cut to whole numbers and added in 64
//! bits: 2³³ rows cannot overflow. What is cut off is below 2⁻³⁰ of the range, far below single precision's step.
//!
//! Since they are exact, a row that changes its cluster is taken from one sum and added to the other, and the sums of parts
//! of the rows are added up to the sums of all.
//!
//! Memory: 8·k·d bytes, whatever the number of threads. Threads share the sums behind one lock for [`STRIPE`] clusters.

use std::sync::{Mutex, PoisonError};

use realsyn_vector::kernel::Kernel;

use crate::Metric;

/// Clusters behind one lock.
const STRIPE: usize = 16;

/// The scaled coordinates' largest magnitude, as a power of two.
const BITS: i32 = 30;

/// The fraction bits of a row's cost.
const COST_BITS: i32 = 40;

/// The power of two that bounds the coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    exponent: i32,
}

impl Range {
    /// Unit vectors: all coordinates within ±1.
    pub const UNIT: Self = Self { exponent: 0 };

    /// The smallest power of two that is at least `largest`.
    pub fn of(largest: f32) -> Self {
        let mut exponent = -148;
        while exponent < 128 && 2f64.powi(exponent) < f64::from(largest) {
            exponent += 1;
        }
        Self { exponent }
    }

    /// The power of two.
    pub fn exponent(self) -> i32 {
        self.exponent
    }

    /// The range of a power of two that was told by [`Self::exponent`].
    pub fn from_exponent(exponent: i32) -> Option<Self> {
        (-148..=128)
            .contains(&exponent)
            .then_some(Self { exponent })
    }

    /// Whether all of the other range is within this one.
    pub fn contains(self, other: Self) -> bool {
        other.exponent <= self.exponent
    }

    /// What a coordinate is multiplied by. A range below 2⁻⁹⁰ is not magnified further: single precision ends there.
    fn scale(self) -> f32 {
        2f32.powi((BITS - self.exponent).min(120))
    }

    /// A squared distance as a whole number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates; costs are positive"
    )]
    pub fn whole_cost(self, cost: f64) -> u64 {
        (cost * 2f64.powi(COST_BITS - 2 * self.exponent)) as u64
    }

    /// A sum of whole costs as a squared distance.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits are enough for a figure"
    )]
    pub fn cost(self, whole: u128) -> f64 {
        whole as f64 * 2f64.powi(2 * self.exponent - COST_BITS)
    }
}

/// The sums and sizes of all clusters.
pub struct Sums {
    stripes: Vec<Mutex<Stripe>>,
    dim: usize,
    k: usize,
    range: Range,
    kernel: Kernel,
}

struct Stripe {
    sums: Vec<i64>,
    counts: [u64; STRIPE],
}

impl Sums {
    /// All zero.
    pub fn new(k: usize, dim: usize, range: Range) -> Self {
        let stripe = |first: usize| Stripe {
            sums: vec![0; STRIPE.min(k - first) * dim],
            counts: [0; STRIPE],
        };
        Self {
            stripes: (0..k)
                .step_by(STRIPE)
                .map(|first| Mutex::new(stripe(first)))
                .collect(),
            dim,
            k,
            range,
            kernel: Kernel::detect(),
        }
    }

    /// Adds one row to a cluster.
    pub fn add(&self, cluster: u32, row: &[f32]) {
        self.change(cluster, row, false);
    }

    /// Takes one row, which was added before, from a cluster.
    pub fn remove(&self, cluster: u32, row: &[f32]) {
        self.change(cluster, row, true);
    }

    fn change(&self, cluster: u32, row: &[f32], take: bool) {
        let (stripe, within) = (cluster as usize / STRIPE, cluster as usize % STRIPE);
        let mut stripe = self.stripes[stripe]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = &mut stripe.counts[within];
        *count = if take { *count - 1 } else { *count + 1 };
        let sums = &mut stripe.sums[within * self.dim..(within + 1) * self.dim];
        self.kernel.accumulate(sums, row, self.range.scale(), take);
    }

    /// The sums cluster by cluster, then the sizes, as little-endian numbers of 64 bits.
    pub fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 * self.k * (self.dim + 1));
        for stripe in &mut self.stripes {
            let stripe = stripe.get_mut().unwrap_or_else(PoisonError::into_inner);
            bytes.extend(stripe.sums.iter().flat_map(|sum| sum.to_le_bytes()));
        }
        bytes.extend(self.counts().iter().flat_map(|count| count.to_le_bytes()));
        bytes
    }

    /// Adds what [`Self::bytes`] told of other sums; `false`, and no change, if they are not of the same shape.
    #[must_use]
    pub fn merge(&mut self, bytes: &[u8]) -> bool {
        let (numbers, rest) = bytes.as_chunks::<8>();
        if numbers.len() != self.k * (self.dim + 1) || !rest.is_empty() {
            return false;
        }
        let (sums, counts) = numbers.split_at(self.k * self.dim);
        let size = STRIPE * self.dim;
        for ((stripe, sums), counts) in self
            .stripes
            .iter_mut()
            .zip(sums.chunks(size))
            .zip(counts.chunks(STRIPE))
        {
            let stripe = stripe.get_mut().unwrap_or_else(PoisonError::into_inner);
            for (sum, &more) in stripe.sums.iter_mut().zip(sums) {
                *sum = sum.wrapping_add(i64::from_le_bytes(more));
            }
            for (count, &more) in stripe.counts.iter_mut().zip(counts) {
                *count = count.wrapping_add(u64::from_le_bytes(more));
            }
        }
        true
    }

    /// The sum of all rows' squared distances to their clusters' centroids, given the whole sum of their squared lengths:
    /// Σ‖x‖² − 2·Σ⟨x, c⟩ + Σ‖c‖², where ‖c‖ is taken to be 1 for the spherical metric.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits are enough for a figure"
    )]
    pub fn wcss(&mut self, metric: Metric, squares: u128, centroids: &[f32]) -> f64 {
        let unscale = 1.0 / f64::from(self.range.scale());
        let (mut products, mut lengths) = (0.0, 0.0);
        for (stripe, centroids) in self
            .stripes
            .iter_mut()
            .zip(centroids.chunks(STRIPE * self.dim))
        {
            let stripe = stripe.get_mut().unwrap_or_else(PoisonError::into_inner);
            let sums = stripe.sums.chunks_exact(self.dim);
            for ((sum, &count), centroid) in sums
                .zip(&stripe.counts)
                .zip(centroids.chunks_exact(self.dim))
            {
                let product: f64 = sum
                    .iter()
                    .zip(centroid)
                    .map(|(&x, &c)| x as f64 * f64::from(c))
                    .sum();
                products += product * unscale;
                lengths += count as f64
                    * match metric {
                        Metric::Spherical => 1.0,
                        Metric::Euclidean => self.kernel.product(centroid, centroid),
                    };
            }
        }
        (self.range.cost(squares) - 2.0 * products + lengths).max(0.0)
    }

    /// The sizes of the clusters.
    pub fn counts(&mut self) -> Vec<u64> {
        let k = self.k;
        let all = self
            .stripes
            .iter_mut()
            .flat_map(|s| s.get_mut().unwrap_or_else(PoisonError::into_inner).counts);
        all.take(k).collect()
    }

    /// Replaces each centroid that has rows by their mean, scaled to unit length for the spherical metric.
    ///
    /// A centroid without rows, or whose rows cancel out, stays as it is.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "rounded once to single precision"
    )]
    pub fn means(&mut self, metric: Metric, centroids: &mut [f32]) {
        let unscale = 1.0 / f64::from(self.range.scale());
        for (stripe, centroids) in self
            .stripes
            .iter_mut()
            .zip(centroids.chunks_mut(STRIPE * self.dim))
        {
            let stripe = stripe.get_mut().unwrap_or_else(PoisonError::into_inner);
            let sums = stripe.sums.chunks_exact(self.dim);
            for ((sum, &count), centroid) in sums
                .zip(&stripe.counts)
                .zip(centroids.chunks_exact_mut(self.dim))
            {
                let divisor = match metric {
                    Metric::Spherical => {
                        sum.iter().map(|&x| x as f64 * x as f64).sum::<f64>().sqrt()
                    }
                    Metric::Euclidean => count as f64 / unscale,
                };
                if count > 0 && divisor > 0.0 {
                    for (c, &x) in centroid.iter_mut().zip(sum) {
                        *c = (x as f64 / divisor) as f32;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_range_covers_the_largest_coordinate() {
        for (largest, exponent) in [
            (1.0, 0),
            (1.5, 1),
            (0.5, -1),
            (0.51, 0),
            (1024.0, 10),
            (f32::MAX, 128),
        ] {
            assert_eq!(Range::of(largest), Range { exponent }, "{largest}");
        }
        assert!(Range::of(0.0).scale().is_finite());
        assert!(Range::of(f32::MAX).scale() > 0.0);
    }

    proptest! {
        #[test]
        fn sums_do_not_depend_on_order(rows in prop::collection::vec((0u32..40, -1.0f32..1.0, -1e-5f32..1e-5), 1..200)) {
            let sums = |order: &mut dyn Iterator<Item = &(u32, f32, f32)>| {
                let mut sums = Sums::new(40, 2, Range::UNIT);
                order.for_each(|&(cluster, x, y)| sums.add(cluster, &[x, y]));
                let mut means = vec![0.0f32; 80];
                sums.means(Metric::Euclidean, &mut means);
                (sums.counts(), means)
            };
            prop_assert_eq!(sums(&mut rows.iter()), sums(&mut rows.iter().rev()));
        }

        #[test]
        fn means_are_near_the_true_means(rows in prop::collection::vec(-300.0f32..300.0, 1..200)) {
            let mut sums = Sums::new(1, 1, Range::of(300.0));
            for &x in &rows {
                sums.add(0, &[x]);
            }
            let mut mean = [0.0f32];
            sums.means(Metric::Euclidean, &mut mean);
            let count = f64::from(u32::try_from(rows.len()).unwrap());
            let truth = rows.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
            prop_assert!((f64::from(mean[0]) - truth).abs() < 2e-5, "{} {}", mean[0], truth);
        }

        #[test]
        fn parts_add_up_and_what_is_removed_is_gone(
            rows in prop::collection::vec((0u32..40, -1.0f32..1.0, -1e-5f32..1e-5), 1..100),
            cut in 0usize..100,
        ) {
            let (mut all, mut low, mut high) = (Sums::new(40, 2, Range::UNIT), Sums::new(40, 2, Range::UNIT), Sums::new(40, 2, Range::UNIT));
            for (n, &(cluster, x, y)) in rows.iter().enumerate() {
                all.add(cluster, &[x, y]);
                let part = if n < cut { &low } else { &high };
                part.add(39 - cluster, &[y, x]);
                part.add(cluster, &[x, y]);
                part.remove(39 - cluster, &[y, x]);
            }
            let high = high.bytes();
            prop_assert!(low.merge(&high));
            prop_assert!(!low.merge(&high[8..]));
            prop_assert_eq!(low.bytes(), all.bytes());
        }
    }
}
