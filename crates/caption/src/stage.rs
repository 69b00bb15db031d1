//! The stage: which texts a pair lacks, and the requests that make them.
//!
//! Memory: for each request under way a prompt, its answer, and for a vision model the picture's
//! `data:` URI; decoded pictures exist at most `decoders` at a time.
//! Order: results come in the order of the pairs, whichever request ends first; each depends on its own
//! pair alone, so neither the batch nor the number of requests under way reaches them.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use realsyn_picture::Limits;
use realsyn_record::{Record, RecordError};
use serde::Deserialize;

use crate::answer::{AnswerError, Echo, clean};
use crate::chat::{Content, ImageUrl, Part};
use crate::endpoint::{Answer, AskError, Endpoint, EndpointError, EndpointOptions};
use crate::gate::Gate;
use crate::photo::data_uri;
use crate::prompt::{DESCRIBE, Sources, merge};

/// What a captioner does.
#[derive(Debug, Clone)]
pub struct Options {
    /// The model that sees the picture and writes `caption`.
    pub vlm: Option<EndpointOptions>,
    /// The model that merges the sources into `synthetic`.
    pub llm: Option<EndpointOptions>,
    /// The instructions of the merge prompt; [`crate::MERGE_RULES`] unless a model needs others.
    pub merge_rules: String,
    /// Whether texts that are there already are made anew.
    pub overwrite: bool,
    /// How many requests may be under way at a time.
    pub in_flight: NonZeroUsize,
    /// How many pictures may be decoded at a time.
    pub decoders: NonZeroUsize,
    /// The longer side, in pixels, of the picture that the vision model gets.
    pub image_side: u32,
    /// The longest text that is accepted, in words.
    pub max_words: usize,
}

/// What the stage reads of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The pair's id.
    pub id: Cow<'a, str>,
    /// Where the picture is.
    pub path: Option<Cow<'a, str>>,
    /// Where the picture is on the web, or the picture itself as a `data:` URI.
    pub url: Option<Cow<'a, str>>,
    /// The first retrieved text, `T_r1`: as in the paper, the others are not used.
    pub raw: Option<Cow<'a, str>>,
    /// The caption, if there is one.
    pub caption: Option<Cow<'a, str>>,
    /// The tags, best first; empty when there are none.
    pub tags: Vec<String>,
    /// Whether there is a synthetic text already.
    pub has_synthetic: bool,
}

/// The part of `texts` that is read.
#[derive(Deserialize)]
struct Text<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

impl<'a> Pair<'a> {
    /// Reads a pair.
    ///
    /// # Errors
    /// [`RecordError`] when a field has the wrong type or the id is missing; other fields may be absent.
    pub fn read(record: &Record<'a>) -> Result<Self, RecordError> {
        let texts: Vec<Text<'a>> = record.get("texts")?.unwrap_or_default();
        let said = |text: &Cow<'_, str>| !text.trim().is_empty();
        Ok(Self {
            id: record.id()?,
            path: record.text("path")?,
            url: record.text("url")?,
            raw: texts
                .into_iter()
                .next()
                .and_then(|first| first.text)
                .filter(said),
            caption: record.text("caption")?.filter(said),
            tags: record.get("tags")?.unwrap_or_default(),
            has_synthetic: record.text("synthetic")?.is_some_and(|text| said(&text)),
        })
    }
}

/// Why a pair lacks a text that it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The stable name of the reason: `llm-failed`, `vlm-empty`, `missing-field`, …
    pub code: &'static str,
    /// What happened.
    pub message: String,
}

/// The texts made for one pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// A new caption.
    pub caption: Option<String>,
    /// A new synthetic text.
    pub synthetic: Option<String>,
    /// Why something that was asked for is not there.
    pub failure: Option<Failure>,
}

/// A model behind an endpoint, and how its answers are judged.
#[derive(Debug)]
struct Model {
    endpoint: Endpoint,
    echo: Echo,
    max_words: usize,
    codes: Codes,
}

/// The codes of one model's failures.
#[derive(Debug)]
struct Codes {
    failed: &'static str,
    empty: &'static str,
    refused: &'static str,
    echo: &'static str,
    truncated: &'static str,
}

const VLM: Codes = Codes {
    failed: "vlm-failed",
    empty: "vlm-empty",
    refused: "vlm-refused",
    echo: "vlm-echo",
    truncated: "vlm-truncated",
};

const LLM: Codes = Codes {
    failed: "llm-failed",
    empty: "llm-empty",
    refused: "llm-refused",
    echo: "llm-echo",
    truncated: "llm-truncated",
};

/// Why a text was not made.
enum Halt {
    /// The pair is at fault, or its answer.
    Pair(Failure),
    /// The endpoint is: no pair can be served.
    Endpoint(EndpointError),
}

impl Model {
    /// Asks, and takes the text out of the answer.
    fn text(&self, id: &str, content: Content<'_>, tags: &[String]) -> Result<String, Halt> {
        let failure = |code, message| Halt::Pair(Failure { code, message });
        let Answer { text, cut, refused } = match self.endpoint.ask(id, content) {
            Ok(answer) => answer,
            Err(AskError::Endpoint(error)) => return Err(Halt::Endpoint(error)),
            Err(error) => return Err(failure(self.codes.failed, error.to_string())),
        };
        let cleaned = if refused {
            Err(AnswerError::Refused)
        } else {
            clean(&text, cut, self.max_words, &self.echo, tags)
        };
        cleaned.map_err(|error| {
            let code = match error {
                AnswerError::Empty => self.codes.empty,
                AnswerError::Refused => self.codes.refused,
                AnswerError::Echo => self.codes.echo,
                AnswerError::Truncated => self.codes.truncated,
            };
            let start: String = text.trim().chars().take(120).collect();
            failure(code, format!("{error}: {start:?}"))
        })
    }
}

/// Makes captions and synthetic texts. Shared by all threads.
#[derive(Debug)]
pub struct Captioner {
    vlm: Option<Model>,
    llm: Option<Model>,
    merge_rules: String,
    overwrite: bool,
    in_flight: NonZeroUsize,
    decoding: Gate,
    image_side: u32,
    /// Why no further request is sent.
    dead: Mutex<Option<EndpointError>>,
    is_dead: AtomicBool,
}

impl Captioner {
    /// A captioner; no connection is made yet.
    ///
    /// # Errors
    /// [`EndpointError`] when a URL or a key cannot be used.
    pub fn new(options: Options) -> Result<Self, EndpointError> {
        let gate = Arc::new(Gate::new(options.in_flight));
        let model = |endpoint: Option<EndpointOptions>, instructions: &str, codes| {
            endpoint
                .map(|endpoint| {
                    Ok(Model {
                        endpoint: Endpoint::new(endpoint, Arc::clone(&gate), options.in_flight)?,
                        echo: Echo::of(instructions),
                        max_words: options.max_words,
                        codes,
                    })
                })
                .transpose()
        };
        Ok(Self {
            vlm: model(options.vlm, DESCRIBE, VLM)?,
            llm: model(options.llm, &options.merge_rules, LLM)?,
            merge_rules: options.merge_rules,
            overwrite: options.overwrite,
            in_flight: options.in_flight,
            decoding: Gate::new(options.decoders),
            image_side: options.image_side,
            dead: Mutex::new(None),
            is_dead: AtomicBool::new(false),
        })
    }

    /// Makes what the pairs lack: one [`Made`] a pair, in their order.
    ///
    /// # Errors
    /// [`EndpointError`] when an endpoint turns out to be unusable, now or in an earlier call; requests
    /// not yet sent are not sent.
    pub fn process(&self, pairs: &[&Pair<'_>]) -> Result<Vec<Made>, EndpointError> {
        let made = Mutex::new(vec![Made::default(); pairs.len()]);
        let next = AtomicUsize::new(0);
        let work = || {
            while !self.is_dead.load(Ordering::Relaxed) {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(pair) = pairs.get(at) else { return };
                match self.make(pair) {
                    Ok(new) => {
                        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
                        if let Some(place) = made.get_mut(at) {
                            *place = new;
                        }
                    }
                    Err(error) => {
                        let mut dead = self.dead.lock().unwrap_or_else(PoisonError::into_inner);
                        dead.get_or_insert(error);
                        self.is_dead.store(true, Ordering::Relaxed);
                    }
                }
            }
        };
        if self.vlm.is_some() || self.llm.is_some() {
            thread::scope(|scope| {
                // This thread works too.
                for _ in 1..self.in_flight.get().min(pairs.len()) {
                    scope.spawn(work);
                }
                work();
            });
        }
        let dead = self.dead.lock().unwrap_or_else(PoisonError::into_inner);
        match &*dead {
            Some(error) => Err(error.clone()),
            None => Ok(made.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Makes what one pair lacks.
    fn make(&self, pair: &Pair<'_>) -> Result<Made, EndpointError> {
        let mut made = Made::default();
        match self.fill(pair, &mut made) {
            Ok(()) => {}
            Err(Halt::Pair(failure)) => made.failure = Some(failure),
            Err(Halt::Endpoint(error)) => return Err(error),
        }
        Ok(made)
    }

    fn fill(&self, pair: &Pair<'_>, made: &mut Made) -> Result<(), Halt> {
        if let Some(vlm) = &self.vlm
            && (self.overwrite || pair.caption.is_none())
        {
            made.caption = Some(self.caption(vlm, pair)?);
        }
        if let Some(llm) = &self.llm
            && (self.overwrite || !pair.has_synthetic)
        {
            let caption = made.caption.as_deref().or(pair.caption.as_deref());
            made.synthetic = Some(self.synthetic(llm, pair, caption)?);
        }
        Ok(())
    }

    /// Asks the vision model about the picture.
    fn caption(&self, vlm: &Model, pair: &Pair<'_>) -> Result<String, Halt> {
        let uri = {
            let _pass = self.decoding.enter();
            data_uri(
                pair.path.as_deref(),
                pair.url.as_deref(),
                self.image_side,
                &Limits::default(),
            )
        };
        let uri = uri.map_err(|error| {
            Halt::Pair(Failure {
                code: error.code(),
                message: error.to_string(),
            })
        })?;
        let content = Content::Parts([
            Part::Text { text: DESCRIBE },
            Part::ImageUrl {
                image_url: ImageUrl { url: &uri },
            },
        ]);
        vlm.text(&pair.id, content, &[])
    }

    /// Asks the language model to merge the sources.
    fn synthetic(
        &self,
        llm: &Model,
        pair: &Pair<'_>,
        caption: Option<&str>,
    ) -> Result<String, Halt> {
        let missing = |message: &str| {
            Halt::Pair(Failure {
                code: "missing-field",
                message: message.to_owned(),
            })
        };
        let Some(raw) = pair.raw.as_deref() else {
            return Err(missing("no `texts[0].text`: rs-retrieve adds it"));
        };
        if caption.is_none() && pair.tags.is_empty() {
            return Err(missing(
                "neither `caption` nor `tags`: the text would say nothing of the picture",
            ));
        }
        let prompt = merge(
            &self.merge_rules,
            Sources {
                raw,
                caption,
                tags: &pair.tags,
            },
        );
        llm.text(&pair.id, Content::Text(&prompt), &pair.tags)
    }
}
