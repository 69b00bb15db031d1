//! The cluster-size curve (the paper's Figure 8), compact.
//!
//! The curve plots the clusters' sizes in descending order. A million clusters have few distinct
//! sizes, so the curve is held as `[size, how many clusters]`, largest size first.
//!
//! Memory: 16 bytes a distinct size.

use serde::{Serialize, Serializer};

/// How many clusters have which size, largest first; clusters that hold nothing are not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SizeCurve {
    steps: Vec<(u64, u64)>,
}

impl SizeCurve {
    /// The curve of clusters with these sizes, in any order.
    #[must_use]
    pub fn of(sizes: impl IntoIterator<Item = u64>) -> Self {
        let mut sizes: Vec<u64> = sizes.into_iter().filter(|&size| size > 0).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let mut steps: Vec<(u64, u64)> = Vec::new();
        for size in sizes {
            match steps.last_mut() {
                Some((last, count)) if *last == size => *count += 1,
                _ => steps.push((size, 1)),
            }
        }
        Self { steps }
    }

    /// The steps of the curve: size, and how many clusters have it.
    #[must_use]
    pub fn steps(&self) -> &[(u64, u64)] {
        &self.steps
    }

    /// How many clusters hold at least one pair.
    #[must_use]
    pub fn clusters(&self) -> u64 {
        self.steps.iter().map(|(_, count)| count).sum()
    }

    /// How many pairs the clusters hold together.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.steps.iter().map(|(size, count)| size * count).sum()
    }
}

impl Serialize for SizeCurve {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.steps.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_counted_largest_first_and_empty_clusters_left_out() {
        let curve = SizeCurve::of([3, 1, 0, 3, 7, 1, 1]);
        assert_eq!(curve.steps(), [(7, 1), (3, 2), (1, 3)]);
        assert_eq!((curve.clusters(), curve.pairs()), (6, 16));
        assert_eq!(
            serde_json::to_string(&curve).unwrap(),
            "[[7,1],[3,2],[1,3]]"
        );
    }
}
