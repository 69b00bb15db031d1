//! rs-retrieve: finds the sentences that belong to each image.

mod page;
mod sentences;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use clap::Parser;
use realsyn_cli::Common;
use realsyn_cluster::Centroids;
use realsyn_retrieve::{Options, Searcher};
use serde::Serialize;

/// Find the sentences that belong to each image: its nearest clusters first, then the nearest sentences inside them
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
    /// The sentences with their embeddings; records of other kinds in it and marked duplicates are left out
    #[arg(long, value_name = "FILE")]
    sentences: PathBuf,

    /// The centroids of the sentences' clusters, as rs-kmeans --out wrote them
    #[arg(long, value_name = "FILE.npy")]
    centroids: PathBuf,

    /// Sentences for an image at most
    #[arg(long, value_name = "N", default_value_t = 3)]
    top_k: usize,

    /// Clusters that an image looks into: the nearest ones among those that hold sentences
    #[arg(long, value_name = "N", default_value_t = 1)]
    probe: usize,

    /// Leave out sentences whose cosine is smaller
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    min_cos: Option<f32>,

    /// Leave out sentences of the image's own document
    #[arg(long, conflicts_with = "same_doc_boost")]
    exclude_same_doc: bool,

    /// Rank sentences of the image's own document as if their cosine were larger by X; the cosine that is shown stays
    #[arg(
        long,
        value_name = "X",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    same_doc_boost: f32,
}

fn main() -> ExitCode {
    realsyn_cli::main(&page::PAGE, |args: Args| {
        let Args { common, own } = args;
        for (flag, number) in [("--top-k", own.top_k), ("--probe", own.probe)] {
            ensure!(number > 0, "{flag} must be at least 1");
        }
        let finite = own.min_cos.is_none_or(f32::is_finite) && own.same_doc_boost.is_finite();
        ensure!(
            finite,
            "--min-cos and --same-doc-boost must be finite numbers"
        );
        let options = Options {
            top_k: own.top_k,
            probe: own.probe,
            min_cos: own.min_cos,
            exclude_same_doc: own.exclude_same_doc,
            same_doc_boost: own.same_doc_boost,
        };
        let run = common.start(&page::PAGE, &own)?;
        let index = sentences::index(&own.sentences, Centroids::load(&own.centroids)?, &run)?;
        let stage = stage::Retrieve::new(Searcher::new(index, options));
        realsyn_pipe::map(run, &stage)
    })
}
