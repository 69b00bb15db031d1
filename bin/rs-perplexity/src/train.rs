//! From sentences to a model.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use realsyn_cli::{Common, Outcome};
use realsyn_lines::{AtomicFile, Batch, Class, LinesError, Origin, Problem, Run, Sink, ordered};
use realsyn_ngram::{NgramError, Summary, TrainOptions, Trainer};
use realsyn_pipe::{RecordFold, Refusal, scan};
use realsyn_record::{Kind, Record};

use crate::Own;
use crate::page::PAGE;

/// What a line of plain text is called in the funnel.
const TEXT: &str = "text";

/// Learns from the sentences and writes the model.
pub fn run(common: &Common, own: &Own, memory: usize, model: &Path) -> Result<Outcome> {
    let is_free = common.force || common.resume || !model.is_file();
    ensure!(is_free, LinesError::Exists(model.to_owned()));
    let mut trainer = Trainer::new(TrainOptions {
        order: own.order,
        min_count: own.min_count,
        memory,
        jobs: common.workers(),
    })?;
    let mut run = common.start(&PAGE, own)?;
    if run.operands().is_empty() {
        // A resumed run that had ended.
        return Ok(run.finish()?);
    }
    if own.text {
        lines(&mut run, &mut trainer)?;
    } else {
        let mut seen = 0;
        scan(&mut run, &Sentences, |text| {
            seen += 1;
            Ok(trainer.push(&text)?)
        })?;
        let counts = run.tally().of(Kind::Sentence.name());
        counts.seen += seen;
        counts.kept += seen;
    }
    // Before there is a file that would lie in the way of the next run.
    ensure!(!trainer.is_empty(), NgramError::Empty);
    let mut file = AtomicFile::create(model, common.force || common.resume)?;
    let summary = trainer.write(&mut file)?;
    run.write(line(&summary).as_bytes())?;
    file.finish()?;
    Ok(run.finish()?)
}

fn line(summary: &Summary) -> String {
    let Summary {
        sentences,
        words,
        vocabulary,
        ngrams,
    } = summary;
    format!(
        "{{\"schema\":\"metric/1\",\"stage\":\"rs-perplexity\",\"sentences\":{sentences},\"words\":{words},\"vocabulary\":{vocabulary},\"ngrams\":{}}}\n",
        ngrams.iter().sum::<u64>()
    )
}

/// Learns from each line as it is.
fn lines(run: &mut Run, trainer: &mut Trainer) -> Result<()> {
    let (batches, jobs, stop, name) = (run.batches(1024), run.jobs(), run.stop(), run.stage());
    let check = |(): &mut (), batch: Batch| {
        let mut sink = Sink::new(name);
        let mut bad = Vec::new();
        for (at, line) in batch.lines().enumerate() {
            let why = match line.problem {
                Some(problem @ Problem::TooLong { bytes }) => Some((
                    problem.code(),
                    format!("a line of {bytes} bytes is too long (--max-line)"),
                )),
                Some(problem @ Problem::Broken { message }) => {
                    Some((problem.code(), format!("the input breaks off: {message}")))
                }
                None => std::str::from_utf8(line.bytes)
                    .err()
                    .map(|error| ("bad-utf8", error.to_string())),
            };
            let counts = sink.tally.of(TEXT);
            counts.seen += 1;
            counts.kept += u64::from(why.is_none());
            if let Some((code, message)) = why {
                sink.refuse(TEXT, Class::Error, code, &message, Origin::from(&line));
                bad.push(at);
            }
        }
        sink.units = batch.units();
        Ok((batch, bad, sink))
    };
    ordered(
        batches,
        jobs,
        &stop,
        || Ok(()),
        check,
        |(batch, bad, sink)| {
            let mut bad = bad.into_iter().peekable();
            for (at, line) in batch.lines().enumerate() {
                if bad.next_if_eq(&at).is_none() {
                    let text = std::str::from_utf8(line.bytes)?;
                    let pushed = trainer.push(text);
                    pushed.with_context(|| format!("{}:{}", line.file, line.number))?;
                }
            }
            Ok(run.accept(sink)?)
        },
    )
}

struct Sentences;

impl RecordFold for Sentences {
    type Worker = ();
    type Item = String;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Sentence
    }

    fn worker(&self) -> Result<()> {
        Ok(())
    }

    fn prepare(&self, (): &mut (), record: &Record<'_>) -> Result<String, Refusal> {
        Ok(record.need_text("text")?.into_owned())
    }
}
