//! The register tile of the coarse look, once for all instruction sets.

use std::ops::Range;

use super::LANES;
use super::coarse::{Coarse, CoarseColumns, Facts, Hit, Sieve};
#[cfg(target_arch = "x86_64")]
use super::x86_bytes;

/// One instruction set, seen as operations on the [`LANES`] words of a panel's step.
///
/// # Safety
/// All functions may be called only on a processor that has the instruction set; pointers must be valid for [`LANES`]
/// numbers, of any alignment.
pub trait Bytes {
    /// One 32-bit word a lane.
    type Word: Copy;
    /// One single-precision number a lane.
    type Float: Copy;
    /// Whether the register file holds 12 rows by 2 panels, or 6 rows by 1.
    const IS_WIDE: bool;

    /// `x` in every lane.
    unsafe fn splat(x: u32) -> Self::Word;
    /// Loads words.
    unsafe fn load(at: *const u32) -> Self::Word;
    /// Adds to each lane the products of a column's and a row's parts of the words.
    unsafe fn multiply(sums: Self::Word, column: Self::Word, row: Self::Word) -> Self::Word;
    /// sums · row scale · column scale + offset + row error · column length + row size · column error.
    unsafe fn upper(sums: Self::Word, row: &Facts, panel: Panel) -> Self::Float;
    /// The lanes in which `x` is not below `bar`, as bits.
    unsafe fn reaches(x: Self::Float, bar: f32) -> u32;
    /// Raises the numbers at `at` to at least those of `x`.
    unsafe fn raise(at: *mut f32, x: Self::Float);
    /// Stores the numbers.
    unsafe fn store(at: *mut f32, x: Self::Float);
}

/// Where the facts of a panel's columns lie.
#[derive(Clone, Copy)]
pub struct Panel {
    /// What a whole number stands for.
    pub scales: *const f32,
    /// What is added.
    pub offsets: *const f32,
    /// Lengths.
    pub lengths: *const f32,
    /// Lengths of what is left out.
    pub errors: *const f32,
}

impl CoarseColumns {
    fn facts(&self, panel: usize) -> Panel {
        let lanes = panel * LANES..(panel + 1) * LANES;
        Panel {
            scales: self.scales[lanes.clone()].as_ptr(),
            offsets: self.offsets[lanes.clone()].as_ptr(),
            lengths: self.lengths[lanes.clone()].as_ptr(),
            errors: self.errors[lanes].as_ptr(),
        }
    }

    fn panel(&self, panel: usize) -> *const u32 {
        let size = LANES * self.steps;
        self.words[panel * size..(panel + 1) * size].as_ptr()
    }
}

impl Sieve {
    fn row(&self, row: u32, steps: usize) -> *const u32 {
        self.words[row as usize * steps..(row as usize + 1) * steps].as_ptr()
    }

    /// Looks closer at a panel in which some column reaches the row's bar.
    #[cold]
    #[inline(never)]
    fn found(&mut self, columns: &CoarseColumns, row: u32, panel: usize, uppers: &[f32; LANES]) {
        let at = row as usize;
        let (facts, first) = (self.facts[at], panel * LANES);
        let count = LANES.min(columns.columns - first);
        let mut bar = self.bars[at];
        let (lengths, errors) = (&columns.lengths[first..], &columns.errors[first..]);
        for ((upper, length), left_out) in uppers[..count].iter().zip(lengths).zip(errors) {
            let error = facts.error * length + facts.size * left_out;
            bar = bar.max(upper - 2.001 * error - 2.0 * self.slack[at]);
        }
        self.bars[at] = bar;
        for (lane, &upper) in uppers[..count].iter().enumerate() {
            if upper < bar {
                self.rest[at][lane] = self.rest[at][lane].max(upper);
            } else {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "columns are numbered in 32 bits"
                )]
                let column = (first + lane) as u32;
                self.hits.push(Hit { row, column, upper });
            }
        }
    }
}

/// `R` rows by `P` panels, the first of them `panel`.
///
/// # Safety
/// Rows and panels are there, and the processor runs `B`.
#[inline(always)]
unsafe fn tile<B: Bytes, const R: usize, const P: usize>(
    sieve: &mut Sieve,
    columns: &CoarseColumns,
    picked: &[u32; R],
    panel: usize,
) {
    let rows: [*const u32; R] = picked.map(|row| sieve.row(row, columns.steps));
    let panels: [*const u32; P] = std::array::from_fn(|p| columns.panel(panel + p));
    // SAFETY: rows and panels were cut from slices of `steps` and `LANES * steps` words; the processor is the caller's
    // promise.
    unsafe {
        let mut sums = [[B::splat(0); R]; P];
        for (r, &row) in picked.iter().enumerate() {
            let start = B::splat(sieve.facts[row as usize].start.cast_unsigned());
            for sums in &mut sums {
                sums[r] = start;
            }
        }
        for step in 0..columns.steps {
            let mut column = [B::splat(0); P];
            for (column, panel) in column.iter_mut().zip(&panels) {
                *column = B::load(panel.add(step * LANES));
            }
            for r in 0..R {
                let x = B::splat(*rows[r].add(step));
                for p in 0..P {
                    sums[p][r] = B::multiply(sums[p][r], column[p], x);
                }
            }
        }
        for (p, sums) in sums.iter().enumerate() {
            let facts = columns.facts(panel + p);
            for (&row, &sums) in picked.iter().zip(sums) {
                let at = row as usize;
                let upper = B::upper(sums, &sieve.facts[at], facts);
                if B::reaches(upper, sieve.bars[at]) == 0 {
                    B::raise(sieve.rest[at].as_mut_ptr(), upper);
                } else {
                    let mut uppers = [0.0; LANES];
                    B::store(uppers.as_mut_ptr(), upper);
                    sieve.found(columns, row, panel + p, &uppers);
                }
            }
        }
    }
}

/// `R` rows over a range of panels, `P` at a time.
///
/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn group<B: Bytes, const R: usize, const P: usize>(
    sieve: &mut Sieve,
    columns: &CoarseColumns,
    picked: &[u32; R],
    panels: Range<usize>,
) {
    let mut panel = panels.start;
    // SAFETY: the caller's promise.
    unsafe {
        while panel + P <= panels.end {
            tile::<B, R, P>(sieve, columns, picked, panel);
            panel += P;
        }
        while panel < panels.end {
            tile::<B, R, 1>(sieve, columns, picked, panel);
            panel += 1;
        }
    }
}

/// See [`Sieve::sift`].
///
/// # Safety
/// As [`tile`].
#[inline(always)]
pub unsafe fn walk<B: Bytes>(
    sieve: &mut Sieve,
    columns: &CoarseColumns,
    picked: &[u32],
    panels: Range<usize>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut left = picked;
        if B::IS_WIDE {
            while let Some((rows, rest)) = left.split_first_chunk::<12>() {
                group::<B, 12, 2>(sieve, columns, rows, panels.clone());
                left = rest;
            }
        }
        while let Some((rows, rest)) = left.split_first_chunk::<6>() {
            group::<B, 6, 1>(sieve, columns, rows, panels.clone());
            left = rest;
        }
        while let Some((rows, rest)) = left.split_first_chunk::<2>() {
            group::<B, 2, 2>(sieve, columns, rows, panels.clone());
            left = rest;
        }
        for &row in left {
            group::<B, 1, 4>(sieve, columns, &[row], panels.clone());
        }
    }
}

/// Arrays in place of registers.
struct Portable;

impl Bytes for Portable {
    type Word = [u32; LANES];
    type Float = [f32; LANES];
    const IS_WIDE: bool = false;

    #[inline(always)]
    unsafe fn splat(x: u32) -> Self::Word {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load(at: *const u32) -> Self::Word {
        // SAFETY: valid for `LANES` words, as the caller promises.
        unsafe { at.cast::<[u32; LANES]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn multiply(sums: Self::Word, column: Self::Word, row: Self::Word) -> Self::Word {
        // The two halves of a word are 16-bit numbers.
        #[expect(clippy::cast_possible_truncation, reason = "the halves of a word")]
        let halves = |word: u32| (i32::from(word as i16), i32::from((word >> 16) as i16));
        std::array::from_fn(|lane| {
            let ((a, b), (x, y)) = (halves(column[lane]), halves(row[lane]));
            sums[lane].wrapping_add((a * x + b * y).cast_unsigned())
        })
    }

    #[inline(always)]
    unsafe fn upper(sums: Self::Word, row: &Facts, panel: Panel) -> Self::Float {
        // SAFETY: valid for `LANES` numbers, as the caller promises.
        let [scales, offsets, lengths, errors] = unsafe {
            [panel.scales, panel.offsets, panel.lengths, panel.errors]
                .map(|at| at.cast::<[f32; LANES]>().read_unaligned())
        };
        std::array::from_fn(|lane| {
            #[expect(clippy::cast_precision_loss, reason = "the slack has room for it")]
            let sum = sums[lane].cast_signed() as f32;
            sum * row.scale * scales[lane]
                + offsets[lane]
                + row.error * lengths[lane]
                + row.size * errors[lane]
        })
    }

    #[inline(always)]
    #[expect(
        clippy::neg_cmp_op_on_partial_ord,
        reason = "what cannot be compared is not below"
    )]
    unsafe fn reaches(x: Self::Float, bar: f32) -> u32 {
        (0..LANES).fold(0, |bits, lane| bits | u32::from(!(x[lane] < bar)) << lane)
    }

    #[inline(always)]
    unsafe fn raise(at: *mut f32, x: Self::Float) {
        // SAFETY: valid for `LANES` numbers, as the caller promises.
        unsafe {
            let old = at.cast::<[f32; LANES]>().read_unaligned();
            Self::store(
                at,
                std::array::from_fn(|lane| {
                    if x[lane] > old[lane] {
                        x[lane]
                    } else {
                        old[lane]
                    }
                }),
            );
        }
    }

    #[inline(always)]
    unsafe fn store(at: *mut f32, x: Self::Float) {
        // SAFETY: valid for `LANES` numbers, as the caller promises.
        unsafe { at.cast::<[f32; LANES]>().write_unaligned(x) };
    }
}

/// Sifts in the way that the columns are packed for.
pub fn sift(sieve: &mut Sieve, columns: &CoarseColumns, picked: &[u32], panels: Range<usize>) {
    assert!(
        columns.way.runs_here(),
        "the processor has the instructions of the way"
    );
    match columns.way {
        // SAFETY: every processor runs it.
        Coarse::Portable => unsafe { walk::<Portable>(sieve, columns, picked, panels) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `runs_here` found AVX2 and FMA.
        Coarse::Avx2 => unsafe { x86_bytes::avx2(sieve, columns, picked, panels) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `runs_here` found AVX2, FMA and AVX VNNI.
        Coarse::AvxVnni => unsafe { x86_bytes::avx_vnni(sieve, columns, picked, panels) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `runs_here` found AVX-512F and AVX-512 VNNI.
        Coarse::Avx512Vnni => unsafe { x86_bytes::avx512_vnni(sieve, columns, picked, panels) },
    }
}
