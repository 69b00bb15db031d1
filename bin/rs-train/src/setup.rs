//! The flags that the weights depend on, and what a run starts with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use realsyn_checkpoint::{Checkpoint, Config, TOKENIZER_FILE, tokenizer};
use realsyn_record::content_hash;
use realsyn_train::{Crop, Options, Pixels, Tokens, clip_merges};
use serde::Serialize;

/// What the weights depend on, besides the pairs.
#[expect(clippy::doc_markdown, reason = "these words are the help text")]
#[derive(Debug, clap::Args, Serialize)]
pub struct Settings {
    /// Sizes of the model: a file in OpenCLIP's form, or ViT-B-32, ViT-B-16, ViT-L-14, ViT-small-16-112, ViT-tiny-16-64,
    /// ViT-micro-8-32
    #[arg(long, value_name = "FILE|NAME", default_value = "ViT-B-32")]
    pub config: String,

    /// Start from the checkpoint and the tokenizer of this directory in place of random weights
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "tokenizer", "vocab_size"])]
    pub init: Option<PathBuf>,

    /// A tokenizer.json in place of CLIP's; its largest id must end each text
    #[arg(long, value_name = "FILE")]
    pub tokenizer: Option<PathBuf>,

    /// Keep only the first ids of CLIP's vocabulary, markers included [default: the config's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(514..=49408), conflicts_with = "tokenizer")]
    pub vocab_size: Option<u32>,

    /// Times that all pairs are shown
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..))]
    pub epochs: u64,

    /// Batches that are shown, in place of --epochs
    #[arg(long, value_name = "N", conflicts_with = "epochs", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,

    /// Pairs a step, which are told apart; the paper has 4096
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub batch_size: usize,

    /// The highest learning rate
    #[arg(long, value_name = "RATE", default_value_t = 1e-3)]
    pub lr: f64,

    /// The share of the steps in which the learning rate rises
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub warmup: f64,

    /// AdamW's decay of matrices; biases, norms and the temperature do not decay
    #[arg(long, value_name = "RATE", default_value_t = 0.2)]
    pub weight_decay: f64,

    /// AdamW's first decay rate
    #[arg(long, value_name = "RATE", default_value_t = 0.9)]
    pub beta1: f64,

    /// AdamW's second decay rate
    #[arg(long, value_name = "RATE", default_value_t = 0.98)]
    pub beta2: f64,

    /// AdamW's epsilon
    #[arg(long, value_name = "X", default_value_t = 1e-6)]
    pub epsilon: f64,

    /// Shorten all gradients together to this length where they are longer
    #[arg(long, value_name = "X")]
    pub clip_norm: Option<f64>,

    /// Show another part of a picture each epoch, 90 to 100% of its area, in place of its middle
    #[arg(long)]
    pub random_crop: bool,

    /// How many of a pair's realistic texts are used, best first; a synthetic one comes on top
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub texts: usize,

    /// Decides weights, order, texts and crops
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// The weights and rules that a run starts with.
pub struct Start {
    pub checkpoint: Checkpoint,
    pub tokens: Tokens,
    pub pixels: Pixels,
    /// What must be the same when a run goes on, besides its pairs and the optimizer's settings; files count by what
    /// is in them, not by their names.
    pub identity: String,
}

/// Reads what the flags name, or makes what they ask for.
pub fn start(settings: &Settings) -> Result<Start> {
    let (checkpoint, json) = match &settings.init {
        Some(dir) => (Checkpoint::read_dir(dir)?, read(&dir.join(TOKENIZER_FILE))?),
        None => fresh(settings)?,
    };
    let tokens = Tokens::from_json(&json, checkpoint.config().text_cfg.context_length)?;
    let crop = if settings.random_crop {
        Crop::Random
    } else {
        Crop::Centre
    };
    let pixels = Pixels::new(
        &checkpoint.config().vision_cfg,
        checkpoint.preprocess(),
        crop,
    );
    let Settings {
        seed,
        batch_size,
        random_crop,
        ..
    } = settings;
    let (weights, words) = (checkpoint.digest(), content_hash(json.as_bytes()));
    let identity = format!(
        "seed={seed} batch={batch_size} random-crop={random_crop} weights={weights} tokenizer={words}"
    );
    Ok(Start {
        checkpoint,
        tokens,
        pixels,
        identity,
    })
}

fn fresh(settings: &Settings) -> Result<(Checkpoint, String)> {
    let mut config = match Config::named(&settings.config) {
        Some(config) => config,
        None => Config::from_json(&read(Path::new(&settings.config))?)?.0,
    };
    let text = &mut config.text_cfg;
    let json = if let Some(path) = &settings.tokenizer {
        let json = read(path)?;
        text.vocab_size = tokenizer::vocab_size(&json)?;
        json
    } else {
        let wanted = settings
            .vocab_size
            .map_or(Ok(text.vocab_size), usize::try_from)?;
        let json = tokenizer::json(&clip_merges(wanted), text.context_length)?;
        // A config with more ids than CLIP's vocabulary keeps rows that no text uses: they are left out.
        text.vocab_size = tokenizer::vocab_size(&json)?;
        json
    };
    Ok((Checkpoint::random(&config, settings.seed)?, json))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// The flags of the optimizer and of the schedule.
pub fn options(settings: &Settings, steps: u64) -> Options {
    Options {
        steps,
        lr: settings.lr,
        warmup: settings.warmup,
        weight_decay: settings.weight_decay,
        beta1: settings.beta1,
        beta2: settings.beta2,
        epsilon: settings.epsilon,
        clip_norm: settings.clip_norm,
    }
}
