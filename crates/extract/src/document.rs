//! Blocks to records: sentences split, pictures looked at, rules asked.
//!
//! Every image and every sentence has its number whether or not a rule drops it, so that ids and places do not depend on
//! the rules that are on.

use std::borrow::Cow;
use std::collections::HashSet;

use realsyn_picture::Limits;
use realsyn_record::{Image, Sentence, content_hash};
use serde::Serialize;

use crate::location::{Base, Location};
use crate::look::{self, Flaw};
use crate::obelics::Declared;
use crate::rules::{self, Rule};
use crate::walk::{Block, Picture};
use crate::{location, text};

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
}

impl Default for Options {
    /// The paper's.
    fn default() -> Self {
        Self {
            skip: Vec::new(),
            min_words: 3,
            max_words: 81,
            min_side: 100,
            max_aspect: 3.0,
            images: true,
            max_document: 16 << 20,
            limits: Limits {
                max_bytes: 64 << 20,
                ..Limits::default()
            },
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

/// An `image/1` record, with the size that a document claims for a picture that nobody has measured.
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
    /// A sentence that has passed every rule but entropy.
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
    pub id: String,
    pub title: Option<String>,
    pub base: Base,
    pub options: &'a Options,
    pub declared: Vec<Declared>,
    pub items: Vec<Item>,
    pub images: usize,
    pub sentences: usize,
    pub seen: HashSet<Location>,
}

impl<'a> Assembler<'a> {
    pub fn new(id: String, title: Option<String>, base: Base, options: &'a Options) -> Self {
        Self {
            id,
            title,
            base,
            options,
            declared: Vec::new(),
            items: Vec::new(),
            images: 0,
            sentences: 0,
            seen: HashSet::new(),
        }
    }

    pub fn finish(mut self, blocks: Vec<Block>) -> Document {
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
        Document {
            id: self.id,
            items: self.items,
        }
    }

    fn pos(&self) -> u64 {
        (self.images + self.sentences) as u64
    }

    fn sentence(&mut self, text: &str) {
        let sentence = Sentence {
            schema: Sentence::SCHEMA,
            id: Cow::Owned(format!("{}/s{}", self.id, self.sentences)),
            doc: Cow::Owned(self.id.clone()),
            pos: self.pos(),
            hash: content_hash(text.as_bytes()),
            text: Cow::Owned(text.to_owned()),
        };
        self.sentences += 1;
        let refusal = if text.contains('\u{fffd}') {
            let message = "holds bytes that are no text in the document's encoding".to_owned();
            Some((Class::Error, "damaged-text", message))
        } else {
            rules::broken(text, self.options)
                .map(|(rule, message)| (Class::Filter, rule.code(), message))
        };
        self.items.push(match refusal {
            Some((class, code, message)) => refused("sentence", class, code, message, &sentence),
            None => Item::Sentence(sentence),
        });
    }

    fn image(&mut self, picture: Picture) {
        let number = self.images;
        if !self.options.images {
            self.images += 1;
            return;
        }
        let declared = self.declared.get(number).cloned().unwrap_or_default();
        let places: Vec<Location> = picture
            .candidates
            .iter()
            .filter_map(|reference| location::resolve(reference, &self.base))
            .collect();
        let place = places
            .iter()
            .find(|place| look::is_there(place))
            .or(places.first())
            .cloned();
        let mut occurrence = Occurrence {
            image: Image {
                schema: Image::SCHEMA,
                id: Cow::Owned(format!("{}/i{number}", self.id)),
                doc: Cow::Owned(self.id.clone()),
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
                title: self.title.clone().map(Cow::Owned),
            },
            declared_width: declared.original_width,
            declared_height: declared.original_height,
        };
        self.images += 1;
        match &place {
            Some(Location::Path(path)) => occurrence.image.path = Some(Cow::Owned(path.clone())),
            Some(Location::Url(url)) => occurrence.image.url = Some(Cow::Owned(url.clone())),
            None => {}
        }
        let item = match self.judge(place, &mut occurrence) {
            Ok(()) => Item::Image(Box::new(occurrence)),
            Err(flaw) => refused("image", flaw.class, flaw.code, flaw.message, &occurrence),
        };
        self.items.push(item);
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
        if look::is_remote(&place) {
            return Ok(());
        }
        let look = look::look(&place, &self.options.limits)?;
        (occurrence.declared_width, occurrence.declared_height) = (None, None);
        let image = &mut occurrence.image;
        let (width, height) = (look.header.width, look.header.height);
        image.hash = Some(look.hash);
        (image.width, image.height) = (Some(width), Some(height));
        image.format = Some(look.header.format.as_str());
        image.bytes = Some(look.bytes);
        let options = self.options;
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
        Ok(())
    }
}

fn refused(
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
