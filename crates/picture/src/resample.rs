//! Antialiased convolution resampling, byte for byte as Pillow's `libImaging/Resample.c` does it on 8-bit channels.
//!
//! Perceptual hashes and the pre-processing of published CLIP models are defined by that implementation, down to its
//! rounding: filter weights in f64, normalised, rounded to 22 fractional bits; first along the rows, clipped to 8 bits,
//! then along the columns; since Pillow 13 the other way round where the height shrinks by more than twice as many
//! pixels as the width (earlier releases differ by a level there). The crate `fast_image_resize` rounds its weights to
//! 16 bits: its 32×32 Lanczos reduction had other bytes for 409 of 500 real pictures.
//!
//! Memory: the rows that the vertical pass needs, at the new width. Integer sums: the same bytes on every machine.

use std::f64::consts::PI;

use crate::Area;

/// Fractional bits of a weight: 32 less 8 for the sample and 2 for overshoot and sign.
const BITS: u32 = 32 - 8 - 2;
const HALF: i32 = 1 << (BITS - 1);

/// A resampling filter, named as in Pillow; each is widened by the reduction, so that every source pixel counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// Triangle, support 1.
    Bilinear,
    /// Keys' cubic with a = −0.5, support 2.
    Bicubic,
    /// Sinc windowed by sinc, support 3.
    Lanczos,
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    /// The weight at distance `x`, written as Pillow writes it so that it rounds alike.
    #[expect(
        clippy::suboptimal_flops,
        reason = "fused operations would round differently from Pillow"
    )]
    fn weight(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        match self {
            Self::Bilinear => (1.0 - x.abs()).max(0.0),
            Self::Bicubic => {
                let x = x.abs();
                if x < 1.0 {
                    ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
                } else if x < 2.0 {
                    (((x - 5.0) * x + 8.0) * x - 4.0) * A
                } else {
                    0.0
                }
            }
            Self::Lanczos => {
                if (-3.0..3.0).contains(&x) {
                    sinc(x) * sinc(x / 3.0)
                } else {
                    0.0
                }
            }
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * PI;
    x.sin() / x
}

/// The source samples that make one output sample: weights for `first..first + weights.len()`.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc` over the part of an axis of `from` samples.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "truncation toward zero is the definition; the values are clamped to the axis"
)]
fn taps(from: u32, (start, end): (f64, f64), to: u32, filter: Filter) -> Vec<Taps> {
    let scale = (end - start) / f64::from(to);
    let widening = scale.max(1.0);
    let support = filter.support() * widening;
    (0..to)
        .map(|index| {
            let center = start + (f64::from(index) + 0.5) * scale;
            // Casts of negative or large floats saturate, as Pillow's explicit clamps do.
            let first = (center - support + 0.5) as u32;
            let end = ((center + support + 0.5) as u32).min(from);
            let inverse = 1.0 / widening;
            let raw: Vec<f64> = (0..end.saturating_sub(first))
                .map(|x| filter.weight((f64::from(x) + f64::from(first) - center + 0.5) * inverse))
                .collect();
            let sum: f64 = raw.iter().sum();
            let fixed = |weight: f64| {
                let weight = if sum == 0.0 { weight } else { weight / sum };
                (weight * f64::from(1_u32 << BITS) + 0.5_f64.copysign(weight)) as i32
            };
            Taps {
                first: first as usize,
                weights: raw.into_iter().map(fixed).collect(),
            }
        })
        .collect()
}

/// Resamples `C` interleaved 8-bit channels from an area of one size (width, height) to another; no side may be 0 in
/// `to`.
pub(crate) fn resample<const C: usize>(
    pixels: &[u8],
    from: (u32, u32),
    area: Area,
    to: (u32, u32),
    filter: Filter,
) -> Vec<u8> {
    if from.0 == 0 || from.1 == 0 {
        return vec![0; C * to.0 as usize * to.1 as usize];
    }
    // Pillow's `need_horizontal` and `need_vertical`.
    let is_same =
        |from: u32, part: (f64, f64), to: u32| from == to && part == (0.0, f64::from(from));
    let across = (!is_same(from.0, area.x, to.0)).then(|| taps(from.0, area.x, to.0, filter));
    let down = (!is_same(from.1, area.y, to.1)).then(|| taps(from.1, area.y, to.1, filter));
    let width = |axis: (u32, u32)| axis.0 as usize;
    match (across, down) {
        (None, None) => pixels.to_vec(),
        (Some(across), None) => horizontal::<C>(pixels, width(from), &across),
        (None, Some(down)) => vertical(pixels, C * width(from), &down),
        (Some(across), Some(down)) if columns_first(from, to) => {
            let short = vertical(pixels, C * width(from), &down);
            horizontal::<C>(&short, width(from), &across)
        }
        (Some(across), Some(down)) => {
            let narrow = horizontal::<C>(pixels, width(from), &across);
            vertical(&narrow, C * width(to), &down)
        }
    }
}

/// Pillow 13's rule; each pass rounds to 8 bits, so their order shows.
fn columns_first(from: (u32, u32), to: (u32, u32)) -> bool {
    let lost = |from: u32, to: u32| i64::from(from) - i64::from(to);
    let (across, down) = (lost(from.0, to.0), lost(from.1, to.1));
    down > 0 && down > 2 * across
}

/// Resamples along each row of `width` pixels.
fn horizontal<const C: usize>(pixels: &[u8], width: usize, taps: &[Taps]) -> Vec<u8> {
    let rows = pixels.chunks_exact(C * width);
    let mut out = Vec::with_capacity(C * taps.len() * rows.len());
    for row in rows {
        let (row, _) = row.as_chunks::<C>();
        for Taps { first, weights } in taps {
            let mut sums = [HALF; C];
            for (pixel, &weight) in row[*first..].iter().zip(weights) {
                for (sum, &sample) in sums.iter_mut().zip(pixel) {
                    *sum = sum.wrapping_add(i32::from(sample) * weight);
                }
            }
            out.extend(sums.map(clip));
        }
    }
    out
}

/// Resamples along the columns of rows that are `stride` bytes long, whole rows at a time.
fn vertical(pixels: &[u8], stride: usize, taps: &[Taps]) -> Vec<u8> {
    let mut out = Vec::with_capacity(stride * taps.len());
    let mut sums = vec![0_i32; stride];
    for Taps { first, weights } in taps {
        sums.fill(HALF);
        for (row, &weight) in pixels.chunks_exact(stride).skip(*first).zip(weights) {
            for (sum, &sample) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(i32::from(sample) * weight);
            }
        }
        out.extend(sums.iter().map(|&sum| clip(sum)));
    }
    out
}

/// Back to 8 bits, clipped.
#[expect(clippy::cast_sign_loss, reason = "clamped to a byte just before")]
fn clip(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}
