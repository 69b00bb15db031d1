//! Sizes of clusters, largest first: the curve that balance sampling flattens.
//!
//! A curve is kept as how many clusters have each size, so it costs memory for the different sizes alone; counting the
//! members of clusters from the records costs one counter a cluster.

use std::collections::{BTreeMap, HashMap};

/// How many clusters have each size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    clusters: BTreeMap<u64, u64>,
}

/// Members counted by cluster.
#[derive(Debug, Default)]
pub(crate) struct Members {
    members: HashMap<u64, u64>,
}

impl Members {
    /// Counts one member.
    pub(crate) fn add(&mut self, cluster: u64) {
        *self.members.entry(cluster).or_default() += 1;
    }

    /// The sizes of all clusters that have a member.
    pub(crate) fn sizes(&self) -> Sizes {
        let mut sizes = Sizes::default();
        for size in self.members.values() {
            sizes.add(*size, 1);
        }
        sizes
    }
}

impl Sizes {
    /// Adds clusters of a size; empty clusters have no place on a logarithmic axis.
    pub(crate) fn add(&mut self, size: u64, clusters: u64) {
        if size > 0 && clusters > 0 {
            let entry = self.clusters.entry(size).or_default();
            *entry = entry.saturating_add(clusters);
        }
    }

    /// How many clusters.
    pub(crate) fn count(&self) -> u64 {
        self.clusters
            .values()
            .fold(0, |sum, clusters| sum.saturating_add(*clusters))
    }

    /// How many members in all clusters.
    pub(crate) fn members(&self) -> u64 {
        self.clusters.iter().fold(0, |sum, (size, clusters)| {
            sum.saturating_add(size.saturating_mul(*clusters))
        })
    }

    /// The largest cluster's size.
    pub(crate) fn largest(&self) -> u64 {
        self.clusters.last_key_value().map_or(0, |(size, _)| *size)
    }

    /// The share of all members that the largest tenth of the clusters holds (at least one cluster).
    pub(crate) fn top_tenth(&self) -> f64 {
        let mut left = self.count().div_ceil(10);
        let mut held = 0_u64;
        for (size, clusters) in self.clusters.iter().rev() {
            let taken = left.min(*clusters);
            held = held.saturating_add(size.saturating_mul(taken));
            left -= taken;
        }
        crate::html::share(held, self.members())
    }

    /// The curve `(rank, size)` from rank 1: the first and the last cluster of each size.
    #[expect(clippy::cast_precision_loss, reason = "places on a chart")]
    pub(crate) fn curve(&self) -> Vec<(f64, f64)> {
        let mut points = Vec::with_capacity(2 * self.clusters.len());
        let mut rank = 0_u64;
        for (size, clusters) in self.clusters.iter().rev() {
            points.push(((rank + 1) as f64, *size as f64));
            rank = rank.saturating_add(*clusters);
            if *clusters > 1 {
                points.push((rank as f64, *size as f64));
            }
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_falls_and_keeps_its_corners() {
        let mut members = Members::default();
        for (cluster, size) in [(1, 50), (2, 3), (3, 3), (4, 1)] {
            for _ in 0..size {
                members.add(cluster);
            }
        }
        let sizes = members.sizes();
        assert_eq!(
            (sizes.count(), sizes.members(), sizes.largest()),
            (4, 57, 50)
        );
        assert_eq!(
            sizes.curve(),
            [(1.0, 50.0), (2.0, 3.0), (3.0, 3.0), (4.0, 1.0)]
        );
        assert!((sizes.top_tenth() - 50.0 / 57.0).abs() < 1e-12);
    }
}
