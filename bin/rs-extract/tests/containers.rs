//! rs-extract over containers: WARC, ARC, EPUB, WebDataset; and lists of files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says what went wrong by panicking"
)]

use std::fs;
use std::io::Write;
use std::path::Path;

use image::ImageFormat;
use realsyn_behaviour::{Finished, fixtures, run};
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

fn records(bytes: &[u8]) -> Vec<Value> {
    bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
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

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut chunks = Vec::new();
    for part in body.chunks(100) {
        write!(chunks, "{:x}\r\n", part.len()).unwrap();
        chunks.extend_from_slice(part);
        chunks.extend_from_slice(b"\r\n");
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    chunks
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

/// Records as they may stand: a picture before and one behind its page, bodies as servers send them, and much else.
fn crawl() -> Vec<Vec<u8>> {
    let html = "200 OK\r\nContent-Type: text/html; charset=utf-8";
    vec![
        record(
            "warcinfo",
            0,
            "",
            "application/warc-fields",
            b"software: x\r\n",
        ),
        response(
            1,
            "http://a.example/pictures/1.png",
            "200 OK\r\nContent-Type: text/html",
            &png(1),
        ),
        response(
            2,
            "http://a.example/d/1.html",
            &format!("{html}\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip"),
            &chunked(&gz(&page(1))),
        ),
        record(
            "request",
            3,
            "http://a.example/d/1.html",
            "application/http",
            b"GET / HTTP/1.1\r\n\r\n",
        ),
        response(
            4,
            "http://a.example/d/moved.png",
            "301 Moved\r\nLocation: ../pictures/2.png#x",
            b"",
        ),
        response(
            5,
            "http://a.example/gone",
            "404 Not Found\r\nContent-Type: text/html",
            &page(9),
        ),
        response(6, "http://a.example/d/2.html", html, &page(2)),
        record(
            "resource",
            7,
            "http://a.example/pictures/2.png",
            "image/png",
            &png(2),
        ),
        record("metadata", 8, "http://a.example/", "text/plain", b"x"),
        response(
            9,
            "http://a.example/style.css",
            "200 OK\r\nContent-Type: text/css",
            b"p {}",
        ),
    ]
}

#[test]
fn a_page_is_paired_with_the_pictures_of_its_warc() {
    let dir = tempfile::tempdir().unwrap();
    let whole = crawl().concat();
    fs::write(dir.path().join("a.warc"), &whole).unwrap();
    let finished = extract(
        dir.path(),
        &["a.warc", "--report", "f", "--rejects", "r"],
        b"",
    )
    .expect(&[0]);
    let found = records(&finished.out);
    assert_eq!(
        ids(&found),
        [
            "urn:uuid:2/s0",
            "urn:uuid:2/i0",
            "urn:uuid:2/i1",
            "urn:uuid:2/i2",
            "urn:uuid:6/s0",
            "urn:uuid:6/i0",
            "urn:uuid:6/i1",
            "urn:uuid:6/i2",
        ]
    );
    let sentence = &found[0];
    assert_eq!(
        sentence["text"],
        "The boat number 1 comes in before the evening."
    );
    for (key, value) in [
        ("doc_url", "http://a.example/d/1.html"),
        ("lang", "de"),
        ("license", "https://creativecommons.org/licenses/by/4.0/"),
    ] {
        assert_eq!(sentence[key], value);
        assert_eq!(found[1][key], value);
    }
    let offset = crawl()[0].len();
    let image = &found[1];
    assert_eq!(
        (
            &image["url"],
            &image["archive"],
            &image["offset"],
            &image["width"],
            &image["title"]
        ),
        (
            &"http://a.example/pictures/1.png".into(),
            &"a.warc".into(),
            &offset.into(),
            &160.into(),
            &"Page 1".into()
        )
    );
    assert_eq!(image["bytes"].as_u64(), Some(png(1).len() as u64));
    // Behind the redirection lies the other picture; what is not in the file keeps its URL alone.
    assert_eq!(found[2]["url"], "http://a.example/d/moved.png");
    assert_eq!(found[2]["hash"], found[5]["hash"]);
    assert_eq!(
        (found[3].get("hash"), &found[3]["url"]),
        (None, &"http://other.example/x.png".into())
    );
    // The file: URL of a page of the net names nothing.
    assert!(
        file(dir.path(), "r")
            .iter()
            .any(|reject| reject["code"] == "no-source")
    );
    let funnel = file(dir.path(), "f");
    let counts = funnel
        .iter()
        .find(|counts| counts["kind"] == "record")
        .unwrap();
    assert_eq!((&counts["seen"], &counts["kept"]), (&10.into(), &4.into()));
    for code in [
        "warcinfo",
        "request",
        "redirect",
        "status",
        "metadata",
        "other-type",
    ] {
        assert_eq!(counts["dropped"][code], 1, "{code}");
    }
}

#[test]
fn any_form_of_a_warc_gives_the_same_records() {
    let dir = tempfile::tempdir().unwrap();
    let whole = crawl().concat();
    let by_record: Vec<u8> = crawl().iter().flat_map(|record| gz(record)).collect();
    fs::write(dir.path().join("a.warc"), &whole).unwrap();
    fs::write(dir.path().join("b.warc.gz"), by_record).unwrap();
    fs::write(dir.path().join("c.warc.gz"), gz(&whole)).unwrap();
    let plain = |bytes: &[u8]| {
        let mut found = records(bytes);
        for record in &mut found {
            let record = record.as_object_mut().unwrap();
            record.remove("archive");
            record.remove("offset");
        }
        found
    };
    let expected = plain(
        &extract(dir.path(), &["a.warc", "-j", "1"], b"")
            .expect(&[0])
            .out,
    );
    assert_eq!(expected.len(), 8);
    for name in ["b.warc.gz", "c.warc.gz"] {
        let out = extract(dir.path(), &[name, "-j", "3"], b"")
            .expect(&[0])
            .out;
        assert_eq!(plain(&out), expected, "{name}");
    }
    let out = extract(dir.path(), &[], &whole).expect(&[0]).out;
    assert_eq!(plain(&out), expected);
    assert_eq!(records(&out)[1]["archive"], "-");
    let one = extract(dir.path(), &["b.warc.gz", "-j", "1"], b"")
        .expect(&[0])
        .out;
    let many = extract(dir.path(), &["b.warc.gz", "-j", "8"], b"")
        .expect(&[0])
        .out;
    assert_eq!(one, many);
}

#[test]
fn pictures_are_put_on_a_shelf_under_their_hash() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.warc"), crawl().concat()).unwrap();
    let data = "data:image/png;base64,iVBORw0KGgo=";
    fs::write(
        dir.path().join("p.html"),
        format!("<main><p>A cut picture is shown here.<img src='{data}'>"),
    )
    .unwrap();
    let finished = extract(
        dir.path(),
        &["a.warc", "p.html", "--images-to", "pics/new"],
        b"",
    )
    .expect(&[1]);
    let found = records(&finished.out);
    let path = found[1]["path"].as_str().unwrap();
    let digits = found[1]["hash"]
        .as_str()
        .unwrap()
        .strip_prefix("b3:")
        .unwrap();
    assert_eq!(path, format!("pics/new/{}/{digits}.png", &digits[..2]));
    assert_eq!(fs::read(dir.path().join(path)).unwrap(), png(1));
    // A shelf that cannot be written to ends the run: every picture would be lost.
    let finished = extract(dir.path(), &["a.warc", "--images-to", "p.html"], b"").expect(&[2]);
    assert!(finished.err.contains("cannot write"), "{}", finished.err);
}

#[test]
fn a_damaged_member_is_rejected_with_its_offset_and_the_next_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let members: Vec<Vec<u8>> = crawl().iter().map(|record| gz(record)).collect();
    let at = |number: usize| members[..number].iter().map(Vec::len).sum::<usize>();
    let mut bytes = members.concat();
    // The first of all and the page in the middle; the last is cut.
    bytes[at(0) + 20] ^= 0xff;
    bytes[at(2) + 60] ^= 0xff;
    bytes.truncate(bytes.len() - 9);
    fs::write(dir.path().join("a.warc.gz"), &bytes).unwrap();
    let finished = extract(dir.path(), &["a.warc.gz", "--rejects", "r"], b"").expect(&[1]);
    let found = records(&finished.out);
    assert_eq!(ids(&found)[0], "urn:uuid:6/s0");
    let rejects = file(dir.path(), "r");
    let lost = errors(&rejects);
    assert_eq!(
        lost.iter().map(|(_, offset)| *offset).collect::<Vec<_>>(),
        [at(0) as u64, at(2) as u64, at(9) as u64],
        "{lost:?}"
    );
    assert!(rejects.iter().all(|reject| reject["file"] == "a.warc.gz"));
}

#[test]
fn a_plain_record_with_a_wrong_length_does_not_lose_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut parts = crawl();
    let wrong = |bytes: &[u8], by: i64| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, rest) = text.split_once("Content-Length: ").unwrap();
        let (length, rest) = rest.split_once("\r\n").unwrap();
        format!(
            "{head}Content-Length: {}\r\n{rest}",
            length.parse::<i64>().unwrap() + by
        )
        .into_bytes()
    };
    parts[5] = wrong(&parts[5], -7);
    parts[8] = wrong(&parts[8], 1 << 40);
    parts.insert(2, b"garbage between records\r\n\r\n".to_vec());
    let at = |number: usize| parts[..number].iter().map(Vec::len).sum::<usize>() as u64;
    fs::write(dir.path().join("a.warc"), parts.concat()).unwrap();
    let finished = extract(
        dir.path(),
        &["a.warc", "--rejects", "r", "--report", "f"],
        b"",
    )
    .expect(&[1]);
    // The record before the garbage is lost with it: nothing tells that its length was right.
    let found = records(&finished.out);
    assert_eq!(ids(&found)[0], "urn:uuid:2/s0");
    assert!(ids(&found).contains(&"urn:uuid:6/i1"));
    let rejects = file(dir.path(), "r");
    assert_eq!(
        errors(&rejects),
        [
            ("bad-record", at(1)),
            ("bad-record", at(6)),
            ("truncated-record", at(9))
        ]
    );
}

#[test]
fn an_arc_file_is_read_as_a_warc_file_is() {
    let dir = tempfile::tempdir().unwrap();
    let entry = |url: &str, kind: &str, body: &[u8]| {
        let head = format!("{url} 192.0.2.1 20140216050221 {kind} {}\n", body.len());
        [head.as_bytes(), body, b"\n"].concat()
    };
    let http = |kind: &str, body: &[u8]| {
        [
            format!("HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\n\r\n").as_bytes(),
            body,
        ]
        .concat()
    };
    let parts = [
        entry(
            "filedesc://a.arc",
            "text/plain",
            b"1 0 x\nURL IP-address Archive-date Content-type Archive-length\n",
        ),
        entry(
            "http://a.example/d/1.html",
            "text/html",
            &http("text/html", &page(1)),
        ),
        entry(
            "http://a.example/pictures/1.png",
            "image/png",
            &http("image/png", &png(1)),
        ),
        entry("dns:a.example", "text/dns", b"x"),
    ];
    fs::write(dir.path().join("a.arc"), parts.concat()).unwrap();
    let members: Vec<u8> = parts.iter().flat_map(|part| gz(part)).collect();
    fs::write(dir.path().join("a.arc.gz"), members).unwrap();
    let plain = records(&extract(dir.path(), &["a.arc"], b"").expect(&[0]).out);
    let packed = records(&extract(dir.path(), &["a.arc.gz"], b"").expect(&[0]).out);
    assert_eq!(ids(&plain), ids(&packed));
    assert_eq!(
        (plain.len(), &plain[1]["width"], &plain[0]["doc_url"]),
        (4, &160.into(), &"http://a.example/d/1.html".into())
    );
    // No id of its own: one that is made of what it holds.
    assert!(plain[0]["doc"].as_str().unwrap().starts_with("b3:"));
}

#[test]
fn a_bomb_in_a_warc_costs_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut bomb = gz(&vec![b' '; 40 << 20]);
    bomb = response(
        1,
        "http://a.example/b",
        "200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip",
        &bomb,
    );
    let parts = [
        bomb,
        response(
            2,
            "http://a.example/p",
            "200 OK\r\nContent-Type: text/html",
            &page(1),
        ),
    ];
    fs::write(dir.path().join("a.warc"), parts.concat()).unwrap();
    let finished = extract(dir.path(), &["a.warc", "--rejects", "r"], b"").expect(&[1]);
    assert_eq!(errors(&file(dir.path(), "r")), [("document-too-large", 0)]);
    assert_eq!(ids(&records(&finished.out))[0], "urn:uuid:2/s0");
}

fn book(dir: &Path, name: &str) {
    let mut zip = zip::ZipWriter::new(fs::File::create(dir.join(name)).unwrap());
    let mut put = |name: &str, bytes: &[u8]| {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    };
    put("mimetype", b"application/epub+zip");
    put(
        "META-INF/container.xml",
        b"<container><rootfiles><rootfile full-path='OEBPS/p.opf'/></rootfiles></container>",
    );
    put(
        "OEBPS/p.opf",
        b"<package><metadata><dc:title>The Boats</dc:title><dc:language>en</dc:language><dc:source>https://books.example/1</dc:source>\
          <dc:rights>Copyright 1999 The Sailors</dc:rights>\
          </metadata><manifest><item id='b' href='t/b.xhtml' media-type='application/xhtml+xml'/><item id='a' href='t/a.xhtml' \
          media-type='application/xhtml+xml'/><item id='gone' href='t/gone.xhtml' media-type='application/xhtml+xml'/></manifest>\
          <spine><itemref idref='b'/><itemref idref='gone'/><itemref idref='a'/></spine></package>",
    );
    put("OEBPS/t/a.xhtml", b"<?xml version='1.0'?><html><head><title/></head><body><p>The second chapter <a id='x'/>is here.</p></body></html>");
    put(
        "OEBPS/t/b.xhtml",
        b"<html><body><p>The first chapter shows a boat.</p><figure><img src='../i/1.png' alt='A boat'/><figcaption>A boat at sea</figcaption></figure>\
          <img src='../../../../etc/hostname'/><img src='../i/none.png'/></body></html>",
    );
    put("OEBPS/i/1.png", &png(1));
    zip.finish().unwrap();
}

#[test]
fn a_book_is_its_chapters_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    book(dir.path(), "a.epub");
    let finished = extract(dir.path(), &["a.epub", "--rejects", "r"], b"").expect(&[1]);
    let found = records(&finished.out);
    assert_eq!(
        ids(&found),
        [
            "a.epub/OEBPS/t/b.xhtml/s0",
            "a.epub/OEBPS/t/b.xhtml/i0",
            "a.epub/OEBPS/t/b.xhtml/s1",
            "a.epub/OEBPS/t/a.xhtml/s0"
        ]
    );
    assert_eq!(found[3]["text"], "The second chapter is here.");
    let image = &found[1];
    assert_eq!(
        (
            &image["archive"],
            &image["member"],
            &image["figcaption"],
            &image["title"],
            &image["width"]
        ),
        (
            &"a.epub".into(),
            &"OEBPS/i/1.png".into(),
            &"A boat at sea".into(),
            &"The Boats".into(),
            &160.into()
        )
    );
    assert_eq!(
        (&image["lang"], &image["doc_url"]),
        (&"en".into(), &"https://books.example/1".into())
    );
    // That it is somebody's is no licence.
    assert!(image.get("license").is_none());
    let rejects = file(dir.path(), "r");
    let codes: Vec<&str> = rejects
        .iter()
        .map(|reject| reject["code"].as_str().unwrap())
        .collect();
    for code in ["no-source", "missing-image", "missing-chapter"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    let bytes = fs::read(dir.path().join("a.epub")).unwrap();
    assert_eq!(
        records(&extract(dir.path(), &[], &bytes).expect(&[1]).out).len(),
        4
    );
    fs::write(dir.path().join("cut.epub"), &bytes[..bytes.len() / 2]).unwrap();
    let _ = extract(dir.path(), &["cut.epub", "--rejects", "cut"], b"").expect(&[1]);
    assert_eq!(file(dir.path(), "cut")[0]["code"], "bad-epub");
}

fn samples() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut put = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes).unwrap();
    };
    put("000.png", &png(1));
    put(
        "000.txt",
        "The boat comes in. The evening\nis near the sea.".as_bytes(),
    );
    put(
        "000.json",
        br#"{"url":"https://p.example/0.png","license":"CC0","key":"000"}"#,
    );
    put(
        "001.json",
        br#"{"caption":"A caption of the picture alone."}"#,
    );
    put("001.png", &png(2));
    put(
        "d/002.html",
        b"<main><p>A page of a sample is here.<img src=002.png>",
    );
    put("d/002.png", &png(3));
    put("003.png", b"no picture at all");
    builder.into_inner().unwrap()
}

#[test]
fn a_tar_is_its_samples() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = samples();
    fs::write(dir.path().join("a.tar"), &bytes).unwrap();
    fs::write(dir.path().join("a.tar.gz"), gz(&bytes)).unwrap();
    let finished = extract(dir.path(), &["a.tar", "--rejects", "r"], b"").expect(&[1]);
    let found = records(&finished.out);
    assert_eq!(
        ids(&found),
        [
            "a.tar/000/i0",
            "a.tar/000/s0",
            "a.tar/000/s1",
            "a.tar/001/i0",
            "a.tar/001/s0",
            "a.tar/d/002/s0",
            "a.tar/d/002/i0",
        ]
    );
    let image = &found[0];
    assert_eq!(
        (
            &image["url"],
            &image["archive"],
            &image["member"],
            &image["offset"],
            &image["license"]
        ),
        (
            &"https://p.example/0.png".into(),
            &"a.tar".into(),
            &"000.png".into(),
            &0.into(),
            &"CC0".into()
        )
    );
    assert_eq!(found[2]["text"], "The evening is near the sea.");
    assert_eq!(file(dir.path(), "r")[0]["code"], "unsupported-image");
    let packed = records(
        &extract(dir.path(), &["a.tar.gz", "-j", "3"], b"")
            .expect(&[1])
            .out,
    );
    assert_eq!(packed.len(), found.len());
    // What is whole before the cut is kept.
    let cut = extract(
        dir.path(),
        &["--rejects", "cut"],
        &bytes[..3 * 512 + png(1).len()],
    )
    .expect(&[1]);
    assert!(!records(&cut.out).is_empty());
    assert_eq!(file(dir.path(), "cut").last().unwrap()["class"], "error");
}

fn site() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fixtures::documents(&dir.path().join("site"), 2);
    dir
}

#[test]
fn names_are_read_from_a_list() {
    let dir = site();
    let named = extract(dir.path(), &["site"], b"").expect(&[0]).out;
    let list = b"site/doc0.html\0site/doc1.html";
    fs::write(dir.path().join("list"), list).unwrap();
    assert_eq!(
        extract(dir.path(), &["--files0-from", "list"], b"")
            .expect(&[0])
            .out,
        named
    );
    assert_eq!(
        extract(dir.path(), &["--files0-from", "-"], list)
            .expect(&[0])
            .out,
        named
    );
    // What cannot be read is rejected, and the list goes on.
    let finished = extract(
        dir.path(),
        &["--files0-from", "-", "--rejects", "r"],
        b"nowhere\0site\0",
    )
    .expect(&[1]);
    assert_eq!(finished.out, named);
    let rejects = file(dir.path(), "r");
    assert_eq!(
        (&rejects[0]["code"], &rejects[0]["file"]),
        (&"unreadable".into(), &"nowhere".into())
    );
    let _ = extract(dir.path(), &["--files0-from", "list", "site"], b"").expect(&[2]);
    let _ = extract(dir.path(), &["--files0-from", "nowhere"], b"").expect(&[2]);
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_rejected_and_others_followed() {
    use std::os::unix::fs::symlink;
    let dir = site();
    let at = |name: &str| dir.path().join("site").join(name);
    symlink("loop.html", at("loop.html")).unwrap();
    symlink("nowhere.html", at("gone.html")).unwrap();
    symlink("doc0.html", at("link.html")).unwrap();
    symlink(".", at("folder.html")).unwrap();
    fs::create_dir(at("a-folder.html")).unwrap();
    let finished = extract(dir.path(), &["site", "--rejects", "r"], b"").expect(&[1]);
    let rejects = file(dir.path(), "r");
    let lost: Vec<&str> = rejects
        .iter()
        .map(|reject| reject["file"].as_str().unwrap())
        .collect();
    assert_eq!(lost, ["site/gone.html", "site/loop.html"]);
    assert!(ids(&records(&finished.out)).contains(&"site/link.html/s0"));
}

#[test]
fn what_is_no_document_is_told() {
    let dir = site();
    fs::write(dir.path().join("x.html"), png(1)).unwrap();
    fs::write(dir.path().join("x.zip"), b"PK\x03\x04 no zip").unwrap();
    let finished = extract(
        dir.path(),
        &["x.html", "x.zip", "site/doc0.html", "--rejects", "r"],
        b"",
    )
    .expect(&[1]);
    assert!(!finished.out.is_empty());
    let rejects = file(dir.path(), "r");
    let codes: Vec<&str> = rejects
        .iter()
        .map(|reject| reject["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["unknown-format", "bad-epub"]);
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
    book(dir.path(), "b.epub");
    fs::write(dir.path().join("c.tar"), samples()).unwrap();
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
