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
        let failed = |error: tokenizers::Error| InferError::Tokenizer {
            path: path.clone(),
            message: error.to_string(),
        };
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(failed)?;
        let pad = if directory.is_causal() {
            0
        } else {
            pad_id(directory, &tokenizer)
        };
        let context = context(
            directory,
            tokenizer.get_truncation().map(|rules| rules.max_length),
        );
        let truncation = TruncationParams {
            direction: TruncationDirection::Right,
            max_length: context,
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
        };
        tokenizer
            .with_truncation(Some(truncation))
            .map_err(failed)?;
        tokenizer.with_padding(None);
        let whole_context = directory.pads_to_context() || !(has_mask || directory.is_causal());
        Ok(Self {
            tokenizer,
            path,
            context,
            pad,
            whole_context,
        })
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
        let encoding = self
            .tokenizer
            .encode_fast(text.get(..end).unwrap_or(text), true);
        let encoding = encoding.map_err(|error| InferError::Tokenizer {
            path: self.path.clone(),
            message: error.to_string(),
        })?;
        Ok(encoding.get_ids().iter().map(|id| i64::from(*id)).collect())
    }

    /// The length of the row that holds `tokens` tokens.
    pub fn row_length(&self, tokens: usize) -> usize {
        if self.whole_context {
            self.context
        } else {
            tokens.max(1).next_multiple_of(STEP).min(self.context)
        }
    }
}

/// The id that the directory's files name for padding.
///
/// Not for CLIP: its texts are read at their first largest id, the end-of-text marker, with which its own tokenizer also
/// pads. What follows the marker cannot be seen, so any filling gives the same embedding, but rten's `ArgMax` takes the last
/// of equals: there a row must hold the marker once, and is filled with zeros.
fn pad_id(directory: &Directory, tokenizer: &Tokenizer) -> i64 {
    let named = directory
        .tokenizer
        .pad_token
        .as_ref()
        .and_then(|token| tokenizer.token_to_id(token.text()));
    let pad = tokenizer
        .get_padding()
        .map(|padding| padding.pad_id)
        .or(named)
        .map(i64::from);
    let text = directory.config.text.as_ref();
    pad.or_else(|| text.and_then(|tower| tower.pad_token_id))
        .or(directory.config.pad_token_id)
        .unwrap_or(0)
}

/// The smallest limit that any file names.
fn context(directory: &Directory, truncation: Option<usize>) -> usize {
    let config = &directory.config;
    let limits = [
        truncation,
        config
            .text
            .as_ref()
            .and_then(|tower| tower.max_position_embeddings),
        config.max_position_embeddings,
        directory.max_seq_length,
        directory.tokenizer.model_max_length.and_then(small),
    ];
    // Older exports of sentence-transformers models truncate at 128 in tokenizer.json; the library itself goes by
    // sentence_bert_config.json.
    let limits = if directory.max_seq_length.is_some() {
        &limits[1..]
    } else {
        &limits[..]
    };
    limits
        .iter()
        .flatten()
        .copied()
        .filter(|limit| *limit > 2)
        .min()
        .unwrap_or(DEFAULT_CONTEXT)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked"
)]
pub(crate) fn small(limit: f64) -> Option<usize> {
    (1.0..=1e6).contains(&limit).then_some(limit as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = r#"{"version":"1.0","truncation":{"max_length":128,"strategy":"LongestFirst","stride":0},
        "padding":{"strategy":{"Fixed":128},"direction":"Right","pad_id":3,"pad_type_id":0,"pad_token":"[PAD]"},
        "added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
        "model":{"type":"WordLevel","vocab":{"a":0,"b":1,"[UNK]":2,"[PAD]":3},"unk_token":"[UNK]"}}"#;

    fn encoder(config: &str, files: &[(&str, &str)], has_mask: bool) -> Encoder {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), config).unwrap();
        std::fs::write(dir.path().join("tokenizer.json"), WORDS).unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        Encoder::open(&Directory::open(dir.path(), None).unwrap(), has_mask).unwrap()
    }

    #[test]
    fn rows_have_the_length_of_their_own_text() {
        let bert = encoder(
            r#"{"model_type":"bert","max_position_embeddings":20}"#,
            &[],
            true,
        );
        assert_eq!(bert.ids("a b c").unwrap(), [0, 1, 2]);
        assert_eq!(
            [0, 1, 8, 9, 17, 20].map(|tokens| bert.row_length(tokens)),
            [8, 8, 8, 16, 20, 20]
        );
        assert_eq!(bert.ids(&"a ".repeat(50)).unwrap().len(), 20);
        assert_eq!(bert.pad(), 3);
    }

    #[test]
    fn a_clip_row_holds_one_end_of_text() {
        let clip = encoder(
            r#"{"model_type":"clip","text_config":{"max_position_embeddings":77}}"#,
            &[],
            false,
        );
        assert_eq!((clip.pad(), clip.context, clip.row_length(3)), (0, 77, 8));
    }

    #[test]
    fn siglip_and_graphs_without_a_mask_take_the_whole_context() {
        let siglip = encoder(
            r#"{"model_type":"siglip","text_config":{"max_position_embeddings":64}}"#,
            &[],
            false,
        );
        assert_eq!((siglip.row_length(3), siglip.pad()), (64, 3));
        let unknown = encoder(
            r#"{"model_type":"x","max_position_embeddings":32}"#,
            &[],
            false,
        );
        assert_eq!(unknown.row_length(3), 32);
    }

    #[test]
    fn the_smallest_limit_counts_and_sentence_transformers_have_their_own() {
        let limits = [("tokenizer_config.json", r#"{"model_max_length":1e30}"#)];
        assert_eq!(
            encoder(r#"{"max_position_embeddings":514}"#, &limits, true).context,
            128
        );
        let sentence = [("sentence_bert_config.json", r#"{"max_seq_length":256}"#)];
        assert_eq!(
            encoder(r#"{"max_position_embeddings":512}"#, &sentence, true).context,
            256
        );
    }

    #[test]
    fn a_huge_text_is_cut_before_it_is_read() {
        let bert = encoder(r#"{"max_position_embeddings":16}"#, &[], true);
        assert_eq!(bert.ids(&"\u{e9}".repeat(10_000_000)).unwrap(), [2]);
    }
}
