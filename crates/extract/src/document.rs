//! Blocks to records: sentences split, pictures looked at, rules asked.
//!
//! Every image and every sentence has its number whether or not a rule drops it, so that ids and places do not depend on
//! the rules that are on.

use std::borrow::Cow;
use std::collections::HashSet;

use realsyn_picture::Limits;
use realsyn_record::{Image, Sentence, content_hash};
use serde::Serialize;

use crate::about::About;
use crate::interleaved::Declared;
use crate::language::Language;
use crate::location::Location;
use crate::look::{self, Flaw};
use crate::rules::Rule;
use crate::shelf::Shelf;
use crate::source::Source;
use crate::walk::{Block, Picture};
use crate::{ExtractError, location, text};

/// How a record was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A rule dropped it, as asked.
    Filter,
    /// It is bad input.
    Error,
}

/// What is asked of images and sentences.
#[derive(Clone, Debug)]
pub struct Options {
    /// Rules that are switched off.
    pub skip: Vec<Rule>,
    /// The least number of words of a sentence.
    pub min_words: usize,
    /// The greatest number of words of a sentence.
    pub max_words: usize,
    /// The languages that sentences may be in.
    pub languages: Vec<Language>,
    /// The least number of words that depend on one word of a sentence.
    pub min_complexity: usize,
    /// The shortest side of an image in pixels.
    pub min_side: u32,
    /// The greatest ratio of the longer to the shorter side.
    pub max_aspect: f64,
    /// Whether images are wanted; if not, they keep their numbers and no file is read.
    pub images: bool,
    /// The longest document in bytes.
    pub max_document: u64,
    /// What a picture file may cost.
    pub limits: Limits,
    /// Where pictures are put that are no files of their own.
    pub shelf: Option<Shelf>,
}

impl Default for Options {
    /// The paper's.
    fn default() -> Self {
        Self {
            skip: Vec::new(),
            min_words: 3,
            max_words: 81,
            languages: vec![Language::ENGLISH],
            min_complexity: 1,
            min_side: 100,
            max_aspect: 3.0,
            images: true,
            max_document: 16 << 20,
            limits: Limits {
                max_bytes: 64 << 20,
                ..Limits::default()
            },
            shelf: None,
        }
    }
}

impl Options {
    /// Whether the rule is on.
    #[must_use]
    pub fn asks(&self, rule: Rule) -> bool {
        !self.skip.contains(&rule)
    }
}

/// An `image/1` record, with the size that a document claims for a picture that nobody has measured, and the place of one
/// that lies in a container.
#[derive(Clone, Debug, Serialize)]
pub struct Occurrence {
    /// The record.
    #[serde(flatten)]
    pub image: Image<'static>,
    /// The claimed width.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_width: Option<u32>,
    /// The claimed height.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_height: Option<u32>,
    /// The container, by its path as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// The member's name, in a container that names its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Where the record or member begins in the container, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// An image or sentence that does not go on.
#[derive(Clone, Debug)]
pub struct Refused {
    /// `image` or `sentence`.
    pub kind: &'static str,
    /// Whether a rule or bad input is the reason.
    pub class: Class,
    /// The stable name of the reason.
    pub code: &'static str,
    /// The reason in words.
    pub message: String,
    /// The record that would have been, as JSON.
    pub record: String,
}

/// One thing of a document, in its order.
#[derive(Clone, Debug)]
pub enum Item {
    /// An image that goes on.
    Image(Box<Occurrence>),
    /// A sentence, which no rule has taken out yet.
    Sentence(Sentence<'static>),
    /// What a rule, or a flaw, has taken out.
    Refused(Refused),
}

/// What was found in a document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its id.
    pub id: String,
    /// Images and sentences in its order.
    pub items: Vec<Item>,
}

/// Builds a [`Document`] from blocks.
pub(crate) struct Assembler<'a> {
    source: &'a Source<'a>,
    about: About,
    options: &'a Options,
    /// What the document says of its pictures, by their number.
    pub declared: Vec<Declared>,
    items: Vec<Item>,
    images: usize,
    sentences: usize,
    seen: HashSet<Location>,
    failed: Option<ExtractError>,
}

impl<'a> Assembler<'a> {
    /// `about` is what the document says of itself, the source's included.
    pub fn new(source: &'a Source<'a>, about: About, options: &'a Options) -> Self {
        Self {
            source,
            about,
            options,
            declared: Vec::new(),
            items: Vec::new(),
            images: 0,
            sentences: 0,
            seen: HashSet::new(),
            failed: None,
        }
    }

    pub fn finish(mut self, blocks: Vec<Block>) -> Result<Document, ExtractError> {
        for block in blocks {
            let label = text::label(&block.text);
            let body = &block.text[label..];
            let mut pictures = block.pictures.into_iter().peekable();
            for (start, end) in text::sentences(body) {
                // A picture inside a sentence comes before it: what it shows is said around it.
                while let Some((_, picture)) = pictures.next_if(|(at, _)| *at < label + end) {
                    self.image(picture);
                }
                self.sentence(&body[start..end]);
            }
            for (_, picture) in pictures {
                self.image(picture);
            }
        }
        match self.failed {
            Some(error) => Err(error),
            None => Ok(Document {
                id: self.source.id.to_owned(),
                items: self.items,
            }),
        }
    }

    fn pos(&self) -> u64 {
        (self.images + self.sentences) as u64
    }

    fn sentence(&mut self, text: &str) {
        let id = self.source.id;
        let sentence = Sentence {
            schema: Sentence::SCHEMA,
            id: Cow::Owned(format!("{id}/s{}", self.sentences)),
            doc: Cow::Owned(id.to_owned()),
            pos: self.pos(),
            hash: content_hash(text.as_bytes()),
            text: Cow::Owned(text.to_owned()),
            doc_url: owned(self.about.url.as_ref()),
            lang: owned(self.about.lang.as_ref()),
            license: owned(self.about.license.as_ref()),
        };
        self.sentences += 1;
        self.items.push(if text.contains('\u{fffd}') {
            let message = "holds bytes that are no text in the document's encoding".to_owned();
            refused("sentence", Class::Error, "damaged-text", message, &sentence)
        } else {
            Item::Sentence(sentence)
        });
    }

    fn image(&mut self, picture: Picture) {
        let number = self.images;
        if !self.options.images {
            self.images += 1;
            return;
        }
        let declared = self.declared.get(number).cloned().unwrap_or_default();
        let place = self.place(&picture);
        let id = self.source.id;
        let mut occurrence = Occurrence {
            image: Image {
                schema: Image::SCHEMA,
                id: Cow::Owned(format!("{id}/i{number}")),
                doc: Cow::Owned(id.to_owned()),
                pos: self.pos(),
                hash: None,
                path: None,
                url: None,
                width: None,
                height: None,
                format: None,
                bytes: None,
                alt: picture.alt.map(Cow::Owned),
                figcaption: picture.caption.map(Cow::Owned),
                title: owned(self.about.title.as_ref()),
                doc_url: owned(self.about.url.as_ref()),
                lang: owned(self.about.lang.as_ref()),
                license: owned(self.about.license.as_ref()),
            },
            declared_width: declared.original_width,
            declared_height: declared.original_height,
            archive: None,
            member: None,
            offset: None,
        };
        self.images += 1;
        match &place {
            Some(Location::Path(path)) => occurrence.image.path = Some(Cow::Owned(path.clone())),
            Some(Location::Url(url)) => occurrence.image.url = Some(Cow::Owned(url.clone())),
            Some(Location::Member(name)) => occurrence.member = Some(name.clone()),
            None => {}
        }
        let item = match self.judge(place, &mut occurrence) {
            Ok(()) => Item::Image(Box::new(occurrence)),
            Err(flaw) => refused("image", flaw.class, flaw.code, flaw.message, &occurrence),
        };
        self.items.push(item);
    }

    /// The best place at which the picture is; if it is nowhere, the best place.
    fn place(&self, picture: &Picture) -> Option<Location> {
        let mut places: Vec<Location> = picture
            .candidates
            .iter()
            .filter_map(|reference| location::resolve(reference, &self.source.base))
            .collect();
        let held = self.source.pictures.and_then(|pictures| {
            places
                .iter()
                .position(|place| place.name().is_some_and(|name| pictures.has(name)))
        });
        let at = held
            .or_else(|| places.iter().position(look::is_there))
            .unwrap_or(0);
        (!places.is_empty()).then(|| places.swap_remove(at))
    }

    fn judge(&mut self, place: Option<Location>, occurrence: &mut Occurrence) -> Result<(), Flaw> {
        let filter = |rule: Rule, message: String| Flaw {
            class: Class::Filter,
            code: rule.code(),
            message,
        };
        let Some(place) = place else {
            let message = "the element names no picture".to_owned();
            return Err(Flaw {
                class: Class::Filter,
                code: "no-source",
                message,
            });
        };
        if self.options.asks(Rule::RepeatedInDoc) && !self.seen.insert(place.clone()) {
            return Err(filter(
                Rule::RepeatedInDoc,
                "the document has shown it before".to_owned(),
            ));
        }
        let options = self.options;
        let Some(file) = look::read(&place, self.source.pictures, &options.limits)? else {
            return Ok(());
        };
        let is_file = matches!(place, Location::Path(_));
        (occurrence.archive, occurrence.offset) = (file.archive, file.offset);
        let look = look::look(&file.bytes, &options.limits)?;
        (occurrence.declared_width, occurrence.declared_height) = (None, None);
        let image = &mut occurrence.image;
        let (width, height) = (look.header.width, look.header.height);
        image.hash = Some(look.hash);
        (image.width, image.height) = (Some(width), Some(height));
        image.format = Some(look.header.format.as_str());
        image.bytes = Some(file.bytes.len() as u64);
        if options.asks(Rule::TooSmall) && width.min(height) < options.min_side {
            let message = format!(
                "{width}x{height} pixels, the shorter side of at least {}",
                options.min_side
            );
            return Err(filter(Rule::TooSmall, message));
        }
        let aspect = f64::from(width.max(height)) / f64::from(width.min(height));
        if options.asks(Rule::BadAspect) && aspect > options.max_aspect {
            let message = format!(
                "{width}x{height} pixels, {aspect:.2} to 1 of at most {}",
                options.max_aspect
            );
            return Err(filter(Rule::BadAspect, message));
        }
        if let (Some(shelf), false, Some(hash), Some(format)) =
            (&options.shelf, is_file, &image.hash, image.format)
        {
            match shelf.put(&file.bytes, hash, format) {
                Ok(path) => image.path = Some(Cow::Owned(path)),
                Err(error) => {
                    let what = format!("the picture {}: {error}", image.id);
                    self.failed.get_or_insert(ExtractError::Shelf(what));
                }
            }
            // The file says all that the URI said.
            if image.url.as_deref().is_some_and(location::is_data) {
                image.url = None;
            }
        }
        Ok(())
    }
}

fn owned(value: Option<&String>) -> Option<Cow<'static, str>> {
    value.cloned().map(Cow::Owned)
}

pub(crate) fn refused(
    kind: &'static str,
    class: Class,
    code: &'static str,
    message: String,
    record: &impl Serialize,
) -> Item {
    // Records are strings and numbers, which always have a JSON form.
    let record = serde_json::to_string(record).unwrap_or_default();
    Item::Refused(Refused {
        kind,
        class,
        code,
        message,
        record,
    })
}
