//! What can go wrong in retrieval.

use std::io;

use thiserror::Error;

/// Why an index cannot be built or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RetrieveError {
    /// A vector does not have the centres' dimension.
    #[error("a vector has {found} dimensions, the cluster centres {expected}")]
    DimMismatch {
        /// The centres' dimension.
        expected: usize,
        /// The vector's.
        found: usize,
    },
    /// A sentence names a cluster that has no centre.
    #[error("cluster {cluster} is none of the {clusters} clusters")]
    NoSuchCluster {
        /// The cluster it names.
        cluster: u64,
        /// How many centres there are.
        clusters: usize,
    },
    /// There are no centres, or they have no dimension.
    #[error("there is no cluster centre")]
    NoCentres,
    /// More documents than 32 bits number.
    #[error("more than 4294967295 documents")]
    TooManyDocs,
    /// More queries than 32 bits number.
    #[error("more than 4294967295 queries at once")]
    TooManyQueries,
    /// A temporary file, or the index itself, cannot be written or read.
    #[error("{what}: {source}")]
    Io {
        /// Which of them.
        what: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The bytes are not an index.
    #[error("not an index of sentences")]
    NotAnIndex,
    /// The index has a layout that this build does not read.
    #[error("the index has layout version {found}; this build reads version {expected}")]
    Version {
        /// The version found.
        found: u32,
        /// The version that is read.
        expected: u32,
    },
    /// The index is cut short or damaged.
    #[error("the index is damaged: {0}")]
    Damaged(&'static str),
}

impl RetrieveError {
    /// A stable name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::DimMismatch { .. } => "dim-mismatch",
            Self::NoSuchCluster { .. } => "no-such-cluster",
            Self::NoCentres => "no-centres",
            Self::TooManyDocs => "too-many-docs",
            Self::TooManyQueries => "too-many-queries",
            Self::Io { .. } => "io",
            Self::NotAnIndex => "not-an-index",
            Self::Version { .. } => "index-version",
            Self::Damaged(_) => "index-damaged",
        }
    }
}
