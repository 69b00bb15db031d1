//! What the whole-pipeline tests share: where the tools are, and a folder in which every documented command works.
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::must_use_candidate,
    reason = "a library of assertions: panicking is how it answers"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use realsyn_behaviour::{Finished, fixtures, sh};
use tempfile::TempDir;

/// The tools of the pipeline, in its order.
pub const TOOLS: [&str; 11] = [
    "rs-extract",
    "rs-perplexity",
    "rs-phash-dedup",
    "rs-embed",
    "rs-semdedup",
    "rs-kmeans",
    "rs-retrieve",
    "rs-caption",
    "rs-sample",
    "rs-train",
    "rs-report",
];

/// The folder of the tools that were built with these tests.
#[must_use]
pub fn tools() -> PathBuf {
    // target/PROFILE/deps/TEST: the programs are one folder up.
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap().to_path_buf();
    for tool in TOOLS {
        assert!(
            folder.join(tool).exists(),
            "{tool} is not built: these tests run the programs of the whole workspace; say \
             `cargo build --workspace --bins` first or test the whole workspace"
        );
    }
    folder
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Whether a program is on the search path. Where it must be (`REALSYN_REQUIRE_ALL`), its absence is a failure.
#[must_use]
pub fn has(program: &str) -> bool {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&search).any(|folder| folder.join(program).is_file());
    assert!(
        found || std::env::var_os("REALSYN_REQUIRE_ALL").is_none(),
        "{program} is not installed"
    );
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

/// A folder with documents, a model and the outputs of each stage under the names that the documentation uses.
#[derive(Debug)]
pub struct World {
    /// The folder.
    pub dir: TempDir,
    tools: PathBuf,
}

impl World {
    /// Makes the documents and the model, and runs the first stages.
    #[must_use]
    pub fn new() -> Self {
        let world = Self {
            dir: tempfile::tempdir().unwrap(),
            tools: tools(),
        };
        fixtures::documents(&world.dir.path().join("docs"), 8);
        fixtures::model(&world.dir.path().join("model"));
        fixtures::classifier(&world.dir.path().join("model"));
        fixtures::causal_lm(&world.dir.path().join("gpt2"));
        world.ok(include_str!("world.sh"));
        world
    }

    /// Runs a shell command line in the folder.
    #[must_use]
    pub fn sh(&self, command: &str) -> Finished {
        sh(command, self.dir.path(), &self.tools)
    }

    /// Runs a shell command line that must end with status 0, and returns its standard output.
    #[track_caller]
    pub fn ok(&self, command: &str) -> String {
        let finished = self.sh(command);
        assert_eq!(finished.status, Some(0), "{command}\n{}", finished.err);
        String::from_utf8(finished.out).unwrap()
    }

    /// The text of a file in the folder.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// A chat endpoint on loopback that answers every request with the same sentence; its port. It ends with the process.
#[must_use]
pub fn endpoint() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                if request.read_line(&mut line).unwrap() == 0 || line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            request.read_exact(&mut vec![0; length]).unwrap();
            let said = r#"{"choices":[{"message":{"role":"assistant","content":"A heron waits by the mill."},"finish_reason":"stop"}]}"#;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            write!(
                stream,
                "{head}\r\nContent-Length: {}\r\n\r\n{said}",
                said.len()
            )
            .unwrap();
        }
    });
    port
}
