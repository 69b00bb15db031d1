//! Stages that must see all records before they can answer the first.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context as _, Result};
use realsyn_lines::{Batch, Line, Run, Sink, Spool, ordered};
use realsyn_record::{Kind, Record};

use crate::reply::{Refusal, Reply, parse, refuse, settle};

/// Output is handed on in pieces of about this many bytes, or after so many records when most are dropped.
const PIECE: usize = 1 << 18;
const RECORDS: u64 = 4096;

/// The part of a fold that can be done on several threads: from a record to what the fold needs to know of it.
pub trait RecordFold: Sync {
    /// What one thread keeps from batch to batch.
    type Worker: Send;
    /// What the fold needs to know of a record.
    type Item: Send;

    /// Whether records of `kind` are for this stage; others pass through untouched.
    fn handles(&self, kind: Kind) -> bool;

    /// How many lines a batch holds at most: few where a record costs much, so that no thread waits at the end.
    fn max_lines(&self) -> usize {
        1024
    }

    /// A new thread's state.
    ///
    /// # Errors
    /// The state cannot be had, which ends the run.
    fn worker(&self) -> Result<Self::Worker>;

    /// Takes from a record what the fold needs.
    ///
    /// # Errors
    /// The record does not go on.
    fn prepare(
        &self,
        worker: &mut Self::Worker,
        record: &Record<'_>,
    ) -> Result<Self::Item, Refusal>;
}

/// What stands in the spool for a line.
const PASSES: u8 = 0;
const PUSHED: u8 = 1;

/// What has become of a line in the parallel part.
enum Fate<T> {
    /// The stage took what it needs from it.
    Pushed(T),
    /// It is not for this stage.
    Passes,
    /// It is in the sink's rejects.
    Refused,
}

/// A batch after its lines have been prepared.
struct Prepared<T> {
    batch: Batch,
    fates: Vec<Fate<T>>,
    sink: Sink,
}

/// The lines of a fold, waiting for their fate.
#[derive(Debug)]
pub struct Spooled {
    spool: Spool,
}

/// Prepares the records of `run` in parallel and gives each to `push` in input order; the lines wait on disk.
///
/// # Errors
/// `push` failed, a worker could not start, or the temporary file or the rejects cannot be written.
pub fn fold<F: RecordFold>(
    run: &mut Run,
    stage: &F,
    mut push: impl FnMut(F::Item) -> Result<()>,
) -> Result<Spooled> {
    let mut spool = Spool::new()?;
    drive(run, stage, |line, item| match item {
        Some(item) => {
            push(item)?;
            Ok(spool.push(line, PUSHED)?)
        }
        None => Ok(spool.push(line, PASSES)?),
    })?;
    Ok(Spooled { spool })
}

/// Prepares the records of `run` in parallel and gives each to `push` in input order. Other records are left out.
///
/// # Errors
/// `push` failed, a worker could not start, or the rejects cannot be written.
pub fn scan<F: RecordFold>(
    run: &mut Run,
    stage: &F,
    mut push: impl FnMut(F::Item) -> Result<()>,
) -> Result<()> {
    drive(run, stage, |_, item| item.map_or(Ok(()), &mut push))
}

fn drive<F: RecordFold>(
    run: &mut Run,
    stage: &F,
    mut take: impl FnMut(&Line<'_>, Option<F::Item>) -> Result<()>,
) -> Result<()> {
    let (batches, jobs, stop, name) = (
        run.batches(stage.max_lines()),
        run.jobs(),
        run.stop(),
        run.stage(),
    );
    ordered(
        batches,
        jobs,
        &stop,
        || stage.worker(),
        |worker, batch| prepare(stage, worker, batch, Sink::new(name)),
        |prepared| {
            let Prepared { batch, fates, sink } = prepared;
            for (line, fate) in batch.lines().zip(fates) {
                let taken = match fate {
                    Fate::Refused => continue,
                    Fate::Passes => take(&line, None),
                    Fate::Pushed(item) => take(&line, Some(item)),
                };
                taken.with_context(|| format!("{}:{}", line.file, line.number))?;
            }
            Ok(run.accept(sink)?)
        },
    )
}

fn prepare<F: RecordFold>(
    stage: &F,
    worker: &mut F::Worker,
    batch: Batch,
    mut sink: Sink,
) -> Result<Prepared<F::Item>> {
    let mut fates = Vec::new();
    for line in batch.lines() {
        let record = match parse(&line) {
            Ok(record) if stage.handles(record.kind()) => record,
            Ok(_) => {
                fates.push(Fate::Passes);
                continue;
            }
            Err(refusal) => {
                refuse(&refusal, "line", &line, &mut sink);
                fates.push(Fate::Refused);
                continue;
            }
        };
        // A decoder of some format may panic on what it has never met. That must cost one record, not the run.
        let attempt = catch_unwind(AssertUnwindSafe(|| stage.prepare(worker, &record)));
        let prepared = match attempt {
            Ok(prepared) => prepared,
            Err(_panic) => {
                *worker = stage.worker()?;
                Err(Refusal::error("panic", "the stage failed on this record"))
            }
        };
        fates.push(match prepared {
            Ok(item) => Fate::Pushed(item),
            Err(refusal) => {
                let kind = record.kind().name();
                sink.tally.of(kind).seen += 1;
                refuse(&refusal, kind, &line, &mut sink);
                Fate::Refused
            }
        });
    }
    sink.units = batch.units();
    Ok(Prepared { batch, fates, sink })
}

impl Spooled {
    /// Goes through the lines again in input order and writes each as `decide` says.
    ///
    /// `decide` is given the number of the record among those that were pushed, counted from 0; the others pass through.
    ///
    /// # Errors
    /// `decide` failed, or an output cannot be written.
    pub fn decide(
        self,
        run: &mut Run,
        mut decide: impl FnMut(u64, &Record<'_>) -> Result<Reply>,
    ) -> Result<()> {
        let mut reader = self.spool.read()?;
        let mut sink = run.sink();
        let mut number = 0;
        while let Some((line, tag)) = reader.next_line()? {
            if tag == PASSES {
                sink.line(line.bytes);
            } else {
                // It was parsed once; that it parses again is no question.
                let record = Record::parse(line.bytes)?;
                let reply = decide(number, &record)?;
                number += 1;
                settle(reply, &record, &line, &mut sink);
            }
            if sink.out.len() >= PIECE || number % RECORDS == RECORDS - 1 {
                run.accept(std::mem::replace(&mut sink, run.sink()))?;
            }
        }
        Ok(run.accept(sink)?)
    }
}

#[cfg(test)]
mod tests {
    use realsyn_lines::Outcome;

    use super::*;
    use crate::testing::{lines_of, run_over};

    struct Width;

    impl RecordFold for Width {
        type Worker = ();
        type Item = u32;
        fn handles(&self, kind: Kind) -> bool {
            kind == Kind::Image
        }
        fn max_lines(&self) -> usize {
            2
        }
        fn worker(&self) -> Result<()> {
            Ok(())
        }
        fn prepare(&self, (): &mut (), record: &Record<'_>) -> Result<u32, Refusal> {
            let width = record.need("width")?;
            assert!(width != 666, "a decoder's panic");
            Ok(width)
        }
    }

    const INPUT: &str = r#"{"schema":"image/1","width":20}
{"schema":"sentence/1","text" : "as it is"}
{"schema":"image/1","width":666}
{"schema":"image/1","width":70}
{"schema":"image/1"}
{"schema":"image/1","width":30}
"#;

    #[test]
    fn the_lines_are_decided_when_all_have_been_seen() {
        for jobs in [1, 3] {
            let done = run_over(INPUT, jobs, |mut run| {
                let mut widths = Vec::new();
                let spooled = fold(&mut run, &Width, |width| {
                    widths.push(width);
                    Ok(())
                })?;
                let largest = widths.iter().max().copied();
                spooled.decide(&mut run, |number, _| {
                    let width = widths.get(usize::try_from(number)?).copied();
                    Ok(if width == largest {
                        Reply::Keep
                    } else {
                        Refusal::filter("not-largest", "smaller").into()
                    })
                })?;
                Ok(run.finish()?)
            });
            assert_eq!(done.outcome.unwrap(), Outcome::Rejects);
            let expected = [
                r#"{"schema":"sentence/1","text" : "as it is"}"#,
                r#"{"schema":"image/1","width":70}"#,
            ];
            assert_eq!(lines_of(&done.out), expected);
            let codes: Vec<_> = done
                .rejects
                .iter()
                .map(|reject| (reject.code.as_str(), reject.line))
                .collect();
            assert_eq!(
                codes,
                [
                    ("panic", 3),
                    ("missing-field", 5),
                    ("not-largest", 1),
                    ("not-largest", 6)
                ]
            );
        }
    }

    #[test]
    fn a_push_that_fails_names_the_line() {
        let done = run_over(INPUT, 2, |mut run| {
            scan(&mut run, &Width, |width| {
                anyhow::ensure!(width < 50, "too wide");
                Ok(())
            })?;
            Ok(run.finish()?)
        });
        let message = format!("{:#}", done.outcome.unwrap_err());
        assert!(message.ends_with("in.jsonl:4: too wide"), "{message}");
    }
}
