//! The kernel for every processor: `f32::mul_add`, lane by lane.

use half::f16;

use super::micro::{self, Isa, Race, Tile};
use super::panels::{Element, PanelView, Panels, Rows};
use super::{LANES, Nearest};

/// Arrays in place of registers.
pub struct Portable;

impl Isa for Portable {
    type Panel = [f32; LANES];
    type Index = [u32; LANES];
    const TILE: Tile = Tile::Single;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::Panel {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn splat_index(x: u32) -> Self::Index {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load_f32(at: *const f32) -> Self::Panel {
        // SAFETY: valid for `LANES` numbers, as the caller promises; an array is as aligned as its numbers.
        unsafe { at.cast::<[f32; LANES]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const [u8; 2]) -> Self::Panel {
        // SAFETY: valid for `LANES` units, as the caller promises.
        let units = unsafe { at.cast::<[[u8; 2]; LANES]>().read_unaligned() };
        units.map(|x| f16::from_le_bytes(x).to_f32())
    }

    #[inline(always)]
    unsafe fn store(at: *mut f32, x: Self::Panel) {
        // SAFETY: valid for `LANES` numbers, as the caller promises.
        unsafe { at.cast::<[f32; LANES]>().write_unaligned(x) };
    }

    #[inline(always)]
    unsafe fn store_index(at: *mut u32, x: Self::Index) {
        // SAFETY: valid for `LANES` integers, as the caller promises.
        unsafe { at.cast::<[u32; LANES]>().write_unaligned(x) };
    }

    #[inline(always)]
    unsafe fn fma(a: Self::Panel, b: Self::Panel, c: Self::Panel) -> Self::Panel {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    unsafe fn add(a: Self::Panel, b: Self::Panel) -> Self::Panel {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    unsafe fn race(
        mut state: Race<Self::Panel, Self::Index>,
        score: Self::Panel,
        panel: Self::Index,
    ) -> Race<Self::Panel, Self::Index> {
        for lane in 0..LANES {
            let wins = score[lane] > state.best[lane];
            state.second[lane] = state.second[lane].max(score[lane].min(state.best[lane]));
            state.best[lane] = if wins { score[lane] } else { state.best[lane] };
            state.panel[lane] = if wins { panel[lane] } else { state.panel[lane] };
        }
        state
    }
}

/// See [`super::Kernel::scores`].
pub fn scores<E: Element>(rows: Rows<'_>, panels: PanelView<'_, E>, out: &mut [f32]) {
    // SAFETY: every processor runs it.
    unsafe { micro::scores::<Portable, E>(rows, panels, out) };
}

/// See [`super::Kernel::nearest`].
pub fn nearest(rows: Rows<'_>, panels: &Panels, first: u32, best: &mut [Nearest]) {
    // SAFETY: every processor runs it.
    unsafe { micro::nearest::<Portable>(rows, panels, first, best) };
}
