//! Unit vectors as 8-bit codes, and all pairs of them whose cosine may reach a bound.
//!
//! **Codes.** A vector x of length |x| is written as u = x/|x| ≈ û = code · step, with whole numbers from −127 to 127 and
//! one step a vector; ε = |u − û| is kept beside it, rounded up. For two such vectors
//! `u·v = û·v̂ + e·v + û·f`, so that `|u·v − û·v̂| ≤ ε(u) + (1 + ε(u))·ε(v)`: a bound, not an estimate. [`Kernel::hits`]
//! leaves out only pairs that the bound rules out, and whoever needs the truth looks at the hits alone.
//!
//! **Why.** Processors with VNNI multiply and add 64 pairs of bytes an instruction, four times the 16 of single precision,
//! and the codes take half the memory of half precision.
//!
//! **Layout.** The column side is packed into panels of [`LANES`] columns, 4 dimensions of each lane side by side; a
//! column's code is stored as code + 128, since the instruction wants one side unsigned. The row side stays row-major.
//!
//! **Memory.** Nothing is allocated but what the caller's vectors grow by.
//! **Order.** All kernels give the same hits, in an order that depends on their blocking.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "SIMD intrinsics; each block says why it is sound"
    )
)]

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

use crate::kernel::{BLOCK_BYTES, LANES};

/// Dimensions that lie side by side in a lane.
const GROUP: usize = 4;

/// The most dimensions: 65,536 · 255 · 127 still fits 32 bits.
pub const MAX_DIM: usize = 1 << 16;

/// What rounding in single precision may add to a bound; cosines and bounds are at most about 1, each takes a few
/// operations of relative error 2⁻²⁴.
const SLACK: f32 = 2e-6;

/// Bytes that a code of `dim` dimensions takes, filled up to a whole group.
#[must_use]
pub fn stride(dim: usize) -> usize {
    dim.next_multiple_of(GROUP)
}

/// How good a code is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What the code's numbers are multiples of.
    pub step: f32,
    /// At least the distance of the unit vector from what the code says.
    pub error: f32,
}

/// Appends the code of `row` / `norm` to `codes`, [`stride`] numbers.
///
/// `norm` is the length of `row` and not 0.
pub fn encode(row: &[f32], norm: f64, codes: &mut Vec<i8>) -> Scale {
    let largest = row.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "any step near this one will do; the error is measured with the one taken"
    )]
    let step = (f64::from(largest) / norm / 127.0) as f32;
    let mut square = 0.0f64;
    let end = codes.len() + stride(row.len());
    for &x in row {
        let unit = f64::from(x) / norm;
        let code = (unit / f64::from(step)).round().clamp(-127.0, 127.0);
        let code = if code.is_finite() { code } else { 0.0 };
        let rest = unit - code * f64::from(step);
        square += rest * rest;
        #[expect(clippy::cast_possible_truncation, reason = "a whole number of 8 bits")]
        codes.push(code as i8);
    }
    codes.resize(end, 0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded up by far more than single precision loses"
    )]
    let error = (square.sqrt() * (1.0 + 1e-6) + 1e-9) as f32;
    Scale { step, error }
}

/// Packs the codes of at most [`LANES`] rows (row-major, [`stride`] numbers each) into `panel`, which takes
/// `LANES * stride(dim)` bytes; lanes without a row hold the code of 0.
///
/// # Panics
/// If there are more rows than lanes or the panel is of another size.
pub fn pack(codes: &[i8], stride: usize, panel: &mut [u8]) {
    assert!(
        stride > 0 && stride.is_multiple_of(GROUP) && codes.len() <= LANES * stride,
        "at most a panel of whole groups"
    );
    assert_eq!(panel.len(), LANES * stride, "one panel");
    panel.fill(128);
    for (lane, row) in codes.chunks_exact(stride).enumerate() {
        for (step, group) in panel
            .chunks_exact_mut(LANES * GROUP)
            .zip(row.chunks_exact(GROUP))
        {
            for (byte, &code) in step[lane * GROUP..].iter_mut().zip(group) {
                *byte = code.cast_unsigned() ^ 128;
            }
        }
    }
}

/// Appends the code of one lane of a panel to `codes`, row-major.
pub fn unpack(panel: &[u8], lane: usize, codes: &mut Vec<i8>) {
    for step in panel.chunks_exact(LANES * GROUP) {
        let group = &step[lane * GROUP..(lane + 1) * GROUP];
        codes.extend(group.iter().map(|byte| (byte ^ 128).cast_signed()));
    }
}

/// The lowest and the highest cosine that two vectors can have whose codes have the inner product `dot`.
#[must_use]
pub fn bounds(dot: i32, a: Scale, b: Scale) -> (f32, f32) {
    #[expect(clippy::cast_precision_loss, reason = "within the slack")]
    let about = dot as f32 * a.step * b.step;
    let reach = a.error + (1.0 + a.error) * b.error + SLACK;
    (about - reach, about + reach)
}

/// Row-major codes and their scales.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    codes: &'a [i8],
    stride: usize,
    scales: &'a [Scale],
}

impl<'a> Rows<'a> {
    /// Rows of `stride` numbers.
    ///
    /// # Panics
    /// If there is not one scale a row, or the stride is 0, no whole number of groups, or beyond [`MAX_DIM`].
    #[must_use]
    pub fn new(codes: &'a [i8], stride: usize, scales: &'a [Scale]) -> Self {
        assert!(
            stride > 0 && stride.is_multiple_of(GROUP) && stride <= MAX_DIM,
            "whole groups"
        );
        assert_eq!(codes.len(), scales.len() * stride, "one scale a row");
        Self {
            codes,
            stride,
            scales,
        }
    }

    fn row(&self, number: usize) -> &'a [i8] {
        &self.codes[number * self.stride..(number + 1) * self.stride]
    }
}

/// Packed columns and their scales.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    panels: &'a [u8],
    stride: usize,
    steps: &'a [f32],
    errors: &'a [f32],
}

impl<'a> Columns<'a> {
    /// Panels made by [`pack`]. `steps` and `errors` have an entry for each lane; a lane without a column has the error
    /// −∞ and is never hit.
    ///
    /// # Panics
    /// If the sizes do not fit together.
    #[must_use]
    pub fn new(panels: &'a [u8], stride: usize, steps: &'a [f32], errors: &'a [f32]) -> Self {
        assert!(
            stride > 0 && stride.is_multiple_of(GROUP) && stride <= MAX_DIM,
            "whole groups"
        );
        assert!(
            steps.len().is_multiple_of(LANES) && steps.len() == errors.len(),
            "whole panels"
        );
        assert_eq!(panels.len(), steps.len() * stride, "one entry a lane");
        Self {
            panels,
            stride,
            steps,
            errors,
        }
    }

    fn count(&self) -> usize {
        self.steps.len() / LANES
    }

    fn panel(&self, number: usize) -> &'a [u8] {
        let size = LANES * self.stride;
        &self.panels[number * size..(number + 1) * size]
    }

    fn lanes(&self, panel: usize) -> (&'a [f32; LANES], &'a [f32; LANES]) {
        // `new` saw whole panels.
        (
            &self.steps.as_chunks().0[panel],
            &self.errors.as_chunks().0[panel],
        )
    }
}

/// A pair that may reach the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The row.
    pub row: u32,
    /// The column, a lane counted over all panels.
    pub column: u32,
    /// The inner product of the codes.
    pub dot: i32,
}

/// What a row asks of a column: `dot · step + weight · error ≥ least`, with the column's step and error.
#[derive(Debug, Clone, Copy, Default)]
struct Test {
    weight: f32,
    least: f32,
    /// −128 times the sum of the row's codes: what the columns' shift by 128 adds, with the sign turned.
    start: i32,
}

impl Test {
    fn new(row: &[i8], scale: Scale, least: f32) -> Self {
        let sum: i32 = row.iter().map(|&code| i32::from(code)).sum();
        Self {
            weight: (1.0 + scale.error) / scale.step,
            least: (least - scale.error - SLACK) / scale.step,
            start: -128 * sum,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "within the slack")]
    fn passes(&self, dot: i32, step: f32, error: f32) -> bool {
        self.weight.mul_add(error, dot as f32 * step) >= self.least
    }
}

/// One implementation of the search. All give the same hits up to pairs at the very edge of the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// Plain code.
    Portable,
    /// AVX2 and FMA: bytes widened to 16 bits.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 with VNNI: tiles of 12 rows by 32 columns.
    #[cfg(target_arch = "x86_64")]
    Vnni,
}

impl Kernel {
    /// The kernels that this processor runs, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        [
            Self::Portable,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2,
            #[cfg(target_arch = "x86_64")]
            Self::Vnni,
        ]
        .into_iter()
        .filter(|kernel| kernel.runs_here())
        .collect()
    }

    /// The fastest kernel that this processor runs.
    #[must_use]
    pub fn detect() -> Self {
        Self::available().pop().unwrap_or(Self::Portable)
    }

    fn runs_here(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Vnni => {
                is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")
            }
        }
    }

    /// Appends to `hits` every pair of a row and a column whose cosine may be `least` or more, as far as the codes can
    /// say; no pair that reaches it is left out.
    ///
    /// # Panics
    /// If rows and columns are of different strides, or this processor lacks the kernel.
    pub fn hits(self, rows: Rows<'_>, columns: Columns<'_>, least: f32, hits: &mut Vec<Hit>) {
        assert_eq!(rows.stride, columns.stride, "codes of one dimension");
        assert!(
            self.runs_here(),
            "the processor has the kernel's instructions"
        );
        let tests: Vec<Test> = rows
            .scales
            .iter()
            .enumerate()
            .map(|(row, &scale)| Test::new(rows.row(row), scale, least))
            .collect();
        // The block of columns stays in the second-level cache while all rows pass by.
        let block = (BLOCK_BYTES / (LANES * columns.stride)).max(2);
        for from in (0..columns.count()).step_by(block) {
            let to = (from + block).min(columns.count());
            match self {
                Self::Portable => portable(rows, columns, (from, to), &tests, hits),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `runs_here` found AVX2 and FMA.
                Self::Avx2 => unsafe { x86::hits_avx2(rows, columns, (from, to), &tests, hits) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `runs_here` found AVX-512F and VNNI.
                Self::Vnni => unsafe { x86::hits_vnni(rows, columns, (from, to), &tests, hits) },
            }
        }
    }
}

fn portable(
    rows: Rows<'_>,
    columns: Columns<'_>,
    (from, to): (usize, usize),
    tests: &[Test],
    hits: &mut Vec<Hit>,
) {
    for (row, test) in tests.iter().enumerate() {
        let (groups, _) = rows.row(row).as_chunks::<GROUP>();
        for panel in from..to {
            let mut dots = [test.start; LANES];
            let (steps, _) = columns.panel(panel).as_chunks::<{ LANES * GROUP }>();
            for (group, step) in groups.iter().zip(steps) {
                let (lanes, _) = step.as_chunks::<GROUP>();
                for (dot, lane) in dots.iter_mut().zip(lanes) {
                    for (&code, &byte) in group.iter().zip(lane) {
                        *dot += i32::from(code) * i32::from(byte);
                    }
                }
            }
            keep(&dots, row, panel, test, columns, hits);
        }
    }
}

/// Appends the lanes that pass.
fn keep(
    dots: &[i32; LANES],
    row: usize,
    panel: usize,
    test: &Test,
    columns: Columns<'_>,
    hits: &mut Vec<Hit>,
) {
    let (steps, errors) = columns.lanes(panel);
    for (lane, &dot) in dots.iter().enumerate() {
        if test.passes(dot, steps[lane], errors[lane]) {
            hits.push(hit(row, panel, lane, dot));
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "blocks of far fewer than 2³² rows and columns"
)]
fn hit(row: usize, panel: usize, lane: usize, dot: i32) -> Hit {
    Hit {
        row: row as u32,
        column: (panel * LANES + lane) as u32,
        dot,
    }
}
