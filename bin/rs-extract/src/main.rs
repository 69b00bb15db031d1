//! rs-extract: images and sentences of documents, in their order.

mod page;
mod passes;
mod stage;
mod tasks;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use realsyn_cli::Common;
use realsyn_extract::{Options, Rule};
use realsyn_picture::Limits;
use serde::{Serialize, Serializer};

/// Extract images and sentences from documents, in their order
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
    /// What the documents are
    #[arg(long, value_enum, default_value_t = tasks::From::Auto)]
    from: tasks::From,

    /// Count the words of the sentences into FILE and write no records: the first of two steps over shards
    #[arg(long, value_name = "FILE", conflicts_with = "counts")]
    count: Option<PathBuf>,

    /// Take the corpus's word counts from FILE, which --count wrote; several files add up
    #[arg(long, value_name = "FILE")]
    counts: Vec<PathBuf>,

    /// Switch a rule off, by the code under which it rejects; several times, or with commas
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    #[serde(serialize_with = "codes")]
    skip_rule: Vec<Rule>,

    /// Drop sentences with fewer words
    #[arg(long, value_name = "N", default_value_t = 3)]
    min_words: usize,

    /// Drop sentences with more words
    #[arg(long, value_name = "N", default_value_t = 81)]
    max_words: usize,

    /// Drop sentences with less entropy
    #[arg(long, value_name = "X", default_value_t = 0.3)]
    min_entropy: f64,

    /// Base of the logarithm that entropy is measured with
    #[arg(long, value_name = "X", default_value_t = 2.0, value_parser = base)]
    entropy_base: f64,

    /// Drop images whose shorter side has fewer pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 100)]
    min_side: u32,

    /// Drop images whose longer side is more than this many times the shorter
    #[arg(long, value_name = "X", default_value_t = 3.0)]
    max_aspect: f64,

    /// Reject images that announce more pixels
    #[arg(long, value_name = "N", default_value_t = 100_000_000)]
    max_pixels: u64,

    /// Reject longer picture files
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    max_image: u64,

    /// Reject longer pages
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    max_document: u64,
}

impl Own {
    fn options(&self) -> Options {
        Options {
            skip: self.skip_rule.clone(),
            min_words: self.min_words,
            max_words: self.max_words,
            min_side: self.min_side,
            max_aspect: self.max_aspect,
            images: self.count.is_none(),
            max_document: self.max_document,
            limits: Limits {
                max_pixels: self.max_pixels,
                max_bytes: self.max_image,
            },
        }
    }
}

fn codes<S: Serializer>(rules: &[Rule], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rules.iter().map(|rule| rule.code()))
}

fn base(text: &str) -> Result<f64, String> {
    let base: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if base.is_finite() && base > 1.0 {
        Ok(base)
    } else {
        Err("a base is greater than 1".to_owned())
    }
}

fn main() -> ExitCode {
    realsyn_cli::main(&page::PAGE, |args: Args| {
        passes::run(&args.common, &args.own)
    })
}
