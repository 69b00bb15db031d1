//! WARC and ARC files: a document a page, with the pictures that lie in the same file.
//!
//! The reader's thread goes through the file once; the workers read pages and pictures where they lie.
//!
//! Memory: 8 bytes a page, 16 bytes a picture, and the page that is worked on. Order: the file's.

use std::fs::File;
use std::sync::Arc;

use realsyn_archive::warc::{Resource, Survey, Warc};
use realsyn_archive::{ArchiveError, spool};
use realsyn_extract::{About, Base, Held, Pictures, Source};
use realsyn_lines::{Operand, Origin, Stop};
use realsyn_picture::{Limits, PictureError};
use realsyn_record::content_hash;

use crate::settle::Desk;
use crate::tasks::{Input, Outlet, Over, Piece};

/// A file of which the records are known.
struct Archive {
    warc: Warc,
    name: Arc<str>,
}

/// What the first pass over a file found.
struct Surveyed {
    name: Arc<str>,
    survey: Survey,
}

/// A page of a file.
struct Page {
    archive: Arc<Archive>,
    offset: u64,
}

/// Sends the pages of a file.
///
/// # Errors
/// The run is over.
pub fn read(input: Input, stop: &Stop, outlet: &mut Outlet) -> Result<(), Over> {
    let Input {
        operand,
        name,
        reader,
    } = input;
    let opened = seekable(&operand, reader).and_then(|(file, broken)| {
        let (warc, mut survey) = Warc::open(file, &|| stop.is_set())?;
        survey.problems.extend(broken);
        Ok((warc, survey))
    });
    let (warc, survey) = match opened {
        Ok(opened) => opened,
        Err(error) => return outlet.reject(&name, None, error.code(), error.to_string()),
    };
    outlet.send(Surveyed {
        name: Arc::clone(&name),
        survey,
    })?;
    let archive = Arc::new(Archive { warc, name });
    for &offset in archive.warc.pages() {
        outlet.send(Page {
            archive: Arc::clone(&archive),
            offset,
        })?;
    }
    Ok(())
}

type Seekable = (File, Option<realsyn_archive::Problem>);

/// The file itself when its records can be sought, else a copy of what is in it.
fn seekable(
    operand: &Operand,
    reader: Box<dyn std::io::Read + Send>,
) -> Result<Seekable, ArchiveError> {
    if let Operand::File(path) = operand
        && path.metadata()?.is_file()
        && !is_zstd(path)?
    {
        return Ok((File::open(path)?, None));
    }
    let (file, broken) = spool(reader)?;
    let offset = file.metadata()?.len();
    let problem = broken.map(|error| realsyn_archive::Problem {
        offset,
        error: error.into(),
    });
    Ok((file, problem))
}

fn is_zstd(path: &std::path::Path) -> std::io::Result<bool> {
    use std::io::Read as _;
    let mut head = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut head)?;
    Ok(head == [0x28, 0xb5, 0x2f, 0xfd])
}

impl Piece for Surveyed {
    fn units(&self) -> u64 {
        1
    }

    fn settle(self: Box<Self>, desk: &mut Desk<'_>) {
        let Survey {
            records,
            kept,
            skipped,
            problems,
        } = self.survey;
        let skipped: Vec<(&'static str, u64)> = skipped.into_iter().collect();
        desk.count("record", records, kept, &skipped);
        for problem in problems {
            let origin = Origin {
                file: Some(&self.name),
                offset: Some(problem.offset),
                ..Origin::default()
            };
            desk.refuse(problem.error.code(), &problem.error.to_string(), origin);
        }
    }
}

impl Piece for Page {
    fn units(&self) -> u64 {
        1
    }

    fn is_light(&self) -> bool {
        true
    }

    fn settle(self: Box<Self>, desk: &mut Desk<'_>) {
        let Self { archive, offset } = *self;
        let origin = |record| Origin {
            file: Some(&archive.name),
            offset: Some(offset),
            record,
            ..Origin::default()
        };
        let page = match archive.warc.page(offset, desk.options().max_document) {
            Ok(page) => page,
            Err(error) => {
                let code = match error {
                    ArchiveError::TooLarge { .. } => "document-too-large",
                    _ => error.code(),
                };
                desk.refuse(code, &error.to_string(), origin(&[]));
                return;
            }
        };
        let id = id(&page);
        let source = Source {
            base: Base::at(&page.url),
            charset: page.charset.as_deref(),
            about: About {
                title: None,
                url: Some(page.url.clone()).filter(|url| !url.is_empty()),
                lang: None,
                license: None,
            },
            pictures: Some(&*archive),
            is_xhtml: page.is_xhtml,
            ..Source::of(&id, std::path::Path::new(""))
        };
        let made = realsyn_extract::html(&page.body, &source, desk.options());
        desk.settle(made, origin(&page.body[..page.body.len().min(4096)]));
    }
}

/// The record's own id, which is the same wherever the record is copied to; without one, what makes the record itself:
/// URL, time and page.
fn id(page: &Resource) -> String {
    if let Some(id) = &page.id {
        return id.clone();
    }
    let mut whole = format!("{}\0{}\0", page.url, page.date).into_bytes();
    whole.extend_from_slice(&page.body);
    let mut id = content_hash(&whole);
    id.truncate("b3:".len() + 16);
    id
}

impl Pictures for Archive {
    fn has(&self, name: &str) -> bool {
        self.warc.has(name)
    }

    fn read(&self, name: &str, limits: &Limits) -> Result<Option<Held>, PictureError> {
        let found = self.warc.picture(name, limits.max_bytes);
        let found = found.map_err(|error| flaw(name, &error))?;
        Ok(found.map(|(bytes, offset)| Held {
            bytes,
            archive: self.name.to_string(),
            offset,
        }))
    }
}

/// What a container's damage means for a picture.
pub fn flaw(name: &str, error: &ArchiveError) -> PictureError {
    match error {
        ArchiveError::TooLarge { limit } => PictureError::TooLarge {
            bytes: limit.saturating_add(1),
            limit: *limit,
        },
        error => PictureError::Unreadable {
            name: name.to_owned(),
            why: error.to_string(),
        },
    }
}
