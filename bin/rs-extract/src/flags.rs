//! The tool's own flags.

use std::path::PathBuf;
use std::str::FromStr;

use realsyn_extract::{Language, Options, Rule, Shelf};
use realsyn_picture::Limits;
use serde::{Serialize, Serializer};

use crate::sniff;

/// What the output depends on.
#[derive(Debug, Clone, clap::Args, Serialize)]
pub struct Own {
    /// What the documents are
    #[arg(long, value_enum, default_value_t = sniff::From::Auto)]
    pub from: sniff::From,

    /// Take the names of files and folders from FILE, each ended by a NUL as find -print0 does; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub files0_from: Option<PathBuf>,

    /// Write pictures that are no files of their own (in WARC, EPUB and tar files, data: URIs) to DIR, under their hash
    #[arg(long, value_name = "DIR")]
    pub images_to: Option<PathBuf>,

    /// Count the words of the sentences into FILE and write no records: the first of two steps over shards
    #[arg(long, value_name = "FILE", conflicts_with = "counts")]
    pub count: Option<PathBuf>,

    /// Take the corpus's word counts from FILE, which --count or --merge-counts wrote; several files add up
    #[arg(long, value_name = "FILE")]
    pub counts: Vec<PathBuf>,

    /// Write to FILE the sum of the operands, which are files that --count wrote, and do nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["count", "counts", "files0_from", "explain"])]
    pub merge_counts: Option<PathBuf>,

    /// Print each sentence with what becomes of it and its parse, instead of records
    #[arg(long, conflicts_with_all = ["count", "perplexity_percentiles"])]
    pub explain: bool,

    /// Switch a rule off, by the code under which it rejects; several times, or with commas
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    #[serde(serialize_with = "codes")]
    pub skip_rule: Vec<Rule>,

    /// Drop sentences with fewer words
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub min_words: usize,

    /// Drop sentences with more words
    #[arg(long, value_name = "N", default_value_t = 81)]
    pub max_words: usize,

    /// Drop sentences in other languages; several, or with commas; any keeps all
    #[arg(long, value_name = "CODE", value_delimiter = ',', default_value = "en")]
    #[serde(serialize_with = "languages")]
    pub language: Vec<Language>,

    /// Drop sentences in whose parse no word has so many words that depend on it
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub min_complexity: usize,

    /// Drop sentences with less entropy
    #[arg(long, value_name = "X", default_value_t = 0.3)]
    pub min_entropy: f64,

    /// Base of the logarithm that entropy is measured with
    #[arg(long, value_name = "X", default_value_t = 2.0, value_parser = base)]
    pub entropy_base: f64,

    /// Add the perplexity by this model, which rs-perplexity --train wrote, and drop what lies outside the bounds
    #[arg(long, value_name = "MODEL")]
    pub perplexity: Option<PathBuf>,

    /// Drop sentences of a lower perplexity
    #[arg(
        long,
        value_name = "X",
        default_value_t = 30.0,
        requires = "perplexity"
    )]
    pub min_perplexity: f64,

    /// Drop sentences of a higher perplexity
    #[arg(
        long,
        value_name = "X",
        default_value_t = 200.0,
        requires = "perplexity"
    )]
    pub max_perplexity: f64,

    /// Take as bounds the perplexities below which LOW and HIGH percent of a sample of the sentences lie
    #[arg(
        long,
        value_name = "LOW,HIGH",
        requires = "perplexity",
        conflicts_with_all = ["min_perplexity", "max_perplexity", "count"]
    )]
    pub perplexity_percentiles: Option<Percents>,

    /// Drop images whose shorter side has fewer pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 100)]
    pub min_side: u32,

    /// Drop images whose longer side is more than this many times the shorter
    #[arg(long, value_name = "X", default_value_t = 3.0)]
    pub max_aspect: f64,

    /// Reject images that announce more pixels
    #[arg(long, value_name = "N", default_value_t = 100_000_000)]
    pub max_pixels: u64,

    /// Reject longer picture files
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    pub max_image: u64,

    /// Reject longer pages
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    pub max_document: u64,
}

impl Own {
    pub fn options(&self) -> Options {
        Options {
            skip: self.skip_rule.clone(),
            min_words: self.min_words,
            max_words: self.max_words,
            languages: self.language.clone(),
            min_complexity: self.min_complexity,
            min_side: self.min_side,
            max_aspect: self.max_aspect,
            images: self.count.is_none() && !self.explain,
            max_document: self.max_document,
            shelf: self.images_to.as_deref().map(Shelf::new),
            limits: Limits {
                max_pixels: self.max_pixels,
                max_bytes: self.max_image,
            },
        }
    }
}

/// Two percentages, the lower first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percents(pub [f64; 2]);

impl FromStr for Percents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (low, high) = text
            .split_once(',')
            .ok_or("two numbers with a comma between them")?;
        let number = |text: &str| {
            text.trim()
                .parse::<f64>()
                .map_err(|error| error.to_string())
        };
        let (low, high) = (number(low)?, number(high)?);
        if 0.0 <= low && low < high && high <= 100.0 {
            Ok(Self([low, high]))
        } else {
            Err("percentages from 0 to 100, the lower first".to_owned())
        }
    }
}

fn codes<S: Serializer>(rules: &[Rule], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rules.iter().map(|rule| rule.code()))
}

fn languages<S: Serializer>(languages: &[Language], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(languages.iter().map(|language| language.code()))
}

fn base(text: &str) -> Result<f64, String> {
    let base: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if base.is_finite() && base > 1.0 {
        Ok(base)
    } else {
        Err("a base is greater than 1".to_owned())
    }
}
