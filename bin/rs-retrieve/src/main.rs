//! rs-retrieve: finds the sentences that belong to each image.

mod bulk;
mod index;
mod page;
mod recall;
mod sentences;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use realsyn_cli::{Common, Outcome, Page, Shape};
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
    /// Write an index of the sentences that are read, for --index, and no pairs
    #[arg(
        long,
        value_name = "FILE",
        requires = "centroids",
        conflicts_with_all = ["index", "sentences", "top_k", "probe", "min_cos", "exclude_same_doc", "same_doc_boost",
            "bulk", "recall_sample"]
    )]
    build: Option<PathBuf>,

    /// The index of the sentences, which --build wrote
    #[arg(long, value_name = "FILE", required_unless_present_any = ["build", "sentences"])]
    index: Option<PathBuf>,

    /// The sentences with their embeddings, of which an index is made for this run alone; records of other kinds in it
    /// and marked duplicates are left out
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "index",
        requires = "centroids"
    )]
    sentences: Option<PathBuf>,

    /// The centroids of the sentences' clusters, as rs-kmeans --out wrote them
    #[arg(long, value_name = "FILE.npy", conflicts_with = "index")]
    centroids: Option<PathBuf>,

    /// Take the rows of a matrix of half or single precision in place of records; a row's number is its id
    #[arg(long, value_name = "FILE.npy", conflicts_with = "files")]
    vectors: Option<PathBuf>,

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

    /// Read all images before the first is answered, and then each cluster once: for an index larger than memory
    #[arg(long)]
    bulk: bool,

    /// Look into all clusters as well for this share of the images, and report how much of that was found
    #[arg(long, value_name = "SHARE", value_parser = share)]
    recall_sample: Option<f64>,
}

impl Own {
    fn options(&self) -> Result<Options> {
        for (flag, number) in [("--top-k", self.top_k), ("--probe", self.probe)] {
            ensure!(number > 0, "{flag} must be at least 1");
        }
        let finite = self.min_cos.is_none_or(f32::is_finite) && self.same_doc_boost.is_finite();
        ensure!(
            finite,
            "--min-cos and --same-doc-boost must be finite numbers"
        );
        Ok(Options {
            top_k: self.top_k,
            probe: self.probe,
            min_cos: self.min_cos,
            exclude_same_doc: self.exclude_same_doc,
            same_doc_boost: self.same_doc_boost,
        })
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if share > 0.0 && share <= 1.0 {
        Ok(share)
    } else {
        Err("a share is greater than 0 and at most 1".to_owned())
    }
}

fn main() -> ExitCode {
    realsyn_cli::main(&page::PAGE, |Args { common, own }| retrieve(&common, &own))
}

fn retrieve(common: &Common, own: &Own) -> Result<Outcome> {
    let fold = Page {
        shape: Shape::Fold,
        ..page::PAGE
    };
    if let Some(path) = &own.build {
        return index::build(path, common.start(&fold, own)?, common.force, own);
    }
    let options = own.options()?;
    let streams = !own.bulk && own.vectors.is_none();
    let run = common.start(if streams { &page::PAGE } else { &fold }, own)?;
    if run.operands().is_empty() {
        // A resumed run that had ended: nothing is looked up.
        return Ok(run.finish()?);
    }
    let searcher = Searcher::new(index::open(own, &run)?, options);
    let stage = stage::Retrieve::new(searcher, own.recall_sample);
    match &own.vectors {
        Some(path) => bulk::rows(run, &stage, path),
        None if own.bulk => bulk::records(run, &stage),
        None => realsyn_pipe::map(run, &stage),
    }
}
