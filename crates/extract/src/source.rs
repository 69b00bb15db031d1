//! Where a document comes from: its id, what is known of it beforehand, and the pictures that lie beside it.

use std::path::Path;

use realsyn_picture::{Limits, PictureError};

use crate::about::About;
use crate::location::Base;

/// A picture out of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The picture file.
    pub bytes: Vec<u8>,
    /// The container's path as given.
    pub archive: String,
    /// Where its record or member begins in the container, in bytes.
    pub offset: u64,
}

/// The pictures of a container: a WARC file by URL, an EPUB book or a tar sample by the member's name.
pub trait Pictures: Sync {
    /// Whether the container may hold the picture; cheap, and seldom wrong.
    fn has(&self, name: &str) -> bool;

    /// Reads the picture; `None` if the container does not hold it after all.
    ///
    /// # Errors
    /// `too-large`, or `unreadable` when the container is damaged there.
    fn read(&self, name: &str, limits: &Limits) -> Result<Option<Held>, PictureError>;
}

/// What is known of a document before it is read.
#[derive(Clone)]
pub struct Source<'a> {
    /// The document's id.
    pub id: &'a str,
    /// Where relative references start.
    pub base: Base,
    /// The label that a transport gave to the encoding.
    pub charset: Option<&'a str>,
    /// What a transport says of the document.
    pub about: About,
    /// The container of the document, if it has one.
    pub pictures: Option<&'a dyn Pictures>,
    /// Whether a transport says that the page is XHTML; one that begins with an XML declaration says so itself.
    pub is_xhtml: bool,
}

impl<'a> Source<'a> {
    /// A document in a folder, of which nothing else is known.
    #[must_use]
    pub fn of(id: &'a str, folder: &Path) -> Self {
        Self {
            id,
            base: Base::Folder(folder.to_owned()),
            charset: None,
            about: About::default(),
            pictures: None,
            is_xhtml: false,
        }
    }
}
