//! The model's file.
//!
//! Little-endian throughout: the magic bytes and the version; the number of known words and the bytes of their forms (8
//! bytes each); the words' hashes in ascending order (8 bytes each); their folded forms in the same order, each ended by a
//! newline, padded with zeros to a multiple of 8; the tree of n-grams and the tree of letters ([`crate::trie`]).
//!
//! Scoring never reads the forms: they are there for whoever looks into a model.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::NgramError;
use crate::train::model;
use crate::trie::{Trie, eight};

const MAGIC: &[u8; 8] = b"rsngram\0";
const VERSION: u64 = 2;

/// What comes before the trees.
#[derive(Debug)]
pub struct Head<'a> {
    /// The hashes of the known words, ascending.
    pub known: &'a [u64],
    /// Their forms.
    pub forms: &'a mut File,
}

impl Head<'_> {
    /// Writes it.
    pub fn write(self, out: &mut impl Write) -> Result<(), NgramError> {
        self.copy(out).map_err(model)
    }

    fn copy(self, out: &mut impl Write) -> std::io::Result<()> {
        let length = self.forms.seek(SeekFrom::End(0))?;
        self.forms.seek(SeekFrom::Start(0))?;
        out.write_all(MAGIC)?;
        for number in [VERSION, self.known.len() as u64, length] {
            out.write_all(&number.to_le_bytes())?;
        }
        for hash in self.known {
            out.write_all(&hash.to_le_bytes())?;
        }
        std::io::copy(self.forms, out)?;
        let padding = length.next_multiple_of(8) - length;
        std::io::copy(&mut std::io::repeat(0).take(padding), out)?;
        Ok(())
    }
}

/// Where the parts of a file lie.
#[derive(Debug)]
pub struct Layout {
    /// How many words are known.
    pub known: usize,
    /// Where their hashes are.
    pub hashes: usize,
    /// The tree of n-grams.
    pub words: Trie,
    /// The tree of letters.
    pub letters: Trie,
}

/// Checks the heads of a model's bytes against their number.
pub fn layout(path: &Path, bytes: &[u8]) -> Result<Layout, NgramError> {
    let wrong = |reason: &str| NgramError::Format {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    if bytes.get(..8) != Some(MAGIC) {
        return Err(wrong("not an n-gram model"));
    }
    match eight(bytes, 8) {
        Some(VERSION) => {}
        None => return Err(wrong("the model is truncated")),
        Some(version) => {
            return Err(wrong(&format!(
                "the model is of version {version}; this program reads version {VERSION}: train it again"
            )));
        }
    }
    let (layout, end) = parts(bytes).ok_or_else(|| wrong("the model is truncated or damaged"))?;
    if end != bytes.len() {
        return Err(wrong("there are bytes after the model's end"));
    }
    Ok(layout)
}

fn parts(bytes: &[u8]) -> Option<(Layout, usize)> {
    let number = |at: usize| usize::try_from(eight(bytes, at)?).ok();
    let (known, forms) = (number(16)?, number(24)?);
    let hashes = 32;
    let start = known
        .checked_mul(8)?
        .checked_add(hashes)?
        .checked_add(forms)?
        .checked_next_multiple_of(8)?;
    let (words, start) = Trie::open(bytes, start)?;
    let (letters, end) = Trie::open(bytes, start)?;
    let layout = Layout {
        known,
        hashes,
        words,
        letters,
    };
    Some((layout, end))
}
