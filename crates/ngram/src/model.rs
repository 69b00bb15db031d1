//! A model as it lies on disk.

use std::path::Path;

use realsyn_vector::map::Map;

use crate::NgramError;
use crate::file::{self, Layout};
use crate::train::{BEGIN, END, number};
use crate::trie::{Room, eight};
use crate::unknown::{WORD_BEGIN, WORD_END, look, pieces, spell};
use crate::vocabulary::rank;
use crate::words::words;

/// A model, mapped into memory; threads share it.
#[derive(Debug)]
pub struct Model {
    map: Map,
    layout: Layout,
}

/// What a model says of a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The natural logarithm of the sentence's probability.
    pub log_probability: f64,
    /// How many words were predicted: the sentence's words, numbers and marks, and its end. An unknown word counts as
    /// one and one more for every three letters.
    pub predicted: u32,
    /// How many words the model does not know.
    pub unknown: u32,
}

impl Score {
    /// The perplexity, exp of the mean negative log-probability of a predicted word.
    #[must_use]
    pub fn perplexity(&self) -> f64 {
        (-self.log_probability / f64::from(self.predicted.max(1))).exp()
    }
}

/// Room that is used again from sentence to sentence.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    numbers: Vec<u32>,
    room: Room,
}

impl Model {
    /// Maps the model at `path`, which takes no longer for a large one.
    ///
    /// # Errors
    /// The file cannot be read, is no model or of another version, or is truncated.
    pub fn open(path: &Path) -> Result<Self, NgramError> {
        let map = Map::open(path).map_err(|source| NgramError::Io {
            path: path.to_owned(),
            source,
        })?;
        let layout = file::layout(path, &map)?;
        Ok(Self { map, layout })
    }

    /// How long the model's n-grams are at most.
    #[must_use]
    pub fn order(&self) -> usize {
        self.layout.words.order()
    }

    /// How many words the model knows.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        self.layout.known
    }

    /// How many n-grams of order 1, 2, ... it holds.
    #[must_use]
    pub fn ngrams(&self) -> Vec<usize> {
        self.layout.words.grams().collect()
    }

    /// Scores one sentence.
    #[must_use]
    pub fn score(&self, sentence: &str, scratch: &mut Scratch) -> Score {
        let bytes: &[u8] = &self.map;
        let Layout { known, hashes, .. } = &self.layout;
        let Scratch { numbers, room } = scratch;
        numbers.clear();
        numbers.push(BEGIN);
        let mut score = Score::default();
        for (at, word) in words(sentence).enumerate() {
            let hash = |at: usize| eight(bytes, hashes + 8 * at).unwrap_or(0);
            let rank = rank(*known, word.hash, hash);
            numbers.push(match rank {
                Some(_) => number(rank, 0),
                None => look(word.text, at == 0),
            });
            if rank.is_none() {
                let (log, letters) = self.spelling(word.text);
                score.log_probability += log;
                score.predicted += pieces(letters) - 1;
                score.unknown += 1;
            }
        }
        numbers.push(END);
        score.log_probability += self.layout.words.sentence(bytes, numbers, room);
        score.predicted += u32::try_from(numbers.len() - 1).unwrap_or(u32::MAX);
        score
    }

    /// The logarithm of the probability of a word's spelling, and its number of letters.
    fn spelling(&self, word: &str) -> (f64, u32) {
        let (bytes, trie): (&[u8], _) = (&self.map, &self.layout.letters);
        let mut context = trie.context(bytes, WORD_BEGIN);
        let (mut log, mut letters) = (0.0, 0);
        for letter in spell(word) {
            log += f64::from(trie.next(bytes, &mut context, letter));
            letters += 1;
        }
        log += f64::from(trie.next(bytes, &mut context, WORD_END));
        (log, letters)
    }
}

#[cfg(test)]
mod tests;
