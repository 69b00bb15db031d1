//! Inner products: scores of many rows against many columns, and the nearest column of each row.
//!
//! **What an inner product is here.** `acc = 0; for i in 0..dim { acc = fma(row[i], column[i], acc) }` in single
//! precision: one left-to-right chain of fused multiply-adds, each rounded once. Lanes run across columns and never
//! along the dimension, so every kernel below, whatever its width and blocking, gives the same bits as [`inner`].
//! That holds for finite inputs whose products stay finite; what a NaN does is not defined.
//!
//! **Layout.** The column side (centroids, sentences) is packed into *panels*: [`LANES`] columns interleaved per step of
//! the dimension, the last panel filled up with zeros. Single precision is packed by [`Panels`]; half precision lies in
//! bytes as it would in a file ([`interleave`]) and is widened on load, exactly. The row side stays row-major.
//!
//! **Kernels.** [`Kernel::detect`] picks AVX-512F, AVX2 with FMA and F16C, NEON, or the portable kernel, at run time.
//! A kernel holds a tile of rows by panels in registers (6×1 with AVX2) and walks the columns in blocks of
//! [`BLOCK_BYTES`], which stay in the second-level cache while all rows pass by.
//!
//! **Nearest columns of many.** [`Sieve`] looks at columns in bytes first, with a bound that loses no nearest one, and
//! [`Kernel::product`] decides among the few that remain, in double precision, with the same bits on every processor.
//!
//! **Memory.** Nothing is allocated here but what [`Panels::pack`] returns, [`CoarseColumns`] and [`Sieve`].
//! **Order.** Results lie in the order of the rows; no result depends on how rows are split over calls.
#![expect(
    unsafe_code,
    reason = "SIMD intrinsics and unchecked tiles; each block says why it is sound"
)]
#![expect(
    clippy::inline_always,
    reason = "intrinsics become single instructions only inside the entry functions"
)]
#![expect(
    clippy::float_cmp,
    reason = "a tie is the equality of two results of one definition"
)]

mod coarse;
mod exact;
mod micro;
mod panels;
mod portable;
mod sift;

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_bytes;

#[cfg(test)]
mod tests;

pub use coarse::{Coarse, CoarseColumns, Hit, MOST_DIMS, Sieve};
pub use panels::{Element, F16, F32, PanelView, Panels, Rows, interleave};

/// Columns in one panel.
pub const LANES: usize = 16;

/// The columns that are kept in cache while all rows pass by.
pub const BLOCK_BYTES: usize = 256 * 1024;

/// The column that is nearest to a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// The column's number; the smallest among those with the largest score. `u32::MAX` as long as there is none.
    pub index: u32,
    /// Its score: the inner product plus the column's bias.
    pub score: f32,
    /// The largest score among all *other* columns; equal to `score` in a tie, negative infinity if there is no other.
    pub second: f32,
}

impl Nearest {
    /// No column has been seen yet.
    pub const NONE: Self = Self {
        index: u32::MAX,
        score: f32::NEG_INFINITY,
        second: f32::NEG_INFINITY,
    };

    /// Takes one more column into account. The outcome does not depend on the order in which columns come.
    pub fn take(&mut self, index: u32, score: f32) {
        self.merge(Self {
            index,
            score,
            second: f32::NEG_INFINITY,
        });
    }

    /// Joins the outcomes over two disjoint sets of columns.
    pub fn merge(&mut self, other: Self) {
        let wins =
            other.score > self.score || (other.score == self.score && other.index < self.index);
        let loser = if wins { self.score } else { other.score };
        self.second = self.second.max(other.second).max(loser);
        if wins {
            self.index = other.index;
            self.score = other.score;
        }
    }
}

/// The inner product as it is defined: the scalar chain that every kernel reproduces bit for bit.
///
/// The shorter of the two slices sets the dimension.
#[must_use]
pub fn inner(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |acc, (&x, &y)| x.mul_add(y, acc))
}

/// One implementation of the inner products. All give the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// `f32::mul_add`, one row at a time; correct everywhere, slow without a hardware FMA.
    Portable,
    /// AVX2, FMA and F16C: tiles of 6 rows by 16 columns.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512F: tiles of 12 rows by 32 columns.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// NEON: tiles of 6 rows by 16 columns.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Kernel {
    /// The kernels that this processor runs, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut kernels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c")
            {
                kernels.push(Self::Avx2);
                if is_x86_feature_detected!("avx512f") {
                    kernels.push(Self::Avx512);
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        kernels.push(Self::Neon);
        kernels
    }

    /// The fastest kernel that this processor runs.
    #[must_use]
    pub fn detect() -> Self {
        Self::available().pop().unwrap_or(Self::Portable)
    }

    /// Whether this processor runs the kernel.
    fn runs_here(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("f16c")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
        }
    }

    /// Runs a loop, compiled for the kernel's instruction set.
    fn run<T: exact::Task>(self, task: T) -> T::Output {
        assert!(
            self.runs_here(),
            "the processor has the kernel's instructions"
        );
        match self {
            Self::Portable => task.run(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `runs_here` found AVX2, FMA and F16C.
            Self::Avx2 => unsafe { x86::run_avx2(task) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `runs_here` found AVX-512F.
            Self::Avx512 => unsafe { x86::run_avx512(task) },
            #[cfg(target_arch = "aarch64")]
            // NEON is part of every aarch64 target: the plain loop is compiled for it.
            Self::Neon => task.run(),
        }
    }

    /// The scores of every row against every column: `out[i * columns + j]` is the inner product of row i and column j.
    ///
    /// # Panics
    /// If the dimensions differ, `out` does not hold rows × columns, or this processor lacks the kernel.
    pub fn scores<E: Element>(self, rows: Rows<'_>, panels: PanelView<'_, E>, out: &mut [f32]) {
        assert_eq!(
            rows.dim(),
            panels.dim(),
            "rows and columns have the same dimension"
        );
        assert_eq!(
            out.len(),
            rows.len() * panels.columns(),
            "one score for each row and column"
        );
        assert!(
            self.runs_here(),
            "the processor has the kernel's instructions"
        );
        match self {
            Self::Portable => portable::scores(rows, panels, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `runs_here` found AVX2, FMA and F16C.
            Self::Avx2 => unsafe { x86::scores_avx2(rows, panels, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `runs_here` found AVX-512F.
            Self::Avx512 => unsafe { x86::scores_avx512(rows, panels, out) },
            #[cfg(target_arch = "aarch64")]
            Self::Neon => neon::scores(rows, panels, out),
        }
    }

    /// Finds for each row the column with the largest inner product plus bias; ties go to the smallest column number.
    ///
    /// `best[i]` belongs to row i and is joined with what it already holds: start from [`Nearest::NONE`], and call once
    /// for each set of panels, with `first` the number of the set's first column.
    ///
    /// # Panics
    /// If the dimensions differ, `best` does not hold one entry a row, or this processor lacks the kernel.
    pub fn nearest(self, rows: Rows<'_>, panels: &Panels, first: u32, best: &mut [Nearest]) {
        assert_eq!(
            rows.dim(),
            panels.dim(),
            "rows and columns have the same dimension"
        );
        assert_eq!(best.len(), rows.len(), "one answer for each row");
        assert!(
            self.runs_here(),
            "the processor has the kernel's instructions"
        );
        match self {
            Self::Portable => portable::nearest(rows, panels, first, best),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `runs_here` found AVX2, FMA and F16C.
            Self::Avx2 => unsafe { x86::nearest_avx2(rows, panels, first, best) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `runs_here` found AVX-512F.
            Self::Avx512 => unsafe { x86::nearest_avx512(rows, panels, first, best) },
            #[cfg(target_arch = "aarch64")]
            Self::Neon => neon::nearest(rows, panels, first, best),
        }
    }
}
