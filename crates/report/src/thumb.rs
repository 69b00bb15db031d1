//! Thumbnails: a record's picture, upright, small, on white, as a JPEG `data:` URI.
//!
//! Memory: one decoded picture a thread (pictures beyond [`MAX_PIXELS`] are refused by their headers) and the finished
//! thumbnails. Order: the same as asked for, whatever the number of threads.

use std::fmt::Write;
use std::io::Cursor;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageReader};
use realsyn_picture::{Filter, Format, Limits, PictureError, Rgb};

use crate::item::Picture;

/// Larger pictures are not decoded for a thumbnail.
const MAX_PIXELS: u64 = 64_000_000;
/// JPEG quality of the thumbnails.
const QUALITY: u8 = 80;

/// A thumbnail, or why there is none.
pub(crate) type Thumb = Result<Small, String>;

/// A small picture that is part of the page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Small {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// `data:image/jpeg;base64,…`
    pub(crate) uri: String,
}

/// Makes the thumbnails of `pictures`, none longer on a side than `side`, in `jobs` threads.
pub(crate) fn all(pictures: &[&Picture], side: u32, jobs: NonZeroUsize) -> Vec<Thumb> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(pictures.len()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.get().min(pictures.len()) {
            scope.spawn(|| {
                while let Some((at, picture)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    pictures.get(at).map(|picture| (at, picture))
                } {
                    let thumb = one(picture, side);
                    if let Ok(mut done) = done.lock() {
                        done.push((at, thumb));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, thumb)| thumb).collect()
}

/// The thumbnail of one picture.
fn one(picture: &Picture, side: u32) -> Thumb {
    let limits = Limits {
        max_pixels: MAX_PIXELS,
        ..Limits::default()
    };
    let made = realsyn_picture::read(picture.path.as_deref(), picture.url.as_deref(), &limits)
        .and_then(|bytes| on_white(&bytes, &limits));
    match made {
        Ok(rgb) => encode(&shrink(&rgb, side)),
        Err(error) => Err(error.to_string()),
    }
}

/// Decodes a picture; what is transparent shows white, as a browser would show it on a white page.
fn on_white(bytes: &[u8], limits: &Limits) -> Result<Rgb, PictureError> {
    if !matches!(
        Format::of(bytes),
        Some(Format::Png | Format::Gif | Format::WebP | Format::Tiff)
    ) {
        return realsyn_picture::decode(bytes, limits);
    }
    // `realsyn_picture::decode` drops alpha, as the models' preprocessing does; a page has to blend it. The limits are
    // the same, and a decoder that panics costs one thumbnail.
    let header = realsyn_picture::header(bytes)?;
    let (width, height) = (u64::from(header.width), u64::from(header.height));
    if width * height > limits.max_pixels {
        return Err(PictureError::TooManyPixels {
            width,
            height,
            limit: limits.max_pixels,
        });
    }
    match catch_unwind(AssertUnwindSafe(|| blended(bytes, width * height))) {
        Ok(Some(rgb)) => Ok(rgb),
        // Without alpha, or an error: the decoder of the pipeline gives the pixels, or the reason in its own words.
        _ => realsyn_picture::decode(bytes, limits),
    }
}

/// A picture that has an alpha channel, over white.
fn blended(bytes: &[u8], pixels: u64) -> Option<Rgb> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(pixels.saturating_mul(16).saturating_add(64 << 20));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    if !decoder.color_type().has_alpha() {
        return None;
    }
    let orientation = decoder.orientation().ok()?;
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    picture.apply_orientation(orientation);
    let picture = picture.into_rgba8();
    let over = |channel: u8, alpha: u8| {
        let (channel, alpha) = (u16::from(channel), u16::from(alpha));
        u8::try_from((channel * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
    };
    let pixels = picture
        .pixels()
        .flat_map(|pixel| {
            let [red, green, blue, alpha] = pixel.0;
            [over(red, alpha), over(green, alpha), over(blue, alpha)]
        })
        .collect();
    Some(Rgb {
        width: picture.width(),
        height: picture.height(),
        pixels,
    })
}

/// Reduces a picture to at most `side` on its longer side; a small one stays as it is.
fn shrink(rgb: &Rgb, side: u32) -> Rgb {
    let longer = rgb.width.max(rgb.height).max(1);
    if longer <= side {
        return rgb.clone();
    }
    let scaled = |length: u32| {
        let scaled =
            (u64::from(length) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(scaled).unwrap_or(side).max(1)
    };
    rgb.resize(scaled(rgb.width), scaled(rgb.height), Filter::Bicubic)
}

fn encode(rgb: &Rgb) -> Thumb {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode(&rgb.pixels, rgb.width, rgb.height, ExtendedColorType::Rgb8)
        .map_err(|error| error.to_string())?;
    let mut uri = String::with_capacity(32 + jpeg.len() * 4 / 3);
    let _ = write!(uri, "data:image/jpeg;base64,");
    STANDARD.encode_string(&jpeg, &mut uri);
    Ok(Small {
        width: rgb.width,
        height: rgb.height,
        uri,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(name: &str, picture: &DynamicImage) -> (tempfile::TempDir, Picture) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        picture.save(&path).unwrap();
        let path = path.to_str().map(str::to_owned);
        (
            folder,
            Picture {
                path,
                ..Picture::default()
            },
        )
    }

    fn pixels(thumb: &Thumb) -> image::RgbImage {
        let uri = &thumb.as_ref().unwrap().uri;
        let jpeg = STANDARD
            .decode(uri.strip_prefix("data:image/jpeg;base64,").unwrap())
            .unwrap();
        image::load_from_memory(&jpeg).unwrap().into_rgb8()
    }

    #[test]
    fn the_longer_side_is_bounded_and_the_shape_kept() {
        let (_folder, picture) = saved("wide.png", &DynamicImage::new_rgb8(900, 300));
        let thumb = all(&[&picture], 320, NonZeroUsize::MIN).remove(0).unwrap();
        assert_eq!((thumb.width, thumb.height), (320, 107));
        let (_folder, small) = saved("small.png", &DynamicImage::new_rgb8(20, 9));
        let thumb = all(&[&small], 320, NonZeroUsize::MIN).remove(0).unwrap();
        assert_eq!((thumb.width, thumb.height), (20, 9));
    }

    #[test]
    fn what_is_transparent_is_white() {
        let clear = image::RgbaImage::from_pixel(40, 40, image::Rgba([0, 0, 0, 0]));
        let (_folder, picture) = saved("clear.png", &DynamicImage::ImageRgba8(clear));
        let shown = pixels(&all(&[&picture], 320, NonZeroUsize::MIN)[0]);
        assert!(
            shown
                .pixels()
                .all(|pixel| pixel.0.iter().all(|channel| *channel > 250))
        );
        let half = image::RgbaImage::from_pixel(40, 40, image::Rgba([255, 0, 0, 128]));
        let (_folder, picture) = saved("half.png", &DynamicImage::ImageRgba8(half));
        let shown = pixels(&all(&[&picture], 320, NonZeroUsize::MIN)[0])
            .get_pixel(20, 20)
            .0;
        assert!(shown[0] > 245 && shown[1].abs_diff(127) < 8, "{shown:?}");
    }

    #[test]
    fn failures_are_told_and_order_is_kept() {
        let (_folder, good) = saved("good.png", &DynamicImage::new_rgb8(8, 8));
        let missing = Picture {
            path: Some("/nowhere/at/all.png".into()),
            ..Picture::default()
        };
        let remote = Picture {
            url: Some("https://a.example/b.png".into()),
            ..Picture::default()
        };
        let pictures: Vec<&Picture> = (0..30).map(|n| [&good, &missing, &remote][n % 3]).collect();
        let one = all(&pictures, 320, NonZeroUsize::MIN);
        let three = all(&pictures, 320, NonZeroUsize::new(3).unwrap());
        assert_eq!(one, three);
        assert!(one[0].is_ok());
        assert!(one[1].as_ref().unwrap_err().contains("/nowhere/at/all.png"));
        assert!(one[2].as_ref().unwrap_err().contains("not a local picture"));
    }
}
