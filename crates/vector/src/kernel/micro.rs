//! The register tile and the cache blocking, once for all instruction sets.
//!
//! Everything here is `#[inline(always)]` into an entry function that carries the instruction set's `target_feature`;
//! only there do the intrinsics below become single instructions.

use super::panels::{Element, PanelView, Panels, Rows};
use super::{BLOCK_BYTES, LANES, Nearest};

/// The most rows in a register tile.
pub const MOST_ROWS: usize = 12;

/// How many rows and panels a register tile takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tile {
    /// One row, one panel.
    Single,
    /// 6 rows by 1 panel, for 16 or 32 registers of a half or quarter panel.
    Narrow,
    /// 12 rows by 2 panels, for 32 registers of a whole panel.
    Wide,
}

/// One instruction set, seen as operations on the [`LANES`] lanes of a panel.
///
/// # Safety
/// All functions may be called only on a processor that has the instruction set; the loads and stores read or write
/// [`LANES`] units at a pointer of any alignment, which must be valid for that.
pub trait Isa {
    /// One number a lane.
    type Panel: Copy;
    /// One unsigned integer a lane.
    type Index: Copy;
    /// The register tile.
    const TILE: Tile;

    /// `x` in every lane.
    unsafe fn splat(x: f32) -> Self::Panel;
    /// `x` in every lane.
    unsafe fn splat_index(x: u32) -> Self::Index;
    /// Loads single precision.
    unsafe fn load_f32(at: *const f32) -> Self::Panel;
    /// Loads half precision, widened.
    unsafe fn load_f16(at: *const [u8; 2]) -> Self::Panel;
    /// Stores single precision.
    unsafe fn store(at: *mut f32, x: Self::Panel);
    /// Stores the integers.
    unsafe fn store_index(at: *mut u32, x: Self::Index);
    /// a·b + c, rounded once.
    unsafe fn fma(a: Self::Panel, b: Self::Panel, c: Self::Panel) -> Self::Panel;
    /// a + b.
    unsafe fn add(a: Self::Panel, b: Self::Panel) -> Self::Panel;
    /// The lane's running first, its panel number, and running second after one more score: a strictly larger score
    /// replaces the first.
    unsafe fn race(
        state: Race<Self::Panel, Self::Index>,
        score: Self::Panel,
        panel: Self::Index,
    ) -> Race<Self::Panel, Self::Index>;
}

/// The running outcome of each lane.
#[derive(Debug, Clone, Copy)]
pub struct Race<P, I> {
    /// The largest score so far.
    pub best: P,
    /// The panel it came from.
    pub panel: I,
    /// The second largest score so far.
    pub second: P,
}

/// What becomes of a tile's products.
trait Sink<S: Isa> {
    /// A group of rows starts to walk over a block of panels.
    unsafe fn begin(&mut self);
    /// The products of the group's `R` rows, the first of them `row`, with one panel.
    unsafe fn take<const R: usize>(&mut self, row: usize, panel: usize, products: &[S::Panel; R]);
    /// The group has walked over the block.
    unsafe fn end<const R: usize>(&mut self, row: usize);
}

/// The products of `R` rows with `P` panels of `dim` steps each.
///
/// # Safety
/// Each row is valid for `dim` numbers, each panel for `LANES * dim` units, and the processor runs `S`.
#[inline(always)]
unsafe fn tile<S: Isa, E: Element, const R: usize, const P: usize>(
    rows: &[*const f32; R],
    panels: &[*const E::Unit; P],
    dim: usize,
) -> [[S::Panel; R]; P] {
    // SAFETY: `step` stays below `dim`; the rest is the caller's promise.
    unsafe {
        let mut acc = [[S::splat(0.0); R]; P];
        for step in 0..dim {
            let mut column = [S::splat(0.0); P];
            for (column, panel) in column.iter_mut().zip(panels) {
                *column = E::load::<S>(panel.add(step * LANES));
            }
            for r in 0..R {
                let x = S::splat(*rows[r].add(step));
                for p in 0..P {
                    acc[p][r] = S::fma(x, column[p], acc[p][r]);
                }
            }
        }
        acc
    }
}

/// One group of `R` rows over the panels `from..to`, `P` at a time.
#[inline(always)]
unsafe fn group<S: Isa, E: Element, K: Sink<S>, const R: usize, const P: usize>(
    rows: Rows<'_>,
    first: usize,
    panels: PanelView<'_, E>,
    (from, to): (usize, usize),
    sink: &mut K,
) {
    let dim = rows.dim();
    let pointers: [*const f32; R] = std::array::from_fn(|r| rows.row(first + r).as_ptr());
    // SAFETY: rows and panels were cut from slices of the right length; the processor is the caller's promise.
    unsafe {
        sink.begin();
        let mut panel = from;
        while panel + P <= to {
            let at: [*const E::Unit; P] = std::array::from_fn(|p| panels.panel(panel + p));
            let products = tile::<S, E, R, P>(&pointers, &at, dim);
            for (p, products) in products.iter().enumerate() {
                sink.take::<R>(first, panel + p, products);
            }
            panel += P;
        }
        while panel < to {
            let products = tile::<S, E, R, 1>(&pointers, &[panels.panel(panel)], dim);
            sink.take::<R>(first, panel, &products[0]);
            panel += 1;
        }
        sink.end::<R>(first);
    }
}

/// All rows against all panels, block of panels by block of panels.
#[inline(always)]
unsafe fn walk<S: Isa, E: Element, K: Sink<S>>(
    rows: Rows<'_>,
    panels: PanelView<'_, E>,
    sink: &mut K,
) {
    let block = (BLOCK_BYTES / panels.panel_bytes().max(1)).max(4);
    let (count, total) = (rows.len(), panels.panels());
    for from in (0..total).step_by(block) {
        let span = (from, (from + block).min(total));
        let mut row = 0;
        while row < count {
            let left = count - row;
            // SAFETY: `row + R <= count`; the processor is the caller's promise.
            unsafe {
                row += match S::TILE {
                    Tile::Wide if left >= 12 => {
                        group::<S, E, K, 12, 2>(rows, row, panels, span, sink);
                        12
                    }
                    Tile::Wide if left >= 6 => {
                        group::<S, E, K, 6, 2>(rows, row, panels, span, sink);
                        6
                    }
                    Tile::Narrow if left >= 6 => {
                        group::<S, E, K, 6, 1>(rows, row, panels, span, sink);
                        6
                    }
                    Tile::Wide | Tile::Narrow if left >= 2 => {
                        group::<S, E, K, 2, 2>(rows, row, panels, span, sink);
                        2
                    }
                    Tile::Wide | Tile::Narrow => {
                        group::<S, E, K, 1, 4>(rows, row, panels, span, sink);
                        1
                    }
                    Tile::Single => {
                        group::<S, E, K, 1, 1>(rows, row, panels, span, sink);
                        1
                    }
                };
            }
        }
    }
}

/// Writes the products into a row-major matrix.
struct Matrix<'a> {
    out: &'a mut [f32],
    columns: usize,
}

impl<S: Isa> Sink<S> for Matrix<'_> {
    #[inline(always)]
    unsafe fn begin(&mut self) {}

    #[inline(always)]
    unsafe fn take<const R: usize>(&mut self, row: usize, panel: usize, products: &[S::Panel; R]) {
        let column = panel * LANES;
        for (r, &product) in products.iter().enumerate() {
            let out =
                &mut self.out[(row + r) * self.columns..(row + r + 1) * self.columns][column..];
            if out.len() >= LANES {
                // SAFETY: `out` has room for a panel's lanes.
                unsafe { S::store(out.as_mut_ptr(), product) };
            } else {
                let mut lanes = [0.0; LANES];
                // SAFETY: `lanes` is one panel's lanes.
                unsafe { S::store(lanes.as_mut_ptr(), product) };
                out.copy_from_slice(&lanes[..out.len()]);
            }
        }
    }

    #[inline(always)]
    unsafe fn end<const R: usize>(&mut self, _row: usize) {}
}

/// Keeps each row's largest score.
struct Winner<'a, S: Isa> {
    panels: &'a Panels,
    first: u32,
    best: &'a mut [Nearest],
    state: [Race<S::Panel, S::Index>; MOST_ROWS],
}

impl<S: Isa> Sink<S> for Winner<'_, S> {
    #[inline(always)]
    unsafe fn begin(&mut self) {
        // SAFETY: the processor runs `S`, as the caller promises.
        unsafe { self.state = [start::<S>(); MOST_ROWS] };
    }

    #[inline(always)]
    unsafe fn take<const R: usize>(&mut self, _row: usize, panel: usize, products: &[S::Panel; R]) {
        // SAFETY: the biases are one panel's lanes; a panel number fits in 32 bits as column numbers do.
        unsafe {
            let bias = S::load_f32(self.panels.bias(panel));
            #[expect(
                clippy::cast_possible_truncation,
                reason = "column numbers are 32 bits wide"
            )]
            let number = S::splat_index(panel as u32);
            for (state, &product) in self.state.iter_mut().zip(products) {
                *state = S::race(*state, S::add(product, bias), number);
            }
        }
    }

    #[inline(always)]
    unsafe fn end<const R: usize>(&mut self, row: usize) {
        for (state, best) in self.state[..R].iter().zip(&mut self.best[row..row + R]) {
            let (mut scores, mut seconds, mut panels) =
                ([0.0f32; LANES], [0.0f32; LANES], [0u32; LANES]);
            // SAFETY: each array is one panel's lanes.
            unsafe {
                S::store(scores.as_mut_ptr(), state.best);
                S::store(seconds.as_mut_ptr(), state.second);
                S::store_index(panels.as_mut_ptr(), state.panel);
            }
            for (lane, ((&score, &second), &panel)) in
                (0u32..).zip(scores.iter().zip(&seconds).zip(&panels))
            {
                if score > f32::NEG_INFINITY {
                    #[expect(clippy::cast_possible_truncation, reason = "16")]
                    let index = self.first + panel * LANES as u32 + lane;
                    best.merge(Nearest {
                        index,
                        score,
                        second,
                    });
                }
            }
        }
    }
}

/// A lane that has seen nothing.
#[inline(always)]
unsafe fn start<S: Isa>() -> Race<S::Panel, S::Index> {
    // SAFETY: the processor runs `S`, as the caller promises.
    unsafe {
        Race {
            best: S::splat(f32::NEG_INFINITY),
            panel: S::splat_index(0),
            second: S::splat(f32::NEG_INFINITY),
        }
    }
}

/// See [`super::Kernel::scores`].
///
/// # Safety
/// The processor runs `S`.
#[inline(always)]
pub unsafe fn scores<S: Isa, E: Element>(
    rows: Rows<'_>,
    panels: PanelView<'_, E>,
    out: &mut [f32],
) {
    let mut sink = Matrix {
        out,
        columns: panels.columns(),
    };
    // SAFETY: the caller's promise.
    unsafe { walk::<S, E, _>(rows, panels, &mut sink) };
}

/// See [`super::Kernel::nearest`].
///
/// # Safety
/// The processor runs `S`.
#[inline(always)]
pub unsafe fn nearest<S: Isa>(rows: Rows<'_>, panels: &Panels, first: u32, best: &mut [Nearest]) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sink = Winner::<S> {
            panels,
            first,
            best,
            state: [start::<S>(); MOST_ROWS],
        };
        walk::<S, _, _>(rows, panels.view(), &mut sink);
    }
}
