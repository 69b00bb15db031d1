//! The search for x86-64: AVX2, and AVX-512 with VNNI.

use std::arch::x86_64::{
    __m256i, __m512i, _CMP_GE_OQ, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_slli_epi16, _mm256_srai_epi16,
    _mm256_srli_epi16, _mm256_storeu_si256, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps,
    _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_storeu_si512,
};

use super::{Columns, GROUP, Hit, LANES, Rows, Test, hit, keep};

/// Rows in a tile of the wide kernel, and in one of the narrow kernel.
const WIDE: usize = 12;
const NARROW: usize = 4;

/// See [`super::Kernel::hits`].
///
/// # Safety
/// The processor has AVX-512F and VNNI.
#[target_feature(enable = "avx512f,avx512vnni")]
pub unsafe fn hits_vnni(
    rows: Rows<'_>,
    columns: Columns<'_>,
    (from, to): (usize, usize),
    tests: &[Test],
    hits: &mut Vec<Hit>,
) {
    let mut row = 0;
    while row < tests.len() {
        // SAFETY: the processor has the instructions, as the caller promises; `R` rows are left from `row` on.
        row += unsafe {
            match tests.len() - row {
                WIDE.. => group::<WIDE>(rows, row, columns, (from, to), tests, hits),
                4.. => group::<4>(rows, row, columns, (from, to), tests, hits),
                _ => group::<1>(rows, row, columns, (from, to), tests, hits),
            }
        };
    }
}

/// `R` rows from `row` on over the panels; returns `R`.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn group<const R: usize>(
    rows: Rows<'_>,
    row: usize,
    columns: Columns<'_>,
    (from, to): (usize, usize),
    tests: &[Test],
    hits: &mut Vec<Hit>,
) -> usize {
    let mut panel = from;
    while panel < to {
        // SAFETY: the caller's promises; the panels are below `to`, which is at most their count.
        panel += unsafe {
            if to - panel >= 2 {
                tile::<R, 2>(rows, row, columns, panel, tests, hits)
            } else {
                tile::<R, 1>(rows, row, columns, panel, tests, hits)
            }
        };
    }
    R
}

/// `R` rows by `P` panels; returns `P`.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn tile<const R: usize, const P: usize>(
    rows: Rows<'_>,
    row: usize,
    columns: Columns<'_>,
    panel: usize,
    tests: &[Test],
    hits: &mut Vec<Hit>,
) -> usize {
    let codes: [*const i8; R] = std::array::from_fn(|r| rows.row(row + r).as_ptr());
    let panels: [*const u8; P] = std::array::from_fn(|p| columns.panel(panel + p).as_ptr());
    let mut acc: [[__m512i; R]; P] =
        [std::array::from_fn(|r| _mm512_set1_epi32(tests[row + r].start)); P];
    for step in 0..rows.stride / GROUP {
        // SAFETY: a row holds `stride` bytes and a panel LANES times as many, so that group `step` of a row and the 64
        // bytes of `step` of a panel are within them. Loads may be of any alignment.
        unsafe {
            let mut column = [_mm512_set1_epi32(0); P];
            for (column, panel) in column.iter_mut().zip(&panels) {
                *column = _mm512_loadu_si512(panel.add(step * LANES * GROUP).cast());
            }
            for r in 0..R {
                let code =
                    _mm512_set1_epi32(codes[r].add(step * GROUP).cast::<i32>().read_unaligned());
                for p in 0..P {
                    acc[p][r] = _mm512_dpbusd_epi32(acc[p][r], column[p], code);
                }
            }
        }
    }
    for (p, acc) in acc.iter().enumerate() {
        let (steps, errors) = columns.lanes(panel + p);
        // SAFETY: both are arrays of LANES numbers.
        let (steps, errors) = unsafe {
            (
                _mm512_loadu_ps(steps.as_ptr()),
                _mm512_loadu_ps(errors.as_ptr()),
            )
        };
        for (r, &dots) in acc.iter().enumerate() {
            let test = &tests[row + r];
            let about = _mm512_mul_ps(_mm512_cvtepi32_ps(dots), steps);
            let most = _mm512_fmadd_ps(_mm512_set1_ps(test.weight), errors, about);
            let mut mask = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(most, _mm512_set1_ps(test.least));
            if mask != 0 {
                let mut spilled = [0i32; LANES];
                // SAFETY: the array takes 16 numbers.
                unsafe { _mm512_storeu_si512(spilled.as_mut_ptr().cast(), dots) };
                while mask != 0 {
                    let lane = mask.trailing_zeros() as usize;
                    mask &= mask - 1;
                    hits.push(hit(row + r, panel + p, lane, spilled[lane]));
                }
            }
        }
    }
    P
}

/// See [`super::Kernel::hits`].
///
/// # Safety
/// The processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn hits_avx2(
    rows: Rows<'_>,
    columns: Columns<'_>,
    (from, to): (usize, usize),
    tests: &[Test],
    hits: &mut Vec<Hit>,
) {
    let mut row = 0;
    while row < tests.len() {
        for panel in from..to {
            // SAFETY: the processor has the instructions, as the caller promises; the rows and the panel are there.
            unsafe {
                if tests.len() - row >= NARROW {
                    narrow::<NARROW>(rows, row, columns, panel, tests, hits);
                } else {
                    narrow::<1>(rows, row, columns, panel, tests, hits);
                }
            }
        }
        row += if tests.len() - row >= NARROW {
            NARROW
        } else {
            1
        };
    }
}

/// `R` rows by one panel. Bytes are widened to 16 bits, the even ones and the odd ones apart: there is no instruction
/// that multiplies bytes without saturating.
#[target_feature(enable = "avx2,fma")]
unsafe fn narrow<const R: usize>(
    rows: Rows<'_>,
    row: usize,
    columns: Columns<'_>,
    panel: usize,
    tests: &[Test],
    hits: &mut Vec<Hit>,
) {
    let codes: [*const i8; R] = std::array::from_fn(|r| rows.row(row + r).as_ptr());
    let bytes = columns.panel(panel).as_ptr();
    let low = _mm256_set1_epi16(0xff);
    let mut acc: [[__m256i; 2]; R] =
        std::array::from_fn(|r| [_mm256_set1_epi32(tests[row + r].start); 2]);
    for step in 0..rows.stride / GROUP {
        // SAFETY: as in `tile`.
        unsafe {
            let at = bytes.add(step * LANES * GROUP);
            let halves = [
                _mm256_loadu_si256(at.cast()),
                _mm256_loadu_si256(at.add(2 * LANES).cast()),
            ];
            let even = halves.map(|half| _mm256_and_si256(half, low));
            let odd = halves.map(|half| _mm256_srli_epi16::<8>(half));
            for r in 0..R {
                let code =
                    _mm256_set1_epi32(codes[r].add(step * GROUP).cast::<i32>().read_unaligned());
                let first = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(code));
                let second = _mm256_srai_epi16::<8>(code);
                for half in 0..2 {
                    let sum = _mm256_add_epi32(
                        _mm256_madd_epi16(even[half], first),
                        _mm256_madd_epi16(odd[half], second),
                    );
                    acc[r][half] = _mm256_add_epi32(acc[r][half], sum);
                }
            }
        }
    }
    for (r, halves) in acc.iter().enumerate() {
        let mut dots = [0i32; LANES];
        // SAFETY: the array takes twice 8 numbers.
        unsafe {
            _mm256_storeu_si256(dots.as_mut_ptr().cast(), halves[0]);
            _mm256_storeu_si256(dots.as_mut_ptr().add(8).cast(), halves[1]);
        }
        keep(&dots, row + r, panel, &tests[row + r], columns, hits);
    }
}
