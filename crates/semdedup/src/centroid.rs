//! Which record of each set stays.
//!
//! Memory: 8 bytes a record, and 4 for each that has a duplicate. Order: given a total order of the records, the verdict
//! depends on the set of records alone.

use std::cmp::Ordering;

use crate::search::Found;
use crate::store::{Store, number};

/// What the record that stays is best in. Ties go to the first in the order of the records.
#[derive(Debug, Clone, Copy)]
pub enum Rank<'a> {
    /// It is nearest to its set's centroid, the mean of the records' unit vectors. In a set of two both are equally near;
    /// so are, in general, records whose cosines to the centroid agree to nine digits.
    Centroid,
    /// It comes first in the order of the records.
    First,
    /// Its number, one a record, is greatest.
    Greatest(&'a [f64]),
}

/// What becomes of each record.
#[derive(Debug)]
pub struct Verdicts {
    /// The record that stays in the place of each.
    kept: Vec<u32>,
}

impl Verdicts {
    /// Decides over the sets that were found at the distance of this place. `order` is a total order of the records.
    ///
    /// # Panics
    /// If there is not one number a record for [`Rank::Greatest`].
    #[must_use]
    pub fn new(
        store: &Store,
        found: &Found,
        place: usize,
        rank: Rank<'_>,
        order: impl Fn(usize, usize) -> Ordering,
    ) -> Self {
        if let Rank::Greatest(numbers) = rank {
            assert_eq!(numbers.len(), store.records(), "one number a record");
        }
        let mut kept: Vec<u32> = (0..number(store.records())).collect();
        for set in sets(store, found, place, order) {
            let best = match rank {
                Rank::First => set[0],
                Rank::Greatest(numbers) => greatest(&set, |record| numbers[record as usize]),
                Rank::Centroid if set.len() == 2 => set[0],
                Rank::Centroid => {
                    let scores = nearness(store, &set);
                    let at = greatest(&(0..number(set.len())).collect::<Vec<_>>(), |at| {
                        scores[at as usize]
                    });
                    set[at as usize]
                }
            };
            for record in set {
                kept[record as usize] = best;
            }
        }
        Self { kept }
    }

    /// The record that stays in place of `record`; `None` when it stays itself.
    #[must_use]
    pub fn dup_of(&self, record: usize) -> Option<usize> {
        let kept = self.kept[record] as usize;
        (kept != record).then_some(kept)
    }
}

/// The records of each set of two or more, each set in the order of the records, the sets in that of their first records
/// by number.
#[must_use]
pub fn sets(
    store: &Store,
    found: &Found,
    place: usize,
    order: impl Fn(usize, usize) -> Ordering,
) -> Vec<Vec<u32>> {
    let mut sizes = vec![0u32; store.distinct()];
    for record in 0..store.records() {
        sizes[found.set(store, place, record) as usize] += 1;
    }
    let mut slot = vec![u32::MAX; store.distinct()];
    let mut sets: Vec<Vec<u32>> = Vec::new();
    for record in 0..store.records() {
        let root = found.set(store, place, record) as usize;
        if sizes[root] > 1 {
            if slot[root] == u32::MAX {
                slot[root] = number(sets.len());
                sets.push(Vec::with_capacity(sizes[root] as usize));
            }
            sets[slot[root] as usize].push(number(record));
        }
    }
    for set in &mut sets {
        set.sort_unstable_by(|&a, &b| order(a as usize, b as usize).then(a.cmp(&b)));
    }
    sets
}

/// The first of those with the greatest number.
fn greatest(among: &[u32], value: impl Fn(u32) -> f64) -> u32 {
    let mut best = among[0];
    for &one in &among[1..] {
        if value(one).total_cmp(&value(best)) == Ordering::Greater {
            best = one;
        }
    }
    best
}

/// The cosine of each record to the set's centroid, to nine digits. The sum runs in the order of the set.
fn nearness(store: &Store, set: &[u32]) -> Vec<f64> {
    let mut vector = Vec::new();
    let mut sum = vec![0.0f64; store.dim()];
    for &record in set {
        let norm = store.vector(store.node_of(record as usize), &mut vector);
        for (sum, &x) in sum.iter_mut().zip(&vector) {
            *sum += f64::from(x) / norm;
        }
    }
    let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    set.iter()
        .map(|&record| {
            let norm = store.vector(store.node_of(record as usize), &mut vector);
            let along: f64 = vector
                .iter()
                .zip(&sum)
                .map(|(&x, s)| f64::from(x) * s)
                .sum();
            (along / (norm * length) * 1e9).round()
        })
        .collect()
}
