//! The first centroids.
//!
//! Each row has a key, a hash of the seed and of the row's id ([`realsyn_record::uniform`]); no other randomness is
//! used, so neither the order of the rows nor the number of threads or shards changes the choice.
//!
//! *Random* takes the k rows of the smallest keys. *k-means++* (Arthur and Vassilvitskii 2007) takes the row of the
//! smallest key first and then, k − 1 times, draws a row with probability proportional to its squared distance w from the
//! rows drawn so far: the row with the largest w / u, where u in (0, 1] is a hash of its key and the draw's number
//! (priority sampling, Duffield, Lund and Thorup 2007; for one draw among many rows its probabilities are w / Σw up
//! to terms of order 1/n). It reads all rows k − 1 times.

use std::sync::Mutex;

use realsyn_vector::kernel::Kernel;

use crate::assign::prepare;
use crate::fit::rows_of;
use crate::parallel::{BATCH_ROWS, in_parallel};
use crate::{ClusterError, Metric, Vectors};

/// The numbers of the `k` rows with the smallest keys, smallest first.
pub fn random(keys: &[f64], k: usize) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..keys.len()).collect();
    let by_key = |&a: &usize, &b: &usize| keys[a].total_cmp(&keys[b]).then(a.cmp(&b));
    if k < rows.len() {
        rows.select_nth_unstable_by(k, by_key);
        rows.truncate(k);
    }
    rows.sort_unstable_by(by_key);
    rows
}

/// The numbers of `k` rows drawn by k-means++, in the order of drawing.
pub fn plus_plus(
    vectors: &dyn Vectors,
    keys: &[f64],
    k: usize,
    metric: Metric,
    jobs: usize,
) -> Result<Vec<usize>, ClusterError> {
    let mut chosen = random(keys, 1);
    // The squared distance to the nearest chosen row; negative for chosen rows, which are never drawn again.
    let mut weights = vec![f64::INFINITY; keys.len()];
    while chosen.len() < k {
        let Some(&last) = chosen.last() else { break };
        weights[last] = -1.0;
        let draw = chosen.len() as u64;
        let seed = rows_of(vectors, metric, &[last])?;
        let winner: Mutex<Option<Candidate>> = Mutex::new(None);
        in_parallel(
            jobs,
            weights.chunks_mut(BATCH_ROWS).enumerate(),
            |scratch: &mut Scratch, (block, weights)| {
                let best = scratch.update(
                    vectors,
                    keys,
                    metric,
                    &seed,
                    draw,
                    block * BATCH_ROWS,
                    weights,
                )?;
                let mut winner = winner
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                *winner = match (winner.take(), best) {
                    (Some(a), Some(b)) => Some(if b.beats(&a) { b } else { a }),
                    (a, b) => a.or(b),
                };
                Ok(())
            },
        )?;
        match winner
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
        {
            Some(candidate) => chosen.push(candidate.row),
            None => break,
        }
    }
    Ok(chosen)
}

#[derive(Clone, Copy)]
struct Candidate {
    priority: f64,
    key: f64,
    row: usize,
}

impl Candidate {
    fn beats(&self, other: &Self) -> bool {
        let by_key = other
            .key
            .total_cmp(&self.key)
            .then(other.row.cmp(&self.row));
        self.priority
            .total_cmp(&other.priority)
            .then(by_key)
            .is_gt()
    }
}

#[derive(Default)]
struct Scratch {
    rows: Vec<f32>,
    squares: Vec<f64>,
}

impl Scratch {
    #[expect(clippy::too_many_arguments, reason = "one call site")]
    fn update(
        &mut self,
        vectors: &dyn Vectors,
        keys: &[f64],
        metric: Metric,
        seed: &[f32],
        draw: u64,
        first: usize,
        weights: &mut [f64],
    ) -> Result<Option<Candidate>, ClusterError> {
        let (dim, kernel) = (vectors.dim(), Kernel::detect());
        self.rows.resize(weights.len() * dim, 0.0);
        vectors.read(first, &mut self.rows);
        prepare(kernel, metric, &mut self.rows, dim, &mut self.squares)
            .map_err(|row| ClusterError::NotFinite { row: first + row })?;
        let square = kernel.product(seed, seed);
        let mut best: Option<Candidate> = None;
        for (at, weight) in weights.iter_mut().enumerate() {
            if *weight >= 0.0 {
                let product = kernel.product(&self.rows[at * dim..(at + 1) * dim], seed);
                let distance = (self.squares[at] - 2.0 * product + square).max(0.0);
                *weight = weight.min(distance);
                let row = first + at;
                let candidate = Candidate {
                    priority: *weight / mixed(keys[row], draw),
                    key: keys[row],
                    row,
                };
                if best.is_none_or(|best| candidate.beats(&best)) {
                    best = Some(candidate);
                }
            }
        }
        Ok(best)
    }
}

/// A number in (0, 1] from a key and the number of a draw (the finaliser of `SplitMix64`).
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn mixed(key: f64, draw: u64) -> f64 {
    let mut x = key.to_bits() ^ draw.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    ((x >> 11) + 1) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryVectors, row_keys};

    #[test]
    fn random_takes_the_smallest_keys_in_order() {
        assert_eq!(random(&[0.5, 0.1, 0.9, 0.3], 3), [1, 3, 0]);
        assert_eq!(random(&[0.5, 0.1], 2), [1, 0]);
    }

    #[test]
    fn draws_follow_the_squared_distances() {
        // From the row at 0, rows at 1, 2 and 3 are drawn about 1 : 4 : 9 times, each place held by many rows.
        let values: Vec<f32> = (0..400u16).map(|i| f32::from(i % 4)).collect();
        let vectors = MemoryVectors::new(values.clone(), 1);
        let mut seen = [0u32; 4];
        for seed in 0..1500 {
            let mut keys = row_keys(0, 400, seed);
            keys[0] = 0.0;
            let chosen = plus_plus(&vectors, &keys, 2, Metric::Euclidean, 1).unwrap();
            assert_eq!(chosen[0], 0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 3"
            )]
            let at = values[chosen[1]] as usize;
            seen[at] += 1;
        }
        let share = seen.map(|n| f64::from(n) / 1500.0);
        assert_eq!(seen[0], 0);
        for (share, truth) in share[1..].iter().zip([1.0 / 14.0, 4.0 / 14.0, 9.0 / 14.0]) {
            assert!((share - truth).abs() < 0.05, "{share} {truth}");
        }
    }

    #[test]
    fn equal_rows_can_all_be_drawn() {
        let vectors = MemoryVectors::new(vec![1.0; 8], 2);
        let mut chosen = plus_plus(&vectors, &row_keys(0, 4, 1), 4, Metric::Spherical, 2).unwrap();
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 1, 2, 3]);
    }
}
