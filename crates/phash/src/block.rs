//! Hashes over an 8 × 8 grid of block sums: the wavelet hash and blockhash.
//!
//! Memory: one row of sums. All sums go through the picture in the same order, so that they are the same everywhere.

use realsyn_picture::{Area, Filter, Luma, Reduced, Rgb};

use crate::hash::{above_median, pack};

/// Blocks along each side.
const GRID: usize = 8;

/// As `imagehash.whash` with its defaults: the picture is brought to a square whose side is a power of two; the lowest
/// band of its Haar wavelet at 8 × 8, without that of the highest level, is compared with its median.
///
/// Haar's lowest band is the block sums up to a factor, and without the highest level's their differences from the mean:
/// neither changes which are above the median. Here the sums are whole numbers; `imagehash` adds up fractions, which
/// may decide otherwise where a sum is the median exactly.
pub(crate) fn whash(reduced: &Reduced<Luma>) -> u64 {
    let Area { x, y } = reduced.area;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a length in samples"
    )]
    let shorter = (x.1 - x.0).min(y.1 - y.0) as u32;
    let side = shorter.checked_ilog2().map_or(0, |log| 1 << log).max(8_u32);
    let square = reduced
        .picture
        .resize_area(reduced.area, side, side, Filter::Lanczos);
    let block = side as usize / GRID;
    let mut sums = [0_u64; GRID * GRID];
    for (line, row) in square.pixels.chunks_exact(side as usize).enumerate() {
        for (column, part) in row.chunks_exact(block).enumerate() {
            let sum: u64 = part.iter().map(|&sample| u64::from(sample)).sum();
            sums[line / block * GRID + column] += sum;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "below 2^52 by far")]
    above_median(&sums.map(|sum| sum as f64))
}

/// As blockhash.io defines it, with 8 × 8 blocks: the sum of red, green and blue of each block, pixels on a border shared
/// out by area, compared with the median of its quarter of the picture (two rows of blocks). A block that equals the
/// median is a one in a bright quarter and a zero in a dark one.
pub(crate) fn blockhash(reduced: &Reduced<Rgb>) -> u64 {
    let Area { x, y } = reduced.area;
    let sums = sums(&reduced.picture, reduced.area);
    // Half of the largest sum, with 256 levels, as the reference has it.
    #[expect(clippy::cast_precision_loss, reason = "8 is exact")]
    let half = (x.1 - x.0) * (y.1 - y.0) / (GRID * GRID) as f64 * 256.0 * 3.0 / 2.0;
    let mut bits = [false; GRID * GRID];
    for (quarter, bits) in sums.chunks_exact(16).zip(bits.chunks_exact_mut(16)) {
        let mut sorted = [0.0; 16];
        sorted.copy_from_slice(quarter);
        sorted.sort_unstable_by(f64::total_cmp);
        let median = f64::midpoint(sorted[7], sorted[8]);
        for (bit, &sum) in bits.iter_mut().zip(quarter) {
            *bit = sum > median || (sum - median).abs() < 1.0 && median > half;
        }
    }
    pack(bits.into_iter())
}

/// The sums of red, green and blue over the blocks, row by row.
fn sums(picture: &Rgb, area: Area) -> [f64; GRID * GRID] {
    let across = spans(area.x, picture.width);
    let down = spans(area.y, picture.height);
    let stride = 3 * picture.width as usize;
    let mut sums = [0.0; GRID * GRID];
    for (line, (first, weights)) in down.iter().enumerate() {
        for (row, weight) in picture
            .pixels
            .chunks_exact(stride)
            .skip(*first)
            .zip(weights)
        {
            for (column, (first, shares)) in across.iter().enumerate() {
                let pixels = row[3 * first..].as_chunks::<3>().0;
                let part: f64 = pixels
                    .iter()
                    .zip(shares)
                    .map(|(pixel, share)| {
                        share * f64::from(pixel.iter().map(|&s| u16::from(s)).sum::<u16>())
                    })
                    .sum();
                sums[line * GRID + column] += weight * part;
            }
        }
    }
    sums
}

/// For each block along an axis its first sample, and how much of each sample from there on lies in it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "places within a picture"
)]
fn spans((start, end): (f64, f64), samples: u32) -> Vec<(usize, Vec<f64>)> {
    let border = |number: usize| start + (end - start) * number as f64 / GRID as f64;
    (0..GRID)
        .map(|number| {
            let (from, to) = (border(number), border(number + 1));
            let first = from as u32;
            let last = (to.ceil() as u32).clamp(first, samples);
            let share = |sample: u32| {
                let sample = f64::from(sample);
                (to.min(sample + 1.0) - from.max(sample)).max(0.0)
            };
            (first as usize, (first..last).map(share).collect())
        })
        .collect()
}
