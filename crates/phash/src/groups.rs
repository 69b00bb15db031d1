//! Which record of each group of duplicates stays.
//!
//! Memory: for each record its id, 16 bytes and its key (8 bytes for a picture's, 16 for a sentence's); with the
//! verdicts 4 bytes more, 4 a node and 8 a group. Order: the verdict on a record depends on the set of records alone; only records
//! that share even their id are told apart by which came first.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::Graph;

/// Records that may be duplicates of one another: those with one key are, and those with keys that a [`Graph`] joins.
///
/// Of each group the record with the highest rank stays; of equally ranked ones, the one with the smallest id by bytes.
#[derive(Debug)]
pub struct Members<K> {
    /// All ids, one behind the other.
    ids: String,
    ends: Vec<usize>,
    ranks: Vec<u64>,
    keys: Vec<K>,
}

impl<K> Default for Members<K> {
    fn default() -> Self {
        Self {
            ids: String::new(),
            ends: Vec::new(),
            ranks: Vec::new(),
            keys: Vec::new(),
        }
    }
}

impl<K: Ord + Copy> Members<K> {
    /// Adds a record.
    pub fn push(&mut self, id: &str, rank: u64, key: K) {
        self.ids.push_str(id);
        self.ends.push(self.ids.len());
        self.ranks.push(rank);
        self.keys.push(key);
    }

    /// The key of record `number`, counted from 0.
    #[must_use]
    pub fn key(&self, number: usize) -> Option<K> {
        self.keys.get(number).copied()
    }

    /// The keys of all records, with their repeats.
    #[must_use]
    pub fn keys(&self) -> &[K] {
        &self.keys
    }

    /// Decides, once all that is to be joined in `graph` is. Each record's key must be one of its nodes.
    #[must_use]
    pub fn decide(self, graph: &Graph<K>) -> Verdicts<K> {
        let mut group_of_root = vec![NONE; graph.nodes().len()];
        let mut best: Vec<usize> = Vec::new();
        let mut group = Vec::with_capacity(self.keys.len());
        for (number, &key) in self.keys.iter().enumerate() {
            let root = graph.root(key).unwrap_or_default();
            let slot = &mut group_of_root[root as usize];
            if *slot == NONE {
                *slot = as_group(best.len());
                best.push(number);
            } else if self.order(number, best[*slot as usize]) == Ordering::Less {
                best[*slot as usize] = number;
            }
            group.push(*slot);
        }
        Verdicts {
            members: self,
            group_of_root,
            group,
            best,
            before: HashMap::new(),
        }
    }

    /// Less is better: a higher rank, then the smaller id, then earlier.
    fn order(&self, one: usize, other: usize) -> Ordering {
        let higher = self.ranks[other].cmp(&self.ranks[one]);
        higher
            .then_with(|| self.id(one).cmp(self.id(other)))
            .then(one.cmp(&other))
    }

    fn id(&self, number: usize) -> &str {
        let start = number
            .checked_sub(1)
            .map_or(0, |previous| self.ends[previous]);
        &self.ids[start..self.ends[number]]
    }
}

/// The group of a root without records.
const NONE: u32 = u32::MAX;

/// What becomes of each record, by its number in the order of the pushes.
#[derive(Debug)]
pub struct Verdicts<K> {
    members: Members<K>,
    /// The group of each root of the graph, [`NONE`] where no record has it.
    group_of_root: Vec<u32>,
    /// The group of each record.
    group: Vec<u32>,
    /// The best record of each group.
    best: Vec<usize>,
    /// The groups that an earlier run has kept a record of, and its id.
    before: HashMap<u32, Box<str>>,
}

impl<K: Ord + Copy> Verdicts<K> {
    /// Says that an earlier run saw `key` and kept the record `id` for it: of a group that it belongs to in `graph`, no
    /// record stays. Of several such ids a duplicate is told the smallest.
    pub fn keep_before(&mut self, graph: &Graph<K>, key: K, id: &str) {
        let group = graph
            .root(key)
            .map(|root| self.group_of_root[root as usize]);
        let Some(group) = group.filter(|&group| group != NONE) else {
            return;
        };
        let least = self.before.entry(group).or_insert_with(|| id.into());
        if id < &**least {
            *least = id.into();
        }
    }

    /// The key of record `number`.
    #[must_use]
    pub fn key(&self, number: usize) -> Option<K> {
        self.members.key(number)
    }

    /// The id of the record that stays in place of record `number`; `None` when it stays itself.
    #[must_use]
    pub fn dup_of(&self, number: usize) -> Option<&str> {
        let group = *self.group.get(number)?;
        if let Some(id) = self.before.get(&group) {
            return Some(id);
        }
        let best = *self.best.get(group as usize)?;
        (best != number).then(|| self.members.id(best))
    }

    /// How many records stay.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.best.len() - self.before.len()
    }

    /// Each key with the id of the record that stays for it, in the order of the keys: what a later run should know.
    #[must_use]
    pub fn seen(&self) -> Vec<(K, &str)> {
        let id = |number: usize| {
            self.dup_of(number)
                .unwrap_or_else(|| self.members.id(number))
        };
        let mut seen: Vec<(K, &str)> = self
            .members
            .keys
            .iter()
            .enumerate()
            .map(|(number, &key)| (key, id(number)))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }
}

/// Group numbers are 32-bit: there are no more groups than nodes of a graph.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn as_group(number: usize) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::Part;

    type Picture = (String, u64, u64);

    /// Id and kept id of each, sorted; the search cut into parts, whose edges a last run joins.
    fn verdicts(
        pictures: &[Picture],
        radius: u32,
        parts: u32,
        jobs: usize,
    ) -> Vec<(String, Option<String>)> {
        let mut images = Members::default();
        for (id, area, hash) in pictures {
            images.push(id, *area, *hash);
        }
        let whole = Graph::new(images.keys().to_vec()).unwrap();
        for number in 1..=parts {
            let part = format!("{number}/{parts}").parse::<Part>().unwrap();
            let graph = Graph::new(images.keys().to_vec()).unwrap();
            graph.search(radius, part, jobs).unwrap();
            for (one, other) in graph.edges() {
                whole.join(one, other);
            }
        }
        decided(pictures, &images.decide(&whole))
    }

    /// By pairs of shards: each job sees the records of two shards alone.
    fn by_pairs_of_shards(
        pictures: &[Picture],
        radius: u32,
        shards: usize,
    ) -> Vec<(String, Option<String>)> {
        let mut images = Members::default();
        for (id, area, hash) in pictures {
            images.push(id, *area, *hash);
        }
        let whole = Graph::new(images.keys().to_vec()).unwrap();
        for one in 0..shards {
            for other in one..shards {
                let of = |n: &usize| n % shards == one || n % shards == other;
                let keys = (0..pictures.len()).filter(of).map(|n| pictures[n].2);
                let graph = Graph::new(keys.collect()).unwrap();
                graph.search(radius, Part::ALL, 1).unwrap();
                for (a, b) in graph.edges() {
                    whole.join(a, b);
                }
            }
        }
        decided(pictures, &images.decide(&whole))
    }

    fn decided(pictures: &[Picture], verdicts: &Verdicts<u64>) -> Vec<(String, Option<String>)> {
        let mut all: Vec<_> = (0..pictures.len())
            .map(|n| (pictures[n].0.clone(), verdicts.dup_of(n).map(str::to_owned)))
            .collect();
        let kept = all.iter().filter(|(_, dup_of)| dup_of.is_none()).count();
        assert_eq!(verdicts.kept(), kept);
        all.sort();
        all
    }

    /// The definition: the closure by repeated relabelling, the best by sorting.
    fn naive(pictures: &[Picture], radius: u32) -> Vec<(String, Option<String>)> {
        let mut label: Vec<usize> = (0..pictures.len()).collect();
        loop {
            let before = label.clone();
            for a in 0..label.len() {
                for b in 0..label.len() {
                    if (pictures[a].2 ^ pictures[b].2).count_ones() <= radius {
                        label[b] = label[b].min(label[a]);
                    }
                }
            }
            if label == before {
                break;
            }
        }
        let mut all = Vec::new();
        for (n, picture) in pictures.iter().enumerate() {
            let best = (0..label.len())
                .filter(|&other| label[other] == label[n])
                .min_by_key(|&other| (std::cmp::Reverse(pictures[other].1), &pictures[other].0))
                .unwrap();
            all.push((
                picture.0.clone(),
                (best != n).then(|| pictures[best].0.clone()),
            ));
        }
        all.sort();
        all
    }

    fn pictures() -> impl Strategy<Value = Vec<Picture>> {
        let one = (0_u64..4, prop::collection::vec(0_u32..64, 0..10));
        prop::collection::vec(one, 0..60).prop_map(|members| {
            members
                .into_iter()
                .enumerate()
                .map(|(n, (area, flips))| {
                    let hash = flips.iter().fold(0_u64, |hash, bit| hash ^ 1 << bit);
                    (format!("d{}/i{n}", n % 7), area, hash)
                })
                .collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn groups_are_the_closure_at_any_sharding_and_any_number_of_threads(
            pictures in pictures(),
            radius in 0_u32..9,
            parts in 1_u32..5,
            shards in 1_usize..4,
            jobs in 1_usize..4,
        ) {
            let wanted = naive(&pictures, radius);
            prop_assert_eq!(verdicts(&pictures, radius, parts, jobs), wanted.clone());
            prop_assert_eq!(by_pairs_of_shards(&pictures, radius, shards), wanted);
        }

        #[test]
        fn the_order_of_the_input_does_not_matter(
            (one, other) in pictures().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
            radius in 0_u32..9,
        ) {
            prop_assert_eq!(verdicts(&one, radius, 1, 2), verdicts(&other, radius, 2, 1));
        }

        #[test]
        fn what_was_seen_comes_back_as_what_was_kept(pictures in pictures(), radius in 0_u32..9) {
            let mut images = Members::default();
            for (id, area, hash) in &pictures {
                images.push(id, *area, *hash);
            }
            let graph = Graph::new(images.keys().to_vec()).unwrap();
            graph.search(radius, Part::ALL, 1).unwrap();
            let first = images.decide(&graph);
            let seen = first.seen();
            let mut again = Members::default();
            for (id, area, hash) in &pictures {
                again.push(&format!("new/{id}"), *area, *hash);
            }
            let mut second = again.decide(&graph);
            for (key, id) in seen {
                second.keep_before(&graph, key, id);
            }
            prop_assert_eq!(second.kept(), 0);
            for (n, (id, _, _)) in pictures.iter().enumerate() {
                let kept = first.dup_of(n).unwrap_or(id);
                prop_assert_eq!(second.dup_of(n), Some(kept));
            }
        }
    }

    #[test]
    fn a_chain_joins_its_ends_and_the_first_of_equal_ids_stays() {
        let chain = [("b", 9, 0), ("a", 9, 0b11), ("c", 10, 0b1111)];
        let chain = chain.map(|(id, area, hash)| (id.to_owned(), area, hash));
        let joined = verdicts(&chain, 2, 1, 1);
        assert_eq!(
            joined
                .iter()
                .filter(|(_, dup)| dup.as_deref() == Some("c"))
                .count(),
            2
        );
        let apart = verdicts(&chain, 1, 1, 1);
        assert!(apart.iter().all(|(_, dup)| dup.is_none()));

        let mut images = Members::default();
        images.push("x", 1, 5_u64);
        images.push("x", 1, 5);
        let graph = Graph::new(images.keys().to_vec()).unwrap();
        let verdicts = images.decide(&graph);
        assert_eq!((verdicts.dup_of(0), verdicts.dup_of(1)), (None, Some("x")));
        assert_eq!(verdicts.dup_of(2), None);
    }
}
