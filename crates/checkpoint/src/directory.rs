//! The model directory: what the ecosystem's tools look for, all of it written from the checkpoint.
//!
//! `open_clip_model.safetensors` and `open_clip_config.json` are the record; `onnx/`, `config.json`,
//! `preprocessor_config.json` and `tokenizer.json` are the layout of Hugging Face's ONNX exports, which `rs-embed` reads.
//! Each file is written under another name, synced and renamed, so a directory never holds half a file.

use crate::config::PreprocessConfig;
use crate::proto::Graph;
use crate::tensors::{read_safetensors, write_safetensors};
use crate::{Checkpoint, CheckpointError, Config, onnx, tokenizer};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The weights.
pub const MODEL_FILE: &str = "open_clip_model.safetensors";
/// The sizes.
pub const CONFIG_FILE: &str = "open_clip_config.json";
/// The text tower's vocabulary.
pub const TOKENIZER_FILE: &str = "tokenizer.json";

impl Checkpoint {
    /// Reads `open_clip_model.safetensors` with its `open_clip_config.json` from a directory.
    ///
    /// # Errors
    /// As [`read_safetensors`], [`Config::from_json`] and [`Checkpoint::new`].
    pub fn read_dir(dir: &Path) -> Result<Self, CheckpointError> {
        let path = dir.join(CONFIG_FILE);
        let json = fs::read_to_string(&path).map_err(CheckpointError::io(&path))?;
        let (config, preprocess) = Config::from_json(&json)?;
        let (tensors, _) = read_safetensors(&dir.join(MODEL_FILE))?;
        Self::new(config, preprocess, tensors)
    }

    /// Writes the whole model directory, the ONNX files included. Files of these names are replaced, others left alone.
    ///
    /// # Errors
    /// [`CheckpointError::Io`], or [`CheckpointError::Tokenizer`] if the tokenizer's ids do not fit the text tower.
    pub fn write_dir(&self, dir: &Path, tokenizer_json: &str) -> Result<(), CheckpointError> {
        let (have, need) = (
            tokenizer::vocab_size(tokenizer_json)?,
            self.config().text_cfg.vocab_size,
        );
        if have > need {
            return Err(CheckpointError::Tokenizer(format!(
                "it has {have} ids, the text tower {need}"
            )));
        }
        let towers = dir.join("onnx");
        fs::create_dir_all(&towers).map_err(CheckpointError::io(&towers))?;
        write_safetensors(&dir.join(MODEL_FILE), self.tensors(), ("format", "pt"))?;
        write_text(&dir.join(CONFIG_FILE), &pretty(&self.open_clip_config()))?;
        write_text(&dir.join("config.json"), &pretty(&self.hub_config(have)))?;
        write_text(
            &dir.join("preprocessor_config.json"),
            &pretty(&self.hub_preprocessor()),
        )?;
        write_text(&dir.join(TOKENIZER_FILE), tokenizer_json)?;
        write_graph(&towers.join("vision_model.onnx"), &onnx::vision(self)?)?;
        write_graph(&towers.join("text_model.onnx"), &onnx::text(self)?)
    }

    fn open_clip_config(&self) -> Value {
        json!({"model_cfg": self.config(), "preprocess_cfg": self.preprocess()})
    }

    /// Hugging Face's `CLIPConfig`.
    fn hub_config(&self, vocabulary: usize) -> Value {
        let config = self.config();
        let (v, t) = (&config.vision_cfg, &config.text_cfg);
        let act = if config.quick_gelu {
            "quick_gelu"
        } else {
            "gelu"
        };
        json!({
            "architectures": ["CLIPModel"],
            "model_type": "clip",
            "projection_dim": config.embed_dim,
            "text_config": {
                "model_type": "clip_text_model", "vocab_size": t.vocab_size, "max_position_embeddings": t.context_length,
                "hidden_size": t.width, "intermediate_size": t.mlp_width(), "num_hidden_layers": t.layers,
                "num_attention_heads": t.heads, "projection_dim": config.embed_dim, "hidden_act": act,
                "bos_token_id": vocabulary.saturating_sub(2), "eos_token_id": vocabulary.saturating_sub(1),
            },
            "vision_config": {
                "model_type": "clip_vision_model", "image_size": v.image_size, "patch_size": v.patch_size,
                "hidden_size": v.width, "intermediate_size": v.mlp_width(), "num_hidden_layers": v.layers,
                "num_attention_heads": v.heads(), "projection_dim": config.embed_dim, "hidden_act": act,
            },
        })
    }

    /// Hugging Face's `CLIPImageProcessor`: the shorter side to the tower's, bicubic, centre crop, 0..1, normalised.
    fn hub_preprocessor(&self) -> Value {
        let side = self.config().vision_cfg.image_size;
        let PreprocessConfig { mean, std } = self.preprocess();
        json!({
            "image_processor_type": "CLIPImageProcessor",
            "do_convert_rgb": true,
            "do_resize": true, "size": {"shortest_edge": side}, "resample": 3,
            "do_center_crop": true, "crop_size": {"height": side, "width": side},
            "do_rescale": true, "rescale_factor": 1.0 / 255.0,
            "do_normalize": true, "image_mean": mean, "image_std": std,
        })
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn write_text(path: &Path, text: &str) -> Result<(), CheckpointError> {
    let part = part_of(path);
    fs::write(&part, text).map_err(CheckpointError::io(&part))?;
    commit(&part, path)
}

fn write_graph(path: &Path, graph: &Graph<'_>) -> Result<(), CheckpointError> {
    let part = part_of(path);
    let file = File::create(&part).map_err(CheckpointError::io(&part))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    graph
        .write(&mut out)
        .and_then(|()| out.flush())
        .map_err(CheckpointError::io(&part))?;
    commit(&part, path)
}

/// The name under which a file is written until it is whole.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".part");
    PathBuf::from(name)
}

/// Syncs a whole file and gives it its name.
pub(crate) fn commit(part: &Path, path: &Path) -> Result<(), CheckpointError> {
    File::open(part)
        .and_then(|file| file.sync_all())
        .map_err(CheckpointError::io(part))?;
    fs::rename(part, path).map_err(CheckpointError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let towers = dir.join("onnx");
        let paths = [dir, &towers]
            .into_iter()
            .flat_map(|d| fs::read_dir(d).unwrap())
            .map(|entry| entry.unwrap().path());
        paths
            .filter(|p| p.is_file())
            .map(|p| {
                (
                    p.strip_prefix(dir).unwrap().to_owned(),
                    fs::read(&p).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn a_directory_reads_back_as_it_was_and_twice_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let model = Checkpoint::random(&Config::tiny(), 7).unwrap();
        let tokens = tokenizer::json::<&str>(&[], 12).unwrap();
        model.write_dir(&dir.path().join("a"), &tokens).unwrap();
        model.write_dir(&dir.path().join("b"), &tokens).unwrap();
        assert_eq!(Checkpoint::read_dir(&dir.path().join("a")).unwrap(), model);
        let written = files(&dir.path().join("a"));
        assert_eq!(written, files(&dir.path().join("b")));
        let names: Vec<_> = written.keys().map(|p| p.to_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "config.json",
                "onnx/text_model.onnx",
                "onnx/vision_model.onnx",
                "open_clip_config.json",
                "open_clip_model.safetensors",
                "preprocessor_config.json",
                "tokenizer.json",
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let model = Checkpoint::random(&Config::tiny(), 7).unwrap();
        let large = tokenizer::json(&[("a", "b")], 12).unwrap();
        assert_eq!(
            model.write_dir(dir.path(), &large).unwrap_err().code(),
            "bad-tokenizer"
        );
        assert_eq!(Checkpoint::read_dir(dir.path()).unwrap_err().code(), "io");

        let mut tensors = model.tensors().clone();
        tensors.get_mut("visual.proj").unwrap().shape.reverse();
        tensors.get_mut("visual.proj").unwrap().shape.push(1);
        let make = |tensors| Checkpoint::new(Config::tiny(), PreprocessConfig::default(), tensors);
        assert_eq!(make(tensors.clone()).unwrap_err().code(), "bad-shape");
        tensors.remove("visual.proj");
        assert_eq!(make(tensors).unwrap_err().code(), "missing-tensor");

        fs::write(
            dir.path().join(CONFIG_FILE),
            pretty(&model.open_clip_config()),
        )
        .unwrap();
        fs::write(dir.path().join(MODEL_FILE), b"\x08\0\0\0\0\0\0\0nonsense").unwrap();
        assert_eq!(
            Checkpoint::read_dir(dir.path()).unwrap_err().code(),
            "bad-safetensors"
        );
    }
}
