//! The command line of rs-caption: the behaviours of every tool, and real HTTP against a server of the test's own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

mod server;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use realsyn_behaviour::{Case, Finished, Scene, behaves, fixtures};
use serde_json::{Value, json};
use server::{Seen, Server, Whim, said};

const CASE: Case = Case {
    name: "rs-caption",
    program: env!("CARGO_BIN_EXE_rs-caption"),
    arguments: |_| Vec::new(),
    input: |dir| fixtures::pair_records(dir, 12),
    status: &[0],
};

behaves!(map, CASE);

/// Pairs with tags and a caption each, so that only the synthetic text is lacking.
fn pairs(n: usize) -> String {
    let mut lines = String::new();
    for id in 0..n {
        writeln!(
            lines,
            r#"{{"schema":"pair/1", "id":"d{id}/i0","texts":[{{"text":"raw no {id}","cos":0.5}},{{"text":"second"}}],"tags":["dog","lake"],"caption":"a dog","synthetic_cos":0.3}}"#
        )
        .unwrap();
    }
    lines
}

/// The number of the pair that a merge prompt is about.
fn number(seen: &Seen) -> usize {
    let prompt = seen.body["messages"][0]["content"].as_str().unwrap();
    let (_, rest) = prompt.split_once("raw no ").unwrap();
    rest.split_once('>').unwrap().0.parse().unwrap()
}

/// Runs with `--llm-url`, quick retries and `more`.
fn merge(scene: &Scene, server: &Server, more: &[&str], input: &str) -> Finished {
    let mut args = vec![
        "--llm-url",
        &server.url,
        "--llm-model",
        "small",
        "--retry-wait",
        "1",
        "--rejects",
        "r",
        "-f",
    ];
    args.extend(more);
    scene.run(&args, input.as_bytes())
}

fn values(lines: &[String]) -> Vec<Value> {
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn codes(scene: &Scene) -> Vec<String> {
    let rejects = String::from_utf8(scene.read("r")).unwrap();
    rejects
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["code"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[test]
fn the_request_is_the_papers_prompt_and_the_answer_is_cleaned() {
    let scene = CASE.scene();
    let server = Server::start(|_, _| {
        Whim::Say("Here is the caption:\n\n\"A dog by\nthe lake.\"\n\nNote: tags kept.".into())
    });
    let done = merge(
        &scene,
        &server,
        &["--seed", "7", "--max-tokens", "99"],
        &pairs(1),
    )
    .expect(&[0]);
    let pair = &values(&done.lines())[0];
    assert_eq!(pair["synthetic"], "A dog by the lake.");
    // The cosine of another text would be a lie; everything else is there as it was.
    assert_eq!(pair.get("synthetic_cos"), None);
    assert_eq!(pair["texts"].as_array().unwrap().len(), 2);
    assert!(
        done.err
            .contains("left out: tags (no --model), caption (no --vlm-url)"),
        "{}",
        done.err
    );
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].path, "/v1/chat/completions");
    assert_eq!(seen[0].headers["content-type"], "application/json");
    assert_eq!(seen[0].headers.get("authorization"), None);
    let mut body = seen[0].body.clone();
    let prompt = body["messages"][0]["content"].take();
    assert!(prompt.as_str().unwrap().ends_with(
        "Raw caption:‹raw no 0>, synthetic caption:‹a dog>, and highly relevant detection tags:‹dog|lake>"
    ));
    assert_eq!(
        body,
        json!({"model": "small", "messages": [{"role": "user", "content": null}], "temperature": 0, "seed": 7, "max_tokens": 99, "stream": false})
    );
}

#[test]
fn the_bytes_are_the_same_whatever_ends_first() {
    let scene = CASE.scene();
    let input = pairs(40);
    let mut outs = Vec::new();
    for (jobs, in_flight) in [("1", "1"), ("1", "8"), ("3", "5")] {
        // The earlier the pair, the slower: answers come out of order.
        let server = Server::start(|seen, _| {
            let number = number(seen);
            let wait = u64::try_from(40 - number).unwrap() / 4;
            Whim::Slow(Duration::from_millis(5 + wait), format!("Text {number}."))
        });
        let done = merge(
            &scene,
            &server,
            &["-j", jobs, "--in-flight", in_flight],
            &input,
        )
        .expect(&[0]);
        let most: usize = in_flight.parse().unwrap();
        assert!(
            server.most() <= most,
            "{} requests at a time, {most} allowed",
            server.most()
        );
        if most > 1 {
            assert!(server.most() > 1, "nothing was under way at a time");
        }
        outs.push(done.out);
    }
    assert!(outs.iter().all(|out| *out == outs[0]));
    let texts: Vec<String> = String::from_utf8(outs[0].clone())
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    for (number, pair) in values(&texts).iter().enumerate() {
        assert_eq!(pair["id"], format!("d{number}/i0"));
        assert_eq!(pair["synthetic"], format!("Text {number}."));
    }
}

#[test]
fn passing_troubles_are_got_over() {
    let scene = CASE.scene();
    let server = Server::start(|seen, before| match (number(seen), before) {
        (0, 0) => Whim::Status(500, "", "oops".into()),
        (1, 0) => Whim::Status(429, "retry-after: 0\r\n", "{}".into()),
        (2, 0) => Whim::HangUp,
        (3, 0) => Whim::Body("<html>gateway</html>".into()),
        (4, 0) => Whim::Body(r#"{"choices":[]}"#.into()),
        (5, 0) => Whim::Slow(Duration::from_secs(3), "too late".into()),
        (6, 0..=2) => Whim::Status(503, "", String::new()),
        (number, _) => Whim::Say(format!("Text {number}.")),
    });
    let done = merge(&scene, &server, &["--timeout", "1"], &pairs(8)).expect(&[0]);
    let texts: Vec<Value> = values(&done.lines())
        .iter()
        .map(|pair| pair["synthetic"].clone())
        .collect();
    let expected: Vec<String> = (0..8).map(|number| format!("Text {number}.")).collect();
    assert_eq!(texts, expected);
    assert_eq!(server.seen().len(), 8 + 6 + 3);
}

#[test]
fn what_does_not_pass_is_rejected_with_the_whole_pair() {
    let scene = CASE.scene();
    let server = Server::start(|seen, _| match number(seen) {
        0 => Whim::Status(500, "", "down".into()),
        1 => Whim::Status(400, "", r#"{"error":"context too long"}"#.into()),
        2 => Whim::Say("  ".into()),
        3 => Whim::Say("I'm sorry, I can't do that.".into()),
        4 => Whim::Say("Raw caption:‹raw no 4>, synthetic caption:‹a dog>".into()),
        5 => Whim::Body(said("A dog that", "length")),
        6 => Whim::Body(said("A dog. It stands by", "length")),
        7 => Whim::Body(r#"{"choices":[{"message":{"content":null,"refusal":"no"}}]}"#.into()),
        8 => Whim::Body("no JSON".into()),
        number => Whim::Say(format!("Text {number}.")),
    });
    let input = pairs(10);
    let done = merge(&scene, &server, &["--retries", "2"], &input).expect(&[1]);
    let kept = values(&done.lines());
    assert_eq!(
        kept.iter()
            .map(|pair| &pair["synthetic"])
            .collect::<Vec<_>>(),
        ["A dog.", "Text 9."]
    );
    assert_eq!(
        codes(&scene),
        [
            "llm-failed",
            "llm-failed",
            "llm-empty",
            "llm-refused",
            "llm-echo",
            "llm-truncated",
            "llm-refused",
            "llm-failed"
        ]
    );
    let attempts = |wanted| {
        server
            .seen()
            .iter()
            .filter(|seen| number(seen) == wanted)
            .count()
    };
    assert_eq!([0, 1, 2, 8].map(attempts), [3, 1, 1, 3]);
    // Each reject carries its pair, so that it can be run again.
    let rejects = String::from_utf8(scene.read("r")).unwrap();
    let records: Vec<Value> = values(&rejects.lines().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(
        records[0]["record"],
        values(&[input.lines().next().unwrap().to_owned()])[0]
    );

    // Kept instead, they say what went wrong; a run over them that succeeds takes that away.
    let done = merge(
        &scene,
        &server,
        &["--retries", "0", "--keep-failed"],
        &input,
    )
    .expect(&[0]);
    let kept = values(&done.lines());
    assert_eq!(kept.len(), 10);
    assert_eq!(
        (&kept[2]["caption_failed"], kept[2].get("synthetic")),
        (&json!("llm-empty"), None)
    );
    assert_eq!(kept[2]["synthetic_cos"], 0.3);
    let healed = Server::start(|seen, _| Whim::Say(format!("Late {}.", number(seen))));
    let again = merge(
        &scene,
        &healed,
        &[],
        std::str::from_utf8(&done.out).unwrap(),
    )
    .expect(&[0]);
    let late = values(&again.lines());
    assert_eq!(healed.seen().len(), 8);
    assert_eq!(
        (&late[2]["synthetic"], late[2].get("caption_failed")),
        (&json!("Late 2."), None)
    );
    assert_eq!(late[9]["synthetic"], "Text 9.");
}

#[test]
fn a_run_over_its_own_output_changes_nothing_unless_asked() {
    let scene = CASE.scene();
    let server = Server::start(|_, _| Whim::Say("One.".into()));
    let first = merge(&scene, &server, &[], &pairs(5)).expect(&[0]);
    let asked = server.seen().len();
    let again = merge(
        &scene,
        &server,
        &[],
        std::str::from_utf8(&first.out).unwrap(),
    )
    .expect(&[0]);
    assert_eq!((again.out, server.seen().len()), (first.out.clone(), asked));
    let other = Server::start(|_, _| Whim::Say("Two.".into()));
    let anew = merge(
        &scene,
        &other,
        &["--overwrite"],
        std::str::from_utf8(&first.out).unwrap(),
    )
    .expect(&[0]);
    assert!(
        values(&anew.lines())
            .iter()
            .all(|pair| pair["synthetic"] == "Two.")
    );
}

#[test]
fn an_endpoint_that_no_pair_can_use_ends_the_run() {
    let scene = CASE.scene();
    for status in [301, 401, 403, 404] {
        let server = Server::start(move |_, _| {
            Whim::Status(
                status,
                "location: http://elsewhere/\r\n",
                "no such model".into(),
            )
        });
        let done = merge(
            &scene,
            &server,
            &["--in-flight", "1", "-j", "1"],
            &pairs(30),
        )
        .expect(&[2]);
        assert!(
            done.err.contains(&status.to_string()) && done.err.contains("no such model"),
            "{}",
            done.err
        );
        assert_eq!(server.seen().len(), 1);
    }
    // A port where nothing listens: the listener is gone when the run begins.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}/v1");
    let args = [
        "--llm-url",
        &url,
        "--llm-model",
        "m",
        "--retries",
        "1",
        "--retry-wait",
        "1",
    ];
    let done = scene.run(&args, pairs(30).as_bytes()).expect(&[2]);
    assert!(done.err.contains("cannot be reached"), "{}", done.err);
    for flags in [
        &["--llm-url", "localhost:1", "--llm-model", "m"][..],
        &["--llm-url", "http://localhost:1"],
        &["--llm-model", "m"],
        &[
            "--llm-url",
            "http://localhost:1",
            "--llm-model",
            "m",
            "--api-key-env",
            "RS_NO_SUCH_VARIABLE",
        ],
        &["--model", "no-such-folder"],
    ] {
        let done = scene.run(flags, pairs(2).as_bytes()).expect(&[2]);
        assert!(done.out.is_empty(), "{flags:?}");
    }
}

#[test]
fn keys_come_from_the_environment_and_are_not_shown() {
    let scene = CASE.scene();
    let server = Server::start(|_, _| Whim::Status(401, "", "bad key".into()));
    let program = Command::new(scene.program())
        .args([
            "--llm-url",
            &server.url,
            "--llm-model",
            "m",
            "--api-key-env",
            "A_KEY",
        ])
        .env("A_KEY", "sk-open-sesame")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = program.unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(pairs(1).as_bytes())
        .unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(
        server.seen()[0].headers["authorization"],
        "Bearer sk-open-sesame"
    );
    assert!(!String::from_utf8_lossy(&done.stderr).contains("sesame"));
}

#[test]
fn a_vision_model_gets_the_picture() {
    let scene = CASE.scene();
    let server = Server::start(|seen, _| match &seen.body["messages"][0]["content"] {
        Value::String(prompt) if prompt.contains("synthetic caption:‹A crop of colours.>") => {
            Whim::Say("Both.".into())
        }
        Value::String(prompt) => Whim::Say(format!("Unexpected: {prompt}")),
        _ => Whim::Say("A crop of colours.".into()),
    });
    let args = [
        "--vlm-url",
        &server.url,
        "--vlm-model",
        "eyes",
        "--llm-url",
        &server.url,
        "--llm-model",
        "words",
        "--image-side",
        "40",
    ];
    let done = scene.run(&args, scene.input.as_bytes()).expect(&[0]);
    for pair in values(&done.lines()) {
        assert_eq!(
            (&pair["caption"], &pair["synthetic"]),
            (&json!("A crop of colours."), &json!("Both."))
        );
    }
    let seen = server.seen();
    let looked: Vec<&Seen> = seen
        .iter()
        .filter(|seen| seen.body["model"] == "eyes")
        .collect();
    assert_eq!((looked.len(), seen.len()), (12, 24));
    for request in looked {
        let content = &request.body["messages"][0]["content"];
        assert_eq!(content[0]["type"], "text");
        let url = content[1]["image_url"]["url"].as_str().unwrap();
        let jpeg = STANDARD
            .decode(url.strip_prefix("data:image/jpeg;base64,").unwrap())
            .unwrap();
        let picture = image::load_from_memory(&jpeg).unwrap();
        assert_eq!(picture.width().max(picture.height()), 40);
    }
}

#[test]
fn a_picture_that_is_gone_costs_its_own_pair_alone() {
    let scene = CASE.scene();
    let server = Server::start(|_, _| Whim::Say("A picture.".into()));
    let mut input = scene.input.clone();
    input.push_str(concat!(
        r#"{"schema":"pair/1","id":"gone/i0","path":"no/such.png","texts":[]}"#, "\n",
        r#"{"schema":"pair/1","id":"kept/i0","path":"no/such.png","texts":[],"caption":"There was one."}"#, "\n",
        r#"{"schema":"pair/1","id":"odd/i0","caption":7}"#, "\n",
    ));
    let args = [
        "--vlm-url",
        &server.url,
        "--vlm-model",
        "eyes",
        "--rejects",
        "r",
    ];
    let done = scene.run(&args, input.as_bytes()).expect(&[1]);
    assert_eq!(codes(&scene), ["unreadable", "bad-field"]);
    assert_eq!(done.lines().len(), 13);
}

#[test]
fn sources_that_are_missing_are_said() {
    let scene = CASE.scene();
    let server = Server::start(|_, _| Whim::Say("Text.".into()));
    let input = concat!(
        r#"{"schema":"pair/1","id":"a/i0","texts":[],"tags":["dog"]}"#,
        "\n",
        r#"{"schema":"pair/1","id":"b/i0","texts":[{"text":"raw"}]}"#,
        "\n",
        r#"{"schema":"pair/1","id":"c/i0","texts":[{"text":"raw"}],"tags":["dog"]}"#,
        "\n",
    );
    let done = merge(&scene, &server, &[], input).expect(&[1]);
    assert_eq!(codes(&scene), ["missing-field", "missing-field"]);
    assert_eq!(done.lines().len(), 1);
    let prompt = server.seen()[0].body["messages"][0]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(prompt.contains("synthetic caption:‹none>"));
}

#[test]
fn the_deadline_of_an_attempt_holds() {
    let scene = CASE.scene();
    let server = Server::start(|_, _| Whim::Slow(Duration::from_secs(20), "late".into()));
    let start = Instant::now();
    let _ = merge(
        &scene,
        &server,
        &["--timeout", "1", "--retries", "1"],
        &pairs(1),
    )
    .expect(&[1]);
    assert_eq!(codes(&scene), ["llm-failed"]);
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn instructions_can_be_given() {
    let scene = CASE.scene();
    scene.write(
        "rules.txt",
        b"Say it in a word or two, if ever that can be done.\n",
    );
    let server = Server::start(|seen, _| match number(seen) {
        0 => Whim::Say("Dog.".into()),
        _ => Whim::Say("Say it in a word or two, if ever that.".into()),
    });
    let done = merge(&scene, &server, &["--merge-prompt", "rules.txt"], &pairs(2)).expect(&[1]);
    assert_eq!(values(&done.lines())[0]["synthetic"], "Dog.");
    assert_eq!(codes(&scene), ["llm-echo"]);
    let prompt = server.seen()[0].body["messages"][0]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        prompt.starts_with(
            "Say it in a word or two, if ever that can be done.\n\nRaw caption:‹raw no "
        )
    );
}
