//! Picture decoding with limits, orientation and Pillow-exact resampling.
//!
//! The pipeline meets pictures as they lie on the web: with the wrong extension, cut short, animated, CMYK, 16-bit, or
//! made to blow up memory. This crate turns the bytes of one picture into 8-bit RGB, or says with a stable code why it
//! cannot:
//!
//! - [`read`] fetches the bytes that a record names (a path, a `file:` or a `data:` URI);
//! - [`header`] tells format and displayed size without decoding a pixel;
//! - [`decode`] gives the pixels, upright, converted as Pillow's `convert("RGB")` does;
//! - [`reduced_luma`] and [`reduced_rgb`] do so for a caller that needs few pixels, from JPEG at a fraction of the cost;
//! - [`Rgb::resize`] and [`Luma::resize`] give the very bytes of Pillow's `Image.resize`, because perceptual hashes and
//!   the published pre-processing of CLIP models are defined by that implementation.
//!
//! Memory: one decoded picture of 3 bytes a pixel, plus what the decoder of the format needs beside it (progressive
//! JPEG: 6 bytes a pixel; 16-bit PNG: 8; AVIF: 4, beyond 8 bits 7). Nothing is allocated before the size in the header
//! has passed [`Limits::max_pixels`]. Everything here is a pure function of its input; no thread is started.

mod avif;
mod decode;
mod entropy;
mod error;
mod header;
mod jpeg;
mod raster;
mod read;
mod reduced;
mod resample;
mod scaled;
#[cfg(test)]
mod tests;
mod yuv;

pub use decode::decode;
pub use error::PictureError;
pub use header::{Format, Header, header};
pub use raster::{Area, Luma, Rgb};
pub use read::read;
pub use reduced::{Reduced, reduced_luma, reduced_rgb};
pub use resample::Filter;

/// What a picture may cost before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels (width × height) that are decoded; 100 million by default.
    pub max_pixels: u64,
    /// The longest file, or decoded `data:` URI, that is read, in bytes; 256 MiB by default.
    pub max_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: 100_000_000,
            max_bytes: 256 << 20,
        }
    }
}
