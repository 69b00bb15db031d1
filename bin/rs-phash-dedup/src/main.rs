//! rs-phash-dedup: drops or marks near-identical pictures and equal sentences.

mod page;
mod stage;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use realsyn_cli::{Common, Outcome};
use realsyn_phash::{Algorithm, Hasher, Images, Sentences, hex};
use realsyn_picture::Limits;
use realsyn_pipe::{Reply, fold};
use realsyn_record::{Edits, Kind};
use serde::Serialize;

use crate::page::PAGE;
use crate::stage::{Hashes, Item};

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

    /// How a picture becomes 64 bits
    #[arg(long, value_enum, default_value_t = Chosen::Phash)]
    algorithm: Chosen,

    /// Keep duplicates too, with the kept record's id as `dup_of`
    #[arg(long)]
    mark: bool,

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
}

impl From<Chosen> for Algorithm {
    fn from(chosen: Chosen) -> Self {
        match chosen {
            Chosen::Phash => Self::Phash,
            Chosen::Dhash => Self::Dhash,
            Chosen::Ahash => Self::Ahash,
        }
    }
}

fn main() -> ExitCode {
    realsyn_cli::main(&PAGE, |Args { common, own }| dedup(&common, &own))
}

fn dedup(common: &Common, own: &Own) -> Result<Outcome> {
    let mut run = common.start(&PAGE, own)?;
    let limits = Limits {
        max_pixels: own.max_pixels,
        ..Limits::default()
    };
    let stage = Hashes(Hasher::new(own.algorithm.into(), limits));
    let (mut images, mut sentences) = (Images::default(), Sentences::default());
    let spooled = fold(&mut run, &stage, |item| {
        match item {
            Item::Image { id, hashed } => images.push(&id, hashed.area, hashed.hash),
            Item::Sentence { id, key } => sentences.push(&id, key),
        }
        Ok(())
    })?;
    drop(stage);
    let (pictures, texts) = (images.join(own.radius)?, sentences.join());

    let (mut image, mut sentence) = (0, 0);
    spooled.decide(&mut run, |_, record| {
        let mut edits = Edits::new();
        let (dup_of, code) = if record.kind() == Kind::Sentence {
            sentence += 1;
            (texts.dup_of(sentence - 1), "duplicate-sentence")
        } else {
            if let Some(hash) = images.hash(image) {
                edits = edits.set("phash", &hex(hash))?;
            }
            image += 1;
            (pictures.dup_of(image - 1), "near-duplicate-image")
        };
        match dup_of {
            Some(kept) if !own.mark => {
                let dup_of = kept.to_owned();
                return Ok(Reply::Duplicate { code, dup_of });
            }
            Some(kept) => edits = edits.set("dup_of", kept)?,
            // From an earlier run, perhaps.
            None if record.raw("dup_of").is_some() => edits = edits.remove("dup_of"),
            None => {}
        }
        Ok(if edits.is_empty() {
            Reply::Keep
        } else {
            Reply::Edit(edits)
        })
    })?;
    Ok(run.finish()?)
}
