//! Standard output, or a file that appears under its name only when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::LinesError;

/// A file that is written under `NAME.part` and takes its name when it is whole and on disk.
///
/// A name that is no regular file (`/dev/null`, a named pipe) is written to as it is.
#[derive(Debug)]
pub struct AtomicFile {
    out: BufWriter<File>,
    path: PathBuf,
    part: Option<PathBuf>,
}

/// The name under which a file is written until it is whole.
#[must_use]
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

impl AtomicFile {
    /// Starts the file at `path`; `force` replaces one that is there, whole or unfinished.
    ///
    /// # Errors
    /// A file is there and `force` is not given, or the folder does not let one be made.
    pub fn create(path: &Path, force: bool) -> Result<Self, LinesError> {
        Self::check(path, force)?;
        Self::at(path, 0)
    }

    /// Goes on with the unfinished file behind its first `kept` bytes, for a tool that keeps count of them itself.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn resume(path: &Path, kept: u64) -> Result<Self, LinesError> {
        Self::at(path, kept)
    }

    /// Whether [`Self::create`] would find something in its way.
    ///
    /// # Errors
    /// A file is there and `force` is not given.
    pub(crate) fn check(path: &Path, force: bool) -> Result<(), LinesError> {
        if force || is_special(path) {
            return Ok(());
        }
        if path.exists() {
            return Err(LinesError::Exists(path.to_owned()));
        }
        let part = part_of(path);
        if part.exists() {
            Err(LinesError::Unfinished(part))
        } else {
            Ok(())
        }
    }

    /// Opens the unfinished file and goes on behind its first `kept` bytes.
    pub(crate) fn at(path: &Path, kept: u64) -> Result<Self, LinesError> {
        let part = (!is_special(path)).then(|| part_of(path));
        let target = part.as_deref().unwrap_or(path);
        let failed = |source| LinesError::io(target.display().to_string(), source);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(target)
            .map_err(failed)?;
        if part.is_some() {
            file.set_len(kept).map_err(failed)?;
            file.seek(SeekFrom::Start(kept)).map_err(failed)?;
        }
        Ok(Self {
            out: BufWriter::with_capacity(1 << 16, file),
            path: path.to_owned(),
            part,
        })
    }

    /// Puts everything written so far on disk.
    ///
    /// # Errors
    /// The disk is full.
    pub fn sync(&mut self) -> Result<(), LinesError> {
        self.out
            .flush()
            .and_then(|()| self.sync_file())
            .map_err(|source| self.failed(source))
    }

    fn sync_file(&self) -> io::Result<()> {
        // A pipe or a terminal has nothing to put on disk and says so.
        if self.part.is_some() {
            self.out.get_ref().sync_data()
        } else {
            Ok(())
        }
    }

    fn failed(&self, source: io::Error) -> LinesError {
        LinesError::io(self.path.display().to_string(), source)
    }

    /// Puts everything on disk and gives the file its name.
    ///
    /// # Errors
    /// The disk is full or the name cannot be given.
    pub fn finish(mut self) -> Result<(), LinesError> {
        self.sync()?;
        let Some(part) = self.part.take() else {
            return Ok(());
        };
        std::fs::rename(&part, &self.path).map_err(|source| self.failed(source))?;
        // The new name is an entry of the folder: without this it may be lost with the power.
        let folder = self
            .path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|source| self.failed(source))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.out.seek(to)
    }
}

fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file())
}

/// Where a tool's lines go.
#[derive(Debug)]
pub enum Output {
    /// Standard output.
    Stdout(io::Stdout),
    /// A file.
    File(AtomicFile),
}

impl Output {
    /// Writes whole lines.
    ///
    /// # Errors
    /// [`LinesError::BrokenPipe`] when the reader has gone; otherwise the system's answer, such as a full disk.
    pub fn write(&mut self, lines: &[u8]) -> Result<(), LinesError> {
        match self {
            // Written and flushed at once: whoever reads the pipe should see a line as soon as it is there.
            Self::Stdout(out) => {
                let mut out = out.lock();
                out.write_all(lines)
                    .and_then(|()| out.flush())
                    .map_err(stdout_failed)
            }
            Self::File(file) => {
                let written = file.write_all(lines);
                written.map_err(|source| file.failed(source))
            }
        }
    }

    /// Ends the output: the file, if it is one, takes its name.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn finish(self) -> Result<(), LinesError> {
        match self {
            Self::Stdout(mut out) => out.flush().map_err(stdout_failed),
            Self::File(file) => file.finish(),
        }
    }
}

fn stdout_failed(source: io::Error) -> LinesError {
    if source.kind() == io::ErrorKind::BrokenPipe {
        return LinesError::BrokenPipe;
    }
    LinesError::io("standard output", source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut file = AtomicFile::create(&path, false).unwrap();
        file.write_all(b"text").unwrap();
        file.sync().unwrap();
        assert!(!path.exists());
        assert_eq!(
            AtomicFile::create(&path, false).unwrap_err().code(),
            "unfinished"
        );
        file.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"text");
        assert!(!part_of(&path).exists());
    }

    #[test]
    fn what_is_there_is_replaced_only_by_force() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        std::fs::write(&path, "old and longer").unwrap();
        assert_eq!(
            AtomicFile::create(&path, false).unwrap_err().code(),
            "exists"
        );
        let mut file = AtomicFile::create(&path, true).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old and longer");
        file.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn special_files_are_written_to_as_they_are() {
        let mut null = AtomicFile::create(Path::new("/dev/null"), false).unwrap();
        null.write_all(b"x").unwrap();
        null.finish().unwrap();
        let mut full = AtomicFile::create(Path::new("/dev/full"), false).unwrap();
        full.write_all(b"x").unwrap();
        assert!(full.finish().unwrap_err().to_string().contains("/dev/full"));
    }
}
