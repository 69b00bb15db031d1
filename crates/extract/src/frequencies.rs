//! How often each word occurs in a corpus, as a file that is searched where it lies, and the entropy of a sentence by it.
//!
//! The file is an [`fst`] map of words in lower case to their counts, and of two keys that no word has, which begin with
//! U+0000, to the number of words and of sentences. All values add up: the counts of several parts of a corpus are merged
//! by one walk over all of them, which gives the same bytes as counting everything at once would have.
//!
//! Memory: the pages of the map that are touched, which the operating system takes back when it needs them, and 1 MiB a
//! [`Cache`]. Order: sorted by the words' bytes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use fst::map::OpBuilder;
use fst::{MapBuilder, Streamer as _};
use hashbrown::HashMap;
use realsyn_vector::map::Map;
use thiserror::Error;

use crate::word::{self, Word};

/// The key of the number of sentences; the version of the format is part of it.
const SENTENCES: &str = "\0counts/2 sentences";
/// The key of the number of words.
const WORDS: &str = "\0counts/2 words";

/// Why word counts cannot be written or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CountsError {
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else, or cut short, or has changed since it was written.
    #[error("not a whole file of word counts: {0}")]
    Damaged(fst::Error),
    /// It is an fst map of something else.
    #[error("an fst map, but not of word counts in the form of this version")]
    Other,
    /// A word occurs more often than 64 bits can count.
    #[error("the counts add up to more than 2^64")]
    TooMany,
}

impl CountsError {
    /// A stable name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::Damaged(_) => "bad-counts",
            Self::Other => "other-counts",
            Self::TooMany => "too-many-words",
        }
    }
}

impl From<fst::Error> for CountsError {
    fn from(error: fst::Error) -> Self {
        match error {
            fst::Error::Io(error) => Self::Io(error),
            error @ fst::Error::Fst(_) => Self::Damaged(error),
        }
    }
}

/// Where a map lies.
enum Bytes {
    Mapped(Map),
    Owned(Vec<u8>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// The words of a corpus and how often each occurs.
pub struct Frequencies {
    map: fst::Map<Bytes>,
    words: u64,
    sentences: u64,
}

impl Frequencies {
    /// Maps a file into memory and checks all of it against its own checksum, once.
    ///
    /// # Errors
    /// It cannot be mapped, is of another form or version, or is damaged.
    pub fn open(path: &Path) -> Result<Self, CountsError> {
        Self::of(Bytes::Mapped(Map::open(path)?), true)
    }

    fn of(bytes: Bytes, may_be_damaged: bool) -> Result<Self, CountsError> {
        let raw = fst::raw::Fst::new(bytes)?;
        if may_be_damaged {
            raw.verify()?;
        }
        let map = fst::Map::from(raw);
        let (Some(words), Some(sentences)) = (map.get(WORDS), map.get(SENTENCES)) else {
            return Err(CountsError::Other);
        };
        Ok(Self {
            map,
            words,
            sentences,
        })
    }

    /// Counts in memory; `sorted` are words in ascending order, each once.
    pub(crate) fn in_memory<'a>(
        sorted: impl Iterator<Item = (&'a [u8], u64)>,
        words: u64,
        sentences: u64,
    ) -> Result<Self, CountsError> {
        let bytes = build(Vec::new(), sorted, words, sentences)?;
        Self::of(Bytes::Owned(bytes), false)
    }

    /// Counts in a file without a name, which the system removes with the process; otherwise as [`Self::in_memory`].
    pub(crate) fn set_aside<'a>(
        sorted: impl Iterator<Item = (&'a [u8], u64)>,
        words: u64,
        sentences: u64,
    ) -> Result<Self, CountsError> {
        let out = build(temporary()?, sorted, words, sentences)?;
        Self::mapped(out)
    }

    fn mapped(out: BufWriter<File>) -> Result<Self, CountsError> {
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Self::of(Bytes::Mapped(Map::of(&file)?), false)
    }

    /// Writes the sum of `parts` to `out`, in one walk over all of them.
    ///
    /// # Errors
    /// The writer's, or a sum is too large.
    pub fn merge<W: Write>(parts: &[Self], out: W) -> Result<W, CountsError> {
        let mut union = parts
            .iter()
            .map(|part| &part.map)
            .collect::<OpBuilder<'_>>()
            .union();
        let mut builder = MapBuilder::new(out)?;
        while let Some((word, counts)) = union.next() {
            let sum = counts
                .iter()
                .try_fold(0_u64, |sum, count| sum.checked_add(count.value));
            builder.insert(word, sum.ok_or(CountsError::TooMany)?)?;
        }
        Ok(builder.into_inner()?)
    }

    /// The sum of `parts`: one part as it is, several in a temporary file.
    ///
    /// # Errors
    /// The file cannot be written, or a sum is too large.
    pub fn sum(mut parts: Vec<Self>) -> Result<Self, CountsError> {
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return Ok(only);
        }
        if parts.is_empty() {
            return Self::in_memory(std::iter::empty(), 0, 0);
        }
        Self::mapped(Self::merge(&parts, temporary()?)?)
    }

    /// How many words were counted.
    #[must_use]
    pub fn words(&self) -> u64 {
        self.words
    }

    /// How many sentences were counted.
    #[must_use]
    pub fn sentences(&self) -> u64 {
        self.sentences
    }

    /// How many of the words are different.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.map.len().saturating_sub(2)
    }

    /// How often `word`, in lower case, was counted.
    #[must_use]
    pub fn count(&self, word: &str) -> u64 {
        self.map.get(word).unwrap_or(0)
    }

    /// H(x) = −Σ p(w)·log p(w) over the words of the sentence, repeated ones as often as they stand there; p(w) is the
    /// word's relative frequency in the corpus, the logarithm's base is `base`. A word that the corpus does not hold
    /// adds nothing.
    ///
    /// A cache belongs to the frequencies that it was first used with.
    #[must_use]
    pub fn entropy(&self, sentence: &str, base: f64, cache: &mut Cache) -> f64 {
        let Cache { short, long, lower } = cache;
        let mut nats = 0.0;
        word::each(sentence, lower, |word| {
            nats += match word {
                Word::Short(key) => self.short(key, short),
                Word::Long(word) => match long.get(word) {
                    Some(nats) => *nats,
                    None => self.long(word, long),
                },
            };
        });
        nats / base.ln()
    }

    fn short(&self, key: u128, buckets: &mut [Bucket]) -> f64 {
        let bucket = &mut buckets[place(key)].0;
        for slot in &*bucket {
            if slot.key == key {
                return slot.nats;
            }
        }
        let mut buffer = [0; 16];
        let (count, nats) = self.count_and_nats(Word::Short(key).bytes(&mut buffer));
        let slot = Slot { key, nats, count };
        // Frequent words stay: a rare one takes the second place.
        if count >= bucket[0].count {
            bucket[1] = std::mem::replace(&mut bucket[0], slot);
        } else {
            bucket[1] = slot;
        }
        nats
    }

    fn long(&self, word: &str, known: &mut HashMap<Box<str>, f64>) -> f64 {
        if known.len() >= LONG {
            known.clear();
        }
        let (_, nats) = self.count_and_nats(word.as_bytes());
        known.insert(word.into(), nats);
        nats
    }

    /// How often a word was counted, and what it adds to the entropy, in natural logarithms.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a corpus has fewer than 2^53 words"
    )]
    fn count_and_nats(&self, word: &[u8]) -> (u64, f64) {
        let count = self.map.get(word).unwrap_or(0);
        let share = count as f64 / self.words as f64;
        (count, if count > 0 { -share * share.ln() } else { 0.0 })
    }
}

fn temporary() -> io::Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(1 << 18, tempfile::tempfile()?))
}

fn build<'a, W: Write>(
    out: W,
    sorted: impl Iterator<Item = (&'a [u8], u64)>,
    words: u64,
    sentences: u64,
) -> Result<W, CountsError> {
    let mut builder = MapBuilder::new(out)?;
    builder.insert(SENTENCES, sentences)?;
    builder.insert(WORDS, words)?;
    for (word, count) in sorted {
        builder.insert(word, count)?;
    }
    Ok(builder.into_inner()?)
}

/// How many places for two words a cache has.
const BUCKETS: usize = 1 << 14;
/// How many words of more than sixteen bytes it holds.
const LONG: usize = 1 << 12;

/// A word that was looked up; the key of none is 0.
#[derive(Clone, Copy, Default)]
struct Slot {
    key: u128,
    nats: f64,
    count: u64,
}

/// Of the words that belong here, the most frequent one and the last one: a line of the processor's cache.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Bucket([Slot; 2]);

/// What a thread remembers of the words that it met: a search in the map takes about as long as thirty here.
pub struct Cache {
    short: Box<[Bucket]>,
    long: HashMap<Box<str>, f64>,
    lower: String,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            short: vec![Bucket::default(); BUCKETS].into(),
            long: HashMap::new(),
            lower: String::new(),
        }
    }
}

/// Where a word belongs.
#[expect(
    clippy::cast_possible_truncation,
    reason = "halves, and as many bits as there are places"
)]
fn place(key: u128) -> usize {
    let (low, high) = (key as u64, (key >> 64) as u64);
    let product =
        u128::from(low ^ 0x9e37_79b9_7f4a_7c15) * u128::from(high ^ 0xd1b5_4a32_d192_ed03);
    ((product >> 64) as u64 ^ product as u64) as usize % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Counter;

    fn counted(sentences: &[&str]) -> Frequencies {
        let counter = Counter::default();
        counter.add(sentences.iter().copied()).unwrap();
        counter.finish().unwrap()
    }

    fn bytes(part: &Frequencies) -> Vec<u8> {
        part.map.as_fst().as_bytes().to_vec()
    }

    #[test]
    fn entropy_is_the_papers_sum() {
        let counts = counted(&["The cat.", "the dog", "THE Fish"]);
        let mut cache = Cache::default();
        // p(the) = 1/2, the others 1/6.
        let expected = 0.5 + 2.0 / 6.0 * 6_f64.log2();
        // The second time from the cache.
        for _ in 0..2 {
            let found = counts.entropy("The cat, a dog?", 2.0, &mut cache);
            assert!((found - expected).abs() < 1e-12);
        }
        assert!((counts.entropy("the the", 2.0, &mut cache) - 1.0).abs() < 1e-12);
        assert!((counts.entropy("the", 10.0, &mut cache) - 0.5 * 2_f64.log10()).abs() < 1e-12);
        assert!(counts.entropy("Elsewhere", 2.0, &mut cache).abs() < 1e-12);
    }

    #[test]
    fn words_of_any_length_and_case_are_found() {
        let long = "x".repeat(17);
        let longest = "y".repeat(300);
        let text = format!("{long} {longest} ÉCLAIR éclair");
        let counts = counted(&[&text]);
        let mut cache = Cache::default();
        let half = |share: f64| -share * share.log2();
        let expected = 2.0 * half(0.25) + 2.0 * half(0.5);
        assert!((counts.entropy(&text, 2.0, &mut cache) - expected).abs() < 1e-12);
        assert_eq!((counts.count("éclair"), counts.count("x")), (2, 0));
    }

    #[test]
    fn counts_survive_the_file_and_damage_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c");
        let counts = counted(&["One \"two\" ÜBER", "one"]);
        let whole = bytes(&counts);
        std::fs::write(&path, &whole).unwrap();
        let back = Frequencies::open(&path).unwrap();
        assert_eq!((back.words(), back.sentences(), back.distinct()), (4, 2, 3));
        assert_eq!((back.count("one"), back.count("über")), (2, 1));
        let code = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Frequencies::open(&path).err().unwrap().code()
        };
        assert_eq!(code(&whole[..whole.len() - 12]), "bad-counts");
        let mut changed = whole.clone();
        changed[20] ^= 1;
        assert_eq!(code(&changed), "bad-counts");
        assert_eq!(code(b""), "bad-counts");
        assert_eq!(
            code(b"{\"schema\":\"counts/1\"}\n[\"one\",2]\n"),
            "bad-counts"
        );
        let other = fst::Map::from_iter([("one", 2_u64)]).unwrap();
        assert_eq!(code(other.as_fst().as_bytes()), "other-counts");
        assert_eq!(
            Frequencies::open(&dir.path().join("none"))
                .err()
                .unwrap()
                .code(),
            "io"
        );
    }

    #[test]
    fn merging_adds_and_says_when_it_cannot() {
        let parts = [counted(&["a b"]), counted(&[]), counted(&["b c", "c"])];
        let merged = Frequencies::merge(&parts, Vec::new()).unwrap();
        assert_eq!(merged, bytes(&counted(&["b c", "c", "a b"])));
        let full = || Frequencies::in_memory([(&b"a"[..], u64::MAX)].into_iter(), 1, 1).unwrap();
        let error = Frequencies::merge(&[full(), full()], Vec::new()).unwrap_err();
        assert_eq!(error.code(), "too-many-words");
    }
}
