//! A look at pages of delta encodings ahead of the library that unpacks them.
//!
//! `DELTA_LENGTH_BYTE_ARRAY` begins with the lengths of the page's texts, and `DELTA_BYTE_ARRAY` with how much of the text
//! before each one repeats. The library makes room for as many as a number before them says, and copies what is repeated
//! as often as it is. A page of a few bytes can so ask for more memory than there is, which ends the process.
//!
//! Memory: none. Cost: the lengths are unpacked twice.

use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::ColumnDescriptor;

use crate::pages::Pages;
use crate::thrift::{self, zigzag};

/// The pages of a column chunk, those with delta encodings looked at.
pub struct Checked {
    /// The pages.
    pub pages: SerializedPageReader<Pages>,
    /// The greatest repetition and definition level.
    pub levels: (i16, i16),
    /// Whether its values are texts.
    pub is_text: bool,
    /// How many bytes a page may unpack to.
    pub limit: u64,
}

impl Checked {
    pub fn new(
        pages: SerializedPageReader<Pages>,
        descriptor: &ColumnDescriptor,
        limit: usize,
    ) -> Self {
        Self {
            pages,
            levels: (descriptor.max_rep_level(), descriptor.max_def_level()),
            is_text: matches!(
                descriptor.physical_type(),
                Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY
            ),
            limit: limit as u64,
        }
    }

    fn check(&self, page: &Page) -> Result<()> {
        let encoding = page.encoding();
        let is_delta = matches!(
            encoding,
            Encoding::DELTA_LENGTH_BYTE_ARRAY | Encoding::DELTA_BYTE_ARRAY
        );
        if !self.is_text || !is_delta {
            return Ok(());
        }
        let most = u64::from(page.num_values());
        let values = self
            .values(page)
            .ok_or_else(|| ParquetError::General("a page's levels are cut off".to_owned()))?;
        let checked = if encoding == Encoding::DELTA_BYTE_ARRAY {
            repeats(values, most, self.limit).and_then(|end| header(&values[end..], most))
        } else {
            header(values, most)
        };
        match checked {
            Ok(_) => Ok(()),
            Err(what) => Err(ParquetError::General(format!("a page's lengths: {what}"))),
        }
    }

    /// Where the values of a page begin, behind its levels.
    fn values<'a>(&self, page: &'a Page) -> Option<&'a [u8]> {
        match page {
            Page::DataPage {
                buf,
                num_values,
                def_level_encoding,
                rep_level_encoding,
                ..
            } => {
                let (repeated, defined) = self.levels;
                let rest = behind(buf, repeated, *rep_level_encoding, *num_values)?;
                behind(rest, defined, *def_level_encoding, *num_values)
            }
            Page::DataPageV2 {
                buf,
                def_levels_byte_len,
                rep_levels_byte_len,
                ..
            } => {
                let levels = u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len);
                buf.get(usize::try_from(levels).ok()?..)
            }
            Page::DictionaryPage { buf, .. } => Some(buf),
        }
    }
}

/// What lies behind levels of the first version.
fn behind(bytes: &[u8], top: i16, encoding: Encoding, values: u32) -> Option<&[u8]> {
    if top == 0 {
        return Some(bytes);
    }
    let length = if encoding == Encoding::RLE {
        let (length, _) = bytes.split_first_chunk::<4>()?;
        4_usize.checked_add(usize::try_from(u32::from_le_bytes(*length)).ok()?)?
    } else {
        // Packed by bits, which nobody writes any more.
        let bits = u64::from(values) * u64::from(16 - top.leading_zeros());
        usize::try_from(bits.div_ceil(8)).ok()?
    };
    bytes.get(length..)
}

/// What a run of packed numbers says of itself.
struct Header {
    /// Numbers in each of the parts of a block.
    part: u64,
    parts: usize,
    count: u64,
    first: i64,
    /// Where the blocks begin.
    length: usize,
}

fn header(bytes: &[u8], most: u64) -> std::result::Result<Header, &'static str> {
    let mut at = 0;
    let block = varint(bytes, &mut at)?;
    let parts = varint(bytes, &mut at)?;
    let count = varint(bytes, &mut at)?;
    let first = zigzag(varint(bytes, &mut at)?);
    if count > most {
        return Err("more than there are values");
    }
    // As the format has it, and as the library asks.
    if parts == 0 || block % 128 != 0 || block % parts != 0 || (block / parts) % 32 != 0 {
        return Err("blocks of an odd size");
    }
    Ok(Header {
        part: block / parts,
        parts: usize::try_from(parts).map_err(|_| "blocks of an odd size")?,
        count,
        first,
        length: at,
    })
}

/// Where a run of numbers ends that says how much of the text before it each one repeats; their sum is what is copied.
fn repeats(bytes: &[u8], most: u64, limit: u64) -> std::result::Result<usize, &'static str> {
    const EARLY: &str = "they are cut off";
    let header = header(bytes, most)?;
    let mut at = header.length;
    let (mut last, mut sum) = (header.first, 0_u64);
    let mut left = header.count;
    let mut take = |length: i64| {
        let length = u64::try_from(length).map_err(|_| "one is negative")?;
        sum = sum.saturating_add(length);
        if sum > limit {
            return Err("too much is repeated");
        }
        Ok(())
    };
    if left > 0 {
        take(last)?;
        left -= 1;
    }
    while left > 0 {
        let base = zigzag(varint(bytes, &mut at)?);
        let widths = bytes
            .get(at..)
            .and_then(|rest| rest.get(..header.parts))
            .ok_or(EARLY)?;
        at += header.parts;
        for &width in widths {
            if left == 0 {
                break;
            }
            if width > 32 {
                return Err("one is too wide");
            }
            let length = u64::from(width) * header.part / 8;
            let packed = usize::try_from(length)
                .ok()
                .and_then(|length| bytes[at..].get(..length))
                .ok_or(EARLY)?;
            at += packed.len();
            for number in 0..left.min(header.part) {
                // As the library does: 32 bits, and around at their end.
                let delta = base.wrapping_add(bits(packed, number, width));
                #[expect(clippy::cast_possible_truncation, reason = "around at 32 bits")]
                let next = last.wrapping_add(delta) as i32;
                last = i64::from(next);
                take(last)?;
            }
            left = left.saturating_sub(header.part);
        }
    }
    Ok(at)
}

/// The number at a position among numbers of `width` bits, the lowest bit first.
fn bits(packed: &[u8], number: u64, width: u8) -> i64 {
    let start = number * u64::from(width);
    let mut value = 0_u64;
    // At most 32 bits lie in at most five bytes.
    for byte in 0..5_u64 {
        let at = usize::try_from(start / 8 + byte).unwrap_or(usize::MAX);
        value |= u64::from(packed.get(at).copied().unwrap_or(0)) << (8 * byte);
    }
    let value = (value >> (start % 8)) & ((1 << width) - 1);
    value.cast_signed()
}

/// The number at `at`, which moves behind it.
fn varint(bytes: &[u8], at: &mut usize) -> std::result::Result<u64, &'static str> {
    let mut rest = bytes.get(*at..).unwrap_or_default();
    let value = thrift::varint(&mut rest)?;
    *at = bytes.len() - rest.len();
    Ok(value)
}

impl Iterator for Checked {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Checked {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        if let Some(page) = &page {
            self.check(page)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_sums_are_bounded() {
        // A block of 128 in 4 parts, 3 numbers, the first 2 (zigzag 4); then least delta 1 (zigzag 2), widths 2 0 0 0,
        // deltas 1 and 1 + 3.
        let mut run = vec![0x80, 1, 4, 3, 4, 2, 2, 0, 0, 0, 0b1100];
        run.extend([0; 7]);
        run.push(0xaa);
        // 2 + 3 + 7.
        assert_eq!(repeats(&run, 3, 12), Ok(18));
        assert_eq!(repeats(&run, 3, 11), Err("too much is repeated"));
        assert_eq!(repeats(&run, 2, 12), Err("more than there are values"));
        assert_eq!(repeats(&run[..17], 3, 12), Err("they are cut off"));
        assert!(header(&[0x80, 1, 0, 3, 4], 9).is_err());
        assert!(header(&[0x81, 1, 4, 3, 4], 9).is_err());
        assert!(header(&[0xff; 12], 9).is_err());
    }
}
