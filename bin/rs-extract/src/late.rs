//! The rules that need the whole corpus, or a model of another one: entropy and perplexity.

use realsyn_extract::{Cache, Frequencies, Options, Rule};
use realsyn_ngram::{Model, Scratch};
use realsyn_record::fixed;

/// Why a sentence does not go on.
pub type Refusal = (Rule, String);

/// The rule of entropy.
pub struct Entropy {
    /// The corpus's words.
    pub frequencies: Frequencies,
    /// The least entropy.
    pub least: f64,
    /// The logarithm's base.
    pub base: f64,
}

impl Entropy {
    /// Why the sentence tells too little, if it does.
    pub fn refuses(&self, sentence: &str, cache: &mut Cache) -> Option<Refusal> {
        let entropy = self.frequencies.entropy(sentence, self.base, cache);
        (entropy < self.least).then(|| {
            let message = format!("entropy {entropy:.4} of at least {}", self.least);
            (Rule::LowEntropy, message)
        })
    }
}

/// The perplexity of a sentence, as it stands in its record.
pub fn perplexity(model: &Model, sentence: &str, scratch: &mut Scratch) -> String {
    fixed(model.score(sentence, scratch).perplexity(), 3)
}

/// The bounds of perplexity; a rule that is switched off, or has no model, has none.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub low: f64,
    pub high: f64,
}

impl Bounds {
    /// Bounds that let everything through.
    pub const NONE: Self = Self {
        low: 0.0,
        high: f64::INFINITY,
    };

    /// `low` and `high`, but for the rules that are switched off.
    pub fn new(low: f64, high: f64, options: &Options) -> Self {
        let mut bounds = Self::NONE;
        if options.asks(Rule::PerplexityLow) {
            bounds.low = low;
        }
        if options.asks(Rule::PerplexityHigh) {
            bounds.high = high;
        }
        bounds
    }

    /// Why a perplexity lies outside, if it does.
    pub fn refuses(self, perplexity: f64) -> Option<Refusal> {
        if perplexity < self.low {
            let message = format!("perplexity {perplexity} of at least {}", self.low);
            Some((Rule::PerplexityLow, message))
        } else if perplexity > self.high {
            let message = format!("perplexity {perplexity} of at most {}", self.high);
            Some((Rule::PerplexityHigh, message))
        } else {
            None
        }
    }
}
