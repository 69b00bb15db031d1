//! Causal language models: how surprising a text is.
//!
//! A model directory in the layout of Hugging Face's exports of GPT-2, Llama and their like: `onnx/model.onnx` (or
//! `model.onnx`) with `input_ids` and, where the graph has them, `attention_mask`, `position_ids` and
//! `past_key_values.N.key` and `.value`, which are given an empty past; its output `logits` is [batch, tokens, vocabulary].
//!
//! **Perplexity** is exp of the mean negative log-likelihood of the tokens, as in Hugging Face's `evaluate` with its
//! default `add_start_token`: where `config.json` names a beginning (`bos_token_id`) that the tokenizer does not set
//! itself, it is set before the text, so that the first token is predicted too; without one the first token only begins.
//!
//! **Memory.** The weights as in [`crate::Model`], and a worker's logits: batch × tokens × vocabulary × 4 bytes, once or
//! twice. **Determinism.** Runs have fixed shapes: the batch is filled up, a row's length is that of its own text rounded up
//! to a multiple of 8. So a perplexity does not depend on its neighbours or on the number of workers.

use crate::InferError;
use crate::directory::{Directory, parse};
use crate::engine::{self, EngineOptions, Graph, Output, Session, Tensor};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokenizers::{Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

/// Row lengths are multiples of this.
const STEP: usize = 8;

/// The most tokens a text may have where no file names a limit.
const DEFAULT_CONTEXT: usize = 1024;

/// Bytes a token; what is beyond the context at this rate is not even looked at.
const BYTES_A_TOKEN: usize = 256;

/// What the pipeline needs of a language model's `config.json`, in the names of GPT-2 and of Llama.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LmConfig {
    bos_token_id: Option<Ids>,
    #[serde(alias = "n_positions", alias = "n_ctx")]
    max_position_embeddings: Option<usize>,
    #[serde(alias = "n_head")]
    num_attention_heads: Option<usize>,
    num_key_value_heads: Option<usize>,
    #[serde(alias = "n_embd")]
    hidden_size: Option<usize>,
    head_dim: Option<usize>,
}

/// One token or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Ids {
    One(i64),
    Several(Vec<i64>),
}

impl Ids {
    fn first(&self) -> Option<i64> {
        match self {
            Self::One(id) => Some(*id),
            Self::Several(ids) => ids.first().copied(),
        }
    }
}

/// An opened language model; clones share it.
#[derive(Clone)]
pub struct CausalLm(Arc<Inner>);

struct Inner {
    id: String,
    engine: String,
    graph: Arc<dyn Graph>,
    tokenizer: Tokenizer,
    tokenizer_path: PathBuf,
    begin: Option<i64>,
    context: usize,
    rows: usize,
    /// Heads and their width, where the graph asks for a past.
    past: [usize; 2],
}

impl CausalLm {
    /// Opens a model directory; a run takes `rows` texts.
    ///
    /// # Errors
    /// [`InferError::Io`], [`InferError::Config`], [`InferError::NoTower`], [`InferError::Tokenizer`],
    /// [`InferError::Library`], [`InferError::Load`], or [`InferError::Graph`] for a graph that is no causal language model.
    pub fn open(dir: &Path, options: &EngineOptions, rows: usize) -> Result<Self, InferError> {
        let directory = Directory::open(dir, options.weights.as_deref())?;
        let config_path = dir.join("config.json");
        let bytes = std::fs::read(&config_path).map_err(InferError::io(&config_path))?;
        // GPT-2's own file has both of two names for one number.
        let config = lm_config(&config_path, &bytes)?;
        let path = directory.graph(&["model.onnx"], "language model")?;
        let engine = engine::find(dir, options)?;
        let graph = engine.load(&path)?;
        check(&*graph, &path)?;
        let needs_past = graph.inputs().iter().any(|name| is_past(name));
        let past = match (needs_past, past(&config)) {
            (false, _) => [0; 2],
            (true, Some(past)) => past,
            (true, None) => {
                let message = "the graph asks for a past, and the number and the width of its heads are not told";
                return Err(InferError::config(&config_path, message));
            }
        };
        let tokenizer_path = dir.join("tokenizer.json");
        let limit = directory.tokenizer.model_max_length;
        let context = config.max_position_embeddings.unwrap_or(DEFAULT_CONTEXT);
        let context = limit
            .and_then(crate::text::small)
            .map_or(context, |limit| limit.min(context));
        Ok(Self(Arc::new(Inner {
            id: directory.identity()?,
            engine: engine.describe(),
            graph,
            tokenizer: tokenizer(&tokenizer_path, context)?,
            tokenizer_path,
            begin: config.bos_token_id.as_ref().and_then(Ids::first),
            context: context.max(2),
            rows: rows.max(1),
            past,
        })))
    }

    /// `b3:` and 32 hex digits: the content of the model's files.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The engine in words.
    #[must_use]
    pub fn engine(&self) -> &str {
        &self.0.engine
    }

    /// A worker's own access to the model.
    ///
    /// # Errors
    /// The engine cannot open a session.
    pub fn scorer(&self) -> Result<CausalScorer, InferError> {
        Ok(CausalScorer {
            model: self.clone(),
            session: self.0.graph.session()?,
        })
    }
}

/// Reads `config.json`, of which several names for one number may stand there together.
fn lm_config(path: &Path, bytes: &[u8]) -> Result<LmConfig, InferError> {
    let mut all: serde_json::Map<String, serde_json::Value> = parse(path, bytes)?;
    if all.contains_key("n_positions") {
        all.remove("n_ctx");
    }
    all.retain(|_, value| !value.is_null());
    serde_json::from_value(serde_json::Value::Object(all))
        .map_err(|error| InferError::config(path, error.to_string()))
}

/// The heads of a past and their width.
fn past(config: &LmConfig) -> Option<[usize; 2]> {
    let heads = config.num_attention_heads?;
    let width = match config.head_dim {
        Some(width) => width,
        None => config.hidden_size?.checked_div(heads)?,
    };
    Some([config.num_key_value_heads.unwrap_or(heads), width])
}

fn is_past(name: &str) -> bool {
    name.starts_with("past_key_values.")
}

fn check(graph: &dyn Graph, path: &Path) -> Result<(), InferError> {
    let known = |name: &str| {
        matches!(name, "input_ids" | "attention_mask" | "position_ids") || is_past(name)
    };
    if let Some(name) = graph.inputs().iter().find(|name| !known(name)) {
        let message = format!("the input {name:?} is none of a causal language model's");
        return Err(InferError::graph(path, message));
    }
    if graph.outputs().iter().any(|name| name == "logits") {
        return Ok(());
    }
    let message = format!("no output \"logits\", only {:?}", graph.outputs());
    Err(InferError::graph(path, message))
}

fn tokenizer(path: &Path, context: usize) -> Result<Tokenizer, InferError> {
    let failed = |error: tokenizers::Error| InferError::Tokenizer {
        path: path.to_owned(),
        message: error.to_string(),
    };
    let bytes = std::fs::read(path).map_err(InferError::io(path))?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(failed)?;
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
    Ok(tokenizer)
}

/// One worker's access to a language model.
pub struct CausalScorer {
    model: CausalLm,
    session: Box<dyn Session>,
}

impl CausalScorer {
    /// The perplexities of texts, one an entry, in order. Texts are cut to the model's context.
    ///
    /// # Errors
    /// What concerns the model or the engine; a text that has no perplexity has its reason in its place.
    pub fn perplexities(
        &mut self,
        texts: &[&str],
    ) -> Result<Vec<Result<f64, InferError>>, InferError> {
        let inner = Arc::clone(&self.model.0);
        let mut rows = Vec::with_capacity(texts.len());
        let mut answers = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            let ids = inner.ids(text)?;
            answers.push(Err(InferError::NoPerplexity));
            if ids.len() > 1 {
                // A row is as long as what predicts: all tokens but the last.
                rows.push((
                    (ids.len() - 1).next_multiple_of(STEP).min(inner.context),
                    place,
                    ids,
                ));
            }
        }
        rows.sort_unstable_by_key(|(length, place, _)| (*length, *place));
        for same in rows.chunk_by(|a, b| a.0 == b.0) {
            for chunk in same.chunks(inner.rows) {
                let (length, ..) = chunk[0];
                let ids: Vec<&[i64]> = chunk.iter().map(|(_, _, ids)| ids.as_slice()).collect();
                let output = inner.run(self.session.as_mut(), &ids, length)?;
                let width = inner.width(&output, length)?;
                let logits = output.values.chunks_exact(length * width);
                for ((_, place, ids), logits) in chunk.iter().zip(logits) {
                    answers[*place] = perplexity(logits, width, ids);
                }
            }
        }
        Ok(answers)
    }
}

impl Inner {
    /// The token ids of a text behind the beginning.
    fn ids(&self, text: &str) -> Result<Vec<i64>, InferError> {
        let mut end = text.len().min(self.context.saturating_mul(BYTES_A_TOKEN));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let encoding = self.tokenizer.encode_fast(&text[..end], true);
        let encoding = encoding.map_err(|error| InferError::Tokenizer {
            path: self.tokenizer_path.clone(),
            message: error.to_string(),
        })?;
        let mut ids: Vec<i64> = encoding.get_ids().iter().map(|id| i64::from(*id)).collect();
        if let Some(begin) = self.begin
            && ids.first() != Some(&begin)
        {
            ids.insert(0, begin);
        }
        // The last token is predicted, and predicts nothing.
        ids.truncate(self.context + 1);
        Ok(ids)
    }

    /// One run of at most `self.rows` texts whose rows are `length` long.
    fn run(
        &self,
        session: &mut dyn Session,
        texts: &[&[i64]],
        length: usize,
    ) -> Result<Output, InferError> {
        let size = self.rows * length;
        let (mut tokens, mut mask) = (vec![0; size], vec![0; size]);
        // Rows without a text repeat the first. What stands behind a text cannot be seen from it.
        let repeated = texts.iter().chain(std::iter::repeat(&texts[0]));
        let each = tokens
            .chunks_exact_mut(length)
            .zip(mask.chunks_exact_mut(length));
        for ((row, kept), ids) in each.zip(repeated) {
            let used = (ids.len() - 1).min(length);
            row[..used].copy_from_slice(&ids[..used]);
            kept[..used].fill(1);
        }
        let positions: Vec<i64> = (0..self.rows).flat_map(|_| (0..).take(length)).collect();
        let shape = [self.rows, length];
        let past = [self.rows, self.past[0], 0, self.past[1]];
        let mut inputs = Vec::with_capacity(self.graph.inputs().len());
        for name in self.graph.inputs() {
            let tensor = match name.as_str() {
                "input_ids" => Tensor::I64(&shape, &tokens),
                "attention_mask" => Tensor::I64(&shape, &mask),
                "position_ids" => Tensor::I64(&shape, &positions),
                _ => Tensor::F32(&past, &[]),
            };
            inputs.push((name.as_str(), tensor));
        }
        session.run(&inputs, "logits")
    }

    /// The vocabulary's size in an answer.
    fn width(&self, output: &Output, length: usize) -> Result<usize, InferError> {
        match output.shape[..] {
            [rows, tokens, width] if rows == self.rows && tokens == length && width > 0 => {
                Ok(width)
            }
            _ => Err(InferError::Run {
                engine: "the model",
                message: format!(
                    "logits of shape {:?} for {} rows of {length} tokens",
                    output.shape, self.rows
                ),
            }),
        }
    }
}

/// exp of the mean over the tokens behind the first of the negative log-softmax of their logits; sums in f64, in order.
fn perplexity(logits: &[f32], width: usize, ids: &[i64]) -> Result<f64, InferError> {
    let (mut sum, mut predicted) = (0.0, 0_u32);
    for (row, next) in logits.chunks_exact(width).zip(&ids[1..]) {
        let own = usize::try_from(*next).ok().and_then(|next| row.get(next));
        let Some(own) = own else {
            return Err(InferError::Run {
                engine: "the model",
                message: format!("the token {next} is not among {width} logits"),
            });
        };
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f64 = row.iter().map(|value| f64::from((value - top).exp())).sum();
        sum += f64::from(top - own) + total.ln();
        predicted += 1;
    }
    let perplexity = (sum / f64::from(predicted)).exp();
    if perplexity.is_finite() {
        Ok(perplexity)
    } else {
        Err(InferError::NoPerplexity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpt2s_and_llamas_names_are_known() {
        let read = |json: &str| lm_config(Path::new("config.json"), json.as_bytes()).unwrap();
        let gpt2 = read(
            r#"{"n_ctx":1024,"n_positions":1024,"n_head":12,"n_embd":768,"bos_token_id":50256,"head_dim":null}"#,
        );
        assert_eq!(gpt2.max_position_embeddings, Some(1024));
        assert_eq!(past(&gpt2), Some([12, 64]));
        assert_eq!(gpt2.bos_token_id.unwrap().first(), Some(50256));
        let llama = read(
            r#"{"max_position_embeddings":2048,"num_attention_heads":9,"num_key_value_heads":3,"hidden_size":576,"bos_token_id":[1,2]}"#,
        );
        assert_eq!(past(&llama), Some([3, 64]));
        assert_eq!(llama.bos_token_id.unwrap().first(), Some(1));
        assert!(past(&read("{}")).is_none());
    }

    #[test]
    fn a_perplexity_by_hand() {
        // Behind the first token: log-softmax of [0, ln 3] at 1, then of [0, 0] at 0.
        let logits = [0.0, 3.0_f32.ln(), 0.0, 0.0, 9.0, 9.0];
        let expected = (-(0.75_f64.ln() + 0.5_f64.ln()) / 2.0).exp();
        let found = perplexity(&logits, 2, &[0, 1, 0]).unwrap();
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        assert_eq!(
            perplexity(&logits, 2, &[0, 5]).unwrap_err().code(),
            "engine"
        );
        let infinite = perplexity(&[f32::NAN, 0.0], 2, &[0, 1]).unwrap_err();
        assert!(infinite.is_about_the_input());
    }
}
