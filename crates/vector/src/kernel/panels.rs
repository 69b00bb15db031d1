//! The two sides of a product: row-major rows, and columns packed into panels.

use half::f16;

use super::LANES;
use super::micro::Isa;

mod sealed {
    /// Only this crate says what a panel may hold.
    pub trait Sealed {}
}

/// What a panel holds: [`F32`] or [`F16`].
pub trait Element: sealed::Sealed {
    /// One number as it is stored.
    type Unit: Copy + Sync;

    /// Loads [`LANES`] numbers, widened to single precision (exactly).
    ///
    /// # Safety
    /// `at` is valid for reading [`LANES`] units, and the processor runs `S`.
    #[doc(hidden)]
    unsafe fn load<S: Isa>(at: *const Self::Unit) -> S::Panel;
}

/// Single precision.
#[derive(Debug, Clone, Copy)]
pub struct F32;

impl sealed::Sealed for F32 {}

impl Element for F32 {
    type Unit = f32;

    #[inline(always)]
    unsafe fn load<S: Isa>(at: *const f32) -> S::Panel {
        // SAFETY: the caller's promise is the callee's.
        unsafe { S::load_f32(at) }
    }
}

/// Half precision as little-endian bytes, of any alignment: a view of a memory-mapped file needs no copy.
#[derive(Debug, Clone, Copy)]
pub struct F16;

impl sealed::Sealed for F16 {}

impl Element for F16 {
    type Unit = [u8; 2];

    #[inline(always)]
    unsafe fn load<S: Isa>(at: *const [u8; 2]) -> S::Panel {
        // SAFETY: the caller's promise is the callee's.
        unsafe { S::load_f16(at) }
    }
}

/// Appends `rows` (row-major, `dim` units each) to `out` as panels: [`LANES`] rows interleaved per step of the dimension,
/// the last panel filled up with `zero`. A panel takes `LANES * dim` units.
///
/// # Panics
/// If `rows` is not a whole number of rows.
pub fn interleave<T: Copy>(rows: &[T], dim: usize, zero: T, out: &mut Vec<T>) {
    assert!(dim > 0 && rows.len().is_multiple_of(dim), "whole rows");
    out.reserve((rows.len() / dim).next_multiple_of(LANES) * dim);
    for group in rows.chunks(LANES * dim) {
        let start = out.len();
        out.resize(start + LANES * dim, zero);
        for (lane, row) in group.chunks_exact(dim).enumerate() {
            for (step, &x) in out[start..].chunks_exact_mut(LANES).zip(row) {
                step[lane] = x;
            }
        }
    }
}

/// Packed columns that lie elsewhere, for instance in a memory-mapped index.
#[derive(Debug)]
pub struct PanelView<'a, E: Element> {
    data: &'a [E::Unit],
    dim: usize,
    columns: usize,
}

impl<E: Element> Clone for PanelView<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E: Element> Copy for PanelView<'_, E> {}

impl<'a, E: Element> PanelView<'a, E> {
    /// A view of `columns` columns of `dim` dimensions, packed by [`interleave`].
    ///
    /// # Panics
    /// If `data` is not exactly the panels of so many columns.
    #[must_use]
    pub fn new(data: &'a [E::Unit], dim: usize, columns: usize) -> Self {
        assert_eq!(
            data.len(),
            columns.next_multiple_of(LANES) * dim,
            "the panels of so many columns"
        );
        Self { data, dim, columns }
    }

    /// The number of dimensions.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of columns, without the fill of the last panel.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The number of panels.
    pub(super) fn panels(&self) -> usize {
        self.columns.div_ceil(LANES)
    }

    /// The bytes of one panel.
    pub(super) fn panel_bytes(&self) -> usize {
        LANES * self.dim * size_of::<E::Unit>()
    }

    /// Where a panel starts; it holds `LANES * dim` units.
    pub(super) fn panel(&self, number: usize) -> *const E::Unit {
        let size = LANES * self.dim;
        self.data[number * size..(number + 1) * size].as_ptr()
    }
}

impl<'a> PanelView<'a, F16> {
    /// A view of half-precision columns in little-endian bytes.
    ///
    /// # Panics
    /// If `bytes` is not exactly the panels of so many columns.
    #[must_use]
    pub fn from_bytes(bytes: &'a [u8], dim: usize, columns: usize) -> Self {
        let (units, rest) = bytes.as_chunks::<2>();
        assert!(rest.is_empty(), "an even number of bytes");
        Self::new(units, dim, columns)
    }

    /// One column, widened to single precision, appended to `out`. For tests and for the few columns that are looked at
    /// one by one.
    pub fn column(&self, number: usize, out: &mut Vec<f32>) {
        let size = LANES * self.dim;
        let panel = &self.data[number / LANES * size..][..size];
        out.extend(
            panel
                .iter()
                .skip(number % LANES)
                .step_by(LANES)
                .map(|&x| f16::from_le_bytes(x).to_f32()),
        );
    }
}

/// Single-precision columns packed into panels, with a bias for each.
#[derive(Debug, Clone)]
pub struct Panels {
    data: Vec<f32>,
    /// One for each lane; negative infinity in the fill, so that the fill is never the nearest column.
    bias: Vec<f32>,
    dim: usize,
    columns: usize,
}

impl Panels {
    /// Packs `columns` (row-major, `dim` numbers each), with bias 0.
    ///
    /// # Panics
    /// If `columns` is not a whole number of columns.
    #[must_use]
    pub fn pack(columns: &[f32], dim: usize) -> Self {
        let count = columns.len() / dim;
        Self::pack_biased(columns, dim, &vec![0.0; count])
    }

    /// Packs `columns` with a bias for each, which [`super::Kernel::nearest`] adds to the inner product. With
    /// −‖c‖²/2 the column of the largest score is the one of the smallest Euclidean distance.
    ///
    /// # Panics
    /// If `columns` is not a whole number of columns, or the biases are not as many.
    #[must_use]
    pub fn pack_biased(columns: &[f32], dim: usize, bias: &[f32]) -> Self {
        let mut data = Vec::new();
        interleave(columns, dim, 0.0, &mut data);
        let count = columns.len() / dim;
        assert_eq!(bias.len(), count, "one bias for each column");
        let mut bias = bias.to_vec();
        bias.resize(count.next_multiple_of(LANES), f32::NEG_INFINITY);
        Self {
            data,
            bias,
            dim,
            columns: count,
        }
    }

    /// The number of dimensions.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The packed columns without their biases.
    #[must_use]
    pub fn view(&self) -> PanelView<'_, F32> {
        PanelView {
            data: &self.data,
            dim: self.dim,
            columns: self.columns,
        }
    }

    /// The bias of each column.
    #[must_use]
    pub fn biases(&self) -> &[f32] {
        &self.bias[..self.columns]
    }

    /// The biases of a panel's lanes.
    pub(super) fn bias(&self, panel: usize) -> *const f32 {
        self.bias[panel * LANES..(panel + 1) * LANES].as_ptr()
    }
}

/// Row-major rows, all of them or those of a list.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    data: &'a [f32],
    dim: usize,
    picked: Option<&'a [u32]>,
}

impl<'a> Rows<'a> {
    /// All rows of a row-major matrix.
    ///
    /// # Panics
    /// If `data` is not a whole number of rows.
    #[must_use]
    pub fn all(data: &'a [f32], dim: usize) -> Self {
        assert!(dim > 0 && data.len().is_multiple_of(dim), "whole rows");
        Self {
            data,
            dim,
            picked: None,
        }
    }

    /// The rows of a row-major matrix that are listed in `picked`, in that order.
    ///
    /// # Panics
    /// If `data` is not a whole number of rows, or a listed row is not there.
    #[must_use]
    pub fn picked(data: &'a [f32], dim: usize, picked: &'a [u32]) -> Self {
        assert!(dim > 0 && data.len().is_multiple_of(dim), "whole rows");
        assert!(
            picked.iter().all(|&row| (row as usize) < data.len() / dim),
            "each listed row is there"
        );
        Self {
            data,
            dim,
            picked: Some(picked),
        }
    }

    /// The number of dimensions.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.picked.map_or(self.data.len() / self.dim, <[u32]>::len)
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row.
    pub(super) fn row(&self, number: usize) -> &'a [f32] {
        let row = self.picked.map_or(number, |picked| picked[number] as usize);
        &self.data[row * self.dim..(row + 1) * self.dim]
    }
}
