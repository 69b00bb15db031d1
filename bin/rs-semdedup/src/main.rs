//! rs-semdedup: drops or marks images and sentences whose embeddings nearly agree.

mod edges;
mod judge;
mod matrix;
mod page;
mod records;

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};
use realsyn_cli::Common;
use realsyn_record::Kind;
use realsyn_semdedup::Part;
use serde::Serialize;

/// Drop or mark images and sentences whose embeddings nearly agree (all pairs below a cosine distance, joined)
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
    /// Join records whose cosine distance is below this; over 0, up to 1
    #[arg(long, value_name = "DISTANCE", default_value = "0.1", value_parser = within::<0, 1>)]
    distance: f64,

    /// Choose the distance: the largest of a table that drops at most this share of the records, in per cent; the table
    /// is told, and is in the report
    #[arg(long, value_name = "P", conflicts_with = "distance", value_parser = within::<0, 100>)]
    percentile: Option<f64>,

    /// Miss no pair: compare all with all, or what the bound of given clusters leaves
    #[arg(long)]
    exact: bool,

    /// Compare by this many clusters [default: none up to 200,000 distinct vectors, twice the square root of their
    /// number beyond]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    clusters: Option<u32>,

    /// Compare by the clusters of these centroids, which rs-kmeans made
    #[arg(long, value_name = "FILE", conflicts_with = "clusters")]
    centroids: Option<PathBuf>,

    /// The share of pairs that must be found where clusters are compared, as far as a sample can say; 1 is --exact
    #[arg(long, value_name = "SHARE", default_value = "0.99", conflicts_with = "exact", value_parser = within::<0, 1>)]
    recall: f64,

    /// Which record of each set stays
    #[arg(long, value_enum, default_value_t = Keep::Centroid)]
    keep: Keep,

    /// The field, a number, whose greatest value stays
    #[arg(long, value_name = "FIELD", required_if_eq("keep", "quality"))]
    quality_field: Option<String>,

    /// Look at records of this kind alone; others pass through [default: images and sentences]
    #[arg(long, value_enum)]
    kind: Option<Chosen>,

    /// Keep duplicates too, with the kept record's id as `dup_of`
    #[arg(long)]
    mark: bool,

    /// Only search, and write which records belong together as edge/1 records in place of the records; I/N does one part
    /// of N of the search
    #[arg(long, value_name = "I/N", num_args = 0..=1, require_equals = true, default_missing_value = "1/1", conflicts_with_all = ["mark", "percentile", "keep", "merge"])]
    edges: Option<PartOf>,

    /// Do not search: join what these files of edges say, however many runs of --edges they come from
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["distance", "percentile", "exact", "clusters", "centroids", "recall"])]
    merge: Vec<PathBuf>,

    /// Compare the rows of a matrix of half or single precision in place of records
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "kind"])]
    vectors: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
enum Keep {
    /// The one that is nearest to its set's centroid
    Centroid,
    /// The one with the smallest id
    First,
    /// The image with the most pixels, the sentence with the most characters
    Largest,
    /// The one whose --quality-field is greatest
    Quality,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
enum Chosen {
    Image,
    Sentence,
}

/// Whether records of `kind` are looked at.
fn is_chosen(chosen: Option<Chosen>, kind: Kind) -> bool {
    let kind = match kind {
        Kind::Image => Chosen::Image,
        Kind::Sentence => Chosen::Sentence,
        _ => return false,
    };
    chosen.is_none_or(|chosen| chosen == kind)
}

/// A part of the search, I of N.
#[derive(Debug, Clone, Copy, Serialize)]
struct PartOf(usize, usize);

impl FromStr for PartOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once('/')
            .and_then(|(number, of)| Some(Self(number.parse().ok()?, of.parse().ok()?)))
            .filter(|part| (1..=part.1).contains(&part.0))
            .ok_or_else(|| "takes I/N, such as 1/4, with I from 1 to N".to_owned())
    }
}

impl From<PartOf> for Part {
    fn from(PartOf(number, of): PartOf) -> Self {
        Self {
            number: number - 1,
            of,
        }
    }
}

/// A number over `LOW` and up to `HIGH`.
fn within<const LOW: u8, const HIGH: u8>(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number| *number > f64::from(LOW) && *number <= f64::from(HIGH))
        .ok_or_else(|| format!("takes a number over {LOW}, up to {HIGH}"))
}

fn main() -> ExitCode {
    realsyn_cli::main(&page::PAGE, |Args { common, own }| {
        ensure!(
            own.quality_field.is_none() || own.keep == Keep::Quality,
            "--quality-field needs --keep quality"
        );
        match &own.vectors {
            Some(vectors) => matrix::run(&common, &own, vectors),
            None => records::run(&common, &own),
        }
    })
}
