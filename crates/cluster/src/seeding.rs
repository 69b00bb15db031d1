//! The first centroids.
//!
//! Each row has a key, a hash of the seed and of the row's id ([`realsyn_record::uniform`]); no other randomness is
//! used, so neither the order of the rows nor the number of threads or shards changes the choice.
//!
//! *Random* takes the k rows of the smallest keys. *k-means++* (Arthur and Vassilvitskii 2007) takes the row of the
//! smallest key first and then, k − 1 times, draws a row with probability proportional to its squared distance w from the
//! rows drawn so far: the row with the largest w / u, where u in (0, 1] is a hash of its key and the draw's number
//! (priority sampling, Duffield, Lund and Thorup 2007; for one draw among many rows its probabilities are w / Σw up
//! to terms of order 1/n).

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use realsyn_vector::kernel::Kernel;

use crate::assign::prepare;
use crate::fit::rows_of;
use crate::parallel::{BATCH_ROWS, in_parallel};
use crate::search::{Columns, Engine, Found, NOWHERE, Scratch, Start};
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
///
/// One pass over the rows serves many draws. A pass lowers the weights by the seeds that were drawn since the one before, and
/// finds the winners of the next draws as if no seed came between. Weights only fall, so such a winner still wins when its
/// turn comes unless its own weight has fallen: unless a seed of the same batch lies nearer to it than all before. The first
/// winner is always right, and after the first wrong one the next pass begins: the result is that of single draws.
pub fn plus_plus(
    engine: Engine,
    vectors: &dyn Vectors,
    keys: &[f64],
    (k, metric): (usize, Metric),
    jobs: usize,
) -> Result<Vec<usize>, ClusterError> {
    let dim = vectors.dim();
    let mut chosen = random(keys, 1);
    // The squared distance to the nearest chosen row; negative for chosen rows, which are never drawn again.
    let mut weights = vec![f64::INFINITY; keys.len()];
    let mut fresh = chosen.clone();
    let mut draws = 1;
    while chosen.len() < k && !fresh.is_empty() {
        let seeds = rows_of(vectors, metric, &fresh)?;
        for &row in &fresh {
            weights[row] = -1.0;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most MOST_DRAWS")]
        let order = (0..fresh.len() as u32).collect();
        let pass = Pass {
            vectors,
            keys,
            columns: Columns::pack(engine, metric, &seeds, dim, order),
            draws: chosen.len()..k.min(chosen.len() + draws),
        };
        let winners = Mutex::new(vec![None; pass.draws.len()]);
        in_parallel(
            jobs,
            weights.chunks_mut(BATCH_ROWS).enumerate(),
            |scratch: &mut Drawer, (block, weights)| {
                scratch.lower(&pass, block * BATCH_ROWS, weights)?;
                let mut winners = winners.lock().unwrap_or_else(PoisonError::into_inner);
                for (winner, &here) in winners.iter_mut().zip(&scratch.winners) {
                    take(winner, here);
                }
                Ok(())
            },
        )?;
        let winners = winners.into_inner().unwrap_or_else(PoisonError::into_inner);
        fresh = right(engine.kernel, vectors, metric, &winners)?;
        chosen.extend(&fresh);
        draws = (2 * fresh.len()).min(MOST_DRAWS);
    }
    Ok(chosen)
}

/// The rows of those winners that come before the first one whose weight falls.
fn right(
    kernel: Kernel,
    vectors: &dyn Vectors,
    metric: Metric,
    winners: &[Option<Candidate>],
) -> Result<Vec<usize>, ClusterError> {
    let dim = vectors.dim();
    let (mut rows, mut values): (Vec<usize>, Vec<f32>) = (Vec::new(), Vec::new());
    for winner in winners.iter().map_while(Option::as_ref) {
        let value = rows_of(vectors, metric, &[winner.row])?;
        let square = square(metric, kernel.product(&value, &value));
        let falls = values.chunks_exact(dim).any(|seed| {
            let score = kernel.product(&value, seed) + bias(metric, kernel.product(seed, seed));
            distance(metric, square, score) < winner.weight
        });
        if falls || rows.contains(&winner.row) {
            break;
        }
        rows.push(winner.row);
        values.extend(value);
    }
    Ok(rows)
}

/// The most draws that one pass serves.
const MOST_DRAWS: usize = 64;

/// The squared length of a prepared row, as [`prepare`] gives it.
fn square(metric: Metric, square: f64) -> f64 {
    match metric {
        Metric::Spherical if square > 0.0 => 1.0,
        _ => square,
    }
}

/// What a seed's score has beside the product.
fn bias(metric: Metric, square: f64) -> f64 {
    match metric {
        Metric::Spherical => 0.0,
        Metric::Euclidean => -0.5 * square,
    }
}

/// The squared distance of a row to a seed, from the row's squared length and the score.
fn distance(metric: Metric, square: f64, score: f64) -> f64 {
    (square + offset(metric) - 2.0 * score).max(0.0)
}

/// What the score leaves out of −distance²/2: the squared length of a spherical centroid.
fn offset(metric: Metric) -> f64 {
    match metric {
        Metric::Spherical => 1.0,
        Metric::Euclidean => 0.0,
    }
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    priority: f64,
    key: f64,
    row: usize,
    weight: f64,
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

fn take(winner: &mut Option<Candidate>, other: Option<Candidate>) {
    if let Some(other) = other
        && winner.is_none_or(|winner| other.beats(&winner))
    {
        *winner = Some(other);
    }
}

/// What all threads of a pass share.
struct Pass<'a> {
    vectors: &'a dyn Vectors,
    keys: &'a [f64],
    /// The seeds that were drawn since the pass before.
    columns: Columns,
    /// The numbers of the next draws.
    draws: Range<usize>,
}

/// One thread's buffers.
#[derive(Default)]
struct Drawer {
    rows: Vec<f32>,
    squares: Vec<f64>,
    starts: Vec<Start>,
    found: Vec<Found>,
    scratch: Scratch,
    winners: Vec<Option<Candidate>>,
}

impl Drawer {
    /// Lowers the weights of a batch of rows, the first of them number `first`, and finds its candidates for each draw.
    fn lower(
        &mut self,
        pass: &Pass<'_>,
        first: usize,
        weights: &mut [f64],
    ) -> Result<(), ClusterError> {
        let columns = &pass.columns;
        let (dim, metric) = (columns.dim(), columns.metric());
        self.rows.resize(weights.len() * dim, 0.0);
        pass.vectors.read(first, &mut self.rows);
        let (rows, squares) = (&mut self.rows, &mut self.squares);
        prepare(columns.kernel(), metric, rows, dim, squares)
            .map_err(|row| ClusterError::NotFinite { row: first + row })?;
        self.starts.clear();
        self.starts
            .extend(weights.iter().zip(&self.squares).map(|(&weight, &square)| {
                // A little below what the weight stands for, so that rounding loses no seed.
                let whole = square + offset(metric);
                Start {
                    cluster: NOWHERE,
                    score: 0.5 * (whole - weight) - 1e-9 * (whole + weight.min(whole)),
                    panels: if weight < 0.0 { 0 } else { columns.panels() },
                }
            }));
        columns.search(
            &self.rows,
            &self.squares,
            &self.starts,
            &mut self.scratch,
            &mut self.found,
        );
        self.winners.clear();
        self.winners.resize(pass.draws.len(), None);
        for (at, weight) in weights.iter_mut().enumerate() {
            if *weight < 0.0 {
                continue;
            }
            if self.found[at].cluster != NOWHERE {
                let distance = distance(metric, self.squares[at], self.found[at].score);
                *weight = weight.min(distance);
            }
            let (row, key) = (first + at, pass.keys[first + at]);
            for (winner, draw) in self.winners.iter_mut().zip(pass.draws.clone()) {
                let candidate = Candidate {
                    priority: *weight / mixed(key, draw as u64),
                    key,
                    row,
                    weight: *weight,
                };
                take(winner, Some(candidate));
            }
        }
        Ok(())
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
    use proptest::prelude::*;

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
            let chosen =
                plus_plus(Engine::detect(), &vectors, &keys, (2, Metric::Euclidean), 1).unwrap();
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
        let mut chosen = plus_plus(
            Engine::detect(),
            &vectors,
            &row_keys(0, 4, 1),
            (4, Metric::Spherical),
            2,
        )
        .unwrap();
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 1, 2, 3]);
    }

    /// k-means++ by its definition, one draw at a time.
    fn one_by_one(
        values: &[f32],
        dim: usize,
        keys: &[f64],
        k: usize,
        metric: Metric,
    ) -> Vec<usize> {
        let kernel = Kernel::Portable;
        let mut values = values.to_vec();
        let mut squares = Vec::new();
        prepare(kernel, metric, &mut values, dim, &mut squares).unwrap();
        let row = |row: usize| &values[row * dim..(row + 1) * dim];
        let mut chosen = random(keys, 1);
        let mut weights = vec![f64::INFINITY; keys.len()];
        while chosen.len() < k {
            let seed = *chosen.last().unwrap();
            weights[seed] = -1.0;
            let mut winner = None;
            for (at, weight) in weights
                .iter_mut()
                .enumerate()
                .filter(|(_, weight)| **weight >= 0.0)
            {
                let score = kernel.product(row(at), row(seed))
                    + bias(metric, kernel.product(row(seed), row(seed)));
                *weight = weight.min(distance(metric, squares[at], score));
                let priority = *weight / mixed(keys[at], chosen.len() as u64);
                take(
                    &mut winner,
                    Some(Candidate {
                        priority,
                        key: keys[at],
                        row: at,
                        weight: *weight,
                    }),
                );
            }
            chosen.push(winner.unwrap().row);
        }
        chosen
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn many_draws_a_pass_are_as_good_as_one(
            values in prop::collection::vec(-1.0f32..1.0, 3 * 80..3 * 400),
            seed in 0u64..1000,
            k in 1usize..80,
            euclidean in any::<bool>(),
        ) {
            let rows = values.len() / 3;
            let values = values[..rows * 3].to_vec();
            let metric = if euclidean { Metric::Euclidean } else { Metric::Spherical };
            let keys = row_keys(0, rows, seed);
            let truth = one_by_one(&values, 3, &keys, k, metric);
            let vectors = MemoryVectors::new(values, 3);
            for jobs in [1, 3] {
                let chosen = plus_plus(Engine::detect(), &vectors, &keys, (k, metric), jobs).unwrap();
                prop_assert_eq!(&chosen, &truth);
            }
        }
    }
}
