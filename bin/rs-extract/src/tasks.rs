//! Operands as tasks: a page, or some lines of a JSON Lines file.
//!
//! Memory: a page's path, or a batch of lines. Order: the operands', folders in byte order.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use realsyn_lines::{Batch, Batches, Cut, Operand, Stop};
use serde::Serialize;
use walkdir::WalkDir;

/// What a document looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
pub enum From {
    /// By the first character: { begins JSON Lines
    Auto,
    /// HTML, a document a file
    Html,
    /// OBELICS JSON Lines, a document a line
    Obelics,
}

/// What one worker does at a time.
pub enum Task {
    /// Reads a page.
    Page(Operand),
    /// Extracts the lines of a batch whose numbers are beyond the second field; the third counts them all.
    Lines(Batch, u64, u64),
    /// Rejects what cannot be read.
    Broken(String, String),
}

/// The tasks of a list of operands.
pub struct Tasks {
    operands: std::vec::IntoIter<PathBuf>,
    folder: Option<walkdir::IntoIter>,
    lines: Option<Batches>,
    /// Lines of the current file that came in earlier batches.
    before: u64,
    /// Units that an earlier run has done.
    skip: u64,
    from: From,
    max_line: usize,
    stop: Stop,
}

/// Checks that each named operand can be read, so that a misspelt name ends the run before it began.
///
/// # Errors
/// One cannot.
pub fn check(operands: &[PathBuf]) -> Result<()> {
    for path in operands {
        if path.as_os_str() == "-" {
            continue;
        }
        let metadata = path
            .metadata()
            .with_context(|| path.display().to_string())?;
        if metadata.is_dir() {
            path.read_dir()
                .with_context(|| path.display().to_string())?;
        } else {
            Operand::File(path.clone()).check()?;
        }
    }
    if operands
        .iter()
        .filter(|path| path.as_os_str() == "-")
        .count()
        > 1
    {
        bail!("standard input can be read once only");
    }
    Ok(())
}

impl Tasks {
    /// The tasks of `operands` behind the first `skip` documents.
    pub fn new(
        operands: Vec<PathBuf>,
        from: From,
        max_line: usize,
        skip: u64,
        stop: &Stop,
    ) -> Self {
        let operands = if operands.is_empty() {
            vec![PathBuf::from("-")]
        } else {
            operands
        };
        Self {
            operands: operands.into_iter(),
            folder: None,
            lines: None,
            before: 0,
            skip,
            from,
            max_line,
            stop: stop.clone(),
        }
    }

    fn batch(&mut self) -> Option<Task> {
        loop {
            let Some(batch) = self.lines.as_mut()?.next() else {
                self.lines = None;
                return None;
            };
            let (first, units) = (self.before, batch.units());
            self.before += units;
            if self.skip >= units {
                self.skip -= units;
                continue;
            }
            let skipped = std::mem::take(&mut self.skip);
            return Some(Task::Lines(batch, first + skipped, units - skipped));
        }
    }

    /// The next file of the folder that is walked; `None` when there is no more.
    fn walked(&mut self) -> Option<Result<PathBuf, Task>> {
        loop {
            match self.folder.as_mut()?.next() {
                None => {
                    self.folder = None;
                    return None;
                }
                Some(Ok(entry)) => {
                    if entry.file_type().is_file() && is_document(entry.path()) {
                        return Some(Ok(entry.into_path()));
                    }
                }
                Some(Err(error)) => {
                    let path = error
                        .path()
                        .map(|path| path.display().to_string())
                        .unwrap_or_default();
                    return Some(Err(Task::Broken(path, error.to_string())));
                }
            }
        }
    }

    /// The task that a file is, or nothing when it has become the source of the next batches.
    fn start(&mut self, path: PathBuf) -> Option<Task> {
        let operand = if path.as_os_str() == "-" {
            Operand::Stdin
        } else {
            Operand::File(path)
        };
        let is_page = match self.from {
            From::Html => true,
            From::Obelics => false,
            From::Auto => match is_page(&operand) {
                Ok(is_page) => is_page,
                Err(error) => {
                    return self.one(Task::Broken(operand.name().to_string(), error.to_string()));
                }
            },
        };
        if is_page {
            return self.one(Task::Page(operand));
        }
        // Documents are long and dear: small batches, so that no thread waits at the end.
        let cut = Cut {
            max_line: self.max_line,
            max_lines: 16,
            ..Cut::default()
        };
        self.lines = Some(Batches::new(vec![operand], cut, 0, &self.stop));
        self.before = 0;
        None
    }

    /// A task that is one unit, unless it is done already.
    fn one(&mut self, task: Task) -> Option<Task> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        Some(task)
    }
}

impl Iterator for Tasks {
    type Item = Task;

    fn next(&mut self) -> Option<Task> {
        loop {
            if self.stop.is_set() {
                return None;
            }
            if let Some(task) = self.batch() {
                return Some(task);
            }
            let task = match self.walked() {
                Some(Ok(path)) => self.start(path),
                Some(Err(broken)) => self.one(broken),
                None => {
                    let path = self.operands.next()?;
                    if path.is_dir() {
                        self.folder = Some(WalkDir::new(&path).sort_by_file_name().into_iter());
                        None
                    } else {
                        self.start(path)
                    }
                }
            };
            if task.is_some() {
                return task;
            }
        }
    }
}

/// Whether a file in a folder is taken, by its name.
fn is_document(path: &Path) -> bool {
    let Some(name) = path.file_name() else {
        return false;
    };
    let name = name.to_string_lossy().to_ascii_lowercase();
    [
        ".html",
        ".htm",
        ".xhtml",
        ".jsonl",
        ".jsonl.gz",
        ".jsonl.zst",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}

/// Whether the first character that is no white space begins something else than a JSON object.
fn is_page(operand: &Operand) -> io::Result<bool> {
    let decides = |bytes: &[u8]| {
        bytes
            .iter()
            .copied()
            .find(|byte| !byte.is_ascii_whitespace())
    };
    if *operand == Operand::Stdin {
        // Looked at without being taken. Compressed input cannot be looked into so: it is taken for lines.
        let mut stdin = io::stdin().lock();
        let head = stdin.fill_buf()?;
        return Ok(!matches!(decides(head), None | Some(b'{' | 0x1f | 0x28)));
    }
    let mut head = Vec::with_capacity(512);
    // A broken compressed file: reading it will say so.
    if operand.open()?.take(512).read_to_end(&mut head).is_err() && head.is_empty() {
        return Ok(false);
    }
    Ok(!head.is_empty() && decides(&head) != Some(b'{'))
}

/// The id of a document: its path as given.
pub fn id(file: &str) -> Arc<str> {
    let mut id = file;
    while let Some(rest) = id.strip_prefix("./") {
        id = rest.trim_start_matches('/');
    }
    Arc::from(id)
}
