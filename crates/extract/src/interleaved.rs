//! One line of JSON Lines that is a whole document: which data set's form it has, and what it holds.
//!
//! The form is told by the keys: `text_list` is MMC4's, `images` beside `texts` are those of OBELICS, and of `OmniCorpus`
//! when `general_metadata` is an object rather than a string that holds one.
//!
//! Memory: five times the line. Order: the document's.

use realsyn_vector::bytes::is_plain;
use simd_json::prelude::ValueIntoString as _;
use simd_json::tape::{Object, Value};

use crate::about::{self, About};
use crate::walk::{Block, Picture};
use crate::{ExtractError, json, mmc4, obelics, text};

/// The forms in which data sets hold documents as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// OBELICS (arXiv 2306.16527): parallel lists, of which exactly one is set at each position.
    Obelics,
    /// MMC4 (arXiv 2304.06939): a list of sentences, and images that are matched to them.
    Mmc4,
    /// `OmniCorpus` (arXiv 2406.08418): as OBELICS, with its metadata as objects.
    OmniCorpus,
}

/// What is said of an image beside its reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Its width where the data set's authors found it.
    pub original_width: Option<u32>,
    /// Its height there.
    pub original_height: Option<u32>,
}

/// The blocks of a document, with what is declared of each image in their order.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// One for each picture of the blocks.
    pub declared: Vec<Declared>,
    /// What the document says of itself.
    pub about: About,
}

impl Parsed {
    /// Adds the paragraphs of a text.
    pub fn text(&mut self, words: &str) {
        let mut rest = words;
        while !rest.is_empty() {
            let end = text::empty_line(rest).unwrap_or(rest.len());
            let paragraph = &rest[..end];
            let text = if is_plain(paragraph.as_bytes()) {
                // Most paragraphs are ASCII that needs no folding.
                paragraph.trim_end_matches(' ').to_owned()
            } else {
                text::fold(paragraph)
            };
            if !text.is_empty() {
                self.blocks.push(Block {
                    text,
                    ..Block::default()
                });
            }
            rest = rest.get(end + 2..).unwrap_or_default();
        }
    }

    /// Adds an image as a block of its own.
    pub fn image(&mut self, candidates: Vec<String>, alt: Option<&str>, declared: Declared) {
        let picture = Picture {
            candidates,
            alt: alt.map(text::fold).filter(|alt| !alt.is_empty()),
            caption: None,
        };
        self.blocks.push(Block {
            text: String::new(),
            pictures: vec![(0, picture)],
        });
        self.declared.push(declared);
    }
}

/// Reads a line; without a form, its keys decide.
///
/// # Errors
/// `bad-json`, `unknown-document`, and `bad-obelics`, `bad-mmc4` or `bad-omnicorpus` when the form is known.
pub fn parse(line: &[u8], form: Option<Form>) -> Result<Parsed, ExtractError> {
    json::read(line, |document| {
        if !document.is_object() {
            return Err(ExtractError::BadJson("it is no object".to_owned()));
        }
        let form = form
            .or_else(|| of(document))
            .ok_or(ExtractError::UnknownDocument)?;
        let mut parsed = match form {
            Form::Mmc4 => mmc4::document(document),
            Form::Obelics | Form::OmniCorpus => obelics::document(document, form),
        }?;
        let (about, general) = said(document);
        parsed.about = match general.map(|general| (general.into_string(), general)) {
            // Damaged metadata lose a document nothing but what they say.
            Some((Some(inner), _)) => json::read(inner.as_bytes(), |inner| said(inner).0)
                .unwrap_or_default()
                .or(about),
            Some((None, general)) => said(general).0.or(about),
            None => about,
        };
        Ok(parsed)
    })
    .unwrap_or_else(|error| Err(ExtractError::BadJson(error)))
}

/// What an object says of the document, and its `general_metadata`. Its keys are gone through once.
fn said<'t, 'i>(object: Value<'t, 'i>) -> (About, Option<Value<'t, 'i>>) {
    let (mut about, mut general) = (About::default(), None);
    for (key, value) in object.as_object().iter().flat_map(Object::iter) {
        let own = match key {
            "title" => &mut about.title,
            "url" => &mut about.url,
            "language" | "lang" => &mut about.lang,
            "license" | "licence" => &mut about.license,
            "general_metadata" => {
                general = general.or(Some(value));
                continue;
            }
            _ => continue,
        };
        if own.is_none()
            && let Some(text) = value.into_string()
        {
            *own = match key {
                "title" => about::said(&text::fold(text)),
                "language" | "lang" => about::language(text),
                _ => about::said(text),
            };
        }
    }
    (about, general)
}

fn of(document: Value<'_, '_>) -> Option<Form> {
    let has = |key: &str| document.contains_key(key);
    if has("text_list") {
        Some(Form::Mmc4)
    } else if has("images") && has("texts") {
        let general = document.get("general_metadata");
        Some(if general.is_some_and(|general| general.is_object()) {
            Form::OmniCorpus
        } else {
            Form::Obelics
        })
    } else {
        None
    }
}
