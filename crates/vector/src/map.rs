//! Read-only memory maps of whole files.
//!
//! Opening costs the same at any size; the pages are the operating system's, which drops them when memory is short.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;

use memmap2::Mmap;

/// How a part of the map is about to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// From its beginning to its end: read ahead.
    Sequential,
    /// Here and there: read no more than is asked for.
    Random,
    /// Soon, and all of it.
    WillNeed,
}

/// A file's bytes, mapped read-only. An empty file makes an empty map.
#[derive(Debug)]
pub struct Map(Option<Mmap>);

impl Map {
    /// Maps the file at `path`.
    ///
    /// # Errors
    /// The file cannot be opened or mapped (a pipe cannot).
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of(&File::open(path)?)
    }

    /// Maps an open file. The map stays valid when the file is renamed or removed.
    ///
    /// # Errors
    /// The file cannot be mapped (a pipe cannot).
    pub fn of(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self(None));
        }
        // SAFETY: the map is only read, and every read goes through bounds-checked slices of it. Should another process
        // shorten the file meanwhile, the operating system ends this one: our tools replace files by renaming and never
        // shorten one in place.
        #[expect(unsafe_code, reason = "a memory map has no safe constructor")]
        let map = unsafe { Mmap::map(file) }?;
        Ok(Self(Some(map)))
    }

    /// Tells the operating system how `range` of the map will be read. A hint: where it is not understood, nothing
    /// happens.
    pub fn advise(&self, range: Range<usize>, access: Access) {
        let Some(map) = &self.0 else { return };
        let end = range.end.min(map.len());
        if range.start >= end {
            return;
        }
        #[cfg(unix)]
        {
            let advice = match access {
                Access::Sequential => memmap2::Advice::Sequential,
                Access::Random => memmap2::Advice::Random,
                Access::WillNeed => memmap2::Advice::WillNeed,
            };
            // A hint that fails changes no result.
            let _ = map.advise_range(advice, range.start, end - range.start);
        }
        #[cfg(not(unix))]
        let _ = access;
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl AsRef<[u8]> for Map {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_map_holds_the_files_bytes_after_its_name_is_gone() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        let map = Map::open(file.path()).unwrap();
        file.close().unwrap();
        for access in [Access::Sequential, Access::Random, Access::WillNeed] {
            map.advise(100..20_000, access);
            map.advise(20_000..30_000, access);
        }
        assert_eq!(map.len(), 10_000);
        assert!(map.iter().all(|byte| *byte == 7));
    }

    #[test]
    fn an_empty_file_makes_an_empty_map_and_a_missing_one_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(Map::open(file.path()).unwrap().is_empty());
        assert_eq!(
            Map::open(Path::new("/nowhere/at/all")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
