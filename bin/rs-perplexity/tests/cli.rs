//! rs-perplexity on the command line.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::fmt::Write as _;

use realsyn_behaviour::{Case, Scene, fixtures};

const TRAIN: Case = Case {
    name: "rs-perplexity",
    program: env!("CARGO_BIN_EXE_rs-perplexity"),
    arguments: |_| ["--train", "/dev/null"].map(str::to_owned).into(),
    input: |_| fixtures::sentence_records(4),
    status: &[0],
};

const SENTENCES: [&str; 6] = [
    "The heron waits at the edge of the pond.",
    "The heron waits for a fish in the pond.",
    "A fish swims in the water of the pond.",
    "The miller looks at the water of the pond.",
    "A cart waits at the edge of the road.",
    "The miller waits for a cart at the mill.",
];

fn records(sentences: &[&str]) -> String {
    sentences
        .iter()
        .enumerate()
        .fold(String::new(), |mut all, (n, text)| {
            writeln!(
                all,
                r#"{{"schema":"sentence/1","id":"d/s{n}","doc":"d","text":"{text}"}}"#
            )
            .unwrap();
            all
        })
}

fn scene() -> Scene {
    let scene = TRAIN.scene();
    scene.write("in.jsonl", records(&SENTENCES).as_bytes());
    let said = scene
        .bare(&["--train", "a.ngram", "in.jsonl"])
        .expect(&[0])
        .lines();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0]
            .starts_with(r#"{"schema":"metric/1","stage":"rs-perplexity","sentences":6,"words":"#),
        "{said:?}"
    );
    scene
}

fn codes(scene: &Scene) -> Vec<String> {
    let rejects = String::from_utf8(scene.read("rejects.jsonl")).unwrap();
    let code = |line| {
        let reject: serde_json::Value = serde_json::from_str(line).unwrap();
        reject["code"].as_str().unwrap().to_owned()
    };
    rejects.lines().map(code).collect()
}

fn perplexities(lines: &[String]) -> Vec<f64> {
    let one = |line: &String| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["perplexity"].as_f64().unwrap()
    };
    lines.iter().map(one).collect()
}

#[test]
fn sentences_in_disorder_are_rejected_and_nothing_else() {
    let scene = scene();
    let input = records(&[
        "The heron waits at the edge of the mill.",
        "pond the of edge the at waits heron the .",
    ]) + "{\"schema\":\"note/1\",\"text\":\"as it is\"}\n{\"schema\":\"sentence/1\",\"id\":\"d/s9\"}\n";
    scene.write("new.jsonl", input.as_bytes());
    let all = scene.bare(&["--model", "a.ngram", "new.jsonl"]);
    let lines = all.expect(&[1]).lines();
    let [order, disorder] = [0, 1].map(|at| perplexities(&lines[at..=at])[0]);
    assert!(order * 1.5 < disorder, "{order} {disorder}");
    let finished = scene.bare(&[
        "--model",
        "a.ngram",
        "--min-perplexity",
        "1.5",
        "--max-perplexity",
        &f64::midpoint(order, disorder).to_string(),
        "--rejects",
        "rejects.jsonl",
        "new.jsonl",
    ]);
    let lines = finished.expect(&[1]).lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].contains("of the mill.\",\"perplexity\":"),
        "{lines:?}"
    );
    assert_eq!(lines[1], r#"{"schema":"note/1","text":"as it is"}"#);
    assert_eq!(codes(&scene), ["perplexity-high", "missing-field"]);
}

#[test]
fn percentiles_choose_bounds_that_do_the_same_again() {
    let scene = scene();
    scene.write("new.jsonl", fixtures::sentence_records(8).as_bytes());
    let common = [
        "--model",
        "a.ngram",
        "new.jsonl",
        "--rejects",
        "rejects.jsonl",
    ];
    let chosen = scene
        .bare(
            &[
                &common[..],
                &[
                    "--perplexity-percentiles",
                    "10,80",
                    "--report",
                    "report.jsonl",
                ],
            ]
            .concat(),
        )
        .expect(&[0]);
    let report: serde_json::Value = serde_json::from_slice(&scene.read("report.jsonl")).unwrap();
    let (min, max) = (&report["min_perplexity"], &report["max_perplexity"]);
    assert_eq!(report["calibrated_on"], report["seen"]);
    let told = format!("--min-perplexity {min} --max-perplexity {max}");
    assert!(chosen.err.contains(&told), "{} {told}", chosen.err);
    let found = codes(&scene);
    let seen = report["seen"].as_u64().unwrap();
    let low = found
        .iter()
        .filter(|code| *code == "perplexity-low")
        .count() as u64;
    let high = found.len() as u64 - low;
    assert!((seen / 20..=seen / 9).contains(&low), "{low} of {seen}");
    assert!((seen / 7..=seen / 4).contains(&high), "{high} of {seen}");
    // The map that any shard may run, with what was told.
    let (min, max) = (min.to_string(), max.to_string());
    let bounds = ["--min-perplexity", &min, "--max-perplexity", &max, "-f"];
    let again = scene.bare(&[&common[..], &bounds].concat()).expect(&[0]);
    assert_eq!(again.out, chosen.out);
    // A sample is drawn by id: neither the order nor the threads change it.
    let sample = |jobs: &str| {
        let some = [
            "--perplexity-percentiles",
            "10,80",
            "--sample",
            "5",
            "-f",
            "-j",
            jobs,
        ];
        scene.bare(&[&common[..], &some].concat()).expect(&[0])
    };
    let (one, three) = (sample("1"), sample("3"));
    assert!(one.err.contains("of 5 sentences"), "{}", one.err);
    assert_eq!(one.out, three.out);
}

#[test]
fn plain_text_is_learned_line_by_line() {
    let scene = scene();
    scene.write("in.txt", SENTENCES.join("\n").as_bytes());
    let _ = scene
        .bare(&["--train", "b.ngram", "--text", "in.txt"])
        .expect(&[0]);
    assert_eq!(scene.read("a.ngram"), scene.read("b.ngram"));
    let bad = [
        SENTENCES[0].as_bytes(),
        b"\nbad \xff\n\n",
        SENTENCES[1].as_bytes(),
        b"\n",
    ]
    .concat();
    scene.write("bad.txt", &bad);
    let finished = scene
        .bare(&[
            "--train",
            "c.ngram",
            "--text",
            "--rejects",
            "rejects.jsonl",
            "bad.txt",
        ])
        .expect(&[1]);
    assert!(
        finished.lines()[0].contains("\"sentences\":2,"),
        "{finished:?}"
    );
    assert_eq!(codes(&scene), ["bad-utf8"]);
    assert!(finished.err.contains("bad.txt:2"), "{}", finished.err);
}

#[test]
fn a_causal_model_is_a_folder() {
    let scene = scene();
    fixtures::causal_lm(&scene.path("gpt2"));
    let input = records(&["the heron waits for a fish .", "", "mill mill for for"]);
    scene.write("new.jsonl", input.as_bytes());
    let mut told = Vec::new();
    for more in [
        &["--batch", "1", "-j1"][..],
        &["--batch", "3"],
        &["--perplexity-percentiles", "0,100", "-f"],
    ] {
        let arguments = [
            "--model",
            "gpt2",
            "--engine",
            "rten",
            "new.jsonl",
            "--rejects",
            "rejects.jsonl",
            "-f",
        ];
        let more: Vec<&str> = more.iter().copied().filter(|flag| *flag != "-f").collect();
        let finished = scene.bare(&[&arguments[..], &more].concat()).expect(&[1]);
        assert_eq!(codes(&scene), ["no-perplexity"]);
        told.push(perplexities(&finished.lines()));
    }
    assert_eq!(told[0].len(), 2);
    assert!(told.iter().all(|all| *all == told[0]), "{told:?}");
}

#[test]
fn damaged_models_are_refused() {
    let scene = scene();
    let model = scene.read("a.ngram");
    scene.write("half.ngram", &model[..model.len() / 2]);
    let mut other = model.clone();
    other[8] = 9;
    scene.write("other.ngram", &other);
    for (name, message) in [
        ("half.ngram", "truncated"),
        ("other.ngram", "version 9"),
        ("none.ngram", "No such file"),
    ] {
        let finished = scene.bare(&["--model", name, "in.jsonl"]).expect(&[2]);
        assert!(
            finished.err.contains(name) && finished.err.contains(message),
            "{name}: {}",
            finished.err
        );
        assert!(finished.out.is_empty());
    }
}

#[test]
fn no_byte_of_the_model_depends_on_order_threads_or_memory() {
    let scene = scene();
    let mut reversed = SENTENCES;
    reversed.reverse();
    scene.write("reversed.jsonl", records(&reversed).as_bytes());
    for more in [["-j", "3"], ["--memory", "1000"]] {
        let train = ["--train", "b.ngram", "-f", "reversed.jsonl"];
        let _ = scene.bare(&[&train[..], &more].concat()).expect(&[0]);
        assert_eq!(scene.read("a.ngram"), scene.read("b.ngram"), "{more:?}");
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let scene = scene();
    let cases: [(&[&str], &str); 6] = [
        (&["--train", "a.ngram", "in.jsonl"], "a.ngram"),
        (
            &["--train", "c.ngram", "--order", "9", "in.jsonl"],
            "the order must be 2 to 5",
        ),
        (&["--train", "c.ngram", "/dev/null"], "no sentence"),
        (
            &["--model", "in.jsonl", "in.jsonl"],
            "in.jsonl: not an n-gram model",
        ),
        (
            &[
                "--model",
                "a.ngram",
                "--min-perplexity",
                "9",
                "--max-perplexity",
                "3",
                "in.jsonl",
            ],
            "is above",
        ),
        (
            &["--max-perplexity", "3", "--train", "c.ngram", "in.jsonl"],
            "cannot be used with",
        ),
    ];
    for (arguments, message) in cases {
        let finished = scene.bare(arguments);
        assert_eq!(finished.status, Some(2), "{arguments:?}");
        assert!(
            finished.err.contains(message),
            "{arguments:?}: {}",
            finished.err
        );
    }
    assert!(!scene.path("c.ngram").exists());
}
