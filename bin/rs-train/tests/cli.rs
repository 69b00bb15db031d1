//! The command line of rs-train: the behaviours of every tool, and what a run must bring about.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "the helpers of these tests assert"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use realsyn_behaviour::{Case, Finished, Scene, behaves, fixtures};
use realsyn_checkpoint::{Checkpoint, Config, read_safetensors, tokenizer};
use serde_json::Value;

const CASE: Case = Case {
    name: "rs-train",
    program: env!("CARGO_BIN_EXE_rs-train"),
    arguments,
    input: |dir| fixtures::pair_records(dir, 12),
    status: &[0],
};

behaves!(fold, CASE);

/// A tiny model, so that a run takes a fraction of a second.
fn arguments(dir: &Path) -> Vec<String> {
    call(dir, "model", "3")
}

fn call(dir: &Path, out: &str, steps: &str) -> Vec<String> {
    let config = dir.join("config.json");
    fs::write(&config, serde_json::to_string(&Config::tiny()).unwrap()).unwrap();
    let config = config.to_str().unwrap();
    [
        "--config",
        config,
        "--out",
        out,
        "--batch-size",
        "4",
        "--steps",
        steps,
        "--lr",
        "3e-3",
    ]
    .map(str::to_owned)
    .into()
}

/// What a run of so many steps over the case's pairs gives.
fn train(scene: &Scene, out: &str, steps: &str, more: &[&str]) -> Finished {
    let mut arguments = call(scene.dir.path(), out, steps);
    arguments.extend(more.iter().map(|&argument| argument.to_owned()));
    realsyn_behaviour::run(
        scene.program(),
        &arguments,
        scene.dir.path(),
        scene.input.as_bytes(),
    )
}

fn number(metric: &Value, key: &str) -> f64 {
    metric[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} in {metric}"))
}

/// Every file of a model directory.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let folders = [dir.to_owned(), dir.join("onnx")];
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let paths = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    paths
        .map(|path| {
            (
                path.strip_prefix(dir).unwrap().to_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_loss_falls_and_every_step_is_a_metric() {
    let scene = CASE.scene();
    let finished = train(&scene, "model", "60", &[]).expect(&[0]);
    let metrics: Vec<Value> = finished
        .lines()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(metrics.len(), 60);
    for (at, metric) in metrics.iter().enumerate() {
        assert_eq!(
            (metric["schema"].as_str(), metric["stage"].as_str()),
            (Some("metric/1"), Some("rs-train"))
        );
        assert!((number(metric, "step") - (at + 1) as f64).abs() < 1e-9);
        assert!((number(metric, "samples") - 4.0 * (at + 1) as f64).abs() < 1e-9);
        assert!((number(metric, "epoch") - (at / 3) as f64).abs() < 1e-9);
    }
    let mean =
        |part: &[Value]| part.iter().map(|m| number(m, "loss")).sum::<f64>() / part.len() as f64;
    let (first, last) = (mean(&metrics[..6]), mean(&metrics[54..]));
    assert!(last < 0.8 * first, "from {first} to {last}");
    let rates: Vec<f64> = metrics.iter().map(|m| number(m, "lr")).collect();
    assert!(
        (rates[0] - 3e-3 / 25.0).abs() < 1e-12
            && (rates[5] - 3e-3).abs() < 1e-12
            && rates[59] < 1e-7
    );
}

#[test]
fn the_directory_holds_open_clips_checkpoint_and_both_towers() {
    let scene = CASE.scene();
    let _ = train(&scene, "model", "3", &[]).expect(&[0]);
    let model = Checkpoint::read_dir(&scene.path("model")).unwrap();
    assert_eq!(model.config(), &Config::tiny());
    let names = read_safetensors(&scene.path("model/open_clip_model.safetensors"))
        .unwrap()
        .0;
    for name in [
        "visual.conv1.weight",
        "transformer.resblocks.1.attn.in_proj_weight",
        "logit_scale",
        "text_projection",
    ] {
        assert!(names.contains_key(name), "{name}");
    }
    for file in [
        "onnx/vision_model.onnx",
        "onnx/text_model.onnx",
        "preprocessor_config.json",
        "config.json",
    ] {
        assert!(scene.path("model").join(file).is_file(), "{file}");
    }
    let ids =
        tokenizer::vocab_size(&String::from_utf8(scene.read("model/tokenizer.json")).unwrap());
    assert_eq!(ids.unwrap(), 514);
    let untrained = Checkpoint::random(&Config::tiny(), 0).unwrap();
    assert_ne!(model.tensors(), untrained.tensors());
}

#[test]
fn a_killed_run_goes_on_to_the_bytes_of_one_that_never_stopped() {
    let scene = CASE.scene();
    let clean = train(&scene, "clean", "40", &[]).expect(&[0]);
    let mut child = Command::new(scene.program())
        .args(call(scene.dir.path(), "model", "40"))
        .args(["-q", "--save-every", "1", "-o", "m.jsonl"])
        .current_dir(scene.dir.path())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(scene.input.as_bytes())
        .unwrap();
    let state = scene.path("model/training_state.safetensors");
    let patience = Instant::now() + Duration::from_mins(1);
    while !state.exists() {
        assert!(Instant::now() < patience, "no state was saved");
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        !scene.path("m.jsonl").exists(),
        "the run ended before it was killed"
    );

    let other = train(
        &scene,
        "model",
        "40",
        &["--resume", "-o", "m.jsonl", "--seed", "5"],
    )
    .expect(&[2]);
    assert!(other.err.contains("another run"), "{}", other.err);
    let _ = train(&scene, "model", "40", &["--resume", "-o", "m.jsonl"]).expect(&[0]);
    assert_eq!(
        String::from_utf8_lossy(&scene.read("m.jsonl")),
        String::from_utf8_lossy(&clean.out)
    );
    assert!(
        files(&scene.path("model")) == files(&scene.path("clean")),
        "the files differ"
    );
    let _ = train(&scene, "model", "40", &["--resume", "-o", "m.jsonl"]).expect(&[0]);
}

#[test]
fn another_runs_model_is_not_overwritten_unasked() {
    let scene = CASE.scene();
    let _ = train(&scene, "model", "2", &[]).expect(&[0]);
    let before = files(&scene.path("model"));
    let refused = train(&scene, "model", "2", &["--seed", "1"]).expect(&[2]);
    assert!(
        refused.err.contains("another run") && refused.out.is_empty(),
        "{refused:?}"
    );
    assert!(files(&scene.path("model")) == before);
    let _ = train(&scene, "model", "2", &["--seed", "1", "--force"]).expect(&[0]);
    assert!(files(&scene.path("model")) != before);
}

#[test]
fn pairs_without_a_picture_or_a_text_are_rejected_and_the_others_train() {
    let scene = CASE.scene();
    fs::write(scene.path("cut.jpg"), b"\xff\xd8\xff\xe0 and no more").unwrap();
    let bad = r#"{"schema":"pair/1","id":"x/i0","path":"gone.jpg","texts":[{"id":"x/s0","text":"gone","cos":0.5}]}
{"schema":"pair/1","id":"x/i1","path":"cut.jpg","texts":[],"synthetic":"cut short"}
{"schema":"pair/1","id":"x/i2","path":"pictures/0.jpg","texts":[]}
{"schema":"image/1","id":"x/i3","path":"gone.jpg"}
"#;
    let clean = scene.run(&[], scene.input.as_bytes()).expect(&[0]);
    let input = format!("{bad}{}", scene.input);
    let finished = scene
        .run(&["--rejects", "r.jsonl"], input.as_bytes())
        .expect(&[1]);
    assert_eq!(finished.out, clean.out);
    let rejects = String::from_utf8(scene.read("r.jsonl")).unwrap();
    let codes: Vec<_> = rejects
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["code"].clone())
        .collect();
    assert_eq!(codes.len(), 3, "{rejects}");
    assert_eq!(
        (codes[0].as_str(), codes[2].as_str()),
        (Some("unreadable"), Some("no-text"))
    );
}

#[test]
fn too_few_pairs_are_an_error_in_words() {
    let scene = CASE.scene();
    let few = scene
        .run(&["-q"], scene.input.lines().next().unwrap().as_bytes())
        .expect(&[2]);
    assert!(few.err.contains("--batch-size"), "{}", few.err);
}
