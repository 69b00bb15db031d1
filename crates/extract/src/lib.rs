//! Documents to `image` and `sentence` records, in document order.
//!
//! A document is an HTML page ([`html`]) or a line of OBELICS JSON Lines ([`obelics`]). Both become [`Item`]s: images
//! whose files have been looked at, sentences that have passed every rule that needs no knowledge of the corpus, and
//! what was taken out, with its reason. The rule that needs the corpus, entropy, is asked afterwards with the
//! [`WordCounts`] of all sentences that got so far.
//!
//! Memory: up to 25 times the document (a page of nothing but short paragraphs), which is bounded by [`Options::max_document`], and one picture file at a time.
//! Order: as in the document; the same bytes give the same records.

mod charset;
mod content;
mod counts;
mod document;
mod error;
mod location;
mod look;
mod obelics;
mod page;
mod rules;
mod text;
mod tree;
mod walk;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use realsyn_record::content_hash;

pub use counts::{CountsError, WordCounts};
pub use document::{Class, Document, Item, Occurrence, Options, Refused};
pub use error::ExtractError;
pub use rules::Rule;

use document::Assembler;
use location::Base;
use page::Page;

/// Extracts an HTML page.
///
/// `id` becomes the document's id, `folder` is where relative references start, `charset` the label that a transport gave
/// to the encoding.
///
/// # Errors
/// The page as a whole is of no use: too large, or too many elements.
pub fn html(
    bytes: &[u8],
    id: &str,
    folder: &Path,
    charset: Option<&str>,
    options: &Options,
) -> Result<Document, ExtractError> {
    check_length(bytes, options)?;
    // Of the libraries below, none promises never to panic on what the web holds.
    catch_unwind(AssertUnwindSafe(|| {
        page(bytes, id, folder, charset, options)
    }))
    .unwrap_or_else(|panic| {
        let why = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(ExtractError::Unreadable(
            why.unwrap_or_else(|| "a library gave up".to_owned()),
        ))
    })
}

fn page(
    bytes: &[u8],
    id: &str,
    folder: &Path,
    charset: Option<&str>,
    options: &Options,
) -> Result<Document, ExtractError> {
    let page = Page::new(tree::parse(&charset::decode(bytes, charset))?);
    let everything = 0..page.len();
    let title = page
        .find(everything.clone(), "title")
        .map(|at| page.text(at))
        .filter(|title| !title.is_empty());
    let mut base = Base::Folder(folder.to_owned());
    if let Some(href) = page
        .find(everything, "base")
        .and_then(|at| page.attr(at, "href"))
    {
        base = base.with_href(&href);
    }
    let main = content::main(&page);
    let blocks = walk::blocks(&page, &main);
    Ok(Assembler::new(id.to_owned(), title, base, options).finish(blocks))
}

/// Extracts a line of OBELICS JSON Lines. Its id is made of its bytes, so that every shard gives it the same.
///
/// # Errors
/// The line is too long or of another form.
pub fn obelics(line: &[u8], folder: &Path, options: &Options) -> Result<Document, ExtractError> {
    check_length(line, options)?;
    let text =
        std::str::from_utf8(line).map_err(|error| ExtractError::BadObelics(error.to_string()))?;
    let parsed = obelics::parse(text)?;
    let mut id = content_hash(line);
    id.truncate("b3:".len() + 16);
    let mut assembler = Assembler::new(id, None, Base::Folder(folder.to_owned()), options);
    assembler.declared = parsed.declared;
    Ok(assembler.finish(parsed.blocks))
}

fn check_length(bytes: &[u8], options: &Options) -> Result<(), ExtractError> {
    let (bytes, limit) = (bytes.len() as u64, options.max_document);
    if bytes > limit {
        Err(ExtractError::TooLarge { bytes, limit })
    } else {
        Ok(())
    }
}
