//! What becomes of a pair: which tags and texts it lacks, and who makes them.

use anyhow::Result;
use realsyn_caption::{Captioner, Failure, Made, Pair};
use realsyn_infer::{Classifier, Tagger};
use realsyn_picture::Limits;
use realsyn_pipe::{RecordMap, Refusal, Reply};
use realsyn_record::{Edits, Kind, Record, RecordError};

use crate::{Args, Own};

/// Why a pair is kept without a text, under --keep-failed.
const FAILED: &str = "caption_failed";

/// The stage: a classifier, the endpoints, and what to do with them.
pub struct Caption {
    classifier: Option<Classifier>,
    captioner: Captioner,
    own: Own,
    in_flight: usize,
}

/// One pair on its way.
struct Item<'a> {
    pair: Pair<'a>,
    new_tags: Option<Vec<String>>,
    failure: Option<Failure>,
}

impl Caption {
    /// The stage over an opened classifier and endpoints.
    pub fn new(classifier: Option<Classifier>, captioner: Captioner, args: &Args) -> Self {
        Self {
            classifier,
            captioner,
            own: args.own.clone(),
            in_flight: args.in_flight.get(),
        }
    }

    /// Reads a pair and makes its tags.
    fn item<'a>(
        &self,
        tagger: Option<&mut Tagger>,
        record: &Record<'a>,
    ) -> Result<Result<Item<'a>, RecordError>> {
        let mut pair = match Pair::read(record) {
            Ok(pair) => pair,
            Err(error) => return Ok(Err(error)),
        };
        let (mut new_tags, mut failure) = (None, None);
        if let Some(tagger) = tagger
            && (self.own.overwrite || record.raw("tags").is_none())
        {
            match self.tags(tagger, &pair)? {
                Ok(tags) => {
                    pair.tags.clone_from(&tags);
                    new_tags = Some(tags);
                }
                Err(reason) => failure = Some(reason),
            }
        }
        Ok(Ok(Item {
            pair,
            new_tags,
            failure,
        }))
    }

    /// The picture's tags. What is wrong with the picture is a failure, what is wrong with the model ends the run.
    fn tags(&self, tagger: &mut Tagger, pair: &Pair<'_>) -> Result<Result<Vec<String>, Failure>> {
        let limits = Limits::default();
        let bytes = realsyn_picture::read(pair.path.as_deref(), pair.url.as_deref(), &limits);
        let picture = match bytes.and_then(|bytes| realsyn_picture::decode(&bytes, &limits)) {
            Ok(picture) => picture,
            Err(error) => {
                return Ok(Err(Failure {
                    code: error.code(),
                    message: error.to_string(),
                }));
            }
        };
        match tagger.tags(&picture, self.own.tags_top_k, self.own.min_probability) {
            Ok(tags) => Ok(Ok(tags.into_iter().map(|(tag, _)| tag).collect())),
            Err(error) if error.is_about_the_input() => Ok(Err(Failure {
                code: error.code(),
                message: error.to_string(),
            })),
            Err(error) => Err(error.into()),
        }
    }

    /// What is written of a pair.
    fn reply(&self, record: &Record<'_>, item: Item<'_>, made: Made) -> Result<Reply> {
        let mut edits = Edits::new();
        if let Some(tags) = &item.new_tags {
            edits = edits.set("tags", tags)?;
        }
        if let Some(caption) = &made.caption {
            edits = edits.set("caption", caption)?;
        }
        if let Some(synthetic) = &made.synthetic {
            // The cosine of the text that it replaces is true of it no more.
            edits = edits.set("synthetic", synthetic)?.remove("synthetic_cos");
        }
        match item.failure.or(made.failure) {
            Some(failure) if !self.own.keep_failed => {
                return Ok(Refusal::error(failure.code, failure.message).into());
            }
            Some(failure) => edits = edits.set(FAILED, failure.code)?,
            None if record.raw(FAILED).is_some() => edits = edits.remove(FAILED),
            None => {}
        }
        Ok(if edits.is_empty() {
            Reply::Keep
        } else {
            Reply::Edit(edits)
        })
    }
}

impl RecordMap for Caption {
    type Worker = Option<Tagger>;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Pair
    }

    /// Enough that the requests of a batch are not forever waiting for its last one.
    fn max_lines(&self) -> usize {
        self.in_flight.saturating_mul(4).max(16)
    }

    fn worker(&self) -> Result<Option<Tagger>> {
        Ok(self
            .classifier
            .as_ref()
            .map(Classifier::tagger)
            .transpose()?)
    }

    fn process(&self, tagger: &mut Option<Tagger>, records: &[Record<'_>]) -> Result<Vec<Reply>> {
        let mut items = Vec::with_capacity(records.len());
        for record in records {
            items.push(self.item(tagger.as_mut(), record)?);
        }
        // A pair that will be rejected costs no request.
        let is_asked = |item: &Item<'_>| self.own.keep_failed || item.failure.is_none();
        let asked: Vec<&Pair<'_>> = items
            .iter()
            .flatten()
            .filter(|item| is_asked(item))
            .map(|item| &item.pair)
            .collect();
        let mut made = self.captioner.process(&asked)?.into_iter();
        let mut replies = Vec::with_capacity(records.len());
        for (record, item) in records.iter().zip(items) {
            replies.push(match item {
                Err(error) => Refusal::from(error).into(),
                Ok(item) => {
                    let made = if is_asked(&item) {
                        made.next().unwrap_or_default()
                    } else {
                        Made::default()
                    };
                    self.reply(record, item, made)?
                }
            });
        }
        Ok(replies)
    }
}
