//! rs-phash-dedup on the command line.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{ImageFormat, RgbImage};
use realsyn_behaviour::fixtures::{encoded, image_records, picture, sentence_records};
use realsyn_behaviour::{Case, Finished, Scene, sh};
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
    for algorithm in ["phash", "dhash", "ahash", "blockhash", "whash"] {
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

#[test]
fn avif_is_near_what_it_was_made_of() {
    let (scene, _) = album();
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../crates/picture/tests/avif"
    );
    let whole = std::fs::read(format!("{folder}/grid.avif")).unwrap();
    scene.write("cut.avif", &whole[..whole.len() / 2]);
    let mut lines = String::new();
    for (id, path) in [
        ("a/i1", format!("{folder}/grid.png")),
        ("b/i1", format!("{folder}/grid.avif")),
        ("c/i1", "cut.avif".to_owned()),
    ] {
        writeln!(
            lines,
            r#"{{"schema":"image/1","id":"{id}","path":"{path}"}}"#
        )
        .unwrap();
    }
    let done = scene
        .run(&["--rejects", "rejects"], lines.as_bytes())
        .expect(&[1]);
    assert_eq!(values(&done).len(), 1);
    let expected = [
        ("b/i1", "filter near-duplicate-image"),
        ("c/i1", "error truncated-image"),
    ];
    let mut rejects = rejects(&scene);
    rejects.sort();
    assert_eq!(
        rejects,
        expected.map(|(id, why)| (id.to_owned(), why.to_owned()))
    );
}

/// Records with nothing but an id, a size and a hash: some alone, some a few bits from one another.
fn hashed(count: u64) -> String {
    let mut lines = String::new();
    let mut state = 5_u64;
    for number in 0..count {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // One of a few centres, with three bits changed at most; distinct pictures share a hash at times.
        let centre = (state >> 59).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = [33, 39, 45]
            .iter()
            .fold(centre, |hash, shift| hash ^ 1 << (state >> shift & 31));
        let width = 100 + (state >> 50) % 7;
        writeln!(
            lines,
            "{{\"schema\":\"image/1\",\"id\":\"d{}/i{number}\",\"width\":{width},\"height\":80,\"phash\":\"{hash:016x}\"}}",
            number % 11
        )
        .unwrap();
    }
    let words = [
        "the quick brown fox jumps over the lazy dog",
        "The  quick brown fox jumped over the lazy dog",
        "Another sentence",
    ];
    for number in 0..9 {
        writeln!(
            lines,
            "{{\"schema\":\"sentence/1\",\"id\":\"t/s{}\",\"text\":\"{}\"}}",
            number * 5 % 9,
            words[number % 3]
        )
        .unwrap();
    }
    lines
}

#[test]
fn hashing_is_a_map_and_its_hashes_are_believed() {
    let (scene, lines) = album();
    let done = scene.run(&["--hash", "-j2"], lines.as_bytes()).expect(&[1]);
    let hashed = done.lines();
    assert_eq!(hashed.len(), 4);
    assert!(
        hashed[0].contains(r#""note" : 1,"phash":""#)
            && hashed[0].contains(r#","width":200,"height":150}"#)
    );
    let text = hashed.join("\n") + "\n";
    // Hashing again changes nothing, and no picture is opened: these have no file any more.
    assert_eq!(
        scene.run(&["--hash"], text.as_bytes()).expect(&[0]).lines(),
        hashed
    );
    let text = text.replace(".jpg", ".gone").replace(".png", ".gone");
    let ids = |done: &Finished| -> Vec<String> {
        values(done)
            .iter()
            .map(|record| record["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let done = scene.run(&[], text.as_bytes()).expect(&[0]);
    assert_eq!(ids(&done), ["c/i1", "b/i0"]);
    // Another algorithm's hash is another field.
    let _ = scene
        .run(&["--algorithm", "dhash"], text.as_bytes())
        .expect(&[1]);
    let bad = text.replace("\"phash\":\"", "\"phash\":\"x");
    let done = scene
        .run(&["--rejects", "rejects"], bad.as_bytes())
        .expect(&[1]);
    assert!(done.lines().is_empty());
    assert!(
        rejects(&scene)
            .iter()
            .all(|(_, why)| why == "error bad-field")
    );
}

#[test]
fn any_sharding_gives_the_same_survivors() {
    let scene = CASE.scene();
    let lines = hashed(300);
    scene.write("all.jsonl", lines.as_bytes());
    for flags in [
        &["--radius", "3"][..],
        &["--radius", "4", "--sentence-jaccard", "0.6"],
    ] {
        let whole = scene
            .run(&[flags, &["all.jsonl"]].concat(), b"")
            .expect(&[0])
            .lines();
        assert!(whole.len() > 3 && whole.len() < 280, "{}", whole.len());
        for parts in [1, 2, 5] {
            let mut merge = vec!["--merge".to_owned()];
            for part in 1..=parts {
                let edges = format!("--edges={part}/{parts}");
                let done = scene
                    .run(&[flags, &[&edges, "all.jsonl"]].concat(), b"")
                    .expect(&[0]);
                let name = format!("edges.{parts}.{part}");
                scene.write(&name, &done.out);
                merge.push(name);
            }
            merge.extend(["--".to_owned(), "all.jsonl".to_owned()]);
            let merge: Vec<&str> = merge.iter().map(String::as_str).collect();
            let done = scene.run(&merge, b"").expect(&[0]);
            assert_eq!(done.lines(), whole, "{parts} parts");
        }
        // Each pair of three shards.
        let shards: Vec<String> = (0..3)
            .map(|shard| {
                let lines = lines.lines().skip(shard).step_by(3);
                lines.flat_map(|line| [line, "\n"]).collect()
            })
            .collect();
        let mut merge = vec!["--merge".to_owned()];
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            let both = shards[one].clone() + &shards[other];
            let done = scene
                .run(&[flags, &["--edges"]].concat(), both.as_bytes())
                .expect(&[0]);
            let name = format!("edges.{one}.{other}");
            scene.write(&name, &done.out);
            merge.push(name);
        }
        merge.push("--".to_owned());
        merge.push("all.jsonl".to_owned());
        let merge: Vec<&str> = merge.iter().map(String::as_str).collect();
        assert_eq!(scene.run(&merge, b"").expect(&[0]).lines(), whole);
    }
}

#[test]
fn parts_under_the_real_parallel_give_the_survivors_of_the_whole() {
    if Command::new("parallel").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("REALSYN_REQUIRE_ALL").is_none(),
            "GNU parallel is required here"
        );
        println!("no GNU parallel: not checked");
        return;
    }
    let (scene, lines) = album();
    // Bad pictures would be rejected by each step.
    let good = lines.lines().take(4).flat_map(|line| [line, "\n"]);
    scene.write(
        "all.jsonl",
        good.chain([&*hashed(300)]).collect::<String>().as_bytes(),
    );
    let program = scene.program().display();
    let whole = sh(
        &format!("{program} -q all.jsonl > whole"),
        &scene.path("."),
        Path::new("."),
    );
    let _ = whole.expect(&[0]);
    let steps = format!(
        "parallel --pipe -k -N50 -j3 '{program} -q --hash' < all.jsonl > hashed && \
         parallel -j3 '{program} -q --edges={{}}/4 hashed > edges.{{}}' ::: 1 2 3 4 && \
         {program} -q --merge edges.* -- hashed > merged && cmp merged whole"
    );
    let _ = sh(&steps, &scene.path("."), Path::new(".")).expect(&[0]);
}

#[test]
fn edges_are_checked() {
    let scene = CASE.scene();
    let lines = hashed(20);
    for (edges, says) in [
        ("{}", "edges:1"),
        ("{\"schema\":\"image/1\",\"id\":\"a\"}", "is not edge/1"),
        (
            r#"{"schema":"edge/1","kind":"image","by":"dhash","a":"0","b":"1"}"#,
            "by dhash",
        ),
        (
            r#"{"schema":"edge/1","kind":"image","by":"phash","a":"0","b":"1"}"#,
            "16 hexadecimal",
        ),
        (
            r#"{"schema":"edge/1","kind":"pair","by":"x","a":"0","b":"1"}"#,
            "none of",
        ),
    ] {
        scene.write("edges", edges.as_bytes());
        let done = scene
            .run(&["--merge", "edges"], lines.as_bytes())
            .expect(&[2]);
        assert!(done.err.contains(says), "{}", done.err);
    }
    let _ = scene.run(&["--edges=3/2"], lines.as_bytes()).expect(&[2]);
}

#[test]
fn what_an_earlier_run_saw_is_dropped() {
    let scene = CASE.scene();
    let lines = hashed(200);
    let first = scene
        .run(
            &["--radius", "2", "--seen-out", "one.fst"],
            lines.as_bytes(),
        )
        .expect(&[0]);
    assert!(!first.lines().is_empty());
    let again = lines.replace("\"id\":\"", "\"id\":\"new/");
    let seen = [
        "--radius",
        "2",
        "--seen",
        "one.fst",
        "--rejects",
        "rejects",
        "--seen-out",
        "two.fst",
    ];
    let fresh = "{\"schema\":\"image/1\",\"id\":\"n/i1\",\"width\":9,\"height\":8,\"phash\":\"00ff00ff00ff00fe\"}\n\
                 {\"schema\":\"sentence/1\",\"id\":\"n/s1\",\"text\":\"Something new\"}\n";
    let before = scene.read("one.fst");
    let done = scene
        .run(&seen, (again.clone() + fresh).as_bytes())
        .expect(&[0]);
    assert_eq!(done.lines(), fresh.lines().collect::<Vec<_>>());
    assert_eq!(scene.read("one.fst"), before);
    // Everything is dropped in favour of what the first run kept.
    let kept: Vec<String> = values(&first)
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect();
    for line in String::from_utf8(scene.read("rejects")).unwrap().lines() {
        let reject: Value = serde_json::from_str(line).unwrap();
        assert!(kept.contains(&reject["dup_of"].as_str().unwrap().to_owned()));
    }
    // The second set holds both, and so do two sets of one run each.
    let none = scene.run(
        &["--radius", "2", "--seen", "two.fst"],
        (again.clone() + fresh).as_bytes(),
    );
    assert!(none.expect(&[0]).lines().is_empty());
    let _ = scene
        .run(
            &["--radius", "2", "--seen-out", "new.fst"],
            fresh.as_bytes(),
        )
        .expect(&[0]);
    let both = ["--radius", "2", "--seen", "one.fst", "--seen", "new.fst"];
    assert!(
        scene
            .run(&both, (again + fresh).as_bytes())
            .expect(&[0])
            .lines()
            .is_empty()
    );
    // Neither is replaced by accident, and what is no set is named.
    let _ = scene
        .run(&["--seen-out", "one.fst"], lines.as_bytes())
        .expect(&[2]);
    scene.write("bad.fst", b"no set at all");
    let done = scene
        .run(&["--seen", "bad.fst"], lines.as_bytes())
        .expect(&[2]);
    assert!(done.err.contains("bad.fst"), "{}", done.err);
}

#[test]
fn near_sentences_are_joined_when_asked() {
    let scene = CASE.scene();
    let lines = hashed(0);
    let ids = |flags: &[&str]| {
        let done = scene.run(flags, lines.as_bytes()).expect(&[0]);
        let ids: Vec<String> = values(&done)
            .iter()
            .map(|r| r["id"].as_str().unwrap().to_owned())
            .collect();
        ids
    };
    assert_eq!(ids(&[]).len(), 3);
    // "jumped" is the longer of the two.
    let near = ids(&["--sentence-jaccard", "0.6", "--report", "report"]);
    assert_eq!(near.len(), 2);
    assert!(near.contains(&"t/s2".to_owned()), "{near:?}");
    let report = String::from_utf8(scene.read("report")).unwrap();
    assert!(report.contains("\"jaccard_recall\":0.99"), "{report}");
    let _ = scene.run(&["--sentence-jaccard", "0.1"], b"").expect(&[2]);
}
