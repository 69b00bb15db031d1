//! From bytes to upright 8-bit RGB.
//!
//! Memory: see the crate's page. The size in the header is checked before anything is allocated.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use crate::{Format, Limits, PictureError, Rgb, avif, header, jpeg};

/// Decodes the picture in `bytes` to upright 8-bit RGB.
///
/// As Pillow's `convert("RGB")`: alpha is dropped (not blended), 16-bit samples keep their high byte, palettes and
/// grey are spread out, CMYK is read by Adobe's inverted convention. EXIF orientation is applied; of an animation the
/// first frame is taken. Colour profiles are ignored, as Pillow does. Lossless files give Pillow's very bytes, with
/// two exceptions: 16-bit grey, which Pillow clips at 255 (nearly always to plain white), keeps its high byte here
/// too, and CMYK in TIFF may differ by a level. TIFF with a palette is not decoded.
///
/// AVIF in 8, 10 or 12 bits: colours by the matrix that the file names, as `libavif` converts them (Pillow's reader);
/// turned by the container's own turn and mirror, which take EXIF's place there; tiles are joined; of layers the last is
/// taken, of a sequence the first frame. Constant-luminance and `ICtCp` matrices are not decoded.
///
/// A file that was cut short is an error. Only a JPEG that was cut and then closed with an end marker cannot be told
/// from a whole one; every decoder fills its missing part with grey.
///
/// # Errors
/// `too-many-pixels` (from the header alone), `too-large`, `truncated-image`, `bad-image`, `unsupported-image`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Rgb, PictureError> {
    let format = Format::need(bytes)?;
    contained(|| {
        let (orientation, picture) = match format {
            Format::Jpeg => {
                let (header, pixels) = jpeg::pixels(bytes, limits)?;
                let (width, height) = if header.orientation > 4 {
                    (header.height, header.width)
                } else {
                    (header.width, header.height)
                };
                (
                    header.orientation,
                    Rgb {
                        width,
                        height,
                        pixels,
                    },
                )
            }
            Format::Avif => avif::pixels(bytes, limits)?,
            _ => other(bytes, format, limits)?,
        };
        turn(picture, orientation)
    })
}

/// Every format but JPEG and AVIF.
fn other(bytes: &[u8], format: Format, limits: &Limits) -> Result<(u8, Rgb), PictureError> {
    let header = header(bytes)?;
    check_pixels(header.width, header.height, limits)?;
    // 8 bytes for 16-bit RGBA, as much again for the decoder's own copy, and room for what hangs on the header.
    let max_bytes = header.pixels().saturating_mul(16).saturating_add(64 << 20);
    let sort = |error| match PictureError::from_image(error, max_bytes) {
        PictureError::Bad(why) if webp_ends_early(bytes, format) => PictureError::Truncated(why),
        error => error,
    };
    let decoder = header::decoder(bytes, format, max_bytes).map_err(sort)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(sort)?;
    let (width, height) = (picture.width(), picture.height());
    let pixels = rgb8(picture)?;
    Ok((
        header.orientation,
        Rgb {
            width,
            height,
            pixels,
        },
    ))
}

/// Whether a WebP container announces more bytes than there are; its decoder only says "corrupt".
fn webp_ends_early(bytes: &[u8], format: Format) -> bool {
    let announced = bytes
        .get(4..8)
        .and_then(|size| <[u8; 4]>::try_from(size).ok());
    format == Format::WebP
        && announced
            .is_some_and(|size| u64::from(u32::from_le_bytes(size)) + 8 > bytes.len() as u64)
}

/// The samples as Pillow's `convert("RGB")` gives them.
fn rgb8(picture: DynamicImage) -> Result<Vec<u8>, PictureError> {
    Ok(match picture {
        DynamicImage::ImageRgb8(picture) => picture.into_raw(),
        DynamicImage::ImageRgba8(picture) => picture
            .as_raw()
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect(),
        DynamicImage::ImageLuma8(picture) => {
            picture.as_raw().iter().flat_map(|&l| [l; 3]).collect()
        }
        DynamicImage::ImageLumaA8(picture) => picture
            .as_raw()
            .as_chunks::<2>()
            .0
            .iter()
            .flat_map(|p| [p[0]; 3])
            .collect(),
        DynamicImage::ImageRgb16(picture) => picture.as_raw().iter().map(|&s| high(s)).collect(),
        DynamicImage::ImageRgba16(picture) => picture
            .as_raw()
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|p| [high(p[0]), high(p[1]), high(p[2])])
            .collect(),
        DynamicImage::ImageLuma16(picture) => picture
            .as_raw()
            .iter()
            .flat_map(|&l| [high(l); 3])
            .collect(),
        DynamicImage::ImageLumaA16(picture) => picture
            .as_raw()
            .as_chunks::<2>()
            .0
            .iter()
            .flat_map(|p| [high(p[0]); 3])
            .collect(),
        other => {
            return Err(PictureError::Unsupported(format!(
                "samples of type {:?}",
                other.color()
            )));
        }
    })
}

/// The high byte: Pillow unpacks 16-bit samples so, without rounding.
fn high(sample: u16) -> u8 {
    sample.to_be_bytes()[0]
}

/// Turns a picture upright.
fn turn(picture: Rgb, orientation: u8) -> Result<Rgb, PictureError> {
    let orientation = Orientation::from_exif(orientation).unwrap_or(Orientation::NoTransforms);
    if orientation == Orientation::NoTransforms {
        return Ok(picture);
    }
    let Rgb {
        width,
        height,
        pixels,
    } = picture;
    let picture = RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| PictureError::Bad("fewer pixels than the header says".to_owned()))?;
    let mut picture = DynamicImage::ImageRgb8(picture);
    picture.apply_orientation(orientation);
    let picture = picture.into_rgb8();
    Ok(Rgb {
        width: picture.width(),
        height: picture.height(),
        pixels: picture.into_raw(),
    })
}

/// Refuses a size beyond the limit.
pub(crate) fn check_pixels(width: u32, height: u32, limits: &Limits) -> Result<(), PictureError> {
    let (width, height) = (u64::from(width), u64::from(height));
    if width * height > limits.max_pixels {
        return Err(PictureError::TooManyPixels {
            width,
            height,
            limit: limits.max_pixels,
        });
    }
    Ok(())
}

/// Runs a decoder so that a defect in it costs one picture, not the run of a million.
pub(crate) fn contained<T>(
    work: impl FnOnce() -> Result<T, PictureError>,
) -> Result<T, PictureError> {
    // Sound to assert: the closures borrow only the input bytes and the limits, which nothing writes to.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(PictureError::Bad(
            "the decoder failed on these data".to_owned(),
        ))
    })
}
