//! rs-kmeans: clusters embeddings, and assigns records to clusters.

mod assign;
mod fit;
mod page;
mod rows;
mod shards;

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

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
    /// Number of clusters [default with --from: as many as it holds]
    #[arg(
        short = 'k',
        long = "clusters",
        value_name = "N",
        required_unless_present_any = ["assign", "from", "merge"]
    )]
    k: Option<usize>,

    /// Iterations at most; fewer only if no record changes its cluster any more
    #[arg(long, value_name = "N", default_value_t = 20)]
    iterations: usize,

    /// What the choice of the first centroids depends on, together with the records' ids
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Write the centroids, a matrix of single precision, and beside it their description, FILE.json
    #[arg(long, value_name = "FILE", required_unless_present_any = ["assign", "partial"])]
    out: Option<PathBuf>,

    /// What "near" means [default: spherical, with --from what FILE says]
    #[arg(long, value_enum)]
    metric: Option<Metric>,

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

    /// With --vectors, use only these rows, counted from 0, the last not included
    #[arg(long, value_name = "FIRST..LAST", requires = "vectors")]
    rows: Option<Span>,

    /// Use only N records: those whose ids have the smallest hashes. All are used unless this is given
    #[arg(long, value_name = "N", conflicts_with_all = ["assign", "partial", "merge"])]
    sample: Option<usize>,

    /// After each iteration write what a killed run needs; if FILE is there, go on from it, to the same bytes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["assign", "partial", "merge"])]
    checkpoint: Option<PathBuf>,

    /// Write this shard's part of the first centroids, or with --from of an iteration, for --merge
    #[arg(long, value_name = "FILE", conflicts_with_all = ["assign", "merge", "out", "iterations", "init"])]
    partial: Option<PathBuf>,

    /// Read files of --partial, and write the centroids that they make together; with --from these are moved
    #[arg(long, conflicts_with_all = ["assign", "k", "iterations", "seed", "metric", "init", "kind", "vectors"])]
    merge: bool,

    /// Add to each record with an embedding its cluster and its cosine to the centroid; other records pass through
    #[arg(long, value_name = "FILE", conflicts_with_all = ["k", "iterations", "seed", "out", "metric", "init", "from"])]
    assign: Option<PathBuf>,
}

/// Some rows of a matrix.
#[derive(Debug, Clone, Copy, Serialize)]
struct Span {
    first: usize,
    last: usize,
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once("..").map(|(a, b)| (a.parse(), b.parse()));
        match sides {
            Some((Ok(first), Ok(last))) if first < last => Ok(Self { first, last }),
            _ => Err("must be FIRST..LAST with FIRST < LAST, such as 0..1000".to_owned()),
        }
    }
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

impl From<Metric> for realsyn_cluster::Metric {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::Spherical => Self::Spherical,
            Metric::Euclidean => Self::Euclidean,
        }
    }
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
        None if args.own.merge => shards::merge(&args.common, &args.own),
        None => match &args.own.partial {
            Some(path) => shards::partial(&args.common, &args.own, path),
            None => fit::run(&args.common, &args.own),
        },
    })
}
