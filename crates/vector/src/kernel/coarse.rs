//! A coarse look at many columns: inner products of bytes with a bound on their error, to leave out the columns that
//! cannot be the nearest.
//!
//! A row x and a column c, both less a common centre, are written as x = s·q + e with whole numbers q in −127…127. Then
//! ⟨x, c⟩ = ⟨s·q, t·r⟩ + ⟨e, c⟩ + ⟨s·q, f⟩, and by Cauchy and Schwarz the last two terms are at most ‖e‖‖c‖ + ‖s·q‖‖f‖: the
//! product of the whole numbers, which is exact, plus this is an upper bound of the score, on every processor. A column
//! whose upper bound lies below the row's *bar* (a score that some column is known to reach) is left out; the others are
//! *hits*, to be looked at exactly. On unit vectors of 512 dimensions the bound is about 0.015 wide, and a few hits remain
//! among a thousand columns.
//!
//! Four bytes are multiplied at a time with AVX-512 VNNI or AVX VNNI; two 16-bit numbers at a time with AVX2 and everywhere
//! else. Both ways of packing hold one 32-bit word for each step and lane.
//!
//! **Memory.** [`CoarseColumns`]: one byte a number (two without VNNI) and 16 bytes a column. [`Sieve`]: the same for the
//! rows of a batch, and 80 bytes a row.

use std::ops::Range;

use super::exact::Task;
use super::panels::interleave;
use super::sift;
use super::{Kernel, LANES};

/// The largest whole number.
const LEVELS: f32 = 127.0;

/// Dimensions beyond this could overflow a 32-bit sum; rows that long are not looked at coarsely.
pub const MOST_DIMS: usize = 32 * 1024;

/// How bytes are multiplied. All give the same whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coarse {
    /// 16-bit numbers in plain loops.
    Portable,
    /// 16-bit numbers with AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Bytes with AVX VNNI.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// Bytes with AVX-512 VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
}

impl Coarse {
    /// The ways that this processor knows, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        [
            Self::Portable,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2,
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni,
        ]
        .into_iter()
        .filter(|way| way.runs_here())
        .collect()
    }

    /// The fastest way that this processor knows.
    #[must_use]
    pub fn detect() -> Self {
        Self::available().pop().unwrap_or(Self::Portable)
    }

    /// Whether this processor knows the way.
    pub(super) fn runs_here(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => Self::Avx2.runs_here() && is_x86_feature_detected!("avxvnni"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => {
                is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")
            }
        }
    }

    /// Dimensions in one word.
    fn dims(self) -> usize {
        match self {
            Self::Portable => 2,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => 2,
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni | Self::Avx512Vnni => 4,
        }
    }

    /// Words in a row of `dim` dimensions.
    fn words(self, dim: usize) -> usize {
        dim.div_ceil(self.dims())
    }

    /// Appends the words of a row's whole numbers. Where bytes are multiplied one side is unsigned: the columns, moved up
    /// by 128.
    fn pack(self, whole: &[i8], is_column: bool, out: &mut Vec<u32>) {
        if self.dims() == 2 {
            let (pairs, rest) = whole.as_chunks::<2>();
            let pair = |[a, b]: [i8; 2]| {
                u32::from(i16::from(a).cast_unsigned())
                    | u32::from(i16::from(b).cast_unsigned()) << 16
            };
            out.extend(pairs.iter().map(|&two| pair(two)));
            out.extend(rest.iter().map(|&a| pair([a, 0])));
            return;
        }
        let flip = if is_column { 0x8080_8080 } else { 0 };
        let (fours, rest) = whole.as_chunks::<4>();
        let word = |four: [i8; 4]| u32::from_le_bytes(four.map(i8::cast_unsigned)) ^ flip;
        out.extend(fours.iter().map(|&four| word(four)));
        if !rest.is_empty() {
            let mut four = [0; 4];
            four[..rest.len()].copy_from_slice(rest);
            out.push(word(four));
        }
    }
}

/// What is known of a quantised vector.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// Where its sums of whole numbers start: −128 times its numbers' sum where columns are unsigned, else 0.
    pub start: i32,
    /// The whole numbers' sum.
    pub total: i32,
    /// What a whole number stands for.
    pub scale: f32,
    /// At least the length of what the whole numbers leave out.
    pub error: f32,
    /// At least the length of what they stand for.
    pub size: f32,
    /// At least the length of the vector.
    pub length: f32,
}

/// Quantises `row` less `centre`.
struct Quantise<'a> {
    row: &'a [f32],
    centre: &'a [f32],
    centred: &'a mut Vec<f32>,
    whole: &'a mut Vec<i8>,
}

/// Adding this to a number below 2²² rounds it to a whole number, which the lowest bits then hold.
const ROUNDER: f32 = 12_582_912.0;

#[inline(always)]
fn squares(values: impl Iterator<Item = [f32; LANES]>) -> f32 {
    let mut sums = [0.0f32; LANES];
    for block in values {
        for (sum, x) in sums.iter_mut().zip(block) {
            *sum += x * x;
        }
    }
    sums.iter().sum()
}

impl Task for Quantise<'_> {
    type Output = Facts;

    #[inline(always)]
    fn run(self) -> Facts {
        let Self {
            row,
            centre,
            centred,
            whole,
        } = self;
        centred.clear();
        centred.extend(row.iter().zip(centre).map(|(x, m)| x - m));
        centred.resize(row.len().next_multiple_of(LANES), 0.0);
        whole.clear();
        whole.resize(centred.len(), 0);
        let blocks = centred.as_chunks::<LANES>().0;
        let mut largest = [0.0f32; LANES];
        for block in blocks {
            for (largest, x) in largest.iter_mut().zip(block) {
                // A NaN stays out of here, and makes the length one.
                *largest = if x.abs() > *largest {
                    x.abs()
                } else {
                    *largest
                };
            }
        }
        let largest = largest.iter().copied().fold(0.0, f32::max);
        let length = squares(blocks.iter().copied()).sqrt();
        let mut facts = Facts {
            start: 0,
            total: 0,
            scale: 0.0,
            error: length * 1.001,
            size: 0.0,
            length: length * 1.001,
        };
        // Numbers so small that their squares vanish, or so large that they overflow, have no whole numbers: the length
        // is the error, and an infinite or undefined one makes every column a hit.
        if largest > 1e-15 && length < 1e18 {
            let (scale, inverse) = (largest / LEVELS, LEVELS / largest);
            let mut errors = [0.0f32; LANES];
            let (mut sizes, mut totals) = ([0i32; LANES], [0i32; LANES]);
            for (block, whole) in blocks.iter().zip(whole.as_chunks_mut::<LANES>().0) {
                for lane in 0..LANES {
                    let rounded = block[lane] * inverse + ROUNDER;
                    let back = rounded - ROUNDER;
                    let number = rounded.to_bits().cast_signed() - ROUNDER.to_bits().cast_signed();
                    #[expect(clippy::cast_possible_truncation, reason = "within ±127")]
                    let byte = number as i8;
                    whole[lane] = byte;
                    let error = block[lane] - scale * back;
                    errors[lane] += error * error;
                    sizes[lane] += number * number;
                    totals[lane] += number;
                }
            }
            let size: i32 = sizes.iter().sum();
            #[expect(clippy::cast_precision_loss, reason = "a bound with room for it")]
            let size = (size as f32).sqrt() * scale * 1.001;
            let error: f32 = errors.iter().sum();
            facts.total = totals.iter().sum();
            facts.scale = scale;
            facts.size = size;
            // The subtractions above are rounded: at most 2⁻²³ of the length each.
            facts.error = error.sqrt() * 1.001 + length * 1e-6;
        } else if largest > 0.0 {
            // The squares may have vanished: bound the length by the numbers themselves.
            #[expect(clippy::cast_precision_loss, reason = "at most 32,768")]
            let bound = largest * (row.len() as f32);
            facts.error = facts.error.max(bound);
            facts.length = facts.length.max(bound);
        }
        whole.truncate(row.len());
        facts
    }
}

/// Columns as whole numbers.
#[derive(Debug, Clone)]
pub struct CoarseColumns {
    pub(super) way: Coarse,
    kernel: Kernel,
    centre: Vec<f32>,
    pub(super) words: Vec<u32>,
    pub(super) steps: usize,
    pub(super) columns: usize,
    /// For each lane of each panel: what a whole number stands for.
    pub(super) scales: Vec<f32>,
    /// What is added to the product; negative infinity in the fill of the last panel.
    pub(super) offsets: Vec<f32>,
    /// At least the columns' lengths, less the centre.
    pub(super) lengths: Vec<f32>,
    /// At least the lengths of what the whole numbers leave out.
    pub(super) errors: Vec<f32>,
}

impl CoarseColumns {
    /// Packs columns (row-major, `centre.len()` numbers each), in the order of `order`, less `centre`, with an offset for
    /// each that is added to its products (also in the order of `order`).
    ///
    /// # Panics
    /// If `columns` is not a whole number of columns, a column of `order` is not there, the offsets are not as many as
    /// `order`, or the dimension is 0 or more than [`MOST_DIMS`].
    #[must_use]
    pub fn pack(
        way: Coarse,
        columns: &[f32],
        order: &[u32],
        centre: Vec<f32>,
        offsets: &[f32],
    ) -> Self {
        let dim = centre.len();
        assert!(
            (1..=MOST_DIMS).contains(&dim) && columns.len().is_multiple_of(dim),
            "whole columns of 1 to {MOST_DIMS} dimensions"
        );
        assert_eq!(order.len(), offsets.len(), "one offset for each column");
        let kernel = Kernel::detect();
        let lanes = order.len().next_multiple_of(LANES);
        let steps = way.words(dim);
        let mut packed = Self {
            way,
            kernel,
            centre,
            words: Vec::with_capacity(lanes * steps),
            steps,
            columns: order.len(),
            scales: Vec::with_capacity(lanes),
            offsets: offsets.to_vec(),
            lengths: Vec::with_capacity(lanes),
            errors: Vec::with_capacity(lanes),
        };
        let (mut centred, mut whole, mut words) = (Vec::new(), Vec::new(), Vec::new());
        for panel in order.chunks(LANES) {
            words.clear();
            for &column in panel {
                let column = column as usize;
                let facts = kernel.run(Quantise {
                    row: &columns[column * dim..(column + 1) * dim],
                    centre: &packed.centre,
                    centred: &mut centred,
                    whole: &mut whole,
                });
                way.pack(&whole, true, &mut words);
                packed.scales.push(facts.scale);
                packed.lengths.push(facts.length);
                packed.errors.push(facts.error);
            }
            interleave(&words, steps, 0, &mut packed.words);
        }
        for facts in [&mut packed.scales, &mut packed.lengths, &mut packed.errors] {
            facts.resize(lanes, 0.0);
        }
        packed.offsets.resize(lanes, f32::NEG_INFINITY);
        packed
    }

    /// The number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The number of panels.
    #[must_use]
    pub fn panels(&self) -> usize {
        self.columns.div_ceil(LANES)
    }

    /// The bytes of one panel.
    #[must_use]
    pub fn panel_bytes(&self) -> usize {
        LANES * self.steps * size_of::<u32>()
    }

    /// The common centre.
    #[must_use]
    pub fn centre(&self) -> &[f32] {
        &self.centre
    }

    /// The bounds of the columns' lengths, less the centre, and of their offsets.
    fn bounds(&self) -> (f32, f32) {
        let offsets = self.offsets[..self.columns].iter().map(|x| x.abs());
        (
            self.lengths.iter().copied().fold(0.0, f32::max),
            offsets.fold(0.0, f32::max),
        )
    }
}

/// A column that may be a row's nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The row's number in the batch.
    pub row: u32,
    /// The column's place in the order in which they were packed.
    pub column: u32,
    /// At least product plus offset.
    pub upper: f32,
}

/// A batch of rows as whole numbers, and what has been found of them. Kept from batch to batch.
#[derive(Debug, Default)]
pub struct Sieve {
    pub(super) words: Vec<u32>,
    pub(super) facts: Vec<Facts>,
    /// For each row a value of product plus offset that some column is known to reach.
    pub bars: Vec<f32>,
    /// For each row how far rounding may move a value: a bar that comes from a lower bound is put twice so much lower. The
    /// roundings of single precision are in it from the start; the caller may add others.
    pub slack: Vec<f32>,
    /// For each row, lane by lane, the largest upper bound among the columns that were no hits.
    pub(super) rest: Vec<[f32; LANES]>,
    /// The hits of the last call of [`Self::sift`].
    pub hits: Vec<Hit>,
    centred: Vec<f32>,
    whole: Vec<i8>,
}

impl Sieve {
    /// Takes a new batch of rows (row-major), which are to be compared with `columns`. Bars are negative infinity.
    ///
    /// # Panics
    /// If `rows` is not a whole number of rows of the columns' dimension.
    pub fn load(&mut self, columns: &CoarseColumns, rows: &[f32]) {
        let dim = columns.centre.len();
        assert!(rows.len().is_multiple_of(dim), "whole rows");
        self.words.clear();
        self.facts.clear();
        self.hits.clear();
        for row in rows.chunks_exact(dim) {
            let mut facts = columns.kernel.run(Quantise {
                row,
                centre: &columns.centre,
                centred: &mut self.centred,
                whole: &mut self.whole,
            });
            facts.start = match columns.way.dims() {
                4 => -128 * facts.total,
                _ => 0,
            };
            columns.way.pack(&self.whole, false, &mut self.words);
            self.facts.push(facts);
        }
        let rows = self.facts.len();
        self.bars.clear();
        self.bars.resize(rows, f32::NEG_INFINITY);
        // A value comes from few operations, each rounded to 2⁻²⁴ of terms within these bounds; what is smaller than the
        // smallest normal numbers vanishes.
        let (longest, offset) = columns.bounds();
        self.slack.clear();
        let lengths = self.facts.iter().map(|facts| facts.length);
        self.slack
            .extend(lengths.map(|length| 1e-6 * (length * longest + offset) + 1e-36));
        self.rest.clear();
        self.rest.resize(rows, [f32::NEG_INFINITY; LANES]);
    }

    /// The largest upper bound of a row's product plus offset among the columns that were no hits; negative infinity if
    /// there was none.
    #[must_use]
    pub fn rest(&self, row: usize) -> f32 {
        self.rest[row]
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max)
    }

    /// Compares the rows of `picked` with the columns of `panels`, and replaces the hits: those columns whose upper bound
    /// does not lie below the row's bar. Bars rise as columns are found.
    ///
    /// # Panics
    /// If the rows were loaded for other columns, a row or a panel is not there, or this processor does not know the
    /// columns' way.
    pub fn sift(&mut self, columns: &CoarseColumns, picked: &[u32], panels: Range<usize>) {
        assert_eq!(
            self.words.len(),
            self.facts.len() * columns.steps,
            "rows that were loaded for these columns"
        );
        let rows = self.facts.len();
        assert!(
            [self.bars.len(), self.slack.len(), self.rest.len()] == [rows; 3]
                && picked.iter().all(|&row| (row as usize) < rows),
            "each picked row is there"
        );
        assert!(panels.end <= columns.panels(), "each panel is there");
        self.hits.clear();
        sift::sift(self, columns, picked, panels);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn truth(row: &[f32], column: &[f32], centre: &[f32]) -> f64 {
        let differences = row.iter().zip(column).zip(centre);
        differences
            .map(|((&x, &c), &m)| (f64::from(x) - f64::from(m)) * (f64::from(c) - f64::from(m)))
            .sum()
    }

    /// Sifts every row against all columns, in two goes; hits, rests and bars keep their promises.
    fn check(
        way: Coarse,
        rows: &[f32],
        columns: &[f32],
        centre: &[f32],
        offsets: &[f32],
    ) -> Result<(), TestCaseError> {
        let dim = centre.len();
        let (m, n) = (rows.len() / dim, columns.len() / dim);
        // Backwards, so that an order is not taken for the place in the matrix.
        let order: Vec<u32> = (0..u32::try_from(n).unwrap()).rev().collect();
        let coarse = CoarseColumns::pack(way, columns, &order, centre.to_vec(), offsets);
        let mut sieve = Sieve::default();
        sieve.load(&coarse, rows);
        let slack = sieve.slack.clone();
        let picked: Vec<u32> = (0..u32::try_from(m).unwrap()).rev().collect();
        let mut hits: Vec<Hit> = Vec::new();
        let cut = coarse.panels() / 2;
        for panels in [0..cut, cut..coarse.panels()] {
            sieve.sift(&coarse, &picked, panels);
            hits.append(&mut sieve.hits.clone());
        }
        for (at, row) in rows.chunks_exact(dim).enumerate() {
            let slack = f64::from(slack[at]);
            let scores: Vec<f64> = order
                .iter()
                .zip(offsets)
                .map(|(&c, &offset)| {
                    truth(row, &columns[c as usize * dim..][..dim], centre) + f64::from(offset)
                })
                .collect();
            let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(f64::from(sieve.bars[at]) <= best + slack, "{:?}", way);
            let mine: Vec<&Hit> = hits.iter().filter(|hit| hit.row as usize == at).collect();
            for (column, &score) in scores.iter().enumerate() {
                let hit = mine.iter().find(|hit| hit.column as usize == column);
                let upper = hit.map_or(sieve.rest(at), |hit| hit.upper);
                prop_assert!(
                    upper.is_nan() || f64::from(upper) >= score - slack,
                    "{:?} {} {}",
                    way,
                    upper,
                    score
                );
                prop_assert!(
                    hit.is_some() || score < best,
                    "{:?}: the nearest is a hit",
                    way
                );
            }
        }
        Ok(())
    }

    fn matrix(rows: usize, dim: usize) -> impl Strategy<Value = Vec<f32>> {
        let number = prop_oneof![9 => -2.0f32..2.0, 1 => Just(0.0f32), 1 => -1e-6f32..1e-6, 1 => 5.0f32..9.0];
        prop::collection::vec(number, rows * dim)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn no_way_loses_the_nearest(
            (dim, rows, columns, centre) in (1usize..30, 1usize..90, 1usize..70).prop_flat_map(|(m, n, dim)| {
                (Just(dim), matrix(m, dim), matrix(n, dim), matrix(1, dim))
            }),
            zero_row in any::<bool>(),
        ) {
            let mut rows = rows;
            if zero_row {
                rows[..dim].copy_from_slice(&centre);
            }
            let offsets: Vec<f32> = columns.chunks_exact(dim).rev().map(|c| -0.5 * c.iter().map(|x| x * x).sum::<f32>()).collect();
            for way in Coarse::available() {
                check(way, &rows, &columns, &centre, &offsets)?;
            }
        }
    }

    #[test]
    fn numbers_beyond_all_squares_lose_nothing() {
        for size in [1e-43f32, 1e-25, 1e-12, 1e12, 1e17, 1e25, 3e38] {
            let columns: Vec<f32> = (0..40u8)
                .map(|i| size * (f32::from(i % 7) - 3.0) / 8.0)
                .collect();
            let rows = columns[4..24].to_vec();
            for way in Coarse::available() {
                // Double precision holds the truth; offsets of 0 keep it finite.
                check(way, &rows, &columns, &[0.0; 4], &[0.0; 10]).unwrap();
            }
        }
    }

    #[test]
    fn the_coarse_look_leaves_few_columns() {
        // Unit-like vectors of 128 dimensions: a handful of 500 columns remains.
        let number = |i: u32| {
            let x = i.wrapping_mul(2_654_435_761) ^ (i >> 3).wrapping_mul(40_503);
            f32::from(u16::try_from(x >> 16 & 0xffff).unwrap()) / 65_536.0 - 0.5
        };
        let columns: Vec<f32> = (0..500 * 128).map(number).collect();
        let rows = columns[..20 * 128].to_vec();
        let order: Vec<u32> = (0..500).collect();
        for way in Coarse::available() {
            let coarse = CoarseColumns::pack(way, &columns, &order, vec![0.0; 128], &[0.0; 500]);
            let mut sieve = Sieve::default();
            sieve.load(&coarse, &rows);
            let picked: Vec<u32> = (0..20).collect();
            // A first look raises the bars, a second one shows what they leave.
            sieve.sift(&coarse, &picked, 0..coarse.panels());
            sieve.sift(&coarse, &picked, 0..coarse.panels());
            assert!(sieve.hits.len() < 120, "{way:?}: {}", sieve.hits.len());
        }
    }
}
