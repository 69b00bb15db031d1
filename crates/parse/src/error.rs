//! What can be wrong with a weights file.

use thiserror::Error;

/// Why weights cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The bytes do not begin as a weights file does.
    #[error("these are no weights of the parser")]
    Magic,
    /// The weights were made for another layout of features.
    #[error("weights of layout {found}; this program reads layout {expected}")]
    Version {
        /// What the file says.
        found: u32,
        /// What is read here.
        expected: u32,
    },
    /// The file ends too early, or goes on too long.
    #[error("the weights have {found} bytes, not {expected}")]
    Length {
        /// The file's bytes.
        found: usize,
        /// What they should be.
        expected: usize,
    },
}

impl ParseError {
    /// A stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Magic => "not-weights",
            Self::Version { .. } => "weights-version",
            Self::Length { .. } => "weights-length",
        }
    }
}
