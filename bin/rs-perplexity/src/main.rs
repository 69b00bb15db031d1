//! rs-perplexity: trains an n-gram language model on sentences, and scores sentences with it.

mod page;
mod score;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use realsyn_cli::{Common, Page, Shape};
use serde::Serialize;

/// Train an n-gram language model on sentences, and say how surprising each sentence is
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    common: Common,

    #[command(flatten)]
    own: Own,
}

/// The tool's own flags: what its output depends on.
#[derive(Debug, Clone, clap::Args, Serialize)]
struct Own {
    /// Learn from the sentences and write the model
    #[arg(long, value_name = "FILE", required_unless_present = "model")]
    train: Option<PathBuf>,

    /// How many words the model's longest n-grams have, 2 to 5
    #[arg(long, value_name = "N", default_value_t = 3)]
    order: usize,

    /// Add to each sentence its perplexity by this model; other records pass through
    #[arg(long, value_name = "FILE", conflicts_with_all = ["train", "order"])]
    model: Option<PathBuf>,

    /// Drop sentences of a lower perplexity than this
    #[arg(long, value_name = "X", conflicts_with = "train")]
    min_perplexity: Option<f64>,

    /// Drop sentences of a higher perplexity than this
    #[arg(long, value_name = "X", conflicts_with = "train")]
    max_perplexity: Option<f64>,
}

fn main() -> ExitCode {
    realsyn_cli::main(&page::PAGE, |args: Args| {
        let Args { common, own } = &args;
        match (&own.model, &own.train) {
            (Some(model), _) => {
                let stage = score::Scorer::new(model, own.min_perplexity, own.max_perplexity)?;
                let page = Page {
                    shape: Shape::Map,
                    ..page::PAGE
                };
                realsyn_pipe::map(common.start(&page, own)?, &stage)
            }
            (None, Some(model)) => train::run(common, own, model),
            (None, None) => anyhow::bail!("--train or --model is needed"),
        }
    })
}
