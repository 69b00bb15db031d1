//! rs-caption: adds tags, captions and synthetic texts to pairs.

mod page;
mod stage;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use realsyn_caption::{Captioner, EndpointOptions, MERGE_RULES, Options, Secret};
use realsyn_cli::{Common, Outcome};
use realsyn_infer::{Classifier, EngineChoice, EngineOptions};
use serde::Serialize;

use crate::page::PAGE;

/// Add tags, captions and synthetic texts to pairs
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    common: Common,

    /// The classifier that makes tags: an ONNX model's folder with labels in its config.json
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,

    /// What runs the classifier: auto, ort (ONNX Runtime, from a library) or rten (embedded)
    #[arg(long, value_name = "ENGINE", default_value_t = EngineChoice::Auto)]
    engine: EngineChoice,

    /// The ONNX Runtime library to use
    #[arg(long, value_name = "FILE")]
    onnxruntime: Option<PathBuf>,

    /// The base URL of the model that sees the picture, up to and including the version (http: or https:)
    #[arg(long, value_name = "URL", requires = "vlm_model")]
    vlm_url: Option<String>,

    /// The base URL of the language model
    #[arg(long, value_name = "URL", requires = "llm_model")]
    llm_url: Option<String>,

    /// The environment variable that holds the key for both URLs
    #[arg(long, value_name = "NAME")]
    api_key_env: Option<String>,

    /// The environment variable that holds the key for --vlm-url, where it is another
    #[arg(long, value_name = "NAME")]
    vlm_api_key_env: Option<String>,

    /// The most requests under way at a time
    #[arg(long, value_name = "N", default_value = "8")]
    in_flight: NonZeroUsize,

    /// The longest time for one attempt at a request
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,

    /// How often a request that failed for a passing reason is sent again
    #[arg(long, value_name = "N", default_value_t = 5)]
    retries: u32,

    /// The wait before the first retry, in milliseconds; it doubles with each, up to a minute
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1000)]
    retry_wait: u64,

    /// Instructions for the language model in place of the built-in ones; the three sources follow them all the same
    #[arg(long, value_name = "FILE", requires = "llm_url")]
    merge_prompt: Option<PathBuf>,

    #[command(flatten)]
    own: Own,
}

/// The flags that decide what is written.
#[derive(Debug, Clone, clap::Args, Serialize)]
struct Own {
    /// The most tags a picture gets
    #[arg(long, value_name = "N", default_value_t = 10)]
    tags_top_k: usize,

    /// The least probability of a tag
    #[arg(long, value_name = "P", default_value_t = 0.05)]
    min_probability: f32,

    /// The name of the model that sees the picture
    #[arg(long, value_name = "NAME", requires = "vlm_url")]
    vlm_model: Option<String>,

    /// The name of the language model
    #[arg(long, value_name = "NAME", requires = "llm_url")]
    llm_model: Option<String>,

    /// The longer side of the picture that --vlm-url gets, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=8192))]
    image_side: u32,

    /// The longest answer, in the model's tokens
    #[arg(long, value_name = "N", default_value_t = 256)]
    max_tokens: u32,

    /// The longest text, in words; what is longer is cut after a sentence
    #[arg(long, value_name = "N", default_value_t = 77)]
    max_words: usize,

    /// The seed sent with each request
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Make texts and tags anew that are there already
    #[arg(long)]
    overwrite: bool,

    /// Let pairs go on whose texts could not be made, without them and with `caption_failed`
    #[arg(long)]
    keep_failed: bool,
}

fn main() -> ExitCode {
    realsyn_cli::main(&PAGE, |args: Args| run(&args))
}

fn run(args: &Args) -> Result<Outcome> {
    let jobs = NonZeroUsize::new(args.common.workers()).unwrap_or(NonZeroUsize::MIN);
    let vlm_key = args.vlm_api_key_env.as_ref().or(args.api_key_env.as_ref());
    let merge_rules = match &args.merge_prompt {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| path.display().to_string())?
            .trim()
            .to_owned(),
        None => MERGE_RULES.to_owned(),
    };
    let captioner = Captioner::new(Options {
        vlm: endpoint(
            args,
            args.vlm_url.as_ref(),
            args.own.vlm_model.as_ref(),
            vlm_key,
        )?,
        llm: endpoint(
            args,
            args.llm_url.as_ref(),
            args.own.llm_model.as_ref(),
            args.api_key_env.as_ref(),
        )?,
        merge_rules: merge_rules.clone(),
        overwrite: args.own.overwrite,
        in_flight: args.in_flight,
        decoders: jobs,
        image_side: args.own.image_side,
        max_words: args.own.max_words,
    })?;
    let engine = EngineOptions {
        choice: args.engine,
        library: args.onnxruntime.clone(),
        environment: std::env::var_os("ORT_DYLIB_PATH")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
        ..EngineOptions::default()
    };
    let open = |dir: &PathBuf| Classifier::open(dir, &engine).context("--model");
    let classifier = args.model.as_ref().map(open).transpose()?;
    // Where a model is served from does not matter to what it says.
    let model = classifier
        .as_ref()
        .map(|model| (model.id(), model.engine()));
    let mut run = args.common.start(&PAGE, &(&args.own, merge_rules, model))?;
    let absent = [
        (args.model.is_none(), "tags (no --model)"),
        (args.vlm_url.is_none(), "caption (no --vlm-url)"),
        (args.llm_url.is_none(), "synthetic (no --llm-url)"),
    ];
    let absent: Vec<&str> = absent
        .iter()
        .filter(|(is_absent, _)| *is_absent)
        .map(|(_, name)| *name)
        .collect();
    if !absent.is_empty() {
        run.tell(&format!("left out: {}", absent.join(", ")));
    }
    realsyn_pipe::map(run, &stage::Caption::new(classifier, captioner, args))
}

/// How an endpoint is asked; none without its URL.
fn endpoint(
    args: &Args,
    url: Option<&String>,
    model: Option<&String>,
    key: Option<&String>,
) -> Result<Option<EndpointOptions>> {
    let (Some(url), Some(model)) = (url, model) else {
        return Ok(None);
    };
    let api_key = match key.map(|name| (name, std::env::var(name))) {
        None => None,
        Some((_, Ok(key))) => Some(Secret::new(&key)),
        Some((name, Err(_))) => bail!("the environment variable {name} holds no key"),
    };
    Ok(Some(EndpointOptions {
        url: url.clone(),
        model: model.clone(),
        api_key,
        seed: args.own.seed,
        max_tokens: args.own.max_tokens,
        timeout: Duration::from_secs(args.timeout),
        retries: args.retries,
        backoff: Duration::from_millis(args.retry_wait),
    }))
}
