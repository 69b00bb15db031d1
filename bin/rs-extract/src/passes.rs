//! One pass or two: who knows the corpus's word counts beforehand, and the bounds of perplexity, needs only one.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use realsyn_cli::{Common, Outcome, Page, Run, Shape};
use realsyn_extract::{Cache, Counter, CountsError, Frequencies, Judge, Percentiles, Rule};
use realsyn_lines::{AtomicFile, Class, LinesError, Origin, Sink, Spool, SpoolReader, ordered};
use realsyn_ngram::Model;
use serde::Deserialize;

use crate::flags::{Own, Percents};
use crate::late::{Bounds, Entropy};
use crate::page::PAGE;
use crate::settle::{Done, IMAGE, Last, SENTENCE, Stage, Worker};
use crate::tasks::{self, Plan, Tasks};

/// How much of the second pass is handed over at a time.
const CHUNK: usize = 1 << 18;

/// Runs the tool.
pub fn run(common: &Common, own: &Own) -> Result<Outcome> {
    if let Some(out) = &own.merge_counts {
        return merge(common, out);
    }
    tasks::check(&common.files, own.files0_from.as_deref())?;
    let options = own.options();
    let model = own.perplexity.as_deref().map(Model::open).transpose()?;
    ensure!(
        own.min_perplexity <= own.max_perplexity,
        "--min-perplexity is above --max-perplexity"
    );
    let mut bounds = Bounds::NONE;
    if model.is_some() && own.perplexity_percentiles.is_none() {
        bounds = Bounds::new(own.min_perplexity, own.max_perplexity, &options);
    }
    let asks_entropy = options.asks(Rule::LowEntropy);
    let mut entropy = None;
    if asks_entropy && !own.counts.is_empty() {
        entropy = Some(entropy_by(own, Frequencies::sum(open(&own.counts)?)?));
    }
    let counts = asks_entropy && entropy.is_none();
    let last = if own.count.is_some() {
        Last::Count(Counter::default())
    } else if own.explain {
        Last::Explain(entropy.take(), bounds)
    } else if counts || own.perplexity_percentiles.is_some() {
        Last::Spool(counts.then(Counter::default))
    } else {
        Last::Decide(entropy.take(), bounds)
    };
    let shape = match last {
        Last::Decide(..) | Last::Explain(..) => Shape::Map,
        Last::Count(_) | Last::Spool(_) => Shape::Fold,
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
    let mut asked = options.clone();
    if own.count.is_some() {
        // Counting does not parse, and need not load what does.
        asked.skip.extend([Rule::LowComplexity, Rule::NoAction]);
    }
    let stage = Stage {
        judge: Judge::new(&asked)?,
        options,
        model,
        last,
    };
    let waits = matches!(stage.last, Last::Spool(_));
    let mut spool = waits.then(Spool::new).transpose()?;
    pass(common, own, &mut run, &stage, |done| match &mut spool {
        Some(spool) => done.spool(spool),
        None => Ok(()),
    })?;
    match stage.last {
        Last::Decide(..) | Last::Explain(..) => {}
        Last::Count(counter) => {
            if let (Some(file), Some(path)) = (count, &own.count) {
                let words = counter.finish().map_err(|error| failed(error, path))?;
                note(&mut run, &words);
                write(&[words], file, path)?;
            }
        }
        Last::Spool(counter) => {
            if let Some(counter) = counter {
                let words = counter.finish().context("temporary file")?;
                note(&mut run, &words);
                entropy = Some(entropy_by(own, words));
            }
            let Some(spool) = spool else {
                return Ok(run.finish()?);
            };
            let mut waiting = spool.read()?;
            if let Some(percents) = own.perplexity_percentiles {
                let [low, high] = calibrate(&mut run, &mut waiting, entropy.as_ref(), percents)?;
                bounds = Bounds::new(low, high, &stage.options);
            }
            decide(&mut run, waiting, entropy.as_ref(), bounds)?;
        }
    }
    if stage.model.is_some() {
        for (name, bound) in [
            ("min_perplexity", bounds.low),
            ("max_perplexity", bounds.high),
        ] {
            if bound.is_finite() {
                run.note("sentence", name, bound.into());
            }
        }
    }
    Ok(run.finish()?)
}

fn entropy_by(own: &Own, frequencies: Frequencies) -> Entropy {
    Entropy {
        frequencies,
        least: own.min_entropy,
        base: own.entropy_base,
    }
}

/// Writes the sum of the operands.
fn merge(common: &Common, out: &Path) -> Result<Outcome> {
    ensure!(!common.files.is_empty(), "--merge-counts needs files");
    let parts = open(&common.files)?;
    write(&parts, AtomicFile::create(out, common.force)?, out)?;
    Ok(Outcome::Clean)
}

fn open(files: &[std::path::PathBuf]) -> Result<Vec<Frequencies>> {
    let open = |path: &std::path::PathBuf| {
        Frequencies::open(path).with_context(|| path.display().to_string())
    };
    files.iter().map(open).collect()
}

fn write(parts: &[Frequencies], file: AtomicFile, path: &Path) -> Result<()> {
    let file = Frequencies::merge(parts, file).map_err(|error| failed(error, path))?;
    Ok(file.finish()?)
}

/// The error of a file that was being written; a full disk must be known as one.
fn failed(error: CountsError, path: &Path) -> anyhow::Error {
    match error {
        CountsError::Io(source) => LinesError::io(path.display().to_string(), source).into(),
        error => anyhow::Error::new(error).context(path.display().to_string()),
    }
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

/// Does all tasks; `collect` gets what each made, in order, before its records are written.
fn pass(
    common: &Common,
    own: &Own,
    run: &mut Run,
    stage: &Stage,
    mut collect: impl FnMut(&mut Done) -> Result<()>,
) -> Result<()> {
    let stop = run.stop();
    let plan = Plan {
        operands: common.files.clone(),
        files0_from: own.files0_from.clone(),
        from: own.from,
        max_line: run.max_line(),
        max_document: own.max_document,
        max_image: own.max_image,
        skip: run.done(),
    };
    let tasks = Tasks::new(plan, &stop);
    ordered(
        tasks,
        run.jobs(),
        &stop,
        || Ok(Worker::default()),
        |worker, task| stage.process(worker, task),
        |mut done| {
            collect(&mut done)?;
            Ok(run.accept(done.sink)?)
        },
    )
}

/// Says in the funnel what the entropy was measured with.
fn note(run: &mut Run, counts: &Frequencies) {
    run.note("sentence", "counted_words", counts.words().into());
    run.note("sentence", "distinct_words", counts.distinct().into());
}

/// What the last rules have to know of a sentence that waits.
#[derive(Deserialize)]
struct Waiting<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    text: std::borrow::Cow<'a, str>,
    perplexity: Option<f64>,
}

/// Draws a sample of the sentences that have the entropy, and chooses the bounds of perplexity by it.
fn calibrate(
    run: &mut Run,
    waiting: &mut SpoolReader,
    entropy: Option<&Entropy>,
    percents: Percents,
) -> Result<[f64; 2]> {
    let (mut percentiles, mut cache) = (Percentiles::default(), Cache::default());
    while let Some((line, tag)) = waiting.next_line()? {
        if tag != SENTENCE {
            continue;
        }
        let sentence: Waiting<'_> = serde_json::from_slice(line.bytes).context("temporary file")?;
        let goes_on = entropy.is_none_or(|rule| rule.refuses(&sentence.text, &mut cache).is_none());
        if let (true, Some(perplexity)) = (goes_on, sentence.perplexity) {
            percentiles.offer(&sentence.id, perplexity);
        }
    }
    waiting.rewind()?;
    let Percents([low, high]) = percents;
    let found = percentiles.at(&[low, high]);
    let &[least, most] = &found[..] else {
        return Ok([Bounds::NONE.low, Bounds::NONE.high]);
    };
    let (seen, drawn) = percentiles.counts();
    run.tell(&format!(
        "perplexity: {least} to {most} keeps {low}% to {high}% of {drawn} of {seen} sentences"
    ));
    run.note("sentence", "perplexity_sample", drawn.into());
    Ok([least, most])
}

/// The last pass: sentences that waited have to pass the rules of entropy and perplexity.
fn decide(
    run: &mut Run,
    mut waiting: SpoolReader,
    entropy: Option<&Entropy>,
    bounds: Bounds,
) -> Result<()> {
    let mut cache = Cache::default();
    let mut sink = Sink::new(PAGE.name);
    while let Some((line, tag)) = waiting.next_line()? {
        let kind = if tag == IMAGE { "image" } else { "sentence" };
        let mut refusal = None;
        if tag == SENTENCE {
            let sentence: Waiting<'_> =
                serde_json::from_slice(line.bytes).context("temporary file")?;
            refusal = entropy
                .and_then(|rule| rule.refuses(&sentence.text, &mut cache))
                .or_else(|| sentence.perplexity.and_then(|told| bounds.refuses(told)));
        }
        match refusal {
            None => {
                sink.line(line.bytes);
                sink.tally.of(kind).kept += 1;
            }
            Some((rule, message)) => {
                let number = Some(line.number).filter(|&number| number > 0);
                let origin = Origin {
                    file: Some(line.file),
                    line: number,
                    record: line.bytes,
                    ..Origin::default()
                };
                sink.refuse(kind, Class::Filter, rule.code(), &message, origin);
            }
        }
        if sink.out.len() >= CHUNK {
            run.accept(std::mem::replace(&mut sink, Sink::new(PAGE.name)))?;
        }
    }
    Ok(run.accept(sink)?)
}
