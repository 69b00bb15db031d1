//! How surprising each sentence is.

use std::path::Path;

use anyhow::Result;
use realsyn_infer::{CausalLm, CausalScorer, EngineOptions, InferError};
use realsyn_ngram::{Model, Scratch};
use realsyn_pipe::{RecordMap, Refusal, Reply};
use realsyn_record::{Edits, Kind, Record, fixed};

/// A language model of either kind.
pub enum Lm {
    Ngram(Model),
    Causal(CausalLm),
}

/// One thread's access to it.
pub enum LmWorker {
    Ngram(Scratch),
    Causal(Box<CausalScorer>),
}

impl Lm {
    /// A folder is a causal language model, a file an n-gram model.
    pub fn open(path: &Path, options: &EngineOptions, batch: usize) -> Result<Self> {
        Ok(if path.is_dir() {
            Self::Causal(CausalLm::open(path, options, batch)?)
        } else {
            Self::Ngram(Model::open(path)?)
        })
    }

    /// What of the model a perplexity depends on, as far as it has an identity.
    pub fn id(&self) -> String {
        match self {
            Self::Ngram(model) => {
                format!("{} words, n-grams {:?}", model.vocabulary(), model.ngrams())
            }
            Self::Causal(model) => format!("{} {}", model.id(), model.engine()),
        }
    }

    pub fn worker(&self) -> Result<LmWorker> {
        Ok(match self {
            Self::Ngram(_) => LmWorker::Ngram(Scratch::default()),
            Self::Causal(model) => LmWorker::Causal(Box::new(model.scorer()?)),
        })
    }

    /// The perplexity of each text, or why it has none.
    pub fn perplexities(
        &self,
        worker: &mut LmWorker,
        texts: &[&str],
    ) -> Result<Vec<Result<f64, Refusal>>> {
        match (self, worker) {
            (Self::Ngram(model), LmWorker::Ngram(scratch)) => {
                let one = |text: &&str| Ok(model.score(text, scratch).perplexity());
                Ok(texts.iter().map(one).collect())
            }
            (_, LmWorker::Causal(scorer)) => {
                let answers = scorer.perplexities(texts)?.into_iter();
                let refuse = |error: InferError| Refusal::error(error.code(), error.to_string());
                Ok(answers.map(|answer| answer.map_err(refuse)).collect())
            }
            (Self::Causal(_), LmWorker::Ngram(_)) => anyhow::bail!("a worker of another model"),
        }
    }
}

/// What is kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub min: f64,
    pub max: f64,
}

impl Bounds {
    /// Adds `perplexity`, and drops what lies outside.
    pub fn reply(self, perplexity: f64) -> Reply {
        let told = fixed(perplexity, 3);
        let code = if perplexity < self.min {
            "perplexity-low"
        } else if perplexity > self.max {
            "perplexity-high"
        } else {
            return Reply::Edit(Edits::new().set_raw("perplexity", told));
        };
        Refusal::filter(code, format!("perplexity {told}")).into()
    }
}

/// The stage that scores, record by record.
pub struct Scorer {
    lm: Lm,
    bounds: Bounds,
}

impl Scorer {
    pub fn new(lm: Lm, bounds: Bounds) -> Self {
        Self { lm, bounds }
    }
}

impl RecordMap for Scorer {
    type Worker = LmWorker;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Sentence
    }

    /// A causal model wants sentences of one length together, which takes a choice; but each costs milliseconds.
    fn max_lines(&self) -> usize {
        match self.lm {
            Lm::Ngram(_) => 1024,
            Lm::Causal(_) => 256,
        }
    }

    fn worker(&self) -> Result<LmWorker> {
        self.lm.worker()
    }

    fn process(&self, worker: &mut LmWorker, records: &[Record<'_>]) -> Result<Vec<Reply>> {
        let texts: Vec<_> = records
            .iter()
            .map(|record| record.need_text("text"))
            .collect();
        let known: Vec<&str> = texts.iter().flatten().map(AsRef::as_ref).collect();
        let mut answers = self.lm.perplexities(worker, &known)?.into_iter();
        let reply = |text: Result<_, _>| match (text, &mut answers) {
            (Err(error), _) => Refusal::from(error).into(),
            (Ok(_), answers) => match answers.next() {
                Some(Ok(perplexity)) => self.bounds.reply(perplexity),
                Some(Err(refusal)) => refusal.into(),
                None => Refusal::error("engine", "the model gave no answer").into(),
            },
        };
        Ok(texts.into_iter().map(reply).collect())
    }
}
