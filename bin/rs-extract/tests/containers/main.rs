//! rs-extract over containers: WARC, ARC, EPUB, WebDataset; and lists of files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says what went wrong by panicking"
)]

mod epub;
mod lists;
mod samples;
mod warc;

use std::fs;
use std::io::Write;
use std::path::Path;

use image::ImageFormat;
use realsyn_behaviour::{Finished, fixtures, records, run};
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_rs-extract");
/// Rules that would drop what the tests say.
const PLAIN: [&str; 3] = [
    "-q",
    "--skip-rule",
    "low-complexity,no-action,low-entropy,other-language",
];

fn extract(dir: &Path, arguments: &[&str], stdin: &[u8]) -> Finished {
    let arguments: Vec<String> = PLAIN
        .iter()
        .chain(arguments)
        .map(|&argument| argument.to_owned())
        .collect();
    run(PROGRAM.as_ref(), &arguments, dir, stdin)
}

fn file(dir: &Path, name: &str) -> Vec<Value> {
    records(&fs::read(dir.join(name)).unwrap())
}

fn ids(records: &[Value]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record["id"].as_str().unwrap())
        .collect()
}

/// Code and offset of each reject that is an error.
fn errors(rejects: &[Value]) -> Vec<(&str, u64)> {
    rejects
        .iter()
        .filter(|reject| reject["class"] == "error")
        .map(|reject| {
            let offset = reject["offset"].as_u64().unwrap_or(u64::MAX);
            (reject["code"].as_str().unwrap(), offset)
        })
        .collect()
}

fn png(seed: u64) -> Vec<u8> {
    fixtures::encoded(&fixtures::picture(seed, 160, 120), ImageFormat::Png)
}

/// A WARC record.
fn record(kind: &str, id: u32, url: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{id}>\r\nWARC-Target-URI: {url}\r\n\
         WARC-Date: 2024-01-02T03:04:05Z\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body, b"\r\n\r\n"].concat()
}

fn response(id: u32, url: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let http = [b"HTTP/1.1 ", head.as_bytes(), b"\r\n\r\n", body].concat();
    record(
        "response",
        id,
        url,
        "application/http; msgtype=response",
        &http,
    )
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn page(number: u32) -> Vec<u8> {
    format!(
        "<html lang=de><title>Page {number}</title><main><p>The boat number {number} comes in before the evening.\
         <img src='/pictures/{number}.png' srcset='far.png 2000w'><img src=moved.png><img src=http://other.example/x.png>\
         <img src=file:///etc/hostname>\
         <a rel=license href=https://creativecommons.org/licenses/by/4.0/>CC</a></main>"
    )
    .into_bytes()
}

fn site() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fixtures::documents(&dir.path().join("site"), 2);
    dir
}

#[test]
fn a_resumed_run_over_containers_ends_as_a_clean_one() {
    let dir = site();
    let crawl: Vec<Vec<u8>> = (0..400)
        .map(|number| {
            response(
                number,
                &format!("http://a.example/{number}"),
                "200 OK\r\nContent-Type: text/html",
                &page(number),
            )
        })
        .collect();
    fs::write(dir.path().join("a.warc"), crawl.concat()).unwrap();
    epub::book(dir.path(), "b.epub");
    fs::write(dir.path().join("c.tar"), samples::samples()).unwrap();
    let operands = ["a.warc", "b.epub", "c.tar", "site", "-j", "2"];
    let clean = extract(dir.path(), &operands, b"").expect(&[1]).out;
    let resumed = [&operands[..], &["-o", "out", "--resume"]].concat();
    let arguments: Vec<&str> = PLAIN
        .iter()
        .copied()
        .chain(resumed.iter().copied())
        .collect();
    // Killed at several moments, the last time not at all.
    for wait in [5, 20, 60, 150] {
        let mut child = std::process::Command::new(PROGRAM)
            .current_dir(dir.path())
            .args(&arguments)
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let _ = extract(dir.path(), &resumed, b"").expect(&[0, 1]);
    assert_eq!(fs::read(dir.path().join("out")).unwrap(), clean);
}
