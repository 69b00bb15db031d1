//! The picture as a vision model gets it: upright, scaled down, as a JPEG in a `data:` URI.
//!
//! Memory: the decoded picture and its URI.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use realsyn_picture::{Filter, Limits, PictureError, Rgb, decode, read};

/// The JPEG quality: high enough that lettering stays legible.
const QUALITY: u8 = 90;

/// The `data:` URI of the picture at `path` (or else at a local `url`), scaled down so that its longer
/// side is at most `side` pixels; never scaled up.
///
/// # Errors
/// [`PictureError`] when the picture cannot be read, is too large, or is damaged.
pub fn data_uri(
    path: Option<&str>,
    url: Option<&str>,
    side: u32,
    limits: &Limits,
) -> Result<String, PictureError> {
    let picture = decode(&read(path, url, limits)?, limits)?;
    let (width, height) = fit(picture.width, picture.height, side);
    let picture = if (width, height) == (picture.width, picture.height) {
        picture
    } else {
        picture.resize(width, height, Filter::Bicubic)
    };
    let mut uri = "data:image/jpeg;base64,".to_owned();
    STANDARD.encode_string(jpeg(&picture)?, &mut uri);
    Ok(uri)
}

/// The size with the same shape whose longer side is at most `side`, each side at least 1.
fn fit(width: u32, height: u32, side: u32) -> (u32, u32) {
    let long = u64::from(width.max(height));
    if long <= u64::from(side) {
        return (width, height);
    }
    let scaled = |length: u32| {
        let exact = (2 * u64::from(length) * u64::from(side) + long) / (2 * long);
        // At most `side`, because `length` is at most `long`.
        u32::try_from(exact).unwrap_or(side).max(1)
    };
    (scaled(width), scaled(height))
}

/// The picture as a JPEG.
fn jpeg(picture: &Rgb) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode(
            &picture.pixels,
            picture.width,
            picture.height,
            ExtendedColorType::Rgb8,
        )
        .map_err(|error| PictureError::Unsupported(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_their_shape_and_never_grow() {
        assert_eq!(fit(640, 480, 512), (512, 384));
        assert_eq!(fit(480, 640, 512), (384, 512));
        assert_eq!(fit(100, 50, 512), (100, 50));
        assert_eq!(fit(10_000, 3, 512), (512, 1));
        assert_eq!(fit(u32::MAX, u32::MAX, 512), (512, 512));
    }

    #[test]
    fn a_picture_arrives_scaled_and_legible() {
        let picture = Rgb {
            width: 64,
            height: 32,
            pixels: [200, 40, 10].repeat(64 * 32),
        };
        let first = format!(
            "data:image/jpeg;base64,{}",
            STANDARD.encode(jpeg(&picture).unwrap())
        );
        let limits = Limits::default();
        let uri = data_uri(None, Some(&first), 16, &limits).unwrap();
        let bytes = read(None, Some(&uri), &limits).unwrap();
        let small = decode(&bytes, &limits).unwrap();
        assert_eq!((small.width, small.height), (16, 8));
        for (found, expected) in small.pixels.iter().zip([200_u8, 40, 10].iter().cycle()) {
            assert!(found.abs_diff(*expected) < 8);
        }
    }
}
