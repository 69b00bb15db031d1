//! Which record of each group of duplicates stays.
//!
//! Memory: see [`Images`] and [`Sentences`]. Order: the verdict on a record depends on the set of records alone; only
//! records that share even their id are told apart by which came first.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::{TextKey, TooMany, pairs};

/// Pictures, to be joined where their hashes lie near each other. 24 bytes a picture besides its id.
///
/// Two pictures within the radius are duplicates, and duplicates of duplicates are (union-find, so a chain of small
/// steps joins its ends). The largest of a group stays; of equally large ones, the one with the smallest id by bytes.
#[derive(Debug, Default)]
pub struct Images {
    /// All ids, one behind the other.
    ids: String,
    ends: Vec<usize>,
    areas: Vec<u64>,
    hashes: Vec<u64>,
}

/// Sentences, to be joined where their normal forms are equal. The one with the smallest id by bytes stays.
///
/// 4 bytes a sentence, and for each distinct one its id and about 60 bytes.
#[derive(Debug, Default)]
pub struct Sentences {
    by_key: HashMap<TextKey, usize>,
    verdicts: Verdicts,
}

/// What becomes of each record, by its number in the order of the pushes.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// The group of each record.
    group: Vec<u32>,
    /// The record of each group that stays, and its id.
    kept: Vec<(usize, Box<str>)>,
}

impl Verdicts {
    /// The id of the record that stays in place of record `number`; `None` when it stays itself.
    #[must_use]
    pub fn dup_of(&self, number: usize) -> Option<&str> {
        let (kept, id) = self.kept.get(*self.group.get(number)? as usize)?;
        (*kept != number).then_some(id)
    }

    /// How many records stay.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept.len()
    }
}

impl Images {
    /// Adds a picture.
    pub fn push(&mut self, id: &str, area: u64, hash: u64) {
        self.ids.push_str(id);
        self.ends.push(self.ids.len());
        self.areas.push(area);
        self.hashes.push(hash);
    }

    /// The hash of picture `number`, counted from 0.
    #[must_use]
    pub fn hash(&self, number: usize) -> Option<u64> {
        self.hashes.get(number).copied()
    }

    /// Joins the pictures whose hashes differ in at most `radius` bits.
    ///
    /// # Errors
    /// [`TooMany`] distinct hashes.
    pub fn join(&self, radius: u32) -> Result<Verdicts, TooMany> {
        // Equal hashes are one node; a million blank pictures would make 10¹² pairs.
        let mut nodes = self.hashes.clone();
        nodes.sort_unstable();
        nodes.dedup();
        let mut sets = Sets::new(nodes.len());
        pairs(&nodes, radius, |a, b| sets.join(a, b))?;

        let mut group_of_root = vec![u32::MAX; nodes.len()];
        let mut best: Vec<usize> = Vec::new();
        let mut group = Vec::with_capacity(self.hashes.len());
        for (number, hash) in self.hashes.iter().enumerate() {
            // Every hash is among the nodes.
            let node = nodes.binary_search(hash).unwrap_or_default();
            let slot = &mut group_of_root[sets.root(as_node(node)) as usize];
            if *slot == u32::MAX {
                *slot = as_node(best.len());
                best.push(number);
            } else if self.order(number, best[*slot as usize]) == Ordering::Less {
                best[*slot as usize] = number;
            }
            group.push(*slot);
        }
        let kept = best
            .into_iter()
            .map(|number| (number, self.id(number).into()))
            .collect();
        Ok(Verdicts { group, kept })
    }

    /// Less is better: larger, then the smaller id, then earlier.
    fn order(&self, one: usize, other: usize) -> Ordering {
        let larger = self.areas[other].cmp(&self.areas[one]);
        larger
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

impl Sentences {
    /// Adds a sentence.
    pub fn push(&mut self, id: &str, key: TextKey) {
        let Verdicts { group, kept } = &mut self.verdicts;
        let (number, next) = (group.len(), kept.len());
        let slot = *self.by_key.entry(key).or_insert(next);
        match kept.get_mut(slot) {
            None => kept.push((number, id.into())),
            Some(best) if id < &*best.1 => *best = (number, id.into()),
            Some(_) => {}
        }
        group.push(as_node(slot));
    }

    /// Which sentences stay.
    #[must_use]
    pub fn join(self) -> Verdicts {
        self.verdicts
    }
}

/// Node and group numbers are 32-bit: [`pairs`] refuses more nodes, and no machine holds more distinct sentences.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn as_node(number: usize) -> u32 {
    number as u32
}

/// Union-find with path halving; the smaller root wins.
struct Sets {
    parent: Vec<u32>,
}

impl Sets {
    fn new(count: usize) -> Self {
        Self {
            parent: (0..as_node(count)).collect(),
        }
    }

    fn root(&mut self, mut node: u32) -> u32 {
        while self.parent[node as usize] != node {
            let above = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = above;
            node = above;
        }
        node
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        self.parent[one.max(other) as usize] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Picture = (String, u64, u64);

    /// Id and kept id of each, sorted.
    fn verdicts(pictures: &[Picture], radius: u32) -> Vec<(String, Option<String>)> {
        let mut images = Images::default();
        for (id, area, hash) in pictures {
            images.push(id, *area, *hash);
        }
        let verdicts = images.join(radius).unwrap();
        let mut all: Vec<_> = (0..pictures.len())
            .map(|n| (pictures[n].0.clone(), verdicts.dup_of(n).map(str::to_owned)))
            .collect();
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
        fn groups_are_the_closure(pictures in pictures(), radius in 0_u32..9) {
            prop_assert_eq!(verdicts(&pictures, radius), naive(&pictures, radius));
        }

        #[test]
        fn the_order_of_the_input_does_not_matter(
            (one, other) in pictures().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
            radius in 0_u32..9,
        ) {
            prop_assert_eq!(verdicts(&one, radius), verdicts(&other, radius));
        }

        #[test]
        fn sentences_keep_the_smallest_id(texts in prop::collection::vec("[ab]{0,2}", 0..30)) {
            let mut sentences = Sentences::default();
            // Ids that do not rise with the input.
            let id = |n: usize| format!("s{:03}", n * 37 % 101);
            for (n, text) in texts.iter().enumerate() {
                sentences.push(&id(n), TextKey::of(text));
            }
            let verdicts = sentences.join();
            for (n, text) in texts.iter().enumerate() {
                let least = (0..texts.len()).filter(|&m| texts[m] == *text).map(id).min().unwrap();
                let expected = (least != id(n)).then_some(least.as_str());
                prop_assert_eq!(verdicts.dup_of(n), expected);
            }
        }
    }

    #[test]
    fn a_chain_joins_its_ends_and_the_first_of_equal_ids_stays() {
        let chain = [("b", 9, 0), ("a", 9, 0b11), ("c", 10, 0b1111)];
        let chain = chain.map(|(id, area, hash)| (id.to_owned(), area, hash));
        let joined = verdicts(&chain, 2);
        assert_eq!(
            joined
                .iter()
                .filter(|(_, dup)| dup.as_deref() == Some("c"))
                .count(),
            2
        );
        assert!(verdicts(&chain, 1).iter().all(|(_, dup)| dup.is_none()));

        let mut images = Images::default();
        images.push("x", 1, 5);
        images.push("x", 1, 5);
        let verdicts = images.join(0).unwrap();
        assert_eq!((verdicts.dup_of(0), verdicts.dup_of(1)), (None, Some("x")));
        assert_eq!(verdicts.dup_of(2), None);
    }
}
