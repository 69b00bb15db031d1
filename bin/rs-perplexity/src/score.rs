//! How surprising each sentence is.

use std::path::Path;

use anyhow::{Result, ensure};
use realsyn_ngram::{Model, Scratch};
use realsyn_pipe::{RecordMap, Refusal, Reply};
use realsyn_record::{Edits, Kind, Record, fixed};

/// Adds `perplexity`, and drops what lies outside the bounds.
pub struct Scorer {
    model: Model,
    min: f64,
    max: f64,
}

impl Scorer {
    /// Opens the model.
    pub fn new(model: &Path, min: Option<f64>, max: Option<f64>) -> Result<Self> {
        let (min, max) = (min.unwrap_or(0.0), max.unwrap_or(f64::INFINITY));
        ensure!(min <= max, "--min-perplexity is above --max-perplexity");
        Ok(Self {
            model: Model::open(model)?,
            min,
            max,
        })
    }

    fn reply(&self, scratch: &mut Scratch, record: &Record<'_>) -> Result<Reply, Refusal> {
        let score = self.model.score(&record.need_text("text")?, scratch);
        let perplexity = score.perplexity();
        let told = fixed(perplexity, 3);
        if perplexity < self.min {
            return Err(Refusal::filter(
                "perplexity-low",
                format!("perplexity {told}"),
            ));
        }
        if perplexity > self.max {
            return Err(Refusal::filter(
                "perplexity-high",
                format!("perplexity {told}"),
            ));
        }
        Ok(Reply::Edit(Edits::new().set_raw("perplexity", told)))
    }
}

impl RecordMap for Scorer {
    type Worker = Scratch;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Sentence
    }

    fn worker(&self) -> Result<Scratch> {
        Ok(Scratch::default())
    }

    fn process(&self, scratch: &mut Scratch, records: &[Record<'_>]) -> Result<Vec<Reply>> {
        let reply = |record| self.reply(scratch, record).unwrap_or_else(Reply::from);
        Ok(records.iter().map(reply).collect())
    }
}
