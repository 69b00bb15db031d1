//! Running a program to its end.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// What a program left behind.
#[derive(Debug)]
pub struct Finished {
    /// Exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: String,
}

impl Finished {
    /// Standard output as lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.out)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// The program's output, if it ended with one of `statuses`.
    #[must_use]
    #[track_caller]
    pub fn expect(self, statuses: &[i32]) -> Self {
        let is_expected = self.status.is_some_and(|status| statuses.contains(&status));
        assert!(
            is_expected,
            "status {:?}, not {statuses:?}:\n{}",
            self.status, self.err
        );
        self
    }
}

/// The records of JSON Lines.
///
/// # Panics
/// If a line that is not empty is no JSON.
#[must_use]
pub fn records(bytes: &[u8]) -> Vec<Value> {
    bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// Runs `program` in `dir` with `stdin` to its end.
#[must_use]
pub fn run(program: &Path, args: &[String], dir: &Path, stdin: &[u8]) -> Finished {
    let mut child = Command::new(program)
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let (mut input, mut output, mut errors) = (
        child.stdin.take().unwrap(),
        child.stdout.take().unwrap(),
        child.stderr.take().unwrap(),
    );
    thread::scope(|scope| {
        // A program may end before it has read everything.
        scope.spawn(move || drop(input.write_all(stdin)));
        let out = scope.spawn(move || {
            let mut out = Vec::new();
            output.read_to_end(&mut out).unwrap();
            out
        });
        let mut err = Vec::new();
        errors.read_to_end(&mut err).unwrap();
        let out = out.join().unwrap();
        let status = child.wait().unwrap().code();
        Finished {
            status,
            out,
            err: String::from_utf8_lossy(&err).into_owned(),
        }
    })
}

/// Runs a shell command line in `dir` with nothing on standard input and `path` before the search path.
#[must_use]
pub fn sh(command: &str, dir: &Path, path: &Path) -> Finished {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = vec![path.to_path_buf()];
    folders.extend(std::env::split_paths(&search));
    let output = Command::new("bash")
        .args(["-o", "pipefail", "-c", command])
        .current_dir(dir)
        .env("PATH", std::env::join_paths(folders).unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    Finished {
        status: output.status.code(),
        out: output.stdout,
        err,
    }
}
