//! From a text to token ids, by the `tokenizer.json` that the model directory will carry.

use crate::TrainError;
use tokenizers::{Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

/// A tokenizer cut to a model's context.
pub struct Tokens {
    tokenizer: Tokenizer,
    json: String,
}

impl Tokens {
    /// Reads the text of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TrainError::Tokenizer`] if it is none, or if it does not end a text with its largest id, where the text tower
    /// is read.
    pub fn from_json(json: &str, context: usize) -> Result<Self, TrainError> {
        let bad = |error: tokenizers::Error| TrainError::Tokenizer(error.to_string());
        let mut tokenizer = Tokenizer::from_bytes(json.as_bytes()).map_err(bad)?;
        let truncation = TruncationParams {
            direction: TruncationDirection::Right,
            max_length: context,
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
        };
        tokenizer.with_truncation(Some(truncation)).map_err(bad)?;
        tokenizer.with_padding(None);
        let tokens = Self {
            tokenizer,
            json: json.to_owned(),
        };
        let largest =
            i64::try_from(realsyn_checkpoint::tokenizer::vocab_size(json)?).map(|ids| ids - 1);
        for text in ["", "one word"] {
            if tokens.encode(text)?.last() != largest.as_ref().ok() {
                return Err(TrainError::Tokenizer(
                    "it does not end each text with its largest id".to_owned(),
                ));
            }
        }
        Ok(tokens)
    }

    /// The text of the `tokenizer.json`.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The ids of a text, both markers included, at most the context's number of them.
    ///
    /// # Errors
    /// [`TrainError::Tokenizer`] if the library fails.
    pub fn encode(&self, text: &str) -> Result<Vec<i64>, TrainError> {
        let encoding = self.tokenizer.encode_fast(text, true);
        let encoding = encoding.map_err(|error| TrainError::Tokenizer(error.to_string()))?;
        Ok(encoding.get_ids().iter().map(|id| i64::from(*id)).collect())
    }
}
