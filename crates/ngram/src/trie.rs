//! The n-grams of a model as a tree on disk, from the last word to the first.
//!
//! **The file's part.** Little-endian: the order, the size of the vocabulary and the number of n-grams of each order (8
//! bytes each); then for each order its 256 probabilities (single precision, natural logarithms), but for the longest as
//! many back-off weights, and its entries, one bit after the other: the word (not in the first order, whose entries are
//! all words), the index of the probability and, but for the longest, the index of the back-off weight and the place of
//! the first child, which is also where the last entry's children end. Each order begins at a multiple of 8 bytes.
//!
//! **Memory.** The pages that are touched. Nothing in a damaged file is trusted to be inside it.

use std::io::{self, Write};

use crate::quantise::{Codebook, VALUES};
use crate::train::MAX_ORDER;

/// What is known of a tree before its probabilities are.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The number of a sentence's beginning.
    pub begin: u32,
    /// All words' numbers are smaller.
    pub vocabulary: u32,
    /// How many n-grams each order has.
    pub grams: Vec<u64>,
}

impl Shape {
    /// Writes the head.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let sizes = [self.grams.len() as u64, u64::from(self.vocabulary)];
        for number in sizes.iter().chain(&self.grams) {
            out.write_all(&number.to_le_bytes())?;
        }
        Ok(())
    }
}

/// How wide the fields of a level's entries are, in bits.
#[derive(Clone, Copy, Debug)]
struct Widths {
    word: u32,
    backoff: u32,
    child: u32,
}

impl Widths {
    fn of(vocabulary: u64, grams: &[u64], at: usize) -> Self {
        let bits = |most: u64| u64::BITS - most.leading_zeros();
        let next = grams.get(at + 1);
        Self {
            word: if at == 0 { 0 } else { bits(vocabulary) },
            backoff: if next.is_some() { 8 } else { 0 },
            child: next.map_or(0, |&next| bits(next)),
        }
    }

    fn entry(self) -> u64 {
        u64::from(self.word + 8 + self.backoff + self.child)
    }

    /// The bytes of `entries` entries, with room to read 8 at the last one.
    fn bytes(self, entries: u64) -> Option<u64> {
        let bits = entries.checked_mul(self.entry())?;
        bits.div_ceil(8).checked_add(8)?.checked_next_multiple_of(8)
    }
}

/// So few entries lie together: halving them fetches little more.
const NARROW: usize = 16;
/// How often a place is guessed before the rest is halved.
const ROUNDS: usize = 4;

/// One n-gram.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    /// Its first word.
    pub word: u32,
    /// The index of its probability.
    pub probability: u8,
    /// The index of its back-off weight.
    pub backoff: u8,
    /// The place of its first child.
    pub child: u64,
}

/// Writes the entries of one order.
#[derive(Debug)]
pub struct LevelWriter<'a, W: Write> {
    out: &'a mut W,
    widths: Widths,
    /// Where the children end, if there are any.
    end: Option<u64>,
    bits: u128,
    held: u32,
    written: u64,
    expected: u64,
}

impl<'a, W: Write> LevelWriter<'a, W> {
    /// Begins level `at` of a tree.
    pub fn new(
        shape: &Shape,
        at: usize,
        probability: &Codebook,
        backoff: Option<&Codebook>,
        out: &'a mut W,
    ) -> io::Result<Self> {
        for book in std::iter::once(probability).chain(backoff) {
            let padded = book.0.iter().copied().chain(std::iter::repeat(0.0));
            for value in padded.take(VALUES) {
                out.write_all(&value.to_le_bytes())?;
            }
        }
        let widths = Widths::of(u64::from(shape.vocabulary), &shape.grams, at);
        let end = shape.grams.get(at + 1).copied();
        let entries = shape.grams[at] + u64::from(end.is_some());
        Ok(Self {
            out,
            widths,
            end,
            bits: 0,
            held: 0,
            written: 0,
            expected: widths.bytes(entries).unwrap_or(u64::MAX),
        })
    }

    /// Appends an entry.
    pub fn push(&mut self, entry: Entry) -> io::Result<()> {
        let widths = self.widths;
        self.put(u64::from(entry.word), widths.word)?;
        self.put(u64::from(entry.probability), 8)?;
        self.put(u64::from(entry.backoff), widths.backoff)?;
        self.put(entry.child, widths.child)
    }

    fn put(&mut self, value: u64, width: u32) -> io::Result<()> {
        if width == 0 {
            return Ok(());
        }
        self.bits |= u128::from(value) << self.held;
        self.held += width;
        while self.held >= 64 {
            let low = self.bits & u128::from(u64::MAX);
            self.out.write_all(&low.to_le_bytes()[..8])?;
            self.written += 8;
            self.bits >>= 64;
            self.held -= 64;
        }
        Ok(())
    }

    /// Ends the level.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(end) = self.end {
            self.push(Entry {
                child: end,
                ..Entry::default()
            })?;
        }
        while self.written < self.expected {
            self.out.write_all(&self.bits.to_le_bytes()[..8])?;
            self.bits = 0;
            self.written += 8;
        }
        Ok(())
    }
}

/// Where the entries of one order lie.
#[derive(Debug)]
struct Level {
    start: usize,
    grams: usize,
    widths: Widths,
    entry: usize,
    probability: Vec<f32>,
    backoff: Vec<f32>,
}

/// A tree in a mapped file.
#[derive(Debug)]
pub struct Trie {
    levels: Vec<Level>,
}

/// What comes before the next word: the last words that the model has seen together, the last first.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    words: [u32; MAX_ORDER - 1],
    /// Of the last word, the last two, ...
    backoffs: [f32; MAX_ORDER - 1],
    length: usize,
}

impl Trie {
    /// Reads the head at `start`; gives the tree and where it ends. None: the file ends before.
    pub fn open(bytes: &[u8], start: usize) -> Option<(Self, usize)> {
        let number = |at: usize| eight(bytes, at);
        let order = usize::try_from(number(start)?).ok()?;
        if !(2..=MAX_ORDER).contains(&order) {
            return None;
        }
        let vocabulary = number(start.checked_add(8)?)?;
        let mut grams = Vec::with_capacity(order);
        for at in 0..order {
            grams.push(number(start + 16 + 8 * at)?);
        }
        if grams[0] != vocabulary || u32::try_from(vocabulary).is_err() {
            return None;
        }
        let mut at = start + 16 + 8 * order;
        let mut levels = Vec::with_capacity(order);
        for level in 0..order {
            let widths = Widths::of(vocabulary, &grams, level);
            let is_longest = level + 1 == order;
            if widths.child > 57 {
                return None;
            }
            let mut book = || -> Option<Vec<f32>> {
                let end = at + 4 * VALUES;
                let found = bytes.get(at..end)?.chunks_exact(4);
                at = end;
                Some(
                    found
                        .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
                        .collect(),
                )
            };
            let probability = book()?;
            let backoff = if is_longest { Vec::new() } else { book()? };
            let entries = grams[level].checked_add(u64::from(!is_longest))?;
            let length = usize::try_from(widths.bytes(entries)?).ok()?;
            levels.push(Level {
                start: at,
                grams: usize::try_from(grams[level]).ok()?,
                widths,
                entry: usize::try_from(widths.entry()).ok()?,
                probability,
                backoff,
            });
            at = at.checked_add(length).filter(|end| *end <= bytes.len())?;
        }
        Some((Self { levels }, at))
    }

    /// The length of the longest n-grams.
    pub fn order(&self) -> usize {
        self.levels.len()
    }

    /// How many n-grams there are of each order.
    pub fn grams(&self) -> impl Iterator<Item = usize> {
        self.levels.iter().map(|level| level.grams)
    }

    /// The context that `word` alone is.
    pub fn context(&self, bytes: &[u8], word: u32) -> Context {
        let mut context = Context {
            words: [0; MAX_ORDER - 1],
            backoffs: [0.0; MAX_ORDER - 1],
            length: 0,
        };
        let _ = self.next(bytes, &mut context, word);
        context
    }

    /// The logarithm of the probability of `word` after `context`, which then ends with `word`.
    pub fn next(&self, bytes: &[u8], context: &mut Context, word: u32) -> f32 {
        let before = *context;
        let order = self.levels.len();
        let first = &self.levels[0];
        let mut place = (word as usize).min(first.grams.saturating_sub(1));
        let mut log = first.probability(bytes, place);
        let mut length = 1;
        context.words[0] = word;
        context.backoffs[0] = first.backoff(bytes, place);
        // A longer n-gram was seen only if its ending and its context were.
        while length < order && length <= before.length {
            let (shorter, longer) = (&self.levels[length - 1], &self.levels[length]);
            let (from, to) = shorter.children(bytes, place, longer.grams);
            let seeker = Seeker {
                at: 0,
                word: u64::from(before.words[length - 1]),
                from,
                to,
                low: 0,
                high: 0,
            };
            let Some(found) = longer.settle(bytes, seeker) else {
                break;
            };
            place = found;
            log = longer.probability(bytes, place);
            if length + 1 < order {
                context.words[length] = before.words[length - 1];
                context.backoffs[length] = longer.backoff(bytes, place);
            }
            length += 1;
        }
        for weight in &before.backoffs[(length - 1).min(before.length)..before.length] {
            log += weight;
        }
        context.length = length.min(order - 1);
        log
    }
}

/// Where one word's longer n-gram is looked for.
#[derive(Clone, Copy, Debug)]
struct Seeker {
    /// The place of the word in the sentence.
    at: usize,
    /// The word before the n-gram that is known.
    word: u64,
    from: usize,
    to: usize,
    /// Words at or before `from`, and at or behind `to`.
    low: u64,
    high: u64,
}

/// The longest n-gram that ends with a word of the sentence.
#[derive(Clone, Copy, Debug)]
struct Found {
    log: f32,
    length: usize,
    /// Of the last word, the last two, ...
    backoffs: [f32; MAX_ORDER - 1],
}

/// Room that is used again from sentence to sentence.
#[derive(Clone, Debug, Default)]
pub struct Room {
    seekers: Vec<Seeker>,
    found: Vec<Found>,
}

impl Trie {
    /// The sum of the logarithms of the probabilities of all words but the first, each behind those before it.
    ///
    /// As [`Self::next`] for each word, but order by order for all words together: searches that do not wait for one
    /// another let the processor fetch from memory for many of them at once, which is what a large model's time goes into.
    pub fn sentence(&self, bytes: &[u8], words: &[u32], room: &mut Room) -> f64 {
        let order = self.levels.len();
        let Room { seekers, found } = room;
        seekers.clear();
        found.clear();
        let first = &self.levels[0];
        for (at, &word) in words.iter().enumerate() {
            let place = (word as usize).min(first.grams.saturating_sub(1));
            let mut backoffs = [0.0; MAX_ORDER - 1];
            backoffs[0] = first.backoff(bytes, place);
            found.push(Found {
                log: first.probability(bytes, place),
                length: 1,
                backoffs,
            });
            seekers.extend(self.seeker(bytes, words, at, 0, place));
        }
        for length in 1..order {
            let level = &self.levels[length];
            for _ in 0..ROUNDS {
                for seeker in seekers.iter_mut() {
                    level.approach(bytes, seeker);
                }
            }
            let mut kept = 0;
            for seeker in 0..seekers.len() {
                let at = seekers[seeker].at;
                let Some(place) = level.settle(bytes, seekers[seeker]) else {
                    continue;
                };
                let found = &mut found[at];
                found.log = level.probability(bytes, place);
                found.length = length + 1;
                if length + 1 < order {
                    found.backoffs[length] = level.backoff(bytes, place);
                    if let Some(next) = self.seeker(bytes, words, at, length, place) {
                        seekers[kept] = next;
                        kept += 1;
                    }
                }
            }
            seekers.truncate(kept);
        }
        let pairs = found.windows(2);
        pairs
            .map(|pair| f64::from(pair[1].behind(&pair[0], order)))
            .sum()
    }

    /// Looks on from the n-gram at `place` of `level`, which ends with word `at`.
    fn seeker(
        &self,
        bytes: &[u8],
        words: &[u32],
        at: usize,
        level: usize,
        place: usize,
    ) -> Option<Seeker> {
        let word = u64::from(*words.get(at.checked_sub(level + 1)?)?);
        let longer = &self.levels[level + 1];
        let (from, to) = self.levels[level].children(bytes, place, longer.grams);
        (from < to).then_some(Seeker {
            at,
            word,
            from,
            to,
            low: 0,
            high: 1 << longer.widths.word,
        })
    }
}

impl Found {
    /// The logarithm of the probability behind the word that `before` was found for.
    fn behind(&self, before: &Self, order: usize) -> f32 {
        let known = before.length.min(order - 1);
        let mut log = self.log;
        for weight in &before.backoffs[(self.length - 1).min(known)..known] {
            log += weight;
        }
        log
    }
}

impl Level {
    /// Guesses a place once and narrows the bounds, without a branch that waits for what is there.
    ///
    /// Words are numbered by their hashes, so they are spread evenly over any entries, and a place between the bounds'
    /// words is guessed well.
    fn approach(&self, bytes: &[u8], seeker: &mut Seeker) {
        let width = seeker.to.saturating_sub(seeker.from);
        if width <= NARROW {
            return;
        }
        let range = seeker.high.saturating_sub(seeker.low).max(1);
        let share = seeker.word.saturating_sub(seeker.low) * (width as u64) / range;
        let middle = seeker.from + usize::try_from(share).unwrap_or(0).min(width - 1);
        let there = self.bits(bytes, middle, 0, self.widths.word);
        let is_behind = there <= seeker.word;
        seeker.from = if is_behind { middle } else { seeker.from };
        seeker.low = if is_behind { there } else { seeker.low };
        seeker.to = if is_behind { seeker.to } else { middle };
        seeker.high = if is_behind { seeker.high } else { there };
    }

    /// The place of the seeker's word between its bounds.
    fn settle(&self, bytes: &[u8], seeker: Seeker) -> Option<usize> {
        let Seeker {
            word,
            mut from,
            mut to,
            ..
        } = seeker;
        while from < to {
            let middle = from.midpoint(to);
            let there = self.bits(bytes, middle, 0, self.widths.word);
            match there.cmp(&word) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }

    /// `width` bits, `offset` bits into entry `at`.
    fn bits(&self, bytes: &[u8], at: usize, offset: u32, width: u32) -> u64 {
        let bit = at * self.entry + offset as usize;
        let all = eight(bytes, self.start + bit / 8).unwrap_or(0);
        (all >> (bit % 8)) & ((1 << width) - 1)
    }

    fn index(&self, bytes: &[u8], at: usize, offset: u32) -> usize {
        usize::try_from(self.bits(bytes, at, offset, 8)).unwrap_or(0)
    }

    fn probability(&self, bytes: &[u8], at: usize) -> f32 {
        self.probability[self.index(bytes, at, self.widths.word)]
    }

    fn backoff(&self, bytes: &[u8], at: usize) -> f32 {
        self.backoff[self.index(bytes, at, self.widths.word + 8)]
    }

    /// Where the children of entry `at` begin and end, of `grams` in the next order.
    fn children(&self, bytes: &[u8], at: usize, grams: usize) -> (usize, usize) {
        let child = |at: usize| {
            let place = self.bits(bytes, at, self.widths.word + 16, self.widths.child);
            usize::try_from(place).unwrap_or(0).min(grams)
        };
        (child(at), child(at + 1))
    }
}

/// The number at byte `at`.
pub fn eight(bytes: &[u8], at: usize) -> Option<u64> {
    let eight = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(eight.try_into().ok()?))
}
