//! How the weights are made: from sentences that another parser has parsed.
//!
//! First the tagger learns, then the parser, on the tags that the tagger gives. The parser follows a dynamic oracle
//! (Goldberg and Nivre 2013): from the second round on it mostly goes where it would have gone by itself, and learns
//! what is best from there. Each decision is one step of stochastic gradient descent on the logarithmic loss, the step
//! of each row divided by the root of its squared gradients so far (Duchi et al. 2011).
//!
//! Nothing is left to chance: numbers that seem random are hashes, and floating-point sums have a fixed order.
//! **Memory.** The sentences, 30 bytes a token, and 260 bytes a row.

mod corpus;
mod fit;
mod measure;
mod oracle;

pub use corpus::{CorpusError, Gold, Sentence, read};
pub use measure::{Agreement, measure};

use crate::features;
use crate::net::Net;
use crate::parser::{Parser, Scratch};
use crate::state::{MOVES, Move, NO_TAG, State};
use crate::tags::TAGS;
use crate::weights::Weights;
use crate::words::{Lexicon, WORDS, Word, mix};
use fit::Fit;
use std::collections::HashMap;

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Rounds of the tagger over the sentences.
    pub tagger_rounds: u32,
    /// Rounds of the parser.
    pub parser_rounds: u32,
    /// The first steps' length.
    pub rate: f32,
    /// At most so many sentences, by their hash.
    pub sentences: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            tagger_rounds: 3,
            parser_rounds: 5,
            rate: 0.06,
            sentences: usize::MAX,
        }
    }
}

/// Makes weights from sentences whose tokens are ours; `said` hears how it goes.
pub fn train(sentences: &[Sentence], plan: Plan, mut said: impl FnMut(&str)) -> Weights {
    let mut scratch = Scratch::default();
    let mut sentences: Vec<&Sentence> = sentences
        .iter()
        .filter(|sentence| sentence.has_our_tokens(&mut scratch))
        .collect();
    // Their order in the files must not matter; a hash mixes the sources.
    sentences.sort_by_cached_key(|sentence| (Word::of(&sentence.text).hash, sentence.text.clone()));
    sentences.truncate(plan.sentences);
    said(&format!("{} sentences have our tokens", sentences.len()));
    let lexicon = Lexicon::new(frequent(&sentences));
    let tagger = train_tagger(&lexicon, &sentences, plan, &mut said);
    let none = Net::empty(features::PARSER_ROWS, MOVES);
    let parser = Parser::with(Weights {
        lexicon,
        tagger,
        parser: none,
    });
    let net = train_parser(&parser, &sentences, plan, &mut said);
    let mut weights = parser.into_weights();
    weights.parser = net;
    weights
}

/// The most frequent words' hashes, the most frequent first.
fn frequent(sentences: &[&Sentence]) -> Vec<u64> {
    let mut counts: HashMap<u64, u32> = HashMap::new();
    for sentence in sentences {
        for gold in &sentence.tokens {
            *counts
                .entry(Word::of(sentence.word(gold)).hash)
                .or_default() += 1;
        }
    }
    let mut counts: Vec<(u32, u64)> = counts
        .into_iter()
        .map(|(hash, count)| (count, hash))
        .collect();
    counts.sort_unstable_by_key(|&(count, hash)| (u32::MAX - count, hash));
    counts.truncate(WORDS as usize - 2);
    counts.into_iter().map(|(_, hash)| hash).collect()
}

/// How far training has come, from 0 to 1, as the factor of the step's length: it falls to a hundredth.
#[expect(clippy::cast_precision_loss, reason = "a fraction")]
fn left(round: u32, rounds: u32, at: usize, sentences: usize) -> f32 {
    let done = (round as f32 + at as f32 / sentences as f32) / rounds as f32;
    1.0 - 0.99 * done
}

/// The order of a round: a walk over all sentences with a stride of its own.
fn order(count: usize, round: u32) -> impl Iterator<Item = usize> {
    let stride = [7_919, 104_729, 15_485_863, 611_953][round as usize % 4];
    // A stride without a common factor with the count meets each sentence once.
    let stride = (stride..stride + 1000)
        .find(|stride| gcd(*stride, count) == 1)
        .unwrap_or(1);
    (0..count).map(move |at| at * stride % count)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn train_tagger(
    lexicon: &Lexicon,
    sentences: &[&Sentence],
    plan: Plan,
    said: &mut impl FnMut(&str),
) -> Net {
    let mut fit = Fit::new(features::TAGGER_ROWS, TAGS.len(), 1);
    let mut words = Vec::new();
    for round in 0..plan.tagger_rounds {
        let (mut right, mut seen) = (0_u64, 0_u64);
        for (at, number) in order(sentences.len(), round).enumerate() {
            let sentence = sentences[number];
            let rate = plan.rate * left(round, plan.tagger_rounds, at, sentences.len());
            lexicon.words(&sentence.text, &sentence.spans(), &mut words);
            let kind = features::kind(&words, sentence.text.chars().next_back());
            let mut before = [NO_TAG; 2];
            for (at, gold) in sentence.tokens.iter().enumerate() {
                let rows = features::of_token(&words, at + features::PAD, before, kind);
                let scores = fit.scores(&rows);
                let best = fit::best(&scores, |_| true);
                seen += 1;
                right += u64::from(best == usize::from(gold.tag));
                fit.learn(
                    &rows,
                    scores,
                    |_| true,
                    |class| class == usize::from(gold.tag),
                    rate,
                );
                before = [u8::try_from(best).unwrap_or(0), before[0]];
            }
        }
        said(&format!(
            "tagger, round {}: {right} of {seen} right while learning",
            round + 1
        ));
    }
    fit.quantised()
}

fn train_parser(
    parser: &Parser,
    sentences: &[&Sentence],
    plan: Plan,
    said: &mut impl FnMut(&str),
) -> Net {
    let mut fit = Fit::new(features::PARSER_ROWS, MOVES, 2);
    let mut scratch = Scratch::default();
    let mut random = 0_u64;
    for round in 0..plan.parser_rounds {
        let (mut right, mut seen) = (0_u64, 0_u64);
        for (at, number) in order(sentences.len(), round).enumerate() {
            let sentence = sentences[number];
            let rate = plan.rate * left(round, plan.parser_rounds, at, sentences.len());
            scratch.tokens.clear();
            scratch.tokens.extend(sentence.spans());
            parser.prepare(&mut scratch, &sentence.text);
            let state: &mut State = &mut scratch.state;
            while !state.is_done() {
                let (to, reduce) = state.allowed();
                if to == 1 {
                    state.make(Move::Shift);
                    continue;
                }
                let legal = |class: usize| class < to && (reduce || class != crate::state::REDUCE);
                let costs = oracle::costs(state, &sentence.tokens);
                let good = |class: usize| {
                    legal(class) && costs.is_free(Move::of(class), state, &sentence.tokens)
                };
                let rows = features::of_state(state);
                let scores = fit.scores(&rows);
                let best = fit::best(&scores, legal);
                seen += 1;
                right += u64::from(good(best));
                fit.learn(&rows, scores, legal, good, rate);
                random = mix(random, seen);
                let wander = round > 0 && !random.is_multiple_of(10);
                let class = if wander {
                    best
                } else {
                    fit::best(&scores, good)
                };
                state.make(Move::of(class));
            }
        }
        said(&format!(
            "parser, round {}: {right} of {seen} right while learning",
            round + 1
        ));
    }
    fit.quantised()
}
