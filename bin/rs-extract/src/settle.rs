//! What becomes of a document's images and sentences, and where records go.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use realsyn_extract::{
    Cache, Counter, CountsError, Document, ExtractError, Item, Judge, Options, Refused,
};
use realsyn_lines::{Class, Line, Origin, Sink, Spool};
use realsyn_ngram::Model;
use realsyn_record::Sentence;
use serde::Serialize;

use crate::late::{self, Bounds, Entropy, Refusal};
use crate::page::PAGE;
use crate::tasks::Task;

/// Tags of spooled lines.
pub const IMAGE: u8 = b'i';
/// A sentence, which still has to pass the last rules.
pub const SENTENCE: u8 = b's';

/// What is done with sentences that have passed all rules that need no corpus.
pub enum Last {
    /// They have to pass the other rules here, and go on.
    Decide(Option<Entropy>, Bounds),
    /// As before, but told to people.
    Explain(Option<Entropy>, Bounds),
    /// They are counted, and nothing is written.
    Count(Counter),
    /// They wait with the images; they are counted too where the corpus's words are not known.
    Spool(Option<Counter>),
}

/// The stage.
pub struct Stage {
    /// The rules.
    pub options: Options,
    /// Asks those of them that need no corpus.
    pub judge: Judge,
    /// Says how surprising a sentence is.
    pub model: Option<Model>,
    /// What comes after them.
    pub last: Last,
}

/// What a thread keeps from document to document.
#[derive(Default)]
pub struct Worker {
    scratch: realsyn_extract::Scratch,
    cache: Cache,
    ngrams: realsyn_ngram::Scratch,
}

/// What became of a task.
pub struct Done {
    /// Records and rejects.
    pub sink: Sink,
    waiting: Vec<u8>,
    spans: Vec<Span>,
    failed: Option<String>,
}

struct Span {
    end: usize,
    tag: u8,
    file: std::sync::Arc<str>,
    line: u64,
}

impl Done {
    /// Puts what waits into the spool.
    pub fn spool(&self, spool: &mut Spool) -> Result<()> {
        let mut start = 0;
        for span in &self.spans {
            let line = Line {
                bytes: &self.waiting[start..span.end],
                file: &span.file,
                number: span.line,
                problem: None,
            };
            spool.push(&line, span.tag)?;
            start = span.end;
        }
        Ok(())
    }
}

/// Where a piece of work hands in its documents.
pub struct Desk<'a> {
    stage: &'a Stage,
    worker: &'a mut Worker,
    done: &'a mut Done,
}

impl Desk<'_> {
    /// What is asked of documents.
    pub fn options(&self) -> &Options {
        &self.stage.options
    }

    /// Takes a document, or the reason why it is none; `origin` is where it came from.
    ///
    /// Behind one that ends the run, nothing of the piece is taken any more, so that the first failure is the one that is told.
    pub fn settle(&mut self, made: Result<Document, ExtractError>, origin: Origin<'_>) {
        if self.done.failed.is_some() {
            return;
        }
        match made {
            Ok(document) => {
                if let Err(error) = self.stage.take(document, origin, self.worker, self.done) {
                    self.done.failed = Some(format!("temporary file: {error}"));
                }
            }
            Err(error) if error.is_fatal() => self.done.failed = Some(error.to_string()),
            Err(error) => self.refuse(error.code(), &error.to_string(), origin),
        }
    }

    /// Rejects a document.
    pub fn refuse(&mut self, code: &str, message: &str, origin: Origin<'_>) {
        let sink = &mut self.done.sink;
        sink.tally.of("document").seen += 1;
        sink.refuse("document", Class::Error, code, message, origin);
    }

    /// Counts parts of a container that are no documents, such as the requests of a WARC file.
    pub fn count(&mut self, kind: &str, seen: u64, kept: u64, dropped: &[(&'static str, u64)]) {
        let counts = self.done.sink.tally.of(kind);
        counts.seen += seen;
        counts.kept += kept;
        for (code, count) in dropped {
            *counts.dropped.entry((*code).to_owned()).or_default() += count;
        }
    }
}

impl Stage {
    /// Does a task.
    ///
    /// # Errors
    /// The run cannot go on.
    pub fn process(&self, worker: &mut Worker, task: Task) -> Result<Done> {
        let mut done = Done {
            sink: Sink::new(PAGE.name),
            waiting: Vec::new(),
            spans: Vec::new(),
            failed: None,
        };
        done.sink.units = task.units();
        task.settle(&mut Desk {
            stage: self,
            worker,
            done: &mut done,
        });
        if let Some(message) = done.failed {
            bail!(message);
        }
        Ok(done)
    }

    fn take(
        &self,
        mut document: Document,
        origin: Origin<'_>,
        worker: &mut Worker,
        done: &mut Done,
    ) -> Result<(), CountsError> {
        done.sink.tally.of("document").seen += 1;
        done.sink.tally.of("document").kept += 1;
        let scratch = &mut worker.scratch;
        match &self.last {
            Last::Count(counter) => self.judge.count(&mut document, counter, scratch)?,
            Last::Spool(counter) => self.judge.judge(&mut document, counter.as_ref(), scratch)?,
            Last::Decide(..) => self.judge.judge(&mut document, None, scratch)?,
            Last::Explain(entropy, bounds) => {
                return self.explain(document, entropy.as_ref(), *bounds, worker, done);
            }
        }
        for item in document.items {
            match item {
                Item::Image(image) => {
                    done.sink.tally.of("image").seen += 1;
                    match self.last {
                        Last::Spool(_) => done.wait(IMAGE, &image, None, origin),
                        _ => keep("image", &image, None, &mut done.sink),
                    }
                }
                Item::Sentence(sentence) => {
                    done.sink.tally.of("sentence").seen += 1;
                    self.sentence(&sentence, origin, worker, done);
                }
                Item::Refused(refused) => refuse(&refused, origin, &mut done.sink),
            }
        }
        Ok(())
    }

    /// A sentence that has passed all rules that need no corpus.
    fn sentence(
        &self,
        sentence: &Sentence<'_>,
        origin: Origin<'_>,
        worker: &mut Worker,
        done: &mut Done,
    ) {
        match &self.last {
            Last::Count(_) => done.sink.tally.of("sentence").kept += 1,
            Last::Spool(_) => {
                let perplexity = self.perplexity(&sentence.text, worker);
                done.wait(SENTENCE, sentence, perplexity.as_deref(), origin);
            }
            Last::Decide(entropy, bounds) | Last::Explain(entropy, bounds) => {
                let (refusal, perplexity) =
                    self.ask(entropy.as_ref(), *bounds, &sentence.text, worker);
                let perplexity = perplexity.as_deref();
                match refusal {
                    None => keep("sentence", sentence, perplexity, &mut done.sink),
                    Some((rule, message)) => {
                        let mut record = Vec::new();
                        write(&mut record, sentence, perplexity);
                        let origin = with(origin, &record);
                        done.sink
                            .refuse("sentence", Class::Filter, rule.code(), &message, origin);
                    }
                }
            }
        }
    }

    /// Why a sentence does not go on, if so, and its perplexity, if it came to that.
    fn ask(
        &self,
        entropy: Option<&Entropy>,
        bounds: Bounds,
        sentence: &str,
        worker: &mut Worker,
    ) -> (Option<Refusal>, Option<String>) {
        let refusal = entropy.and_then(|rule| rule.refuses(sentence, &mut worker.cache));
        if refusal.is_some() {
            return (refusal, None);
        }
        let perplexity = self.perplexity(sentence, worker);
        // What stands in the record decides, so that whoever reads it there decides the same.
        let number = perplexity.as_ref().and_then(|told| told.parse().ok());
        (number.and_then(|told| bounds.refuses(told)), perplexity)
    }

    fn perplexity(&self, sentence: &str, worker: &mut Worker) -> Option<String> {
        let model = self.model.as_ref()?;
        Some(late::perplexity(model, sentence, &mut worker.ngrams))
    }

    /// Prints the sentences of a document with what becomes of them, and their parses.
    fn explain(
        &self,
        mut document: Document,
        entropy: Option<&Entropy>,
        bounds: Bounds,
        worker: &mut Worker,
        done: &mut Done,
    ) -> Result<(), CountsError> {
        let before: Vec<Option<Sentence<'static>>> = document
            .items
            .iter()
            .map(|item| match item {
                Item::Sentence(sentence) => Some(sentence.clone()),
                _ => None,
            })
            .collect();
        self.judge.judge(&mut document, None, &mut worker.scratch)?;
        for (sentence, item) in before.iter().zip(&document.items) {
            let Some(sentence) = sentence else { continue };
            let counts = done.sink.tally.of("sentence");
            counts.seen += 1;
            let (refusal, perplexity) = if let Item::Refused(refused) = item {
                (Some((refused.code, refused.message.clone())), None)
            } else {
                let (refusal, perplexity) = self.ask(entropy, bounds, &sentence.text, worker);
                let refusal = refusal.map(|(rule, message)| (rule.code(), message));
                (refusal, perplexity)
            };
            let mut said = match refusal {
                None => {
                    counts.kept += 1;
                    format!("{}: kept", sentence.id)
                }
                Some((code, message)) => {
                    *counts.dropped.entry(code.to_owned()).or_default() += 1;
                    format!("{}: {code}, {message}", sentence.id)
                }
            };
            if let Some(perplexity) = perplexity {
                let _ = write!(said, " (perplexity {perplexity})");
            }
            let parse = Judge::explain(&sentence.text, &mut worker.scratch).unwrap_or_default();
            let _ = write!(said, "\n{}\n{}\n", sentence.text, parse.trim_end());
            done.sink.line(said.as_bytes());
        }
        Ok(())
    }
}

impl Done {
    fn wait(
        &mut self,
        tag: u8,
        record: &impl Serialize,
        perplexity: Option<&str>,
        origin: Origin<'_>,
    ) {
        if write(&mut self.waiting, record, perplexity) {
            let file = origin.file.unwrap_or_default();
            let file = match self.spans.last() {
                Some(last) if *last.file == *file => last.file.clone(),
                _ => file.into(),
            };
            self.spans.push(Span {
                end: self.waiting.len(),
                tag,
                file,
                line: origin.line.unwrap_or(0),
            });
        }
    }
}

/// The same place, of another record.
fn with<'a>(origin: Origin<'a>, record: &'a [u8]) -> Origin<'a> {
    Origin {
        record,
        bytes: None,
        ..origin
    }
}

/// Appends a record, with its perplexity if it has one; whether it could be.
fn write(out: &mut Vec<u8>, record: &impl Serialize, perplexity: Option<&str>) -> bool {
    // Records are strings and numbers, which always have a JSON form.
    let is_written = serde_json::to_writer(&mut *out, record).is_ok();
    if let (true, Some(perplexity)) = (is_written, perplexity) {
        out.pop();
        out.extend_from_slice(b",\"perplexity\":");
        out.extend_from_slice(perplexity.as_bytes());
        out.push(b'}');
    }
    is_written
}

fn keep(kind: &str, record: &impl Serialize, perplexity: Option<&str>, sink: &mut Sink) {
    if write(&mut sink.out, record, perplexity) {
        sink.out.push(b'\n');
        sink.tally.of(kind).kept += 1;
    }
}

fn refuse(refused: &Refused, origin: Origin<'_>, sink: &mut Sink) {
    let Refused {
        kind,
        class,
        code,
        message,
        record,
    } = refused;
    sink.tally.of(kind).seen += 1;
    let class = match class {
        realsyn_extract::Class::Filter => Class::Filter,
        realsyn_extract::Class::Error => Class::Error,
    };
    sink.refuse(kind, class, code, message, with(origin, record.as_bytes()));
}
