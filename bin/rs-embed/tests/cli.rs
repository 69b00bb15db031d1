//! rs-embed on the command line, with a tiny CLIP of random weights.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

use std::io::Write as _;
use std::path::Path;

use realsyn_behaviour::fixtures::{image_records, model, pair_records, sentence_records};
use realsyn_behaviour::{Case, Scene};
use realsyn_record::{Record, Sidecars};
use realsyn_vector::npy::Matrix;
use serde_json::Value;

fn arguments(dir: &Path) -> Vec<String> {
    model(&dir.join("model"));
    ["--model", "model", "--engine", "rten"]
        .map(str::to_owned)
        .into()
}

/// Images and sentences in turn.
fn input(dir: &Path) -> String {
    let (images, sentences) = (image_records(dir, 8), sentence_records(3));
    let mut lines = String::new();
    for (image, sentence) in images.lines().zip(sentences.lines()) {
        lines.extend([image, "\n", sentence, "\n"]);
    }
    lines
}

const CASE: Case = Case {
    name: "rs-embed",
    program: env!("CARGO_BIN_EXE_rs-embed"),
    arguments,
    input,
    status: &[0],
};

fn scene() -> Scene {
    CASE.scene()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn images_and_sentences_gain_unit_vectors_of_one_model() {
    let scene = scene();
    let lines = scene.run(&[], scene.input.as_bytes()).expect(&[0]).lines();
    assert_eq!(lines.len(), scene.input.lines().count());
    // One vector for each content; the tiny model reads only the beginning of a sentence.
    let mut pictures = std::collections::BTreeSet::new();
    let mut seen = std::collections::BTreeMap::new();
    for (line, original) in lines.iter().zip(scene.input.lines()) {
        assert!(
            line.starts_with(original.strip_suffix('}').unwrap()),
            "other fields stay as they are"
        );
        let emb = &json(line)["emb"];
        assert_eq!(emb["model"], json(&lines[0])["emb"]["model"]);
        let (hash, vector) = (json(line)["hash"].to_string(), emb["f16"].to_string());
        assert_eq!(*seen.entry(hash).or_insert_with(|| vector.clone()), vector);
        if original.starts_with(r#"{"schema":"image/1""#) {
            assert!(pictures.insert(vector), "each picture has its own");
        }
    }
}

#[test]
fn what_is_embedded_stays_as_it_is() {
    let scene = scene();
    let once = scene.run(&[], scene.input.as_bytes()).expect(&[0]);
    let twice = scene.run(&[], &once.out).expect(&[0]);
    assert_eq!(once.out, twice.out);
}

#[test]
fn a_bad_picture_is_rejected_and_the_batch_goes_on() {
    let scene = scene();
    let first = json(scene.input.lines().next().unwrap())["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let bytes = scene.read(&first);
    scene.write(&first, &bytes[..bytes.len() / 2]);
    let all = scene
        .run(&["--rejects", "r.jsonl"], scene.input.as_bytes())
        .expect(&[1]);
    assert_eq!(all.lines().len(), scene.input.lines().count() - 1);
    let reject = json(text(scene.read("r.jsonl")).trim());
    assert_eq!(reject["stage"], "rs-embed");
    assert_eq!(reject["class"], "error");
    assert_eq!(reject["code"], "truncated-image");
    assert_eq!(reject["record"]["path"], first.as_str());

    let scene = self::scene();
    std::fs::remove_file(scene.path(&first)).unwrap();
    let all = scene
        .run(&["--rejects", "r.jsonl"], scene.input.as_bytes())
        .expect(&[1]);
    assert_eq!(all.lines().len(), scene.input.lines().count() - 1);
    assert!(text(scene.read("r.jsonl")).contains(r#""code":"unreadable""#));
    let few = scene
        .run(&["--max-pixels", "10"], scene.input.as_bytes())
        .expect(&[1]);
    assert!(
        few.lines()
            .iter()
            .all(|line| json(line)["schema"] == "sentence/1")
    );
}

#[test]
fn two_models_in_one_run_are_fatal() {
    let scene = scene();
    let embedded = text(scene.run(&[], scene.input.as_bytes()).expect(&[0]).out);
    let model = json(embedded.lines().next().unwrap())["emb"]["model"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = embedded.replace(&model, "b3:00000000000000000000000000000000");
    let refused = scene.run(&[], other.as_bytes()).expect(&[2]);
    assert!(
        refused.err.contains(&model) && refused.err.contains("--replace"),
        "{}",
        refused.err
    );
    let replaced = scene.run(&["--replace"], other.as_bytes()).expect(&[0]);
    assert_eq!(text(replaced.out), embedded);
}

#[test]
fn pairs_gain_the_cosine_of_their_synthetic_text() {
    let scene = scene();
    let plain: String = pair_records(scene.dir.path(), 8)
        .lines()
        .flat_map(|line| {
            let mut pair = json(line);
            let fields = pair.as_object_mut().unwrap();
            fields.remove("emb");
            fields.remove("synthetic_cos");
            fields.insert(
                "synthetic".to_owned(),
                "A lantern hangs over the quiet harbour.".into(),
            );
            [pair.to_string(), "\n".to_owned()]
        })
        .collect();
    let once = scene.run(&[], plain.as_bytes()).expect(&[0]);
    let pair = json(&once.lines()[0]);
    assert!(pair["emb"]["f16"].is_string());
    let cosine = pair["synthetic_cos"].as_f64().unwrap();
    assert!((-1.0..=1.0).contains(&cosine), "{cosine}");
    // The image's vector may have come from an earlier run: the cosine is the same.
    let cut: String = once
        .lines()
        .iter()
        .flat_map(|line| {
            let at = line.find(",\"synthetic_cos\":").unwrap();
            let rest = &line[at + 1..];
            let end = rest.find([',', '}']).unwrap();
            [&line[..at], &rest[end..], "\n"].map(str::to_owned)
        })
        .collect();
    let again = scene.run(&[], cut.as_bytes()).expect(&[0]);
    for (one, two) in once.lines().iter().zip(again.lines()) {
        assert_eq!(json(one)["synthetic_cos"], json(&two)["synthetic_cos"]);
    }
}

#[test]
fn one_kind_alone_can_be_embedded() {
    let scene = scene();
    for line in scene
        .run(&["--kind", "sentence"], scene.input.as_bytes())
        .expect(&[0])
        .lines()
    {
        let record = json(&line);
        assert_eq!(
            record.get("emb").is_some(),
            record["schema"] == "sentence/1"
        );
    }
}

#[test]
fn what_is_missing_is_named() {
    let scene = scene();
    let nowhere = scene.bare(&["--model", "nowhere"]).expect(&[2]);
    assert!(
        nowhere.err.contains("nowhere/config.json"),
        "{}",
        nowhere.err
    );
    std::fs::remove_file(scene.path("model/tokenizer.json")).unwrap();
    let tokenizer = scene.run(&[], scene.input.as_bytes()).expect(&[2]);
    assert!(
        tokenizer.err.contains("model/tokenizer.json"),
        "{}",
        tokenizer.err
    );
    let library = scene
        .bare(&[
            "--model",
            "model",
            "--engine",
            "ort",
            "--onnxruntime",
            "none.so",
        ])
        .expect(&[2]);
    assert!(library.err.contains("none.so"), "{}", library.err);
    scene.write("none.so", b"not a library");
    let library = scene
        .bare(&["--model", "model", "--onnxruntime", "none.so"])
        .expect(&[2]);
    assert!(
        library.err.contains("none.so") && library.err.contains("shared library"),
        "{}",
        library.err
    );
}

#[test]
fn shards_through_the_real_parallel_give_the_same_bytes() {
    let scene = scene();
    if std::process::Command::new("parallel")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("no GNU parallel: not checked");
        return;
    }
    scene.write("in.jsonl", scene.input.as_bytes());
    let program = scene.program().display();
    let whole = scene.run(&[], scene.input.as_bytes()).expect(&[0]).out;
    let command = format!(
        "parallel -k --pipe -N4 -j2 '{program} -q -j1 --model model --engine rten' < in.jsonl"
    );
    assert_eq!(
        realsyn_behaviour::sh(&command, scene.dir.path(), scene.dir.path())
            .expect(&[0])
            .out,
        whole
    );
}

#[test]
fn embeddings_become_rows_of_a_matrix() {
    let scene = scene();
    let plain = scene.run(&[], scene.input.as_bytes()).expect(&[0]).lines();
    for jobs in ["-j1", "-j3"] {
        let arguments = ["--emb-out", "e.npy", "-f", jobs];
        let light = scene
            .run(&arguments, scene.input.as_bytes())
            .expect(&[0])
            .lines();
        let matrix = Matrix::open(&scene.path("e.npy")).unwrap();
        assert_eq!(matrix.rows(), plain.len());
        for (row, (light, plain)) in light.iter().zip(&plain).enumerate() {
            let (light, plain) = (
                Record::parse(light.as_bytes()).unwrap(),
                Record::parse(plain.as_bytes()).unwrap(),
            );
            let emb = json(light.raw("emb").unwrap());
            assert_eq!(
                (emb["file"].as_str(), emb["row"].as_u64()),
                (Some("e.npy"), Some(row as u64))
            );
            let (mut one, mut other) = (Vec::new(), Vec::new());
            matrix.read_row(row as u64, &mut one).unwrap();
            plain
                .embedding()
                .unwrap()
                .unwrap()
                .read(&mut Sidecars::new(), &mut other)
                .unwrap();
            assert_eq!(one, other);
        }
    }
    let refused = scene
        .run(&["--emb-out", "e.npy"], scene.input.as_bytes())
        .expect(&[2]);
    assert!(refused.err.contains("e.npy exists"), "{}", refused.err);
    // What is embedded already moves too.
    let moved = scene
        .run(
            &["--emb-out", "m.npy"],
            (plain.join("\n") + "\n").as_bytes(),
        )
        .expect(&[0]);
    assert_eq!(scene.read("m.npy"), scene.read("e.npy"));
    assert_eq!(moved.lines().len(), plain.len());
    let none = scene.run(&["--emb-out", "n.npy"], b"").expect(&[0]);
    assert!(none.out.is_empty());
    assert_eq!(Matrix::open(&scene.path("n.npy")).unwrap().rows(), 0);
}

#[test]
fn a_killed_run_goes_on_to_the_same_matrix() {
    let scene = scene();
    let rounds = 6;
    let input = scene.input.repeat(rounds);
    let flags = ["-q", "-o", "out", "--emb-out", "e.npy"];
    let _ = scene.run(&flags, input.as_bytes()).expect(&[0]);
    let (records, matrix) = (scene.read("out"), scene.read("e.npy"));
    for name in ["out", "e.npy"] {
        std::fs::remove_file(scene.path(name)).unwrap();
    }
    let mut child = std::process::Command::new(scene.program())
        .args(scene.with(&flags))
        .current_dir(scene.path(""))
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Part by part, until the journal says that something is on disk.
    let mut stdin = child.stdin.take().unwrap();
    let mut parts = std::iter::repeat_n(scene.input.as_str(), rounds - 1);
    let patience = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while !scene.path("out.part.state").exists() {
        stdin
            .write_all(parts.next().unwrap_or("\n").as_bytes())
            .unwrap();
        stdin.flush().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(400));
        assert!(std::time::Instant::now() < patience, "no journal");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!scene.path("e.npy").exists() && scene.path("e.npy.part").exists());
    // Rows of a batch whose records did not reach the disk.
    std::fs::File::options()
        .append(true)
        .open(scene.path("e.npy.part"))
        .unwrap()
        .write_all(&[7; 100])
        .unwrap();
    let resumed = [&flags[..], &["--resume"]].concat();
    let _ = scene.run(&resumed, input.as_bytes()).expect(&[0]);
    assert_eq!(scene.read("out"), records);
    assert!(scene.read("e.npy") == matrix);
    let _ = scene.run(&resumed, input.as_bytes()).expect(&[0]);
    assert!(scene.read("e.npy") == matrix);
}
