//! Union-find that several threads share.
//!
//! Memory: 4 bytes a node. The sets that come out do not depend on the order of the joins nor on the threads: the root of
//! a set is its smallest node.

use std::sync::atomic::{AtomicU32, Ordering};

/// Sets of nodes 0 to n − 1, each alone at first.
#[derive(Debug)]
pub(crate) struct Sets {
    parent: Vec<AtomicU32>,
}

impl Sets {
    pub(crate) fn new(count: u32) -> Self {
        Self {
            parent: (0..count).map(AtomicU32::new).collect(),
        }
    }

    /// The root of the set that `node` is in: final once all joins are done, before that one of its members.
    ///
    /// Parents only ever become smaller, so that a chain ends; halving the path on the way is a hint that may be lost.
    pub(crate) fn root(&self, mut node: u32) -> u32 {
        loop {
            let parent = self.parent[node as usize].load(Ordering::Relaxed);
            if parent == node {
                return node;
            }
            let above = self.parent[parent as usize].load(Ordering::Relaxed);
            if above != parent {
                let _ = self.parent[node as usize].compare_exchange_weak(
                    parent,
                    above,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
            }
            node = parent;
        }
    }

    pub(crate) fn are_joined(&self, one: u32, other: u32) -> bool {
        self.root(one) == self.root(other)
    }

    /// Makes one set of two.
    pub(crate) fn join(&self, one: u32, other: u32) {
        loop {
            let (one, other) = (self.root(one), self.root(other));
            if one == other {
                return;
            }
            let (low, high) = (one.min(other), one.max(other));
            // Only a root may be hung below another; if it is none any more, look again.
            let hung = self.parent[high as usize].compare_exchange(
                high,
                low,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            if hung.is_ok() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_sets_are_the_naive_closure_at_any_number_of_threads(
            pairs in prop::collection::vec((0_u32..40, 0_u32..40), 0..60),
            threads in 1_usize..5,
        ) {
            let sets = Sets::new(40);
            thread::scope(|scope| {
                for part in pairs.chunks(pairs.len() / threads + 1) {
                    let sets = &sets;
                    scope.spawn(move || part.iter().for_each(|&(a, b)| sets.join(a, b)));
                }
            });
            let mut label: Vec<u32> = (0..40).collect();
            loop {
                let before = label.clone();
                for &(a, b) in &pairs {
                    let least = label[a as usize].min(label[b as usize]);
                    (label[a as usize], label[b as usize]) = (least, least);
                }
                if label == before {
                    break;
                }
            }
            for node in 0..40 {
                prop_assert_eq!(sets.root(node), label[node as usize]);
            }
        }
    }
}
