//! How a tool is called by the behaviours.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::{Finished, run};

/// One tool, and how the behaviours call it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The tool's name.
    pub name: &'static str,
    /// The program: `env!("CARGO_BIN_EXE_rs-name")`.
    pub program: &'static str,
    /// Makes the files that the arguments name in a folder of its own and returns the arguments.
    pub arguments: fn(&Path) -> Vec<String>,
    /// Makes the files that the records name and returns records that the tool handles, a line each: at least eight.
    pub input: fn(&Path) -> String,
    /// The exit statuses that a run over the input may end with.
    pub status: &'static [i32],
}

/// A folder with a case's files in it.
#[derive(Debug)]
pub struct Scene {
    /// The folder, which is also the working directory of every run.
    pub dir: TempDir,
    /// The tool's arguments.
    pub arguments: Vec<String>,
    /// The records.
    pub input: String,
    program: PathBuf,
}

impl Case {
    /// Sets the case up in a new folder.
    #[must_use]
    pub fn scene(&self) -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let arguments = (self.arguments)(dir.path());
        let input = (self.input)(dir.path());
        assert!(
            input.lines().count() >= 8,
            "{}: the behaviours need at least eight records",
            self.name
        );
        Scene {
            arguments,
            input,
            program: PathBuf::from(self.program),
            dir,
        }
    }
}

impl Scene {
    /// The case's arguments and then `more`.
    #[must_use]
    pub fn with(&self, more: &[&str]) -> Vec<String> {
        self.arguments
            .iter()
            .cloned()
            .chain(more.iter().map(|&more| more.to_owned()))
            .collect()
    }

    /// Runs the tool on `stdin` with the case's arguments and `more`.
    #[must_use]
    pub fn run(&self, more: &[&str], stdin: &[u8]) -> Finished {
        run(&self.program, &self.with(more), self.dir.path(), stdin)
    }

    /// Runs the tool with `arguments` alone.
    #[must_use]
    pub fn bare(&self, arguments: &[&str]) -> Finished {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        run(&self.program, &arguments, self.dir.path(), b"")
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A path in the scene's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The text of a file in the scene's folder.
    #[must_use]
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes a file into the scene's folder.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }
}
