//! The best sentences of a query, and which sentence is better.

use std::cmp::Ordering;

use realsyn_vector::kernel::LANES;

use crate::{Index, Options};

/// One sentence found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Hit {
    /// The sentence's place in the index.
    pub sentence: usize,
    /// The inner product of the query and the sentence's half-precision vector.
    pub cos: f32,
}

/// A sentence found, with what it is compared by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    pub hit: Hit,
    rank: f32,
    key: u64,
}

/// Better entries are smaller: by rank, then by id.
fn compare<B: AsRef<[u8]>>(index: &Index<B>, a: &Entry, b: &Entry) -> Ordering {
    let by_id = || index.id(a.hit.sentence).cmp(index.id(b.hit.sentence));
    b.rank
        .total_cmp(&a.rank)
        .then_with(by_id)
        .then(a.hit.sentence.cmp(&b.hit.sentence))
}

/// Puts an entry among the first `held` of `slots`, which are sorted and have no two texts of one key, unless it is
/// worse than all of them and there is no slot left. Gives how many are held then. The outcome of many insertions does
/// not depend on their order.
pub fn insert<B: AsRef<[u8]>>(
    index: &Index<B>,
    slots: &mut [Entry],
    mut held: usize,
    entry: Entry,
) -> usize {
    let twin = slots[..held]
        .iter()
        .position(|other| other.key == entry.key);
    if let Some(twin) = twin {
        if compare(index, &entry, &slots[twin]).is_ge() {
            return held;
        }
        slots[twin..held].rotate_left(1);
        held -= 1;
    } else if held == slots.len() {
        match slots.last() {
            Some(last) if compare(index, &entry, last).is_lt() => held -= 1,
            _ => return held,
        }
    }
    let place = slots[..held].partition_point(|other| compare(index, other, &entry).is_lt());
    slots[place..=held].rotate_right(1);
    slots[place] = entry;
    held + 1
}

/// The best sentences of one query so far.
pub struct Best<'a, B> {
    index: &'a Index<B>,
    options: &'a Options,
    /// The query's document, if the index has sentences of it and it matters.
    doc: Option<u32>,
    slots: Vec<Entry>,
    held: usize,
    /// No cosine below this can enter.
    bar: f32,
}

impl<'a, B: AsRef<[u8]>> Best<'a, B> {
    pub fn new(index: &'a Index<B>, options: &'a Options, doc: Option<u32>) -> Self {
        Self {
            index,
            options,
            doc: doc.filter(|_| options.asks_doc()),
            slots: vec![Entry::default(); options.top_k],
            held: 0,
            bar: options.min_cos.unwrap_or(f32::NEG_INFINITY),
        }
    }

    /// What has been found, best first.
    pub fn entries(&self) -> &[Entry] {
        &self.slots[..self.held]
    }

    /// Looks at sentences that follow one another.
    pub fn look(&mut self, first: usize, scores: &[f32]) {
        for (scores, first) in scores.chunks(LANES).zip((first..).step_by(LANES)) {
            // Most sentences fall below the bar: one pass over the lanes without a branch finds out.
            let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            if largest >= self.bar {
                for (&cos, sentence) in scores.iter().zip(first..) {
                    if cos >= self.bar {
                        self.offer(Hit { sentence, cos });
                    }
                }
            }
        }
    }

    fn offer(&mut self, hit: Hit) {
        let (options, index) = (self.options, self.index);
        let is_own = self.doc.is_some_and(|doc| index.doc(hit.sentence) == doc);
        if options.top_k == 0 || (is_own && options.exclude_same_doc) {
            return;
        }
        let rank = if is_own {
            hit.cos + options.same_doc_boost
        } else {
            hit.cos
        };
        let key = index.key(hit.sentence);
        self.held = insert(index, &mut self.slots, self.held, Entry { hit, rank, key });
        if self.held == options.top_k
            && let Some(last) = self.slots.last()
        {
            // A sentence of the own document may rank higher than its cosine. The bar is set a little too low rather than
            // too high, as the subtraction rounds.
            let boost = options.same_doc_boost.max(0.0);
            let bar = if boost > 0.0 {
                last.rank - boost - 1e-6
            } else {
                last.rank
            };
            self.bar = self.bar.max(bar);
        }
    }
}
