//! The command line of rs-sample: the behaviours of every tool, and sampling end to end.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use realsyn_behaviour::{Case, Scene, behaves, fixtures};

const CASE: Case = Case {
    name: "rs-sample",
    program: env!("CARGO_BIN_EXE_rs-sample"),
    arguments: |_| {
        ["--cap", "2", "--on", "text1", "--min-cos", "0.1"]
            .map(str::to_owned)
            .to_vec()
    },
    input: |dir| fixtures::pair_records(dir, 12),
    status: &[0],
};

behaves!(fold, CASE);

/// A case without arguments of its own, so that each test gives its own.
const BARE: Case = Case {
    arguments: |_| Vec::new(),
    ..CASE
};

/// Pairs 0 to n-1: cluster by a skewed rule, cosines in steps of a thousandth.
fn pairs(n: usize) -> String {
    let mut lines = String::new();
    for id in 0..n {
        let cluster = if id % 3 == 0 { 0 } else { id % 7 };
        let cos = f64::from(u32::try_from(id * 37 % 1000).unwrap()) / 1000.0;
        writeln!(
            lines,
            r#"{{"schema":"pair/1", "id":"d{id}/i0","cluster":{cluster},"texts":[{{"text":"a \"cluster\":9","cos":{cos}}},{{"cos":0.9}}],"emb":{{"dim":1}},"synthetic_cos":{}}}"#,
            1.0 - cos
        )
        .unwrap();
    }
    lines
}

fn value(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap()
}

fn clusters(lines: &[String]) -> BTreeMap<u64, u64> {
    let mut sizes = BTreeMap::new();
    for line in lines {
        *sizes
            .entry(value(line)["cluster"].as_u64().unwrap())
            .or_default() += 1;
    }
    sizes
}

#[test]
fn clusters_are_capped_and_the_order_is_kept() {
    let scene = BARE.scene();
    let input = pairs(300);
    let done = scene
        .run(
            &["--cap", "20", "--report", "f", "--rejects", "r"],
            input.as_bytes(),
        )
        .expect(&[0]);
    let kept = done.lines();
    let all: Vec<String> = input.lines().map(str::to_owned).collect();
    let before = clusters(&all);
    for (cluster, size) in clusters(&kept) {
        assert_eq!(size, before[&cluster].min(20));
    }
    // What stays is byte for byte a subsequence of the input.
    let mut rest = all.iter();
    assert!(kept.iter().all(|line| rest.any(|other| other == line)));
    let report = value(std::str::from_utf8(&scene.read("f")).unwrap());
    let sizes = &report["cluster_sizes"];
    let total = |curve: &serde_json::Value| -> u64 {
        curve
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step[0].as_u64().unwrap() * step[1].as_u64().unwrap())
            .sum()
    };
    assert_eq!(total(&sizes["before"]), 300);
    assert_eq!(total(&sizes["after"]), kept.len() as u64);
    assert_eq!(total(&sizes["random"]), kept.len() as u64);
    assert_eq!(sizes["after"][0][0], 20);
    assert_eq!(report["dropped"]["over-cap"], 300 - kept.len());
    let rejects = String::from_utf8(scene.read("r")).unwrap();
    assert_eq!(rejects.lines().count(), 300 - kept.len());
    assert!(
        rejects
            .lines()
            .all(|line| value(line)["code"] == "over-cap")
    );
}

#[test]
fn the_order_of_the_input_and_the_seed() {
    let scene = BARE.scene();
    let input = pairs(200);
    let ids = |out: Vec<String>| -> BTreeSet<String> {
        out.iter()
            .map(|line| value(line)["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let once = ids(scene
        .run(&["--cap", "5"], input.as_bytes())
        .expect(&[0])
        .lines());
    let mut backwards: Vec<&str> = input.lines().collect();
    backwards.reverse();
    let turned = ids(scene
        .run(&["--cap", "5"], (backwards.join("\n") + "\n").as_bytes())
        .expect(&[0])
        .lines());
    assert_eq!(once, turned);
    let other = ids(scene
        .run(&["--cap", "5", "--seed", "1"], input.as_bytes())
        .expect(&[0])
        .lines());
    assert_ne!(once, other);
    let more = ids(scene
        .run(&["--cap", "9"], input.as_bytes())
        .expect(&[0])
        .lines());
    assert!(once.is_subset(&more));
}

#[test]
fn bounds_on_either_text_as_cosines_or_percentiles() {
    let scene = BARE.scene();
    let input = pairs(100);
    let cosines = |out: Vec<String>, key: &str| -> Vec<f64> {
        let mut cosines: Vec<f64> = out
            .iter()
            .map(|line| value(line).pointer(key).unwrap().as_f64().unwrap())
            .collect();
        cosines.sort_by(f64::total_cmp);
        cosines
    };
    let mut all = cosines(input.lines().map(str::to_owned).collect(), "/texts/0/cos");
    let args = [
        "--on",
        "text1",
        "--min-cos",
        "0.37",
        "--max-cos",
        "0.74",
        "--report",
        "f",
    ];
    let done = scene.run(&args, input.as_bytes()).expect(&[0]);
    let expected: Vec<f64> = all
        .iter()
        .copied()
        .filter(|cos| (0.37..=0.74).contains(cos))
        .collect();
    assert!(expected.contains(&0.37) && expected.contains(&0.74));
    assert_eq!(cosines(done.lines(), "/texts/0/cos"), expected);
    let report = value(std::str::from_utf8(&scene.read("f")).unwrap());
    assert_eq!(
        (report["min_cos"].as_f64(), report["max_cos"].as_f64()),
        (Some(0.37), Some(0.74))
    );
    assert_eq!(report["on"], "text1");
    assert!(
        report["dropped"]["cos-below"].as_u64() > Some(0)
            && report["dropped"]["cos-above"].as_u64() > Some(0)
    );

    let args = [
        "--on",
        "text1",
        "--min-percentile",
        "7",
        "--max-percentile",
        "95",
    ];
    let done = scene.run(&args, input.as_bytes()).expect(&[0]);
    assert_eq!(
        cosines(done.lines(), "/texts/0/cos"),
        all.drain(6..95).collect::<Vec<_>>()
    );
    assert!(done.err.contains("bounds: min-cos 0."), "{}", done.err);

    let done = scene
        .run(&["--min-cos", "0.5"], input.as_bytes())
        .expect(&[0]);
    assert!(
        cosines(done.lines(), "/synthetic_cos")
            .iter()
            .all(|cos| *cos >= 0.5)
    );
}

#[test]
fn shards_cut_by_cluster_give_what_the_whole_gives() {
    let scene = BARE.scene();
    let input = pairs(400);
    let flags = [
        "--cap",
        "12",
        "--on",
        "text1",
        "--min-percentile",
        "5",
        "--max-percentile",
        "95",
    ];
    let whole: BTreeSet<String> = scene
        .run(&flags, input.as_bytes())
        .expect(&[0])
        .lines()
        .into_iter()
        .collect();
    let shards: Vec<String> = (0..3)
        .map(|shard| {
            input
                .lines()
                .filter(|line| value(line)["cluster"].as_u64().unwrap() % 3 == shard)
                .fold(String::new(), |mut lines, line| {
                    writeln!(lines, "{line}").unwrap();
                    lines
                })
        })
        .collect();
    let mut counts = Vec::new();
    for (n, shard) in shards.iter().enumerate() {
        let name = format!("{n}.counts");
        let done = scene
            .run(&["--on", "text1", "--count", &name], shard.as_bytes())
            .expect(&[0]);
        assert!(done.out.is_empty());
        counts.extend(scene.read(&name));
    }
    scene.write("all.counts", &counts);
    let mut parts = BTreeSet::new();
    for shard in &shards {
        let more: Vec<&str> = flags
            .iter()
            .copied()
            .chain(["--counts", "all.counts"])
            .collect();
        parts.extend(scene.run(&more, shard.as_bytes()).expect(&[0]).lines());
    }
    assert_eq!(parts, whole);
    assert!(whole.len() < 400 && !whole.is_empty());
}

#[test]
fn fields_are_stripped_and_other_bytes_kept() {
    let scene = BARE.scene();
    let input = pairs(3);
    let done = scene
        .run(
            &["--cap", "9", "--strip", "emb,cluster", "--strip", "absent"],
            input.as_bytes(),
        )
        .expect(&[0]);
    let out = done.lines();
    assert_eq!(out.len(), 3);
    for (line, original) in out.iter().zip(input.lines()) {
        let mut expected = value(original);
        let fields = expected.as_object_mut().unwrap();
        fields.remove("emb");
        fields.remove("cluster");
        assert_eq!(value(line), expected);
        assert!(line.starts_with(r#"{"schema":"pair/1", "id":"#), "{line}");
    }
}

#[test]
fn what_a_pair_lacks_is_said() {
    let scene = BARE.scene();
    let input = concat!(
        r#"{"schema":"pair/1","id":"a/i0","cluster":1}"#,
        "\n",
        r#"{"schema":"pair/1","id":"b/i0","synthetic_cos":0.5}"#,
        "\n",
        r#"{"schema":"pair/1","id":"c/i0","cluster":-1,"synthetic_cos":0.5}"#,
        "\n",
        r#"{"schema":"pair/1","id":"d/i0","cluster":1,"synthetic_cos":"0.5"}"#,
        "\n",
        r#"{"schema":"pair/1","cluster":1,"synthetic_cos":0.5}"#,
        "\n",
        r#"{"schema":"pair/1","id":"f/i0","cluster":1,"synthetic_cos":0.5}"#,
        "\n",
    );
    let done = scene
        .run(
            &["--cap", "1", "--min-cos", "0", "--rejects", "r"],
            input.as_bytes(),
        )
        .expect(&[1]);
    assert_eq!(done.lines(), [input.lines().last().unwrap()]);
    let codes: Vec<String> = String::from_utf8(scene.read("r"))
        .unwrap()
        .lines()
        .map(|line| value(line)["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        codes,
        [
            "missing-field",
            "missing-field",
            "bad-field",
            "bad-field",
            "missing-field"
        ]
    );
}

#[test]
fn flags_that_contradict_one_another_are_wrong_usage() {
    let scene: Scene = BARE.scene();
    for flags in [
        &[][..],
        &["--cap", "0"],
        &["--min-cos", "0.6", "--max-cos", "0.5"],
        &["--min-cos", "NaN"],
        &["--min-cos", "0.5", "--min-percentile", "5"],
        &["--max-percentile", "101"],
        &["--cap", "5", "--strip", "id"],
        &["--cap", "5", "--count", "c"],
        &["--cap", "5", "--counts", "no-such-file"],
    ] {
        let done = scene.run(flags, pairs(3).as_bytes()).expect(&[2]);
        assert!(done.out.is_empty(), "{flags:?}");
    }
    // A percentile may cross a cosine, which shows when all is read.
    let done = scene
        .run(
            &["--min-cos", "2", "--max-percentile", "50"],
            pairs(3).as_bytes(),
        )
        .expect(&[2]);
    assert!(
        done.err.contains("no pair") || done.err.contains("above"),
        "{}",
        done.err
    );
}
