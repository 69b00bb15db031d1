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

mod train {
    realsyn_behaviour::behaves!(fold, super::TRAIN);
}

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

#[test]
fn sentences_in_disorder_are_rejected_and_nothing_else() {
    let scene = scene();
    let input = records(&[
        "The heron waits at the edge of the mill.",
        "pond the of edge the at waits heron the .",
    ]) + "{\"schema\":\"note/1\",\"text\":\"as it is\"}\n{\"schema\":\"sentence/1\",\"id\":\"d/s9\"}\n";
    scene.write("new.jsonl", input.as_bytes());
    let finished = scene.bare(&[
        "--model",
        "a.ngram",
        "--min-perplexity",
        "1.5",
        "--max-perplexity",
        "12",
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
    let rejects = String::from_utf8(scene.read("rejects.jsonl")).unwrap();
    let codes: Vec<String> = rejects
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["code"].to_string())
        .collect();
    assert_eq!(codes, [r#""perplexity-high""#, r#""missing-field""#]);
}

#[test]
fn the_order_of_records_changes_no_byte_of_the_model() {
    let scene = scene();
    let mut reversed = SENTENCES;
    reversed.reverse();
    scene.write("reversed.jsonl", records(&reversed).as_bytes());
    let _ = scene
        .bare(&["--train", "b.ngram", "-j", "3", "reversed.jsonl"])
        .expect(&[0]);
    assert_eq!(scene.read("a.ngram"), scene.read("b.ngram"));
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
