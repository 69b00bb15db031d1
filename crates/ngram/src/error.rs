//! What can go wrong with a language model.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a model cannot be trained or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NgramError {
    /// The operating system's answer.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// The file is no model, of another version, or damaged.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An order that no model has.
    #[error("the order must be 2 to {max}, not {order}")]
    Order {
        /// What was asked for.
        order: usize,
        /// The highest order.
        max: usize,
    },
    /// There was no sentence to learn from.
    #[error("there is no sentence to learn from")]
    Empty,
    /// More different words than 32 bits number.
    #[error("more than {0} different words: count rarer words by their look alone")]
    TooMuch(u32),
}

impl NgramError {
    /// A stable name of the kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Format { .. } => "bad-model",
            Self::Order { .. } => "bad-order",
            Self::Empty => "no-text",
            Self::TooMuch(_) => "too-much-text",
        }
    }
}
