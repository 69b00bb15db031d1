//! The few of many: keeps the values with the smallest keys, in memory that does not grow with the stream.
//!
//! Which values stay is decided by the keys alone. A key that ranks by a hash of the id gives an even sample of the
//! stream, a key that ranks by the score gives the best; neither depends on the order in which the values come.

use std::collections::BTreeMap;

/// At most `limit` values, those with the smallest keys; a value replaces an earlier one of the same key.
#[derive(Debug)]
pub(crate) struct Smallest<K, V> {
    kept: BTreeMap<K, V>,
    limit: usize,
}

impl<K: Ord, V> Smallest<K, V> {
    /// Room for `limit` values.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            kept: BTreeMap::new(),
            limit,
        }
    }

    /// Whether a value of this key would be kept.
    pub(crate) fn wants(&self, key: &K) -> bool {
        self.kept.len() < self.limit
            || self
                .kept
                .last_key_value()
                .is_some_and(|(largest, _)| key <= largest)
    }

    /// Offers a value.
    pub(crate) fn offer(&mut self, key: K, value: V) {
        if self.wants(&key) {
            self.kept.insert(key, value);
            if self.kept.len() > self.limit {
                self.kept.pop_last();
            }
        }
    }

    /// Whether nothing was kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The values, smallest key first.
    pub(crate) fn into_values(self) -> impl Iterator<Item = V> {
        self.kept.into_values()
    }
}

/// Ranks finite numbers from the largest to the smallest, what is no number last.
pub(crate) fn descending(score: f32) -> u32 {
    if score.is_nan() {
        return u32::MAX;
    }
    let bits = score.to_bits();
    // IEEE 754 orders like sign and magnitude: turned into an ascending unsigned order, then reversed.
    let ascending = if bits >> 31 == 1 {
        !bits
    } else {
        bits | 1 << 31
    };
    !ascending
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_smallest_whatever_the_order() {
        let mut kept = Smallest::new(3);
        for n in [5, 1, 9, 7, 3, 1, 8] {
            kept.offer(n, n * 10);
        }
        assert_eq!(kept.into_values().collect::<Vec<_>>(), [10, 30, 50]);
        let mut none = Smallest::new(0);
        none.offer(1, 1);
        assert!(none.is_empty());
    }

    #[test]
    fn best_scores_rank_first() {
        let mut scores = [0.1, -0.5, f32::NAN, 0.9, 0.0, 0.45];
        scores.sort_by_key(|score| descending(*score));
        assert_eq!(&scores[..5], &[0.9, 0.45, 0.1, 0.0, -0.5]);
        assert!(scores[5].is_nan());
    }
}
