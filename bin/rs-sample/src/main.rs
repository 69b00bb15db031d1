//! rs-sample: balances pairs over clusters.

mod page;

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use realsyn_cli::{Common, Outcome};
use realsyn_lines::AtomicFile;
use realsyn_pipe::{RecordFold, Refusal, Reply, fold, scan};
use realsyn_record::{Edits, Kind, Record};
use realsyn_sample::{
    Balance, Bound, Distribution, Drawn, On, Options, PairError, Percentile, Verdict, cosine,
};

use crate::page::PAGE;

/// Balance pairs: drop what lies outside cosine bounds, then cap every cluster
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    common: Common,

    /// Keep at most N pairs of each cluster, drawn at random
    #[arg(long, value_name = "N")]
    cap: Option<NonZeroU32>,

    /// Drop pairs with a lower cosine
    #[arg(
        long,
        value_name = "X",
        allow_negative_numbers = true,
        conflicts_with = "min_percentile"
    )]
    min_cos: Option<f64>,

    /// Drop pairs with a higher cosine
    #[arg(
        long,
        value_name = "Y",
        allow_negative_numbers = true,
        conflicts_with = "max_percentile"
    )]
    max_cos: Option<f64>,

    /// Drop pairs with a lower cosine than this percentile of the corpus
    #[arg(long, value_name = "P")]
    min_percentile: Option<Percentile>,

    /// Drop pairs with a higher cosine than this percentile of the corpus
    #[arg(long, value_name = "P")]
    max_percentile: Option<Percentile>,

    /// The text whose cosine to the image is bounded
    #[arg(long, value_enum, default_value_t = Side::Synthetic)]
    on: Side,

    /// What the draw depends on, together with the pairs' ids
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Leave these fields out of the pairs that stay; may be given several times
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    strip: Vec<String>,

    /// Only write to FILE how many pairs have which cosine; no pairs go out
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cap", "min_cos", "max_cos", "min_percentile", "max_percentile", "strip", "counts", "output"])]
    count: Option<PathBuf>,

    /// Take percentiles from FILE, written by --count over the whole corpus
    #[arg(long, value_name = "FILE")]
    counts: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Side {
    /// `synthetic_cos`: the synthetic text
    Synthetic,
    /// `texts[0].cos`: the first retrieved text
    Text1,
}

impl Args {
    fn on(&self) -> On {
        match self.on {
            Side::Synthetic => On::Synthetic,
            Side::Text1 => On::Text1,
        }
    }

    fn options(&self) -> Result<Options> {
        let bound = |cos: Option<f64>, percentile: Option<Percentile>| {
            cos.map(Bound::Cos).or(percentile.map(Bound::Percentile))
        };
        Ok(Options {
            cap: self.cap,
            min: bound(self.min_cos, self.min_percentile),
            max: bound(self.max_cos, self.max_percentile),
            on: self.on(),
            seed: self.seed,
            strip: self.strip.clone(),
        }
        .validate()?)
    }
}

/// The fold's parallel part: what `R` reads of each pair.
struct Pairs<R>(R);

impl<R, T> RecordFold for Pairs<R>
where
    R: Fn(&Record<'_>) -> Result<T, PairError> + Sync,
    T: Send,
{
    type Worker = ();
    type Item = T;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Pair
    }

    fn worker(&self) -> Result<()> {
        Ok(())
    }

    fn prepare(&self, (): &mut (), record: &Record<'_>) -> Result<T, Refusal> {
        (self.0)(record).map_err(|error| Refusal::error(error.code(), error.to_string()))
    }
}

fn main() -> ExitCode {
    realsyn_cli::main(&PAGE, |args: Args| match &args.count {
        Some(path) => count(&args, path),
        None => sample(&args, &args.options()?),
    })
}

/// Step one of two: the distribution of a shard.
fn count(args: &Args, path: &Path) -> Result<Outcome> {
    let mut run = args.common.start(&PAGE, &("count", args.on()))?;
    let mut file = BufWriter::new(AtomicFile::create(path, args.common.force)?);
    let mut values = Vec::new();
    let read = Pairs(|record: &Record<'_>| cosine(record, args.on()));
    scan(&mut run, &read, |cos| {
        values.push(cos);
        Ok(())
    })?;
    let distribution = Distribution::of(&mut values);
    let counts = run.tally().of(Kind::Pair.name());
    counts.seen += distribution.total();
    counts.kept += distribution.total();
    distribution
        .write(&mut file)
        .and_then(|()| file.flush())
        .with_context(|| path.display().to_string())?;
    file.into_inner()
        .map_err(std::io::IntoInnerError::into_error)?
        .finish()?;
    Ok(run.finish()?)
}

fn sample(args: &Args, options: &Options) -> Result<Outcome> {
    let corpus = match &args.counts {
        Some(path) => {
            let open = || Ok(Distribution::read(BufReader::new(File::open(path)?))?);
            let read: Result<Distribution> = open();
            Some(read.with_context(|| path.display().to_string())?)
        }
        None => None,
    };
    let mut run = args.common.start(&PAGE, &options)?;
    let mut balance = Balance::new();
    let read = Pairs(|record: &Record<'_>| Drawn::read(record, options));
    let spooled = fold(&mut run, &read, |pair| {
        balance.push(pair);
        Ok(())
    })?;
    let plan = balance.decide(options, corpus.as_ref())?;
    let bounds = plan.summary().bounds;
    if options.needs_distribution() {
        let shown = |bound: Option<f64>| bound.map_or("none".to_owned(), |cos| cos.to_string());
        run.tell(&format!(
            "bounds: min-cos {}, max-cos {}",
            shown(bounds.min_cos),
            shown(bounds.max_cos)
        ));
    }
    if let serde_json::Value::Object(notes) = serde_json::to_value(plan.summary())? {
        for (key, value) in notes {
            run.note(Kind::Pair.name(), &key, value);
        }
    }
    let cap = options.cap.map_or(u32::MAX, NonZeroU32::get);
    spooled.decide(&mut run, |number, _| {
        let verdict = plan
            .verdict(usize::try_from(number)?)
            .context("a pair that was not pushed")?;
        let dropped = |message| {
            verdict
                .code()
                .map_or(Reply::Keep, |code| Refusal::filter(code, message).into())
        };
        Ok(match verdict {
            Verdict::Keep if options.strip.is_empty() => Reply::Keep,
            Verdict::Keep => Reply::Edit(
                options
                    .strip
                    .iter()
                    .fold(Edits::new(), |edits, field| edits.remove(field)),
            ),
            Verdict::CosBelow => dropped(format!("below {}", bounds.min_cos.unwrap_or_default())),
            Verdict::CosAbove => dropped(format!("above {}", bounds.max_cos.unwrap_or_default())),
            Verdict::OverCap => dropped(format!("{cap} pairs of the cluster have a smaller draw")),
        })
    })?;
    Ok(run.finish()?)
}
