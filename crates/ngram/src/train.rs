//! From sentences to a model file.

use std::collections::HashMap;
use std::io::Write;

use crate::NgramError;
use crate::counts::{BEGIN, END, count};
use crate::estimate::estimate;
use crate::file;
use crate::words::words;

/// The longest n-grams that a model may have.
pub const MAX_ORDER: usize = 5;

/// The first ids are the unknown word, the beginning and the end.
pub const FIRST_WORD: u32 = 3;

/// What a model was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many sentences.
    pub sentences: u64,
    /// How many words, numbers and marks they hold.
    pub words: u64,
    /// How many of them are different.
    pub vocabulary: usize,
    /// How many different n-grams of order 1, 2, ... the model holds.
    pub ngrams: Vec<usize>,
}

/// Gathers sentences.
#[derive(Debug)]
pub struct Trainer {
    order: usize,
    ids: HashMap<String, u32>,
    /// All sentences one after the other, each ended by `u32::MAX`.
    text: Vec<u32>,
    sentences: u64,
    fold: String,
}

impl Trainer {
    /// For a model of n-grams of up to `order` words.
    ///
    /// # Errors
    /// `order` is not 2 to [`MAX_ORDER`].
    pub fn new(order: usize) -> Result<Self, NgramError> {
        if !(2..=MAX_ORDER).contains(&order) {
            return Err(NgramError::Order {
                order,
                max: MAX_ORDER,
            });
        }
        Ok(Self {
            order,
            ids: HashMap::new(),
            text: Vec::new(),
            sentences: 0,
            fold: String::new(),
        })
    }

    /// Whether there is nothing to learn from yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sentences == 0
    }

    /// Adds one sentence; one without words is left out.
    pub fn push(&mut self, sentence: &str) {
        let (ids, text) = (&mut self.ids, &mut self.text);
        let before = text.len();
        words(sentence, &mut self.fold, |word| {
            let id = ids.get(word).copied().unwrap_or_else(|| {
                let id = u32::try_from(ids.len()).unwrap_or(u32::MAX);
                ids.insert(word.to_owned(), id);
                id
            });
            text.push(id);
        });
        if text.len() > before {
            text.push(u32::MAX);
            self.sentences += 1;
        }
    }

    /// Estimates the model and writes its file to `out`.
    ///
    /// # Errors
    /// There was no sentence or there were too many, or the file cannot be written (an [`std::io::Error`] without path).
    pub fn write(self, out: &mut impl Write) -> Result<Summary, NgramError> {
        if self.is_empty() {
            return Err(NgramError::Empty);
        }
        // Places of n-grams are numbered by 32 bits, and each word begins at most two.
        let most = (u32::MAX / 4) as usize;
        if self.text.len() > most {
            return Err(NgramError::TooMuch(most));
        }
        // Ids in the words' own order, so that the model does not depend on the sentences'.
        let mut sorted: Vec<(String, u32)> = self.ids.into_iter().collect();
        sorted.sort_unstable();
        let mut renumbered = vec![0; sorted.len()];
        for ((_, id), new) in sorted.iter().zip(FIRST_WORD..) {
            renumbered[*id as usize] = new;
        }
        let mut ids: Vec<u32> =
            Vec::with_capacity(self.text.len() + usize::try_from(self.sentences).unwrap_or(0));
        for sentence in self.text.split_inclusive(|id| *id == u32::MAX) {
            ids.push(BEGIN);
            ids.extend(
                sentence[..sentence.len() - 1]
                    .iter()
                    .map(|id| renumbered[*id as usize]),
            );
            ids.push(END);
        }
        let words = self.text.len() as u64 - self.sentences;
        drop(self.text);
        let sentences = ids.split_inclusive(|id| *id == END);
        let counts = count(&sentences, self.order);
        drop(ids);
        let vocabulary = sorted.len() + FIRST_WORD as usize;
        let levels = estimate(&counts, vocabulary);
        drop(counts);
        file::write(out, sorted.iter().map(|(word, _)| word.as_str()), &levels)?;
        Ok(Summary {
            sentences: self.sentences,
            words,
            vocabulary: sorted.len(),
            ngrams: levels.iter().map(|level| level.words.len()).collect(),
        })
    }
}
