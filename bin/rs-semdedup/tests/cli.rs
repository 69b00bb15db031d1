//! rs-semdedup on the command line.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use realsyn_behaviour::fixtures::{embedded_records, image_records, sentence_records};
use realsyn_behaviour::{Case, Scene};
use serde_json::Value;

/// 8 images and 12 sentences in 4 groups of near copies each; the groups come in turn.
fn input(dir: &Path) -> String {
    embedded_records(&image_records(dir, 8), 4) + &embedded_records(&sentence_records(2), 4)
}

const CASE: Case = Case {
    name: "rs-semdedup",
    program: env!("CARGO_BIN_EXE_rs-semdedup"),
    arguments: |_| Vec::new(),
    input,
    status: &[0],
};

fn scene() -> Scene {
    let scene = CASE.scene();
    scene.write("in.jsonl", scene.input.as_bytes());
    scene
}

fn value(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

fn text(scene: &Scene, name: &str) -> String {
    String::from_utf8(scene.read(name)).unwrap()
}

/// The id of each record and of the one that it is a duplicate of.
fn marks(lines: &[String]) -> BTreeMap<String, Option<String>> {
    lines
        .iter()
        .map(|line| {
            let record = value(line);
            let dup_of = record["dup_of"].as_str().map(str::to_owned);
            (record["id"].as_str().unwrap().to_owned(), dup_of)
        })
        .collect()
}

/// `count` sentences in a ring of directions, `step` degrees from one to the next.
fn ring(ids: &[&str], step: f64, more: &str) -> String {
    let mut lines = String::new();
    for (n, id) in (0u32..).zip(ids) {
        let (sin, cos) = (f64::from(n) * step).to_radians().sin_cos();
        #[expect(clippy::cast_possible_truncation, reason = "single precision")]
        let emb = realsyn_record::Embedding::to_json("b3:0", &[cos as f32, sin as f32]);
        writeln!(
            lines,
            r#"{{"schema":"sentence/1","id":"{id}","text":"{}"{},"emb":{emb}}}"#,
            "x".repeat(n as usize + 1),
            more.replace('N', &n.to_string())
        )
        .unwrap();
    }
    lines
}

#[test]
fn near_copies_are_dropped_in_favour_of_one_and_kinds_are_apart() {
    let scene = scene();
    let kept = scene
        .bare(&["--rejects", "r.jsonl", "--report", "f.jsonl", "in.jsonl"])
        .expect(&[0])
        .lines();
    // Image n and sentence n have nearly the same embedding, and still one of each group of each kind stays.
    assert_eq!(kept.len(), 8);
    let input: Vec<&str> = scene.input.lines().collect();
    assert!(kept.iter().all(|line| input.contains(&line.as_str())));
    let rejects = text(&scene, "r.jsonl");
    assert_eq!(
        rejects
            .matches(r#""code":"semantic-duplicate-image""#)
            .count(),
        4
    );
    assert_eq!(
        rejects
            .matches(r#""code":"semantic-duplicate-sentence""#)
            .count(),
        8
    );
    let ids = marks(&kept);
    for reject in rejects.lines().map(value) {
        assert!(
            ids.contains_key(reject["dup_of"].as_str().unwrap()),
            "{reject}"
        );
    }
    let funnel: Vec<Value> = text(&scene, "f.jsonl").lines().map(value).collect();
    assert_eq!(funnel[0]["kind"], "image");
    assert_eq!(
        (&funnel[0]["seen"], &funnel[0]["kept"]),
        (&8.into(), &4.into())
    );
    assert_eq!(
        (&funnel[1]["sets"], &funnel[1]["largest_set"]),
        (&4.into(), &3.into())
    );
    assert_eq!(
        (&funnel[1]["recall"], &funnel[1]["distance"]),
        (&1.0.into(), &0.1.into())
    );
}

#[test]
fn marks_say_what_would_be_dropped_and_old_marks_go() {
    let scene = scene();
    let dropped = scene.bare(&["in.jsonl"]).expect(&[0]).lines();
    let marked = scene.bare(&["--mark", "in.jsonl"]).expect(&[0]).lines();
    assert_eq!(marked.len(), 20);
    let kept: Vec<&String> = marked
        .iter()
        .filter(|line| !line.contains("dup_of"))
        .collect();
    assert_eq!(kept, dropped.iter().collect::<Vec<_>>());
    scene.write("marked.jsonl", marked.join("\n").as_bytes());
    let again = scene
        .bare(&["--mark", "--distance", "1e-6", "marked.jsonl"])
        .expect(&[0])
        .lines();
    assert_eq!(again.join("\n") + "\n", scene.input);
    let images = scene
        .bare(&["--mark", "--kind", "image", "in.jsonl"])
        .expect(&[0])
        .lines();
    assert_eq!(
        images[8..].join("\n"),
        scene.input.lines().skip(8).collect::<Vec<_>>().join("\n")
    );
    assert_eq!(images[..8], marked[..8]);
}

#[test]
fn which_one_stays_is_for_the_user_to_say() {
    let scene = scene();
    // A chain of four: e, d, c and b, 20 degrees apart, and far away a.
    scene.write(
        "chain.jsonl",
        ring(&["e", "d", "c", "b"], 20.0, r#","good":N"#).as_bytes(),
    );
    let kept = |arguments: &[&str]| {
        let lines = scene
            .bare(&[arguments, &["chain.jsonl"]].concat())
            .expect(&[0])
            .lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        value(&lines[0])["id"].as_str().unwrap().to_owned()
    };
    // The two in the middle are equally near to the centroid: the smaller id stays.
    assert_eq!(kept(&[]), "c");
    assert_eq!(kept(&["--keep", "first"]), "b");
    assert_eq!(kept(&["--keep", "largest"]), "b");
    assert_eq!(kept(&["--keep", "quality", "--quality-field", "good"]), "b");
    scene.write(
        "chain.jsonl",
        ring(&["e", "d", "c", "b"], 20.0, r#","good":-N"#).as_bytes(),
    );
    assert_eq!(kept(&["--keep", "quality", "--quality-field", "good"]), "e");
    let none = scene
        .bare(&["--keep", "quality", "--quality-field", "bad", "chain.jsonl"])
        .expect(&[1]);
    assert!(
        none.out.is_empty() && none.err.contains("missing-field"),
        "{}",
        none.err
    );
    let largest = scene
        .bare(&["--keep", "largest", "--kind", "image", "in.jsonl"])
        .expect(&[0]);
    assert_eq!(largest.lines().len(), 4 + 12);
}

#[test]
fn neither_order_nor_threads_nor_clusters_decide() {
    let scene = scene();
    let one = marks(&scene.bare(&["--mark", "in.jsonl"]).expect(&[0]).lines());
    let reversed: Vec<&str> = scene.input.lines().rev().collect();
    scene.write("reversed.jsonl", reversed.join("\n").as_bytes());
    for arguments in [
        &["-j", "1"][..],
        &["-j", "3", "--exact"],
        &["-j", "8", "--exact", "--clusters", "5"],
        &["--clusters", "3"],
    ] {
        let arguments = [arguments, &["--mark", "reversed.jsonl"]].concat();
        assert_eq!(
            marks(&scene.bare(&arguments).expect(&[0]).lines()),
            one,
            "{arguments:?}"
        );
    }
}

#[test]
fn parts_and_shards_come_to_the_same() {
    let scene = scene();
    let whole = scene.bare(&["in.jsonl"]).expect(&[0]).out;
    let merged = |files: &[String]| {
        let mut arguments = Vec::new();
        for file in files {
            arguments.extend(["--merge", file]);
        }
        arguments.extend(["--", "in.jsonl"]);
        scene.bare(&arguments).expect(&[0]).out
    };
    for of in [1, 3] {
        let files: Vec<String> = (1..=of)
            .map(|part| {
                let file = format!("part.{part}");
                let part = format!("--edges={part}/{of}");
                let edges = scene
                    .bare(&[&part, "--clusters", "4", "in.jsonl"])
                    .expect(&[0]);
                scene.write(&file, &edges.out);
                file
            })
            .collect();
        assert_eq!(merged(&files), whole);
    }
    // Four shards, cut anyhow; every pair of them in some run.
    let mut shards = vec![String::new(); 4];
    for (n, line) in scene.input.lines().enumerate() {
        let shard = &mut shards[n * 7 % 4];
        shard.push_str(line);
        shard.push('\n');
    }
    let mut files = Vec::new();
    for one in 0..4 {
        for other in 0..one {
            scene.write(
                "two.jsonl",
                (shards[one].clone() + &shards[other]).as_bytes(),
            );
            let file = format!("edges.{one}.{other}");
            let edges = scene
                .bare(&["--edges", "--exact", "two.jsonl"])
                .expect(&[0]);
            scene.write(&file, &edges.out);
            files.push(file);
        }
    }
    assert_eq!(merged(&files), whole);
    let line = text(&scene, &files[0]);
    assert!(
        line.starts_with(
            r#"{"schema":"edge/1","kind":"image","by":"embedding","distance":0.1,"a":"d"#
        ),
        "{line}"
    );
    // Nothing known joins nothing; strangers are told.
    scene.write("none", b"");
    assert_eq!(merged(&["none".to_owned()]), scene.input.as_bytes());
    scene.write(
        "strange",
        br#"{"schema":"edge/1","kind":"image","by":"embedding","distance":0.1,"a":"x","b":"y"}"#,
    );
    let strange = scene
        .bare(&["--merge", "strange", "--", "in.jsonl"])
        .expect(&[0]);
    assert!(
        strange
            .err
            .contains("1 edges name a record that is not there"),
        "{}",
        strange.err
    );
}

#[test]
fn a_percentile_shows_what_each_distance_drops_and_takes_one() {
    let scene = scene();
    let run = scene
        .bare(&["--percentile", "50", "--report", "f.jsonl", "in.jsonl"])
        .expect(&[0]);
    assert!(
        run.err.contains("records that would be dropped") && run.err.contains("<- taken"),
        "{}",
        run.err
    );
    let funnel: Vec<Value> = text(&scene, "f.jsonl").lines().map(value).collect();
    // Half of the 8 images are copies; of the sentences two thirds are, which is too much.
    assert_eq!(funnel[0]["kept"], 4);
    assert!(funnel[1]["kept"].as_u64().unwrap() >= 6);
    let table = funnel[0]["distances"].as_array().unwrap();
    assert_eq!(table.last().unwrap(), &serde_json::json!([0.3, 8, 4]));
    assert_eq!(table[0], serde_json::json!([0.001, 0, 0]));
    let share = |row: &Value| row[2].as_u64().unwrap();
    assert!(table.windows(2).all(|two| share(&two[0]) <= share(&two[1])));
}

#[test]
fn the_rows_of_a_matrix_are_compared_like_records() {
    let scene = scene();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00\x76\x00");
    bytes.extend_from_slice(
        format!(
            "{:<117}\n",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }"
        )
        .as_bytes(),
    );
    for x in [1.0f32, 0.0, 0.0, 1.0, 1.0, 0.1, 0.1, 1.0] {
        bytes.extend_from_slice(&x.to_le_bytes());
    }
    scene.write("v.npy", &bytes);
    let kept = scene
        .bare(&[
            "--vectors",
            "v.npy",
            "--rejects",
            "r.jsonl",
            "--report",
            "f.jsonl",
        ])
        .expect(&[0])
        .lines();
    assert_eq!(
        kept,
        [
            r#"{"schema":"row/1","row":0}"#,
            r#"{"schema":"row/1","row":1}"#
        ]
    );
    let rejects = text(&scene, "r.jsonl");
    assert!(
        rejects.contains(r#""dup_of":"0","file":"v.npy","record":{"schema":"row/1","row":2}"#),
        "{rejects}"
    );
    assert!(
        text(&scene, "f.jsonl")
            .contains(r#""kind":"row","seen":4,"kept":2,"dropped":{"semantic-duplicate-row":2}"#)
    );
    let marked = scene
        .bare(&["--vectors", "v.npy", "--mark"])
        .expect(&[0])
        .lines();
    assert_eq!(marked[3], r#"{"schema":"row/1","row":3,"dup_of":1}"#);
    let edges = scene.bare(&["--vectors", "v.npy", "--edges"]).expect(&[0]);
    assert_eq!(
        edges.lines()[1],
        r#"{"schema":"edge/1","kind":"row","by":"embedding","distance":0.1,"a":"1","b":"3"}"#
    );
    scene.write("edges", &edges.out);
    let merged = scene
        .bare(&["--vectors", "v.npy", "--mark", "--merge", "edges"])
        .expect(&[0])
        .lines();
    assert_eq!(merged, marked);
    let size = scene
        .bare(&["--vectors", "v.npy", "--keep", "largest"])
        .expect(&[2]);
    assert!(size.err.contains("no size"), "{}", size.err);
    // A row of zeros.
    let end = bytes.len() - 8;
    bytes[end..].fill(0);
    scene.write("zero.npy", &bytes);
    let zero = scene.bare(&["--vectors", "zero.npy"]).expect(&[2]);
    assert!(zero.err.contains("vector 3 is all zeros"), "{}", zero.err);
}

#[test]
fn what_cannot_be_used_is_rejected_or_ends_the_run() {
    let scene = scene();
    let bare = r#"{"schema":"image/1","id":"a/i0"}"#;
    let zero = ring(&["z"], 0.0, "")
        .replace("ADwAAA", "AAAAAA")
        .replace("b3:0\"", "b3:00112233445566778899aabbccddeeff\"");
    scene.write(
        "mixed.jsonl",
        format!("{bare}\n{zero}{}", scene.input).as_bytes(),
    );
    let mixed = scene
        .bare(&["--rejects", "r.jsonl", "mixed.jsonl"])
        .expect(&[1]);
    assert_eq!(mixed.lines().len(), 8);
    let rejects = text(&scene, "r.jsonl");
    assert!(
        rejects.contains(r#""code":"missing-emb""#) && rejects.contains(r#""code":"no-direction""#),
        "{rejects}"
    );
    let other = scene.input.replacen("b3:00112233", "b3:99112233", 1);
    scene.write("two.jsonl", format!("{}{other}", scene.input).as_bytes());
    let two = scene.bare(&["two.jsonl"]).expect(&[2]);
    assert!(
        two.err.contains("two.jsonl:21") && two.err.contains("two models"),
        "{}",
        two.err
    );
    let image = r#"{"schema":"image/1","id":"x","emb":{"model":"b3:00112233445566778899aabbccddeeff","dim":1,"f16":"ADw="}}"#;
    scene.write("dims.jsonl", format!("{}{image}\n", scene.input).as_bytes());
    let dims = scene.bare(&["dims.jsonl"]).expect(&[2]);
    assert!(
        dims.err.contains("dims.jsonl:21") && dims.err.contains("dimensions"),
        "{}",
        dims.err
    );
    let edges = scene
        .bare(&["--merge", "in.jsonl", "--", "in.jsonl"])
        .expect(&[2]);
    assert!(
        edges.err.contains("in.jsonl:1") && edges.err.contains("edge/1"),
        "{}",
        edges.err
    );
    let edge =
        r#"{"schema":"edge/1","kind":"image","by":"embedding","distance":0.1,"a":"x","b":"y"}"#;
    scene.write(
        "mixed",
        format!("{edge}\n{}\n", edge.replace("0.1", "0.2")).as_bytes(),
    );
    let mixed = scene
        .bare(&["--merge", "mixed", "--", "in.jsonl"])
        .expect(&[2]);
    assert!(
        mixed.err.contains("mixed:2: edges of two distances"),
        "{}",
        mixed.err
    );
    for wrong in [
        &["--distance", "0"][..],
        &["--distance", "1.5"],
        &["--percentile", "101"],
        &["--edges=3/2"],
        &["--edges", "--mark"],
        &["--keep", "quality"],
        &["--quality-field", "x"],
        &["--percentile", "5", "--distance", "0.1"],
    ] {
        let _ = scene.bare(&[wrong, &["in.jsonl"]].concat()).expect(&[2]);
    }
}
