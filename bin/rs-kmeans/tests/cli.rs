//! rs-kmeans on the command line.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::path::Path;

use realsyn_behaviour::fixtures::{embedded_records, sentence_records};
use realsyn_behaviour::{Case, Scene};
use realsyn_cluster::Centroids;

fn input(_: &Path) -> String {
    embedded_records(&sentence_records(12), 4)
}

fn arguments(_: &Path) -> Vec<String> {
    ["-k", "4", "--iterations", "5", "--out", "/dev/null"]
        .map(str::to_owned)
        .into()
}

const FIT: Case = Case {
    name: "rs-kmeans",
    program: env!("CARGO_BIN_EXE_rs-kmeans"),
    arguments,
    input,
    status: &[0],
};

mod fit {
    realsyn_behaviour::behaves!(fold, super::FIT);
}

fn scene() -> Scene {
    let scene = FIT.scene();
    scene.write("in.jsonl", scene.input.as_bytes());
    scene
}

fn cluster_of(line: &str) -> u64 {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["cluster"]
        .as_u64()
        .unwrap()
}

#[test]
fn planted_groups_are_found_and_assigned() {
    let scene = scene();
    let fit = [
        "-k", "4", "--seed", "3", "--init", "kmeans++", "--out", "c.npy", "in.jsonl",
    ];
    let metrics = scene.bare(&fit).expect(&[0]).lines();
    assert!(
        metrics[0].starts_with(r#"{"schema":"metric/1","stage":"rs-kmeans","iteration":1,"wcss":"#),
        "{metrics:?}"
    );
    assert!(
        metrics[0].contains(r#""moved":1.000000,"repaired":0}"#),
        "{metrics:?}"
    );
    assert!(
        metrics.last().unwrap().contains(r#""moved":0.000000"#),
        "{metrics:?}"
    );
    let assigned = scene
        .bare(&["--assign", "c.npy", "in.jsonl"])
        .expect(&[0])
        .lines();
    // The fixtures' groups come in turn.
    for (n, line) in assigned.iter().enumerate() {
        assert_eq!(cluster_of(line), cluster_of(&assigned[n % 4]), "{n}");
        let original = scene.input.lines().nth(n).unwrap();
        assert!(
            line.starts_with(original.strip_suffix('}').unwrap()),
            "other fields stay as they are"
        );
    }
    let mut clusters: Vec<u64> = assigned[..4].iter().map(|line| cluster_of(line)).collect();
    clusters.sort_unstable();
    assert_eq!(clusters, [0, 1, 2, 3]);
}

#[test]
fn the_order_of_records_changes_no_centroid() {
    let scene = scene();
    let reversed: Vec<&str> = scene.input.lines().rev().collect();
    scene.write("reversed.jsonl", reversed.join("\n").as_bytes());
    for (file, out, jobs) in [("in.jsonl", "a.npy", "1"), ("reversed.jsonl", "b.npy", "3")] {
        let _ = scene
            .bare(&["-k", "7", "-j", jobs, "--out", out, file])
            .expect(&[0]);
    }
    assert_eq!(scene.read("a.npy"), scene.read("b.npy"));
    assert_eq!(scene.read("a.npy.json"), scene.read("b.npy.json"));
}

#[test]
fn a_matrix_is_clustered_like_records() {
    let scene = scene();
    let _ = scene
        .bare(&["-k", "4", "--iterations", "1", "--out", "c.npy", "in.jsonl"])
        .expect(&[0]);
    // The centroids themselves are four rows that must come back.
    let _ = scene
        .bare(&["-k", "4", "--vectors", "c.npy", "--out", "d.npy"])
        .expect(&[0]);
    let (mut c, mut d) = (rows(&scene, "c.npy"), rows(&scene, "d.npy"));
    c.sort_by(|a, b| a.partial_cmp(b).unwrap());
    d.sort_by(|a, b| a.partial_cmp(b).unwrap());
    for (c, d) in c.iter().flatten().zip(d.iter().flatten()) {
        assert!((c - d).abs() < 1e-6);
    }
    let started = scene
        .bare(&["-k", "4", "--from", "c.npy", "--out", "e.npy", "in.jsonl"])
        .expect(&[0]);
    assert!(!started.out.is_empty());
}

#[test]
fn centroids_to_start_from_say_how_many_and_what_near_means() {
    let scene = scene();
    for (from, more, metric) in [
        (
            "c.npy",
            &["-k", "5", "--metric", "euclidean"][..],
            "euclidean",
        ),
        ("d.npy", &["--from", "c.npy"], "euclidean"),
        (
            "e.npy",
            &["--from", "c.npy", "--metric", "spherical"],
            "spherical",
        ),
    ] {
        let _ = scene
            .bare(&[&["-q", "--out", from, "in.jsonl"], more].concat())
            .expect(&[0]);
        let told = String::from_utf8(scene.read(&format!("{from}.json"))).unwrap();
        assert!(told.contains("\"k\":5") && told.contains(metric), "{told}");
    }
}

fn rows(scene: &Scene, name: &str) -> Vec<Vec<f32>> {
    let centroids = Centroids::load(&scene.path(name)).unwrap();
    centroids
        .values
        .chunks(centroids.dim)
        .map(<[f32]>::to_vec)
        .collect()
}

#[test]
fn what_does_not_fit_together_ends_the_run_with_its_place() {
    let scene = scene();
    let other_model = scene.input.replacen("b3:00112233", "b3:99112233", 1);
    scene.write(
        "two.jsonl",
        format!("{}{other_model}", scene.input).as_bytes(),
    );
    let count = scene.input.lines().count();
    let two = scene
        .bare(&["-k", "2", "--out", "c.npy", "two.jsonl"])
        .expect(&[2]);
    assert!(
        two.err.contains(&format!("two.jsonl:{}", count + 1)) && two.err.contains("two models"),
        "{}",
        two.err
    );
    let dims = format!(
        "{}{}\n",
        scene.input,
        r#"{"schema":"image/1","id":"x","emb":{"model":"b3:00112233445566778899aabbccddeeff","dim":1,"f16":"ADw="}}"#
    );
    scene.write("dims.jsonl", dims.as_bytes());
    let dims = scene
        .bare(&["-k", "2", "--out", "c.npy", "dims.jsonl"])
        .expect(&[2]);
    assert!(
        dims.err.contains(&format!("dims.jsonl:{}", count + 1)) && dims.err.contains("dimensions"),
        "{}",
        dims.err
    );
    assert!(!scene.path("c.npy").exists());
    let many = scene
        .bare(&["-k", "5000", "--out", "c.npy", "in.jsonl"])
        .expect(&[2]);
    assert!(
        many.err.contains("5000 clusters cannot be made of"),
        "{}",
        many.err
    );
    let _ = scene
        .bare(&["-k", "2", "--out", "c.npy", "in.jsonl"])
        .expect(&[0]);
    let again = scene
        .bare(&["-k", "2", "--out", "c.npy", "in.jsonl"])
        .expect(&[2]);
    assert!(again.err.contains("c.npy exists"), "{}", again.err);
    scene.write(
        "other.jsonl",
        other_model.lines().next().unwrap().as_bytes(),
    );
    let stranger = scene
        .bare(&["--assign", "c.npy", "other.jsonl"])
        .expect(&[2]);
    assert!(stranger.err.contains("b3:99112233"), "{}", stranger.err);
}

#[test]
fn records_without_an_embedding_are_rejected_or_passed_on() {
    let scene = scene();
    let bare = r#"{"schema":"image/1","id":"a/i0"}"#;
    scene.write("mixed.jsonl", format!("{bare}\n{}", scene.input).as_bytes());
    let fit = [
        "-k",
        "4",
        "--out",
        "c.npy",
        "--rejects",
        "r.jsonl",
        "--report",
        "f.jsonl",
        "mixed.jsonl",
    ];
    let _ = scene.bare(&fit).expect(&[1]);
    assert!(
        String::from_utf8(scene.read("r.jsonl"))
            .unwrap()
            .contains(r#""code":"missing-emb""#)
    );
    let funnel = String::from_utf8(scene.read("f.jsonl")).unwrap();
    let count = scene.input.lines().count();
    assert!(
        funnel.contains(&format!(
            r#""kind":"sentence","seen":{count},"kept":{count}"#
        )),
        "{funnel}"
    );
    let _ = scene
        .bare(&[
            "-k",
            "4",
            "-f",
            "--out",
            "c.npy",
            "--kind",
            "sentence",
            "mixed.jsonl",
        ])
        .expect(&[0]);
    let assigned = scene
        .bare(&["--assign", "c.npy", "mixed.jsonl"])
        .expect(&[0])
        .lines();
    assert_eq!(assigned[0], bare);
    let untouched = scene
        .bare(&["--assign", "c.npy", "--kind", "image", "mixed.jsonl"])
        .expect(&[0])
        .lines();
    assert_eq!(
        untouched.join("\n") + "\n",
        format!("{bare}\n{}", scene.input)
    );
}
