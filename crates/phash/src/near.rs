//! Sentences that are nearly the same: min-hash with banding, every candidate checked.
//!
//! A sentence is the set of runs of five characters of its normal form (the whole of a shorter one). Two sets are as
//! alike as their Jaccard index says, |A ∩ B| / |A ∪ B|. A min-hash (Broder 1997) of two sets is equal with that
//! probability; rows of them are put together into bands (Indyk, Motwani 1998), and sentences that share a band are
//! compared in full. So there is no false pair, and a pair at the threshold is missed with the probability
//! (1 − tʳ)ᵇ, which is below 1%; pairs that are more alike are missed far less often.
//!
//! Memory: for each distinct sentence its normal form, 4 bytes a band (12 bands at 0.8) and 8 bytes; while a band is
//! searched, 8 bytes more. The hash functions are fixed: nothing depends on order, threads or parts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::search::Part;
use crate::{Graph, TextKey};

/// Characters of a shingle.
const SHINGLE: usize = 5;
/// min-hashes at most.
const HASHES: u32 = 128;
/// A pair at the threshold is found at least so often.
const RECALL: f64 = 0.99;

/// What counts as nearly the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    threshold: f64,
    bands: u32,
    rows: u32,
}

/// A threshold that is no Jaccard index, or so low that its pairs cannot be found.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("a Jaccard index of {0} is not between 0.2 and 1")]
pub struct BadThreshold(f64);

impl BadThreshold {
    /// The stable name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "bad-threshold"
    }
}

impl Near {
    /// Sentences whose Jaccard index is at least `threshold`, from 0.2 to 1.
    ///
    /// # Errors
    /// Another threshold.
    pub fn new(threshold: f64) -> Result<Self, BadThreshold> {
        if !(0.2..=1.0).contains(&threshold) {
            return Err(BadThreshold(threshold));
        }
        // The more rows a band has, the fewer candidates it makes; as many as leave the recall.
        let fits = |rows: u32| {
            let bands =
                (1..=HASHES / rows).find(|&bands| recall(threshold, bands, rows) >= RECALL)?;
            Some(Self {
                threshold,
                bands,
                rows,
            })
        };
        (1..=8).rev().find_map(fits).ok_or(BadThreshold(threshold))
    }

    /// The probability that a pair exactly at the threshold is found.
    #[must_use]
    pub fn recall(&self) -> f64 {
        recall(self.threshold, self.bands, self.rows)
    }

    /// The bands of a sentence, given its normal form.
    #[must_use]
    pub fn bands(&self, normal: &str) -> Vec<u32> {
        let shingles: Vec<u32> = shingles(normal).into_iter().map(fold).collect();
        (0..self.bands)
            .map(|band| {
                #[expect(clippy::cast_possible_truncation, reason = "the low half of a mix")]
                let low = |number: u64| mix(number) as u32;
                let rows = band * self.rows..(band + 1) * self.rows;
                rows.fold(0, |key: u32, row| {
                    // A different order of all 32-bit numbers for each row.
                    let (factor, term) = (low(u64::from(row)) | 1, low(!u64::from(row)));
                    let least = shingles
                        .iter()
                        .map(|&shingle| shingle.wrapping_mul(factor).wrapping_add(term))
                        .min();
                    low(u64::from(key) << 32 | u64::from(least.unwrap_or_default()))
                })
            })
            .collect()
    }

    /// Whether two normal forms are nearly the same.
    fn are_near(&self, one: &[u128], other: &[u128]) -> bool {
        let (mut a, mut b, mut common) = (0, 0, 0_u32);
        while let (Some(x), Some(y)) = (one.get(a), other.get(b)) {
            common += u32::from(x == y);
            (a, b) = (a + usize::from(x <= y), b + usize::from(y <= x));
        }
        let all = one.len() + other.len();
        #[expect(clippy::cast_precision_loss, reason = "sentences are not that long")]
        let all = all as f64 - f64::from(common);
        f64::from(common) >= self.threshold * all
    }
}

fn recall(threshold: f64, bands: u32, rows: u32) -> f64 {
    let power = |base: f64, times: u32| (0..times).fold(1.0, |product, _| product * base);
    1.0 - power(1.0 - power(threshold, rows), bands)
}

/// The runs of five characters, each as one number, sorted and without repeats.
fn shingles(normal: &str) -> Vec<u128> {
    // A character has 21 bits. The one bit on top tells shorter texts apart.
    let pack = |run: &[char]| {
        run.iter()
            .fold(1, |sum, &c| sum << 21 | u128::from(u32::from(c)))
    };
    let characters: Vec<char> = normal.chars().collect();
    if characters.len() <= SHINGLE {
        return vec![pack(&characters)];
    }
    let mut all: Vec<u128> = characters.windows(SHINGLE).map(pack).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[expect(clippy::cast_possible_truncation, reason = "halves of a number")]
fn fold(shingle: u128) -> u32 {
    mix(mix((shingle >> 64) as u64) ^ shingle as u64) as u32
}

/// The finaliser of `SplitMix64`.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// The distinct sentences among which near ones are looked for.
#[derive(Debug)]
pub struct Texts {
    near: Near,
    keys: Vec<TextKey>,
    /// All normal forms, one behind the other.
    normals: String,
    ends: Vec<usize>,
    /// By band, then by sentence.
    bands: Vec<Vec<u32>>,
}

impl Texts {
    /// None yet.
    #[must_use]
    pub fn new(near: Near) -> Self {
        let bands = vec![Vec::new(); near.bands as usize];
        Self {
            near,
            keys: Vec::new(),
            normals: String::new(),
            ends: Vec::new(),
            bands,
        }
    }

    /// Adds a sentence that is not among them, with the bands that [`Near::bands`] gives for its normal form.
    pub fn push(&mut self, key: TextKey, normal: &str, bands: &[u32]) {
        self.keys.push(key);
        self.normals.push_str(normal);
        self.ends.push(self.normals.len());
        for (all, &band) in self.bands.iter_mut().zip(bands) {
            all.push(band);
        }
    }

    /// Joins the sentences that are near each other, as far as `part` of the search finds them.
    pub fn search(&self, graph: &Graph<TextKey>, part: Part, jobs: usize) {
        for (number, keys) in (0..).zip(&self.bands) {
            if part.has(number) {
                self.search_band(keys, graph, jobs);
            }
        }
    }

    fn search_band(&self, keys: &[u32], graph: &Graph<TextKey>, jobs: usize) {
        let mut sorted: Vec<(u32, u32)> = keys.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let runs: Vec<&[(u32, u32)]> = sorted
            .chunk_by(|one, other| one.0 == other.0)
            .filter(|run| run.len() > 1)
            .collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.search_run(run, graph);
            }
        };
        thread::scope(|scope| {
            for _ in 1..jobs {
                scope.spawn(work);
            }
            work();
        });
    }

    /// Compares sentences that share a band, all with all that are not joined already.
    fn search_run(&self, run: &[(u32, u32)], graph: &Graph<TextKey>) {
        let node = |text: u32| graph.node(self.keys[text as usize]);
        let nodes: Vec<u32> = run.iter().filter_map(|&(_, text)| node(text)).collect();
        let mut sets: Vec<Option<Vec<u128>>> = vec![None; run.len()];
        for b in 1..nodes.len() {
            for a in 0..b {
                if graph.sets().are_joined(nodes[a], nodes[b]) {
                    continue;
                }
                let (before, from_b) = sets.split_at_mut(b);
                let one = before[a].get_or_insert_with(|| shingles(self.normal(run[a].1)));
                let other = from_b[0].get_or_insert_with(|| shingles(self.normal(run[b].1)));
                if self.near.are_near(one, other) {
                    graph.sets().join(nodes[a], nodes[b]);
                }
            }
        }
    }

    fn normal(&self, text: u32) -> &str {
        let end = |text: usize| self.ends[text];
        let start = (text as usize).checked_sub(1).map_or(0, end);
        &self.normals[start..end(text as usize)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal_form;

    fn texts(near: &Near, all: &[String]) -> (Texts, Graph<TextKey>) {
        let mut texts = Texts::new(near.clone());
        for text in all {
            texts.push(TextKey::of(text), text, &near.bands(text));
        }
        let keys = all.iter().map(|text| TextKey::of(text)).collect();
        (texts, Graph::new(keys).unwrap())
    }

    fn is_near(threshold: f64, one: &str, other: &str) -> bool {
        let near = Near::new(threshold).unwrap();
        near.are_near(&shingles(one), &shingles(other))
    }

    #[test]
    fn the_plan_keeps_its_recall() {
        for (threshold, bands, rows) in [(0.8, 25, 5), (0.9, 15, 8), (1.0, 1, 8)] {
            let near = Near::new(threshold).unwrap();
            assert!(near.recall() >= RECALL && near.bands * near.rows <= HASHES);
            assert!(near.bands <= bands && near.rows >= rows, "{near:?}");
        }
        for bad in [0.0, 0.1, 1.1, f64::NAN] {
            assert_eq!(Near::new(bad).unwrap_err().code(), "bad-threshold");
        }
    }

    #[test]
    fn the_index_is_jaccards() {
        // 5 and 5 shingles, 3 in common.
        assert!(is_near(3.0 / 7.0, "abcdefghi", "cdefghijk"));
        assert!(!is_near(3.0 / 7.0 + 1e-9, "abcdefghi", "cdefghijk"));
        assert!(!is_near(0.2, "ab", "abc"));
        assert!(is_near(1.0, "ab", "ab"));
    }

    /// Sentences of made-up words, each followed by copies with some words changed.
    fn variants() -> Vec<String> {
        let mut state = 3_u64;
        let mut random = |below: u64| {
            state = mix(state);
            state % below
        };
        let mut all = Vec::new();
        for _ in 0..150 {
            let words: Vec<String> = (0..8 + random(12))
                .map(|_| format!("w{:x}", random(1 << 20)))
                .collect();
            for changed in 0..3 {
                let mut copy = words.clone();
                for _ in 0..changed {
                    let place = usize::try_from(random(copy.len() as u64)).unwrap();
                    copy[place] = format!("v{:x}", random(1 << 20));
                }
                all.push(normal_form(&copy.join(" ")));
            }
        }
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn near_sentences_are_found_and_no_others_at_any_cut() {
        let all = variants();
        let near = Near::new(0.6).unwrap();
        let sets: Vec<_> = all.iter().map(|text| shingles(text)).collect();
        let (texts, graph) = texts(&near, &all);
        texts.search(&graph, Part::ALL, 2);
        let (mut wanted, mut found) = (0, 0);
        let exact = Graph::new(all.iter().map(|text| TextKey::of(text)).collect()).unwrap();
        for (a, one) in sets.iter().enumerate() {
            for (b, other) in sets.iter().enumerate().skip(a + 1) {
                if near.are_near(one, other) {
                    let (a, b) = (TextKey::of(&all[a]), TextKey::of(&all[b]));
                    exact.join(a, b);
                    wanted += 1;
                    let node = |key| graph.node(key).unwrap();
                    found += u32::from(graph.sets().are_joined(node(a), node(b)));
                }
            }
        }
        assert!(wanted > 100, "{wanted} pairs");
        assert!(
            f64::from(found) >= 0.98 * f64::from(wanted),
            "{found} of {wanted}"
        );
        // What is joined, the exact closure joins too.
        for (one, other) in graph.edges() {
            let node = |key| exact.node(key).unwrap();
            assert!(exact.sets().are_joined(node(one), node(other)));
        }
        let merged = Graph::new(graph.nodes().to_vec()).unwrap();
        for part in ["1/3", "2/3", "3/3"] {
            let shard = Graph::new(graph.nodes().to_vec()).unwrap();
            texts.search(&shard, part.parse().unwrap(), 1);
            for (one, other) in shard.edges() {
                merged.join(one, other);
            }
        }
        assert!(merged.edges().eq(graph.edges()));
    }
}
