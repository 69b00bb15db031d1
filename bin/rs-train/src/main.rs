//! `rs-train`: image-text pairs in, a CLIP checkpoint and its ONNX model directory out.

mod pairs;
mod setup;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use realsyn_cli::{Common, Example, Outcome, Page, Shape};
use realsyn_pipe::scan;
use realsyn_train::{Dataset, Home, Metric, Trainer};
use serde::Serialize;

use crate::setup::Settings;

const PAGE: Page = Page {
    name: "rs-train",
    shape: Shape::Fold,
    stdin: "pair records, each with a path or url of its picture. Records of other kinds are left out.",
    records: "Each epoch shows a pair with one of its texts, picked at random among the first --texts of `texts` and `synthetic`. Training is that of the paper: InfoNCE both ways with a learnable temperature from 0.07, AdamW, OneCycleLR. The output is one metric/1 record a step: step, epoch, loss, top1 (the share of the batch's pictures whose own text is the nearest), lr, logit_scale, samples (pairs seen so far).\n\nDIR becomes a model directory: open_clip_model.safetensors with OpenCLIP's tensor names and open_clip_config.json, and written from them onnx/, config.json, preprocessor_config.json and tokenizer.json, which rs-embed(1) runs. Beside them training_state.safetensors and training_metrics.jsonl hold what --resume goes on from.\n\nA pair without a text, or whose picture cannot be decoded, is rejected and training goes on with the others. The same pairs, settings and machine give the same bytes.",
    memory: "16 bytes a weight, the activations of one batch, two batches of pictures a thread, and each pair's id, path and texts.",
    parallel: "One run trains on all pairs; concatenate the shards. Training over many machines is open_clip's matter, which loads what this writes.",
    examples: &[
        Example {
            says: "A very small model, to see that all is in place",
            command: "rs-train --config ViT-micro-8-32 --batch-size 4 --steps 4 --out micro pairs.jsonl",
        },
        Example {
            says: "Go on after an interruption",
            command: "rs-train --config ViT-micro-8-32 --batch-size 4 --steps 4 --save-every 2 --out small -o metrics.jsonl --resume pairs.jsonl",
        },
    ],
    see_also: "rs-sample(1), rs-embed(1), rs-report(1); Radford et al. 2021, arXiv 2103.00020; RealSyn, arXiv 2502.12513",
};

/// Train a CLIP model on image-text pairs and write it as a checkpoint and as ONNX
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    settings: Settings,

    /// The model directory to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Write the model and what --resume needs after every N steps; 0: only at the end
    #[arg(long, value_name = "N", default_value_t = 1000)]
    save_every: u64,
}

/// A step's output line.
#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    stage: &'static str,
    #[serde(flatten)]
    metric: &'a Metric,
}

fn run(args: &Args) -> Result<Outcome> {
    let settings = &args.settings;
    let start = setup::start(settings)?;
    let mut run = args.common.start(&PAGE, &(settings, &args.out))?;
    if run.operands().is_empty() {
        // Resumed, and whole.
        return Ok(run.finish()?);
    }
    let stage = pairs::Pairs {
        pixels: &start.pixels,
        texts: settings.texts,
    };
    let mut samples = Vec::new();
    scan(&mut run, &stage, |sample| {
        samples.push(sample);
        Ok(())
    })?;
    let count = samples.len() as u64;
    let data = Dataset::new(samples, settings.seed, settings.batch_size)?;
    let mut sink = run.sink();
    let counts = sink.tally.of("pair");
    (counts.seen, counts.kept) = (count, count);
    run.accept(sink)?;

    let steps = settings
        .steps
        .unwrap_or(settings.epochs * data.steps_per_epoch());
    let mut trainer = Trainer::new(
        &start.checkpoint,
        setup::options(settings, steps),
        realsyn_train::cpu(),
    )?;
    drop(start.checkpoint);
    let identity = format!("{} pairs={}", start.identity, data.digest());
    let same = (args.common.resume, args.common.force);
    let (mut home, so_far) = Home::open(&args.out, &identity, &mut trainer, same)?;
    run.write(&so_far)?;
    let source = (&data, &start.pixels, &start.tokens);
    realsyn_train::run(
        &mut trainer,
        source,
        args.common.workers(),
        |trainer, metric, failures| {
            for failure in failures {
                run.tell(&format!(
                    "{}: {}: {}",
                    failure.id, failure.code, failure.message
                ));
            }
            let mut line = serde_json::to_vec(&Line {
                schema: "metric/1",
                stage: PAGE.name,
                metric,
            })?;
            line.push(b'\n');
            home.note(&line)?;
            run.write(&line)?;
            if args.save_every > 0
                && trainer.step().is_multiple_of(args.save_every)
                && trainer.step() < steps
            {
                home.save(trainer, &start.tokens)?;
            }
            anyhow::Ok(())
        },
    )?;
    home.save(&trainer, &start.tokens)?;
    Ok(run.finish()?)
}

fn main() -> ExitCode {
    realsyn_cli::main(&PAGE, |args: Args| run(&args))
}
