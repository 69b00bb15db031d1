//! rs-perplexity: trains an n-gram language model, and says how surprising each sentence is to a language model.

mod calibrate;
mod page;
mod score;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};
use realsyn_cli::{Common, Outcome, Page, Shape};
use realsyn_infer::{EngineChoice, EngineOptions};
use serde::Serialize;

/// Train an n-gram language model on sentences, and say how surprising each sentence is
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    common: Common,

    /// With a model's folder: what runs it; auto is ort where the environment (`ORT_DYLIB_PATH`), the model's folder
    /// (`lib/libonnxruntime.so`) or the system's folders hold a usable library
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    engine: Engine,

    /// The ONNX Runtime library to use
    #[arg(long, value_name = "FILE")]
    onnxruntime: Option<PathBuf>,

    /// With --train: about how much memory to use; what is more goes to temporary files
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    memory: usize,

    #[command(flatten)]
    own: Own,
}

/// The tool's own flags: what its output depends on.
#[derive(Debug, Clone, clap::Args, Serialize)]
struct Own {
    /// Learn from the sentences and write an n-gram model
    #[arg(long, value_name = "FILE", required_unless_present = "model")]
    train: Option<PathBuf>,

    /// How many words the model's longest n-grams have, 2 to 5
    #[arg(long, value_name = "N", default_value_t = 5)]
    order: usize,

    /// Words that were seen less often are known by their look alone
    #[arg(long, value_name = "N", default_value_t = 2)]
    min_count: u64,

    /// The input is plain text, a sentence a line, in place of records
    #[arg(long, requires = "train")]
    text: bool,

    /// Add to each sentence its perplexity by this model, an n-gram model's file or a causal language model's folder; other
    /// records pass through
    #[arg(long, value_name = "PATH", conflicts_with_all = ["train", "order", "min_count"])]
    model: Option<PathBuf>,

    /// With a model's folder: how many sentences of about one length are run together
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: u16,

    /// Drop sentences of a lower perplexity than this
    #[arg(long, value_name = "X", conflicts_with = "train")]
    min_perplexity: Option<f64>,

    /// Drop sentences of a higher perplexity than this
    #[arg(long, value_name = "X", conflicts_with = "train")]
    max_perplexity: Option<f64>,

    /// Choose the two bounds so that these percentages of the sentences lie below them
    #[arg(long, value_name = "LOW,HIGH", value_delimiter = ',', num_args = 1, conflicts_with_all = ["train", "min_perplexity", "max_perplexity"])]
    perplexity_percentiles: Option<Vec<f64>>,

    /// How many sentences, drawn by their ids, the bounds are chosen by
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1_000_000,
        requires = "perplexity_percentiles"
    )]
    sample: usize,

    /// Draws another sample
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        requires = "perplexity_percentiles"
    )]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Auto,
    /// ONNX Runtime, from a library
    Ort,
    /// The embedded engine
    Rten,
}

fn main() -> ExitCode {
    realsyn_cli::main(&page::PAGE, |args: Args| run(&args))
}

fn run(args: &Args) -> Result<Outcome> {
    let Args { common, own, .. } = args;
    if let Some(model) = &own.train {
        return train::run(common, own, args.memory, model);
    }
    let path = own
        .model
        .as_deref()
        .context("--train or --model is needed")?;
    let (min, max) = (
        own.min_perplexity.unwrap_or(0.0),
        own.max_perplexity.unwrap_or(f64::INFINITY),
    );
    ensure!(min <= max, "--min-perplexity is above --max-perplexity");
    let percentiles = own.perplexity_percentiles.as_deref();
    let percentiles = percentiles.map(calibrate::Percentiles::new).transpose()?;
    let lm = score::Lm::open(path, &engine(args), usize::from(own.batch)).context("--model")?;
    let settings = (own, lm.id());
    if let Some(percentiles) = percentiles {
        let run = common.start(&page::PAGE, &settings)?;
        return calibrate::run(run, lm, percentiles, own.sample, own.seed);
    }
    let page = Page {
        shape: Shape::Map,
        ..page::PAGE
    };
    let run = common.start(&page, &settings)?;
    realsyn_pipe::map(run, &score::Scorer::new(lm, score::Bounds { min, max }))
}

fn engine(args: &Args) -> EngineOptions {
    EngineOptions {
        choice: match args.engine {
            Engine::Auto => EngineChoice::Auto,
            Engine::Ort => EngineChoice::Ort,
            Engine::Rten => EngineChoice::Rten,
        },
        library: args.onnxruntime.clone(),
        environment: std::env::var_os("ORT_DYLIB_PATH")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
        ..EngineOptions::default()
    }
}
