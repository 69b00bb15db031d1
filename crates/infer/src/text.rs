//! From a text to the rows of token ids that a text tower takes, as `tokenizer.json` and the limits beside it say.
//!
//! A row's length depends on its own text alone: the number of its tokens rounded up to a multiple of [`STEP`], or the
//! whole context where the model wants that. So the padding of a text, and with it the last bits of its embedding, does
//! not depend on what it is batched with.

use crate::InferError;
use crate::directory::Directory;
use std::path::PathBuf;
use tokenizers::{Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

/// Row lengths are multiples of this. Measured on MiniLM: finer steps make more part-filled batches, coarser ones more
/// padding.
const STEP: usize = 8;

/// The most tokens a text may have where no file names a limit.
const DEFAULT_CONTEXT: usize = 512;

/// Bytes a token; what is beyond the context at this rate is not even looked at, so that a text of 100 MB costs nothing.
const BYTES_A_TOKEN: usize = 256;

/// What turns texts into rows of a batch.
pub(crate) struct Encoder {
    tokenizer: Tokenizer,
    path: PathBuf,
    context: usize,
    pad: i64,
    /// Every row has the length of the context.
    whole_context: bool,
}

impl Encoder {
    /// Reads `tokenizer.json`. `has_mask` tells whether the graph can be told which tokens are padding.
    pub fn open(directory: &Directory, has_mask: bool) -> Result<Self, InferError> {
        let path = directory.path.join("tokenizer.json");
        let bytes = std::fs::read(&path).map_err(InferError::io(&path))?;
        let failed = |error: tokenizers::Error| InferError::Tokenizer { path: path.clone(), message: error.to_string() };
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(failed)?;
        let named = directory.tokenizer.pad_token.as_ref().and_then(|token| tokenizer.token_to_id(token.text()));
        let text = directory.config.text_config.as_ref();
        let pad = tokenizer.get_padding().map(|padding| i64::from(padding.pad_id)).or(named.map(i64::from));
        let pad = pad.or_else(|| text.and_then(|tower| tower.pad_token_id)).or(directory.config.pad_token_id).unwrap_or(0);
        let context = context(directory, tokenizer.get_truncation().map(|rules| rules.max_length));
        let truncation = TruncationParams {
            direction: TruncationDirection::Right,
            max_length: context,
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
        };
        tokenizer.with_truncation(Some(truncation)).map_err(failed)?;
        tokenizer.with_padding(None);
        let whole_context = directory.pads_to_context() || !(has_mask || directory.is_causal());
        Ok(Self { tokenizer, path, context, pad, whole_context })
    }

    /// The id that fills a row behind its text.
    pub fn pad(&self) -> i64 {
        self.pad
    }

    /// The token ids of a text, special tokens included, cut to the context.
    pub fn ids(&self, text: &str) -> Result<Vec<i64>, InferError> {
        let mut end = text.len().min(self.context.saturating_mul(BYTES_A_TOKEN));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let encoding = self.tokenizer.encode_fast(text.get(..end).unwrap_or(text), true);
        let encoding = encoding.map_err(|error| InferError::Tokenizer {
            path: self.path.clone(),
            message: error.to_string(),
        })?;
        Ok(encoding.get_ids().iter().map(|id| i64::from(*id)).collect())
    }

    /// The length of the row that holds `tokens` tokens.
    pub fn row_length(&self, tokens: usize) -> usize {
        if self.whole_context { self.context } else { tokens.max(1).next_multiple_of(STEP).min(self.context) }
    }
}

/// The smallest limit that any file names.
fn context(directory: &Directory, truncation: Option<usize>) -> usize {
    let config = &directory.config;
    let limits = [
        truncation,
        config.text_config.as_ref().and_then(|tower| tower.max_position_embeddings),
        config.max_position_embeddings,
        directory.max_seq_length,
        directory.tokenizer.model_max_length.and_then(small),
    ];
    // Older exports of sentence-transformers models truncate at 128 in tokenizer.json; the library itself goes by
    // sentence_bert_config.json.
    let limits = if directory.max_seq_length.is_some() { &limits[1..] } else { &limits[..] };
    limits.iter().flatten().copied().filter(|limit| *limit > 2).min().unwrap_or(DEFAULT_CONTEXT)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn small(limit: f64) -> Option<usize> {
    (limit >= 1.0 && limit <= 1e6).then_some(limit as usize)
}
