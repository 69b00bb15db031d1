//! Percentiles of a sample that is drawn by the hash of each record's id.
//!
//! Memory: at most 16 bytes for each of 100,000 records, which put the 5th percentile within a tenth of a percent of the
//! records from where all would have put it. Order: none matters; the same records give the same sample.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use realsyn_record::uniform;

/// How many records are drawn.
const SAMPLE: usize = 100_000;
/// The pipeline's default seed.
const SEED: u64 = 0;

/// A sample of what some number is over a corpus.
#[derive(Debug, Default)]
pub struct Percentiles {
    sample: BinaryHeap<Drawn>,
    seen: u64,
}

/// A record: where its hash lies, and its number.
#[derive(Clone, Copy, Debug)]
struct Drawn(f64, f64);

impl Percentiles {
    /// Offers the number of the record `id`.
    pub fn offer(&mut self, id: &str, number: f64) {
        self.seen += 1;
        let drawn = Drawn(uniform(SEED, id), number);
        if self.sample.len() < SAMPLE {
            self.sample.push(drawn);
        } else if let Some(mut last) = self.sample.peek_mut()
            && drawn < *last
        {
            *last = drawn;
        }
    }

    /// How many records were offered, and how many of them were drawn.
    #[must_use]
    pub fn counts(&self) -> (u64, usize) {
        (self.seen, self.sample.len())
    }

    /// For each of `percents`, the least number that so many percent of the sample do not exceed; nothing of no sample.
    #[must_use]
    pub fn at(&self, percents: &[f64]) -> Vec<f64> {
        let mut numbers: Vec<f64> = self.sample.iter().map(|drawn| drawn.1).collect();
        numbers.sort_unstable_by(f64::total_cmp);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank among 100,000"
        )]
        let rank = |percent: f64| (percent / 100.0 * numbers.len() as f64).ceil() as usize;
        percents
            .iter()
            .filter_map(|&percent| numbers.get(rank(percent).saturating_sub(1)).copied())
            .collect()
    }
}

impl Ord for Drawn {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_hash = self.0.total_cmp(&other.0);
        by_hash.then(self.1.total_cmp(&other.1))
    }
}

impl PartialOrd for Drawn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Drawn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Drawn {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranks_are_the_nearest_from_above() {
        let mut percentiles = Percentiles::default();
        assert!(percentiles.at(&[5.0]).is_empty());
        for n in (1..=20).rev() {
            percentiles.offer(&n.to_string(), f64::from(n));
        }
        assert_eq!(
            percentiles.at(&[0.0, 5.0, 5.1, 50.0, 95.0, 100.0]),
            [1.0, 1.0, 2.0, 10.0, 19.0, 20.0]
        );
    }

    #[test]
    fn a_large_corpus_is_sampled_and_the_order_does_not_matter() {
        let number = |n: u32| (n.to_string(), f64::from(n % 1000));
        let (mut up, mut down) = (Percentiles::default(), Percentiles::default());
        for n in 0..150_000 {
            let (id, value) = number(n);
            up.offer(&id, value);
            let (id, value) = number(149_999 - n);
            down.offer(&id, value);
        }
        assert_eq!(up.counts(), (150_000, SAMPLE));
        let found = up.at(&[5.0, 95.0]);
        assert_eq!(found, down.at(&[5.0, 95.0]));
        assert!((found[0] - 50.0).abs() < 4.0 && (found[1] - 950.0).abs() < 4.0);
    }
}
