//! What a worker does with a task, and where records go.

use std::io::Read;
use std::path::Path;

use anyhow::Result;
use realsyn_extract::{Document, ExtractError, Item, Options, Refused, Rule, WordCounts};
use realsyn_lines::{Class, Line, Operand, Origin, Sink, Spool};
use serde::Serialize;

use crate::page::PAGE;
use crate::tasks::{self, Task};

/// Tags of spooled lines.
pub const IMAGE: u8 = b'i';
/// A sentence, which still has to pass the last rule.
pub const SENTENCE: u8 = b's';

/// The rule that needs the whole corpus.
#[derive(Clone, Debug)]
pub struct Entropy {
    /// The corpus's words.
    pub counts: WordCounts,
    /// The least entropy.
    pub least: f64,
    /// The logarithm's base.
    pub base: f64,
}

impl Entropy {
    /// Why the sentence tells too little, if it does.
    pub fn refuses(&self, sentence: &str) -> Option<String> {
        let entropy = self.counts.entropy(sentence, self.base);
        (entropy < self.least).then(|| format!("entropy {entropy:.4} of at least {}", self.least))
    }
}

/// What is done with sentences that have passed all rules but entropy.
pub enum Last {
    /// They go on, or have to pass the rule.
    Decide(Option<Box<Entropy>>),
    /// They are counted, and nothing is written.
    Count,
    /// They are counted and wait with the images.
    Spool,
}

/// The stage.
pub struct Stage {
    /// The rules.
    pub options: Options,
    /// What comes after them.
    pub last: Last,
}

/// What became of a task.
pub struct Done {
    /// Records and rejects.
    pub sink: Sink,
    /// The words of the sentences.
    pub counts: WordCounts,
    waiting: Vec<u8>,
    spans: Vec<Span>,
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

impl Stage {
    /// Does a task.
    pub fn process(&self, task: Task) -> Done {
        let mut done = Done {
            sink: Sink::new(PAGE.name),
            counts: WordCounts::default(),
            waiting: Vec::new(),
            spans: Vec::new(),
        };
        match task {
            Task::Page(operand) => self.page(&operand, &mut done),
            Task::Lines(batch, after, units) => {
                for line in batch.lines().filter(|line| line.number > after) {
                    self.line(&line, &mut done);
                }
                done.sink.units = units;
            }
            Task::Broken(file, message) => {
                done.sink.tally.of("document").seen += 1;
                let origin = Origin {
                    file: Some(&file),
                    ..Origin::default()
                };
                done.sink
                    .refuse("document", Class::Error, "unreadable", &message, origin);
                done.sink.units = 1;
            }
        }
        done
    }

    fn page(&self, operand: &Operand, done: &mut Done) {
        let name = operand.name();
        let id = tasks::id(&name);
        done.sink.units = 1;
        done.sink.tally.of("document").seen += 1;
        let mut bytes = Vec::new();
        let read = operand.open().and_then(|input| {
            input
                .take(self.options.max_document + 1)
                .read_to_end(&mut bytes)
        });
        let origin = Origin {
            file: Some(&id),
            line: None,
            record: &bytes[..bytes.len().min(4096)],
            bytes: Some(length(operand, &bytes)),
        };
        if let Err(error) = read {
            done.sink.refuse(
                "document",
                Class::Error,
                "unreadable",
                &error.to_string(),
                origin,
            );
            return;
        }
        let folder = Path::new(&*id).parent().unwrap_or(Path::new(""));
        match realsyn_extract::html(&bytes, &id, folder, None, &self.options) {
            Ok(document) => self.take(document, &id, None, done),
            Err(error) => refuse(&error, origin, done),
        }
    }

    fn line(&self, line: &Line<'_>, done: &mut Done) {
        done.sink.tally.of("document").seen += 1;
        if let Some(problem) = line.problem {
            let message = match problem {
                realsyn_lines::Problem::TooLong { bytes } => format!("the line has {bytes} bytes"),
                realsyn_lines::Problem::Broken { message } => message.clone(),
            };
            done.sink.refuse(
                "document",
                Class::Error,
                problem.code(),
                &message,
                line.into(),
            );
            return;
        }
        let folder = if line.file == "-" {
            Path::new("")
        } else {
            Path::new(line.file).parent().unwrap_or(Path::new(""))
        };
        match realsyn_extract::obelics(line.bytes, folder, &self.options) {
            Ok(document) => self.take(document, line.file, Some(line.number), done),
            Err(error) => refuse(&error, line.into(), done),
        }
    }

    fn take(&self, document: Document, file: &str, line: Option<u64>, done: &mut Done) {
        done.sink.tally.of("document").kept += 1;
        for item in document.items {
            match item {
                Item::Image(image) => {
                    done.sink.tally.of("image").seen += 1;
                    match self.last {
                        Last::Decide(_) => keep("image", &image, &mut done.sink),
                        Last::Count => {}
                        Last::Spool => done.wait(IMAGE, &image, file, line),
                    }
                }
                Item::Sentence(sentence) => {
                    done.sink.tally.of("sentence").seen += 1;
                    match &self.last {
                        Last::Decide(entropy) => match entropy
                            .as_ref()
                            .and_then(|rule| rule.refuses(&sentence.text))
                        {
                            None => keep("sentence", &sentence, &mut done.sink),
                            Some(message) => {
                                let record = serde_json::to_vec(&sentence).unwrap_or_default();
                                let origin = Origin {
                                    file: Some(file),
                                    line,
                                    record: &record,
                                    bytes: None,
                                };
                                done.sink.refuse(
                                    "sentence",
                                    Class::Filter,
                                    Rule::LowEntropy.code(),
                                    &message,
                                    origin,
                                );
                            }
                        },
                        Last::Count => {
                            done.counts.add(&sentence.text);
                            done.sink.tally.of("sentence").kept += 1;
                        }
                        Last::Spool => {
                            done.counts.add(&sentence.text);
                            done.wait(SENTENCE, &sentence, file, line);
                        }
                    }
                }
                Item::Refused(Refused {
                    kind,
                    class,
                    code,
                    message,
                    record,
                }) => {
                    done.sink.tally.of(kind).seen += 1;
                    let class = match class {
                        realsyn_extract::Class::Filter => Class::Filter,
                        realsyn_extract::Class::Error => Class::Error,
                    };
                    let origin = Origin {
                        file: Some(file),
                        line,
                        record: record.as_bytes(),
                        bytes: None,
                    };
                    done.sink.refuse(kind, class, code, &message, origin);
                }
            }
        }
    }
}

impl Done {
    fn wait(&mut self, tag: u8, record: &impl Serialize, file: &str, line: Option<u64>) {
        if serde_json::to_writer(&mut self.waiting, record).is_ok() {
            let file = match self.spans.last() {
                Some(last) if *last.file == *file => last.file.clone(),
                _ => file.into(),
            };
            self.spans.push(Span {
                end: self.waiting.len(),
                tag,
                file,
                line: line.unwrap_or(0),
            });
        }
    }
}

fn keep(kind: &str, record: &impl Serialize, sink: &mut Sink) {
    // Records are strings and numbers, which always have a JSON form.
    if serde_json::to_writer(&mut sink.out, record).is_ok() {
        sink.out.push(b'\n');
        sink.tally.of(kind).kept += 1;
    }
}

fn refuse(error: &ExtractError, origin: Origin<'_>, done: &mut Done) {
    done.sink.refuse(
        "document",
        Class::Error,
        error.code(),
        &error.to_string(),
        origin,
    );
}

/// The whole length of a file of which only the beginning was read.
fn length(operand: &Operand, read: &[u8]) -> u64 {
    let read = read.len() as u64;
    match operand {
        Operand::File(path) => path
            .metadata()
            .map_or(read, |metadata| metadata.len().max(read)),
        Operand::Stdin => read,
    }
}
