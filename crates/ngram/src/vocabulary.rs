//! The words that a model knows.
//!
//! A word's number is its rank among the known words by hash, so that the file needs the sorted hashes alone to find it,
//! and numbers are spread evenly. Two words of one hash (likely only beyond a billion words) would count as one.
//!
//! **Memory.** Counting: the bytes that [`WordCounts::new`] is told, then 8 bytes a known word.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use crate::words::{Word, folded};

/// What an entry takes beside the word's letters: the table's slot and the letters' allocation.
const OVERHEAD: usize = 64;

/// The keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A word that was counted.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// Of the folded form.
    pub hash: u64,
    /// The folded form.
    pub form: Box<str>,
    /// How often it was seen.
    pub count: u64,
}

/// Counts words.
#[derive(Debug)]
pub struct WordCounts {
    counts: HashMap<u64, (u64, Box<str>), BuildHasherDefault<Same>>,
    bytes: usize,
    limit: usize,
    runs: Vec<BufReader<File>>,
}

impl WordCounts {
    /// Holds about `memory` bytes; what is more goes to temporary files.
    pub fn new(memory: usize) -> Self {
        Self {
            counts: HashMap::default(),
            bytes: 0,
            limit: memory,
            runs: Vec::new(),
        }
    }

    /// Counts one word.
    pub fn push(&mut self, word: Word<'_>) -> io::Result<()> {
        if let Some((count, _)) = self.counts.get_mut(&word.hash) {
            *count += 1;
            return Ok(());
        }
        let form: Box<str> = folded(word.text).collect::<String>().into_boxed_str();
        self.bytes += OVERHEAD + form.len();
        self.counts.insert(word.hash, (1, form));
        if self.bytes > self.limit {
            self.spill()?;
        }
        Ok(())
    }

    fn sorted(&mut self) -> Vec<Counted> {
        let all = std::mem::take(&mut self.counts).into_iter();
        let mut sorted: Vec<Counted> = all
            .map(|(hash, (count, form))| Counted { hash, form, count })
            .collect();
        sorted.sort_unstable();
        self.bytes = 0;
        sorted
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut out = BufWriter::new(tempfile::tempfile()?);
        for Counted { hash, form, count } in self.sorted() {
            out.write_all(&hash.to_le_bytes())?;
            out.write_all(&count.to_le_bytes())?;
            out.write_all(&(form.len() as u64).to_le_bytes())?;
            out.write_all(form.as_bytes())?;
        }
        let mut file = out.into_inner()?;
        file.seek(SeekFrom::Start(0))?;
        self.runs.push(BufReader::new(file));
        Ok(())
    }

    /// Gives all words in ascending order of their hashes.
    pub fn finish(mut self, mut each: impl FnMut(Counted) -> io::Result<()>) -> io::Result<()> {
        if self.runs.is_empty() {
            return self.sorted().into_iter().try_for_each(each);
        }
        self.spill()?;
        let mut heads = BinaryHeap::with_capacity(self.runs.len());
        for (run, file) in self.runs.iter_mut().enumerate() {
            heads.extend(read(file)?.map(|word| Reverse((word, run))));
        }
        let mut last: Option<Counted> = None;
        while let Some(Reverse((word, run))) = heads.pop() {
            heads.extend(read(&mut self.runs[run])?.map(|word| Reverse((word, run))));
            match &mut last {
                Some(last) if last.hash == word.hash => last.count += word.count,
                _ => {
                    if let Some(whole) = last.replace(word) {
                        each(whole)?;
                    }
                }
            }
        }
        last.map_or(Ok(()), each)
    }
}

fn read(file: &mut BufReader<File>) -> io::Result<Option<Counted>> {
    let mut eight = [0; 8];
    match file.read_exact(&mut eight) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let hash = u64::from_le_bytes(eight);
    file.read_exact(&mut eight)?;
    let count = u64::from_le_bytes(eight);
    file.read_exact(&mut eight)?;
    let length = usize::try_from(u64::from_le_bytes(eight)).unwrap_or(usize::MAX);
    let mut form = vec![0; length];
    file.read_exact(&mut form)?;
    let form = String::from_utf8(form)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Some(Counted {
        hash,
        form: form.into_boxed_str(),
        count,
    }))
}

/// The rank of `hash` among `length` ascending hashes, of which `at` gives each.
///
/// Hashes are spread evenly, so a guess between the bounds comes near; the steps that a damaged file may take are
/// bounded.
pub fn rank(length: usize, hash: u64, at: impl Fn(usize) -> u64) -> Option<usize> {
    const GUESSES: u32 = 12;
    let (mut from, mut to) = (0, length);
    let (mut low, mut high) = (0, u64::MAX);
    let mut step = 0;
    while from < to {
        let middle = if step < GUESSES {
            guess(from, to, hash, low, high)
        } else {
            from.midpoint(to)
        };
        let found = at(middle);
        match found.cmp(&hash) {
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Less => (from, low) = (middle + 1, found),
            std::cmp::Ordering::Greater => (to, high) = (middle, found),
        }
        step += 1;
    }
    None
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a guess"
)]
fn guess(from: usize, to: usize, hash: u64, low: u64, high: u64) -> usize {
    let share = hash.saturating_sub(low) as f64 / (high.saturating_sub(low).max(1)) as f64;
    let middle = from + ((to - from) as f64 * share) as usize;
    middle.clamp(from, to - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::words::words;

    proptest! {
        #[test]
        fn a_rank_is_found_wherever_it_is(mut hashes in prop::collection::vec(any::<u64>(), 0..300), other in any::<u64>()) {
            hashes.sort_unstable();
            hashes.dedup();
            for (expected, hash) in hashes.iter().enumerate() {
                prop_assert_eq!(rank(hashes.len(), *hash, |at| hashes[at]), Some(expected));
            }
            prop_assert_eq!(rank(hashes.len(), other, |at| hashes[at]), hashes.binary_search(&other).ok());
        }
    }

    #[test]
    fn counts_do_not_depend_on_memory() {
        let text = "a b a c the heron a b waits The HERON . 12 34 b";
        let mut told = Vec::new();
        for memory in [0, 200, 1 << 20] {
            let mut counts = WordCounts::new(memory);
            for word in words(text) {
                counts.push(word).unwrap();
            }
            let mut all = Vec::new();
            counts
                .finish(|word| {
                    all.push((word.form.into_string(), word.count));
                    Ok(())
                })
                .unwrap();
            told.push(all);
        }
        assert_eq!(told[0], told[1]);
        assert_eq!(told[0], told[2]);
        told[0].sort();
        let expected = [
            (".", 1),
            ("00", 2),
            ("a", 3),
            ("b", 3),
            ("c", 1),
            ("heron", 2),
            ("the", 2),
            ("waits", 1),
        ];
        assert_eq!(
            told[0],
            expected.map(|(form, count)| (form.to_owned(), count))
        );
    }
}
