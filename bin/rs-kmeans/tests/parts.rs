//! Runs in parts: shards, samples, and runs that were killed.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use realsyn_behaviour::fixtures::{embedded_records, sentence_records};
use realsyn_behaviour::{Case, Scene, sh};
use realsyn_record::uniform;
use realsyn_vector::npy::{Element, Writer};

const CASE: Case = Case {
    name: "rs-kmeans",
    program: env!("CARGO_BIN_EXE_rs-kmeans"),
    arguments: |_| Vec::new(),
    input: |_| embedded_records(&sentence_records(40), 9),
    status: &[0],
};

fn scene() -> Scene {
    let scene = CASE.scene();
    scene.write("in.jsonl", scene.input.as_bytes());
    scene
}

/// A matrix of numbers between −1 and 1.
fn matrix(path: &Path, rows: usize, dim: usize, element: Element) {
    #[expect(clippy::cast_possible_truncation, reason = "a test")]
    let number = |i: usize| uniform(3, &i.to_string()) as f32 * 2.0 - 1.0;
    let values: Vec<f32> = (0..rows * dim).map(number).collect();
    let out = BufWriter::new(File::create(path).unwrap());
    let mut writer = Writer::new(out, dim, element).unwrap();
    writer.push(&values).unwrap();
    writer.finish().unwrap();
}

/// The shards' part of an iteration, all at once with GNU parallel where it is installed, else one after another.
fn for_each(scene: &Scene, command: &str, shards: &[&str]) {
    let bin = Path::new(env!("CARGO_BIN_EXE_rs-kmeans")).parent().unwrap();
    let shards = shards.join(" ");
    let each = command.replace("{}", "$shard");
    let line = format!(
        "if parallel --version > /dev/null 2>&1; then parallel --halt now,fail=1 '{command}' ::: {shards};\n\
         else for shard in {shards}; do {each} || exit 2; done; fi"
    );
    let _ = sh(&line, scene.dir.path(), bin).expect(&[0]);
}

#[test]
fn four_shards_make_the_bytes_of_one_machine() {
    let scene = scene();
    let lines: Vec<&str> = scene.input.lines().collect();
    let names = ["a", "b", "c", "d"];
    for (name, lines) in names.iter().zip(lines.chunks(lines.len().div_ceil(4))) {
        scene.write(name, lines.join("\n").as_bytes());
    }
    for metric in ["spherical", "euclidean"] {
        let whole = [
            "-f",
            "-k",
            "12",
            "--metric",
            metric,
            "--iterations",
            "3",
            "--out",
            "whole.npy",
            "in.jsonl",
        ];
        let told = scene.bare(&whole).expect(&[0]).lines();
        let seeds = format!("rs-kmeans -q -f -k 12 --metric {metric} --partial {{}}.part {{}}");
        for_each(&scene, &seeds, &names);
        let parts = ["c.part", "a.part", "d.part", "b.part"];
        let _ = scene
            .bare(&[&["-q", "-f", "--merge", "--out", "c0.npy"], &parts[..]].concat())
            .expect(&[0]);
        for (step, told) in told.iter().enumerate() {
            let (from, to) = (format!("c{step}.npy"), format!("c{}.npy", step + 1));
            for_each(
                &scene,
                &format!("rs-kmeans -q -f --from {from} --partial {{}}.part {{}}"),
                &names,
            );
            let merge = ["-q", "-f", "--merge", "--from", &from, "--out", &to];
            let merged = scene
                .bare(&[&merge, &parts[..]].concat())
                .expect(&[0])
                .lines();
            let wcss = |line: &str| {
                line.split("\"wcss\":")
                    .nth(1)
                    .unwrap()
                    .split(',')
                    .next()
                    .unwrap()
                    .to_owned()
            };
            assert_eq!(wcss(&merged[0]), wcss(told));
            assert!(
                merged[0].contains(&format!("\"iteration\":{}", step + 1)),
                "{merged:?}"
            );
        }
        assert_eq!(scene.read("c3.npy"), scene.read("whole.npy"), "{metric}");
    }
    let assigned = scene
        .bare(&["--assign", "c3.npy", "in.jsonl"])
        .expect(&[0])
        .lines();
    assert_eq!(assigned.len(), lines.len());
}

#[test]
fn a_matrix_is_shared_by_its_rows() {
    let scene = scene();
    matrix(&scene.path("m.npy"), 900, 8, Element::F16);
    let whole = [
        "-q",
        "-k",
        "30",
        "--iterations",
        "1",
        "--vectors",
        "m.npy",
        "--out",
        "whole.npy",
    ];
    let _ = scene.bare(&whole).expect(&[0]);
    let spans = ["0..250", "250..251", "251..900"];
    for_each(
        &scene,
        "rs-kmeans -q -k 30 --vectors m.npy --rows {} --partial s{}",
        &spans,
    );
    let _ = scene
        .bare(&[
            "--merge",
            "--out",
            "c0.npy",
            "s0..250",
            "s250..251",
            "s251..900",
        ])
        .expect(&[0]);
    for_each(
        &scene,
        "rs-kmeans -q --from c0.npy --vectors m.npy --rows {} --partial p{}",
        &spans,
    );
    let merge = [
        "--merge",
        "--from",
        "c0.npy",
        "--out",
        "c1.npy",
        "p251..900",
        "p0..250",
        "p250..251",
    ];
    let _ = scene.bare(&merge).expect(&[0]);
    assert_eq!(scene.read("c1.npy"), scene.read("whole.npy"));

    let beyond = [
        "-k",
        "2",
        "--vectors",
        "m.npy",
        "--rows",
        "10..901",
        "--out",
        "x.npy",
    ];
    let beyond = scene.bare(&beyond).expect(&[2]);
    assert!(beyond.err.contains("m.npy has 900 rows"), "{}", beyond.err);
    let empty = [
        "-k",
        "2",
        "--vectors",
        "m.npy",
        "--rows",
        "10..10",
        "--out",
        "x.npy",
    ];
    assert!(scene.bare(&empty).expect(&[2]).err.contains("FIRST..LAST"));
    let twice = scene
        .bare(&["--merge", "--from", "c1.npy", "--out", "c2.npy", "p0..250"])
        .expect(&[2]);
    assert!(
        twice.err.contains("p0..250: was made with other centroids"),
        "{}",
        twice.err
    );
    let text = scene
        .bare(&["--merge", "--out", "c2.npy", "in.jsonl"])
        .expect(&[2]);
    assert!(
        text.err.contains("in.jsonl: not a file of rs-kmeans"),
        "{}",
        text.err
    );
    assert!(
        scene
            .bare(&["--merge", "--out", "c2.npy"])
            .expect(&[2])
            .err
            .contains("--partial")
    );
}

#[test]
fn a_sample_is_taken_only_when_asked_for_and_whatever_the_order() {
    let scene = scene();
    let mut lines: Vec<&str> = scene.input.lines().collect();
    lines.reverse();
    scene.write("reversed.jsonl", lines.join("\n").as_bytes());
    for (file, out) in [("in.jsonl", "a.npy"), ("reversed.jsonl", "b.npy")] {
        let _ = scene
            .bare(&["-q", "-k", "5", "--sample", "40", "--out", out, file])
            .expect(&[0]);
    }
    assert_eq!(scene.read("a.npy"), scene.read("b.npy"));
    let _ = scene
        .bare(&["-q", "-k", "5", "--out", "all.npy", "in.jsonl"])
        .expect(&[0]);
    assert_ne!(scene.read("a.npy"), scene.read("all.npy"));
    let more = [
        "-q", "-k", "5", "--sample", "1000000", "--out", "more.npy", "in.jsonl",
    ];
    let _ = scene.bare(&more).expect(&[0]);
    assert_eq!(scene.read("more.npy"), scene.read("all.npy"));
    let few = scene
        .bare(&["-k", "5", "--sample", "4", "--out", "x.npy", "in.jsonl"])
        .expect(&[2]);
    assert!(
        few.err.contains("5 clusters cannot be made of 4"),
        "{}",
        few.err
    );
}

#[test]
fn a_killed_run_goes_on_from_its_checkpoint() {
    let scene = scene();
    matrix(&scene.path("m.npy"), 6000, 24, Element::F32);
    let arguments = |more: &[&'static str]| {
        let fit = [
            "-q",
            "-k",
            "400",
            "--iterations",
            "40",
            "--vectors",
            "m.npy",
        ];
        [&fit, more].concat()
    };
    let clean = scene.bare(&arguments(&["--out", "clean.npy"])).expect(&[0]);
    let kept = arguments(&["--checkpoint", "k", "--out", "c.npy"]);
    let mut child = Command::new(CASE.program)
        .args(&kept)
        .current_dir(scene.dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_mins(1);
    while !scene.path("k").exists() {
        thread::sleep(Duration::from_millis(5));
        assert!(Instant::now() < patience, "no checkpoint");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let other = arguments(&["--checkpoint", "k", "--seed", "1", "-f", "--out", "c.npy"]);
    let other = scene.bare(&other).expect(&[2]);
    assert!(
        other.err.contains("k: of a run with other arguments"),
        "{}",
        other.err
    );
    let again = scene.bare(&[&kept[..], &["-f"]].concat()).expect(&[0]);
    assert_eq!(
        String::from_utf8(again.out).unwrap(),
        String::from_utf8(clean.out).unwrap()
    );
    assert_eq!(scene.read("c.npy"), scene.read("clean.npy"));
    scene.write("k", b"{");
    let torn = scene.bare(&[&kept[..], &["-f"]].concat()).expect(&[2]);
    assert!(
        torn.err.contains("k: not a file of rs-kmeans"),
        "{}",
        torn.err
    );
}
