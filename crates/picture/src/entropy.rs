//! The entropy-coded part of a JPEG (ITU T.81, annexes C, F and G), read for a few low coefficients of each block.
//!
//! A reduced picture needs the lowest coefficients alone; the others are stepped over without being put together. Their
//! symbols are short (five bits with their magnitude, typically), so that a table over eleven bits steps over two or
//! three at once. That is where the time of a scaled decode goes.
//!
//! Memory: 30 KB a pair of tables. Whatever is not as it should be is an [`Oddity`]: the strict decoder names it.
#![expect(
    clippy::inline_always,
    reason = "the innermost loop of every hash: a call a symbol would cost as much as the symbol"
)]

/// Something that is left to the full decoder: a variant that is not read here, or damage, which it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Oddity;

/// Bits of a code that are looked up at once.
const LOOK: u32 = 11;
const ENTRIES: usize = 1 << LOOK;

/// Coefficients by zigzag place: row and column (T.81, figure A.6), as far as a 4 × 4 picture of a block needs them.
pub(crate) const ZIGZAG: [(u8, u8); 25] = [
    (0, 0),
    (0, 1),
    (1, 0),
    (2, 0),
    (1, 1),
    (0, 2),
    (0, 3),
    (1, 2),
    (2, 1),
    (3, 0),
    (4, 0),
    (3, 1),
    (2, 2),
    (1, 3),
    (0, 4),
    (0, 5),
    (1, 4),
    (2, 3),
    (3, 2),
    (4, 1),
    (5, 0),
    (6, 0),
    (5, 1),
    (4, 2),
    (3, 3),
];

/// A Huffman table, for looking symbols up and for stepping over them.
pub(crate) struct Table {
    /// By the next bits: the symbol in the low byte, its code's length above; 0 where the code is longer.
    symbols: Box<[u16; ENTRIES]>,
    /// By the next bits, for the coefficients of a block: how many bits to step over, how many places that is, and
    /// whether the block ends with it; 0 where the first code is longer.
    steps: Box<[Step; ENTRIES]>,
    /// By length: the first code behind those of that length, left-aligned to 16 bits.
    beyond: [u32; 17],
    /// By length: what to add to a code of that length to get its place in `values`.
    offset: [i32; 17],
    values: Vec<u8>,
}

/// What stands under some bits; see [`Table::steps`].
#[derive(Clone, Copy, Default)]
struct Step {
    bits: u8,
    places: u8,
    /// 1 if it ends with the end of the block.
    ends: u8,
}

impl Table {
    /// The table of `counts` codes of each length 1 to 16, for `values` in the order of the codes.
    pub(crate) fn new(counts: &[u8; 16], values: &[u8]) -> Result<Self, Oddity> {
        let mut symbols = Box::new([0_u16; ENTRIES]);
        let (mut beyond, mut offset) = ([0; 17], [0; 17]);
        let (mut code, mut at) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let count = usize::from(counts[length as usize - 1]);
            let here = values.get(at..at + count).ok_or(Oddity)?;
            #[expect(
                clippy::cast_possible_wrap,
                clippy::cast_possible_truncation,
                reason = "both are below 2^16"
            )]
            let shift = at as i32 - code as i32;
            offset[length as usize] = shift;
            for &value in here {
                if code >= 1 << length {
                    return Err(Oddity);
                }
                if length <= LOOK {
                    let first = (code << (LOOK - length)) as usize;
                    let entry = u16::from_be_bytes([length.to_le_bytes()[0], value]);
                    symbols[first..first + (1 << (LOOK - length))].fill(entry);
                }
                code += 1;
            }
            at += count;
            beyond[length as usize] = code << (16 - length);
            code <<= 1;
        }
        if at != values.len() {
            return Err(Oddity);
        }
        Ok(Self {
            symbols,
            steps: Box::new([Step::default(); ENTRIES]),
            beyond,
            offset,
            values: values.to_vec(),
        })
    }

    /// Fills in the table for stepping; only tables of AC coefficients are stepped with.
    pub(crate) fn with_steps(mut self) -> Self {
        for index in 0..ENTRIES {
            let mut step = Step::default();
            loop {
                // The bits behind those that the entry has stepped over so far; zeros where they are not known.
                let known = LOOK.saturating_sub(u32::from(step.bits));
                let rest = (index << (LOOK - known)) & (ENTRIES - 1);
                let entry = self.symbols[rest];
                let [length, symbol] = entry.to_be_bytes();
                if length == 0 || u32::from(length) > known {
                    break;
                }
                let (run, size) = (symbol >> 4, symbol & 15);
                if size == 0 && run != 15 {
                    step.bits += length;
                    step.ends = 1;
                    break;
                }
                // More places than a block has: the symbols behind belong to another block in any case.
                if step.places + run + 1 > 63 {
                    break;
                }
                step.bits += length + size;
                step.places += run + 1;
            }
            self.steps[index] = step;
        }
        self
    }
}

/// Bits of an entropy-coded segment, up to the next marker.
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte that is not in `buffer` yet.
    at: usize,
    /// The next bits, the first on top; what lies below `count` is to be ignored.
    buffer: u64,
    count: u32,
    /// How many zero bits, which the data do not have, were put behind the last ones.
    padding: u32,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            buffer: 0,
            count: 0,
            padding: 0,
        }
    }

    /// Sees to it that there are at least 32 bits.
    #[inline(always)]
    fn fill(&mut self) {
        if self.count < 32 {
            self.refill();
        }
    }

    #[inline]
    fn refill(&mut self) {
        if let Some(&next) = self
            .bytes
            .get(self.at..)
            .and_then(|rest| rest.first_chunk::<8>())
        {
            let word = u64::from_be_bytes(next);
            // A byte FF makes its complement's byte zero; Mycroft's test finds one.
            let inverse = !word;
            if inverse.wrapping_sub(0x0101_0101_0101_0101) & !inverse & 0x8080_8080_8080_8080 == 0 {
                self.buffer |= word >> self.count;
                let taken = (63 - self.count) >> 3;
                self.at += taken as usize;
                self.count += 8 * taken;
                return;
            }
        }
        self.refill_by_bytes();
    }

    fn refill_by_bytes(&mut self) {
        // The bits below `count` may hold the next byte's first already.
        self.buffer &= !(u64::MAX.checked_shr(self.count).unwrap_or(0));
        while self.count <= 56 {
            let byte = match self.bytes.get(self.at) {
                Some(0xff) if self.bytes.get(self.at + 1) == Some(&0) => {
                    self.at += 2;
                    0xff
                }
                // A marker, or the end: whoever reads on reads zeros, and is told in `end`.
                Some(0xff) | None => {
                    self.padding += 8;
                    0
                }
                Some(&byte) => {
                    self.at += 1;
                    byte
                }
            };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    #[inline(always)]
    fn skip(&mut self, bits: u32) {
        self.buffer <<= bits;
        self.count -= bits;
    }

    #[inline(always)]
    fn look(&self) -> usize {
        (self.buffer >> (64 - LOOK)) as usize
    }

    /// The next symbol.
    #[inline(always)]
    fn symbol(&mut self, table: &Table) -> Result<u8, Oddity> {
        self.fill();
        let entry = table.symbols[self.look()];
        if entry != 0 {
            self.skip(u32::from(entry >> 8));
            return Ok(entry.to_le_bytes()[0]);
        }
        self.long_symbol(table)
    }

    #[cold]
    #[expect(
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        reason = "codes have at most 16 bits"
    )]
    fn long_symbol(&mut self, table: &Table) -> Result<u8, Oddity> {
        let next = (self.buffer >> 48) as u32;
        let length = (LOOK + 1..=16)
            .find(|&length| next < table.beyond[length as usize])
            .ok_or(Oddity)?;
        let place = (next >> (16 - length)) as i32 + table.offset[length as usize];
        self.skip(length);
        table.values.get(place as usize).copied().ok_or(Oddity)
    }

    /// A magnitude of `size` bits (T.81, F.2.2.1, EXTEND); 15 at most.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "at most 15 bits are left")]
    fn magnitude(&mut self, size: u32) -> i32 {
        if size == 0 {
            return 0;
        }
        let value = (self.buffer >> (64 - size)) as i32;
        self.skip(size);
        if value < 1 << (size - 1) {
            value - (1 << size) + 1
        } else {
            value
        }
    }

    /// The difference of a DC coefficient to its predecessor.
    #[inline(always)]
    pub(crate) fn difference(&mut self, table: &Table) -> Result<i32, Oddity> {
        let size = u32::from(self.symbol(table)?);
        // Eight-bit samples have differences of 11 bits.
        if size > 11 {
            return Err(Oddity);
        }
        Ok(self.magnitude(size))
    }

    /// One bit, which refines a coefficient.
    pub(crate) fn bit(&mut self) -> i32 {
        self.fill();
        let bit = i32::from(self.buffer >> 63 == 1);
        self.skip(1);
        bit
    }

    /// Reads the AC coefficients of a block: those at zigzag places up to `last` are given to `keep`, the others are
    /// stepped over.
    #[inline(always)]
    pub(crate) fn coefficients(
        &mut self,
        table: &Table,
        last: u32,
        mut keep: impl FnMut(usize, i32),
    ) -> Result<(), Oddity> {
        let mut place = 1;
        while place <= last {
            let symbol = self.symbol(table)?;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && run != 15 {
                return Ok(());
            }
            let value = self.magnitude(size);
            place += run;
            if place <= last && size > 0 {
                keep(place as usize, value);
            }
            place += 1;
        }
        while place < 64 {
            self.fill();
            let step = table.steps[self.look()];
            let (places, ends) = (u32::from(step.places), u32::from(step.ends));
            if step.bits != 0 && place + places + ends <= 64 {
                self.skip(u32::from(step.bits));
                if ends == 1 {
                    return Ok(());
                }
                place += places;
                continue;
            }
            // A long code, or the block ends amid what the table would step over.
            let symbol = self.symbol(table)?;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && run != 15 {
                return Ok(());
            }
            self.fill();
            self.skip(size);
            place += run + 1;
        }
        if place == 64 { Ok(()) } else { Err(Oddity) }
    }

    /// Ends a segment: nothing but the filling of the last byte may be left before the marker, and nothing may have
    /// been read that was not there. Gives the place of the marker.
    pub(crate) fn end(&mut self) -> Result<usize, Oddity> {
        self.refill();
        let left = self.count.checked_sub(self.padding).ok_or(Oddity)?;
        if left > 7 || self.bytes.get(self.at) != Some(&0xff) {
            return Err(Oddity);
        }
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T.81, table K.3: the DC table of most encoders. Its longest code has 9 bits.
    const COUNTS: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];

    fn table() -> Table {
        Table::new(&COUNTS, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).unwrap()
    }

    #[test]
    fn differences_are_read_up_to_the_marker() {
        // 00 (0), 010 1 (1), 010 0 (-1), 011 10 (2), 11110 1000000 (64), filled with ones.
        let bits = "00 0101 0100 01110 11110 1000000 11111".replace(' ', "");
        let mut bytes: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
            .collect();
        bytes.extend([0xff, 0xd9]);
        let (mut reader, table) = (Bits::new(&bytes, 0), table());
        for wanted in [0, 1, -1, 2, 64] {
            assert_eq!(reader.difference(&table), Ok(wanted));
        }
        assert_eq!(reader.end(), Ok(4));
        // Reading on reads what is not there.
        let _ = reader.difference(&table);
        assert_eq!(reader.end(), Err(Oddity));
    }

    #[test]
    fn a_stuffed_byte_is_one_byte() {
        let bytes = [0xff, 0x00, 0xff, 0x00, 0x12, 0xff, 0xd9];
        let mut reader = Bits::new(&bytes, 0);
        let ones = (0..24).filter(|_| reader.bit() == 1).count();
        assert_eq!(ones, 18);
        assert_eq!(reader.end(), Ok(5));
    }

    #[test]
    fn long_codes_are_found() {
        // Two codes of one and of two bits, the others of 16: 11 followed by 14 bits.
        let mut counts = [0; 16];
        (counts[0], counts[1], counts[15]) = (1, 1, 3);
        let table = Table::new(&counts, &[5, 6, 7, 8, 9]).unwrap();
        let bytes = [0b1100_0000, 0b0000_0010, 0b1000_0000, 0xff, 0xd9];
        let mut reader = Bits::new(&bytes, 0);
        assert_eq!(reader.symbol(&table), Ok(9));
        assert_eq!(reader.symbol(&table), Ok(6));
        assert_eq!(reader.symbol(&table), Ok(5));
        assert!(Table::new(&[3; 16], &[0; 48]).is_err());
    }

    #[test]
    fn steps_agree_with_symbols() {
        // A few AC codes: 00 end, 01 run 0 size 1, 100 run 1 size 1, 101 run 0 size 2, 1100 sixteen zeros.
        let mut counts = [0; 16];
        (counts[1], counts[2], counts[3]) = (2, 2, 1);
        let values = [0x00, 0x01, 0x11, 0x02, 0xf0];
        let table = Table::new(&counts, &values).unwrap().with_steps();
        let code = ["00", "01", "100", "101", "1100"];
        let mut state = 7_u32;
        for _ in 0..300 {
            // Two blocks, one behind the other, of which the second tells whether the first was read to its very end.
            let (mut bits, mut wanted) = (String::new(), Vec::new());
            for _ in 0..2 {
                let (mut place, mut kept) = (1, Vec::new());
                loop {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let which = [1, 1, 2, 3, 1, 3, 4, 0][(state >> 29) as usize];
                    let (run, size) = (values[which] >> 4, values[which] & 15);
                    let ends = which == 0;
                    if !ends && place + run > 63 {
                        continue;
                    }
                    bits += code[which];
                    if ends {
                        break;
                    }
                    place += run;
                    if size > 0 {
                        bits += &"1".repeat(usize::from(size));
                        if place <= 4 {
                            kept.push((usize::from(place), (1 << size) - 1));
                        }
                    }
                    place += 1;
                    if place == 64 {
                        break;
                    }
                }
                wanted.push(kept);
            }
            while !bits.len().is_multiple_of(8) {
                bits.push('1');
            }
            let mut bytes = Vec::new();
            for byte in bits.as_bytes().chunks(8) {
                let byte = u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap();
                bytes.push(byte);
                if byte == 0xff {
                    bytes.push(0);
                }
            }
            bytes.extend([0xff, 0xd9]);
            let mut reader = Bits::new(&bytes, 0);
            for kept in wanted {
                let mut found = Vec::new();
                let keep = |place, value| found.push((place, value));
                reader.coefficients(&table, 4, keep).unwrap();
                assert_eq!(found, kept);
            }
            assert_eq!(reader.end(), Ok(bytes.len() - 2));
        }
    }
}
