//! 64-bit perceptual hashes, bit for bit those of Python's `imagehash` (hash size 8).
//!
//! All work on the luma of the upright picture and ignore colour. Bit 63 is the top left one, so that the hexadecimal
//! form is `str(imagehash.phash(picture))`.
//!
//! Memory: the luma plane of the picture, 1 byte a pixel.

use std::f64::consts::PI;
use std::str::FromStr;

use realsyn_picture::{Filter, Luma, Rgb};

/// The side of the reduced picture that [`Algorithm::Phash`] transforms: hash size 8, high-frequency factor 4.
const SIDE: usize = 32;
/// Bits along a side of the hash.
const BITS: usize = 8;

/// How a picture becomes 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// The signs of the 8×8 lowest DCT-II coefficients of the 32×32 reduction against their median (Zauner 2010, as
    /// `imagehash.phash`). Blind to resizing, recompression and brightness.
    #[default]
    Phash,
    /// Whether each pixel of the 9×8 reduction is brighter than its left neighbour (`imagehash.dhash`).
    Dhash,
    /// Whether each pixel of the 8×8 reduction is brighter than the mean (`imagehash.average_hash`).
    Ahash,
}

/// A name that is no algorithm's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown algorithm {0:?}; known are phash, dhash, ahash")]
pub struct UnknownAlgorithm(String);

impl UnknownAlgorithm {
    /// The stable name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "unknown-algorithm"
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or_else(|| UnknownAlgorithm(name.to_owned()))
    }
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Phash, Self::Dhash, Self::Ahash];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phash => "phash",
            Self::Dhash => "dhash",
            Self::Ahash => "ahash",
        }
    }

    /// The hash of an upright picture.
    #[must_use]
    pub fn hash(self, picture: &Rgb) -> u64 {
        let luma = picture.to_luma();
        match self {
            Self::Phash => phash(&luma.resize(32, 32, Filter::Lanczos)),
            Self::Dhash => dhash(&luma.resize(9, 8, Filter::Lanczos)),
            Self::Ahash => ahash(&luma.resize(8, 8, Filter::Lanczos)),
        }
    }
}

/// A hash as it stands in records: 16 hexadecimal digits.
#[must_use]
pub fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// Packs bits, the first into the highest place.
fn pack(bits: impl Iterator<Item = bool>) -> u64 {
    bits.fold(0, |hash, bit| hash << 1 | u64::from(bit))
}

fn phash(small: &Luma) -> u64 {
    // Columns first, then rows, as `dct(dct(pixels, axis=0), axis=1)`.
    let mut half = [[0.0; SIDE]; BITS];
    for x in 0..SIDE {
        let mut column = [0.0; SIDE];
        for (sample, row) in column.iter_mut().zip(small.pixels.chunks_exact(SIDE)) {
            *sample = f64::from(row[x]);
        }
        for (row, coefficient) in half.iter_mut().zip(dct(&column)) {
            row[x] = coefficient;
        }
    }
    let low: Vec<f64> = half.iter().flat_map(dct).collect();
    let mut sorted = low.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = f64::midpoint(sorted[31], sorted[32]);
    pack(low.iter().map(|&coefficient| coefficient > median))
}

/// The 8 lowest coefficients of the unnormalised DCT-II, 2 Σ x[n] cos(π k (2n + 1) / 2N).
///
/// Folding the input on its middle splits it: the sums give the even coefficients, as a DCT of half the length, and the
/// differences the odd ones. So a coefficient that is zero by symmetry (a flat or mirrored picture) comes out as zero
/// and not as rounding noise, which would decide its bit.
fn dct(samples: &[f64; SIDE]) -> [f64; BITS] {
    let mut low = [0.0; BITS];
    let mut sums = *samples;
    let (mut length, mut step) = (SIDE, 1);
    while step < BITS {
        let (left, right) = (length / 2, length - 1);
        let mut differences = [0.0; SIDE / 2];
        for n in 0..left {
            differences[n] = sums[n] - sums[right - n];
            sums[n] += sums[right - n];
        }
        for k in (step..BITS).step_by(2 * step) {
            // Coefficient k of the whole is coefficient k / step, an odd one, of what is left.
            let k_here = k / step;
            low[k] = 2.0
                * differences[..left]
                    .iter()
                    .enumerate()
                    .map(|(n, difference)| difference * cosine(k_here * (2 * n + 1), 2 * length))
                    .sum::<f64>();
        }
        length = left;
        step *= 2;
    }
    low[0] = 2.0 * sums[..length].iter().sum::<f64>();
    low
}

/// cos(π a / b), with the argument reduced exactly.
fn cosine(a: usize, b: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "both are below 1000")]
    let turn = (a % (2 * b)) as f64 / b as f64;
    (PI * turn).cos()
}

fn dhash(small: &Luma) -> u64 {
    let rows = small.pixels.chunks_exact(9);
    pack(rows.flat_map(|row| row.windows(2).map(|pair| pair[1] > pair[0])))
}

fn ahash(small: &Luma) -> u64 {
    let sum: u32 = small.pixels.iter().map(|&sample| u32::from(sample)).sum();
    // sample > sum / 64, without a fraction.
    pack(
        small
            .pixels
            .iter()
            .map(|&sample| 64 * u32::from(sample) > sum),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(width: u32, height: u32) -> Rgb {
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                for k in 0..3 {
                    let value = x * 3 + y * 2 + x * y / 7 + k * 40;
                    pixels.push(u8::try_from(value % 256).unwrap());
                }
            }
        }
        Rgb {
            width,
            height,
            pixels,
        }
    }

    #[test]
    fn hashes_are_those_of_imagehash() {
        // Printed by imagehash 4.3.2 with Pillow 13.0.0.
        for (width, height, phash, dhash, ahash) in GOLDEN {
            let picture = pattern(width, height);
            let found = Algorithm::ALL.map(|algorithm| hex(algorithm.hash(&picture)));
            assert_eq!(found, [phash, dhash, ahash], "{width}x{height}");
        }
    }

    const GOLDEN: [(u32, u32, &str, &str, &str); 3] = [
        (
            200,
            150,
            "f8f9c000f0f1f1f1",
            "9944515054a08490",
            "4db79f8c2e76737c",
        ),
        (
            61,
            300,
            "d7dfc7978000870f",
            "c02c53a050a8b414",
            "7e802050a0085080",
        ),
        (
            17,
            9,
            "a87ff944b0561792",
            "ffffffffffffffff",
            "0307070f0f1f1f1f",
        ),
    ];

    #[test]
    fn the_transform_is_the_definition() {
        let samples: [f64; SIDE] =
            std::array::from_fn(|n| f64::from(u8::try_from(n * n % 251).unwrap()));
        for (k, found) in dct(&samples).into_iter().enumerate() {
            let wanted: f64 = samples
                .iter()
                .enumerate()
                .map(|(n, sample)| 2.0 * sample * cosine(k * (2 * n + 1), 64))
                .sum();
            assert!((found - wanted).abs() < 1e-9, "{k}: {found} {wanted}");
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "that they are zero exactly is the claim")]
    fn what_is_zero_by_symmetry_is_zero() {
        assert_eq!(dct(&[77.0; SIDE])[1..], [0.0; 7]);
        let mirrored: [f64; SIDE] =
            std::array::from_fn(|n| f64::from(u8::try_from(n.min(31 - n)).unwrap()));
        let low = dct(&mirrored);
        assert_eq!([low[1], low[3], low[5], low[7]], [0.0; 4]);
        // A flat picture has one coefficient above the median.
        let flat = Rgb {
            width: 50,
            height: 40,
            pixels: vec![90; 6000],
        };
        assert_eq!(hex(Algorithm::Phash.hash(&flat)), "8000000000000000");
    }

    #[test]
    fn names_are_read_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        }
        assert_eq!(
            "md5".parse::<Algorithm>().unwrap_err().code(),
            "unknown-algorithm"
        );
    }
}
