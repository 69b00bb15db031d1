//! The records that the first tool of the pipeline writes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// An `image/1` record: one picture at one place of one document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Image<'a> {
    /// Always `image/1`.
    pub schema: &'static str,
    /// The occurrence: `<doc>/i<N>`.
    pub id: Cow<'a, str>,
    /// The document.
    pub doc: Cow<'a, str>,
    /// Place among the images and sentences of the document, counted from 0.
    pub pos: u64,
    /// Content hash of the file's bytes; absent when only a URL is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// A path that can be opened from the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Cow<'a, str>>,
    /// An `http:`, `https:` or `data:` URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Cow<'a, str>>,
    /// Width in pixels as displayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels as displayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// File format by its magic bytes, such as `jpeg`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// Size of the file in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The `alt` text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alt: Option<Cow<'a, str>>,
    /// The text of the figure's caption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figcaption: Option<Cow<'a, str>>,
    /// The document's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Cow<'a, str>>,
    /// The document's URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc_url: Option<Cow<'a, str>>,
    /// The document's language as it declares it (BCP 47).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<Cow<'a, str>>,
    /// The document's licence as it declares it: a URL or a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<Cow<'a, str>>,
}

impl Image<'_> {
    /// The schema tag of the type.
    pub const SCHEMA: &'static str = "image/1";
}

/// A `sentence/1` record: one sentence at one place of one document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sentence<'a> {
    /// Always `sentence/1`.
    pub schema: &'static str,
    /// The occurrence: `<doc>/s<N>`.
    pub id: Cow<'a, str>,
    /// The document.
    pub doc: Cow<'a, str>,
    /// Place among the images and sentences of the document, counted from 0.
    pub pos: u64,
    /// Content hash of the text's bytes.
    pub hash: String,
    /// The sentence.
    pub text: Cow<'a, str>,
    /// The document's URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc_url: Option<Cow<'a, str>>,
    /// The document's language as it declares it (BCP 47).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<Cow<'a, str>>,
    /// The document's licence as it declares it: a URL or a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<Cow<'a, str>>,
}

impl Sentence<'_> {
    /// The schema tag of the type.
    pub const SCHEMA: &'static str = "sentence/1";
}

/// One retrieved sentence of a `pair/1` record's `texts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairText<'a> {
    /// The sentence record's id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// The sentence.
    #[serde(borrow)]
    pub text: Cow<'a, str>,
    /// Cosine of the image's and the sentence's embeddings.
    pub cos: f64,
}
