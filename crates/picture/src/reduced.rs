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
    for row in plane
        .samples
        .chunks_exact(plane.stride)
        .take(height as usize)
    {
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
    for line in 0..height as usize {
        for across in 0..width as usize {
            let sample = |number: usize| {
                let plane = scaled.planes.get(number)?;
                let at = line / plane.shrink.1 * plane.stride + across / plane.shrink.0;
                plane.samples.get(at).copied()
            };
            let level = sample(0)?;
            pixels.extend(match (sample(1), sample(2)) {
                (Some(blue), Some(red)) => to_rgb(level, blue, red),
                _ => [level; 3],
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
    let (y, cb, cr) = (
        f32::from(luma),
        f32::from(blue) - 128.0,
        f32::from(red) - 128.0,
    );
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use image::codecs::jpeg::JpegEncoder;
    use proptest::prelude::*;

    use super::*;
    use crate::Filter;

    /// A smooth picture in colour, brightest right below the middle.
    fn photo(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            let part = |at: u32, all: u32| f64::from(at) / f64::from(all);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "40 to 220"
            )]
            let level = |value: f64| (40.0 + 180.0 * value) as u8;
            let (x, y) = (part(x, width), part(y, height));
            image::Rgb([level(x * y), level((4.0 * x).sin().abs()), level(1.0 - y)])
        })
    }

    fn jpeg(picture: &RgbImage, orientation: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 90)
            .encode_image(picture)
            .unwrap();
        let mut exif =
            b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        bytes.splice(2..2, exif);
        bytes
    }

    fn furthest(one: &[u8], other: &[u8]) -> u8 {
        assert_eq!(one.len(), other.len());
        let off = one.iter().zip(other).map(|(a, b)| a.abs_diff(*b));
        off.max().unwrap_or(0)
    }

    #[test]
    fn a_reduced_picture_is_the_picture_at_every_scale_and_turn() {
        let limits = Limits::default();
        // No multiples of 8, so that the last samples are less than whole.
        let picture = photo(301, 203);
        for orientation in 1..=8 {
            let bytes = jpeg(&picture, orientation);
            let whole = decode(&bytes, &limits).unwrap();
            for (least, across, down) in [(25, 38, 26), (50, 76, 51), (101, 151, 102)] {
                let luma = reduced_luma(&bytes, &limits, least).unwrap();
                let (w, h) = if orientation > 4 {
                    (down, across)
                } else {
                    (across, down)
                };
                assert_eq!((luma.picture.width, luma.picture.height), (w, h));
                assert_eq!((luma.width, luma.height), (whole.width, whole.height));
                let small = luma.picture.resize_area(luma.area, 9, 8, Filter::Bilinear);
                let wanted = whole.to_luma().resize(9, 8, Filter::Bilinear);
                let off = furthest(&small.pixels, &wanted.pixels);
                assert!(off <= 3, "orientation {orientation}, least {least}: {off}");

                let colour = reduced_rgb(&bytes, &limits, least).unwrap();
                assert_eq!(colour.area, luma.area);
                let small = colour
                    .picture
                    .to_luma()
                    .resize_area(luma.area, 9, 8, Filter::Bilinear);
                let off = furthest(&small.pixels, &wanted.pixels);
                assert!(off <= 4, "orientation {orientation}, least {least}: {off}");
                let red = |picture: &Rgb| picture.resize(2, 2, Filter::Bilinear).pixels[9];
                assert!(red(&colour.picture).abs_diff(red(&whole)) <= 6);
            }
        }
    }

    #[test]
    fn small_pictures_and_other_formats_keep_their_pixels() {
        let limits = Limits::default();
        let bytes = jpeg(&photo(90, 70), 1);
        let whole = decode(&bytes, &limits).unwrap();
        let luma = reduced_luma(&bytes, &limits, 36).unwrap();
        assert_eq!(luma, Reduced::full(whole.to_luma(), 90, 70));
        assert_eq!(reduced_rgb(&bytes, &limits, 36).unwrap().picture, whole);
        assert_eq!(reduced_luma(&bytes, &limits, 35).unwrap().picture.width, 45);
        let mut png = std::io::Cursor::new(Vec::new());
        photo(90, 70)
            .write_to(&mut png, image::ImageFormat::Png)
            .unwrap();
        let luma = reduced_luma(png.get_ref(), &limits, 1).unwrap();
        assert_eq!((luma.picture.width, luma.picture.height), (90, 70));
        let narrow = Limits {
            max_pixels: 6299,
            ..limits
        };
        let error = reduced_luma(&bytes, &narrow, 1).unwrap_err();
        assert_eq!(error.code(), "too-many-pixels");
    }

    #[test]
    fn what_is_cut_short_is_the_error_that_decoding_gives() {
        let limits = Limits::default();
        let bytes = jpeg(&photo(60, 50), 1);
        for length in 0..bytes.len() {
            let cut = &bytes[..length];
            let code = |error: PictureError| error.code();
            let wanted = decode(cut, &limits).map(drop).map_err(code);
            let found = reduced_luma(cut, &limits, 6).map(drop).map_err(code);
            assert_eq!(found, wanted, "cut at {length}");
        }
    }

    /// A grey JPEG of 8×8 blocks in a row, each of one level, by hand: quantiser steps of 8, so that a DC coefficient is
    /// a level less 128. Progressive ones bring the last bit in a second scan, behind one of AC coefficients.
    fn blocks(levels: &[u8], restart: u16, is_progressive: bool) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xdb\x00\x43\x00".to_vec();
        bytes.extend([8; 64]);
        bytes.extend([0xff, if is_progressive { 0xc2 } else { 0xc0 }]);
        bytes.extend(b"\x00\x0b\x08\x00\x08");
        bytes.extend(u16::try_from(8 * levels.len()).unwrap().to_be_bytes());
        bytes.extend(b"\x01\x01\x22\x00");
        // DC: ten codes of 4 bits for the categories 0 to 9; AC: one code of 1 bit, end of block.
        bytes.extend(b"\xff\xc4\x00\x1d\x00\x00\x00\x00\x0a");
        bytes.extend([0; 12]);
        bytes.extend(0..=9);
        bytes.extend(b"\xff\xc4\x00\x14\x10\x01");
        bytes.extend([0; 16]);
        bytes.extend(b"\xff\xdd\x00\x04");
        bytes.extend(restart.to_be_bytes());
        let low = u32::from(is_progressive);
        let mut before = 0;
        let coefficients = |bits: &mut String, at: usize, level: u8| {
            let value = (i32::from(level) - 128) >> low;
            if at.is_multiple_of(usize::from(restart.max(1))) && restart > 0 {
                before = 0;
            }
            let difference = value - before;
            before = value;
            let category = 32 - difference.unsigned_abs().leading_zeros();
            write!(bits, "{category:04b}").unwrap();
            if category > 0 {
                let value = if difference < 0 {
                    difference + (1 << category) - 1
                } else {
                    difference
                };
                write!(bits, "{value:0width$b}", width = category as usize).unwrap();
            }
            if !is_progressive {
                bits.push('0');
            }
        };
        if is_progressive {
            scan(&mut bytes, [0, 0, 1], levels, restart, coefficients);
            bytes.extend(b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00\xab\xff\x00\xcd");
            let last = |bits: &mut String, _: usize, level: u8| {
                bits.push(if (level & 1) == 1 { '1' } else { '0' });
            };
            scan(&mut bytes, [0, 0, 0x10], levels, restart, last);
        } else {
            scan(&mut bytes, [0, 63, 0], levels, restart, coefficients);
        }
        bytes.extend(b"\xff\xd9");
        bytes
    }

    fn scan(
        bytes: &mut Vec<u8>,
        parameters: [u8; 3],
        levels: &[u8],
        restart: u16,
        mut block: impl FnMut(&mut String, usize, u8),
    ) {
        bytes.extend(b"\xff\xda\x00\x08\x01\x01\x00");
        bytes.extend(parameters);
        let interval = if restart > 0 {
            usize::from(restart)
        } else {
            levels.len()
        };
        for (number, part) in levels.chunks(interval).enumerate() {
            if number > 0 {
                bytes.extend([0xff, 0xd0 + u8::try_from((number - 1) % 8).unwrap()]);
            }
            let mut bits = String::new();
            for (at, &level) in part.iter().enumerate() {
                block(&mut bits, number * interval + at, level);
            }
            while !bits.len().is_multiple_of(8) {
                bits.push('1');
            }
            for byte in bits.as_bytes().chunks(8) {
                let byte = u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap();
                bytes.push(byte);
                if byte == 0xff {
                    bytes.push(0);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn means_are_read_from_sequential_and_progressive_files_with_and_without_restarts(
            levels in prop::collection::vec(any::<u8>(), 1..60),
            restart in 0_u16..7,
            is_progressive: bool,
        ) {
            let bytes = blocks(&levels, restart, is_progressive);
            let luma = reduced_luma(&bytes, &Limits::default(), 1).unwrap();
            prop_assert_eq!(&luma.picture.pixels, &levels);
            prop_assert_eq!((luma.width, luma.height), (8 * u32::try_from(levels.len()).unwrap(), 8));
            // Without its end it is no picture.
            let error = reduced_luma(&bytes[..bytes.len() - 2], &Limits::default(), 1).unwrap_err();
            prop_assert_eq!(error.code(), "truncated-image");
        }

        #[test]
        fn damage_never_panics(at in 0_usize..1500, byte: u8) {
            let mut bytes = jpeg(&photo(40, 33), 6);
            let place = at % bytes.len();
            bytes[place] = byte;
            let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
            if let Ok(luma) = reduced_luma(&bytes, &limits, 4) {
                let samples = luma.picture.width as usize * luma.picture.height as usize;
                prop_assert_eq!(luma.picture.pixels.len(), samples);
            }
            let _ = reduced_rgb(&bytes, &limits, 4);
        }
    }
}
