//! Why a whole document is refused.

use thiserror::Error;

/// A document of which nothing can be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// Longer than [`Options::max_document`](crate::Options::max_document).
    #[error("the document has {bytes} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Its length.
        bytes: u64,
        /// The limit in force.
        limit: u64,
    },
    /// HTML that grows into more elements than a page can sensibly have.
    #[error("the document has more than {0} elements")]
    TooManyElements(usize),
    /// An OBELICS line that is no JSON object of the expected form.
    #[error("not an OBELICS document: {0}")]
    BadObelics(String),
    /// An OBELICS document whose parallel lists do not fit together.
    #[error("not an OBELICS document: position {position} {what}")]
    BadPosition {
        /// The position in `images` and `texts`.
        position: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A library met something that it does not handle.
    #[error("the page could not be read: {0}")]
    Unreadable(String),
}

impl ExtractError {
    /// The stable kebab-case name of the reason, as it stands in reject records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "document-too-large",
            Self::TooManyElements(_) => "too-many-elements",
            Self::BadObelics(_) | Self::BadPosition { .. } => "bad-obelics",
            Self::Unreadable(_) => "bad-html",
        }
    }
}
