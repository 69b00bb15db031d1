//! Union-find that many threads share.

use std::sync::atomic::{AtomicU32, Ordering};

/// Disjoint sets of the numbers below a count: 4 bytes a number.
///
/// A set's root is its smallest number, since a root is only ever hung below a smaller one; so the outcome does not depend
/// on the order of the joins. Relaxed atomics suffice: every value that a parent ever has is an ancestor, and whoever
/// reads the sets afterwards has joined the threads first.
#[derive(Debug)]
pub struct Forest {
    parents: Vec<AtomicU32>,
}

impl Forest {
    /// Every number by itself.
    pub fn new(count: u32) -> Self {
        Self {
            parents: (0..count).map(AtomicU32::new).collect(),
        }
    }

    /// The set's smallest number, with path halving.
    pub fn root(&self, mut number: u32) -> u32 {
        loop {
            let parent = self.parent(number);
            if parent == number {
                return number;
            }
            let above = self.parent(parent);
            if above != parent {
                // An ancestor whatever has happened meanwhile.
                self.parents[number as usize].store(above, Ordering::Relaxed);
            }
            number = above;
        }
    }

    /// Whether two numbers are in one set. While other threads join, "no" may be out of date, "yes" never is.
    pub fn joined(&self, one: u32, other: u32) -> bool {
        self.root(one) == self.root(other)
    }

    /// Makes one set of two; whether they were two.
    pub fn join(&self, one: u32, other: u32) -> bool {
        loop {
            let (one, other) = (self.root(one), self.root(other));
            if one == other {
                return false;
            }
            let (low, high) = (one.min(other), one.max(other));
            let hung = self.parents[high as usize].compare_exchange(
                high,
                low,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            if hung.is_ok() {
                return true;
            }
        }
    }

    fn parent(&self, number: u32) -> u32 {
        self.parents[number as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The closure by repeated relabelling.
    fn naive(count: u32, pairs: &[(u32, u32)]) -> Vec<u32> {
        let mut labels: Vec<u32> = (0..count).collect();
        loop {
            let before = labels.clone();
            for &(a, b) in pairs {
                let least = labels[a as usize].min(labels[b as usize]);
                labels[a as usize] = least;
                labels[b as usize] = least;
            }
            if labels == before {
                return labels;
            }
        }
    }

    proptest! {
        #[test]
        fn sets_are_the_closure_at_any_number_of_threads(
            pairs in prop::collection::vec((0u32..60, 0u32..60), 0..90),
            threads in 1usize..5,
        ) {
            let forest = Forest::new(60);
            std::thread::scope(|scope| {
                for part in pairs.chunks(pairs.len().div_ceil(threads).max(1)) {
                    let forest = &forest;
                    scope.spawn(move || part.iter().for_each(|&(a, b)| { forest.join(a, b); }));
                }
            });
            let roots: Vec<u32> = (0..60).map(|number| forest.root(number)).collect();
            prop_assert_eq!(roots, naive(60, &pairs));
        }
    }

    #[test]
    fn a_join_says_whether_it_did_something() {
        let forest = Forest::new(3);
        assert!(forest.join(2, 1) && !forest.join(1, 2) && !forest.joined(0, 2));
    }
}
