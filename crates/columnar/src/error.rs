//! Why a file, a row group or a row cannot be read.

use std::io;

use thiserror::Error;

/// A file, row group or row that cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ColumnarError {
    /// The file cannot be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file's footer is damaged or of an unknown kind: no row can be found.
    #[error("not a Parquet file that can be read: {0}")]
    Footer(String),
    /// A column chunk is damaged: the row and those after it in its row group are lost.
    #[error("row group {group}, row {row}: column {column}: {what}; {lost} rows are lost")]
    Column {
        /// The row group, counted from 0.
        group: usize,
        /// The row in it, counted from 0.
        row: u64,
        /// The column.
        column: String,
        /// What is wrong.
        what: String,
        /// How many rows of the group, with this one, are not read.
        lost: u64,
    },
    /// One row cannot be had; the next can.
    #[error("row group {group}, row {row}: {what}")]
    Row {
        /// The row group, counted from 0.
        group: usize,
        /// The row in it, counted from 0.
        row: u64,
        /// What is wrong.
        what: String,
    },
    /// The row is longer than [`Limits::row`](crate::Limits::row); the next can be had.
    #[error("row group {group}, row {row}: longer than {limit} bytes as a line")]
    TooLong {
        /// The row group, counted from 0.
        group: usize,
        /// The row in it, counted from 0.
        row: u64,
        /// The limit in force.
        limit: usize,
    },
}

impl ColumnarError {
    /// The stable kebab-case name of the reason, as it stands in reject records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "unreadable",
            Self::Footer(_) | Self::Column { .. } => "bad-parquet",
            Self::Row { .. } => "damaged-row",
            Self::TooLong { .. } => "document-too-large",
        }
    }

    /// How many rows it costs beyond the one that it is told for.
    #[must_use]
    pub fn lost(&self) -> u64 {
        match self {
            Self::Column { lost, .. } => lost.saturating_sub(1),
            _ => 0,
        }
    }
}
