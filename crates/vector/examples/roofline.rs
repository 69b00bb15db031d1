//! What one core can multiply and add, and what share the coarse look of k-means reaches: a JSON line for each.
//!
//! `cargo run --release -p realsyn-vector --example roofline`. The best of many short rounds counts, since other work on the
//! machine only slows a round down. A multiplication with its addition is one operation here.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "SIMD intrinsics, behind the processor's own answer"
    )
)]

use std::io::{self, Write};
use std::time::{Duration, Instant};

use realsyn_vector::kernel::{Coarse, CoarseColumns, Kernel, Panels, Rows, Sieve};

/// The most operations a second of `work`, which does `operations` of them.
fn best(operations: f64, mut work: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut shortest = Duration::MAX;
    while begin.elapsed() < Duration::from_millis(1500) {
        let start = Instant::now();
        work();
        shortest = shortest.min(start.elapsed());
    }
    operations / shortest.as_secs_f64()
}

fn tell(what: &str, rate: f64) -> io::Result<()> {
    writeln!(
        io::stdout(),
        "{{\"what\":\"{what}\",\"giga_operations_s\":{:.1}}}",
        rate / 1e9
    )
}

#[cfg(target_arch = "x86_64")]
mod peak {
    use std::arch::x86_64::{
        __m512bh, _mm512_dpbf16_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_reduce_add_epi32,
        _mm512_reduce_add_ps, _mm512_set1_epi8, _mm512_set1_ps, _mm512_setzero_ps,
        _mm512_setzero_si512,
    };
    use std::hint::black_box;

    pub const ROUNDS: u32 = 100_000;
    /// Sums that do not wait for each other.
    pub const CHAINS: u32 = 12;

    /// # Safety
    /// The processor has AVX-512F.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn single() -> f32 {
        let (a, b) = (
            black_box(_mm512_set1_ps(0.5)),
            black_box(_mm512_set1_ps(0.5)),
        );
        let mut sums = [_mm512_setzero_ps(); CHAINS as usize];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(a, b, *sum);
            }
        }
        sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
    }

    /// # Safety
    /// The processor has AVX-512F and AVX-512 BF16.
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub unsafe fn bf16() -> f32 {
        // SAFETY: both types are 512 bits of plain numbers.
        let half: __m512bh = unsafe { std::mem::transmute(_mm512_set1_epi8(0x3f)) };
        let (a, b) = (black_box(half), black_box(half));
        let mut sums = [_mm512_setzero_ps(); CHAINS as usize];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_dpbf16_ps(*sum, a, b);
            }
        }
        sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
    }

    /// # Safety
    /// The processor has AVX-512F and AVX-512 VNNI.
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub unsafe fn bytes() -> i32 {
        let (a, b) = (
            black_box(_mm512_set1_epi8(1)),
            black_box(_mm512_set1_epi8(1)),
        );
        let mut sums = [_mm512_setzero_si512(); CHAINS as usize];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, a, b);
            }
        }
        sums.into_iter()
            .map(|sum| _mm512_reduce_add_epi32(sum))
            .fold(0, i32::wrapping_add)
    }
}

#[cfg(target_arch = "x86_64")]
fn peaks() -> io::Result<()> {
    use std::hint::black_box;

    let instructions = f64::from(peak::ROUNDS * peak::CHAINS);
    if is_x86_feature_detected!("avx512f") {
        let rate = best(instructions * 16.0, || {
            // SAFETY: AVX-512F was found.
            black_box(unsafe { peak::single() });
        });
        tell("AVX-512 f32 peak", rate)?;
    }
    if is_x86_feature_detected!("avx512bf16") {
        let rate = best(instructions * 32.0, || {
            // SAFETY: AVX-512 BF16, which includes AVX-512F, was found.
            black_box(unsafe { peak::bf16() });
        });
        tell("AVX-512 bf16 peak", rate)?;
    }
    if is_x86_feature_detected!("avx512vnni") {
        let rate = best(instructions * 64.0, || {
            // SAFETY: AVX-512 VNNI, which includes AVX-512F, was found.
            black_box(unsafe { peak::bytes() });
        });
        tell("AVX-512 VNNI peak", rate)?;
    }
    Ok(())
}

#[cfg(not(target_arch = "x86_64"))]
fn peaks() -> io::Result<()> {
    Ok(())
}

fn main() -> io::Result<()> {
    peaks()?;
    let (rows, columns, dim) = (256usize, 1024usize, 512usize);
    let number = |i: u32| {
        let x = i.wrapping_mul(2_654_435_761);
        f32::from((x >> 16).to_le_bytes()[0]) / 255.0 - 0.5
    };
    let values: Vec<f32> = (0..).map(number).take(columns * dim).collect();
    let operations = [rows, columns, dim]
        .map(|side| f64::from(u32::try_from(side).unwrap_or(u32::MAX)))
        .iter()
        .product();
    let (order, offsets): (Vec<u32>, Vec<f32>) = (0..1024).map(|column| (column, 0.0)).unzip();
    let picked: Vec<u32> = (0..256).collect();
    for way in Coarse::available() {
        let coarse = CoarseColumns::pack(way, &values, &order, vec![0.0; dim], &offsets);
        let mut sieve = Sieve::default();
        sieve.load(&coarse, &values[..rows * dim]);
        let rate = best(operations, || {
            // A bar that nothing reaches: the products alone.
            sieve.bars.fill(f32::INFINITY);
            sieve.sift(&coarse, &picked, 0..coarse.panels());
        });
        tell(&format!("coarse look, {way:?}"), rate)?;
    }
    let panels = Panels::pack(&values, dim);
    let mut scores = vec![0.0; rows * columns];
    for kernel in Kernel::available() {
        let rate = best(operations, || {
            kernel.scores(
                Rows::all(&values[..rows * dim], dim),
                panels.view(),
                &mut scores,
            );
        });
        tell(&format!("single precision, {kernel:?}"), rate)?;
    }
    Ok(())
}
