//! What can be wrong with a record.

use thiserror::Error;

/// Why a line is no record, or a record lacks what was asked of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The line holds bytes that are not UTF-8.
    #[error("not UTF-8: the first bad byte is byte {at} of the line")]
    Utf8 {
        /// Offset of the first bad byte, counted from 0.
        at: usize,
    },
    /// The line is not one JSON object.
    #[error("not a JSON object: {0}")]
    Json(serde_json::Error),
    /// The object has no `schema` key of the form `kind/major`.
    #[error("no \"schema\" of the form \"kind/1\"")]
    MissingSchema,
    /// The record is of a known kind in a version that this build does not read.
    #[error("schema {found:?} is of another major version; this build reads \"{kind}/1\"")]
    UnknownMajor {
        /// The kind that was recognised.
        kind: &'static str,
        /// The schema as it stands in the record.
        found: String,
    },
    /// A field that the tool needs is absent.
    #[error("field {key:?} is missing")]
    MissingField {
        /// The absent key.
        key: String,
    },
    /// A field holds something of another type or shape.
    #[error("field {key:?}: {reason}")]
    BadField {
        /// The key.
        key: String,
        /// What is wrong with its value.
        reason: String,
    },
    /// An embedding cannot be decoded.
    #[error("embedding: {reason}")]
    BadEmbedding {
        /// What is wrong with it.
        reason: String,
    },
    /// An embedding's `.npy` sidecar cannot be read.
    #[error("embedding sidecar: {0}")]
    Sidecar(#[from] realsyn_vector::npy::NpyError),
}

impl RecordError {
    /// A stable name of the error for reject records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Utf8 { .. } => "bad-utf8",
            Self::Json(_) => "bad-json",
            Self::MissingSchema => "missing-schema",
            Self::UnknownMajor { .. } => "unknown-major",
            Self::MissingField { .. } => "missing-field",
            Self::BadField { .. } => "bad-field",
            Self::BadEmbedding { .. } => "bad-embedding",
            Self::Sidecar(_) => "bad-sidecar",
        }
    }
}
