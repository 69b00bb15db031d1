//! What earlier runs have seen: sets on disk that are read where they lie and never rewritten.
//!
//! A file is an `fst` set of byte strings: the name of the rule (an algorithm's, or `text`), a zero byte, the hash (8
//! bytes, the highest first, or 16 for sentences) and the id of the record that was kept for it. Sorted, so that the
//! hashes of one rule stand together; shared beginnings are stored once.
//!
//! Memory: the pages of the file that are looked at, which are the operating system's.

use std::io::Write;
use std::path::PathBuf;

use fst::set::OpBuilder;
use fst::{IntoStreamer, Set, SetBuilder, Streamer};
use realsyn_vector::map::Map;

/// Why a set cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeenError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The answer.
        source: std::io::Error,
    },
    /// The file is no set, or is damaged.
    #[error("{path} is no set of what was seen: {source}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: fst::Error,
    },
    /// An entry is not what this tool writes.
    #[error("{0} holds an entry that is none of this tool's")]
    Entry(PathBuf),
    /// The new set cannot be written.
    #[error("cannot write what was seen: {0}")]
    Write(#[source] fst::Error),
}

impl SeenError {
    /// The stable name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Format { .. } | Self::Entry(_) => "bad-seen",
            Self::Write(_) => "seen-write",
        }
    }
}

/// A hash as it stands in a set.
pub trait SeenKey: Ord + Copy {
    /// How many bytes it takes.
    const BYTES: usize;
    /// The bytes, in the order of the keys.
    fn bytes(self) -> impl AsRef<[u8]>;
    /// The key of such bytes.
    fn of_bytes(bytes: &[u8]) -> Option<Self>;
}

impl SeenKey for u64 {
    const BYTES: usize = 8;

    fn bytes(self) -> impl AsRef<[u8]> {
        self.to_be_bytes()
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_be_bytes(bytes.try_into().ok()?))
    }
}

/// Any number of sets, as one.
#[derive(Debug, Default)]
pub struct Seen {
    sets: Vec<(PathBuf, Set<Map>)>,
}

impl Seen {
    /// Opens sets and checks that they are whole.
    ///
    /// # Errors
    /// A file cannot be read, or is no set.
    pub fn open(paths: &[PathBuf]) -> Result<Self, SeenError> {
        let mut sets = Vec::with_capacity(paths.len());
        for path in paths {
            let map = Map::open(path).map_err(|source| SeenError::Io {
                path: path.clone(),
                source,
            })?;
            let failed = |source| SeenError::Format {
                path: path.clone(),
                source,
            };
            let set = Set::new(map).map_err(failed)?;
            set.as_fst().verify().map_err(failed)?;
            sets.push((path.clone(), set));
        }
        Ok(Self { sets })
    }

    /// Gives `entry` every hash that was seen under `rule`, with the id that was kept for it.
    ///
    /// # Errors
    /// An entry is not one of this tool's.
    pub fn each<K: SeenKey>(
        &self,
        rule: &str,
        mut entry: impl FnMut(K, &str),
    ) -> Result<(), SeenError> {
        let prefix = [rule.as_bytes(), &[0]].concat();
        let behind = [rule.as_bytes(), &[1]].concat();
        for (path, set) in &self.sets {
            let mut stream = set.range().ge(&prefix).lt(&behind).into_stream();
            while let Some(bytes) = stream.next() {
                let parts = bytes[prefix.len()..].split_at_checked(K::BYTES);
                let read = parts
                    .and_then(|(key, id)| Some((K::of_bytes(key)?, std::str::from_utf8(id).ok()?)));
                let (key, id) = read.ok_or_else(|| SeenError::Entry(path.clone()))?;
                entry(key, id);
            }
        }
        Ok(())
    }

    /// Writes a set of all that these hold and of `more`, [`seen_entry`]s in ascending order.
    ///
    /// # Errors
    /// `writer` failed.
    pub fn extend(&self, more: &[Vec<u8>], writer: impl Write) -> Result<(), SeenError> {
        let fresh = Set::from_iter(more).map_err(SeenError::Write)?;
        let mut all = OpBuilder::new();
        for (_, set) in &self.sets {
            all.push(set.stream());
        }
        all.push(fresh.stream());
        let mut builder = SetBuilder::new(writer).map_err(SeenError::Write)?;
        builder
            .extend_stream(all.union())
            .map_err(SeenError::Write)?;
        builder.finish().map_err(SeenError::Write)
    }
}

/// An entry of a set.
#[must_use]
pub fn seen_entry<K: SeenKey>(rule: &str, key: K, id: &str) -> Vec<u8> {
    [rule.as_bytes(), &[0], key.bytes().as_ref(), id.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn sets_are_extended_and_read_as_one() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("a.fst"), dir.path().join("b.fst"));
        let write = |seen: &Seen, entries: &[(&str, u64, &str)], path: &Path| {
            let mut more: Vec<_> = entries
                .iter()
                .map(|&(rule, key, id)| seen_entry(rule, key, id))
                .collect();
            more.sort();
            seen.extend(&more, std::fs::File::create(path).unwrap())
                .unwrap();
        };
        write(
            &Seen::default(),
            &[
                ("phash", 7, "d/i1"),
                ("phash", u64::MAX, "d/i2"),
                ("dhash", 7, "d/i3"),
            ],
            &first,
        );
        let seen = Seen::open(&[first]).unwrap();
        write(
            &seen,
            &[("phash", 7, "d/i1"), ("phash", 1 << 40, "é")],
            &second,
        );
        let seen = Seen::open(&[second]).unwrap();
        let mut found = Vec::new();
        seen.each("phash", |key: u64, id| found.push((key, id.to_owned())))
            .unwrap();
        let wanted = [(7, "d/i1"), (1 << 40, "é"), (u64::MAX, "d/i2")];
        assert_eq!(found, wanted.map(|(key, id)| (key, id.to_owned())));
        seen.each("ahash", |_: u64, _| unreachable!()).unwrap();
    }

    #[test]
    fn what_is_no_set_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.fst");
        let code = || Seen::open(std::slice::from_ref(&path)).unwrap_err().code();
        assert_eq!(code(), "io");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(code(), "bad-seen");
        let mut bytes = Vec::new();
        Seen::default()
            .extend(&[b"phash\0short".to_vec()], &mut bytes)
            .unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let seen = Seen::open(std::slice::from_ref(&path)).unwrap();
        let error = seen.each("phash", |_: u64, _| ()).unwrap_err();
        assert_eq!(error.code(), "bad-seen");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(code(), "bad-seen");
    }
}
