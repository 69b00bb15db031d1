//! What ends a run.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a run cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinesError {
    /// Whoever read standard output has gone; the run ends quietly.
    #[error("the reader of standard output has gone")]
    BrokenPipe,
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// The file and what was done with it.
        what: String,
        /// The answer.
        source: io::Error,
    },
    /// An output exists already.
    #[error("{0} exists; -f replaces it")]
    Exists(PathBuf),
    /// Another run left its unfinished output there.
    #[error("{0} was left by an unfinished run; --resume continues it, -f starts again")]
    Unfinished(PathBuf),
    /// `--resume` found the output of a run with other arguments.
    #[error(
        "{path}: cannot resume: the run that left it had other arguments ({before}, now {now})"
    )]
    OtherArguments {
        /// The unfinished output.
        path: PathBuf,
        /// What the earlier run said of itself.
        before: String,
        /// What this one says.
        now: String,
    },
    /// `--resume` found a journal that does not fit its files.
    #[error("{path}: cannot resume: {reason}")]
    BadJournal {
        /// The journal.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// `--strict` and a record that had to be rejected.
    #[error("{0} (--strict)")]
    Strict(String),
}

impl LinesError {
    /// A stable name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BrokenPipe => "broken-pipe",
            Self::Io { .. } => "io",
            Self::Exists(_) => "exists",
            Self::Unfinished(_) => "unfinished",
            Self::OtherArguments { .. } => "other-arguments",
            Self::BadJournal { .. } => "bad-journal",
            Self::Strict(_) => "strict",
        }
    }

    /// The operating system's `source` for doing `what`.
    #[must_use]
    pub fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io {
            what: what.into(),
            source,
        }
    }
}
