//! Operands as pieces of work: a page, some lines, a record of a container.
//!
//! One thread walks the operands, looks at each file and sends its pieces over a bounded channel; the workers turn pieces
//! into documents. What a container needs to be read in order (a tar) is read here; what can be read at random (WARC,
//! EPUB) is only listed here and read by the workers.
//!
//! Memory: a few pieces. Order: the operands', folders in byte order.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use realsyn_lines::{Operand, Origin, Stop, decoded};
use walkdir::WalkDir;

use crate::settle::Desk;
use crate::single::Single;
use crate::sniff::{self, Form, From};
use crate::{epub, lines, parquet, warc, webdataset};

/// Pieces that may wait for a worker while they hold input: a file, lines, a sample.
const WAITING: usize = 2;
/// Pieces that may wait while they hold a place in a file alone: enough for the next WARC file to be gone through while
/// the workers are still at the last one.
const WAITING_LIGHT: usize = 4096;
/// How often a worker that waits for a piece looks whether the run is over.
const PATIENCE: Duration = Duration::from_millis(50);

/// Something that a worker turns into documents.
pub trait Piece: Send {
    /// Documents of input that it stands for: what a resumed run skips.
    fn units(&self) -> u64;

    /// Whether it holds no input, but only knows where it is.
    fn is_light(&self) -> bool {
        false
    }

    /// Extracts the documents and hands them to `desk` in their order.
    fn settle(self: Box<Self>, desk: &mut Desk<'_>);
}

/// What one worker does at a time.
pub type Task = Box<dyn Piece>;

/// Nobody listens any more.
#[derive(Debug)]
pub struct Over;

/// Where pieces go.
pub struct Outlet {
    sender: SyncSender<Task>,
    /// As many as there are pieces on their way that hold input.
    held: SyncSender<()>,
    /// Units that an earlier run has done.
    skip: u64,
}

impl Outlet {
    /// Hands a piece on, unless an earlier run has done it.
    ///
    /// # Errors
    /// The run is over.
    pub fn send(&mut self, piece: impl Piece + 'static) -> Result<(), Over> {
        let units = piece.units();
        if self.skip >= units && units > 0 {
            self.skip -= units;
            return Ok(());
        }
        if !piece.is_light() {
            self.held.send(()).map_err(|_| Over)?;
        }
        self.sender.send(Box::new(piece)).map_err(|_| Over)
    }

    /// How many of the next `units` an earlier run has done; they are not asked for again.
    pub fn skip(&mut self, units: u64) -> u64 {
        let skipped = self.skip.min(units);
        self.skip -= skipped;
        skipped
    }

    /// Hands on the rejection of a file or a part of it.
    ///
    /// # Errors
    /// The run is over.
    pub fn reject(
        &mut self,
        file: &str,
        offset: Option<u64>,
        code: &'static str,
        message: String,
    ) -> Result<(), Over> {
        self.send(Broken {
            file: file.to_owned(),
            offset,
            code,
            message,
        })
    }
}

/// What cannot be read.
struct Broken {
    file: String,
    offset: Option<u64>,
    code: &'static str,
    message: String,
}

impl Piece for Broken {
    fn units(&self) -> u64 {
        1
    }

    fn settle(self: Box<Self>, desk: &mut Desk<'_>) {
        let origin = Origin {
            file: Some(&self.file),
            offset: self.offset,
            ..Origin::default()
        };
        desk.refuse(self.code, &self.message, origin);
    }
}

/// A file that is open, or standard input.
pub struct Input {
    /// Which it is.
    pub operand: Operand,
    /// Its name in records and messages.
    pub name: Arc<str>,
    /// Its contents from the beginning, decompressed.
    pub reader: Box<dyn Read + Send>,
}

/// What the tasks of a run depend on.
#[derive(Clone)]
pub struct Plan {
    /// Files and folders.
    pub operands: Vec<PathBuf>,
    /// A list of more of them.
    pub files0_from: Option<PathBuf>,
    /// What they are.
    pub from: From,
    /// The longest line.
    pub max_line: usize,
    /// The longest document.
    pub max_document: u64,
    /// The longest picture.
    pub max_image: u64,
    /// Units that an earlier run has done.
    pub skip: u64,
}

/// The tasks of a list of operands.
pub struct Tasks {
    pieces: Receiver<Task>,
    held: Receiver<()>,
    stop: Stop,
}

/// Checks that each named operand can be read, so that a misspelt name ends the run before it began.
///
/// # Errors
/// One cannot.
pub fn check(operands: &[PathBuf], files0_from: Option<&Path>) -> Result<()> {
    if let Some(list) = files0_from {
        if !operands.is_empty() {
            bail!("files cannot be named beside --files0-from");
        }
        if list.as_os_str() != "-" {
            Operand::File(list.to_owned()).check()?;
        }
    }
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
    /// Starts reading.
    pub fn new(plan: Plan, stop: &Stop) -> Self {
        let (sender, pieces) = sync_channel(WAITING_LIGHT);
        let (mark, held) = sync_channel(WAITING);
        let mut walk = Walk {
            outlet: Outlet {
                sender,
                held: mark,
                skip: plan.skip,
            },
            stop: stop.clone(),
            plan,
        };
        // Not joined: it may wait for standard input for ever, and then ends with the process.
        thread::spawn(move || walk.all());
        Self {
            pieces,
            held,
            stop: stop.clone(),
        }
    }
}

impl Iterator for Tasks {
    type Item = Task;

    fn next(&mut self) -> Option<Task> {
        loop {
            if self.stop.is_set() {
                return None;
            }
            match self.pieces.recv_timeout(PATIENCE) {
                Ok(piece) => {
                    if !piece.is_light() {
                        // It is there: the mark was sent before the piece.
                        let _mark = self.held.try_recv();
                    }
                    return Some(piece);
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

struct Walk {
    plan: Plan,
    outlet: Outlet,
    stop: Stop,
}

impl Walk {
    fn all(&mut self) -> Result<(), Over> {
        if let Some(list) = self.plan.files0_from.clone() {
            return self.listed(&list);
        }
        let operands = std::mem::take(&mut self.plan.operands);
        if operands.is_empty() {
            return self.file(Path::new("-"));
        }
        operands.iter().try_for_each(|path| self.path(path))
    }

    /// The files of a list, each name ended by a NUL as `find -print0` does.
    fn listed(&mut self, list: &Path) -> Result<(), Over> {
        let name = list.display().to_string();
        let operand = Operand::list(&[list.to_owned()]);
        let reader = match operand[0].open() {
            Ok(reader) => BufReader::new(reader),
            Err(error) => {
                return self
                    .outlet
                    .reject(&name, None, "unreadable", error.to_string());
            }
        };
        for path in reader.split(0) {
            match path {
                Ok(path) if path.is_empty() => {}
                Ok(path) => self.path(&native(path))?,
                Err(error) => {
                    return self
                        .outlet
                        .reject(&name, None, "unreadable", error.to_string());
                }
            }
        }
        Ok(())
    }

    fn path(&mut self, path: &Path) -> Result<(), Over> {
        if !path.is_dir() {
            return self.file(path);
        }
        for entry in WalkDir::new(path).sort_by_file_name() {
            if self.stop.is_set() {
                return Err(Over);
            }
            match entry {
                // A link to a file is taken, one to a folder is not: it may lead to where we are.
                Ok(entry) if !sniff::is_document(entry.path()) || entry.file_type().is_dir() => {}
                Ok(entry) if entry.path_is_symlink() && entry.path().is_dir() => {}
                Ok(entry) => self.file(entry.path())?,
                Err(error) => {
                    let path = error.path().map(|path| path.display().to_string());
                    self.outlet.reject(
                        &path.unwrap_or_default(),
                        None,
                        "unreadable",
                        error.to_string(),
                    )?;
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), Over> {
        if self.stop.is_set() {
            return Err(Over);
        }
        let operand = if path.as_os_str() == "-" {
            Operand::Stdin
        } else {
            Operand::File(path.to_owned())
        };
        let name = operand.name();
        let (form, reader) = match self.open(&operand) {
            Ok(opened) => opened,
            Err(error) => {
                return self
                    .outlet
                    .reject(&name, None, "unreadable", error.to_string());
            }
        };
        let input = Input {
            operand,
            name,
            reader,
        };
        let (plan, outlet) = (&self.plan, &mut self.outlet);
        match form {
            Form::Html | Form::Markdown => outlet.send(Single { input, form }),
            Form::Lines => lines::read(input, plan, &self.stop, outlet),
            Form::Parquet => parquet::read(input, plan, outlet),
            Form::Warc => warc::read(input, &self.stop, outlet),
            Form::Epub => epub::read(input, outlet),
            Form::Webdataset => webdataset::read(input, plan, outlet),
            Form::Unknown => {
                let message = "no known form of document begins so".to_owned();
                outlet.reject(&input.name, None, "unknown-format", message)
            }
        }
    }

    /// Opens a file and tells what it is, looking into compressed ones.
    fn open(&self, operand: &Operand) -> std::io::Result<(Form, Box<dyn Read + Send>)> {
        if let Operand::File(path) = operand
            && !path.metadata()?.is_file()
            && path.is_dir()
        {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        let mut reader = match operand {
            Operand::Stdin => decoded(std::io::stdin())?,
            Operand::File(path) => decoded(File::open(path)?)?,
        };
        if let Some(form) = self.plan.from.form() {
            return Ok((form, reader));
        }
        // A file need not be waited for; a pipe is asked for no more than decides.
        let is_file = matches!(operand, Operand::File(path) if path.is_file());
        let mut head = Vec::with_capacity(sniff::HEAD);
        let mut failed = None;
        while head.len() < sniff::HEAD && (is_file || sniff::is_open(&head)) {
            let from = head.len();
            head.resize(sniff::HEAD, 0);
            match reader.read(&mut head[from..]) {
                Ok(0) => {
                    head.truncate(from);
                    break;
                }
                Ok(length) => head.truncate(from + length),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                    head.truncate(from);
                }
                Err(error) => {
                    head.truncate(from);
                    failed = Some(error);
                    break;
                }
            }
        }
        let form = sniff::sniff(&head, &operand.name());
        match failed {
            // Behind a broken first member, a WARC file may hold many whole ones.
            Some(error) if head.is_empty() && !sniff::is_warc(&operand.name()) => Err(error),
            Some(_) if sniff::is_warc(&operand.name()) => Ok((Form::Warc, reader)),
            // A broken compressed file: whoever reads the rest will say so again.
            Some(error) => Ok((
                form,
                Box::new(Cursor::new(head).chain(Failing(Some(error)))),
            )),
            None => Ok((form, Box::new(Cursor::new(head).chain(reader)))),
        }
    }
}

/// The rest of a file that could not be read.
struct Failing(Option<std::io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(unix)]
fn native(name: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    std::ffi::OsString::from_vec(name).into()
}

#[cfg(not(unix))]
fn native(name: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&name).into_owned().into()
}

/// The id of a document: its path as given.
pub fn id(file: &str) -> &str {
    let mut id = file;
    while let Some(rest) = id.strip_prefix("./") {
        id = rest.trim_start_matches('/');
    }
    id
}

/// The folder that relative references of a file start in.
pub fn folder(file: &str) -> &Path {
    if file == "-" {
        return Path::new("");
    }
    Path::new(file).parent().unwrap_or(Path::new(""))
}
