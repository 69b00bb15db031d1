//! What can be wrong with a model directory, an engine or a run.

use std::path::{Path, PathBuf};

/// Why a model could not be opened or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferError {
    /// A file of the model directory is absent or could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A configuration file is not what the layout calls for.
    #[error("{}: {message}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The directory lacks the tower that is asked for.
    #[error("{} holds no {what}; looked for {looked}", dir.display())]
    NoTower {
        /// The model directory.
        dir: PathBuf,
        /// What is missing, in words.
        what: &'static str,
        /// The file names that would do.
        looked: String,
    },
    /// `tokenizer.json` cannot be used.
    #[error("{}: {message}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What the tokenizer library said.
        message: String,
    },
    /// No ONNX Runtime was found, or the one that was named cannot be used.
    #[error("{0}")]
    Library(String),
    /// The engine refused the graph.
    #[error("{}: {engine} cannot load the model: {message}", path.display())]
    Load {
        /// The graph's file.
        path: PathBuf,
        /// The engine.
        engine: &'static str,
        /// What the engine said.
        message: String,
    },
    /// The graph's inputs or outputs are not those of the layout.
    #[error("{}: {message}", path.display())]
    Graph {
        /// The graph's file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The engine failed in a run.
    #[error("{engine} failed: {message}")]
    Run {
        /// The engine.
        engine: &'static str,
        /// What the engine said.
        message: String,
    },
    /// A picture that the model's preprocessing cannot take.
    #[error(
        "{width}x{height} pixels: longer than {limit} times its width or height, it would be blown up beyond reason"
    )]
    Aspect {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The largest ratio of the sides that is accepted.
        limit: u32,
    },
    /// A picture or text whose embedding is not finite, or is zero.
    #[error("the model's answer is not a direction: its length is {0}")]
    NotFinite(f32),
    /// A text of which a language model has nothing to predict, or that it holds impossible.
    #[error(
        "the text has no perplexity: nothing in it is predicted, or the model's answer is not finite"
    )]
    NoPerplexity,
}

impl InferError {
    /// The stable kebab-case name of the reason, as it stands in reject records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Config { .. } => "bad-config",
            Self::NoTower { .. } => "no-tower",
            Self::Tokenizer { .. } => "bad-tokenizer",
            Self::Library(_) => "no-onnxruntime",
            Self::Load { .. } => "bad-model",
            Self::Graph { .. } => "bad-graph",
            Self::Run { .. } => "engine",
            Self::Aspect { .. } => "extreme-aspect",
            Self::NotFinite(_) => "not-finite",
            Self::NoPerplexity => "no-perplexity",
        }
    }

    /// True when the input is at fault and the next one may well succeed; false when the model or the engine is.
    #[must_use]
    pub fn is_about_the_input(&self) -> bool {
        matches!(
            self,
            Self::Aspect { .. } | Self::NotFinite(_) | Self::NoPerplexity
        )
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn config(path: &Path, message: impl Into<String>) -> Self {
        Self::Config {
            path: path.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn graph(path: &Path, message: impl Into<String>) -> Self {
        Self::Graph {
            path: path.to_owned(),
            message: message.into(),
        }
    }
}
