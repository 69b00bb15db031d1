//! 64-bit perceptual hashes, bit for bit those of Python's `imagehash` (hash size 8) for losslessly coded pictures.
//!
//! All work on the upright picture, all but blockhash on its luma alone. Bit 63 is the top left one, so that the
//! hexadecimal form is `str(imagehash.phash(picture))`.
//!
//! A JPEG is decoded at the smallest scale, from an eighth on, that leaves [`Algorithm::least`] samples along each side.
//! That moves a few bits that a hash of all pixels would have, those whose value lies next to the threshold.
//!
//! Memory: the samples of the reduced picture; of what is not reduced, 3 bytes a pixel while it is decoded.

use std::f64::consts::PI;
use std::str::FromStr;
use std::sync::LazyLock;

use realsyn_picture::{Filter, Limits, Luma, PictureError, Reduced, reduced_luma, reduced_rgb};

use crate::block::{blockhash, whash};

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
    /// Whether the sum of red, green and blue of each of 8×8 blocks is above the median of its quarter (Yang, Gu, Niu
    /// 2006, as blockhash.io has it).
    Blockhash,
    /// Whether each value of the 8×8 lowest band of the Haar wavelet is above the median (`imagehash.whash`).
    Whash,
}

/// What is to be known of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    /// The perceptual hash.
    pub hash: u64,
    /// Width of the upright picture in pixels.
    pub width: u32,
    /// Height of the upright picture in pixels.
    pub height: u32,
}

impl Hashed {
    /// Width × height.
    #[must_use]
    pub fn area(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// A name that is no algorithm's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown algorithm {0:?}; known are phash, dhash, ahash, blockhash, whash")]
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
    pub const ALL: [Self; 5] = [
        Self::Phash,
        Self::Dhash,
        Self::Ahash,
        Self::Blockhash,
        Self::Whash,
    ];

    /// The name on the command line, and of the field in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phash => "phash",
            Self::Dhash => "dhash",
            Self::Ahash => "ahash",
            Self::Blockhash => "blockhash",
            Self::Whash => "whash",
        }
    }

    /// The samples along each side that the hash of a reduced picture is made of, at least.
    #[must_use]
    pub fn least(self) -> u32 {
        match self {
            Self::Phash | Self::Whash => 48,
            Self::Dhash | Self::Ahash | Self::Blockhash => 32,
        }
    }

    /// Decodes a picture as far as the hash needs it, and hashes it.
    ///
    /// # Errors
    /// The picture cannot be decoded; see [`PictureError`].
    pub fn hash(self, bytes: &[u8], limits: &Limits) -> Result<Hashed, PictureError> {
        self.hash_reduced(bytes, limits, self.least())
    }

    /// As [`Self::hash`], from all pixels: what [`Self::hash`]'s deviation is measured against.
    ///
    /// # Errors
    /// The picture cannot be decoded; see [`PictureError`].
    pub fn hash_of_all_pixels(self, bytes: &[u8], limits: &Limits) -> Result<Hashed, PictureError> {
        self.hash_reduced(bytes, limits, u32::MAX)
    }

    fn hash_reduced(
        self,
        bytes: &[u8],
        limits: &Limits,
        least: u32,
    ) -> Result<Hashed, PictureError> {
        let of_luma = |hash: fn(&Reduced<Luma>) -> u64| {
            let reduced = reduced_luma(bytes, limits, least)?;
            Ok(Hashed {
                hash: hash(&reduced),
                width: reduced.width,
                height: reduced.height,
            })
        };
        match self {
            Self::Phash => of_luma(|luma| phash(&small(luma, 32, 32))),
            Self::Dhash => of_luma(|luma| dhash(&small(luma, 9, 8))),
            Self::Ahash => of_luma(|luma| ahash(&small(luma, 8, 8))),
            Self::Whash => of_luma(whash),
            Self::Blockhash => {
                let reduced = reduced_rgb(bytes, limits, least)?;
                Ok(Hashed {
                    hash: blockhash(&reduced),
                    width: reduced.width,
                    height: reduced.height,
                })
            }
        }
    }
}

fn small(luma: &Reduced<Luma>, width: u32, height: u32) -> Luma {
    luma.picture
        .resize_area(luma.area, width, height, Filter::Lanczos)
}

/// A hash as it stands in records: 16 hexadecimal digits.
#[must_use]
pub fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// The hash that such digits stand for; `None` for any other text.
#[must_use]
pub fn from_hex(digits: &str) -> Option<u64> {
    let is_hash = digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| is_hash)
}

/// Which of 64 values are above their median.
pub(crate) fn above_median(values: &[f64; 64]) -> u64 {
    let mut sorted = *values;
    sorted.sort_unstable_by(f64::total_cmp);
    let median = f64::midpoint(sorted[31], sorted[32]);
    pack(values.iter().map(|&value| value > median))
}

/// Packs bits, the first into the highest place.
pub(crate) fn pack(bits: impl Iterator<Item = bool>) -> u64 {
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
    let mut low = [0.0; BITS * BITS];
    for (row, samples) in low.chunks_exact_mut(BITS).zip(&half) {
        row.copy_from_slice(&dct(samples));
    }
    above_median(&low)
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

/// cos(π t / 64) for a whole turn.
static COSINES: LazyLock<[f64; 128]> = LazyLock::new(|| {
    #[expect(clippy::cast_precision_loss, reason = "below 128")]
    std::array::from_fn(|t| (PI * (t as f64 / 64.0)).cos())
});

/// cos(π a / b), with the argument reduced exactly; b divides 64.
fn cosine(a: usize, b: usize) -> f64 {
    COSINES[a * (64 / b) % 128]
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
    use std::io::Cursor;

    use image::{ImageFormat, RgbImage};

    use super::*;

    fn png(width: u32, height: u32, pixel: impl Fn(u32, u32, u32) -> u32) -> Vec<u8> {
        let picture = RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([0, 1, 2].map(|k| u8::try_from(pixel(x, y, k) % 256).unwrap()))
        });
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn hash(algorithm: Algorithm, picture: &[u8]) -> String {
        hex(algorithm.hash(picture, &Limits::default()).unwrap().hash)
    }

    fn pattern(width: u32, height: u32) -> Vec<u8> {
        png(width, height, |x, y, k| x * 3 + y * 2 + x * y / 7 + k * 40)
    }

    #[test]
    fn hashes_are_those_of_imagehash_and_blockhash() {
        // Printed by imagehash 4.3.2 with Pillow 13.0.0, and by blockhash-core 0.1.0 (npm) with 8 bits.
        // Of the last picture imagehash's whash is 0307070f0f1f1f3f: one sum is the median exactly, and its bit is noise.
        for (width, height, wanted) in GOLDEN {
            let picture = pattern(width, height);
            let found = Algorithm::ALL.map(|algorithm| hash(algorithm, &picture));
            assert_eq!(found, wanted, "{width}x{height}");
        }
    }

    const GOLDEN: [(u32, u32, [&str; 5]); 3] = [
        (
            200,
            150,
            [
                "f8f9c000f0f1f1f1",
                "9944515054a08490",
                "4db79f8c2e76737c",
                "4cadf390256d0779",
                "4cade7d8a4690778",
            ],
        ),
        (
            61,
            300,
            [
                "d7dfc7978000870f",
                "c02c53a050a8b414",
                "7e802050a0085080",
                "76945b2ac87c1c6b",
                "7e9c492ac97e1863",
            ],
        ),
        (
            17,
            9,
            [
                "a87ff944b0561792",
                "ffffffffffffffff",
                "0307070f0f1f1f1f",
                "0f0f0f0f0f0f0f0f",
                "0307070f0f1f1f1f",
            ],
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
        let flat = png(50, 40, |_, _, _| 90);
        assert_eq!(hash(Algorithm::Phash, &flat), "8000000000000000");
    }

    #[test]
    fn names_are_read_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        }
        assert_eq!(from_hex(&hex(0xabc)), Some(0xabc));
        for bad in ["", "abc", "+00000000000000a", "00000000000000000"] {
            assert_eq!(from_hex(bad), None);
        }
        assert_eq!(
            "md5".parse::<Algorithm>().unwrap_err().code(),
            "unknown-algorithm"
        );
    }
}
