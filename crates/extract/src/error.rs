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
    /// HTML with a tag that has more attributes than can be compared with each other.
    #[error("a tag of the document has more than {0} attributes")]
    TooManyAttributes(usize),
    /// A line that is no JSON object.
    #[error("not a JSON object: {0}")]
    BadJson(String),
    /// A JSON object that has the keys of no known form.
    #[error("a JSON object with neither images and texts nor text_list")]
    UnknownDocument,
    /// An object that is no document of OBELICS.
    #[error("not an OBELICS document: {0}")]
    BadObelics(String),
    /// An object that is no document of MMC4.
    #[error("not an MMC4 document: {0}")]
    BadMmc4(String),
    /// An object that is no document of `OmniCorpus`.
    #[error("not an OmniCorpus document: {0}")]
    BadOmniCorpus(String),
    /// A picture cannot be put into [`Options::shelf`](crate::Options::shelf): no fault of the document.
    #[error("cannot write {0}")]
    Shelf(String),
    /// A library met something that it does not handle.
    #[error("the page could not be read: {0}")]
    Unreadable(String),
}

impl ExtractError {
    /// Whether the run cannot go on, because the next document would end as this one did.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Shelf(_))
    }

    /// The stable kebab-case name of the reason, as it stands in reject records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "document-too-large",
            Self::TooManyElements(_) => "too-many-elements",
            Self::TooManyAttributes(_) => "too-many-attributes",
            Self::BadJson(_) => "bad-json",
            Self::UnknownDocument => "unknown-document",
            Self::BadObelics(_) => "bad-obelics",
            Self::BadMmc4(_) => "bad-mmc4",
            Self::BadOmniCorpus(_) => "bad-omnicorpus",
            Self::Shelf(_) => "cannot-write",
            Self::Unreadable(_) => "bad-html",
        }
    }
}
