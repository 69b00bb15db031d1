//! The bytes of a file, as the library asks for them: each page's header is looked at before its page is read.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::thrift::{self, PageHeader};

/// How much of a header is looked at first: all of it, but for long statistics.
const HEAD: usize = 256;
/// The longest header.
const LONGEST_HEAD: usize = 1 << 20;
/// The most values that a page may announce, nulls too: levels are unpacked by run length, so bytes do not bound them.
const PAGE_VALUES: u64 = 1 << 23;

/// A file of which ranges are read.
#[derive(Debug)]
pub struct Source {
    /// The file.
    pub file: File,
    /// Its length.
    pub length: u64,
}

impl Source {
    /// Reads a range.
    ///
    /// # Errors
    /// The range is not there, or the disk's.
    pub fn range(&self, start: u64, length: usize) -> io::Result<Vec<u8>> {
        if start
            .checked_add(length as u64)
            .is_none_or(|end| end > self.length)
        {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file ends early",
            ));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes)
    }
}

/// The pages of one column chunk.
pub struct Pages {
    source: Arc<Source>,
    /// The largest page.
    limit: u64,
    /// Whether pages are packed with gzip, which does not know beforehand how much it unpacks.
    is_gzip: bool,
    /// Values that may be read before `budget` is set again: a row may not go over pages without end.
    budget: Arc<AtomicU64>,
    /// The size and the level bytes of the page whose header came last.
    unpacked: AtomicU64,
    levels: AtomicU64,
    /// Where that header begins while its page has not been read, or `NONE`.
    pending: AtomicU64,
}

/// No header waits for its page.
const NONE: u64 = u64::MAX;

impl Pages {
    pub fn new(source: Arc<Source>, limit: usize, is_gzip: bool, budget: Arc<AtomicU64>) -> Self {
        Self {
            source,
            limit: limit as u64,
            is_gzip,
            budget,
            unpacked: AtomicU64::new(0),
            levels: AtomicU64::new(0),
            pending: AtomicU64::new(NONE),
        }
    }

    /// What `budget` is set to before some rows are read.
    pub const BUDGET: u64 = 2 * PAGE_VALUES;

    fn admit(&self, header: PageHeader) -> Result<()> {
        let PageHeader {
            unpacked,
            packed,
            values,
            ..
        } = header;
        if unpacked.max(packed) > self.limit {
            let limit = self.limit;
            return Err(ParquetError::General(format!(
                "a page of {unpacked} bytes, {packed} packed, where {limit} are allowed"
            )));
        }
        // The library makes room for a dictionary's entries by their number; each has a length or a value.
        let most = if header.is_dictionary {
            unpacked
        } else {
            PAGE_VALUES
        };
        if values > most {
            return Err(ParquetError::General(format!(
                "a page of {values} values in {unpacked} bytes"
            )));
        }
        if !header.is_dictionary {
            self.budget
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(values.max(1))
                })
                .map_err(|_| {
                    ParquetError::General("a row of too many values, or pages".to_owned())
                })?;
        }
        self.unpacked.store(unpacked, Ordering::Relaxed);
        self.levels.store(header.levels, Ordering::Relaxed);
        Ok(())
    }

    /// The header that begins at a place, and its bytes.
    fn header(&self, start: u64) -> Result<(PageHeader, Vec<u8>)> {
        let left = self.source.length.saturating_sub(start);
        let most = usize::try_from(left).map_or(LONGEST_HEAD, |left| left.min(LONGEST_HEAD));
        let mut length = HEAD;
        loop {
            let mut head = self.source.range(start, length.min(most))?;
            match thrift::page_header(&head) {
                Ok((header, end)) => {
                    head.truncate(end);
                    return Ok((header, head));
                }
                // It may go on.
                Err(_) if length < most => length *= 16,
                Err(what) => {
                    return Err(ParquetError::General(format!("a page's header: {what}")));
                }
            }
        }
    }

    /// Unpacks gzip to nowhere, no further than was announced.
    fn measure(&self, page: &[u8]) -> Result<()> {
        let announced = self.unpacked.load(Ordering::Relaxed);
        let levels = usize::try_from(self.levels.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        let packed = page.get(levels..).unwrap_or_default();
        let unpacked = flate2::read::MultiGzDecoder::new(packed);
        // Broken data are for the library to tell.
        let length = io::copy(&mut unpacked.take(announced + 1), &mut io::sink()).unwrap_or(0);
        if length > announced {
            return Err(ParquetError::General(format!(
                "a page unpacks to more than the {announced} bytes that it announces"
            )));
        }
        Ok(())
    }
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.source.length
    }
}

impl ChunkReader for Pages {
    type T = Cursor<Vec<u8>>;

    /// The header that begins at `start`, and no more: what has been walked over here is all that the library can walk over.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let pending = self.pending.load(Ordering::Relaxed);
        if pending != NONE && pending != start {
            // The library has peeked at the header and comes for the page itself, which it takes from `get_bytes`.
            return Ok(Cursor::default());
        }
        let (header, bytes) = self.header(start)?;
        self.admit(header)?;
        self.pending.store(
            if header.is_index { NONE } else { start },
            Ordering::Relaxed,
        );
        Ok(Cursor::new(bytes))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.pending.store(NONE, Ordering::Relaxed);
        let bytes = self.source.range(start, length)?;
        if self.is_gzip {
            self.measure(&bytes)?;
        }
        Ok(Bytes::from(bytes))
    }
}
