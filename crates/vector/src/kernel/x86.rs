//! The kernels for x86-64: AVX2 with FMA and F16C, and AVX-512F.

use std::arch::x86_64::{
    __m256, __m256i, __m512, __m512i, _CMP_GT_OQ, _mm_loadu_si128, _mm256_add_ps,
    _mm256_blendv_epi8, _mm256_blendv_ps, _mm256_castps_si256, _mm256_cmp_ps, _mm256_cvtph_ps,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_max_ps, _mm256_min_ps,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_storeu_ps, _mm256_storeu_si256, _mm512_add_ps,
    _mm512_cmp_ps_mask, _mm512_cvtph_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_mov_epi32,
    _mm512_mask_mov_ps, _mm512_max_ps, _mm512_min_ps, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_storeu_ps, _mm512_storeu_si512,
};

use super::Nearest;
use super::exact::Task;
use super::micro::{self, Isa, Race, Tile};
use super::panels::{Element, PanelView, Panels, Rows};

/// AVX2, FMA and F16C: a panel is two registers.
pub struct Avx2;

impl Isa for Avx2 {
    type Panel = [__m256; 2];
    type Index = [__m256i; 2];
    const TILE: Tile = Tile::Narrow;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::Panel {
        // SAFETY: the processor has AVX, as the caller promises.
        unsafe { [_mm256_set1_ps(x); 2] }
    }

    #[inline(always)]
    unsafe fn splat_index(x: u32) -> Self::Index {
        // SAFETY: the processor has AVX, as the caller promises.
        unsafe { [_mm256_set1_epi32(x.cast_signed()); 2] }
    }

    #[inline(always)]
    unsafe fn load_f32(at: *const f32) -> Self::Panel {
        // SAFETY: valid for 16 numbers of any alignment, as the caller promises.
        unsafe { [_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(8))] }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const [u8; 2]) -> Self::Panel {
        // SAFETY: valid for 16 units of any alignment, as the caller promises; x86 is little-endian.
        unsafe {
            [
                _mm256_cvtph_ps(_mm_loadu_si128(at.cast())),
                _mm256_cvtph_ps(_mm_loadu_si128(at.add(8).cast())),
            ]
        }
    }

    #[inline(always)]
    unsafe fn store(at: *mut f32, x: Self::Panel) {
        // SAFETY: valid for 16 numbers of any alignment, as the caller promises.
        unsafe {
            _mm256_storeu_ps(at, x[0]);
            _mm256_storeu_ps(at.add(8), x[1]);
        }
    }

    #[inline(always)]
    unsafe fn store_index(at: *mut u32, x: Self::Index) {
        // SAFETY: valid for 16 integers of any alignment, as the caller promises.
        unsafe {
            _mm256_storeu_si256(at.cast(), x[0]);
            _mm256_storeu_si256(at.add(8).cast(), x[1]);
        }
    }

    #[inline(always)]
    unsafe fn fma(a: Self::Panel, b: Self::Panel, c: Self::Panel) -> Self::Panel {
        // SAFETY: the processor has FMA, as the caller promises.
        unsafe {
            [
                _mm256_fmadd_ps(a[0], b[0], c[0]),
                _mm256_fmadd_ps(a[1], b[1], c[1]),
            ]
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Panel, b: Self::Panel) -> Self::Panel {
        // SAFETY: the processor has AVX, as the caller promises.
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn race(
        mut state: Race<Self::Panel, Self::Index>,
        score: Self::Panel,
        panel: Self::Index,
    ) -> Race<Self::Panel, Self::Index> {
        // SAFETY: the processor has AVX2, as the caller promises.
        unsafe {
            for half in 0..2 {
                let wins = _mm256_cmp_ps::<_CMP_GT_OQ>(score[half], state.best[half]);
                state.second[half] = _mm256_max_ps(
                    state.second[half],
                    _mm256_min_ps(score[half], state.best[half]),
                );
                state.best[half] = _mm256_blendv_ps(state.best[half], score[half], wins);
                state.panel[half] =
                    _mm256_blendv_epi8(state.panel[half], panel[half], _mm256_castps_si256(wins));
            }
            state
        }
    }
}

/// AVX-512F: a panel is one register.
pub struct Avx512;

impl Isa for Avx512 {
    type Panel = __m512;
    type Index = __m512i;
    const TILE: Tile = Tile::Wide;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::Panel {
        // SAFETY: the processor has AVX-512F, as the caller promises.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn splat_index(x: u32) -> Self::Index {
        // SAFETY: the processor has AVX-512F, as the caller promises.
        unsafe { _mm512_set1_epi32(x.cast_signed()) }
    }

    #[inline(always)]
    unsafe fn load_f32(at: *const f32) -> Self::Panel {
        // SAFETY: valid for 16 numbers of any alignment, as the caller promises.
        unsafe { _mm512_loadu_ps(at) }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const [u8; 2]) -> Self::Panel {
        // SAFETY: valid for 16 units of any alignment, as the caller promises; x86 is little-endian.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(at.cast())) }
    }

    #[inline(always)]
    unsafe fn store(at: *mut f32, x: Self::Panel) {
        // SAFETY: valid for 16 numbers of any alignment, as the caller promises.
        unsafe { _mm512_storeu_ps(at, x) };
    }

    #[inline(always)]
    unsafe fn store_index(at: *mut u32, x: Self::Index) {
        // SAFETY: valid for 16 integers of any alignment, as the caller promises.
        unsafe { _mm512_storeu_si512(at.cast(), x) };
    }

    #[inline(always)]
    unsafe fn fma(a: Self::Panel, b: Self::Panel, c: Self::Panel) -> Self::Panel {
        // SAFETY: the processor has AVX-512F, as the caller promises.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Panel, b: Self::Panel) -> Self::Panel {
        // SAFETY: the processor has AVX-512F, as the caller promises.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn race(
        mut state: Race<Self::Panel, Self::Index>,
        score: Self::Panel,
        panel: Self::Index,
    ) -> Race<Self::Panel, Self::Index> {
        // SAFETY: the processor has AVX-512F, as the caller promises.
        unsafe {
            let wins = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(score, state.best);
            state.second = _mm512_max_ps(state.second, _mm512_min_ps(score, state.best));
            state.best = _mm512_mask_mov_ps(state.best, wins, score);
            state.panel = _mm512_mask_mov_epi32(state.panel, wins, panel);
            state
        }
    }
}

/// See [`super::Kernel::scores`].
///
/// # Safety
/// The processor has AVX2, FMA and F16C.
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn scores_avx2<E: Element>(rows: Rows<'_>, panels: PanelView<'_, E>, out: &mut [f32]) {
    // SAFETY: the caller's promise.
    unsafe { micro::scores::<Avx2, E>(rows, panels, out) };
}

/// See [`super::Kernel::nearest`].
///
/// # Safety
/// The processor has AVX2, FMA and F16C.
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn nearest_avx2(rows: Rows<'_>, panels: &Panels, first: u32, best: &mut [Nearest]) {
    // SAFETY: the caller's promise.
    unsafe { micro::nearest::<Avx2>(rows, panels, first, best) };
}

/// See [`super::Kernel::scores`].
///
/// # Safety
/// The processor has AVX-512F.
#[target_feature(enable = "avx512f")]
pub unsafe fn scores_avx512<E: Element>(rows: Rows<'_>, panels: PanelView<'_, E>, out: &mut [f32]) {
    // SAFETY: the caller's promise.
    unsafe { micro::scores::<Avx512, E>(rows, panels, out) };
}

/// See [`super::Kernel::nearest`].
///
/// # Safety
/// The processor has AVX-512F.
#[target_feature(enable = "avx512f")]
pub unsafe fn nearest_avx512(rows: Rows<'_>, panels: &Panels, first: u32, best: &mut [Nearest]) {
    // SAFETY: the caller's promise.
    unsafe { micro::nearest::<Avx512>(rows, panels, first, best) };
}

/// See [`super::Kernel::product`] and its like.
///
/// # Safety
/// The processor has AVX2, FMA and F16C.
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn run_avx2<T: Task>(task: T) -> T::Output {
    task.run()
}

/// See [`super::Kernel::product`] and its like.
///
/// # Safety
/// The processor has AVX-512F.
#[target_feature(enable = "avx512f")]
pub unsafe fn run_avx512<T: Task>(task: T) -> T::Output {
    task.run()
}
