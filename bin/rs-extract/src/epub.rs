//! EPUB books: a document a chapter, with the pictures of the book.
//!
//! Memory: the book's directory, and the chapter that is worked on. Order: the spine's.

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use realsyn_archive::epub::Book;
use realsyn_archive::{ArchiveError, spool};
use realsyn_extract::{About, Base, Held, Pictures, Source};
use realsyn_lines::{Operand, Origin};
use realsyn_picture::{Limits, PictureError};

use crate::settle::Desk;
use crate::tasks::{self, Input, Outlet, Over, Piece};
use crate::warc::flaw;

/// A chapter of a book.
struct Chapter {
    book: Arc<Book>,
    name: Arc<str>,
    number: usize,
}

/// The members of the book, read by one thread.
struct Members {
    book: Mutex<Book>,
    archive: Arc<str>,
}

/// Sends the chapters of a book.
///
/// # Errors
/// The run is over.
pub fn read(input: Input, outlet: &mut Outlet) -> Result<(), Over> {
    let name = input.name;
    let opened = match &input.operand {
        // The directory stands at the end: what cannot be sought is copied.
        Operand::File(path) if is_zip(path) => File::open(path).map_err(ArchiveError::from),
        _ => spool(input.reader)
            .map(|(file, _)| file)
            .map_err(ArchiveError::from),
    };
    let book = match opened.and_then(Book::open) {
        Ok(book) => Arc::new(book),
        Err(error) => return outlet.reject(&name, None, error.code(), error.to_string()),
    };
    for number in 0..book.chapters.len() {
        outlet.send(Chapter {
            book: Arc::clone(&book),
            name: Arc::clone(&name),
            number,
        })?;
    }
    Ok(())
}

/// Whether `dc:rights` says what may be done: most books say there only whose they are.
fn is_license(rights: &str) -> bool {
    let rights = rights.to_ascii_lowercase();
    [
        "http://",
        "https://",
        "licen",
        "public domain",
        "creative commons",
    ]
    .iter()
    .any(|word| rights.contains(word))
}

fn is_zip(path: &std::path::Path) -> bool {
    use std::io::Read as _;
    let mut head = [0; 2];
    File::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok()) && head == *b"PK"
}

impl Piece for Chapter {
    fn units(&self) -> u64 {
        1
    }

    fn is_light(&self) -> bool {
        true
    }

    fn settle(self: Box<Self>, desk: &mut Desk<'_>) {
        let mut book = (*self.book).clone();
        let chapter = &self.book.chapters[self.number];
        let origin = Origin {
            file: Some(&self.name),
            ..Origin::default()
        };
        let limit = desk.options().max_document;
        let (bytes, offset) = match book.read(chapter, limit) {
            Ok(Some(found)) => found,
            Ok(None) => {
                let message = format!("the book has no {chapter}");
                desk.refuse("missing-chapter", &message, origin);
                return;
            }
            Err(error) => {
                let code = match error {
                    ArchiveError::TooLarge { .. } => "document-too-large",
                    _ => error.code(),
                };
                desk.refuse(code, &format!("{chapter}: {error}"), origin);
                return;
            }
        };
        let id = format!("{}/{chapter}", tasks::id(&self.name));
        let folder = chapter.rfind('/').map_or("", |slash| &chapter[..=slash]);
        let about = About {
            title: book.title.clone(),
            url: book.url.clone(),
            lang: book.language.clone(),
            license: book.rights.clone().filter(|rights| is_license(rights)),
        };
        let members = Members {
            book: Mutex::new(book),
            archive: Arc::clone(&self.name),
        };
        let source = Source {
            base: Base::Inside(folder.to_owned()),
            about,
            pictures: Some(&members),
            is_xhtml: true,
            ..Source::of(&id, std::path::Path::new(""))
        };
        let made = realsyn_extract::html(&bytes, &source, desk.options());
        let origin = Origin {
            offset: Some(offset),
            record: &bytes[..bytes.len().min(4096)],
            ..origin
        };
        desk.settle(made, origin);
    }
}

impl Pictures for Members {
    fn has(&self, name: &str) -> bool {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.has(name)
    }

    fn read(&self, name: &str, limits: &Limits) -> Result<Option<Held>, PictureError> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let found = book.read(name, limits.max_bytes);
        let found = found.map_err(|error| flaw(name, &error))?;
        Ok(found.map(|(bytes, offset)| Held {
            bytes,
            archive: self.archive.to_string(),
            offset,
        }))
    }
}
