//! The model's file.
//!
//! Little-endian throughout: the magic bytes and the version; the order and the vocabulary's size in bytes (8 bytes each);
//! the number of n-grams of each order (8 bytes each); the vocabulary; then for each order its 256 probabilities and 256
//! back-off weights (single precision), the last words (4 bytes each), the indices of their probabilities and of their
//! back-off weights (1 byte each), and, but for the longest, where their continuations begin (4 bytes each and one more).

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::NgramError;
use crate::estimate::Estimated;
use crate::quantise::Codebook;
use crate::train::{FIRST_WORD, MAX_ORDER};

const MAGIC: &[u8; 8] = b"rsngram\0";
const VERSION: u64 = 1;

/// Writes a model: `words` in ascending order, and what was estimated of each order.
pub fn write<'a>(
    out: &mut impl Write,
    words: impl Iterator<Item = &'a str>,
    levels: &[Estimated],
) -> Result<(), NgramError> {
    let vocabulary = fst::Map::from_iter(words.zip(u64::from(FIRST_WORD)..))?;
    let vocabulary = vocabulary.as_fst().as_bytes();
    let io = |source| NgramError::Io {
        path: PathBuf::from("the model"),
        source,
    };
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((levels.len() as u64).to_le_bytes());
    bytes.extend((vocabulary.len() as u64).to_le_bytes());
    for level in levels {
        bytes.extend((level.words.len() as u64).to_le_bytes());
    }
    bytes.extend(vocabulary);
    out.write_all(&bytes).map_err(io)?;
    for (at, level) in levels.iter().enumerate() {
        let books = [&level.probabilities, &level.backoffs].map(|values| Codebook::of(values));
        bytes.clear();
        for book in &books {
            let padded = book.0.iter().copied().chain(std::iter::repeat(0.0));
            bytes.extend(padded.take(256).flat_map(f32::to_le_bytes));
        }
        bytes.extend(level.words.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(
            level
                .probabilities
                .iter()
                .map(|&value| books[0].index(value)),
        );
        bytes.extend(level.backoffs.iter().map(|&value| books[1].index(value)));
        if at + 1 < levels.len() {
            bytes.extend(level.children.iter().flat_map(|child| child.to_le_bytes()));
        }
        out.write_all(&bytes).map_err(io)?;
    }
    Ok(())
}

/// Where the parts of one order lie.
#[derive(Debug)]
pub struct Level {
    /// How many n-grams.
    pub grams: usize,
    pub probability: Vec<f32>,
    pub backoff: Vec<f32>,
    pub words: usize,
    pub probabilities: usize,
    pub backoffs: usize,
    /// Of the longest order: the end of the file.
    pub children: usize,
}

/// Where the parts of a file lie.
#[derive(Debug)]
pub struct Layout {
    pub vocabulary: Range<usize>,
    pub levels: Vec<Level>,
}

/// Checks the header of a model's bytes against their number.
pub fn layout(path: &Path, bytes: &[u8]) -> Result<Layout, NgramError> {
    let wrong = |reason: &str| NgramError::Format {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    if bytes.get(..8) != Some(MAGIC) {
        return Err(wrong("not an n-gram model"));
    }
    let truncated = || wrong("the model is truncated");
    let number = |at: usize| -> Result<usize, NgramError> {
        let eight = bytes
            .get(at..at + 8)
            .and_then(|eight| eight.try_into().ok());
        let value = u64::from_le_bytes(eight.ok_or_else(truncated)?);
        usize::try_from(value).map_err(|_| truncated())
    };
    if number(8)? as u64 != VERSION {
        return Err(wrong("the model is of another version of this program"));
    }
    let order = number(16)?;
    if !(2..=MAX_ORDER).contains(&order) {
        return Err(wrong(
            "the model's order is not one that this program knows",
        ));
    }
    let mut grams = Vec::with_capacity(order);
    for n in 0..order {
        grams.push(number(32 + 8 * n)?);
    }
    let mut at = 32 + 8 * order;
    let mut part = |number: usize, size: usize| -> Result<Range<usize>, NgramError> {
        let start = at;
        let end = number
            .checked_mul(size)
            .and_then(|length| at.checked_add(length));
        at = end
            .filter(|end| *end <= bytes.len())
            .ok_or_else(truncated)?;
        Ok(start..at)
    };
    let vocabulary = part(number(24)?, 1)?;
    let mut levels = Vec::with_capacity(order);
    for (n, &grams) in grams.iter().enumerate() {
        let (probability, backoff) = (part(256, 4)?, part(256, 4)?);
        let is_longest = n + 1 == order;
        levels.push(Level {
            grams,
            probability: floats(&bytes[probability]),
            backoff: floats(&bytes[backoff]),
            words: part(grams, 4)?.start,
            probabilities: part(grams, 1)?.start,
            backoffs: part(grams, 1)?.start,
            children: part(if is_longest { 0 } else { grams + 1 }, 4)?.start,
        });
    }
    if at != bytes.len() {
        return Err(wrong("there are bytes after the model's end"));
    }
    Ok(Layout { vocabulary, levels })
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let four = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    bytes.chunks_exact(4).map(four).collect()
}
