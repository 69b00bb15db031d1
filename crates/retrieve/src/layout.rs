//! The bytes of an index, version 2; all numbers little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `RSINDEX` and a zero |
//! | 4 | layout version |
//! | 4 | dimension |
//! | 8, 8, 8 | sentences, clusters that hold any, documents |
//! | 16 a section | where it starts and its length in bytes |
//! | 8 | the beginning of the BLAKE3 hash of all above |
//! | … | the sections, each starting at a multiple of 64 |
//!
//! See [`Section`] for what they hold. A map of the file is used as it is: opening checks the header and the sections'
//! lengths, which takes the same time at any size.

use realsyn_vector::kernel::LANES;

use crate::RetrieveError;

pub const MAGIC: [u8; 8] = *b"RSINDEX\0";
pub const VERSION: u32 = 2;
pub const ALIGN: usize = 64;

/// The parts of an index. Sentences are grouped by cluster, the clusters in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Section {
    /// The content hash of the model that made the embeddings, or nothing.
    Model,
    /// u32 a cluster: its number.
    Numbers,
    /// u64 a cluster and one more: the first of its sentences.
    Starts,
    /// u64 a cluster and one more: the first of its lanes (sentences filled up to whole panels).
    Lanes,
    /// f32: the centres, in panels.
    Centres,
    /// f32 a cluster: what is added to a centre's inner product to rank it.
    Bias,
    /// f16: the vectors, each cluster in panels of its own.
    Vectors,
    /// u64 a sentence and one more: where its id starts.
    IdStarts,
    /// The ids.
    Ids,
    /// u64 a sentence and one more: where its text starts.
    TextStarts,
    /// The texts.
    Texts,
    /// u64 a sentence: the key of its text.
    Keys,
    /// u32 a sentence: its document, as a place among the documents.
    Docs,
    /// u64 a document, ascending: the beginning of its name's BLAKE3 hash.
    DocKeys,
    /// u64 a document: its sentences.
    DocSizes,
}

pub const SECTIONS: usize = 15;
const COUNTS: usize = 16;
const TABLE: usize = COUNTS + 3 * 8;
pub const HEADER: usize = TABLE + SECTIONS * 16 + 8;

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub dim: usize,
    pub sentences: usize,
    pub clusters: usize,
    pub docs: usize,
    /// Start and length of each section.
    pub sections: [(usize, usize); SECTIONS],
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let eight = bytes.get(at..)?.first_chunk::<8>()?;
    usize::try_from(u64::from_le_bytes(*eight)).ok()
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    first
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        #[expect(
            clippy::cast_possible_truncation,
            reason = "dimensions are counted in thousands"
        )]
        out.extend_from_slice(&(self.dim as u32).to_le_bytes());
        for count in [self.sentences, self.clusters, self.docs] {
            out.extend_from_slice(&(count as u64).to_le_bytes());
        }
        for (start, length) in self.sections {
            out.extend_from_slice(&(start as u64).to_le_bytes());
            out.extend_from_slice(&(length as u64).to_le_bytes());
        }
        let sum = checksum(&out);
        out.extend_from_slice(&sum);
        out
    }

    /// Reads the header at the beginning of `bytes` and checks that the sections lie within them and have the lengths
    /// that the counts demand.
    pub fn decode(bytes: &[u8]) -> Result<Self, RetrieveError> {
        let four = |at: usize| {
            bytes
                .get(at..)
                .and_then(<[u8]>::first_chunk::<4>)
                .map(|x| u32::from_le_bytes(*x))
        };
        if !bytes.starts_with(&MAGIC) {
            return Err(RetrieveError::NotAnIndex);
        }
        let cut = || RetrieveError::Damaged("it ends within the header");
        let found = four(8).ok_or_else(cut)?;
        if found != VERSION {
            return Err(RetrieveError::Version {
                found,
                expected: VERSION,
            });
        }
        if bytes.len() < HEADER {
            return Err(cut());
        }
        if bytes[HEADER - 8..HEADER] != checksum(&bytes[..HEADER - 8]) {
            return Err(RetrieveError::Damaged("the header's checksum is wrong"));
        }
        let large = || RetrieveError::Damaged("a number is too large");
        let read = |at: usize| number(bytes, at).ok_or_else(large);
        let mut sections = [(0, 0); SECTIONS];
        for (section, slot) in sections.iter_mut().enumerate() {
            let at = TABLE + section * 16;
            *slot = (read(at)?, read(at + 8)?);
            if slot
                .0
                .checked_add(slot.1)
                .is_none_or(|end| end > bytes.len())
            {
                return Err(RetrieveError::Damaged(
                    "a section ends behind the end of the file",
                ));
            }
        }
        let header = Self {
            dim: four(12).unwrap_or(0) as usize,
            sentences: read(COUNTS)?,
            clusters: read(COUNTS + 8)?,
            docs: read(COUNTS + 16)?,
            sections,
        };
        header.check(bytes)?;
        Ok(header)
    }

    /// Where a section lies.
    pub fn section<'a>(&self, bytes: &'a [u8], section: Section) -> &'a [u8] {
        let (start, length) = self.sections[section as usize];
        &bytes[start..start + length]
    }

    fn check(&self, bytes: &[u8]) -> Result<(), RetrieveError> {
        use Section::{
            Bias, Centres, DocKeys, DocSizes, Docs, IdStarts, Keys, Lanes, Numbers, Starts,
            TextStarts, Vectors,
        };
        let (n, f, docs) = (
            self.sentences as u128,
            self.clusters as u128,
            self.docs as u128,
        );
        let dim = self.dim as u128;
        let lanes = number(self.section(bytes, Lanes), self.clusters.saturating_mul(8))
            .unwrap_or(usize::MAX) as u128;
        let wanted = [
            (Numbers, 4 * f),
            (Starts, 8 * (f + 1)),
            (Lanes, 8 * (f + 1)),
            (Centres, 4 * f.next_multiple_of(LANES as u128) * dim),
            (Bias, 4 * f),
            (Vectors, 2 * lanes * dim),
            (IdStarts, 8 * (n + 1)),
            (TextStarts, 8 * (n + 1)),
            (Keys, 8 * n),
            (Docs, 4 * n),
            (DocKeys, 8 * docs),
            (DocSizes, 8 * docs),
        ];
        let fits = |(section, length): (Section, u128)| {
            self.sections[section as usize].1 as u128 == length
        };
        if dim > 0 && wanted.into_iter().all(fits) {
            Ok(())
        } else {
            Err(RetrieveError::Damaged(
                "a section does not have the length that the header demands",
            ))
        }
    }
}
