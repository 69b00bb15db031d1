//! The coarse look for x86-64: AVX2, AVX VNNI, AVX-512 VNNI.

use std::arch::x86_64::{
    __m256, __m256i, __m512, __m512i, _CMP_NLT_UQ, _mm256_add_epi32, _mm256_cmp_ps,
    _mm256_cvtepi32_ps, _mm256_dpbusd_avx_epi32, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_max_ps, _mm256_movemask_ps, _mm256_mul_ps,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_storeu_ps, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps,
    _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_max_ps,
    _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_storeu_ps,
};
use std::marker::PhantomData;
use std::ops::Range;

use super::coarse::{CoarseColumns, Facts, Sieve};
use super::sift::{Bytes, Panel, walk};

/// How 256-bit registers multiply.
///
/// # Safety
/// Only on a processor that has the instruction.
trait Multiply {
    unsafe fn multiply(sums: __m256i, column: __m256i, row: __m256i) -> __m256i;
}

/// Pairs of 16-bit numbers.
struct Pairs;

impl Multiply for Pairs {
    #[inline(always)]
    unsafe fn multiply(sums: __m256i, column: __m256i, row: __m256i) -> __m256i {
        // SAFETY: the processor has AVX2, as the caller promises.
        unsafe { _mm256_add_epi32(sums, _mm256_madd_epi16(column, row)) }
    }
}

/// Four bytes, the column's unsigned.
struct Fours;

impl Multiply for Fours {
    #[inline(always)]
    unsafe fn multiply(sums: __m256i, column: __m256i, row: __m256i) -> __m256i {
        // SAFETY: the processor has AVX VNNI, as the caller promises.
        unsafe { _mm256_dpbusd_avx_epi32(sums, column, row) }
    }
}

/// A panel's step in two registers of 256 bits.
struct Halves<M>(PhantomData<M>);

/// Eight lanes of [`Bytes::upper`], from lane `at`.
///
/// # Safety
/// The panel's pointers are valid for 16 numbers, `at` is 0 or 8, and the processor has AVX2 and FMA.
#[inline(always)]
unsafe fn upper_half(sums: __m256i, row: &Facts, panel: Panel, at: usize) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let sum = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_set1_ps(row.scale));
        let scales = _mm256_loadu_ps(panel.scales.add(at));
        let value = _mm256_fmadd_ps(sum, scales, _mm256_loadu_ps(panel.offsets.add(at)));
        let lengths = _mm256_loadu_ps(panel.lengths.add(at));
        let value = _mm256_fmadd_ps(_mm256_set1_ps(row.error), lengths, value);
        let errors = _mm256_loadu_ps(panel.errors.add(at));
        _mm256_fmadd_ps(_mm256_set1_ps(row.size), errors, value)
    }
}

impl<M: Multiply> Bytes for Halves<M> {
    type Word = [__m256i; 2];
    type Float = [__m256; 2];
    const IS_WIDE: bool = false;

    #[inline(always)]
    unsafe fn splat(x: u32) -> Self::Word {
        // SAFETY: the processor has AVX, as the caller promises.
        unsafe { [_mm256_set1_epi32(x.cast_signed()); 2] }
    }

    #[inline(always)]
    unsafe fn load(at: *const u32) -> Self::Word {
        // SAFETY: valid for 16 words of any alignment, as the caller promises.
        unsafe {
            [
                _mm256_loadu_si256(at.cast()),
                _mm256_loadu_si256(at.add(8).cast()),
            ]
        }
    }

    #[inline(always)]
    unsafe fn multiply(sums: Self::Word, column: Self::Word, row: Self::Word) -> Self::Word {
        // SAFETY: the caller's promise is the callee's.
        unsafe {
            [
                M::multiply(sums[0], column[0], row[0]),
                M::multiply(sums[1], column[1], row[1]),
            ]
        }
    }

    #[inline(always)]
    unsafe fn upper(sums: Self::Word, row: &Facts, panel: Panel) -> Self::Float {
        // SAFETY: the caller's promise is the callee's.
        unsafe {
            [
                upper_half(sums[0], row, panel, 0),
                upper_half(sums[1], row, panel, 8),
            ]
        }
    }

    #[inline(always)]
    unsafe fn reaches(x: Self::Float, bar: f32) -> u32 {
        // SAFETY: the processor has AVX, as the caller promises.
        unsafe {
            let bar = _mm256_set1_ps(bar);
            let low = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NLT_UQ>(x[0], bar));
            let high = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NLT_UQ>(x[1], bar));
            low.cast_unsigned() | high.cast_unsigned() << 8
        }
    }

    #[inline(always)]
    unsafe fn raise(at: *mut f32, x: Self::Float) {
        // SAFETY: valid for 16 numbers of any alignment, as the caller promises.
        unsafe {
            _mm256_storeu_ps(at, _mm256_max_ps(x[0], _mm256_loadu_ps(at)));
            _mm256_storeu_ps(at.add(8), _mm256_max_ps(x[1], _mm256_loadu_ps(at.add(8))));
        }
    }

    #[inline(always)]
    unsafe fn store(at: *mut f32, x: Self::Float) {
        // SAFETY: valid for 16 numbers of any alignment, as the caller promises.
        unsafe {
            _mm256_storeu_ps(at, x[0]);
            _mm256_storeu_ps(at.add(8), x[1]);
        }
    }
}

/// A panel's step in one register of 512 bits.
struct Whole;

impl Bytes for Whole {
    type Word = __m512i;
    type Float = __m512;
    const IS_WIDE: bool = true;

    #[inline(always)]
    unsafe fn splat(x: u32) -> Self::Word {
        // SAFETY: the processor has AVX-512F, as the caller promises.
        unsafe { _mm512_set1_epi32(x.cast_signed()) }
    }

    #[inline(always)]
    unsafe fn load(at: *const u32) -> Self::Word {
        // SAFETY: valid for 16 words of any alignment, as the caller promises.
        unsafe { _mm512_loadu_si512(at.cast()) }
    }

    #[inline(always)]
    unsafe fn multiply(sums: Self::Word, column: Self::Word, row: Self::Word) -> Self::Word {
        // SAFETY: the processor has AVX-512 VNNI, as the caller promises.
        unsafe { _mm512_dpbusd_epi32(sums, column, row) }
    }

    #[inline(always)]
    unsafe fn upper(sums: Self::Word, row: &Facts, panel: Panel) -> Self::Float {
        // SAFETY: each pointer is valid for 16 numbers, and the processor has AVX-512F, as the caller promises.
        unsafe {
            let sum = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_set1_ps(row.scale));
            let value = _mm512_fmadd_ps(
                sum,
                _mm512_loadu_ps(panel.scales),
                _mm512_loadu_ps(panel.offsets),
            );
            let value = _mm512_fmadd_ps(
                _mm512_set1_ps(row.error),
                _mm512_loadu_ps(panel.lengths),
                value,
            );
            _mm512_fmadd_ps(
                _mm512_set1_ps(row.size),
                _mm512_loadu_ps(panel.errors),
                value,
            )
        }
    }

    #[inline(always)]
    unsafe fn reaches(x: Self::Float, bar: f32) -> u32 {
        // SAFETY: the processor has AVX-512F, as the caller promises.
        unsafe { u32::from(_mm512_cmp_ps_mask::<_CMP_NLT_UQ>(x, _mm512_set1_ps(bar))) }
    }

    #[inline(always)]
    unsafe fn raise(at: *mut f32, x: Self::Float) {
        // SAFETY: valid for 16 numbers of any alignment, as the caller promises.
        unsafe { _mm512_storeu_ps(at, _mm512_max_ps(x, _mm512_loadu_ps(at))) };
    }

    #[inline(always)]
    unsafe fn store(at: *mut f32, x: Self::Float) {
        // SAFETY: valid for 16 numbers of any alignment, as the caller promises.
        unsafe { _mm512_storeu_ps(at, x) };
    }
}

/// See [`Sieve::sift`].
///
/// # Safety
/// The processor has AVX2 and FMA; rows and panels are there.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn avx2(
    sieve: &mut Sieve,
    columns: &CoarseColumns,
    picked: &[u32],
    panels: Range<usize>,
) {
    // SAFETY: the caller's promise.
    unsafe { walk::<Halves<Pairs>>(sieve, columns, picked, panels) };
}

/// See [`Sieve::sift`].
///
/// # Safety
/// The processor has AVX2, FMA and AVX VNNI; rows and panels are there.
#[target_feature(enable = "avx2,fma,avxvnni")]
pub unsafe fn avx_vnni(
    sieve: &mut Sieve,
    columns: &CoarseColumns,
    picked: &[u32],
    panels: Range<usize>,
) {
    // SAFETY: the caller's promise.
    unsafe { walk::<Halves<Fours>>(sieve, columns, picked, panels) };
}

/// See [`Sieve::sift`].
///
/// # Safety
/// The processor has AVX-512F and AVX-512 VNNI; rows and panels are there.
#[target_feature(enable = "avx512f,avx512vnni")]
pub unsafe fn avx512_vnni(
    sieve: &mut Sieve,
    columns: &CoarseColumns,
    picked: &[u32],
    panels: Range<usize>,
) {
    // SAFETY: the caller's promise.
    unsafe { walk::<Whole>(sieve, columns, picked, panels) };
}
