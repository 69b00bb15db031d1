//! Why a picture could not be had, each reason with a stable code.

use std::error::Error;
use std::io;

use image::ImageError;
use image::error::LimitErrorKind;

/// Why a picture could not be read or decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file is missing, is not a regular file, or could not be read.
    #[error("cannot read {name}: {why}")]
    Unreadable {
        /// The path or URI as given.
        name: String,
        /// The system's reason.
        why: String,
    },
    /// The file, or the memory that its decoder asks for, is beyond the limit.
    #[error("{bytes} bytes are more than the limit of {limit}")]
    TooLarge {
        /// What was asked for; 0 when only the decoder knows.
        bytes: u64,
        /// The limit in force.
        limit: u64,
    },
    /// The header announces more pixels than the limit.
    #[error("{width}x{height} pixels are more than the limit of {limit}")]
    TooManyPixels {
        /// Width in pixels, as stored.
        width: u64,
        /// Height in pixels, as stored.
        height: u64,
        /// The limit in force.
        limit: u64,
    },
    /// The data end before the picture does.
    #[error("the picture is cut short: {0}")]
    Truncated(String),
    /// The data are not a valid picture of their format.
    #[error("the picture is damaged: {0}")]
    Bad(String),
    /// A format, or a variant of one, that is not decoded.
    #[error("unsupported picture: {0}")]
    Unsupported(String),
    /// The URL is not on this machine; fetching is another tool's work.
    #[error("{0} is not a local picture")]
    NotLocal(String),
    /// A `data:` URI that does not follow RFC 2397.
    #[error("bad data: URI: {0}")]
    BadDataUri(String),
}

impl PictureError {
    /// The stable kebab-case name of the reason, as it stands in reject records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::TooLarge { .. } => "too-large",
            Self::TooManyPixels { .. } => "too-many-pixels",
            Self::Truncated(_) => "truncated-image",
            Self::Bad(_) => "bad-image",
            Self::Unsupported(_) => "unsupported-image",
            Self::NotLocal(_) => "not-local",
            Self::BadDataUri(_) => "bad-data-uri",
        }
    }

    /// Sorts an error of the `image` crate into ours; `limit` is the memory limit that was in force.
    pub(crate) fn from_image(error: ImageError, limit: u64) -> Self {
        if ends_early(&error) {
            return Self::Truncated(error.to_string());
        }
        match error {
            ImageError::Unsupported(error) => Self::Unsupported(error.to_string()),
            ImageError::Limits(error) => match error.kind() {
                LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory => {
                    Self::TooLarge { bytes: 0, limit }
                }
                _ => Self::Unsupported(error.to_string()),
            },
            other => Self::Bad(other.to_string()),
        }
    }
}

/// Whether some error in the chain says that the data ended early.
fn ends_early(error: &ImageError) -> bool {
    let early = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    // `ImageError::source` skips the I/O error that it wraps.
    if matches!(error, ImageError::IoError(error) if early(error)) {
        return true;
    }
    let mut link: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = link {
        // The gif crate keeps its own kind private and has only the words.
        if error.downcast_ref::<io::Error>().is_some_and(early)
            || error.to_string().ends_with("Unexpected End of File")
        {
            return true;
        }
        link = error.source();
    }
    false
}
