//! What the report takes out of one record: a small owned value, made from the borrowed record in any thread.
//!
//! Vectors are never decoded and long texts are cut, so an [`Item`] costs at most some kilobytes however long its line.

use std::borrow::Cow;
use std::collections::BTreeMap;

use realsyn_record::{Kind, Record, RecordError, doc_of};
use serde::Deserialize;
use serde_json::Value;

use crate::distinct::hash;
use crate::html::clip;

/// Texts on the page are cut at this many characters (81 words of English are about 500).
const TEXT: usize = 640;
/// Names, paths, codes and messages are cut at this many.
const NAME: usize = 240;
/// At most this many texts and tags of one pair are shown.
const TEXTS: usize = 8;
const TAGS: usize = 16;
/// A path longer than this is not followed (Linux allows 4,096 bytes).
const PATH: usize = 4096;
/// A `data:` URI longer than this is not kept: it would be a picture of more than 6 MB inside its record.
const DATA_URI: usize = 8 << 20;

/// One record as the report needs it. Made by [`Item::digest`], taken by [`crate::Report::push`].
#[derive(Debug)]
pub struct Item(pub(crate) Digest);

/// The kinds of record that a report tells apart.
#[derive(Debug)]
pub(crate) enum Digest {
    Image(Box<Image>),
    Sentence(Sentence),
    Pair(Box<Pair>),
    Reject(Box<Reject>),
    Funnel(Box<Funnel>),
    Metric(Box<Metric>),
    Other,
}

/// Where a picture is and what its document says about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picture {
    pub(crate) id: String,
    pub(crate) doc: String,
    pub(crate) path: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) alt: Option<String>,
    pub(crate) figcaption: Option<String>,
    pub(crate) title: Option<String>,
}

/// An `image` record.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) picture: Picture,
    pub(crate) dup_of: Option<String>,
}

/// A `sentence` record; the id and the document only by their hashes.
#[derive(Debug)]
pub(crate) struct Sentence {
    pub(crate) id: u64,
    pub(crate) doc: u64,
    pub(crate) words: usize,
    pub(crate) text: String,
}

/// A `pair` record.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) picture: Picture,
    pub(crate) texts: Vec<Text>,
    pub(crate) tags: Vec<String>,
    pub(crate) caption: Option<String>,
    pub(crate) synthetic: Option<String>,
    pub(crate) synthetic_cos: Option<f32>,
    pub(crate) cluster: Option<u64>,
}

/// A retrieved text.
#[derive(Debug, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the record"
)]
pub(crate) struct Text {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) cos: f32,
}

/// A `reject` record.
#[derive(Debug)]
pub(crate) struct Reject {
    pub(crate) stage: String,
    pub(crate) error: bool,
    pub(crate) code: String,
    pub(crate) example: Example,
    /// For a duplicate that was dropped: which picture stayed.
    pub(crate) dup_of: Option<String>,
    /// Ranks the examples of a code: an even sample, whatever the order.
    pub(crate) rank: u64,
}

/// What a rejected line held.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) message: String,
    pub(crate) place: Option<String>,
    pub(crate) subject: Subject,
}

/// The thing itself, as far as it can be shown.
#[derive(Debug)]
pub(crate) enum Subject {
    Picture(Picture),
    Sentence { id: String, text: String },
    Line(String),
    Nothing,
}

/// A `funnel` record.
#[derive(Debug, Deserialize)]
pub(crate) struct Funnel {
    pub(crate) stage: String,
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) seen: u64,
    #[serde(default)]
    pub(crate) kept: u64,
    #[serde(default)]
    pub(crate) dropped: BTreeMap<String, u64>,
    #[serde(default)]
    pub(crate) errors: BTreeMap<String, u64>,
    #[serde(flatten)]
    pub(crate) extra: BTreeMap<String, Value>,
}

/// A `metric` record: its stage, its place on the x axis and its other numbers.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) stage: String,
    pub(crate) axis: &'static str,
    pub(crate) at: f64,
    pub(crate) values: Vec<(String, f64)>,
}

impl Item {
    /// Takes from a record what the report shows of it.
    ///
    /// # Errors
    /// When a field that the record's kind needs is missing or has another type (`missing-field`, `bad-field`).
    pub fn digest(record: &Record<'_>) -> Result<Self, RecordError> {
        Ok(Self(match record.kind() {
            Kind::Image => Digest::Image(Box::new(Image {
                picture: picture(record)?,
                dup_of: text(record, "dup_of", NAME)?,
            })),
            Kind::Sentence => Digest::Sentence(sentence(record)?),
            Kind::Pair => Digest::Pair(Box::new(pair(record)?)),
            Kind::Reject => Digest::Reject(Box::new(reject(record)?)),
            Kind::Funnel => Digest::Funnel(Box::new(funnel(record)?)),
            Kind::Metric => {
                metric(record)?.map_or(Digest::Other, |metric| Digest::Metric(Box::new(metric)))
            }
            Kind::Other => Digest::Other,
        }))
    }
}

/// A text field, cut.
fn text(
    record: &Record<'_>,
    key: &'static str,
    limit: usize,
) -> Result<Option<String>, RecordError> {
    Ok(record
        .text(key)?
        .map(|text| clip(text.trim(), limit))
        .filter(|text| !text.is_empty()))
}

fn picture(record: &Record<'_>) -> Result<Picture, RecordError> {
    let id = clip(&record.id()?, NAME);
    let doc = text(record, "doc", NAME)?.unwrap_or_else(|| doc_of(&id).to_owned());
    Ok(Picture {
        doc,
        path: record
            .get::<String>("path")?
            .filter(|path| path.len() <= PATH),
        url: record.text("url")?.map(local_url),
        width: record.get("width")?.unwrap_or(0),
        height: record.get("height")?.unwrap_or(0),
        alt: text(record, "alt", NAME)?,
        figcaption: text(record, "figcaption", NAME)?,
        title: text(record, "title", NAME)?,
        id,
    })
}

/// A `data:` or `file:` URL as it is, since its picture can be shown; any other cut, because nothing on the page ever
/// points at it.
fn local_url(url: Cow<'_, str>) -> String {
    let local = ["data:", "file:"].iter().any(|scheme| {
        url.get(..5)
            .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
    });
    if local && url.len() <= DATA_URI {
        url.into_owned()
    } else {
        clip(&url, NAME)
    }
}

fn sentence(record: &Record<'_>) -> Result<Sentence, RecordError> {
    let id = record.id()?;
    let doc = record.text("doc")?;
    let text = record.need_text("text")?;
    Ok(Sentence {
        id: hash(&id),
        doc: hash(doc.as_deref().unwrap_or_else(|| doc_of(&id))),
        words: text.split_whitespace().count(),
        text: clip(&text, TEXT),
    })
}

fn pair(record: &Record<'_>) -> Result<Pair, RecordError> {
    let mut texts: Vec<Text> = record.get("texts")?.unwrap_or_default();
    texts.truncate(TEXTS);
    for found in &mut texts {
        found.id = clip(&found.id, NAME);
        found.text = clip(found.text.trim(), TEXT);
    }
    let mut tags: Vec<String> = record.get("tags")?.unwrap_or_default();
    tags.truncate(TAGS);
    for tag in &mut tags {
        *tag = clip(tag.trim(), 60);
    }
    Ok(Pair {
        picture: picture(record)?,
        texts,
        tags,
        caption: text(record, "caption", TEXT)?,
        synthetic: text(record, "synthetic", TEXT)?,
        synthetic_cos: record.get("synthetic_cos")?,
        cluster: record.get("cluster")?,
    })
}

fn reject(record: &Record<'_>) -> Result<Reject, RecordError> {
    let stage = text(record, "stage", 60)?.unwrap_or_default();
    let code = text(record, "code", 60)?.unwrap_or_default();
    let (file, line) = (text(record, "file", NAME)?, record.get::<u64>("line")?);
    let mut dup_of = text(record, "dup_of", NAME)?;
    let subject = match record.raw("record") {
        Some(raw) => {
            let inner = Record::parse(raw.as_bytes());
            if let Ok(inner) = &inner {
                dup_of = dup_of.or(text(inner, "dup_of", NAME).unwrap_or_default());
            }
            inner
                .ok()
                .and_then(|inner| inner_subject(&inner))
                .unwrap_or_else(|| Subject::Line(clip(raw, NAME)))
        }
        None => text(record, "text", NAME)?.map_or(Subject::Nothing, Subject::Line),
    };
    Ok(Reject {
        error: record.text("class")?.as_deref() == Some("error"),
        rank: hash(record.line()),
        example: Example {
            message: text(record, "message", NAME)?.unwrap_or_default(),
            place: file.map(|file| match line {
                Some(line) => format!("{file}:{line}"),
                None => file,
            }),
            subject,
        },
        stage,
        code,
        dup_of,
    })
}

/// The rejected record, when it is one that can be shown.
fn inner_subject(record: &Record<'_>) -> Option<Subject> {
    match record.kind() {
        Kind::Image | Kind::Pair => picture(record).ok().map(Subject::Picture),
        Kind::Sentence => Some(Subject::Sentence {
            id: clip(&record.id().ok()?, NAME),
            text: text(record, "text", NAME).ok()??,
        }),
        _ => None,
    }
}

fn funnel(record: &Record<'_>) -> Result<Funnel, RecordError> {
    // A funnel is a line a stage and kind: reading it whole costs nothing that matters. What does not fit goes through
    // `need`, which names the field.
    if let Ok(funnel) = serde_json::from_str::<Funnel>(record.line()) {
        return Ok(funnel);
    }
    Ok(Funnel {
        stage: record.need("stage")?,
        kind: record.need("kind")?,
        seen: record.need("seen")?,
        kept: record.need("kept")?,
        dropped: record.get("dropped")?.unwrap_or_default(),
        errors: record.get("errors")?.unwrap_or_default(),
        extra: BTreeMap::new(),
    })
}

/// The numbers of a metric that has a place on an axis; others say nothing that can be drawn.
fn metric(record: &Record<'_>) -> Result<Option<Metric>, RecordError> {
    let stage = text(record, "stage", 60)?.unwrap_or_default();
    let Ok(fields) = serde_json::from_str::<BTreeMap<String, Value>>(record.line()) else {
        return Ok(None);
    };
    let Some((axis, at)) = ["step", "iteration", "epoch"].into_iter().find_map(|axis| {
        fields
            .get(axis)
            .and_then(Value::as_f64)
            .map(|at| (axis, at))
    }) else {
        return Ok(None);
    };
    let values = fields
        .iter()
        .filter(|(name, _)| name.as_str() != axis)
        .filter_map(|(name, value)| Some((clip(name, 40), value.as_f64()?)))
        .collect();
    Ok(Some(Metric {
        stage,
        axis,
        at,
        values,
    }))
}
