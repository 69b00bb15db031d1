//! JPEG at an eighth, a quarter or half of its size, straight from the low coefficients of its 8 × 8 blocks.
//!
//! A block's lowest coefficient is its mean, its 2 × 2 or 4 × 4 lowest ones are the DCT of a picture of that size
//! (scaled), so that most of the work of a decode falls away; of what a caller does not need, chroma is stepped over and
//! of a progressive file only the scans of the means are read. What is not read here (arithmetic coding, CMYK, RGB,
//! 12 bits, progressive files at more than an eighth) and what is damaged is an [`Oddity`], for the full decoder.
//!
//! Memory: for each block of each component that is wanted, the samples that are made of it, and for progressive files
//! two bytes. The size in the header is checked before that.

#![expect(
    clippy::inline_always,
    reason = "as in the entropy decoder, whose calls of it are to be one loop"
)]

use image::metadata::Orientation;

use crate::decode::check_pixels;
use crate::entropy::{Bits, Oddity, Table, ZIGZAG};
use crate::{Format, Header, Limits};

/// A component of a decoded picture.
pub(crate) struct Plane {
    /// Samples in a row; at least as many as are meant.
    pub(crate) stride: usize,
    pub(crate) samples: Vec<u8>,
    /// How many samples stand for one of the plane with the most, across and down.
    pub(crate) shrink: (usize, usize),
}

/// A picture as stored, at `side` eighths of its size.
pub(crate) struct Scaled {
    pub(crate) header: Header,
    /// The size as stored.
    pub(crate) stored: (u32, u32),
    /// Samples that a block is made into, across and down: 1, 2 or 4.
    pub(crate) side: u32,
    /// Luma, or luma and both chromas.
    pub(crate) planes: Vec<Plane>,
}

struct Component {
    id: u8,
    across: usize,
    down: usize,
    quantiser: usize,
    /// Blocks in a row and in a column that hold samples of the picture.
    blocks: (usize, usize),
    /// Blocks in a row, with those that only fill up the last group of an interleaved scan.
    padded: usize,
    /// The last DC coefficient.
    before: i32,
    plane: Vec<u8>,
    /// Of progressive files, the DC coefficients so far.
    means: Vec<i16>,
    is_read: bool,
}

struct Frame {
    is_progressive: bool,
    size: (u32, u32),
    /// Groups of blocks (MCUs) of an interleaved scan, across and down.
    groups: (usize, usize),
    components: Vec<Component>,
}

/// What has been read of a file.
struct Reader<'a> {
    bytes: &'a [u8],
    /// The least number of samples along each side that the picture may be reduced to.
    least: u32,
    /// How many components are wanted: 1 is luma.
    wanted: usize,
    side: u32,
    tables: [[Option<Table>; 4]; 2],
    quantisers: [Option<[i32; 64]>; 4],
    restart: usize,
    orientation: Orientation,
    has_jfif: bool,
    adobe: Option<u8>,
    frame: Option<Frame>,
}

/// Decodes the picture at the smallest scale at which no side has fewer than `least` samples.
pub(crate) fn scaled(
    bytes: &[u8],
    limits: &Limits,
    least: u32,
    is_colour: bool,
) -> Result<Scaled, Oddity> {
    let mut reader = Reader {
        bytes,
        least,
        wanted: if is_colour { 3 } else { 1 },
        side: 0,
        tables: Default::default(),
        quantisers: [None; 4],
        restart: 0,
        orientation: Orientation::NoTransforms,
        has_jfif: false,
        adobe: None,
        frame: None,
    };
    reader.read(limits)?;
    reader.finish()
}

impl<'a> Reader<'a> {
    /// Goes through the segments up to the end marker.
    fn read(&mut self, limits: &Limits) -> Result<(), Oddity> {
        let mut at = 2;
        loop {
            let marker = self.bytes.get(at..at + 2).ok_or(Oddity)?;
            if marker[0] != 0xff {
                return Err(Oddity);
            }
            match marker[1] {
                0xff => {
                    at += 1;
                    continue;
                }
                0xd9 => return Ok(()),
                _ => {}
            }
            let length = self.bytes.get(at + 2..).and_then(|rest| rest.first_chunk());
            let length = usize::from(u16::from_be_bytes(*length.ok_or(Oddity)?));
            let body = self.bytes.get(at + 4..at + 2 + length).ok_or(Oddity)?;
            at += 2 + length;
            match marker[1] {
                0xc0..=0xc2 => self.start_frame(body, marker[1] == 0xc2, limits)?,
                0xc4 => self.define_huffman(body)?,
                // Other kinds of frames, arithmetic coding, and what stands alone and has no length.
                0xc3..=0xcf | 0x01 | 0xd0..=0xd8 | 0xdc | 0xde | 0xdf => return Err(Oddity),
                0xda => at = self.scan(body, at)?,
                0xdb => self.define_quantisers(body)?,
                0xdd => {
                    let interval = <[u8; 2]>::try_from(body).map_err(|_| Oddity)?;
                    self.restart = usize::from(u16::from_be_bytes(interval));
                }
                0xe0 => self.has_jfif |= body.starts_with(b"JFIF\0"),
                0xe1 => {
                    if let Some(exif) = body.strip_prefix(b"Exif\0\0") {
                        // A damaged orientation is no reason to lose the picture.
                        self.orientation =
                            Orientation::from_exif_chunk(exif).unwrap_or(self.orientation);
                    }
                }
                0xee if body.starts_with(b"Adobe") => self.adobe = body.get(11).copied(),
                _ => {}
            }
        }
    }

    fn define_quantisers(&mut self, mut body: &[u8]) -> Result<(), Oddity> {
        while let Some((&head, rest)) = body.split_first() {
            let width = 1 + usize::from(head >> 4);
            let values = rest
                .get(..64 * width)
                .filter(|_| width <= 2)
                .ok_or(Oddity)?;
            let quantiser = self
                .quantisers
                .get_mut(usize::from(head & 15))
                .ok_or(Oddity)?;
            let value = |bytes: &[u8]| bytes.iter().fold(0, |sum, &b| sum << 8 | i32::from(b));
            let mut table = [0; 64];
            for (place, bytes) in table.iter_mut().zip(values.chunks_exact(width)) {
                *place = value(bytes);
            }
            *quantiser = Some(table);
            body = &rest[64 * width..];
        }
        Ok(())
    }

    fn define_huffman(&mut self, mut body: &[u8]) -> Result<(), Oddity> {
        while let Some((&head, rest)) = body.split_first() {
            let counts: &[u8; 16] = rest.first_chunk().ok_or(Oddity)?;
            let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let values = rest.get(16..16 + total).ok_or(Oddity)?;
            let (class, place) = (usize::from(head >> 4), usize::from(head & 15));
            let slot = self
                .tables
                .get_mut(class)
                .and_then(|class| class.get_mut(place));
            let is_progressive = self
                .frame
                .as_ref()
                .is_some_and(|frame| frame.is_progressive);
            let slot = slot.ok_or(Oddity)?;
            // Of a progressive file the AC scans are not read.
            *slot = match class {
                0 => Some(Table::new(counts, values)?),
                _ if is_progressive => None,
                _ => Some(Table::new(counts, values)?.with_steps()),
            };
            body = &rest[16 + total..];
        }
        Ok(())
    }

    fn start_frame(
        &mut self,
        body: &[u8],
        is_progressive: bool,
        limits: &Limits,
    ) -> Result<(), Oddity> {
        let &[8, h1, h2, w1, w2, count, ref rest @ ..] = body else {
            return Err(Oddity);
        };
        let (height, width) = (u16::from_be_bytes([h1, h2]), u16::from_be_bytes([w1, w2]));
        let pixels = (u32::from(width), u32::from(height));
        let (specs, left) = rest.as_chunks::<3>();
        let fits = specs.len() == usize::from(count) && left.is_empty();
        if !fits || ![1, 3].contains(&count) || width == 0 || height == 0 || self.frame.is_some() {
            return Err(Oddity);
        }
        check_pixels(pixels.0, pixels.1, limits).map_err(|_| Oddity)?;
        let shorter = pixels.0.min(pixels.1);
        let sides: &[u32] = if is_progressive { &[1] } else { &[1, 2, 4] };
        let enough = |side: &&u32| shorter * **side >= self.least.saturating_mul(8);
        self.side = *sides.iter().find(enough).ok_or(Oddity)?;
        self.wanted = self.wanted.min(specs.len());

        let factor = |spec: &[u8; 3]| (usize::from(spec[1] >> 4), usize::from(spec[1] & 15));
        // The factors of a lone component say nothing: its blocks follow one another (T.81, A.2.2).
        let is_lone = specs.len() == 1;
        let factors: Vec<(usize, usize)> = specs
            .iter()
            .map(|spec| if is_lone { (1, 1) } else { factor(spec) })
            .collect();
        let most = |side: fn(&(usize, usize)) -> usize| factors.iter().map(side).max().unwrap_or(1);
        let (widest, tallest) = (most(|f| f.0), most(|f| f.1));
        // Luma that is coarser than chroma occurs in no picture that was met.
        if factors.iter().any(|&(x, y)| {
            !(1..=4).contains(&x)
                || !(1..=4).contains(&y)
                || !widest.is_multiple_of(x)
                || !tallest.is_multiple_of(y)
        }) || factors[0] != (widest, tallest)
        {
            return Err(Oddity);
        }
        let (columns, rows) = (pixels.0 as usize, pixels.1 as usize);
        let groups = (columns.div_ceil(8 * widest), rows.div_ceil(8 * tallest));
        let side = self.side as usize;
        let mut components = Vec::with_capacity(specs.len());
        for (number, (spec, &(across, down))) in specs.iter().zip(&factors).enumerate() {
            let samples = (
                (columns * across).div_ceil(widest),
                (rows * down).div_ceil(tallest),
            );
            let blocks = (samples.0.div_ceil(8), samples.1.div_ceil(8));
            let padded = groups.0 * across;
            let count = padded * groups.1 * down;
            let is_wanted = number < self.wanted;
            components.push(Component {
                id: spec[0],
                across,
                down,
                quantiser: usize::from(spec[2]),
                blocks,
                padded,
                before: 0,
                plane: vec![0; if is_wanted { count * side * side } else { 0 }],
                means: vec![
                    0;
                    if is_wanted && is_progressive {
                        count
                    } else {
                        0
                    }
                ],
                is_read: false,
            });
        }
        self.frame = Some(Frame {
            is_progressive,
            size: pixels,
            groups,
            components,
        });
        Ok(())
    }

    /// Reads the scan whose header is `head` and whose data start at `at`; gives the place of the marker behind it.
    fn scan(&mut self, head: &[u8], at: usize) -> Result<usize, Oddity> {
        let mut frame = self.frame.take().ok_or(Oddity)?;
        let &[count, ref rest @ ..] = head else {
            return Err(Oddity);
        };
        let (specs, _) = rest.as_chunks::<2>();
        let specs = specs
            .get(..usize::from(count))
            .filter(|specs| !specs.is_empty());
        let specs = specs.ok_or(Oddity)?;
        let &[first, last, approximation] = rest.get(2 * specs.len()..).ok_or(Oddity)? else {
            return Err(Oddity);
        };
        let mut members = Vec::with_capacity(specs.len());
        for &[id, tables] in specs {
            let number = frame
                .components
                .iter()
                .position(|component| component.id == id);
            let number = number.filter(|number| members.iter().all(|&(n, _, _)| n != *number));
            members.push((
                number.ok_or(Oddity)?,
                usize::from(tables >> 4 & 3),
                usize::from(tables & 3),
            ));
        }
        let is_means = first == 0;
        let wanted = self.wanted;
        let is_idle = members.iter().all(|&(number, _, _)| number >= wanted)
            || frame.is_progressive && !is_means;
        let next = if is_idle {
            self.frame = Some(frame);
            return next_marker(self.bytes, at);
        } else if !frame.is_progressive {
            // One scan a component, and whole blocks.
            if (first, last, approximation) != (0, 63, 0)
                || members.iter().any(|&(n, _, _)| frame.components[n].is_read)
            {
                return Err(Oddity);
            }
            self.blocks(
                &mut frame,
                &members,
                at,
                |reader, component, members, bits, block| {
                    reader.whole_block(component, members, bits, block)
                },
            )?
        } else {
            let (high, low) = (approximation >> 4, approximation & 15);
            if last != 0 || low > 13 {
                return Err(Oddity);
            }
            self.blocks(
                &mut frame,
                &members,
                at,
                |reader, component, (dc, _), bits, block| {
                    if high == 0 {
                        let table = reader.tables[0][dc].as_ref().ok_or(Oddity)?;
                        component.before = component.before.wrapping_add(bits.difference(table)?);
                        if let (Some(block), true) = (block, !component.means.is_empty()) {
                            component.means[block] = low_half(component.before << low);
                        }
                    } else {
                        let bit = bits.bit() << low;
                        if let (Some(block), true) = (block, !component.means.is_empty()) {
                            component.means[block] |= low_half(bit);
                        }
                    }
                    Ok(())
                },
            )?
        };
        for &(number, _, _) in &members {
            frame.components[number].is_read = true;
        }
        self.frame = Some(frame);
        Ok(next)
    }

    /// Goes through the blocks of a scan in their order (T.81, A.2), and calls `read` for each with its component, the
    /// component's tables and the block's number.
    fn blocks(
        &self,
        frame: &mut Frame,
        members: &[(usize, usize, usize)],
        at: usize,
        read: impl Fn(
            &Self,
            &mut Component,
            (usize, usize),
            &mut Bits<'a>,
            Option<usize>,
        ) -> Result<(), Oddity>,
    ) -> Result<usize, Oddity> {
        let mut bits = Bits::new(self.bytes, at);
        let is_lone = members.len() == 1;
        let (across, down) = if is_lone {
            frame.components[members[0].0].blocks
        } else {
            frame.groups
        };
        for &(number, _, _) in members {
            frame.components[number].before = 0;
        }
        let mut until_restart = self.restart;
        let mut restarts = 0_u8;
        for y in 0..down {
            for x in 0..across {
                if self.restart > 0 {
                    if until_restart == 0 {
                        let marker = bits.end()?;
                        if self.bytes.get(marker + 1) != Some(&(0xd0 + restarts % 8)) {
                            return Err(Oddity);
                        }
                        restarts = restarts.wrapping_add(1);
                        until_restart = self.restart;
                        bits = Bits::new(self.bytes, marker + 2);
                        for &(number, _, _) in members {
                            frame.components[number].before = 0;
                        }
                    }
                    until_restart -= 1;
                }
                for &(number, dc, ac) in members {
                    let is_wanted = number < self.wanted;
                    let component = &mut frame.components[number];
                    if is_lone {
                        let block = is_wanted.then_some(y * component.padded + x);
                        read(self, component, (dc, ac), &mut bits, block)?;
                        continue;
                    }
                    for row in 0..component.down {
                        for column in 0..component.across {
                            let line = y * component.down + row;
                            let place = x * component.across + column;
                            let block = is_wanted.then_some(line * component.padded + place);
                            read(self, component, (dc, ac), &mut bits, block)?;
                        }
                    }
                }
            }
        }
        bits.end()
    }

    /// A block of a sequential file: its samples go to their place in the component's plane, if it is wanted.
    #[inline(always)]
    fn whole_block(
        &self,
        component: &mut Component,
        (dc, ac): (usize, usize),
        bits: &mut Bits<'_>,
        block: Option<usize>,
    ) -> Result<(), Oddity> {
        let dc = self.tables[0][dc].as_ref().ok_or(Oddity)?;
        let ac = self.tables[1][ac].as_ref().ok_or(Oddity)?;
        component.before = component.before.wrapping_add(bits.difference(dc)?);
        let Some(block) = block else {
            return bits.coefficients(ac, 0, |_, _| ());
        };
        let quantiser = self
            .quantisers
            .get(component.quantiser)
            .and_then(Option::as_ref);
        let quantiser = quantiser.ok_or(Oddity)?;
        let mean = component.before.wrapping_mul(quantiser[0]);
        if self.side == 1 {
            bits.coefficients(ac, 0, |_, _| ())?;
            component.plane[block] = sample(mean);
            return Ok(());
        }
        let (side, last) = if self.side == 2 { (2, 4) } else { (4, 24) };
        let mut low = [[0_i32; 4]; 4];
        low[0][0] = mean;
        bits.coefficients(ac, last, |place, value| {
            let (row, column) = ZIGZAG[place];
            if let Some(slot) = low
                .get_mut(usize::from(row))
                .and_then(|r| r.get_mut(usize::from(column)))
            {
                *slot = value.wrapping_mul(quantiser[place]);
            }
        })?;
        let (line, column) = (block / component.padded, block % component.padded);
        let stride = component.padded * side;
        let start = line * side * stride + column * side;
        let mut place = |x: usize, y: usize, level: u8| {
            component.plane[start + y * stride + x] = level;
        };
        if side == 2 {
            waves(&low, &HALVES, &mut place);
        } else {
            waves(&low, &QUARTERS, &mut place);
        }
        Ok(())
    }

    fn finish(self) -> Result<Scaled, Oddity> {
        let frame = self.frame.ok_or(Oddity)?;
        let is_rgb = frame.components.len() == 3
            && match self.adobe {
                Some(transform) => transform == 0,
                None => !self.has_jfif && frame.components.iter().map(|c| c.id).eq(*b"RGB"),
            };
        if is_rgb {
            return Err(Oddity);
        }
        let most = (frame.components[0].across, frame.components[0].down);
        let mut planes = Vec::with_capacity(self.wanted);
        for component in frame.components.into_iter().take(self.wanted) {
            if !component.is_read {
                return Err(Oddity);
            }
            let samples = if frame.is_progressive {
                let quantiser = self
                    .quantisers
                    .get(component.quantiser)
                    .and_then(Option::as_ref);
                let step = quantiser.ok_or(Oddity)?[0];
                let level = |&mean: &i16| sample(i32::from(mean) * step);
                component.means.iter().map(level).collect()
            } else {
                component.plane
            };
            planes.push(Plane {
                stride: component.padded * self.side as usize,
                samples,
                shrink: (most.0 / component.across, most.1 / component.down),
            });
        }
        Ok(Scaled {
            header: Header::new(frame.size, self.orientation, Format::Jpeg),
            stored: frame.size,
            side: self.side,
            planes,
        })
    }
}

/// A coefficient of eight-bit samples has no more than 12 bits; what damage makes larger is cut.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn low_half(value: i32) -> i16 {
    value as i16
}

/// The level of a block whose lowest coefficient is `mean`: that is eight times its mean, and levels lie around 128.
#[expect(clippy::cast_sign_loss, reason = "clamped to a byte just before")]
fn sample(mean: i32) -> u8 {
    ((mean.saturating_add(4) >> 3) + 128).clamp(0, 255) as u8
}

/// The inverse DCT of the coefficients `low`, by the waves in `basis`, at N × N places of a block.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "coefficients have 16 bits unless they are damaged; levels are clamped to a byte"
)]
fn waves<const N: usize>(
    low: &[[i32; 4]; 4],
    basis: &[[f32; 4]; N],
    place: &mut impl FnMut(usize, usize, u8),
) {
    for (y, down) in basis.iter().enumerate() {
        for (x, across) in basis.iter().enumerate() {
            let mut sum = 0.0;
            for (row, weight) in low.iter().zip(down) {
                let inner: f32 = row.iter().zip(across).map(|(&c, w)| c as f32 * w).sum();
                sum += weight * inner;
            }
            place(x, y, (sum + 128.5).clamp(0.0, 255.0) as u8);
        }
    }
}

/// By sample and coefficient: the waves of the 8-point DCT, at the middles of the halves of a block.
const HALVES: [[f32; 4]; 2] = [
    [0.353_553_4, 0.353_553_4, 0.0, 0.0],
    [0.353_553_4, -0.353_553_4, 0.0, 0.0],
];

/// The same at the middles of its quarters.
const QUARTERS: [[f32; 4]; 4] = [
    [0.353_553_4, 0.461_939_77, 0.353_553_4, 0.191_341_72],
    [0.353_553_4, 0.191_341_72, -0.353_553_4, -0.461_939_77],
    [0.353_553_4, -0.191_341_72, -0.353_553_4, 0.461_939_77],
    [0.353_553_4, -0.461_939_77, 0.353_553_4, -0.191_341_72],
];

/// The next marker that is not part of entropy-coded data.
fn next_marker(bytes: &[u8], mut at: usize) -> Result<usize, Oddity> {
    loop {
        at += memchr::memchr(0xff, bytes.get(at..).ok_or(Oddity)?).ok_or(Oddity)?;
        match bytes.get(at + 1) {
            Some(0x00 | 0xd0..=0xd7) => at += 2,
            Some(0xff) => at += 1,
            Some(_) => return Ok(at),
            None => return Err(Oddity),
        }
    }
}
