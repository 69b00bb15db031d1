//! rs-retrieve on the command line.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use realsyn_behaviour::fixtures::{embedded_records, image_records, sentence_records, vector};
use realsyn_behaviour::{Case, Scene};
use realsyn_cluster::{Centroids, Metric};
use realsyn_record::Embedding;

const MODEL: &str = "b3:00112233445566778899aabbccddeeff";
const GROUPS: usize = 4;

fn images(dir: &Path) -> String {
    embedded_records(&image_records(dir, 24), GROUPS)
}

/// Sentences and centroids of the fixtures' groups.
fn arguments(dir: &Path) -> Vec<String> {
    std::fs::write(
        dir.join("s.jsonl"),
        embedded_records(&sentence_records(9), GROUPS),
    )
    .unwrap();
    let values: Vec<f32> = (0..GROUPS)
        .flat_map(|group| vector(group, "centre"))
        .collect();
    let dim = values.len() / GROUPS;
    let model = Some(MODEL.to_owned());
    Centroids {
        metric: Metric::Spherical,
        model,
        dim,
        values,
    }
    .save(&dir.join("c.npy"))
    .unwrap();
    ["--sentences", "s.jsonl", "--centroids", "c.npy"]
        .map(str::to_owned)
        .into()
}

const CASE: Case = Case {
    name: "rs-retrieve",
    program: env!("CARGO_BIN_EXE_rs-retrieve"),
    arguments,
    input: images,
    status: &[0],
};

mod behaviour {
    realsyn_behaviour::behaves!(map, super::CASE);
}

fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap()
}

/// The ids of a pair's texts.
fn ids(line: &str) -> Vec<String> {
    let pair = json(line);
    pair["texts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Sentences of five documents, all on one circle; `world` says where: the images look at 0 degrees.
fn circle(scene: &Scene, sentences: &[(&str, &str, f32)], more: &str) {
    let mut lines = String::new();
    for (id, text, degrees) in sentences {
        let angle = degrees.to_radians();
        let emb = Embedding::to_json(MODEL, &[angle.cos(), angle.sin()]);
        writeln!(
            lines,
            "{{\"schema\":\"sentence/1\",\"id\":\"{id}\",\"text\":\"{text}\"{more},\"emb\":{emb}}}"
        )
        .unwrap();
    }
    scene.write("s.jsonl", lines.as_bytes());
    let centroids = Centroids {
        metric: Metric::Spherical,
        model: Some(MODEL.into()),
        dim: 2,
        values: vec![1.0, 0.0, 0.0, 1.0],
    };
    centroids.save(&scene.path("c.npy")).unwrap();
}

fn image(id: &str) -> String {
    format!(
        "{{\"schema\":\"image/1\", \"id\":\"{id}\",\"width\":7,\"emb\":{}}}\n",
        Embedding::to_json(MODEL, &[1.0, 0.0])
    )
}

const WORLD: [(&str, &str, f32); 6] = [
    ("b/s1", "A red fox.", 30.0),
    ("b/s0", "a red FOX", 30.0),
    ("a/s0", "An owl.", 10.0),
    ("c/s0", "A pike.", 40.0),
    ("c/s1", "An eel.", 50.0),
    ("a/s1", "A newt.", 0.0),
];

#[test]
fn the_nearest_sentences_are_given_in_order_and_everything_else_stays() {
    let scene = CASE.scene();
    circle(&scene, &WORLD, "");
    let out = scene
        .run(&[], image("a/i0").as_bytes())
        .expect(&[0])
        .lines();
    let texts = r#""texts":[{"id":"a/s1","text":"A newt.","cos":1.000000},{"id":"a/s0","text":"An owl.","cos":0.984863},{"id":"b/s0","text":"a red FOX","cos":0.866211}]}"#;
    let expected = image("a/i0").replace("image/1", "pair/1");
    assert_eq!(
        out,
        [expected.trim_end().strip_suffix('}').unwrap().to_owned() + "," + texts]
    );
    // The second cluster begins at 45 degrees.
    let all = |probe| {
        ids(&scene
            .run(
                &["--top-k", "9", "--probe", probe],
                image("a/i0").as_bytes(),
            )
            .expect(&[0])
            .lines()[0])
    };
    assert_eq!(all("1"), ["a/s1", "a/s0", "b/s0", "c/s0"]);
    assert_eq!(all("2"), ["a/s1", "a/s0", "b/s0", "c/s0", "c/s1"]);
}

#[test]
fn rules_about_cosines_and_documents_hold() {
    let scene = CASE.scene();
    circle(&scene, &WORLD, "");
    let found = |more: &[&str], doc: &str| {
        ids(&scene.run(more, image(doc).as_bytes()).expect(&[0]).lines()[0])
    };
    assert_eq!(found(&["--min-cos", "0.9"], "a/i0"), ["a/s1", "a/s0"]);
    assert_eq!(found(&["--exclude-same-doc"], "a/i0"), ["b/s0", "c/s0"]);
    assert_eq!(
        found(&["--same-doc-boost", "0.5"], "b/i0"),
        ["b/s0", "a/s1", "a/s0"]
    );
    let none = scene
        .run(
            &["--min-cos", "1.5", "--rejects", "r.jsonl"],
            image("a/i0").as_bytes(),
        )
        .expect(&[0]);
    assert!(none.out.is_empty());
    assert!(
        String::from_utf8(scene.read("r.jsonl"))
            .unwrap()
            .contains(r#""class":"filter","code":"no-sentence""#)
    );
}

#[test]
fn a_sentence_s_own_cluster_counts_and_duplicates_do_not() {
    let scene = CASE.scene();
    circle(&scene, &WORLD, r#","cluster":1"#);
    // All sentences are in the second cluster, which is then the nearest one that holds any.
    assert_eq!(
        ids(&scene
            .run(&[], image("a/i0").as_bytes())
            .expect(&[0])
            .lines()[0]),
        ["a/s1", "a/s0", "b/s0"]
    );
    circle(&scene, &WORLD, r#","cluster":2"#);
    let stray = scene.run(&[], image("a/i0").as_bytes()).expect(&[2]);
    assert!(
        stray.err.contains("s.jsonl:1") && stray.err.contains("cluster 2"),
        "{}",
        stray.err
    );
    circle(&scene, &WORLD, r#","dup_of":"x""#);
    let none = scene.run(&[], image("a/i0").as_bytes()).expect(&[2]);
    assert!(none.err.contains("there is no sentence"), "{}", none.err);
}

#[test]
fn the_report_tells_what_the_pairs_are_worth() {
    let scene = CASE.scene();
    circle(&scene, &WORLD, "");
    let input = image("a/i0") + &image("b/i0") + &image("z/i0") + &image("c/i0");
    let _ = scene
        .run(&["--report", "f.jsonl"], input.as_bytes())
        .expect(&[0]);
    let funnel = json(String::from_utf8(scene.read("f.jsonl")).unwrap().trim_end());
    assert_eq!(
        (
            funnel["kind"].as_str(),
            funnel["seen"].as_u64(),
            funnel["kept"].as_u64()
        ),
        (Some("image"), Some(4), Some(4))
    );
    let figures = [
        "sentences",
        "pairs",
        "first_text_own_doc",
        "first_text_own_doc_share",
        "chance_own_doc",
    ];
    // Each of a, b and c has 2 of the 6 sentences.
    assert_eq!(
        figures.map(|key| funnel[key].to_string()),
        ["6", "4", "1", "0.25", "0.25"]
    );
    let again = scene
        .run(&["--report", "f.jsonl"], input.as_bytes())
        .expect(&[2]);
    assert!(again.err.contains("f.jsonl exists"), "{}", again.err);
}

#[test]
fn embeddings_that_do_not_fit_are_found() {
    let scene = CASE.scene();
    circle(&scene, &WORLD, "");
    let bare = "{\"schema\":\"image/1\",\"id\":\"a/i0\"}\n";
    let missing = scene
        .run(&[], (bare.to_owned() + &image("a/i1")).as_bytes())
        .expect(&[1]);
    assert!(
        missing.err.contains("missing-emb") && missing.lines().len() == 1,
        "{}",
        missing.err
    );
    let model = scene
        .run(&[], image("a/i0").replace("b3:00", "b3:99").as_bytes())
        .expect(&[2]);
    assert!(model.err.contains("b3:99"), "{}", model.err);
    let text = String::from_utf8(scene.read("s.jsonl")).unwrap();
    scene.write("s.jsonl", text.replacen("b3:00", "b3:99", 2).as_bytes());
    let mixed = scene.run(&[], image("a/i0").as_bytes()).expect(&[2]);
    assert!(
        mixed.err.contains("s.jsonl:1") && mixed.err.contains("b3:99"),
        "{}",
        mixed.err
    );
    scene.write("s.jsonl", b"not a record\n");
    let broken = scene.run(&[], image("a/i0").as_bytes()).expect(&[2]);
    assert!(broken.err.contains("s.jsonl:1"), "{}", broken.err);
}

#[test]
fn sentences_may_be_compressed_and_mixed_with_other_records() {
    let scene = CASE.scene();
    let plain = scene.run(&[], scene.input.as_bytes()).expect(&[0]).out;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&[scene.input.as_bytes(), &scene.read("s.jsonl")].concat())
        .unwrap();
    scene.write("s.jsonl", &gz.finish().unwrap());
    assert_eq!(
        scene.run(&[], scene.input.as_bytes()).expect(&[0]).out,
        plain
    );
}

#[test]
fn probing_all_clusters_is_brute_force() {
    let scene = CASE.scene();
    let sentences: Vec<(String, Vec<f32>)> = String::from_utf8(scene.read("s.jsonl"))
        .unwrap()
        .lines()
        .enumerate()
        .map(|(n, line)| {
            (
                json(line)["id"].as_str().unwrap().to_owned(),
                halves(&vector(n % GROUPS, &n.to_string())),
            )
        })
        .collect();
    let out = scene
        .run(&["--probe", "4", "--top-k", "1"], scene.input.as_bytes())
        .expect(&[0])
        .lines();
    assert_eq!(out.len(), scene.input.lines().count());
    for (n, line) in out.iter().enumerate() {
        let query = halves(&vector(n % GROUPS, &n.to_string()));
        let cos = |sentence: &[f32]| {
            query
                .iter()
                .zip(sentence)
                .fold(0.0f32, |acc, (x, y)| x.mul_add(*y, acc))
        };
        let best = sentences
            .iter()
            .max_by(|a, b| cos(&a.1).total_cmp(&cos(&b.1)).then(b.0.cmp(&a.0)))
            .unwrap();
        assert_eq!(ids(line), [best.0.as_str()], "image {n}");
    }
}

fn halves(vector: &[f32]) -> Vec<f32> {
    let (mut bytes, mut back) = (Vec::new(), Vec::new());
    realsyn_vector::f16::encode(vector, &mut bytes);
    realsyn_vector::f16::decode(&bytes, &mut back);
    back
}

/// Runs the tool with exactly these arguments.
fn alone(scene: &Scene, arguments: &[&str], input: &str) -> realsyn_behaviour::Finished {
    let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
    realsyn_behaviour::run(
        CASE.program.as_ref(),
        &arguments,
        &scene.path(""),
        input.as_bytes(),
    )
}

const BUILD: [&str; 5] = ["--build", "s.index", "--centroids", "c.npy", "s.jsonl"];

#[test]
fn an_index_file_answers_as_the_sentences_themselves_do() {
    let scene = CASE.scene();
    let input = images(&scene.path(""));
    let expected = scene.run(&["--probe", "2"], input.as_bytes()).expect(&[0]);
    let built = alone(&scene, &BUILD, "").expect(&[0]);
    assert!(built.out.is_empty());
    let found = alone(&scene, &["--index", "s.index", "--probe", "2"], &input).expect(&[0]);
    assert_eq!(found.out, expected.out);
    // Neither the threads nor the way of reading change a byte.
    let first = scene.read("s.index");
    let again = ["-f", "-j1", "--build", "s.index", "--centroids", "c.npy"];
    let sentences = String::from_utf8(scene.read("s.jsonl")).unwrap();
    let _ = alone(&scene, &again, &sentences).expect(&[0]);
    assert_eq!(scene.read("s.index"), first);
    let refused = alone(&scene, &BUILD, "").expect(&[2]);
    assert!(refused.err.contains("s.index exists"), "{}", refused.err);
}

#[test]
fn in_bulk_the_bytes_are_the_same() {
    let scene = CASE.scene();
    let mut input = images(&scene.path(""));
    input.push_str(
        "{\"schema\":\"sentence/1\" ,\"id\":\"x\"}\n{\"schema\":\"image/1\",\"id\":\"bare\"}\n",
    );
    input.push_str(&embedded_records(
        &image_records(&scene.path(""), 3),
        GROUPS,
    ));
    let streamed = scene
        .run(
            &["--probe", "2", "--report", "a", "--recall-sample", "0.5"],
            input.as_bytes(),
        )
        .expect(&[1]);
    for jobs in ["-j1", "-j3"] {
        let arguments = [
            "--probe",
            "2",
            "--bulk",
            jobs,
            "-f",
            "--report",
            "b",
            "--recall-sample",
            "0.5",
        ];
        let bulk = scene.run(&arguments, input.as_bytes()).expect(&[1]);
        assert_eq!(bulk.out, streamed.out);
        let funnel = String::from_utf8(scene.read("b")).unwrap();
        assert_eq!(funnel, String::from_utf8(scene.read("a")).unwrap());
        assert!(funnel.contains("\"recall_images\":8,"), "{funnel}");
    }
}

#[test]
fn recall_tells_what_the_probed_clusters_leave_out() {
    let scene = CASE.scene();
    circle(&scene, &WORLD, "");
    let recall = |more: &[&str]| {
        let arguments = [
            &[
                "-f",
                "--report",
                "f.jsonl",
                "--top-k",
                "5",
                "--recall-sample",
                "1",
            ],
            more,
        ]
        .concat();
        let _ = scene.run(&arguments, image("z/i0").as_bytes()).expect(&[0]);
        let funnel = json(String::from_utf8(scene.read("f.jsonl")).unwrap().trim_end());
        (funnel["recall_images"].as_u64(), funnel["recall"].as_f64())
    };
    // The first cluster holds 4 of the 5 best texts.
    assert_eq!(recall(&[]), (Some(1), Some(0.8)));
    assert_eq!(recall(&["--probe", "2"]), (Some(1), Some(1.0)));
}

#[test]
fn rows_of_a_matrix_are_indexed_and_looked_up() {
    let scene = CASE.scene();
    circle(&scene, &WORLD, "");
    let matrix = |name: &str, degrees: &[f32]| {
        let file = std::fs::File::create(scene.path(name)).unwrap();
        let mut writer =
            realsyn_vector::npy::Writer::new(file, 2, realsyn_vector::npy::Element::F32).unwrap();
        for angle in degrees {
            writer
                .push(&[angle.to_radians().cos(), angle.to_radians().sin()])
                .unwrap();
        }
        writer.finish().unwrap();
    };
    matrix("s.npy", &[0.0, 20.0, 40.0, 80.0]);
    matrix("q.npy", &[25.0, 85.0]);
    let build = [
        "--build",
        "s.index",
        "--centroids",
        "c.npy",
        "--vectors",
        "s.npy",
    ];
    let _ = alone(&scene, &build, "").expect(&[0]);
    let found = alone(
        &scene,
        &["--index", "s.index", "--vectors", "q.npy", "--top-k", "2"],
        "",
    );
    let lines = found.expect(&[0]).lines();
    assert!(lines[0].starts_with(
        "{\"schema\":\"pair/1\",\"id\":\"0\",\"texts\":[{\"id\":\"1\",\"text\":\"\",\"cos\":0.99"
    ));
    assert_eq!(
        (ids(&lines[0]), ids(&lines[1])),
        (vec!["1".into(), "2".into()], vec!["3".to_owned()])
    );
    // Records find rows too, and the other way round a dimension that does not fit is found.
    let of_record = alone(
        &scene,
        &["--index", "s.index", "--top-k", "1"],
        &image("a/i0"),
    );
    assert_eq!(ids(&of_record.expect(&[0]).lines()[0]), ["0"]);
    matrix("q.npy", &[]);
    let none = alone(&scene, &["--index", "s.index", "--vectors", "q.npy"], "").expect(&[0]);
    assert!(none.out.is_empty());
}

#[test]
fn a_damaged_index_and_sentences_without_embeddings_are_found() {
    let scene = CASE.scene();
    circle(&scene, &WORLD, "");
    scene.write("bad.index", b"no index");
    let bad = alone(&scene, &["--index", "bad.index"], "").expect(&[2]);
    assert!(bad.err.contains("bad.index: not an index"), "{}", bad.err);
    let bare = "{\"schema\":\"sentence/1\",\"id\":\"a/s0\",\"text\":\"x\"}\n";
    let mixed = bare.to_owned() + &String::from_utf8(scene.read("s.jsonl")).unwrap();
    let build = [
        "--build",
        "s.index",
        "--centroids",
        "c.npy",
        "--report",
        "f.jsonl",
    ];
    let indexed = alone(&scene, &build, &mixed).expect(&[1]);
    assert!(indexed.err.contains("missing-emb"), "{}", indexed.err);
    let funnel = json(String::from_utf8(scene.read("f.jsonl")).unwrap().trim_end());
    assert_eq!(
        (funnel["seen"].as_u64(), funnel["kept"].as_u64()),
        (Some(7), Some(6))
    );
    let whole = scene.read("s.index");
    scene.write("cut.index", &whole[..whole.len() - 1]);
    let cut = alone(&scene, &["--index", "cut.index"], "").expect(&[2]);
    assert!(cut.err.contains("damaged"), "{}", cut.err);
    let empty = alone(
        &scene,
        &["-f", "--build", "s.index", "--centroids", "c.npy"],
        bare,
    )
    .expect(&[2]);
    assert!(empty.err.contains("no sentence"), "{}", empty.err);
    assert_eq!(scene.read("s.index"), whole);
}
