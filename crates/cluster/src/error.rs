//! What can go wrong in clustering.

use std::io;
use std::path::PathBuf;

use realsyn_vector::npy::NpyError;
use thiserror::Error;

/// Why vectors cannot be clustered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// More clusters were asked for than there are rows.
    #[error("{k} clusters cannot be made of {rows} vectors")]
    TooFewRows {
        /// The number of clusters.
        k: usize,
        /// The number of rows.
        rows: usize,
    },
    /// More rows or clusters than 32 bits number.
    #[error("{count} {what} are more than can be numbered (4294967294)")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
    },
    /// The options ask for nothing.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
    /// A vector holds an infinity or a NaN.
    #[error("vector {row} holds a number that is not finite")]
    NotFinite {
        /// The row, counted from 0.
        row: usize,
    },
    /// Centroids and vectors do not have the same dimension.
    #[error("the centroids have {centroids} dimensions, the vectors {vectors}")]
    DimMismatch {
        /// The centroids' dimension.
        centroids: usize,
        /// The vectors' dimension.
        vectors: usize,
    },
    /// The first centroids are not as many as the clusters.
    #[error("{given} first centroids were given for {k} clusters")]
    InitCount {
        /// The number of clusters.
        k: usize,
        /// The number of centroids that were given.
        given: usize,
    },
    /// The description beside a file of centroids is broken.
    #[error("{path}: {reason}")]
    Description {
        /// The description's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint or a partial result is not what is needed.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A matrix cannot be read.
    #[error(transparent)]
    Npy(#[from] NpyError),
    /// A file cannot be written or read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
}

impl ClusterError {
    /// A stable name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooFewRows { .. } => "too-few-rows",
            Self::TooMany { .. } => "too-many",
            Self::Zero(_) => "zero",
            Self::NotFinite { .. } => "not-finite",
            Self::DimMismatch { .. } => "dim-mismatch",
            Self::InitCount { .. } => "init-count",
            Self::Description { .. } => "bad-description",
            Self::File { .. } => "bad-file",
            Self::Npy(_) => "bad-npy",
            Self::Io { .. } => "io",
        }
    }
}
