//! The checkpoint of record: one safetensors file with OpenCLIP's tensor names beside OpenCLIP's JSON config, and the
//! ONNX model directory that is written from those two alone.
//!
//! Whatever framework trains a model ends here, and whatever runs a model starts here: `rs-embed` runs the ONNX files,
//! `open_clip` and anything built on it loads the safetensors file, and neither knows what trained it.
//!
//! Memory: a [`Checkpoint`] holds every weight once as f32 (ViT-B/32: 600 MB). Writing the model directory streams each
//! tensor and holds one transposed copy of the largest at a time.
//!
//! Order: files are a function of the weights and the config alone; the same checkpoint gives the same bytes.

mod config;
mod directory;
mod init;
mod onnx;
mod proto;
mod tensors;
pub mod tokenizer;

pub use config::{Config, PreprocessConfig, TensorSpec, TextConfig, VisionConfig};
pub use directory::{CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE};
pub use tensors::{Checkpoint, Tensor, Tensors, read_safetensors, write_safetensors};

use std::path::PathBuf;

/// What can be wrong with a checkpoint or with the place it is read from or written to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The JSON config is no CLIP config of this shape.
    #[error("not a CLIP config that this tool knows: {0}")]
    Config(String),
    /// The safetensors file is damaged, or no safetensors file.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A tensor that the config calls for is absent.
    #[error("the checkpoint lacks the tensor {0:?}")]
    MissingTensor(String),
    /// A tensor's shape is not the config's.
    #[error("the tensor {name:?} has the shape {found:?}, the config calls for {expected:?}")]
    Shape {
        /// OpenCLIP's name of the tensor.
        name: String,
        /// The shape that the config calls for.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// `tokenizer.json` is not JSON, or its ids do not fit the model.
    #[error("the tokenizer does not fit the model: {0}")]
    Tokenizer(String),
}

impl CheckpointError {
    /// The error's stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Config(_) => "bad-config",
            Self::Format { .. } => "bad-safetensors",
            Self::MissingTensor(_) => "missing-tensor",
            Self::Shape { .. } => "bad-shape",
            Self::Tokenizer(_) => "bad-tokenizer",
        }
    }

    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
