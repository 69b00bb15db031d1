//! Lines set aside in a temporary file until a fold has seen them all.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use crate::{Line, LinesError};

const WHAT: &str = "temporary file";

/// Lines in the order in which they came, in a file without a name that the system removes with the process.
///
/// Memory: a buffer and the names of the operands.
#[derive(Debug)]
pub struct Spool {
    out: BufWriter<File>,
    files: Vec<Arc<str>>,
    lines: u64,
}

impl Spool {
    /// An empty spool in the system's folder for temporary files (`TMPDIR`).
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new() -> Result<Self, LinesError> {
        let file = tempfile::tempfile().map_err(failed)?;
        Ok(Self {
            out: BufWriter::with_capacity(1 << 18, file),
            files: Vec::new(),
            lines: 0,
        })
    }

    /// Appends a line and a tag of the caller's.
    ///
    /// # Errors
    /// The disk is full.
    pub fn push(&mut self, line: &Line<'_>, tag: u8) -> Result<(), LinesError> {
        // Lines come file by file: the last name is nearly always the right one.
        let known = self.files.iter().rposition(|file| **file == *line.file);
        let file = known.unwrap_or_else(|| {
            self.files.push(Arc::from(line.file));
            self.files.len() - 1
        });
        let mut head = [0; 25];
        head[0] = tag;
        head[1..9].copy_from_slice(&(file as u64).to_le_bytes());
        head[9..17].copy_from_slice(&line.number.to_le_bytes());
        head[17..].copy_from_slice(&(line.bytes.len() as u64).to_le_bytes());
        self.out
            .write_all(&head)
            .and_then(|()| self.out.write_all(line.bytes))
            .map_err(failed)?;
        self.lines += 1;
        Ok(())
    }

    /// How many lines there are.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Goes back to the first line. It can be done again on the reader's [`SpoolReader::rewind`].
    ///
    /// # Errors
    /// The disk is full.
    pub fn read(self) -> Result<SpoolReader, LinesError> {
        let file = self
            .out
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        let mut reader = SpoolReader {
            input: BufReader::with_capacity(1 << 18, file),
            files: self.files,
            total: self.lines,
            left: 0,
            bytes: Vec::new(),
        };
        reader.rewind()?;
        Ok(reader)
    }
}

/// Reads a [`Spool`] from its beginning.
#[derive(Debug)]
pub struct SpoolReader {
    input: BufReader<File>,
    files: Vec<Arc<str>>,
    total: u64,
    left: u64,
    bytes: Vec<u8>,
}

impl SpoolReader {
    /// The next line and its tag.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next_line(&mut self) -> Result<Option<(Line<'_>, u8)>, LinesError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut head = [0; 25];
        self.input.read_exact(&mut head).map_err(failed)?;
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&head[at..at + 8]);
            u64::from_le_bytes(eight)
        };
        let length = usize::try_from(number(17)).unwrap_or(usize::MAX);
        self.bytes.resize(length, 0);
        self.input.read_exact(&mut self.bytes).map_err(failed)?;
        let file = usize::try_from(number(1))
            .ok()
            .and_then(|file| self.files.get(file))
            .map_or("-", |file| file);
        let line = Line {
            bytes: &self.bytes,
            file,
            number: number(9),
            problem: None,
        };
        Ok(Some((line, head[0])))
    }

    /// Goes back to the first line.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn rewind(&mut self) -> Result<(), LinesError> {
        self.input.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.left = self.total;
        Ok(())
    }
}

fn failed(source: std::io::Error) -> LinesError {
    LinesError::io(WHAT, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_as_often_as_asked() {
        let mut spool = Spool::new().unwrap();
        for number in 1..=3 {
            let text = format!("line {number}");
            let file = if number < 3 { "a" } else { "b" };
            spool
                .push(
                    &Line {
                        bytes: text.as_bytes(),
                        file,
                        number,
                        problem: None,
                    },
                    b'x',
                )
                .unwrap();
        }
        assert_eq!(spool.lines(), 3);
        let mut reader = spool.read().unwrap();
        for _ in 0..2 {
            let mut seen = Vec::new();
            while let Some((line, tag)) = reader.next_line().unwrap() {
                seen.push((
                    String::from_utf8_lossy(line.bytes).into_owned(),
                    line.file.to_owned(),
                    line.number,
                    tag,
                ));
            }
            assert_eq!(seen[2], ("line 3".into(), "b".into(), 3, b'x'));
            assert_eq!(seen.len(), 3);
            reader.rewind().unwrap();
        }
    }
}
