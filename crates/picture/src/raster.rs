//! Pictures in memory: 8-bit RGB and 8-bit luma, row by row from the top left.

use crate::Filter;
use crate::resample::resample;

/// A picture of 8-bit RGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Red, green, blue of each pixel, row by row; 3 × width × height bytes.
    pub pixels: Vec<u8>,
}

/// A picture of 8-bit luma.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Luma {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The luma of each pixel, row by row; width × height bytes.
    pub pixels: Vec<u8>,
}

impl Rgb {
    /// The picture at `w` × `h` pixels (each at least 1): the bytes of Pillow's `resize((w, h), filter)`.
    #[must_use]
    pub fn resize(&self, w: u32, h: u32, filter: Filter) -> Rgb {
        self.resize_area(Area::whole(self.width, self.height), w, h, filter)
    }

    /// An area of the picture at `w` × `h` pixels (each at least 1): the bytes of Pillow's
    /// `resize((w, h), filter, box)`.
    #[must_use]
    pub fn resize_area(&self, area: Area, w: u32, h: u32, filter: Filter) -> Rgb {
        let (width, height) = (w.max(1), h.max(1));
        let pixels = resample::<3>(
            &self.pixels,
            (self.width, self.height),
            area,
            (width, height),
            filter,
        );
        Rgb {
            width,
            height,
            pixels,
        }
    }

    /// The rectangle of `w` × `h` pixels whose top left corner is at (`x`, `y`), cut to what lies inside the picture.
    #[must_use]
    pub fn crop(&self, x: u32, y: u32, w: u32, h: u32) -> Rgb {
        let (x, y) = (x.min(self.width), y.min(self.height));
        let (width, height) = (w.min(self.width - x), h.min(self.height - y));
        let (stride, left, span) = (3 * self.width as usize, 3 * x as usize, 3 * width as usize);
        let mut pixels = Vec::with_capacity(span * height as usize);
        for row in y as usize..(y + height) as usize {
            let start = row * stride + left;
            pixels.extend_from_slice(&self.pixels[start..start + span]);
        }
        Rgb {
            width,
            height,
            pixels,
        }
    }

    /// ITU-R 601-2 luma, the bytes of Pillow's `convert("L")`: (19595 R + 38470 G + 7471 B + 2¹⁵) >> 16.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the weights add up to 2^16, so the sum stays below 2^24"
    )]
    pub fn to_luma(&self) -> Luma {
        let luma = |&[r, g, b]: &[u8; 3]| {
            let sum = 19595 * u32::from(r) + 38470 * u32::from(g) + 7471 * u32::from(b) + 0x8000;
            (sum >> 16) as u8
        };
        Luma {
            width: self.width,
            height: self.height,
            pixels: self.pixels.as_chunks::<3>().0.iter().map(luma).collect(),
        }
    }
}

/// The part of a raster that a picture fills, in its samples: [`Reduced`](crate::Reduced) pictures end amid a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Where it begins and ends from left to right.
    pub x: (f64, f64),
    /// Where it begins and ends from top to bottom.
    pub y: (f64, f64),
}

impl Area {
    /// All of a raster of so many samples.
    #[must_use]
    pub fn whole(width: u32, height: u32) -> Self {
        Self {
            x: (0.0, f64::from(width)),
            y: (0.0, f64::from(height)),
        }
    }
}

impl Luma {
    /// An area of the picture at `w` × `h` pixels (each at least 1): the bytes of Pillow's
    /// `resize((w, h), filter, box)`.
    #[must_use]
    pub fn resize_area(&self, area: Area, w: u32, h: u32, filter: Filter) -> Luma {
        let (width, height) = (w.max(1), h.max(1));
        let pixels = resample::<1>(
            &self.pixels,
            (self.width, self.height),
            area,
            (width, height),
            filter,
        );
        Luma {
            width,
            height,
            pixels,
        }
    }

    /// The picture at `w` × `h` pixels (each at least 1): the bytes of Pillow's `resize((w, h), filter)`.
    #[must_use]
    pub fn resize(&self, w: u32, h: u32, filter: Filter) -> Luma {
        self.resize_area(Area::whole(self.width, self.height), w, h, filter)
    }
}
