//! rs-phash-dedup on the command line.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::fmt::Write as _;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{ImageFormat, RgbImage};
use realsyn_behaviour::fixtures::{encoded, image_records, picture, sentence_records};
use realsyn_behaviour::{Case, Finished, Scene};
use serde_json::Value;

fn input(dir: &Path) -> String {
    image_records(dir, 6) + &sentence_records(2)
}

const CASE: Case = Case {
    name: "rs-phash-dedup",
    program: env!("CARGO_BIN_EXE_rs-phash-dedup"),
    arguments: |_| Vec::new(),
    input,
    status: &[0],
};

fn jpeg(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode_image(picture)
        .unwrap();
    bytes
}

/// A photo, its small and badly compressed copy, another photo, the first again byte for byte, and bad files.
fn album() -> (Scene, String) {
    let scene = CASE.scene();
    let photo = picture(901, 400, 300);
    let small = resize(&photo, 200, 150, FilterType::Triangle);
    let whole = encoded(&photo, ImageFormat::Png);
    scene.write("photo.png", &whole);
    scene.write("again.jpg", &whole);
    scene.write("small.jpg", &jpeg(&small, 40));
    scene.write("other.jpg", &jpeg(&picture(902, 320, 240), 90));
    let cut = jpeg(&photo, 90);
    scene.write("cut.jpg", &cut[..cut.len() / 2]);
    scene.write("page.jpg", b"<!doctype html><title>Not found</title>");
    let mut lines = String::new();
    for (id, name) in [
        ("a/i1", "small.jpg"),
        ("b/i1", "photo.png"),
        ("c/i1", "other.jpg"),
        ("b/i0", "again.jpg"),
        ("d/i1", "cut.jpg"),
        ("d/i2", "page.jpg"),
        ("d/i3", "gone.jpg"),
    ] {
        writeln!(
            lines,
            "{{\"schema\":\"image/1\",\"id\":\"{id}\",\"path\":\"{name}\",\"note\" : 1}}"
        )
        .unwrap();
    }
    lines += "{\"schema\":\"image/1\",\"id\":\"e/i1\",\"url\":\"https://example.org/a.jpg\"}\n";
    (scene, lines)
}

fn values(done: &Finished) -> Vec<Value> {
    done.lines()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn rejects(scene: &Scene) -> Vec<(String, String)> {
    let text = String::from_utf8(scene.read("rejects")).unwrap();
    text.lines()
        .map(|line| {
            let reject: Value = serde_json::from_str(line).unwrap();
            let id = reject["record"]["id"].as_str().unwrap();
            (
                id.to_owned(),
                format!(
                    "{} {}",
                    reject["class"].as_str().unwrap(),
                    reject["code"].as_str().unwrap()
                ),
            )
        })
        .collect()
}

#[test]
fn the_largest_picture_of_a_group_stays() {
    let (scene, lines) = album();
    let done = scene
        .run(&["--rejects", "rejects", "-j2"], lines.as_bytes())
        .expect(&[1]);
    let out = values(&done);
    let ids: Vec<_> = out
        .iter()
        .map(|record| record["id"].as_str().unwrap())
        .collect();
    // b/i0 and b/i1 are equally large: the smaller id stays.
    assert_eq!(ids, ["c/i1", "b/i0"]);
    for record in &out {
        let phash = record["phash"].as_str().unwrap();
        assert!(phash.len() == 16 && u64::from_str_radix(phash, 16).is_ok());
    }
    // What the tool does not know stays byte for byte.
    assert!(
        done.lines()[0]
            .starts_with(r#"{"schema":"image/1","id":"c/i1","path":"other.jpg","note" : 1"#)
    );
    let mut rejects = rejects(&scene);
    rejects.sort();
    let expected = [
        ("a/i1", "filter near-duplicate-image"),
        ("b/i1", "filter near-duplicate-image"),
        ("d/i1", "error truncated-image"),
        ("d/i2", "error unsupported-image"),
        ("d/i3", "error unreadable"),
        ("e/i1", "error not-local"),
    ];
    assert_eq!(
        rejects,
        expected.map(|(id, why)| (id.to_owned(), why.to_owned()))
    );
    let text = String::from_utf8(scene.read("rejects")).unwrap();
    let dropped: Value = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|reject| reject["record"]["id"] == "a/i1")
        .unwrap();
    assert_eq!(
        (&dropped["dup_of"], &dropped["message"]),
        (&"b/i0".into(), &"b/i0 is kept".into())
    );
}

#[test]
fn the_order_of_the_input_does_not_change_what_stays() {
    let (scene, lines) = album();
    let kept = |lines: &str| {
        let done = scene.run(&[], lines.as_bytes()).expect(&[1]);
        let mut lines = done.lines();
        lines.sort();
        lines
    };
    let reversed: String = lines.lines().rev().flat_map(|line| [line, "\n"]).collect();
    assert_eq!(kept(&lines), kept(&reversed));
}

#[test]
fn marked_duplicates_name_what_stays() {
    let (scene, lines) = album();
    let sentences = concat!(
        "{\"schema\":\"sentence/1\",\"id\":\"z/s2\",\"text\":\"A  CAT sat here.\"}\n",
        "{\"schema\":\"sentence/1\",\"id\":\"z/s1\",\"text\":\"A cat sat here.\",\"dup_of\":\"z/s0\"}\n",
        "{\"schema\":\"sentence/1\",\"id\":\"z/s3\",\"text\":\"A cat sat there.\"}\n",
    );
    let done = scene
        .run(&["--mark"], (lines + sentences).as_bytes())
        .expect(&[1]);
    let marks: Vec<_> = values(&done)
        .iter()
        .map(|record| {
            let text = |key: &str| record[key].as_str().unwrap_or("-").to_owned();
            format!("{} {}", text("id"), text("dup_of"))
        })
        .collect();
    assert_eq!(
        marks,
        [
            "a/i1 b/i0",
            "b/i1 b/i0",
            "c/i1 -",
            "b/i0 -",
            "z/s2 z/s1",
            "z/s1 -",
            "z/s3 -"
        ]
    );
}

#[test]
fn the_radius_bounds_what_is_near() {
    let (scene, lines) = album();
    let kept = |flags: &[&str]| {
        scene
            .run(flags, lines.as_bytes())
            .expect(&[1])
            .lines()
            .len()
    };
    // At radius 0 only equal hashes are duplicates; equal files always are.
    assert!(kept(&["--radius", "0"]) <= 3);
    assert_eq!(kept(&["--radius", "16"]), 2);
    for algorithm in ["phash", "dhash", "ahash"] {
        assert_eq!(kept(&["--algorithm", algorithm]), 2, "{algorithm}");
    }
    let _ = scene.run(&["--radius", "17"], b"").expect(&[2]);
}

#[test]
fn the_limit_on_pixels_is_the_flag() {
    let (scene, lines) = album();
    let _ = scene
        .run(
            &["--max-pixels", "100000", "--rejects", "rejects"],
            lines.as_bytes(),
        )
        .expect(&[1]);
    let large = rejects(&scene)
        .iter()
        .filter(|(_, why)| why == "error too-many-pixels")
        .count();
    // The two whole photos, and the one that is cut, whose header comes first.
    assert_eq!(large, 3);
}
