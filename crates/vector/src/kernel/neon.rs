//! The kernel for aarch64: NEON, which every such processor has.

use std::arch::aarch64::{
    float32x4_t, uint32x4_t, vaddq_f32, vbslq_f32, vbslq_u32, vcgtq_f32, vdupq_n_f32, vdupq_n_u32,
    vfmaq_f32, vld1q_f32, vmaxq_f32, vminq_f32, vst1q_f32, vst1q_u32,
};

use half::f16;

use super::micro::{self, Isa, Race, Tile};
use super::panels::{Element, PanelView, Panels, Rows};
use super::{LANES, Nearest};

/// NEON: a panel is four registers.
pub struct Neon;

impl Isa for Neon {
    type Panel = [float32x4_t; 4];
    type Index = [uint32x4_t; 4];
    const TILE: Tile = Tile::Narrow;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::Panel {
        // SAFETY: every aarch64 processor that Rust targets has NEON.
        unsafe { [vdupq_n_f32(x); 4] }
    }

    #[inline(always)]
    unsafe fn splat_index(x: u32) -> Self::Index {
        // SAFETY: as above.
        unsafe { [vdupq_n_u32(x); 4] }
    }

    #[inline(always)]
    unsafe fn load_f32(at: *const f32) -> Self::Panel {
        // SAFETY: valid for 16 numbers of any alignment, as the caller promises.
        unsafe {
            [
                vld1q_f32(at),
                vld1q_f32(at.add(4)),
                vld1q_f32(at.add(8)),
                vld1q_f32(at.add(12)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const [u8; 2]) -> Self::Panel {
        // SAFETY: valid for 16 units, as the caller promises.
        unsafe {
            let units = at.cast::<[[u8; 2]; LANES]>().read_unaligned();
            let wide = units.map(|x| f16::from_le_bytes(x).to_f32());
            Self::load_f32(wide.as_ptr())
        }
    }

    #[inline(always)]
    unsafe fn store(at: *mut f32, x: Self::Panel) {
        // SAFETY: valid for 16 numbers of any alignment, as the caller promises.
        unsafe {
            for (quarter, &x) in x.iter().enumerate() {
                vst1q_f32(at.add(4 * quarter), x);
            }
        }
    }

    #[inline(always)]
    unsafe fn store_index(at: *mut u32, x: Self::Index) {
        // SAFETY: valid for 16 integers of any alignment, as the caller promises.
        unsafe {
            for (quarter, &x) in x.iter().enumerate() {
                vst1q_u32(at.add(4 * quarter), x);
            }
        }
    }

    #[inline(always)]
    unsafe fn fma(a: Self::Panel, b: Self::Panel, mut c: Self::Panel) -> Self::Panel {
        // SAFETY: every aarch64 processor that Rust targets has NEON.
        unsafe {
            for quarter in 0..4 {
                c[quarter] = vfmaq_f32(c[quarter], a[quarter], b[quarter]);
            }
            c
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Panel, mut b: Self::Panel) -> Self::Panel {
        // SAFETY: as above.
        unsafe {
            for quarter in 0..4 {
                b[quarter] = vaddq_f32(a[quarter], b[quarter]);
            }
            b
        }
    }

    #[inline(always)]
    unsafe fn race(
        mut state: Race<Self::Panel, Self::Index>,
        score: Self::Panel,
        panel: Self::Index,
    ) -> Race<Self::Panel, Self::Index> {
        // SAFETY: as above.
        unsafe {
            for quarter in 0..4 {
                let wins = vcgtq_f32(score[quarter], state.best[quarter]);
                let lower = vminq_f32(score[quarter], state.best[quarter]);
                state.second[quarter] = vmaxq_f32(state.second[quarter], lower);
                state.best[quarter] = vbslq_f32(wins, score[quarter], state.best[quarter]);
                state.panel[quarter] = vbslq_u32(wins, panel[quarter], state.panel[quarter]);
            }
            state
        }
    }
}

/// See [`super::Kernel::scores`].
pub fn scores<E: Element>(rows: Rows<'_>, panels: PanelView<'_, E>, out: &mut [f32]) {
    // SAFETY: every aarch64 processor that Rust targets has NEON.
    unsafe { micro::scores::<Neon, E>(rows, panels, out) };
}

/// See [`super::Kernel::nearest`].
pub fn nearest(rows: Rows<'_>, panels: &Panels, first: u32, best: &mut [Nearest]) {
    // SAFETY: as above.
    unsafe { micro::nearest::<Neon>(rows, panels, first, best) };
}
