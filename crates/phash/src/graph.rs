//! Distinct hashes, and which of them are joined.
//!
//! Memory: a hash and 4 bytes a node. What is joined depends on the joins alone, not on their order.

use crate::search::{Part, TooMany, pairs};
use crate::sets::Sets;

/// The nodes are keys (hashes of pictures, or what stands for sentences), in ascending order without repeats.
#[derive(Debug)]
pub struct Graph<K> {
    nodes: Vec<K>,
    sets: Sets,
}

impl<K: Ord + Copy> Graph<K> {
    /// A graph of these keys, none of which is joined with another.
    ///
    /// # Errors
    /// [`TooMany`] distinct keys.
    pub fn new(mut keys: Vec<K>) -> Result<Self, TooMany> {
        keys.sort_unstable();
        keys.dedup();
        keys.shrink_to_fit();
        let count = u32::try_from(keys.len()).map_err(|_| TooMany(keys.len()))?;
        Ok(Self {
            nodes: keys,
            sets: Sets::new(count),
        })
    }

    /// The keys.
    #[must_use]
    pub fn nodes(&self) -> &[K] {
        &self.nodes
    }

    /// The number of a key; `None` if it is none of the nodes.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "there are no more nodes than fit"
    )]
    pub(crate) fn node(&self, key: K) -> Option<u32> {
        self.nodes.binary_search(&key).ok().map(|node| node as u32)
    }

    /// The node that stands for all that is joined with `key`; `None` if it is none of the nodes.
    pub(crate) fn root(&self, key: K) -> Option<u32> {
        self.node(key).map(|node| self.sets.root(node))
    }

    /// Joins two keys, as an edge says that was found elsewhere. Keys that are no nodes are left alone.
    pub fn join(&self, one: K, other: K) {
        if let (Some(one), Some(other)) = (self.node(one), self.node(other)) {
            self.sets.join(one, other);
        }
    }

    /// The joins as a star for each set: its smallest key with each of the others, in the order of the others.
    pub fn edges(&self) -> impl Iterator<Item = (K, K)> {
        (0..).zip(&self.nodes).filter_map(|(node, &key)| {
            let root = self.sets.root(node);
            (root != node).then(|| (self.nodes[root as usize], key))
        })
    }

    pub(crate) fn sets(&self) -> &Sets {
        &self.sets
    }
}

impl Graph<u64> {
    /// Joins the hashes that differ in at most `radius` bits, as far as `part` of the search finds them.
    ///
    /// # Errors
    /// None that can occur: the number of nodes was checked.
    pub fn search(&self, radius: u32, part: Part, jobs: usize) -> Result<(), TooMany> {
        pairs(&self.nodes, radius, part, jobs, |one, other| {
            self.sets.join(one, other);
        })
    }
}
