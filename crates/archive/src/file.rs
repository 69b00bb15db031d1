//! A file that many threads read at different places.
//!
//! Memory: a buffer for each reader.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

/// A reader of a shared file with a place of its own.
#[derive(Clone, Debug)]
pub struct At {
    file: Arc<File>,
    at: u64,
}

impl At {
    /// A reader that begins at `at`.
    #[must_use]
    pub fn new(file: &Arc<File>, at: u64) -> Self {
        Self {
            file: Arc::clone(file),
            at,
        }
    }
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let length = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.at)?;
        #[cfg(windows)]
        let length = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for At {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.at, by),
            SeekFrom::End(by) => (self.file.metadata()?.len(), by),
        };
        self.at = from
            .checked_add_signed(by)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// A buffered reader that knows how many bytes have been taken from it.
#[derive(Debug)]
pub(crate) struct Counted {
    inner: BufReader<At>,
    at: u64,
}

impl Counted {
    pub fn new(file: &Arc<File>, at: u64) -> Self {
        Self {
            inner: BufReader::with_capacity(1 << 16, At::new(file, at)),
            at,
        }
    }

    /// The place of the next byte.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The length of the file.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.inner.get_ref().file.metadata()?.len())
    }

    /// Goes to another place.
    pub fn go(&mut self, at: u64) -> io::Result<()> {
        let by = i64::try_from(i128::from(at) - i128::from(self.at));
        match by {
            Ok(by) => self.inner.seek_relative(by)?,
            Err(_) => drop(self.inner.seek(SeekFrom::Start(at))?),
        }
        self.at = at;
        Ok(())
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.at += length as u64;
        Ok(length)
    }
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, length: usize) {
        self.inner.consume(length);
        self.at += length as u64;
    }
}

/// Copies what can be read only once into a file without a name, which the system removes with the process.
///
/// What comes before an error is kept, and the error is told beside it.
///
/// # Errors
/// The disk is full.
pub fn spool(mut reader: impl Read) -> io::Result<(File, Option<io::Error>)> {
    let mut file = tempfile::tempfile()?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((file, None)),
            Ok(length) => file.write_all(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok((file, Some(error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_can_be_left() {
        let (file, error) = spool(&b"0123456789"[..]).unwrap();
        assert!(error.is_none());
        let file = Arc::new(file);
        let mut reader = Counted::new(&file, 2);
        let mut two = [0; 2];
        reader.read_exact(&mut two).unwrap();
        assert_eq!((&two, reader.at()), (b"23", 4));
        reader.go(1).unwrap();
        assert_eq!(reader.fill_buf().unwrap()[0], b'1');
        reader.consume(3);
        assert_eq!(reader.at(), 4);
        reader.go(100).unwrap();
        assert_eq!(reader.fill_buf().unwrap(), b"");
        let mut other = At::new(&file, 0);
        assert_eq!(other.seek(SeekFrom::End(-1)).unwrap(), 9);
        assert!(other.seek(SeekFrom::Current(-10)).is_err());
    }
}
