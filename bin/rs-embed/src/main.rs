//! rs-embed: adds embeddings to images, sentences and pairs.

mod page;
mod sidecar;
mod stage;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use realsyn_cli::{Common, Outcome};
use realsyn_hub as hub;
use realsyn_infer::{Device, EngineChoice, EngineOptions, Model, is_model_file};
use realsyn_picture::Limits;
use serde::Serialize;

use crate::sidecar::Sidecar;

/// Add embeddings to images and sentences, with the image and text towers of an ONNX model
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    common: Common,

    /// The model's folder, in the layout of Hugging Face's ONNX exports; or hf:OWNER/NAME, or hf:OWNER/NAME@REVISION, to
    /// take one from the hub
    #[arg(long, value_name = "DIR")]
    model: PathBuf,

    /// Use the weights of this name where a model has several: fp16 for `onnx/vision_model_fp16.onnx`
    #[arg(long, value_name = "NAME")]
    weights: Option<String>,

    /// Write the embeddings as rows of FILE, a matrix in half precision, and into the records the numbers of their rows
    #[arg(long, value_name = "FILE.npy")]
    emb_out: Option<PathBuf>,

    /// What runs the model; auto is ort where the environment (`ORT_DYLIB_PATH`), the model's folder
    /// (`lib/libonnxruntime.so`) or the system's folders hold a usable library
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    engine: Engine,

    /// What ONNX Runtime computes on; with cuda the library must be one that has the CUDA provider
    #[arg(long, value_enum, default_value_t = On::Cpu)]
    device: On,

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum On {
    Cpu,
    Cuda,
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
        device: match args.device {
            On::Cpu => Device::Cpu,
            On::Cuda => Device::Cuda,
        },
        library: args.onnxruntime.clone(),
        environment: std::env::var_os("ORT_DYLIB_PATH")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
        weights: args.weights.clone(),
    };
    let (dir, unasked) = directory(args).context("--model")?;
    let model = Model::open(&dir, &options).context("--model")?;
    let emb_out = args.emb_out.as_deref();
    let settings = (&args.own, model.id(), model.engine(), emb_out);
    let mut run = args.common.start(&page::PAGE, &settings)?;
    if let Some(why) = unasked {
        run.tell(&format!("--model: as the cache has it ({why})"));
    }
    let dim = model.dim();
    let stage = stage::Embed::new(model, &args.own);
    // A resumed run that had ended has its matrix too.
    let Some(path) = emb_out.filter(|_| !run.operands().is_empty()) else {
        return realsyn_pipe::map(run, &stage);
    };
    let (force, resume) = (args.common.force, args.common.resume);
    let mut sidecar = Sidecar::new(path, force, resume, &mut run, dim)?;
    realsyn_pipe::map_through(run, &stage, &mut sidecar)
}

/// The model's folder; for one of the hub's also why the hub was not asked for its newest state.
fn directory(args: &Args) -> Result<(PathBuf, Option<String>)> {
    let Some(name) = args.model.to_str().filter(|name| hub::Name::is_meant(name)) else {
        return Ok((args.model.clone(), None));
    };
    let weights = args.weights.as_deref();
    let shows_progress = !args.common.quiet && std::io::stderr().is_terminal();
    let fetched = hub::fetch(
        &name.parse()?,
        |file| is_model_file(file, weights),
        shows_progress,
    )?;
    Ok((fetched.dir, fetched.unasked))
}
