//! What can go wrong in looking for semantic duplicates.

use std::io;

use thiserror::Error;

/// Why semantic duplicates cannot be looked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SemdedupError {
    /// A vector holds an infinity or a NaN.
    #[error("vector {row} holds a number that is not finite")]
    NotFinite {
        /// The row, counted from 0.
        row: usize,
    },
    /// A vector of zeros.
    #[error("vector {row} is all zeros: it has no direction")]
    NoDirection {
        /// The row, counted from 0.
        row: usize,
    },
    /// More than can be numbered or multiplied.
    #[error("{count} {what} are too many: at most {most}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// Centres of another dimension.
    #[error("the centroids have {centres} dimensions, the vectors {vectors}")]
    DimMismatch {
        /// The centres' dimension.
        centres: usize,
        /// The vectors' dimension.
        vectors: usize,
    },
    /// The temporary file of the codes.
    #[error("the temporary file of the 8-bit codes: {0}")]
    Codes(#[from] io::Error),
}

impl SemdedupError {
    /// A stable name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFinite { .. } => "not-finite",
            Self::NoDirection { .. } => "no-direction",
            Self::TooMany { .. } => "too-many",
            Self::DimMismatch { .. } => "dim-mismatch",
            Self::Codes(_) => "io",
        }
    }
}
