//! Counting the words of a corpus in bounded memory.
//!
//! Threads share a [`Counter`]. Each document is counted into one of its tables; a table that is full is sorted and set
//! aside in a temporary file, and at the end all are merged. Counts are sums: the result depends neither on the threads nor
//! on the order.
//!
//! Memory: about 50 bytes a distinct word, at most 64 MiB a thread; the temporary files have about 9 bytes a word each.

use std::hash::BuildHasher as _;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::frequencies::{CountsError, Frequencies};
use crate::word;

/// How many distinct words a table holds before it is set aside.
const WORDS: usize = 1 << 20;
/// How many bytes of words.
const BYTES: usize = 1 << 24;

/// Counts words for any number of threads.
#[derive(Default)]
pub struct Counter {
    tables: Mutex<Vec<Table>>,
    full: Mutex<Vec<Frequencies>>,
}

impl Counter {
    /// Counts the words of some sentences, in lower case.
    ///
    /// # Errors
    /// A table was full and could not be set aside.
    pub fn add<'a>(&self, sentences: impl IntoIterator<Item = &'a str>) -> Result<(), CountsError> {
        let mut table = locked(&self.tables).pop().unwrap_or_default();
        for sentence in sentences {
            table.add(sentence);
            if table.entries.len() >= WORDS || table.bytes.len() >= BYTES {
                self.set_aside(&mut table)?;
            }
        }
        locked(&self.tables).push(table);
        Ok(())
    }

    fn set_aside(&self, table: &mut Table) -> Result<(), CountsError> {
        let sorted = table.sorted().into_iter();
        let set_aside = Frequencies::set_aside(sorted, table.words, table.sentences)?;
        locked(&self.full).push(set_aside);
        table.clear();
        Ok(())
    }

    /// The sum of everything.
    ///
    /// # Errors
    /// A temporary file cannot be written.
    pub fn finish(self) -> Result<Frequencies, CountsError> {
        Frequencies::sum(self.parts()?)
    }

    /// Writes the sum of everything as a file that [`Frequencies::open`] reads.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(self, out: impl Write) -> Result<(), CountsError> {
        let mut parts = self.parts()?;
        if parts.is_empty() {
            parts.push(Frequencies::sum(Vec::new())?);
        }
        Frequencies::merge(&parts, out)?;
        Ok(())
    }

    fn parts(self) -> Result<Vec<Frequencies>, CountsError> {
        let mut parts = self
            .full
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for table in self
            .tables
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            let sorted = table.sorted().into_iter();
            parts.push(Frequencies::in_memory(
                sorted,
                table.words,
                table.sentences,
            )?);
        }
        Ok(parts)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A thread that panicked between two documents left a whole list.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts in memory: the words stand one after the other in `bytes`.
#[derive(Default)]
struct Table {
    entries: HashTable<Entry>,
    hasher: DefaultHashBuilder,
    bytes: Vec<u8>,
    lower: String,
    sentences: u64,
    words: u64,
}

struct Entry {
    start: usize,
    length: usize,
    count: u64,
}

impl Entry {
    fn word<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start..self.start + self.length]
    }
}

impl Table {
    fn add(&mut self, sentence: &str) {
        self.sentences += 1;
        let Self {
            entries,
            hasher,
            bytes,
            lower,
            words,
            ..
        } = self;
        word::each(sentence, lower, |word| {
            *words += 1;
            let mut buffer = [0; 16];
            let word = word.bytes(&mut buffer);
            let hash = hasher.hash_one(word);
            if let Some(entry) = entries.find_mut(hash, |entry| entry.word(bytes) == word) {
                entry.count += 1;
                return;
            }
            let entry = Entry {
                start: bytes.len(),
                length: word.len(),
                count: 1,
            };
            bytes.extend_from_slice(word);
            entries.insert_unique(hash, entry, |entry| hasher.hash_one(entry.word(bytes)));
        });
    }

    fn sorted(&self) -> Vec<(&[u8], u64)> {
        let mut sorted: Vec<(&[u8], u64)> = self
            .entries
            .iter()
            .map(|entry| (entry.word(&self.bytes), entry.count))
            .collect();
        sorted.sort_unstable();
        sorted
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        (self.sentences, self.words) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(counter: Counter) -> Vec<u8> {
        let mut out = Vec::new();
        counter.write(&mut out).unwrap();
        out
    }

    #[test]
    fn no_sentence_is_a_file_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c");
        std::fs::write(&path, written(Counter::default())).unwrap();
        let none = Frequencies::open(&path).unwrap();
        assert_eq!((none.words(), none.sentences(), none.distinct()), (0, 0, 0));
    }

    #[test]
    fn full_tables_change_nothing() {
        let sentences: Vec<String> = (0..400).map(|n| format!("w{} the {n}", n % 40)).collect();
        let whole = Counter::default();
        whole.add(sentences.iter().map(String::as_str)).unwrap();
        let parts = Counter::default();
        for some in sentences.chunks(50) {
            parts.add(some.iter().map(String::as_str)).unwrap();
            let mut table = locked(&parts.tables).pop().unwrap();
            parts.set_aside(&mut table).unwrap();
            locked(&parts.tables).push(table);
        }
        assert_eq!(locked(&parts.full).len(), 8);
        assert_eq!(written(parts), written(whole));
    }

    proptest! {
        #[test]
        fn merging_parts_gives_the_whole(
            sentences in proptest::collection::vec("[a-cA-CéÉ ]{0,12}", 0..12),
            cut in 0_usize..12,
        ) {
            let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
            let cut = cut.min(sentences.len());
            let whole = Counter::default();
            whole.add(sentences.iter().copied()).unwrap();
            let parts = [&sentences[cut..], &sentences[..cut]].map(|part| {
                let counter = Counter::default();
                counter.add(part.iter().copied()).unwrap();
                counter.finish().unwrap()
            });
            prop_assert_eq!(Frequencies::merge(&parts, Vec::new()).unwrap(), written(whole));
        }
    }
}
