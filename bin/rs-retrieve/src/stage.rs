//! From images to pairs.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use realsyn_cli::Run;
use realsyn_pipe::{RecordMap, Refusal, Reply};
use realsyn_record::{Edits, Kind, Record, RecordError, Sidecars, doc_of, fixed};
use realsyn_retrieve::{Hit, Query, Scratch, Searcher};
use serde::Serialize;
use serde_json::value::RawValue;

/// Decimals of a cosine.
const DECIMALS: usize = 6;

/// Makes pairs, and counts what their worth is told from.
pub struct Retrieve {
    searcher: Searcher<Vec<u8>>,
    pairs: AtomicU64,
    first_own: AtomicU64,
    own_sentences: AtomicU64,
}

/// One thread's buffers.
#[derive(Default)]
pub struct Worker {
    sidecars: Sidecars,
    scratch: Scratch,
}

/// An image that is looked up.
struct Image<'a> {
    doc: Cow<'a, str>,
    vector: Vec<f32>,
}

impl Retrieve {
    /// Looks images up in the searcher's index.
    pub fn new(searcher: Searcher<Vec<u8>>) -> Self {
        Self {
            searcher,
            pairs: 0.into(),
            first_own: 0.into(),
            own_sentences: 0.into(),
        }
    }

    /// The figures of the report, as JSON. They are sums of whole numbers, so threads do not change them.
    #[expect(clippy::cast_precision_loss, reason = "shares")]
    fn figures(&self) -> Vec<(&'static str, String)> {
        let [pairs, first, own] =
            [&self.pairs, &self.first_own, &self.own_sentences].map(|n| n.load(Ordering::Relaxed));
        let share = |part: u64, whole: f64| {
            fixed(
                if whole > 0.0 {
                    part as f64 / whole
                } else {
                    0.0
                },
                DECIMALS,
            )
        };
        vec![
            ("sentences", self.searcher.index().len().to_string()),
            ("pairs", pairs.to_string()),
            ("first_text_own_doc", first.to_string()),
            ("first_text_own_doc_share", share(first, pairs as f64)),
            (
                "chance_own_doc",
                share(own, pairs as f64 * self.searcher.index().len() as f64),
            ),
        ]
    }

    fn image<'a>(
        &self,
        sidecars: &mut Sidecars,
        record: &Record<'a>,
    ) -> Result<Result<Image<'a>, Refusal>> {
        let embedding = match record.embedding() {
            Ok(Some(embedding)) => embedding,
            Ok(None) => {
                return Ok(Err(Refusal::error(
                    "missing-emb",
                    "the image has no embedding; rs-embed adds them",
                )));
            }
            Err(error) => return Ok(Err(error.into())),
        };
        let index = self.searcher.index();
        ensure!(
            embedding.model == index.model(),
            "an image's embedding is of model {}, the sentences' of {}",
            embedding.model,
            index.model()
        );
        ensure!(
            embedding.dim == index.dim(),
            "an image's embedding has {} dimensions, the sentences' {}",
            embedding.dim,
            index.dim()
        );
        let mut vector = Vec::new();
        let read = embedding
            .read(sidecars, &mut vector)
            .and_then(|()| doc(record));
        Ok(read.map(|doc| Image { doc, vector }).map_err(Refusal::from))
    }

    fn answer(&self, image: &Image<'_>, hits: &[Hit]) -> Result<Reply> {
        #[derive(Serialize)]
        struct Shown<'a> {
            id: &'a str,
            text: &'a str,
            cos: Box<RawValue>,
        }
        let index = self.searcher.index();
        let Some(first) = hits.first() else {
            return Ok(
                Refusal::filter("no-sentence", "no sentence was found for the image").into(),
            );
        };
        let own = index.find_doc(&image.doc);
        self.pairs.fetch_add(1, Ordering::Relaxed);
        if own == Some(index.doc(first.sentence)) {
            self.first_own.fetch_add(1, Ordering::Relaxed);
        }
        self.own_sentences.fetch_add(
            own.map_or(0, |doc| index.doc_sentences(doc)),
            Ordering::Relaxed,
        );
        let text = |hit: &Hit| -> Result<Shown<'_>> {
            let cos = RawValue::from_string(fixed(f64::from(hit.cos), DECIMALS))?;
            Ok(Shown {
                id: index.id(hit.sentence),
                text: index.text(hit.sentence),
                cos,
            })
        };
        let texts = hits.iter().map(text).collect::<Result<Vec<_>>>()?;
        Ok(Reply::Edit(
            Edits::new().set("schema", "pair/1")?.set("texts", &texts)?,
        ))
    }
}

/// The record's document.
fn doc<'a>(record: &Record<'a>) -> Result<Cow<'a, str>, RecordError> {
    Ok(match record.text("doc")? {
        Some(doc) => doc,
        None => Cow::Owned(doc_of(&record.id()?).to_owned()),
    })
}

impl RecordMap for Retrieve {
    type Worker = Worker;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Image
    }

    fn worker(&self) -> Result<Worker> {
        Ok(Worker::default())
    }

    fn process(&self, worker: &mut Worker, records: &[Record<'_>]) -> Result<Vec<Reply>> {
        let images: Vec<Result<Image<'_>, Refusal>> = records
            .iter()
            .map(|record| self.image(&mut worker.sidecars, record))
            .collect::<Result<_>>()?;
        let queries: Vec<Query<'_>> = images
            .iter()
            .flatten()
            .map(|image| Query {
                vector: &image.vector,
                doc: &image.doc,
            })
            .collect();
        let found = self.searcher.search(&mut worker.scratch, &queries)?;
        let mut found = found.iter();
        let mut replies = Vec::with_capacity(records.len());
        for image in &images {
            replies.push(match image {
                Ok(image) => self.answer(image, found.next().map_or(&[], Vec::as_slice))?,
                Err(Refusal {
                    class,
                    code,
                    message,
                }) => Reply::Refuse(Refusal {
                    class: *class,
                    code,
                    message: message.clone(),
                }),
            });
        }
        Ok(replies)
    }

    fn finish(&self, run: &mut Run) -> Result<()> {
        for (key, json) in self.figures() {
            run.note(Kind::Image.name(), key, serde_json::from_str(&json)?);
        }
        Ok(())
    }
}
