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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use realsyn_ngram::{TrainOptions, Trainer};

    use super::*;

    /// Models of some text, of a single word, and of nothing but unknown words to what is asked.
    fn models() -> Vec<(Model, tempfile::TempDir)> {
        let text = "The boat comes into the harbour. The wind turns in the evening, and the light can be seen.";
        [text, "boat", "Ω ж"]
            .iter()
            .map(|text| {
                let folder = tempfile::tempdir().unwrap();
                let mut trainer = Trainer::new(TrainOptions::default()).unwrap();
                trainer.push(text).unwrap();
                let mut bytes = Vec::new();
                trainer.write(&mut bytes).unwrap();
                let path = folder.path().join("model");
                std::fs::write(&path, bytes).unwrap();
                (Model::open(&path).unwrap(), folder)
            })
            .collect()
    }

    fn check(models: &[(Model, tempfile::TempDir)], sentence: &str) {
        for (model, _) in models {
            let told = perplexity(model, sentence, &mut Scratch::default());
            let number: f64 = told.parse().unwrap_or(f64::NAN);
            assert!(
                number.is_finite() && number > 0.0,
                "{told} for {sentence:.80}"
            );
            // JSON knows it as a number too.
            assert!(serde_json::from_str::<f64>(&told).is_ok(), "{told}");
        }
    }

    #[test]
    fn every_sentence_has_a_perplexity_that_is_a_number() {
        let models = models();
        let long = "the boat comes ".repeat(100_000);
        let word = "x".repeat(1 << 20);
        for sentence in [
            "",
            " ",
            ".",
            "?!...",
            "boat",
            "Boat.",
            "\u{fffd}",
            "\0",
            "😀",
            "港は島の北にあり",
            "qwrtz plmkn vbxcz",
            "<s> </s> <unk>",
            "a\u{301}",
            &long,
            &word,
            &"\u{301}".repeat(9000),
            &"zz ".repeat(9000),
        ] {
            check(&models, sentence);
        }
        proptest!(ProptestConfig::with_cases(300), |(sentence in "(\\PC{0,40}|[a-z .,]{0,60}|(the |boat |zq |\\. ){0,30})")| {
            check(&models, &sentence);
        });
    }
}
