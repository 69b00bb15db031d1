//! The weights file: the lexicon and the two networks.
//!
//! `RSPARSE`, a zero byte, the layout's number, how many words the lexicon has (32 bits each), their hashes (64 bits
//! each); then for the tagger and for the parser: the rows (64 signed bytes each), the hidden layer's bias (16 bits each),
//! the classes' weights (16 bits each) and biases (32 bits each). Everything is little-endian; the numbers of rows and
//! classes follow from the layout.

use crate::error::ParseError;
use crate::features::{LAYOUT, PARSER_ROWS, TAGGER_ROWS};
use crate::net::{HIDDEN, Net, Row};
use crate::state::MOVES;
use crate::tags::TAGS;
use crate::words::Lexicon;

const MAGIC: [u8; 8] = *b"RSPARSE\0";

/// All that a parser knows.
pub struct Weights {
    /// The known words.
    pub(crate) lexicon: Lexicon,
    /// Gives tags to tokens.
    pub(crate) tagger: Net,
    /// Gives moves to states.
    pub(crate) parser: Net,
}

fn net_bytes(rows: u32, classes: usize) -> usize {
    rows as usize * HIDDEN + HIDDEN * 2 + classes * (HIDDEN * 2 + 4)
}

impl Weights {
    /// Reads a weights file.
    ///
    /// # Errors
    /// If the bytes are no weights file of this layout.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader(bytes);
        if reader.take::<8>() != Some(MAGIC) {
            return Err(ParseError::Magic);
        }
        let word = |reader: &mut Reader| {
            reader
                .take::<4>()
                .map(u32::from_le_bytes)
                .ok_or(ParseError::Magic)
        };
        let found = word(&mut reader)?;
        if found != LAYOUT {
            return Err(ParseError::Version {
                found,
                expected: LAYOUT,
            });
        }
        let known = word(&mut reader)?.min(crate::words::WORDS - 2) as usize;
        let expected =
            16 + known * 8 + net_bytes(TAGGER_ROWS, TAGS.len()) + net_bytes(PARSER_ROWS, MOVES);
        let length = ParseError::Length {
            found: bytes.len(),
            expected,
        };
        if bytes.len() != expected {
            return Err(length);
        }
        let hashes = (0..known)
            .map_while(|_| reader.take().map(u64::from_le_bytes))
            .collect();
        Ok(Self {
            lexicon: Lexicon::new(hashes),
            tagger: reader.net(TAGGER_ROWS, TAGS.len()).ok_or(length)?,
            parser: reader.net(PARSER_ROWS, MOVES).ok_or(length)?,
        })
    }

    /// The weights file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(LAYOUT.to_le_bytes());
        let hashes = self.lexicon.hashes();
        out.extend(
            u32::try_from(hashes.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        out.extend(hashes.iter().flat_map(|hash| hash.to_le_bytes()));
        for net in [&self.tagger, &self.parser] {
            out.extend(net.rows.iter().flat_map(|row| row.0).map(i8::cast_unsigned));
            out.extend(net.bias.iter().flat_map(|weight| weight.to_le_bytes()));
            out.extend(
                net.classes
                    .iter()
                    .flatten()
                    .flat_map(|weight| weight.to_le_bytes()),
            );
            out.extend(net.base.iter().flat_map(|weight| weight.to_le_bytes()));
        }
        out
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*front)
    }

    fn halves(&mut self) -> Option<[i16; HIDDEN]> {
        let mut weights = [0; HIDDEN];
        for weight in &mut weights {
            *weight = i16::from_le_bytes(self.take()?);
        }
        Some(weights)
    }

    fn net(&mut self, rows: u32, classes: usize) -> Option<Net> {
        // In one piece, since it is half of the program's start.
        let (front, rest) = self.0.split_at_checked(rows as usize * HIDDEN)?;
        self.0 = rest;
        let (front, _) = front.as_chunks::<HIDDEN>();
        let rows = front
            .iter()
            .map(|row| Row(row.map(u8::cast_signed)))
            .collect();
        Some(Net {
            rows,
            bias: self.halves()?,
            classes: (0..classes).map(|_| self.halves()).collect::<Option<_>>()?,
            base: (0..classes)
                .map(|_| Some(i32::from_le_bytes(self.take()?)))
                .collect::<Option<_>>()?,
        })
    }
}
