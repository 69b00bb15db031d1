//! One pass or two: who knows the corpus's word counts beforehand needs only one.

use std::io::BufReader;
use std::path::Path;

use anyhow::{Context as _, Result};
use realsyn_cli::{Common, Outcome, Page, Run, Shape};
use realsyn_extract::{Rule, WordCounts};
use realsyn_lines::{AtomicFile, Class, LinesError, Origin, Sink, Spool, ordered};
use serde::Deserialize;

use crate::Own;
use crate::page::PAGE;
use crate::stage::{Done, Entropy, IMAGE, Last, SENTENCE, Stage};
use crate::tasks::{self, Tasks};

/// How much of the second pass is handed over at a time.
const CHUNK: usize = 1 << 18;

/// Runs the tool.
pub fn run(common: &Common, own: &Own) -> Result<Outcome> {
    tasks::check(&common.files)?;
    let asks = !own.skip_rule.contains(&Rule::LowEntropy);
    let entropy = |counts| Entropy {
        counts,
        least: own.min_entropy,
        base: own.entropy_base,
    };
    let last = if own.count.is_some() {
        Last::Count
    } else if !asks {
        Last::Decide(None)
    } else if own.counts.is_empty() {
        Last::Spool
    } else {
        Last::Decide(Some(Box::new(entropy(read(&own.counts)?))))
    };
    let shape = if matches!(last, Last::Decide(_)) {
        Shape::Map
    } else {
        Shape::Fold
    };
    let count = own
        .count
        .as_deref()
        .map(|path| AtomicFile::create(path, common.force))
        .transpose()?;
    let mut run = common.start_without_operands(&Page { shape, ..PAGE }, own)?;
    if is_whole(common) {
        return Ok(run.finish()?);
    }
    let stage = Stage {
        options: own.options(),
        last,
    };
    match &stage.last {
        Last::Decide(_) => pass(common, own, &mut run, &stage, |_| Ok(()))?,
        Last::Count => {
            let mut counts = WordCounts::default();
            pass(common, own, &mut run, &stage, |done| {
                counts.merge(std::mem::take(&mut done.counts));
                Ok(())
            })?;
            note(&mut run, &counts);
            if let (Some(mut file), Some(path)) = (count, &own.count) {
                counts
                    .write(&mut file)
                    .map_err(|source| LinesError::io(path.display().to_string(), source))?;
                file.finish()?;
            }
        }
        Last::Spool => {
            let (mut counts, mut spool) = (WordCounts::default(), Spool::new()?);
            pass(common, own, &mut run, &stage, |done| {
                counts.merge(std::mem::take(&mut done.counts));
                done.spool(&mut spool)
            })?;
            note(&mut run, &counts);
            decide(&mut run, spool, &entropy(counts))?;
        }
    }
    Ok(run.finish()?)
}

/// Whether `--resume` finds nothing left to do.
fn is_whole(common: &Common) -> bool {
    common.resume
        && common.output.as_ref().is_some_and(|output| {
            let mut part = output.as_os_str().to_owned();
            part.push(".part");
            output.exists() && !Path::new(&part).exists()
        })
}

/// The sum of files of counts, compressed or not.
fn read(files: &[std::path::PathBuf]) -> Result<WordCounts> {
    let mut counts = WordCounts::default();
    for path in files {
        let input = realsyn_lines::open(path).with_context(|| path.display().to_string())?;
        counts
            .read(BufReader::new(input))
            .with_context(|| path.display().to_string())?;
    }
    Ok(counts)
}

/// Does all tasks; `collect` gets what each made, in order, before its records are written.
fn pass(
    common: &Common,
    own: &Own,
    run: &mut Run,
    stage: &Stage,
    mut collect: impl FnMut(&mut Done) -> Result<()>,
) -> Result<()> {
    let stop = run.stop();
    let tasks = Tasks::new(
        common.files.clone(),
        own.from,
        run.max_line(),
        run.done(),
        &stop,
    );
    ordered(
        tasks,
        run.jobs(),
        &stop,
        || Ok(()),
        |(): &mut (), task| Ok(stage.process(task)),
        |mut done| {
            collect(&mut done)?;
            Ok(run.accept(done.sink)?)
        },
    )
}

/// Says in the funnel what the entropy was measured with.
fn note(run: &mut Run, counts: &WordCounts) {
    run.note("sentence", "counted_words", counts.words().into());
    run.note("sentence", "distinct_words", counts.distinct().into());
}

/// The second pass: sentences that waited have to pass the rule of entropy.
fn decide(run: &mut Run, spool: Spool, entropy: &Entropy) -> Result<()> {
    #[derive(Deserialize)]
    struct Text<'a> {
        #[serde(borrow)]
        text: std::borrow::Cow<'a, str>,
    }
    let mut reader = spool.read()?;
    let mut sink = Sink::new(PAGE.name);
    while let Some((line, tag)) = reader.next_line()? {
        let kind = if tag == IMAGE { "image" } else { "sentence" };
        let refusal = if tag == SENTENCE {
            let sentence: Text<'_> =
                serde_json::from_slice(line.bytes).context("temporary file")?;
            entropy.refuses(&sentence.text)
        } else {
            None
        };
        match refusal {
            None => {
                sink.line(line.bytes);
                sink.tally.of(kind).kept += 1;
            }
            Some(message) => {
                let number = Some(line.number).filter(|&number| number > 0);
                let origin = Origin {
                    file: Some(line.file),
                    line: number,
                    record: line.bytes,
                    bytes: None,
                };
                sink.refuse(
                    kind,
                    Class::Filter,
                    Rule::LowEntropy.code(),
                    &message,
                    origin,
                );
            }
        }
        if sink.out.len() >= CHUNK {
            run.accept(std::mem::replace(&mut sink, Sink::new(PAGE.name)))?;
        }
    }
    Ok(run.accept(sink)?)
}
