//! What the first bytes tell: format and displayed size.
//!
//! Memory: a few kilobytes, and one row of pixels for PNG; no pixel is decoded.

use std::io::Cursor;

use image::codecs::{bmp, gif, png, tiff, webp};
use image::error::ImageFormatHint;
use image::metadata::Orientation;
use image::{ImageDecoder, ImageError, ImageFormat, ImageResult};

use crate::{PictureError, avif, jpeg};

/// What a header may make a decoder allocate (colour profiles, text chunks, a row of pixels).
const HEADER_BYTES: u64 = 64 << 20;

/// The formats that are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// JPEG (baseline and progressive; grey, YCbCr, RGB, CMYK, YCCK).
    Jpeg,
    /// PNG; of an animation, the default image.
    Png,
    /// GIF; of an animation, the first frame.
    Gif,
    /// WebP; of an animation, the first frame.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// TIFF; of several pages, the first.
    Tiff,
    /// AVIF; of a sequence, the first frame.
    Avif,
}

impl Format {
    /// The format's name in records: `jpeg`, `png`, `gif`, `webp`, `bmp`, `tiff`, `avif`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
            Self::Avif => "avif",
        }
    }

    /// The format by its magic bytes; extensions and MIME types lie too often to be asked.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::WebP)
        } else if bytes.starts_with(b"BM") {
            Some(Self::Bmp)
        } else if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
            Some(Self::Tiff)
        } else if avif::is_avif(bytes) {
            Some(Self::Avif)
        } else {
            None
        }
    }

    /// As [`Format::of`], with the error that names what was found instead.
    pub(crate) fn need(bytes: &[u8]) -> Result<Self, PictureError> {
        if let Some(format) = Self::of(bytes) {
            return Ok(format);
        }
        if bytes.len() < 12 {
            let why = format!("{} bytes are too short for any format", bytes.len());
            return Err(PictureError::Truncated(why));
        }
        let start = bytes[..12].escape_ascii();
        Err(PictureError::Unsupported(format!(
            "no known format starts with \"{start}\""
        )))
    }
}

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// Width in pixels as displayed, orientation applied.
    pub width: u32,
    /// Height in pixels as displayed, orientation applied.
    pub height: u32,
    /// The format by magic bytes.
    pub format: Format,
    /// Orientation in EXIF's numbers, 1 (upright) to 8.
    pub orientation: u8,
}

impl Header {
    pub(crate) fn new(stored: (u32, u32), orientation: Orientation, format: Format) -> Self {
        let orientation = orientation.to_exif();
        // Orientations 5 to 8 lie on their side.
        let (width, height) = if orientation > 4 {
            (stored.1, stored.0)
        } else {
            stored
        };
        Self {
            width,
            height,
            format,
            orientation,
        }
    }

    /// Width × height.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// Reads format and displayed size of the picture in `bytes`, without decoding it.
///
/// A header that is whole in a file that is cut short later passes: only [`decode`](crate::decode) sees that.
///
/// # Errors
/// `unsupported-image`, `truncated-image`, `bad-image`; `too-large` when the header alone asks for over 64 MiB.
pub fn header(bytes: &[u8]) -> Result<Header, PictureError> {
    let format = Format::need(bytes)?;
    if format == Format::Jpeg {
        return jpeg::header(bytes);
    }
    crate::decode::contained(|| {
        if format == Format::Avif {
            return avif::header(bytes);
        }
        let mut decoder = decoder(bytes, format, HEADER_BYTES)
            .map_err(|error| PictureError::from_image(error, HEADER_BYTES))?;
        // A damaged orientation is no reason to lose the picture.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(PictureError::Bad(format!("{width}x{height} pixels")));
        }
        Ok(Header::new((width, height), orientation, format))
    })
}

/// The `image` crate's decoder of any format but JPEG and AVIF, allowed to allocate `max_bytes`.
pub(crate) fn decoder(
    bytes: &[u8],
    format: Format,
    max_bytes: u64,
) -> ImageResult<Box<dyn ImageDecoder + '_>> {
    let input = Cursor::new(bytes);
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(max_bytes);
    let mut decoder: Box<dyn ImageDecoder + '_> = match format {
        // JPEG is read by our own module; asked all the same, `image` would do.
        Format::Jpeg => Box::new(image::codecs::jpeg::JpegDecoder::new(input)?),
        Format::Png => Box::new(png::PngDecoder::with_limits(input, limits.clone())?),
        Format::Gif => Box::new(gif::GifDecoder::new(input)?),
        Format::WebP => Box::new(webp::WebPDecoder::new(input)?),
        Format::Bmp => Box::new(bmp::BmpDecoder::new(input)?),
        Format::Tiff => Box::new(tiff::TiffDecoder::new(input)?),
        // Read by our own module too; `image` has no reader of it without C.
        Format::Avif => {
            let hint = ImageFormatHint::Exact(ImageFormat::Avif);
            return Err(ImageError::Unsupported(hint.into()));
        }
    };
    decoder.set_limits(limits)?;
    Ok(decoder)
}
