//! From counts to probabilities, and from probabilities to the tree on disk.
//!
//! Interpolated modified Kneser-Ney: `p(w | c) = (count(c w) − D) / Σ count(c ·) + γ(c) p(w | c′)`, where c′ is c without its
//! first word and γ(c) is what the discounts D leave over. The n-grams lie in the order of their endings ([`crate::counts`]),
//! in which an n-gram follows the shorter one that it is interpolated with. Sums over a context need the order of contexts:
//! each order is sorted twice.
//!
//! **Memory.** Two sorting buffers and the continuations of one context. All sums go in sorted order, so no byte depends
//! on the buffers or the number of threads.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use crate::counts::Counts;
use crate::discount::Discounts;
use crate::quantise::Histogram;
use crate::sort::{Merged, Record, Sorter, Stream, count, set_count};
use crate::train::MAX_ORDER;
use crate::trie::{Entry, LevelWriter, Shape};

/// How much memory and how many threads.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// Bytes of one sorting buffer.
    pub buffer: usize,
    /// Threads.
    pub jobs: usize,
}

/// Numbers in a temporary file.
#[derive(Debug)]
struct Numbers(BufReader<File>);

#[derive(Debug)]
struct NumbersWriter(BufWriter<File>);

impl NumbersWriter {
    fn new() -> io::Result<Self> {
        Ok(Self(BufWriter::new(tempfile::tempfile()?)))
    }

    fn push(&mut self, number: u64) -> io::Result<()> {
        self.0.write_all(&number.to_le_bytes())
    }

    fn read(self) -> io::Result<Numbers> {
        let mut numbers = Numbers(BufReader::new(self.0.into_inner()?));
        numbers.rewind()?;
        Ok(numbers)
    }
}

impl Numbers {
    fn rewind(&mut self) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(0)).map(drop)
    }

    /// The next number; there is one for each n-gram of its order.
    fn next(&mut self) -> io::Result<u64> {
        let mut eight = [0; 8];
        self.0.read_exact(&mut eight)?;
        Ok(u64::from_le_bytes(eight))
    }
}

/// One order whose probabilities are known and whose longer n-grams are not yet.
struct Level {
    grams: Stream,
    probabilities: Numbers,
    /// Of the logarithms.
    histogram: Histogram,
}

/// Estimates all orders and writes each level of the tree as soon as it is whole.
pub fn build(counts: Counts, shape: &Shape, means: Means, out: &mut impl Write) -> io::Result<()> {
    let discounts: Vec<Discounts> = counts.seen.iter().copied().map(Discounts::of).collect();
    let mut levels = counts.levels.into_iter();
    let Some(grams) = levels.next() else {
        return Ok(());
    };
    let mut below = first(grams, discounts[0], shape.begin)?;
    for (at, mut grams) in (1..).zip(levels) {
        let (shares, backoffs, book) =
            shares(&mut grams, at + 1, discounts[at], &mut below, means)?;
        let (level, children) = interpolate(shares, grams, at + 1, &mut below)?;
        write_level(below, Some((backoffs, book, children)), shape, at - 1, out)?;
        below = level;
    }
    write_level(below, None, shape, shape.grams.len() - 1, out)
}

/// The first order: what words give up is shared evenly by all that can come, the unknown among them.
fn first(mut grams: Stream, discounts: Discounts, begin: u32) -> io::Result<Level> {
    let (mut sum, mut given, mut words) = (0.0, 0.0, 0.0);
    grams.rewind()?;
    while let Some(gram) = grams.next()? {
        if gram[0] != begin {
            sum += real(count(&gram));
            given += discounts.at(count(&gram));
            words += 1.0;
        }
    }
    let even = given / sum / words;
    let mut probabilities = NumbersWriter::new()?;
    let mut histogram = Histogram::default();
    grams.rewind()?;
    while let Some(gram) = grams.next()? {
        // Nothing asks for the beginning's.
        let own = if gram[0] == begin {
            0.0
        } else {
            (real(count(&gram)) - discounts.at(count(&gram))) / sum
        };
        let probability = own + even;
        probabilities.push(probability.to_bits())?;
        histogram.add(logarithm(probability));
    }
    Ok(Level {
        grams,
        probabilities: probabilities.read()?,
        histogram,
    })
}

/// For each n-gram of `order`, in the order of endings, its own share of the probability and γ of its context; and for each
/// n-gram of the order below the logarithm of γ, with the histogram of these.
fn shares(
    grams: &mut Stream,
    order: usize,
    discounts: Discounts,
    below: &mut Level,
    means: Means,
) -> io::Result<(Merged, Numbers, Histogram)> {
    let context = order - 1;
    let mut by_context = Sorter::new(means.buffer, means.jobs, false);
    grams.rewind()?;
    while let Some(gram) = grams.next()? {
        let mut turned = Record::default();
        turned[..context].copy_from_slice(&gram[1..order]);
        turned[context] = gram[0];
        set_count(&mut turned, count(&gram));
        by_context.push(turned)?;
    }
    let mut by_context = by_context.finish()?;
    let mut by_ending = Sorter::new(means.buffer, means.jobs, false);
    let mut backoffs = NumbersWriter::new()?;
    let mut histogram = Histogram::default();
    let mut next = by_context.next()?;
    let mut group: Vec<Record> = Vec::new();
    below.grams.rewind()?;
    while let Some(shorter) = below.grams.next()? {
        group.clear();
        while let Some(turned) = next
            && turned[..context] == shorter[..context]
        {
            group.push(turned);
            next = by_context.next()?;
        }
        let sum: f64 = group.iter().map(|turned| real(count(turned))).sum();
        let given: f64 = group.iter().map(|turned| discounts.at(count(turned))).sum();
        // A context that nothing followed takes the shorter one's word for everything.
        let left = if group.is_empty() { 1.0 } else { given / sum };
        let backoff = logarithm(left);
        histogram.add(backoff);
        backoffs.push(u64::from(backoff.to_bits()))?;
        for turned in &group {
            let mut record = Record::default();
            record[0] = turned[context];
            record[1..order].copy_from_slice(&turned[..context]);
            let own = (real(count(turned)) - discounts.at(count(turned))) / sum;
            record[MAX_ORDER] = single(own).to_bits();
            record[MAX_ORDER + 1] = single(left).to_bits();
            by_ending.push(record)?;
        }
    }
    debug_assert!(next.is_none(), "every context is an n-gram");
    Ok((by_ending.finish()?, backoffs.read()?, histogram))
}

/// The probabilities of `order`, from its shares and the probabilities of the order below; and for each n-gram of the order
/// below the place of its first child.
fn interpolate(
    mut shares: Merged,
    grams: Stream,
    order: usize,
    below: &mut Level,
) -> io::Result<(Level, Numbers)> {
    let mut probabilities = NumbersWriter::new()?;
    let mut children = NumbersWriter::new()?;
    let mut histogram = Histogram::default();
    below.grams.rewind()?;
    below.probabilities.rewind()?;
    let mut place = 0;
    let mut next = shares.next()?;
    while let Some(shorter) = below.grams.next()? {
        children.push(place)?;
        let lower = f64::from_bits(below.probabilities.next()?);
        while let Some(record) = next
            && record[..order - 1] == shorter[..order - 1]
        {
            let [own, left] = [MAX_ORDER, MAX_ORDER + 1].map(|at| f32::from_bits(record[at]));
            let probability = f64::from(left).mul_add(lower, f64::from(own));
            probabilities.push(probability.to_bits())?;
            histogram.add(logarithm(probability));
            place += 1;
            next = shares.next()?;
        }
    }
    debug_assert!(next.is_none(), "every ending is an n-gram");
    let level = Level {
        grams,
        probabilities: probabilities.read()?,
        histogram,
    };
    Ok((level, children.read()?))
}

/// Writes one level of the tree; all but the longest have back-off weights and children.
fn write_level(
    mut level: Level,
    longer: Option<(Numbers, Histogram, Numbers)>,
    shape: &Shape,
    at: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    let probability = level.histogram.codebook();
    let backoff = longer
        .as_ref()
        .map(|(_, histogram, _)| histogram.codebook());
    let mut longer = longer.map(|(backoffs, _, children)| (backoffs, children));
    let mut writer = LevelWriter::new(shape, at, &probability, backoff.as_ref(), out)?;
    level.grams.rewind()?;
    level.probabilities.rewind()?;
    while let Some(gram) = level.grams.next()? {
        let log = logarithm(f64::from_bits(level.probabilities.next()?));
        let mut entry = Entry {
            word: gram[at],
            probability: probability.index(log),
            ..Entry::default()
        };
        if let (Some((backoffs, children)), Some(book)) = (&mut longer, &backoff) {
            let bits = u32::try_from(backoffs.next()?).unwrap_or(0);
            entry.backoff = book.index(f32::from_bits(bits));
            entry.child = children.next()?;
        }
        writer.push(entry)?;
    }
    writer.finish()
}

#[expect(clippy::cast_precision_loss, reason = "2^53 words were never written")]
fn real(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, reason = "single precision is kept")]
fn single(share: f64) -> f32 {
    share as f32
}

fn logarithm(probability: f64) -> f32 {
    single(probability.ln())
}
