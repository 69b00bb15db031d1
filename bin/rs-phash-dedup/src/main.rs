//! rs-phash-dedup: drops or marks near-identical pictures and equal or nearly equal sentences.

mod dedup;
mod edges;
mod page;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use realsyn_cli::{Common, Outcome, Page, Shape};
use realsyn_phash::{Algorithm, Hasher, Near, Part};
use realsyn_picture::Limits;
use serde::{Serialize, Serializer};

use crate::page::PAGE;
use crate::stage::Hashes;

/// Drop or mark near-identical pictures (perceptual hash, all pairs within a radius, joined) and equal sentences
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
    /// Join pictures whose hashes differ in at most N of 64 bits; 0 to 16
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(0..=i64::from(realsyn_phash::MAX_RADIUS)))]
    radius: u32,

    /// How a picture becomes 64 bits; the records' field has the same name
    #[arg(long, value_enum, default_value_t = Chosen::Phash)]
    algorithm: Chosen,

    /// Join sentences too whose sets of five-character runs have at least this Jaccard index, from 0.2 to 1; most of
    /// them are found (see RECORDS)
    #[arg(long, value_name = "X", value_parser = jaccard)]
    sentence_jaccard: Option<f64>,

    /// Keep duplicates too, with the kept record's id as `dup_of`
    #[arg(long)]
    mark: bool,

    /// Only give each image its hash: a map
    #[arg(long, conflicts_with_all = ["mark", "sentence_jaccard"])]
    hash: bool,

    /// Only search, and write which hashes belong together as edge/1 records in place of the records; I/N does one part
    /// of N of the search
    #[arg(long, value_name = "I/N", num_args = 0..=1, require_equals = true, default_missing_value = "1/1", conflicts_with_all = ["mark", "hash"])]
    #[serde(serialize_with = "shown")]
    edges: Option<Part>,

    /// Do not search: join what these files of edges say, however many runs of --edges they come from
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["hash", "edges", "sentence_jaccard"])]
    merge: Vec<PathBuf>,

    /// Drop also what belongs to something that an earlier run kept, as a file of --seen-out says; it is only read
    #[arg(long, value_name = "FILE", conflicts_with = "hash")]
    seen: Vec<PathBuf>,

    /// Write all that the files of --seen hold and what this run saw to a new file, for the next run
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hash", "edges"])]
    seen_out: Option<PathBuf>,

    /// Refuse pictures with more pixels
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_pixels)]
    max_pixels: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
enum Chosen {
    /// Low frequencies of the picture: blind to size, compression, brightness
    Phash,
    /// Brighter or darker than the pixel to the left
    Dhash,
    /// Brighter or darker than the mean
    Ahash,
    /// Blocks brighter or darker than the median of their quarter, in colour
    Blockhash,
    /// Lowest band of the Haar wavelet
    Whash,
}

impl From<Chosen> for Algorithm {
    fn from(chosen: Chosen) -> Self {
        match chosen {
            Chosen::Phash => Self::Phash,
            Chosen::Dhash => Self::Dhash,
            Chosen::Ahash => Self::Ahash,
            Chosen::Blockhash => Self::Blockhash,
            Chosen::Whash => Self::Whash,
        }
    }
}

/// A Jaccard index for which a search can be planned.
fn jaccard(text: &str) -> Result<f64, String> {
    let threshold = text.parse::<f64>().map_err(|error| error.to_string())?;
    let near = Near::new(threshold).map_err(|error| error.to_string());
    near.map(|_| threshold)
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn shown<S: Serializer>(part: &Option<Part>, serializer: S) -> Result<S::Ok, S::Error> {
    part.map(|part| part.to_string()).serialize(serializer)
}

fn main() -> ExitCode {
    realsyn_cli::main(&PAGE, |Args { common, own }| run(&common, &own))
}

fn run(common: &Common, own: &Own) -> Result<Outcome> {
    let limits = Limits {
        max_pixels: own.max_pixels,
        ..Limits::default()
    };
    let stage = Hashes {
        hasher: Hasher::new(own.algorithm.into(), limits),
        near: own.sentence_jaccard.map(Near::new).transpose()?,
    };
    if own.hash {
        let page = Page {
            shape: Shape::Map,
            ..PAGE
        };
        return realsyn_pipe::map(common.start(&page, own)?, &stage);
    }
    match own.edges {
        Some(part) => dedup::find_edges(common, own, &stage, part),
        None => dedup::dedup(common, own, &stage),
    }
}
