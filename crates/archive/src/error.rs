//! Why a container, or a part of it, cannot be read.

use std::io;

use thiserror::Error;

/// A container or a part of it that is of no use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The system, or a decompressor, gives no more bytes.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What begins here is no record.
    #[error("{0}")]
    BadRecord(String),
    /// The record is shorter than it says.
    #[error("the record has {found} of {length} bytes")]
    Truncated {
        /// The length that it claims.
        length: u64,
        /// What is there.
        found: u64,
    },
    /// The body is longer than the caller takes.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// The limit in force.
        limit: u64,
    },
    /// A ZIP file that is no EPUB, or one that cannot be read.
    #[error("not an EPUB: {0}")]
    BadEpub(String),
    /// A chapter that only its seller's software can read.
    #[error("{0} is encrypted")]
    Encrypted(String),
}

impl ArchiveError {
    /// The stable kebab-case name of the reason, as it stands in reject records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "broken-input",
            Self::BadRecord(_) => "bad-record",
            Self::Truncated { .. } => "truncated-record",
            Self::TooLarge { .. } => "too-large",
            Self::BadEpub(_) => "bad-epub",
            Self::Encrypted(_) => "encrypted",
        }
    }
}

/// A part of a container that was lost.
#[derive(Debug)]
pub struct Problem {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// What is wrong with it.
    pub error: ArchiveError,
}
