//! rs-embed: adds embeddings to images, sentences and pairs.

mod page;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use realsyn_cli::{Common, Outcome};
use realsyn_infer::{EngineChoice, EngineOptions, Model};
use realsyn_picture::Limits;
use serde::Serialize;

/// Add embeddings to images and sentences, with the image and text towers of an ONNX model
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    common: Common,

    /// The model's folder, in the layout of Hugging Face's ONNX exports
    #[arg(long, value_name = "DIR")]
    model: PathBuf,

    /// What runs the model; auto is ort where the environment (`ORT_DYLIB_PATH`), the model's folder
    /// (`lib/libonnxruntime.so`) or the system's folders hold a usable library
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    engine: Engine,

    /// The ONNX Runtime library to use
    #[arg(long, value_name = "FILE")]
    onnxruntime: Option<PathBuf>,

    #[command(flatten)]
    own: Own,
}

/// The flags that decide what is written.
#[derive(Debug, Clone, clap::Args, Serialize)]
struct Own {
    /// Embed records of this kind alone; others pass through [default: images, sentences and pairs]
    #[arg(long, value_enum)]
    kind: Option<Chosen>,

    /// Replace embeddings of other models in place of ending the run
    #[arg(long)]
    replace: bool,

    /// Reject pictures with more pixels
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_pixels)]
    max_pixels: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Auto,
    /// ONNX Runtime, from a library
    Ort,
    /// The embedded engine
    Rten,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
enum Chosen {
    Image,
    Sentence,
    Pair,
}

fn main() -> ExitCode {
    realsyn_cli::main(&page::PAGE, |args: Args| run(&args))
}

fn run(args: &Args) -> Result<Outcome> {
    let options = EngineOptions {
        choice: match args.engine {
            Engine::Auto => EngineChoice::Auto,
            Engine::Ort => EngineChoice::Ort,
            Engine::Rten => EngineChoice::Rten,
        },
        library: args.onnxruntime.clone(),
        environment: std::env::var_os("ORT_DYLIB_PATH")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
    };
    let model = Model::open(&args.model, &options).context("--model")?;
    let settings = (&args.own, model.id(), model.engine());
    let run = args.common.start(&page::PAGE, &settings)?;
    realsyn_pipe::map(run, &stage::Embed::new(model, &args.own))
}
