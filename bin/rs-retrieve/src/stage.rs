//! From images to pairs.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use realsyn_cli::Run;
use realsyn_pipe::{RecordMap, Refusal, Reply};
use realsyn_record::{Edits, Kind, Record, RecordError, Sidecars, doc_of, fixed};
use realsyn_retrieve::{Hit, Query, Scratch, Searcher};
use realsyn_vector::map::Map;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::recall::Recall;

/// Decimals of a cosine.
const DECIMALS: usize = 6;

/// Makes pairs, and counts what their worth is told from.
pub struct Retrieve {
    searcher: Searcher<Map>,
    recall: Option<Recall>,
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
pub struct Image {
    /// Its document's place in the index.
    pub doc: Option<u32>,
    /// Its embedding.
    pub vector: Vec<f32>,
    /// Whether brute force looks it up too.
    pub is_sampled: bool,
}

impl Retrieve {
    /// Looks images up in the searcher's index, and this share of them by brute force too.
    pub fn new(searcher: Searcher<Map>, recall_sample: Option<f64>) -> Self {
        Self {
            searcher,
            recall: recall_sample.map(Recall::new),
            pairs: 0.into(),
            first_own: 0.into(),
            own_sentences: 0.into(),
        }
    }

    /// What looks up.
    pub fn searcher(&self) -> &Searcher<Map> {
        &self.searcher
    }

    /// What counts how much is found, if that was asked for.
    pub fn recall(&self) -> Option<&Recall> {
        self.recall.as_ref()
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
        let mut figures = vec![
            ("sentences", self.searcher.index().len().to_string()),
            ("pairs", pairs.to_string()),
            ("first_text_own_doc", first.to_string()),
            ("first_text_own_doc_share", share(first, pairs as f64)),
            (
                "chance_own_doc",
                share(own, pairs as f64 * self.searcher.index().len() as f64),
            ),
        ];
        if let Some(recall) = &self.recall {
            let (images, recall) = recall.figures();
            figures.push(("recall_images", images.to_string()));
            figures.push(("recall", fixed(recall, DECIMALS)));
        }
        figures
    }

    /// What is looked up of an image record.
    ///
    /// # Errors
    /// Its embedding is of another model or dimension than the sentences', which ends the run.
    pub fn image(
        &self,
        sidecars: &mut Sidecars,
        record: &Record<'_>,
    ) -> Result<Result<Image, Refusal>> {
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
        // Of a matrix's rows nobody knows the model.
        ensure!(
            index.model().is_empty() || embedding.model == index.model(),
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
            .and_then(|()| Ok((doc(record)?, record.id()?)));
        Ok(match read {
            Ok((doc, id)) => Ok(Image {
                doc: index.find_doc(&doc),
                vector,
                is_sampled: self
                    .recall
                    .as_ref()
                    .is_some_and(|recall| recall.samples(&id)),
            }),
            Err(error) => Err(error.into()),
        })
    }

    /// What makes the pair of an image of `doc`, or nothing where nothing was found.
    ///
    /// # Errors
    /// None that a cosine or a text can cause.
    pub fn texts(&self, doc: Option<u32>, hits: &[Hit]) -> Result<Option<Edits>> {
        #[derive(Serialize)]
        struct Shown<'a> {
            id: &'a str,
            text: &'a str,
            cos: Box<RawValue>,
        }
        let index = self.searcher.index();
        let Some(first) = hits.first() else {
            return Ok(None);
        };
        self.pairs.fetch_add(1, Ordering::Relaxed);
        if doc == Some(index.doc(first.sentence)) {
            self.first_own.fetch_add(1, Ordering::Relaxed);
        }
        self.own_sentences.fetch_add(
            doc.map_or(0, |doc| index.doc_sentences(doc)),
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
        Ok(Some(
            Edits::new().set("schema", "pair/1")?.set("texts", &texts)?,
        ))
    }

    /// What becomes of an image for which nothing is found.
    pub fn nothing() -> Refusal {
        Refusal::filter("no-sentence", "no sentence was found for the image")
    }

    /// Counts how much of what brute force finds was found for the sampled images.
    fn compare(&self, scratch: &mut Scratch, images: &[&Image], found: &[Vec<Hit>]) -> Result<()> {
        let Some(recall) = &self.recall else {
            return Ok(());
        };
        let is_sampled = |(image, _): &(&&Image, &Vec<Hit>)| image.is_sampled;
        let (queries, found): (Vec<Query<'_>>, Vec<&Vec<Hit>>) = images
            .iter()
            .zip(found)
            .filter(is_sampled)
            .map(|(image, found)| (image.query(), found))
            .unzip();
        let all = self.searcher.search_all(scratch, &queries)?;
        for (found, all) in found.into_iter().zip(&all) {
            recall.count(found, all);
        }
        Ok(())
    }
}

impl Image {
    fn query(&self) -> Query<'_> {
        Query {
            vector: &self.vector,
            doc: self.doc,
        }
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
        let images: Vec<Result<Image, Refusal>> = records
            .iter()
            .map(|record| self.image(&mut worker.sidecars, record))
            .collect::<Result<_>>()?;
        let asked: Vec<&Image> = images.iter().flatten().collect();
        let queries: Vec<Query<'_>> = asked.iter().map(|image| image.query()).collect();
        let found = self.searcher.search(&mut worker.scratch, &queries)?;
        self.compare(&mut worker.scratch, &asked, &found)?;
        let mut found = found.iter();
        let mut replies = Vec::with_capacity(records.len());
        for image in images {
            replies.push(match image {
                Ok(image) => {
                    let hits = found.next().map_or(&[][..], Vec::as_slice);
                    match self.texts(image.doc, hits)? {
                        Some(edits) => Reply::Edit(edits),
                        None => Self::nothing().into(),
                    }
                }
                Err(refusal) => refusal.into(),
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
