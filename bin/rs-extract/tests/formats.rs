//! Data sets and Markdown on the command line: OBELICS, MMC4 and `OmniCorpus` as lines and as Parquet.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use image::{ImageFormat, RgbImage};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use realsyn_behaviour::{Finished, records, run};
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_rs-extract");

/// What is asked of sentences is not asked here.
const RULES: &str = "other-language,low-complexity,no-action,low-entropy";

fn extract(dir: &Path, arguments: &[&str], stdin: &[u8]) -> Finished {
    let arguments: Vec<String> = ["-q", "--skip-rule", RULES]
        .iter()
        .chain(arguments)
        .map(|&argument| argument.to_owned())
        .collect();
    run(PROGRAM.as_ref(), &arguments, dir, stdin)
}

/// The text, path or URL of each record.
fn gist(bytes: &[u8]) -> Vec<String> {
    let of = |record: &Value| {
        let found = ["text", "path", "url"]
            .iter()
            .find_map(|key| record[*key].as_str());
        found.unwrap().to_owned()
    };
    records(bytes).iter().map(of).collect()
}

/// File, line and code of each reject, as `file:line code`.
fn rejects(dir: &Path) -> Vec<String> {
    let of = |reject: &Value| {
        let line = reject["line"].as_u64().unwrap_or(0);
        let (file, code) = (&reject["file"], &reject["code"]);
        format!(
            "{}:{line} {}",
            file.as_str().unwrap(),
            code.as_str().unwrap()
        )
    };
    let mut found = records(&fs::read(dir.join("r")).unwrap());
    found.retain(|reject| reject["class"] == "error");
    found.iter().map(of).collect()
}

/// A folder with a picture.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let file = File::create(dir.path().join("a.png")).unwrap();
    RgbImage::new(160, 120)
        .write_to(&mut std::io::BufWriter::new(file), ImageFormat::Png)
        .unwrap();
    dir
}

/// A document of OBELICS: its images and texts by position.
type Document = (Vec<Option<String>>, Vec<Option<String>>);

fn documents(count: usize) -> Vec<Document> {
    (0..count)
        .map(|number| {
            let texts = vec![
                Some(format!(
                    "The “first” sentence of number {number}.\n\nThe second is \\ as plain."
                )),
                None,
                Some("The last \"one\" is the same in all.".to_owned()),
                None,
            ];
            let url = format!("https://a.example/{number}.jpg");
            (vec![None, Some("a.png".to_owned()), None, Some(url)], texts)
        })
        .collect()
}

const METADATA: &str =
    r#"[null,{"alt_text":"A picture"},null,{"original_width":640,"original_height":480}]"#;
const GENERAL: &str = r#"{"url": "https://a.example/page", "warc_record_offset": 7}"#;

/// The lines that a compact writer makes of documents, keys as in the released files.
fn lines(documents: &[Document]) -> String {
    let mut lines = String::new();
    for (images, texts) in documents {
        writeln!(
            lines,
            "{{\"images\":{},\"metadata\":{},\"general_metadata\":{},\"texts\":{}}}",
            json(images),
            json(&METADATA),
            json(&GENERAL),
            json(texts)
        )
        .unwrap();
    }
    lines
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

/// The same documents as Parquet, `rows` to a row group.
fn parquet(path: &Path, documents: &[Document], rows: usize) {
    let schema = "message m {
        optional group images (LIST) { repeated group list { optional binary element (STRING); } }
        optional binary metadata (STRING);
        optional binary general_metadata (STRING);
        optional group texts (LIST) { repeated group list { optional binary element (STRING); } }
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties.build())).unwrap();
    for documents in documents.chunks(rows) {
        let mut group = writer.next_row_group().unwrap();
        for number in 0..4 {
            let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
            for (images, texts) in documents {
                match number {
                    0 | 3 => {
                        for (at, entry) in
                            [images, texts][usize::from(number == 3)].iter().enumerate()
                        {
                            defined.push(if entry.is_some() { 3 } else { 2 });
                            repeated.push(i16::from(at > 0));
                            values.extend(entry.as_deref().map(ByteArray::from));
                        }
                    }
                    number => {
                        defined.push(1);
                        values.push(ByteArray::from([METADATA, GENERAL][number - 1]));
                    }
                }
            }
            let mut column = group.next_column().unwrap().unwrap();
            column
                .typed::<ByteArrayType>()
                .write_batch(
                    &values,
                    Some(&defined),
                    Some(&repeated[..]).filter(|levels| !levels.is_empty()),
                )
                .unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn lines_and_parquet_give_the_same_records() {
    let dir = folder();
    let documents = documents(50);
    fs::write(dir.path().join("d.jsonl"), lines(&documents)).unwrap();
    parquet(&dir.path().join("d.parquet"), &documents, 20);
    let expected = extract(dir.path(), &["d.jsonl"], b"").expect(&[0]).out;
    let found = records(&expected);
    assert_eq!(found.len(), 50 * 5);
    assert_eq!(
        gist(&expected)[..5],
        [
            "The “first” sentence of number 0.",
            "The second is \\ as plain.",
            "a.png",
            "The last \"one\" is the same in all.",
            "https://a.example/0.jpg",
        ]
    );
    assert_eq!(
        (&found[2]["alt"], &found[2]["width"]),
        (&"A picture".into(), &160.into())
    );
    assert_eq!(found[4]["declared_width"], 640);
    for jobs in ["1", "3"] {
        let rows = extract(dir.path(), &["-j", jobs, "d.parquet"], b"")
            .expect(&[0])
            .out;
        assert!(rows == expected, "the rows give other records at -j {jobs}");
    }
    // Over a pipe, and compressed as a whole.
    let bytes = fs::read(dir.path().join("d.parquet")).unwrap();
    assert!(extract(dir.path(), &["-"], &bytes).expect(&[0]).out == expected);
    assert!(
        extract(dir.path(), &["--from", "parquet"], &bytes)
            .expect(&[0])
            .out
            == expected
    );
}

#[test]
fn a_resumed_run_over_parquet_goes_on_behind_what_was_done() {
    let dir = folder();
    let documents = documents(200);
    parquet(&dir.path().join("d.parquet"), &documents, 70);
    let whole = extract(dir.path(), &["d.parquet"], b"").expect(&[0]).out;
    for number in 0..6_u64 {
        let mut child = std::process::Command::new(PROGRAM)
            .current_dir(dir.path())
            .args([
                "-q",
                "--skip-rule",
                RULES,
                "-j",
                "1",
                "-o",
                "out",
                "-f",
                "d.parquet",
            ])
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(4 * number * number));
        let _ = child.kill();
        child.wait().unwrap();
        let _ = extract(
            dir.path(),
            &["-j", "1", "-o", "out", "--resume", "d.parquet"],
            b"",
        )
        .expect(&[0]);
        assert!(
            fs::read(dir.path().join("out")).unwrap() == whole,
            "{number}"
        );
        fs::remove_file(dir.path().join("out")).unwrap();
    }
}

#[test]
fn damaged_parquet_is_rejected_with_its_place_and_the_run_goes_on() {
    let dir = folder();
    let documents = documents(300);
    let at = |name: &str| dir.path().join(name);
    parquet(&at("a.parquet"), &documents, 100);
    let length = fs::metadata(at("a.parquet")).unwrap().len();
    fs::copy(at("a.parquet"), at("b.parquet")).unwrap();
    let file = File::options().write(true).open(at("b.parquet")).unwrap();
    file.set_len(length - 9).unwrap();
    fs::write(at("c.jsonl"), lines(&documents[..1])).unwrap();
    // The texts of the second row group.
    let reader = SerializedFileReader::new(File::open(at("a.parquet")).unwrap()).unwrap();
    let (start, _) = reader.metadata().row_group(1).column(3).byte_range();
    let mut file = File::options().write(true).open(at("a.parquet")).unwrap();
    file.seek(std::io::SeekFrom::Start(start + 60)).unwrap();
    file.write_all(&[0xff; 300]).unwrap();
    let names = ["--rejects", "r", "a.parquet", "b.parquet", "c.jsonl"];
    let out = extract(dir.path(), &names, b"").expect(&[1]).out;
    let found = rejects(dir.path());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("a.parquet:1") && found[0].ends_with(" bad-parquet"),
        "{found:?}"
    );
    assert_eq!(found[1], "b.parquet:0 bad-parquet");
    let message = records(&fs::read(at("r")).unwrap())[0]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("row group 1, row "), "{message}");
    let last = format!("number {}.", 299);
    let texts = gist(&out);
    assert!(
        texts.iter().any(|text| text.ends_with(&last)),
        "the third row group is lost"
    );
    assert!(texts.len() >= 201 * 5, "{}", texts.len());
}

#[test]
fn mmc4_omnicorpus_and_markdown_are_told_apart() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    let lines = r#"{"text_list":["The cat is asleep now.","The dog is not asleep."],"image_info":[{"image_name":"a.png","raw_url":"https://a.example/1.jpg","matched_text_index":1},{"image_name":"b.png","raw_url":"https://a.example/2.jpg","matched_text_index":0}],"url":"https://a.example/p"}
{"general_metadata":{"url":"https://a.example/q","title":"Q"},"images":[null,"https://a.example/3.jpg"],"texts":["The hen is there too.",null],"metadata":[null,{"width":300,"height":200}]}
"#;
    fs::write(at("mixed.jsonl"), lines).unwrap();
    fs::write(
        at("readme.md"),
        "<p align=center>\n\n# The head is here\n\nThe text is [as it](x) is. ![A](a.png)\n",
    )
    .unwrap();
    let out = extract(dir.path(), &["mixed.jsonl", "readme.md"], b"")
        .expect(&[0])
        .out;
    assert_eq!(
        gist(&out),
        [
            "https://a.example/2.jpg",
            "The cat is asleep now.",
            "a.png",
            "The dog is not asleep.",
            "The hen is there too.",
            "https://a.example/3.jpg",
            "The head is here",
            "The text is as it is.",
            "a.png",
        ]
    );
    let found = records(&out);
    assert_eq!(
        (&found[5]["title"], &found[5]["declared_width"]),
        (&"Q".into(), &300.into())
    );
    let out = extract(
        dir.path(),
        &["--from", "markdown"],
        b"*The text* is on the pipe.",
    )
    .expect(&[0])
    .out;
    assert_eq!(gist(&out), ["The text is on the pipe."]);
    // What is asked for is not guessed.
    let finished = extract(
        dir.path(),
        &["--from", "mmc4", "--rejects", "r", "-f", "mixed.jsonl"],
        b"",
    )
    .expect(&[1]);
    assert_eq!(gist(&finished.out).len(), 4);
    assert_eq!(rejects(dir.path()), ["mixed.jsonl:2 bad-mmc4"]);
}

#[test]
fn hostile_lines_are_rejects_with_file_and_line() {
    let dir = folder();
    let mut bytes = Vec::new();
    for line in [
        format!("{{\"images\":{}", "[".repeat(1 << 20)),
        format!("{{\"x\":{}1{}}}", "[".repeat(100), "]".repeat(100)),
        "{\"images\":null,\"texts\":null}".to_owned(),
        "{\"images\":[null],\"texts\":[7]}".to_owned(),
        "{\"text_list\":{}}".to_owned(),
        "{\"images\":[null],\"texts\":[null],\"general_metadata\":null,\"metadata\":null}"
            .to_owned(),
        "{\"general_metadata\":{},\"images\":[[]],\"texts\":[]}".to_owned(),
        "{\"any\":\"thing\"}".to_owned(),
    ] {
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(b"{\"images\":[null],\"texts\":[\"\xff\xfe\"]}\n");
    bytes.extend_from_slice(b"{\"images\":[null],\"texts\":[\"The last one is well.\"]}\n");
    fs::write(dir.path().join("h.jsonl"), bytes).unwrap();
    let out = extract(dir.path(), &["--rejects", "r", "h.jsonl"], b"")
        .expect(&[1])
        .out;
    assert_eq!(gist(&out), ["The last one is well."]);
    assert_eq!(
        rejects(dir.path()),
        [
            "h.jsonl:1 bad-json",
            "h.jsonl:2 unknown-document",
            "h.jsonl:3 bad-obelics",
            "h.jsonl:4 bad-obelics",
            "h.jsonl:5 bad-mmc4",
            "h.jsonl:7 bad-omnicorpus",
            "h.jsonl:8 unknown-document",
            "h.jsonl:9 bad-json",
        ]
    );
}

#[test]
fn parquet_of_something_else_is_unknown() {
    let dir = folder();
    let schema =
        Arc::new(parse_message_type("message m { optional binary caption (STRING); }").unwrap());
    let file = File::create(dir.path().join("x.parquet")).unwrap();
    let writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    writer.close().unwrap();
    let _ = extract(dir.path(), &["--rejects", "r", "x.parquet"], b"").expect(&[1]);
    assert_eq!(rejects(dir.path()), ["x.parquet:0 unknown-document"]);
}
