//! rs-kmeans: clusters embeddings, and assigns records to clusters.

mod assign;
mod fit;
mod page;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use realsyn_cli::{Common, Page, Shape};
use realsyn_record::Kind;
use serde::Serialize;

/// Cluster embeddings by k-means, or assign records to the clusters that were found
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
    /// Number of clusters
    #[arg(
        short = 'k',
        long = "clusters",
        value_name = "N",
        required_unless_present = "assign"
    )]
    k: Option<usize>,

    /// Iterations at most; fewer only if no record changes its cluster any more
    #[arg(long, value_name = "N", default_value_t = 20)]
    iterations: usize,

    /// What the choice of the first centroids depends on, together with the records' ids
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Write the centroids, a matrix of single precision, and beside it their description, FILE.json
    #[arg(long, value_name = "FILE", required_unless_present = "assign")]
    out: Option<PathBuf>,

    /// What "near" means
    #[arg(long, value_enum, default_value_t = Metric::Spherical)]
    metric: Metric,

    /// Where the first centroids come from: random records, or k-means++, which costs as much as several iterations
    #[arg(long, value_enum, default_value_t = Init::Random)]
    init: Init,

    /// Start from these centroids
    #[arg(long, value_name = "FILE", conflicts_with = "init")]
    from: Option<PathBuf>,

    /// Use records of this kind alone [default: images, sentences and pairs]
    #[arg(long, value_enum)]
    kind: Option<Chosen>,

    /// Cluster the rows of a matrix of half or single precision in place of records
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "kind", "assign"])]
    vectors: Option<PathBuf>,

    /// Add to each record with an embedding its cluster and its cosine to the centroid; other records pass through
    #[arg(long, value_name = "FILE", conflicts_with_all = ["k", "iterations", "seed", "out", "metric", "init", "from"])]
    assign: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
enum Metric {
    /// The cosine; vectors are scaled to unit length
    Spherical,
    /// The Euclidean distance
    Euclidean,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
enum Init {
    Random,
    #[value(name = "kmeans++")]
    PlusPlus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
enum Chosen {
    Image,
    Sentence,
    Pair,
}

/// Whether records of `kind` are used.
fn is_chosen(chosen: Option<Chosen>, kind: Kind) -> bool {
    let kind = match kind {
        Kind::Image => Chosen::Image,
        Kind::Sentence => Chosen::Sentence,
        Kind::Pair => Chosen::Pair,
        _ => return false,
    };
    chosen.is_none_or(|chosen| chosen == kind)
}

fn main() -> ExitCode {
    realsyn_cli::main(&page::PAGE, |args: Args| match &args.own.assign {
        Some(centroids) => {
            let stage = assign::Assign::new(centroids, args.own.kind)?;
            let page = Page {
                shape: Shape::Map,
                ..page::PAGE
            };
            realsyn_pipe::map(args.common.start(&page, &args.own)?, &stage)
        }
        None => fit::run(&args.common, &args.own),
    })
}
