//! Documents to `image` and `sentence` records, in document order.
//!
//! A document is an HTML page ([`html`]), a text in Markdown ([`markdown()`]), text without markup ([`text()`]), or a line of JSON Lines in one of the data
//! sets' forms ([`interleaved()`]). All become [`Item`]s: images whose files have been looked at, sentences, and what was
//! taken out, with its reason. What is known of a document beforehand, and the container that its pictures lie in, comes as
//! a [`Source`]. Then a [`Judge`] asks of the sentences every rule that needs no knowledge of the corpus; the entropy needs
//! the [`Frequencies`] of its words, which a [`Counter`] gathers.
//!
//! Memory: up to 25 times the document (a page of nothing but short paragraphs), which is bounded by
//! [`Options::max_document`], and one picture file at a time. Order: as in the document; the same bytes give the same
//! records.

mod about;
mod article;
mod charset;
mod content;
mod counter;
mod document;
mod error;
mod frequencies;
pub mod interleaved;
mod json;
mod judge;
mod language;
mod location;
mod look;
mod markdown;
mod mmc4;
mod obelics;
mod page;
mod percentiles;
mod rules;
mod shelf;
mod source;
mod text;
mod tree;
mod walk;
mod word;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use realsyn_record::content_hash;

pub use self::text::sentences;
pub use about::About;
pub use counter::Counter;
pub use document::{Class, Document, Item, Occurrence, Options, Refused};
pub use error::ExtractError;
pub use frequencies::{Cache, CountsError, Frequencies};
pub use interleaved::Form;
pub use judge::{Judge, Scratch};
pub use language::Language;
pub use location::Base;
pub use percentiles::Percentiles;
pub use rules::{Rule, form};
pub use shelf::Shelf;
pub use source::{Held, Pictures, Source};
pub use walk::{Block, Picture};

use document::Assembler;
use page::Page;

/// Extracts an HTML page.
///
/// # Errors
/// The page as a whole is of no use: too large, or too many elements.
pub fn html(
    bytes: &[u8],
    source: &Source<'_>,
    options: &Options,
) -> Result<Document, ExtractError> {
    check_length(bytes, options)?;
    guarded(|| page(bytes, source, options))
}

/// Extracts a text in Markdown.
///
/// # Errors
/// The text as a whole is of no use: too large, or too many elements.
pub fn markdown(
    bytes: &[u8],
    source: &Source<'_>,
    options: &Options,
) -> Result<Document, ExtractError> {
    check_length(bytes, options)?;
    guarded(|| {
        let text = charset::decode(bytes, source.charset.or(Some("utf-8")));
        let (html, said) = markdown::page(&text);
        drop(text);
        let page = Page::new(tree::parse(&html, false)?);
        drop(html);
        let mut about = source.about.clone().or(said);
        about.title = about.title.or_else(|| {
            let heading = page.find(0..page.len(), "h1")?;
            about::said(&page.text(heading))
        });
        let blocks = walk::blocks(&page, &content::whole(&page));
        Assembler::new(source, about, options).finish(blocks)
    })
}

/// Of the libraries below, none promises never to panic on what the web holds.
fn guarded(
    work: impl FnOnce() -> Result<Document, ExtractError>,
) -> Result<Document, ExtractError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let why = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(ExtractError::Unreadable(
            why.unwrap_or_else(|| "a library gave up".to_owned()),
        ))
    })
}

fn page(bytes: &[u8], source: &Source<'_>, options: &Options) -> Result<Document, ExtractError> {
    let html = charset::decode(bytes, source.charset);
    let is_xhtml = source.is_xhtml || html.trim_start().starts_with("<?xml");
    let page = Page::new(tree::parse(&html, is_xhtml)?);
    drop(html);
    let mut base = source.base.clone();
    if let Some(href) = page
        .find(0..page.len(), "base")
        .and_then(|at| page.attr(at, "href"))
    {
        base = base.with_href(href);
    }
    let about = source.about.clone().or(about::of_page(&page));
    let main = content::main(&page);
    let blocks = walk::blocks(&page, &main);
    let source = Source {
        base,
        ..source.clone()
    };
    Assembler::new(&source, about, options).finish(blocks)
}

/// Extracts text without markup: a paragraph ends at an empty line. `pictures`, by their names in the container, come
/// before it.
///
/// # Errors
/// The text is too long.
pub fn text(
    bytes: &[u8],
    pictures: Vec<String>,
    source: &Source<'_>,
    options: &Options,
) -> Result<Document, ExtractError> {
    check_length(bytes, options)?;
    let text = charset::decode(bytes, source.charset);
    let mut blocks: Vec<Block> = pictures
        .into_iter()
        .map(|name| Block {
            text: String::new(),
            pictures: vec![(0, Picture::named(name))],
        })
        .collect();
    let mut paragraph = String::new();
    for line in text.lines().chain([""]) {
        if !line.trim().is_empty() {
            text::fold_into(line, &mut paragraph);
            text::fold_into(" ", &mut paragraph);
        } else if !paragraph.is_empty() {
            paragraph.truncate(paragraph.trim_end().len());
            blocks.push(Block {
                text: std::mem::take(&mut paragraph),
                pictures: Vec::new(),
            });
        }
    }
    Assembler::new(source, source.about.clone(), options).finish(blocks)
}

/// Extracts a line of JSON Lines; without a form, its keys tell of which data set it is. Its id is made of its bytes, so
/// that every shard gives it the same.
///
/// # Errors
/// The line is too long or of another form.
pub fn interleaved(
    line: &[u8],
    form: Option<Form>,
    folder: &Path,
    options: &Options,
) -> Result<Document, ExtractError> {
    check_length(line, options)?;
    let parsed = interleaved::parse(line, form)?;
    let mut id = content_hash(line);
    id.truncate("b3:".len() + 16);
    let source = Source::of(&id, folder);
    let mut assembler = Assembler::new(&source, parsed.about, options);
    assembler.declared = parsed.declared;
    assembler.finish(parsed.blocks)
}

fn check_length(bytes: &[u8], options: &Options) -> Result<(), ExtractError> {
    let (bytes, limit) = (bytes.len() as u64, options.max_document);
    if bytes > limit {
        Err(ExtractError::TooLarge { bytes, limit })
    } else {
        Ok(())
    }
}
