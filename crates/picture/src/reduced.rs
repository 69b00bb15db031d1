//! Pictures for callers that need few pixels of them.
//!
//! Memory: of a JPEG that is large enough its samples at 1/8, 1/4 or 1/2 of the size; of anything else as
//! [`decode`].

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};

use crate::decode::contained;
use crate::scaled::{Scaled, scaled};
use crate::{Area, Format, Limits, Luma, PictureError, Rgb, decode};

/// An upright picture, perhaps at a fraction of its size.
#[derive(Debug, Clone, PartialEq)]
pub struct Reduced<P> {
    /// The samples.
    pub picture: P,
    /// The part of them that the picture fills: a last sample may stand for fewer pixels than the others.
    pub area: Area,
    /// Width of the whole picture in pixels.
    pub width: u32,
    /// Height of the whole picture in pixels.
    pub height: u32,
}

impl<P> Reduced<P> {
    /// A picture at its full size.
    pub fn full(picture: P, width: u32, height: u32) -> Self {
        Self {
            picture,
            area: Area::whole(width, height),
            width,
            height,
        }
    }
}

/// The luma of a picture, at the smallest scale at which it has at least `least` samples along each side.
///
/// Only JPEG is reduced, to 1/8, 1/4 or 1/2 (ITU T.81 codes it in blocks of 8 × 8, whose lowest coefficients are such
/// a picture; progressive files are reduced to 1/8 alone). The luma is the coded one, which for colours outside RGB
/// differs from that of [`decode`]d pixels. All other pictures are [`decode`]d.
///
/// Of a progressive file's scans those that are not needed are not looked into, so that damage there is not seen; a
/// file that was cut short is an error all the same.
///
/// # Errors
/// As [`decode`].
pub fn reduced_luma(
    bytes: &[u8],
    limits: &Limits,
    least: u32,
) -> Result<Reduced<Luma>, PictureError> {
    if let Some(scaled) = try_scaled(bytes, limits, least, false)?
        && let Some(reduced) = upright_luma(&scaled)
    {
        return Ok(reduced);
    }
    let picture = decode(bytes, limits)?.to_luma();
    let (width, height) = (picture.width, picture.height);
    Ok(Reduced::full(picture, width, height))
}

/// As [`reduced_luma`], in colour.
///
/// # Errors
/// As [`decode`].
pub fn reduced_rgb(
    bytes: &[u8],
    limits: &Limits,
    least: u32,
) -> Result<Reduced<Rgb>, PictureError> {
    if let Some(scaled) = try_scaled(bytes, limits, least, true)?
        && let Some(reduced) = upright_rgb(&scaled)
    {
        return Ok(reduced);
    }
    let picture = decode(bytes, limits)?;
    let (width, height) = (picture.width, picture.height);
    Ok(Reduced::full(picture, width, height))
}

/// Whatever keeps a picture from being read at a fraction of its size, [`decode`] does without or names.
fn try_scaled(
    bytes: &[u8],
    limits: &Limits,
    least: u32,
    is_colour: bool,
) -> Result<Option<Scaled>, PictureError> {
    if Format::need(bytes)? != Format::Jpeg {
        return Ok(None);
    }
    contained(|| Ok(scaled(bytes, limits, least, is_colour).ok()))
}

fn upright_luma(scaled: &Scaled) -> Option<Reduced<Luma>> {
    let (width, height) = size(scaled);
    let plane = scaled.planes.first()?;
    let mut samples = Vec::with_capacity(width as usize * height as usize);
    for row in plane.samples.chunks_exact(plane.stride).take(height as usize) {
        samples.extend_from_slice(&row[..width as usize]);
    }
    let picture = GrayImage::from_raw(width, height, samples)?;
    upright(scaled, DynamicImage::ImageLuma8(picture), |picture| {
        let picture = picture.into_luma8();
        Luma {
            width: picture.width(),
            height: picture.height(),
            pixels: picture.into_raw(),
        }
    })
}

fn upright_rgb(scaled: &Scaled) -> Option<Reduced<Rgb>> {
    let (width, height) = size(scaled);
    let mut pixels = Vec::with_capacity(3 * width as usize * height as usize);
    for y in 0..height as usize {
        for x in 0..width as usize {
            let sample = |plane: usize| {
                let plane = scaled.planes.get(plane)?;
                let place = y / plane.shrink.1 * plane.stride + x / plane.shrink.0;
                plane.samples.get(place).copied()
            };
            let luma = sample(0)?;
            pixels.extend(match (sample(1), sample(2)) {
                (Some(blue), Some(red)) => to_rgb(luma, blue, red),
                _ => [luma; 3],
            });
        }
    }
    let picture = RgbImage::from_raw(width, height, pixels)?;
    upright(scaled, DynamicImage::ImageRgb8(picture), |picture| {
        let picture = picture.into_rgb8();
        Rgb {
            width: picture.width(),
            height: picture.height(),
            pixels: picture.into_raw(),
        }
    })
}

/// The samples of the luma plane that the picture has a part in.
fn size(scaled: &Scaled) -> (u32, u32) {
    let reach = |pixels: u32| (pixels * scaled.side).div_ceil(8);
    (reach(scaled.stored.0), reach(scaled.stored.1))
}

/// ITU-R 601 as JFIF has it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte just before"
)]
fn to_rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    let level = |value: f32| (value + 0.5).clamp(0.0, 255.0) as u8;
    [
        level(y + 1.402 * cr),
        level(y - 0.344_136 * cb - 0.714_136 * cr),
        level(y + 1.772 * cb),
    ]
}

/// Turns the samples and the area that the picture fills.
fn upright<P>(
    scaled: &Scaled,
    mut samples: DynamicImage,
    pack: impl Fn(DynamicImage) -> P,
) -> Option<Reduced<P>> {
    let eighths = |pixels: u32| f64::from(pixels) * f64::from(scaled.side) / 8.0;
    let (stored, orientation) = (scaled.stored, scaled.header.orientation);
    let part = (eighths(stored.0), eighths(stored.1));
    let all = (f64::from(samples.width()), f64::from(samples.height()));
    samples.apply_orientation(Orientation::from_exif(orientation)?);
    // What the last sample lacks lies in front where the orientation mirrors or turns its side.
    let along = |part: f64, all: f64, is_mirrored: bool| {
        if is_mirrored {
            (all - part, all)
        } else {
            (0.0, part)
        }
    };
    let (x, y) = match orientation {
        1..=4 => (
            along(part.0, all.0, matches!(orientation, 2 | 3)),
            along(part.1, all.1, matches!(orientation, 3 | 4)),
        ),
        _ => (
            along(part.1, all.1, matches!(orientation, 6 | 7)),
            along(part.0, all.0, matches!(orientation, 7 | 8)),
        ),
    };
    Some(Reduced {
        picture: pack(samples),
        area: Area { x, y },
        width: scaled.header.width,
        height: scaled.header.height,
    })
}
