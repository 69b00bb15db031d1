//! What becomes of a record: which vectors it lacks, and where they go.

use anyhow::{Result, bail};
use realsyn_infer::{Answer, Embedder, InferError, Model, Pixels};
use realsyn_picture::{Limits, PictureError, reduced_rgb};
use realsyn_pipe::{RecordMap, Refusal, Reply};
use realsyn_record::{Edits, Embedding, Kind, Record, RecordError, Sidecars, fixed};
use realsyn_vector::f16;

use crate::{Chosen, Own};

/// The stage: a model and what to do with it.
pub struct Embed {
    model: Model,
    kind: Option<Chosen>,
    replace: bool,
    limits: Limits,
}

/// One thread's access to the model.
pub struct Worker {
    embedder: Embedder,
    sidecars: Sidecars,
}

/// One record on its way.
struct Item {
    refused: Option<Refusal>,
    edits: Edits,
    /// The pair's image vector, as it is written: rounded to half precision.
    image: Option<Vec<f32>>,
}

/// A picture for the image tower, and a text for the text tower with whether its cosine alone is wanted.
type Wants = (Option<Pixels>, Option<(String, bool)>);

/// What one record wants of the text tower, and whether the vector itself or its cosine to the image is written.
struct Wanted {
    at: usize,
    text: String,
    cosine: bool,
}

impl Embed {
    /// The stage over an opened model.
    pub fn new(model: Model, own: &Own) -> Self {
        let limits = Limits {
            max_pixels: own.max_pixels,
            ..Limits::default()
        };
        Self {
            model,
            kind: own.kind,
            replace: own.replace,
            limits,
        }
    }

    /// Whether the record still needs its own vector; the vector of a pair that has one goes into `item`.
    fn lacks(
        &self,
        record: &Record<'_>,
        sidecars: &mut Sidecars,
        item: &mut Item,
    ) -> Result<Result<bool, RecordError>> {
        let embedding = match record.embedding() {
            Ok(Some(embedding)) => embedding,
            Ok(None) => return Ok(Ok(true)),
            Err(error) => return Ok(Err(error)),
        };
        if embedding.model != self.model.id() {
            if self.replace {
                return Ok(Ok(true));
            }
            let id = record.id().unwrap_or_default();
            bail!(
                "{id} was embedded by {}, this model is {}: --replace to embed it anew",
                embedding.model,
                self.model.id()
            );
        }
        if record.kind() == Kind::Pair {
            let mut vector = Vec::new();
            if let Err(error) = embedding.read(sidecars, &mut vector) {
                return Ok(Err(error));
            }
            item.image = Some(vector);
        }
        Ok(Ok(false))
    }

    /// What of the record the towers must see: its picture, its text with the mark of [`text_of`].
    fn wants(
        &self,
        record: &Record<'_>,
        worker: &mut Worker,
        item: &mut Item,
    ) -> Result<Result<Wants, Refusal>> {
        let lacks = match self.lacks(record, &mut worker.sidecars, item)? {
            Ok(lacks) => lacks,
            Err(error) => return Ok(Err(error.into())),
        };
        let text = match text_of(record, lacks) {
            Ok(text) => text,
            Err(error) => return Ok(Err(error.into())),
        };
        if !lacks || record.kind() == Kind::Sentence {
            return Ok(Ok((None, text)));
        }
        let pixels = self.pixels(&mut worker.embedder, record)?;
        Ok(pixels.map(|pixels| (Some(pixels), text)))
    }

    /// The record's picture as a tensor.
    fn pixels(
        &self,
        embedder: &mut Embedder,
        record: &Record<'_>,
    ) -> Result<Result<Pixels, Refusal>> {
        let (path, url) = match (record.text("path"), record.text("url")) {
            (Ok(path), Ok(url)) => (path, url),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error.into())),
        };
        let refuse = |error: PictureError| Refusal::error(error.code(), error.to_string());
        let bytes = realsyn_picture::read(path.as_deref(), url.as_deref(), &self.limits);
        let least = embedder.least_samples()?;
        let picture = bytes.and_then(|bytes| reduced_rgb(&bytes, &self.limits, least));
        match picture {
            Ok(picture) => about_input(embedder.prepare_reduced(&picture)),
            Err(error) => Ok(Err(refuse(error))),
        }
    }

    /// Runs the full batches of pictures, or all of them.
    fn flush(
        &self,
        worker: &mut Worker,
        waiting: &mut Vec<(usize, Pixels)>,
        items: &mut [Item],
    ) -> Result<()> {
        let (places, pixels): (Vec<usize>, Vec<Pixels>) = waiting.drain(..).unzip();
        for (at, answer) in places
            .into_iter()
            .zip(worker.embedder.embed_pixels(&pixels)?)
        {
            if let Some(vector) = self.store(&mut items[at], answer)? {
                items[at].image = Some(vector);
            }
        }
        Ok(())
    }

    /// Puts a vector into the record and returns it as it will be read.
    fn store(&self, item: &mut Item, answer: Answer) -> Result<Option<Vec<f32>>> {
        match about_input(answer)? {
            Ok(vector) => {
                let json = Embedding::to_json(self.model.id(), &vector);
                item.edits = std::mem::take(&mut item.edits).set_raw("emb", json);
                Ok(Some(rounded(&vector)))
            }
            Err(refusal) => {
                item.refused = Some(refusal);
                Ok(None)
            }
        }
    }
}

impl RecordMap for Embed {
    type Worker = Worker;

    fn handles(&self, kind: Kind) -> bool {
        let kind = match kind {
            Kind::Image => Chosen::Image,
            Kind::Sentence => Chosen::Sentence,
            Kind::Pair => Chosen::Pair,
            _ => return false,
        };
        self.kind.is_none_or(|chosen| chosen == kind)
    }

    /// Each length of text leaves one run part-filled, so few lines waste runs; each takes milliseconds, so many leave
    /// threads idle at the end.
    fn max_lines(&self) -> usize {
        64
    }

    fn worker(&self) -> Result<Worker> {
        Ok(Worker {
            embedder: self.model.embedder(),
            sidecars: Sidecars::new(),
        })
    }

    fn process(&self, worker: &mut Worker, records: &[Record<'_>]) -> Result<Vec<Reply>> {
        let mut items: Vec<Item> = Vec::with_capacity(records.len());
        let (mut waiting, mut wanted) = (Vec::new(), Vec::new());
        for (at, record) in records.iter().enumerate() {
            let mut item = Item {
                refused: None,
                edits: Edits::new(),
                image: None,
            };
            match self.wants(record, worker, &mut item)? {
                Ok((pixels, text)) => {
                    waiting.extend(pixels.map(|pixels| (at, pixels)));
                    wanted.extend(text.map(|(text, cosine)| Wanted { at, text, cosine }));
                }
                Err(refusal) => item.refused = Some(refusal),
            }
            items.push(item);
            if !waiting.is_empty() && waiting.len() == worker.embedder.image_rows()? {
                self.flush(worker, &mut waiting, &mut items)?;
            }
        }
        if !waiting.is_empty() {
            self.flush(worker, &mut waiting, &mut items)?;
        }
        wanted.retain(|wanted| items[wanted.at].refused.is_none());
        if !wanted.is_empty() {
            let texts: Vec<&str> = wanted.iter().map(|wanted| wanted.text.as_str()).collect();
            for (wanted, answer) in wanted.iter().zip(worker.embedder.embed_texts(&texts)?) {
                self.answer_text(&mut items[wanted.at], wanted.cosine, answer)?;
            }
        }
        Ok(items.into_iter().map(reply).collect())
    }
}

impl Embed {
    fn answer_text(&self, item: &mut Item, cosine: bool, answer: Answer) -> Result<()> {
        if !cosine {
            self.store(item, answer)?;
            return Ok(());
        }
        match (about_input(answer)?, &item.image) {
            (Ok(text), Some(image)) => {
                // Left to right in fused steps, as every inner product of the pipeline.
                let cosine = image
                    .iter()
                    .zip(&text)
                    .fold(0.0_f32, |sum, (a, b)| a.mul_add(*b, sum));
                let json = fixed(f64::from(cosine), 6);
                item.edits = std::mem::take(&mut item.edits).set_raw("synthetic_cos", json);
            }
            (Ok(_), None) => {}
            (Err(refusal), _) => item.refused = Some(refusal),
        }
        Ok(())
    }
}

/// The text that the record needs a vector of: a sentence's own (false), or a pair's synthetic one for its cosine (true).
fn text_of(record: &Record<'_>, lacks: bool) -> Result<Option<(String, bool)>, RecordError> {
    match record.kind() {
        Kind::Sentence if lacks => Ok(Some((record.need_text("text")?.into_owned(), false))),
        Kind::Pair if lacks || record.raw("synthetic_cos").is_none() => Ok(record
            .text("synthetic")?
            .map(|text| (text.into_owned(), true))),
        _ => Ok(None),
    }
}

fn reply(item: Item) -> Reply {
    match item.refused {
        Some(refusal) => refusal.into(),
        None if item.edits.is_empty() => Reply::Keep,
        None => Reply::Edit(item.edits),
    }
}

/// What is wrong with one picture or text is a refusal, what is wrong with the model ends the run.
fn about_input<T>(answer: Result<T, InferError>) -> Result<Result<T, Refusal>> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(error) if error.is_about_the_input() => {
            Ok(Err(Refusal::error(error.code(), error.to_string())))
        }
        Err(error) => Err(error.into()),
    }
}

/// The vector as whoever reads the record sees it.
fn rounded(vector: &[f32]) -> Vec<f32> {
    let (mut bytes, mut values) = (Vec::new(), Vec::new());
    f16::encode(vector, &mut bytes);
    f16::decode(&bytes, &mut values);
    values
}
