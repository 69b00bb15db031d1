//! `--model hf:OWNER/NAME`, against a static server with the hub's layout on the loopback.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use realsyn_behaviour::fixtures::{image_records, model, sentence_records};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The hub: one model, `acme/tiny-clip`, and what was asked for.
struct Hub {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Hub {
    fn start(files: BTreeMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (files, seen) = (Arc::new(files), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (files, seen) = (Arc::clone(&files), Arc::clone(&seen));
                thread::spawn(
                    move || while answer(stream.as_ref().unwrap(), &files, &seen).is_some() {},
                );
            }
        });
        Self { url, asked }
    }

    /// The files whose contents were sent.
    fn sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// Answers one request; nothing when the client has gone.
fn answer(
    stream: &TcpStream,
    files: &BTreeMap<String, Vec<u8>>,
    seen: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|&bytes| bytes > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut range = None;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        let header = header.to_ascii_lowercase();
        if let Some(bytes) = header.trim().strip_prefix("range: bytes=") {
            let (from, to) = bytes.split_once('-')?;
            range = Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()));
        }
    }
    let mut more = String::new();
    let (status, body) = if path == "/api/models/acme/tiny-clip/revision/main" {
        let names: Vec<String> = files
            .keys()
            .map(|name| format!("{{\"rfilename\":\"{name}\"}}"))
            .collect();
        let info = format!(
            "{{\"sha\":\"{COMMIT}\",\"siblings\":[{}]}}",
            names.join(",")
        );
        ("200 OK", info.into_bytes())
    } else {
        let file = path
            .strip_prefix("/acme/tiny-clip/resolve/")
            .and_then(|rest| rest.split_once('/'))
            .and_then(|(_, name)| Some((name.to_owned(), files.get(name)?)));
        match file {
            None => ("404 Not Found", b"no".to_vec()),
            Some((name, whole)) => {
                write!(
                    more,
                    "x-repo-commit: {COMMIT}\r\netag: \"{}\"\r\n",
                    name.replace('/', "-")
                )
                .unwrap();
                let (from, to) = range.unwrap_or((0, None));
                let to = to.unwrap_or(usize::MAX).min(whole.len() - 1);
                if to > 0 {
                    seen.lock().unwrap().push(name);
                }
                write!(more, "content-range: bytes {from}-{to}/{}\r\n", whole.len()).unwrap();
                ("206 Partial Content", whole[from..=to].to_vec())
            }
        }
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{more}\r\n",
        body.len()
    )
    .and_then(|()| stream.write_all(&body))
    .ok()
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn embed(dir: &Path, arguments: &[&str], endpoint: &str, offline: bool) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rs-embed"));
    command
        .args(["--engine", "rten", "records.jsonl"])
        .args(arguments)
        .current_dir(dir)
        .env("HF_HOME", dir.join("cache"))
        .env("HF_ENDPOINT", endpoint)
        .env_remove("HF_HUB_OFFLINE");
    if offline {
        command.env("HF_HUB_OFFLINE", "1");
    }
    command.output().unwrap()
}

#[test]
fn a_model_of_the_hub_is_downloaded_once_and_then_works_offline() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    model(&dir.join("model"));
    let records = image_records(dir, 3) + &sentence_records(2);
    std::fs::write(dir.join("records.jsonl"), records).unwrap();
    let mut all = files(&dir.join("model"));
    all.insert("README.md".into(), b"hello".to_vec());
    all.insert("onnx/vision_model_fp16.onnx".into(), b"not wanted".to_vec());
    let hub = Hub::start(all);

    let local = embed(dir, &["--model", "model"], &hub.url, false);
    assert_eq!(local.status.code(), Some(0));
    let name = ["--model", "hf:acme/tiny-clip"];
    let first = embed(dir, &name, &hub.url, false);
    let told = String::from_utf8_lossy(&first.stderr);
    assert_eq!(first.status.code(), Some(0), "{told}");
    assert_eq!(first.stdout, local.stdout);
    let sent = hub.sent();
    assert!(
        sent.iter().any(|file| file == "onnx/text_model.onnx"),
        "{sent:?}"
    );
    assert!(
        !sent
            .iter()
            .any(|file| file == "README.md" || file.contains("fp16")),
        "{sent:?}"
    );

    // Again: nothing but questions whether there is something new.
    let again = embed(dir, &name, &hub.url, false);
    assert_eq!(
        (again.stdout == local.stdout, hub.sent()),
        (true, Vec::new())
    );
    let offline = embed(dir, &name, "http://127.0.0.1:9", true);
    assert_eq!(offline.stdout, local.stdout);
    // The hub is gone without anybody's having said so.
    let gone = embed(dir, &name, "http://127.0.0.1:9", false);
    assert_eq!(gone.stdout, local.stdout);
    let told = String::from_utf8_lossy(&gone.stderr);
    assert!(told.contains("as the cache has it"), "{told}");

    let unknown = embed(dir, &["--model", "hf:acme/none"], &hub.url, false);
    let told = String::from_utf8_lossy(&unknown.stderr);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(told.contains("no such model"), "{told}");
    let never = embed(dir, &["--model", "hf:acme/other"], &hub.url, true);
    assert_eq!(never.status.code(), Some(2));
    let path = embed(dir, &["--model", "hf:../etc"], &hub.url, false);
    assert!(String::from_utf8_lossy(&path.stderr).contains("no model of the hub"));
}
