//! A look at Thrift's compact protocol ahead of the library that reads it.
//!
//! The library allocates what lists announce and goes down as deep as a schema does. A file of a few bytes can so ask for
//! terabytes or overflow the stack, which ends a process that cannot catch it, or keep the library busy for years. So the
//! footer is walked over first, and each page's header. What the format does not have is refused there, since the library
//! skips some of it by other rules than the protocol's (truth values in lists, what lies beyond the end).
//!
//! Memory: none. What is read here is checked again by the library.

/// How deep structs may be nested: the format's own go eight levels.
const DEPTH: usize = 24;
/// How deep a schema may be.
const SCHEMA_DEPTH: usize = 64;
/// Bytes of memory that a footer may announce list elements for, at about a kilobyte each.
const ELEMENTS: usize = 1 << 22;

const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// What a field holds. The library reads a field by its number alone, so a field of another type than its own would have
/// it go on at another place than the one that was checked.
enum Shape {
    Bool,
    Byte,
    Whole,
    Double,
    Text,
    List(&'static Shape),
    Struct(Fields),
}

/// The fields of a struct, by their numbers; others are skipped by their types.
type Fields = &'static [(i64, Shape)];

use Shape::{Bool, Byte, Double, List, Struct, Text, Whole};

// As in the format's own description, parquet.thrift.
const STATISTICS: Fields = &[
    (1, Text),
    (2, Text),
    (3, Whole),
    (4, Whole),
    (5, Text),
    (6, Text),
    (7, Bool),
    (8, Bool),
];
const PAGE_HEADER: Fields = &[
    (1, Whole),
    (2, Whole),
    (3, Whole),
    (4, Whole),
    (5, Struct(DATA_PAGE)),
    (6, Struct(&[])),
    (7, Struct(&[(1, Whole), (2, Whole), (3, Bool)])),
    (8, Struct(DATA_PAGE_V2)),
];
const DATA_PAGE: Fields = &[
    (1, Whole),
    (2, Whole),
    (3, Whole),
    (4, Whole),
    (5, Struct(STATISTICS)),
];
const DATA_PAGE_V2: Fields = &[
    (1, Whole),
    (2, Whole),
    (3, Whole),
    (4, Whole),
    (5, Whole),
    (6, Whole),
    (7, Bool),
    (8, Struct(STATISTICS)),
];
const EMPTY: Shape = Struct(&[]);
const TIME: Shape = Struct(&[
    (1, Bool),
    (2, Struct(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)])),
]);
const LOGICAL_TYPE: Fields = &[
    (1, EMPTY),
    (2, EMPTY),
    (3, EMPTY),
    (4, EMPTY),
    (5, Struct(&[(1, Whole), (2, Whole)])),
    (6, EMPTY),
    (7, TIME),
    (8, TIME),
    (10, Struct(&[(1, Byte), (2, Bool)])),
    (11, EMPTY),
    (12, EMPTY),
    (13, EMPTY),
    (14, EMPTY),
    (15, EMPTY),
    (16, Struct(&[(1, Byte)])),
    (17, Struct(&[(1, Text)])),
    (18, Struct(&[(1, Text), (2, Whole)])),
];
const SCHEMA_ELEMENT: Fields = &[
    (1, Whole),
    (2, Whole),
    (3, Whole),
    (4, Text),
    (5, Whole),
    (6, Whole),
    (7, Whole),
    (8, Whole),
    (9, Whole),
    (10, Struct(LOGICAL_TYPE)),
];
const KEY_VALUES: Shape = List(&Struct(&[(1, Text), (2, Text)]));
const BOX: Fields = &[
    (1, Double),
    (2, Double),
    (3, Double),
    (4, Double),
    (5, Double),
    (6, Double),
    (7, Double),
    (8, Double),
];
const COLUMN: Fields = &[
    (1, Whole),
    (2, List(&Whole)),
    (3, List(&Text)),
    (4, Whole),
    (5, Whole),
    (6, Whole),
    (7, Whole),
    (8, KEY_VALUES),
    (9, Whole),
    (10, Whole),
    (11, Whole),
    (12, Struct(STATISTICS)),
    (13, List(&Struct(&[(1, Whole), (2, Whole), (3, Whole)]))),
    (14, Whole),
    (15, Whole),
    (
        16,
        Struct(&[(1, Whole), (2, List(&Whole)), (3, List(&Whole))]),
    ),
    (17, Struct(&[(1, Struct(BOX)), (2, List(&Whole))])),
];
const CHUNK: Fields = &[
    (1, Text),
    (2, Whole),
    (3, Struct(COLUMN)),
    (4, Whole),
    (5, Whole),
    (6, Whole),
    (7, Whole),
    (
        8,
        Struct(&[(1, EMPTY), (2, Struct(&[(1, List(&Text)), (2, Text)]))]),
    ),
    (9, Text),
];
const ROW_GROUP: Fields = &[
    (1, List(&Struct(CHUNK))),
    (2, Whole),
    (3, Whole),
    (4, List(&Struct(&[(1, Whole), (2, Bool), (3, Bool)]))),
    (5, Whole),
    (6, Whole),
    (7, Whole),
];
const CIPHER: Shape = Struct(&[(1, Text), (2, Text), (3, Bool)]);
const FOOTER: Fields = &[
    (1, Whole),
    (2, List(&Struct(SCHEMA_ELEMENT))),
    (3, Whole),
    (4, List(&Struct(ROW_GROUP))),
    (5, KEY_VALUES),
    (6, Text),
    (7, List(&Struct(&[(1, EMPTY), (2, EMPTY)]))),
    (8, Struct(&[(1, CIPHER), (2, CIPHER)])),
    (9, Text),
];

/// Why the walk ended early.
type Walk<T> = Result<T, &'static str>;

struct Reader<'a> {
    bytes: &'a [u8],
    /// List elements that may still be announced; in a page's header, none.
    elements: usize,
}

fn byte(bytes: &mut &[u8]) -> Walk<u8> {
    let (first, rest) = bytes.split_first().ok_or("it ends early")?;
    *bytes = rest;
    Ok(*first)
}

/// Takes a number of seven bits a byte, the lowest first, from the beginning of `bytes`.
pub fn varint(bytes: &mut &[u8]) -> Walk<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte(bytes)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("a number is too long")
}

/// The number whose sign is the lowest bit.
pub fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

impl Reader<'_> {
    fn byte(&mut self) -> Walk<u8> {
        byte(&mut self.bytes)
    }

    fn skip_bytes(&mut self, length: u64) -> Walk<()> {
        let length = usize::try_from(length).map_err(|_| "a length is beyond the end")?;
        self.bytes = self
            .bytes
            .get(length..)
            .ok_or("a length is beyond the end")?;
        Ok(())
    }

    fn varint(&mut self) -> Walk<u64> {
        varint(&mut self.bytes)
    }

    fn zigzag(&mut self) -> Walk<i64> {
        self.varint().map(zigzag)
    }

    /// The next field's id and type, or nothing at the end of the struct.
    fn field(&mut self, last: &mut i64) -> Walk<Option<(i64, u8)>> {
        let head = self.byte()?;
        if head == STOP {
            return Ok(None);
        }
        *last = match head >> 4 {
            0 => self.zigzag()?,
            delta => last.saturating_add(i64::from(delta)),
        };
        // The library takes what lies beyond for another number.
        if i16::try_from(*last).is_err() {
            return Err("a field's number is too large");
        }
        Ok(Some((*last, head & 0x0f)))
    }

    /// The length and element type of a list.
    fn list(&mut self) -> Walk<(usize, u8)> {
        let head = self.byte()?;
        let length = match head >> 4 {
            15 => usize::try_from(self.varint()?).map_err(|_| "a list is too long")?,
            length => usize::from(length),
        };
        // Each element takes a byte at least; a struct its end.
        if length > self.bytes.len() {
            return Err("a list is longer than the file");
        }
        self.elements = self
            .elements
            .checked_sub(length)
            .ok_or("its lists are too long")?;
        Ok((length, head & 0x0f))
    }

    /// Walks over a value that must be of a shape.
    fn shaped(&mut self, kind: u8, shape: &Shape, depth: usize) -> Walk<()> {
        match (shape, kind) {
            (Bool, TRUE | FALSE)
            | (Byte, BYTE)
            | (Whole, I16 | I32 | I64)
            | (Double, DOUBLE)
            | (Text, BINARY) => self.skip(kind, depth),
            (List(item), LIST) => {
                let (length, kind) = self.list()?;
                (0..length).try_for_each(|_| self.shaped(kind, item, depth))
            }
            (Struct(fields), STRUCT) => self.fields(fields, depth),
            _ => Err("a field is not of its type"),
        }
    }

    /// Walks over the fields of a struct.
    fn fields(&mut self, fields: Fields, depth: usize) -> Walk<()> {
        let depth = depth.checked_sub(1).ok_or("it is nested too deep")?;
        let mut last = 0;
        while let Some((id, kind)) = self.field(&mut last)? {
            match fields.iter().find(|(known, _)| *known == id) {
                Some((_, shape)) => self.shaped(kind, shape, depth)?,
                None => self.skip(kind, depth)?,
            }
        }
        Ok(())
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Walk<()> {
        let depth = depth.checked_sub(1).ok_or("it is nested too deep")?;
        match kind {
            TRUE | FALSE => Ok(()),
            BYTE => self.skip_bytes(1),
            I16 | I32 | I64 => self.varint().map(drop),
            DOUBLE => self.skip_bytes(8),
            BINARY => {
                let length = self.varint()?;
                self.skip_bytes(length)
            }
            LIST => {
                let (length, kind) = self.list()?;
                if matches!(kind, TRUE | FALSE) {
                    return Err("it holds a list of truth values");
                }
                (0..length).try_for_each(|_| self.skip(kind, depth))
            }
            STRUCT => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip(kind, depth)?;
                }
                Ok(())
            }
            _ => Err("it holds what no such file has"),
        }
    }

    /// The `num_children` of an element of the schema.
    fn schema_element(&mut self) -> Walk<i64> {
        let (mut last, mut children) = (0, 0);
        while let Some((id, kind)) = self.field(&mut last)? {
            if id == 5 && kind == I32 {
                children = self.zigzag()?;
            } else {
                self.skip(kind, DEPTH)?;
            }
        }
        Ok(children)
    }

    /// Checks a schema, which lies flat: each element says how many of those that follow are below it.
    fn schema(&mut self) -> Walk<()> {
        let (length, kind) = self.list()?;
        if kind != STRUCT {
            return Err("its schema is none");
        }
        // Children that are still to come, of each element that is open.
        let mut open: Vec<usize> = Vec::new();
        for number in 0..length {
            let children = self.schema_element()?;
            if number > 0 {
                while open.pop_if(|left| *left == 0).is_some() {}
                *open.last_mut().ok_or("its schema has several roots")? -= 1;
            }
            let children = usize::try_from(children).map_err(|_| "its schema is none")?;
            if children > length {
                return Err("its schema is cut off");
            }
            if children > 0 {
                open.push(children);
                if open.len() > SCHEMA_DEPTH {
                    return Err("its schema is nested too deep");
                }
            }
        }
        if open.iter().any(|left| *left > 0) {
            return Err("its schema is cut off");
        }
        Ok(())
    }
}

/// Checks a footer (`FileMetaData`).
///
/// # Errors
/// What is wrong with it.
pub fn check_footer(footer: &[u8]) -> Result<(), &'static str> {
    let start = || Reader {
        bytes: footer,
        elements: ELEMENTS.min(footer.len()),
    };
    start().fields(FOOTER, DEPTH)?;
    let mut reader = start();
    let mut last = 0;
    while let Some((id, kind)) = reader.field(&mut last)? {
        match (id, kind) {
            (2, LIST) => reader.schema()?,
            (_, kind) => reader.skip(kind, DEPTH)?,
        }
    }
    Ok(())
}

/// What a page's header announces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageHeader {
    /// Bytes unpacked.
    pub unpacked: u64,
    /// Bytes in the file.
    pub packed: u64,
    /// Values, nulls too.
    pub values: u64,
    /// Bytes of levels that stand before the packed data (version 2).
    pub levels: u64,
    /// Whether it is a dictionary.
    pub is_dictionary: bool,
    /// Whether it is an index, which nobody reads.
    pub is_index: bool,
}

/// Reads a page's header (`PageHeader`) from the beginning of `bytes`, to its end, and says how long it is.
///
/// # Errors
/// What is wrong with it, or that `bytes` end before it does.
pub fn page_header(bytes: &[u8]) -> Result<(PageHeader, usize), &'static str> {
    let start = || Reader { bytes, elements: 0 };
    start().fields(PAGE_HEADER, DEPTH)?;
    let mut reader = start();
    let size = |value: i64| u64::try_from(value).map_err(|_| "a page has a negative size");
    let (mut header, mut last) = (PageHeader::default(), 0);
    let mut seen = 0_u8;
    while let Some((id, kind)) = reader.field(&mut last)? {
        match (id, kind) {
            (1, I32) => header.is_index = reader.zigzag()? == 1,
            (2, I32) => {
                header.unpacked = size(reader.zigzag()?)?;
                seen |= 1;
            }
            (3, I32) => {
                header.packed = size(reader.zigzag()?)?;
                seen |= 2;
            }
            // Data page, dictionary page, data page version 2.
            (5 | 7 | 8, STRUCT) => {
                header.is_dictionary = id == 7;
                let mut last = 0;
                while let Some((field, kind)) = reader.field(&mut last)? {
                    match (field, kind) {
                        (1, I32) => header.values = size(reader.zigzag()?)?,
                        (5 | 6, I32) if id == 8 => header.levels += size(reader.zigzag()?)?,
                        (_, kind) => reader.skip(kind, DEPTH)?,
                    }
                }
            }
            (_, kind) => reader.skip(kind, DEPTH)?,
        }
    }
    if seen == 3 {
        Ok((header, bytes.len() - reader.bytes.len()))
    } else {
        Err("a page has no size")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A schema list: (name length, children) of each element.
    fn footer(schema: &[i64]) -> Vec<u8> {
        let mut bytes = vec![0x15, 4, 0x19, 0xf0 | STRUCT];
        let varint = |mut value: u64, bytes: &mut Vec<u8>| {
            while value >= 0x80 {
                bytes.push(0x80 | u8::try_from(value & 0x7f).unwrap());
                value >>= 7;
            }
            bytes.push(u8::try_from(value).unwrap());
        };
        varint(schema.len() as u64, &mut bytes);
        for &children in schema {
            bytes.push(0x50 | I32);
            varint(
                u64::try_from((children << 1) ^ (children >> 63)).unwrap_or(u64::MAX),
                &mut bytes,
            );
            bytes.push(0);
        }
        bytes.push(0);
        bytes
    }

    #[test]
    fn a_schema_is_checked_before_it_is_built() {
        assert_eq!(check_footer(&footer(&[2, 0, 1, 0])), Ok(()));
        let deep: Vec<i64> = std::iter::repeat_n(1, 100_000).chain([0]).collect();
        assert_eq!(
            check_footer(&footer(&deep)),
            Err("its schema is nested too deep")
        );
        assert_eq!(check_footer(&footer(&[3, 0])), Err("its schema is cut off"));
        assert_eq!(check_footer(&footer(&[2, 0])), Err("its schema is cut off"));
        assert_eq!(
            check_footer(&footer(&[0, 0])),
            Err("its schema has several roots")
        );
        assert_eq!(check_footer(&footer(&[-1, 0])), Err("its schema is none"));
    }

    #[test]
    fn lists_are_no_longer_than_the_file() {
        // Row groups: a list of two billion structs in a footer of 12 bytes.
        let huge = [
            0x49,
            0xf0 | STRUCT,
            0xff,
            0xff,
            0xff,
            0xff,
            0x07,
            0,
            0,
            0,
            0,
        ];
        assert_eq!(check_footer(&huge), Err("a list is longer than the file"));
        let deep = vec![0x19_u8; 4096];
        assert!(check_footer(&deep).is_err());
        assert!(check_footer(&[]).is_err());
    }

    #[test]
    fn a_page_says_what_it_costs() {
        // type 0, unpacked 100, packed 50, data page with 7 values.
        let bytes = [0x15, 0, 0x15, 200, 1, 0x15, 100, 0x2c, 0x15, 14, 0, 0, 7, 7];
        let (header, length) = page_header(&bytes).unwrap();
        assert_eq!(length, 12);
        assert_eq!(
            (header.unpacked, header.packed, header.values),
            (100, 50, 7)
        );
        for cut in 0..12 {
            assert!(page_header(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(page_header(&[0x15, 0, 0x15, 1, 0x15, 1, 0]).is_err());
        assert!(page_header(&[0]).is_err());
        // Sets, maps and lists, in a field that nobody knows.
        for (kind, rest) in [(9, 0x1f), (9, 0x11), (10, 0x11), (11, 0x7f), (13, 0)] {
            let odd = [
                0x15,
                0,
                0x15,
                20,
                0x15,
                20,
                0x70 | kind,
                rest,
                0xff,
                0x0f,
                0x11,
                0,
                0,
            ];
            assert!(page_header(&odd).is_err(), "{kind} {rest}");
        }
        assert!(check_footer(&[0x19, 0x11, 1, 0]).is_err());
        // Field 65,540, which is 4 in 16 bits.
        let far = [0x15, 0, 0x15, 20, 0x15, 20, 0x08, 0x88, 0x80, 0x08, 0, 0];
        assert_eq!(page_header(&far), Err("a field's number is too large"));
        // A checksum that is a text: the library would read a number, and go on inside the text.
        let shifted = [0x15, 0, 0x15, 20, 0x15, 20, 0x18, 2, 0x39, 0x11, 0];
        assert_eq!(page_header(&shifted), Err("a field is not of its type"));
    }
}
