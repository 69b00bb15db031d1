//! From sentences to a model file.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::NgramError;
use crate::counts::{self, count_all};
use crate::estimate::{Means, build};
use crate::file;
use crate::sort::Sorter;
use crate::trie::Shape;
use crate::unknown::{ALPHABET, LOOKS, WORD_BEGIN, WORD_END, look, spell};
use crate::vocabulary::{WordCounts, rank};
use crate::words::words;

/// The longest n-grams that a model may have.
pub const MAX_ORDER: usize = 5;

/// The number of a sentence's beginning: the first ones are the looks of unknown words.
pub const BEGIN: u32 = LOOKS;
/// The number of a sentence's end.
pub const END: u32 = LOOKS + 1;
/// The number of the first word.
pub const FIRST_WORD: u32 = LOOKS + 2;

/// The longest n-grams of letters, by which unknown words are spelt.
const SPELLING: usize = 5;

/// Ends a sentence in the spool; no word has this look.
const STOP: u8 = u8::MAX;

/// How a model is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainOptions {
    /// How many words the longest n-grams have, 2 to [`MAX_ORDER`].
    pub order: usize,
    /// Rarer words are known by their look alone.
    pub min_count: u64,
    /// About how many bytes to use.
    pub memory: usize,
    /// How many threads sort.
    pub jobs: usize,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            order: MAX_ORDER,
            min_count: 2,
            memory: 1 << 30,
            jobs: 1,
        }
    }
}

/// What a model was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many sentences.
    pub sentences: u64,
    /// How many words, numbers and marks they hold.
    pub words: u64,
    /// How many of them the model knows.
    pub vocabulary: usize,
    /// How many different n-grams of order 1, 2, ... the model holds.
    pub ngrams: Vec<u64>,
}

/// Gathers sentences.
#[derive(Debug)]
pub struct Trainer {
    options: TrainOptions,
    counts: WordCounts,
    /// The look and the hash of each word.
    spool: BufWriter<File>,
    sentences: u64,
    words: u64,
}

impl Trainer {
    /// For a model as `options` say.
    ///
    /// # Errors
    /// The order is not 2 to [`MAX_ORDER`], or there is no temporary file to be had.
    pub fn new(options: TrainOptions) -> Result<Self, NgramError> {
        if !(2..=MAX_ORDER).contains(&options.order) {
            return Err(NgramError::Order {
                order: options.order,
                max: MAX_ORDER,
            });
        }
        Ok(Self {
            options,
            counts: WordCounts::new(options.memory / 2),
            spool: BufWriter::new(tempfile::tempfile().map_err(temporary)?),
            sentences: 0,
            words: 0,
        })
    }

    /// Whether there is nothing to learn from yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sentences == 0
    }

    /// Adds one sentence; one without words is left out.
    ///
    /// # Errors
    /// The disk is full.
    pub fn push(&mut self, sentence: &str) -> Result<(), NgramError> {
        self.add(sentence).map_err(temporary)
    }

    fn add(&mut self, sentence: &str) -> io::Result<()> {
        let before = self.words;
        for word in words(sentence) {
            let look = look(word.text, self.words == before);
            self.counts.push(word)?;
            self.spool.write_all(&[u8::try_from(look).unwrap_or(0)])?;
            self.spool.write_all(&word.hash.to_le_bytes())?;
            self.words += 1;
        }
        if self.words > before {
            self.spool.write_all(&[STOP; 9])?;
            self.sentences += 1;
        }
        Ok(())
    }

    /// Estimates the model and writes its file to `out`.
    ///
    /// # Errors
    /// There was no sentence, or the model or a temporary file cannot be written.
    pub fn write(self, out: &mut impl Write) -> Result<Summary, NgramError> {
        if self.is_empty() {
            return Err(NgramError::Empty);
        }
        let Self {
            options,
            counts,
            spool,
            sentences,
            words,
        } = self;
        let means = Means {
            buffer: options.memory / 3,
            jobs: options.jobs,
        };
        let mut letters = Sorter::new(means.buffer, means.jobs, true);
        let mut known = Vec::new();
        let mut forms = BufWriter::new(tempfile::tempfile().map_err(temporary)?);
        let mut spelt = Vec::new();
        counts
            .finish(|word| {
                // Every word once: unknown words are most like the rare ones, and most words are rare.
                spelt.clear();
                spelt.push(WORD_BEGIN);
                spelt.extend(spell(&word.form));
                spelt.push(WORD_END);
                counts::push(&mut letters, &spelt, SPELLING)?;
                if word.count >= options.min_count {
                    known.push(word.hash);
                    forms.write_all(word.form.as_bytes())?;
                    forms.write_all(b"\n")?;
                }
                Ok(())
            })
            .map_err(temporary)?;
        let most = u32::MAX - FIRST_WORD - 1;
        let vocabulary = u32::try_from(known.len())
            .ok()
            .filter(|&words| words < most)
            .ok_or(NgramError::TooMuch(most))?;
        let mut forms = forms
            .into_inner()
            .map_err(|error| temporary(error.into()))?;
        let head = file::Head {
            known: &known,
            forms: &mut forms,
        };
        head.write(out)?;
        let grams = ngrams(spool, &known, &options, means).map_err(temporary)?;
        drop(known);
        let ngrams = tree(
            grams,
            options.order,
            BEGIN,
            vocabulary + FIRST_WORD,
            means,
            out,
        )?;
        tree(letters, SPELLING, WORD_BEGIN, ALPHABET, means, out)?;
        Ok(Summary {
            sentences,
            words,
            vocabulary: vocabulary as usize,
            ngrams,
        })
    }
}

/// The longest n-grams of the spooled sentences.
fn ngrams(
    spool: BufWriter<File>,
    known: &[u64],
    options: &TrainOptions,
    means: Means,
) -> io::Result<Sorter> {
    let mut spool = spool.into_inner()?;
    spool.seek(SeekFrom::Start(0))?;
    let mut spool = BufReader::with_capacity(1 << 18, spool);
    let mut sorter = Sorter::new(means.buffer, means.jobs, true);
    let mut sentence = vec![BEGIN];
    let mut nine = [0; 9];
    loop {
        match spool.read_exact(&mut nine) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(sorter),
            Err(error) => return Err(error),
        }
        let [look, hash @ ..] = nine;
        if look == STOP {
            sentence.push(END);
            counts::push(&mut sorter, &sentence, options.order)?;
            sentence.truncate(1);
        } else {
            let rank = rank(known.len(), u64::from_le_bytes(hash), |at| known[at]);
            sentence.push(number(rank, u32::from(look)));
        }
    }
}

/// The number of the known word of this rank, or of the unknown word of this look.
pub fn number(rank: Option<usize>, look: u32) -> u32 {
    rank.and_then(|rank| u32::try_from(rank).ok())
        .map_or(look, |rank| rank + FIRST_WORD)
}

/// Estimates a tree and writes it; gives how many n-grams it has.
fn tree(
    grams: Sorter,
    order: usize,
    begin: u32,
    vocabulary: u32,
    means: Means,
    out: &mut impl Write,
) -> Result<Vec<u64>, NgramError> {
    let sorted = grams.finish().map_err(temporary)?;
    let counts = count_all(sorted, order, begin, vocabulary).map_err(temporary)?;
    let shape = Shape {
        begin,
        vocabulary,
        grams: counts.grams.clone(),
    };
    shape.write(out).map_err(model)?;
    build(counts, &shape, means, out).map_err(model)?;
    Ok(shape.grams)
}

fn temporary(source: io::Error) -> NgramError {
    NgramError::Io {
        path: PathBuf::from("temporary file"),
        source,
    }
}

/// Of [`build`] too, in which both the model and temporary files are written.
pub fn model(source: io::Error) -> NgramError {
    NgramError::Io {
        path: PathBuf::from("the model"),
        source,
    }
}
