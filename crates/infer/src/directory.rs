//! A model directory in the layout of Hugging Face's ONNX exports: what its JSON files say, and its identity.
//!
//! ```text
//! config.json                     kind of model, width of the embedding, labels
//! preprocessor_config.json        resize, crop, mean and deviation
//! tokenizer.json                  the vocabulary (tokenizer_config.json, sentence_bert_config.json: its limits)
//! onnx/vision_model.onnx          pixel_values -> image_embeds
//! onnx/text_model.onnx            input_ids, attention_mask -> text_embeds
//! onnx/model.onnx                 a classifier, or a text encoder alone
//! ```
//! Graphs are also found in the directory itself, where some exporters put them.

use crate::InferError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the pipeline needs of `config.json`; unknown keys are left alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    pub model_type: Option<String>,
    pub projection_dim: Option<usize>,
    pub max_position_embeddings: Option<usize>,
    pub pad_token_id: Option<i64>,
    pub id2label: Option<BTreeMap<String, String>>,
    pub problem_type: Option<String>,
    #[serde(rename = "text_config")]
    pub text: Option<Tower>,
    #[serde(rename = "vision_config")]
    pub vision: Option<Tower>,
}

/// One tower's part of `config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tower {
    pub max_position_embeddings: Option<usize>,
    pub pad_token_id: Option<i64>,
    pub patch_size: Option<serde_json::Value>,
}

/// The tokenizer's limits outside `tokenizer.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TokenizerConfig {
    /// Some exports write 1e30 for "no limit".
    pub model_max_length: Option<f64>,
    pub pad_token: Option<PadToken>,
}

/// A padding token, written as itself or as the tokenizer's record of it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum PadToken {
    Plain(String),
    Record { content: String },
}

impl PadToken {
    pub fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Record { content: text } => text,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
}

/// How a sentence-transformers directory makes one vector of the tokens' vectors.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PoolingConfig {
    #[serde(rename = "pooling_mode_mean_tokens")]
    mean: bool,
    #[serde(rename = "pooling_mode_cls_token")]
    first: bool,
}

/// The pooling that a text encoder without a pooled output needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// The mean over the tokens that are not padding.
    Mean,
    /// The first token.
    First,
}

/// An opened model directory; no graph is loaded.
#[derive(Debug)]
pub(crate) struct Directory {
    pub path: PathBuf,
    /// What stands between the names of graphs and `.onnx`: nothing, or an underscore and the weights' name.
    suffix: String,
    pub config: Config,
    pub tokenizer: TokenizerConfig,
    pub max_seq_length: Option<usize>,
    pub pooling: Option<Pooling>,
}

impl Directory {
    /// Reads the JSON files; only `config.json` must be there. `weights` chooses among graphs that lie beside each other.
    pub fn open(path: &Path, weights: Option<&str>) -> Result<Self, InferError> {
        let config = path.join("config.json");
        let bytes = fs::read(&config).map_err(InferError::io(&config))?;
        let config = parse(&config, &bytes)?;
        let sentence: SentenceConfig =
            optional(&path.join("sentence_bert_config.json"))?.unwrap_or_default();
        let pooling: Option<PoolingConfig> = optional(&path.join("1_Pooling/config.json"))?;
        Ok(Self {
            path: path.to_owned(),
            suffix: suffix(weights),
            config,
            tokenizer: optional(&path.join("tokenizer_config.json"))?.unwrap_or_default(),
            max_seq_length: sentence.max_seq_length,
            pooling: pooling.and_then(|config| match config {
                PoolingConfig { mean: true, .. } => Some(Pooling::Mean),
                PoolingConfig { first: true, .. } => Some(Pooling::First),
                PoolingConfig { .. } => None,
            }),
        })
    }

    /// The first of the graphs that exists, under `onnx/` before the directory itself.
    pub fn graph(&self, names: &[&str], what: &'static str) -> Result<PathBuf, InferError> {
        let names: Vec<String> = names
            .iter()
            .map(|name| with_suffix(name, &self.suffix))
            .collect();
        let mut places = names
            .iter()
            .flat_map(|name| [self.path.join("onnx").join(name), self.path.join(name)]);
        places
            .find(|path| path.is_file())
            .ok_or_else(|| InferError::NoTower {
                dir: self.path.clone(),
                what,
                looked: names
                    .iter()
                    .map(|name| format!("onnx/{name}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// True for the kinds whose texts are padded to the full context in training and read without a mask.
    pub fn pads_to_context(&self) -> bool {
        self.kind().starts_with("siglip")
    }

    /// True where what stands after the end of a text cannot reach its embedding: CLIP's attention looks back only.
    pub fn is_causal(&self) -> bool {
        let kind = self.kind();
        kind.starts_with("clip") || kind == "chinese_clip_text" || kind.starts_with("open_clip")
    }

    fn kind(&self) -> &str {
        self.config.model_type.as_deref().unwrap_or_default()
    }

    /// `b3:` and 128 bits of BLAKE3 over the names and contents of the files that decide an embedding. The engine is not
    /// part of it: both engines agree far below f16's precision.
    pub fn identity(&self) -> Result<String, InferError> {
        let mut all = blake3::Hasher::new();
        for name in FILES.map(|name| with_suffix(name, &self.suffix)) {
            for path in [
                self.path.join(&name),
                self.path.join(format!("{name}_data")),
                self.path.join(format!("{name}.data")),
            ] {
                let mut one = blake3::Hasher::new();
                match fs::File::open(&path).and_then(|file| one.update_reader(file).map(|_| ())) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(InferError::io(&path)(error)),
                }
                let name = path.strip_prefix(&self.path).unwrap_or(&path);
                all.update(name.to_string_lossy().as_bytes())
                    .update(&[0])
                    .update(one.finalize().as_bytes());
            }
        }
        let digest = all.finalize().to_hex();
        Ok(format!("b3:{}", &digest[..32]))
    }
}

/// The files that decide an embedding, in the order of the identity.
const FILES: [&str; 12] = [
    "config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
    "onnx/vision_model.onnx",
    "onnx/text_model.onnx",
    "onnx/model.onnx",
    "vision_model.onnx",
    "text_model.onnx",
    "model.onnx",
];

/// Whether a file, named from the model's folder on, is one that a model with these weights is read from.
#[must_use]
pub fn is_model_file(file: &str, weights: Option<&str>) -> bool {
    let suffix = suffix(weights);
    FILES.iter().any(|name| {
        let name = with_suffix(name, &suffix);
        let rest = file.strip_prefix(&name);
        let is_data = |rest: &str| rest.starts_with("_data") || rest.starts_with(".data");
        rest.is_some_and(|rest| rest.is_empty() || (name.ends_with(GRAPH) && is_data(rest)))
    })
}

const GRAPH: &str = ".onnx";

fn suffix(weights: Option<&str>) -> String {
    weights.map_or_else(String::new, |weights| format!("_{weights}"))
}

/// A graph's name with the weights' name in it; other names stay as they are.
fn with_suffix(name: &str, suffix: &str) -> String {
    match name.strip_suffix(GRAPH) {
        Some(stem) => format!("{stem}{suffix}{GRAPH}"),
        None => name.to_owned(),
    }
}

fn optional<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, InferError> {
    match fs::read(path) {
        Ok(bytes) => parse(path, &bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(InferError::io(path)(error)),
    }
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, InferError> {
    serde_json::from_slice(bytes).map_err(|error| InferError::config(path, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_directory_names_the_file() {
        let error = Directory::open(Path::new("/nowhere/model"), None).unwrap_err();
        assert_eq!(error.code(), "io");
        assert!(
            error
                .to_string()
                .starts_with("/nowhere/model/config.json: "),
            "{error}"
        );
    }

    #[test]
    fn identity_follows_contents_and_not_place() {
        let make = |config: &str, weights: &str| {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("onnx")).unwrap();
            fs::write(dir.path().join("config.json"), config).unwrap();
            fs::write(dir.path().join("onnx/text_model.onnx"), weights).unwrap();
            fs::write(dir.path().join("README.md"), weights).unwrap();
            Directory::open(dir.path(), None)
                .unwrap()
                .identity()
                .unwrap()
        };
        let id = make("{}", "a");
        assert_eq!(id.len(), 35);
        assert_eq!(id, make("{}", "a"));
        assert_ne!(id, make("{}", "b"));
        assert_ne!(id, make("{ }", "a"));
    }

    #[test]
    fn external_weights_are_part_of_the_identity() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("onnx")).unwrap();
        fs::write(dir.path().join("config.json"), "{}").unwrap();
        fs::write(dir.path().join("onnx/vision_model.onnx"), "graph").unwrap();
        let before = Directory::open(dir.path(), None)
            .unwrap()
            .identity()
            .unwrap();
        fs::write(dir.path().join("onnx/vision_model.onnx_data"), "weights").unwrap();
        assert_ne!(
            before,
            Directory::open(dir.path(), None)
                .unwrap()
                .identity()
                .unwrap()
        );
    }

    #[test]
    fn weights_beside_each_other_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        for (file, bytes) in [
            ("config.json", "{}"),
            ("text_model.onnx", "full"),
            ("text_model_fp16.onnx", "half"),
        ] {
            fs::write(dir.path().join(file), bytes).unwrap();
        }
        let open = |weights| Directory::open(dir.path(), weights).unwrap();
        let graph = |weights| open(weights).graph(&["text_model.onnx"], "text tower");
        assert!(graph(None).unwrap().ends_with("text_model.onnx"));
        assert!(
            graph(Some("fp16"))
                .unwrap()
                .ends_with("text_model_fp16.onnx")
        );
        let missing = graph(Some("int8")).unwrap_err().to_string();
        assert!(missing.contains("onnx/text_model_int8.onnx"), "{missing}");
        assert_ne!(
            open(None).identity().unwrap(),
            open(Some("fp16")).identity().unwrap()
        );
        for (file, plain, half) in [
            ("config.json", true, true),
            ("1_Pooling/config.json", true, true),
            ("onnx/vision_model.onnx", true, false),
            ("onnx/vision_model.onnx_data_1", true, false),
            ("onnx/vision_model_fp16.onnx", false, true),
            ("onnx/vision_model_fp16.onnx.data", false, true),
            ("README.md", false, false),
            ("model.safetensors", false, false),
        ] {
            let is = |weights| is_model_file(file, weights);
            assert_eq!((is(None), is(Some("fp16"))), (plain, half), "{file}");
        }
    }

    #[test]
    fn a_pad_token_is_read_in_both_forms() {
        let plain: TokenizerConfig =
            serde_json::from_str(r#"{"pad_token":"[PAD]","model_max_length":1e30}"#).unwrap();
        let record: TokenizerConfig =
            serde_json::from_str(r#"{"pad_token":{"content":"[PAD]","lstrip":false}}"#).unwrap();
        assert_eq!(
            plain.pad_token.unwrap().text(),
            record.pad_token.unwrap().text()
        );
    }
}
