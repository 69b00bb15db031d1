//! Stages that look at one record at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Result;
use realsyn_lines::{Batch, Line, Outcome, Run, Sink, ordered};
use realsyn_record::{Kind, Record};

use crate::reply::{Refusal, Reply, parse, refuse, settle};

/// A stage whose answer to a record depends on that record alone.
pub trait RecordMap: Sync {
    /// What one thread keeps from batch to batch: buffers, a model's session.
    type Worker: Send;

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

    /// Answers each of `records`, in order. The answers must not depend on which records share a batch.
    ///
    /// # Errors
    /// Something that ends the run, such as records of two models; what is wrong with one record is a [`Refusal`].
    fn process(&self, worker: &mut Self::Worker, records: &[Record<'_>]) -> Result<Vec<Reply>>;

    /// Adds to the funnel what the stage has to say of all records, by [`Run::note`], when they have been answered.
    ///
    /// # Errors
    /// Something that ends the run before its outputs get their names.
    fn finish(&self, _run: &mut Run) -> Result<()> {
        Ok(())
    }
}

/// Runs `stage` over the lines of `run` and ends it.
///
/// # Errors
/// The stage ended the run, or an output cannot be written.
pub fn map(run: Run, stage: &impl RecordMap) -> Result<Outcome> {
    map_through(run, stage, &mut ())
}

/// What sees each batch's lines in input order before they are written, and may change them: for what depends on the
/// lines before, such as numbers of rows.
pub trait Through {
    /// Takes a batch's lines.
    ///
    /// # Errors
    /// Something that ends the run.
    fn take(&mut self, sink: &mut Sink) -> Result<()>;

    /// Called when all lines are written and no output has its name yet.
    ///
    /// # Errors
    /// Something that ends the run.
    fn finish(&mut self) -> Result<()>;
}

/// Changes nothing.
impl Through for () {
    fn take(&mut self, _: &mut Sink) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// As [`map`], with `through` between the stage and the outputs.
///
/// # Errors
/// As [`map`], or `through` ended the run.
pub fn map_through(
    mut run: Run,
    stage: &impl RecordMap,
    through: &mut impl Through,
) -> Result<Outcome> {
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
        |worker, batch| process(stage, worker, &batch, Sink::new(name)),
        |mut sink| {
            through.take(&mut sink)?;
            Ok(run.accept(sink)?)
        },
    )?;
    stage.finish(&mut run)?;
    through.finish()?;
    Ok(run.finish()?)
}

fn process<S: RecordMap>(
    stage: &S,
    worker: &mut S::Worker,
    batch: &Batch,
    mut sink: Sink,
) -> Result<Sink> {
    let lines: Vec<Line<'_>> = batch.lines().collect();
    let parsed: Vec<Result<Record<'_>, Refusal>> = lines.iter().map(parse).collect();
    let (mut records, mut fates) = (Vec::new(), Vec::with_capacity(lines.len()));
    for record in parsed {
        fates.push(match record {
            Err(refusal) => Fate::Bad(refusal),
            Ok(record) if stage.handles(record.kind()) => {
                records.push(record);
                Fate::Handled
            }
            Ok(_) => Fate::Passes,
        });
    }
    let replies = answer(stage, worker, &records, &lines, &fates)?;
    let mut answered = records.iter().zip(replies);
    for (line, fate) in lines.iter().zip(fates) {
        match fate {
            Fate::Bad(refusal) => refuse(&refusal, "line", line, &mut sink),
            Fate::Passes => sink.line(line.bytes),
            Fate::Handled => {
                if let Some((record, reply)) = answered.next() {
                    settle(reply, record, line, &mut sink);
                }
            }
        }
    }
    sink.units = batch.units();
    Ok(sink)
}

enum Fate {
    Bad(Refusal),
    Passes,
    Handled,
}

/// The stage's replies; where it panics, the record that makes it panic is refused and the others are answered.
fn answer<S: RecordMap>(
    stage: &S,
    worker: &mut S::Worker,
    records: &[Record<'_>],
    lines: &[Line<'_>],
    fates: &[Fate],
) -> Result<Vec<Reply>> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    // A decoder of some format may panic on what it has never met. That must cost one record, not the run.
    let attempt = |worker: &mut S::Worker, records: &[Record<'_>]| -> Result<Option<Vec<Reply>>> {
        if let Ok(replies) = catch_unwind(AssertUnwindSafe(|| stage.process(worker, records))) {
            return replies.map(Some);
        }
        // What the panic left half done must not be used again.
        *worker = stage.worker()?;
        Ok(None)
    };
    let replies = match attempt(worker, records) {
        Ok(Some(replies)) => replies,
        Ok(None) => {
            let mut replies = Vec::with_capacity(records.len());
            for record in records {
                let one = attempt(worker, std::slice::from_ref(record))?;
                let reply = one.and_then(|mut one| one.pop());
                replies.push(reply.unwrap_or_else(|| {
                    Refusal::error("panic", "the stage failed on this record").into()
                }));
            }
            replies
        }
        Err(error) => {
            let handled = lines
                .iter()
                .zip(fates)
                .find(|(_, fate)| matches!(fate, Fate::Handled));
            let place = handled.map_or_else(String::new, |(line, _)| {
                format!("{}, lines from {}", line.file, line.number)
            });
            return Err(error.context(place));
        }
    };
    anyhow::ensure!(
        replies.len() == records.len(),
        "{} replies to {} records",
        replies.len(),
        records.len()
    );
    Ok(replies)
}

#[cfg(test)]
mod tests {
    use realsyn_record::Edits;

    use super::*;
    use crate::testing::{lines_of, run_over};

    /// Marks images; refuses small ones; panics on a certain one.
    struct Mark;

    impl RecordMap for Mark {
        type Worker = u64;
        fn handles(&self, kind: Kind) -> bool {
            kind == Kind::Image
        }
        fn max_lines(&self) -> usize {
            3
        }
        fn worker(&self) -> Result<u64> {
            Ok(0)
        }
        fn process(&self, _: &mut u64, records: &[Record<'_>]) -> Result<Vec<Reply>> {
            let answer = |record: &Record<'_>| {
                let width = match record.need::<u32>("width") {
                    Ok(width) => width,
                    Err(error) => return Ok(Refusal::from(error).into()),
                };
                assert!(width != 666, "a decoder's panic");
                anyhow::ensure!(width != 999, "a fatal record");
                if width < 10 {
                    return Ok(Refusal::filter("too-small", "narrow").into());
                }
                Ok(Reply::Edit(Edits::new().set_raw("seen", "true".into())))
            };
            records.iter().map(answer).collect()
        }
    }

    const INPUT: &str = r#"{"schema":"image/1","width":20}
{"schema":"sentence/1","text" : "as it is"}
not a record
{"schema":"image/1","width":666}
{"schema":"image/1","width":5}
{"schema":"image/1"}
{"schema":"image/1","width":30}
"#;

    #[test]
    fn every_line_meets_its_fate_in_order_at_any_number_of_threads() {
        for jobs in [1, 3, 8] {
            let done = run_over(INPUT, jobs, |run| map(run, &Mark));
            assert_eq!(done.outcome.unwrap(), Outcome::Rejects);
            assert_eq!(
                lines_of(&done.out),
                [
                    r#"{"schema":"image/1","width":20,"seen":true}"#,
                    r#"{"schema":"sentence/1","text" : "as it is"}"#,
                    r#"{"schema":"image/1","width":30,"seen":true}"#,
                ]
            );
            let codes: Vec<(String, u64)> = done
                .rejects
                .iter()
                .map(|reject| (reject.code.clone(), reject.line))
                .collect();
            let expected = [
                ("bad-json", 3),
                ("panic", 4),
                ("too-small", 5),
                ("missing-field", 6),
            ];
            assert_eq!(codes, expected.map(|(code, line)| (code.to_owned(), line)));
        }
    }

    #[test]
    fn a_fatal_record_ends_the_run_and_names_the_place() {
        let done = run_over("{\"schema\":\"image/1\",\"width\":999}\n", 2, |run| {
            map(run, &Mark)
        });
        let message = format!("{:#}", done.outcome.unwrap_err());
        assert!(
            message.contains("lines from 1") && message.contains("a fatal record"),
            "{message}"
        );
    }
}
