//! WARC and ARC files.

use std::fs;

use super::*;

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
