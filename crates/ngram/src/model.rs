//! A model as it lies on disk.

use std::path::Path;

use realsyn_vector::map::Map;

use crate::NgramError;
use crate::counts::{BEGIN, END, UNKNOWN};
use crate::file::{self, Layout, Level};
use crate::train::MAX_ORDER;
use crate::words::words;

/// A model, mapped into memory.
#[derive(Debug)]
pub struct Model {
    map: Map,
    vocabulary: fst::Map<Vec<u8>>,
    layout: Layout,
}

/// What a model says of a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The natural logarithm of the sentence's probability.
    pub log_probability: f64,
    /// How many words were predicted: the sentence's words, numbers and marks, and its end.
    pub predicted: u32,
    /// How many of them the model never saw.
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
    fold: String,
    ids: Vec<u32>,
}

/// The place, in its order, of the n-gram that ends with the last word, for each order from 1 on; the longest ones were
/// never seen.
type Context = ([usize; MAX_ORDER], usize);

impl Model {
    /// Maps the model at `path`.
    ///
    /// # Errors
    /// The file cannot be read, is no model, or is damaged.
    pub fn open(path: &Path) -> Result<Self, NgramError> {
        let map = Map::open(path).map_err(|source| NgramError::Io {
            path: path.to_owned(),
            source,
        })?;
        let layout = file::layout(path, &map)?;
        let damaged = |error: fst::Error| NgramError::Format {
            path: path.to_owned(),
            reason: format!("the vocabulary is damaged: {error}"),
        };
        // A copy, for a map that borrows its own file is not to be had in safe code; it is small beside the n-grams.
        let vocabulary =
            fst::raw::Fst::new(map[layout.vocabulary.clone()].to_vec()).map_err(damaged)?;
        vocabulary.verify().map_err(damaged)?;
        Ok(Self {
            map,
            vocabulary: fst::Map::from(vocabulary),
            layout,
        })
    }

    /// How long the model's n-grams are at most.
    #[must_use]
    pub fn order(&self) -> usize {
        self.layout.levels.len()
    }

    /// Scores one sentence.
    #[must_use]
    pub fn score(&self, sentence: &str, scratch: &mut Scratch) -> Score {
        let Scratch { fold, ids } = scratch;
        ids.clear();
        words(sentence, fold, |word| {
            let id = self
                .vocabulary
                .get(word)
                .and_then(|id| u32::try_from(id).ok());
            ids.push(id.unwrap_or(UNKNOWN));
        });
        ids.push(END);
        let mut score = Score::default();
        let mut context: Context = ([0; MAX_ORDER], 1);
        context.0[0] = BEGIN as usize;
        for &id in ids.iter() {
            score.log_probability += f64::from(self.next(&mut context, id));
            score.predicted += 1;
            score.unknown += u32::from(id == UNKNOWN);
        }
        score
    }

    /// The logarithm of the probability of `word` after `context`, which then ends with `word`.
    fn next(&self, context: &mut Context, word: u32) -> f32 {
        let (places, length) = *context;
        let levels = &self.layout.levels;
        let mut now: Context = ([0; MAX_ORDER], 1);
        now.0[0] = (word as usize).min(levels[0].grams.saturating_sub(1));
        // A longer n-gram was seen only if its end was: the first that is missing ends the search.
        while now.1 <= length && now.1 < levels.len() {
            let Some(place) = self.child(now.1 - 1, places[now.1 - 1], word) else {
                break;
            };
            now.0[now.1] = place;
            now.1 += 1;
        }
        let mut log = self.probability(now.1 - 1, now.0[now.1 - 1]);
        for longer in now.1..=length.min(levels.len() - 1) {
            log += self.backoff(longer - 1, places[longer - 1]);
        }
        *context = now;
        log
    }

    /// The place of the n-gram that goes on from the one at `place` of `level` with `word`.
    fn child(&self, level: usize, place: usize, word: u32) -> Option<usize> {
        let (here, next) = (&self.layout.levels[level], &self.layout.levels[level + 1]);
        let (mut from, to) = (
            self.four(here.children, place)? as usize,
            self.four(here.children, place + 1)? as usize,
        );
        let mut to = to.min(next.grams);
        while from < to {
            let middle = from.midpoint(to);
            let found = self.four(next.words, middle)?;
            match found.cmp(&word) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }

    fn probability(&self, level: usize, place: usize) -> f32 {
        let Level {
            probability,
            probabilities,
            ..
        } = &self.layout.levels[level];
        let index = self.map.get(probabilities + place).copied().unwrap_or(0);
        probability[usize::from(index)]
    }

    fn backoff(&self, level: usize, place: usize) -> f32 {
        let Level {
            backoff, backoffs, ..
        } = &self.layout.levels[level];
        let index = self.map.get(backoffs + place).copied().unwrap_or(0);
        backoff[usize::from(index)]
    }

    fn four(&self, start: usize, at: usize) -> Option<u32> {
        let four = self.map.get(start + 4 * at..start + 4 * at + 4)?;
        Some(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
    }
}

#[cfg(test)]
mod tests;
