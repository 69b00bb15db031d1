//! JPEG, decoded strictly.
//!
//! `image` calls zune-jpeg leniently, so that a file cut in the middle comes out half grey and counts as success. A
//! perceptual hash of that is wrong and its embedding is noise, so damage in the entropy-coded data is an error here;
//! only stray bytes between header segments, which cameras and editors do write, are forgiven.
//!
//! Memory: 3 bytes a pixel; progressive files 6 more.

use image::metadata::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::decode::{check_pixels, contained};
use crate::{Format, Header, Limits, PictureError};

type Decoder<'a> = JpegDecoder<ZCursor<&'a [u8]>>;

/// Format and displayed size.
pub(crate) fn header(bytes: &[u8]) -> Result<Header, PictureError> {
    contained(|| read_header(bytes, false).map(|(_, header)| header))
}

/// The pixels as stored (not yet turned upright), and the header that says how to turn them.
pub(crate) fn pixels(bytes: &[u8], limits: &Limits) -> Result<(Header, Vec<u8>), PictureError> {
    // Strict reading refuses stray bytes between header segments; the pixels behind them are read strictly all the same.
    let (mut decoder, header) = read_header(bytes, true).or_else(|_| read_header(bytes, false))?;
    check_pixels(header.width, header.height, limits)?;
    let strict = decoder.options().set_strict_mode(true);
    decoder.set_options(strict);
    let pixels = decoder.decode().map_err(|error| sort(&error, bytes))?;
    // Strict mode misses data that end in the last row of blocks; the end marker is missing then.
    if !has_end_marker(bytes) {
        return Err(PictureError::Truncated("no end marker".to_owned()));
    }
    Ok((header, pixels))
}

fn read_header(bytes: &[u8], strict: bool) -> Result<(Decoder<'_>, Header), PictureError> {
    let options = DecoderOptions::default()
        .set_strict_mode(strict)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|error| sort(&error, bytes))?;
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif))
        .unwrap_or(Orientation::NoTransforms);
    let stored = decoder
        .dimensions()
        .and_then(|(width, height)| Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?)))
        .filter(|&(width, height)| width > 0 && height > 0)
        .ok_or_else(|| PictureError::Bad("the header gives no size".to_owned()))?;
    Ok((decoder, Header::new(stored, orientation, Format::Jpeg)))
}

fn sort(error: &DecodeErrors, bytes: &[u8]) -> PictureError {
    match error {
        DecodeErrors::Unsupported(_) => PictureError::Unsupported(error.to_string()),
        _ if !has_end_marker(bytes) => PictureError::Truncated(error.to_string()),
        _ => PictureError::Bad(error.to_string()),
    }
}

/// Walks the segments (ITU T.81 B.1) to the end marker that belongs to this picture, not to a thumbnail inside one.
fn has_end_marker(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // In entropy-coded data FF 00 is a literal FF, and RSTn stand alone; between segments we forgive stray bytes.
        let Some(gap) = bytes
            .get(at..)
            .and_then(|rest| rest.iter().position(|&b| b == 0xff))
        else {
            return false;
        };
        at += gap + 1;
        match bytes.get(at) {
            None => return false,
            Some(0xd9) => return true,
            // Stuffing, fill byte (the next FF is looked at again), or a marker without a length.
            Some(0x00 | 0x01 | 0xd0..=0xd8) => at += 1,
            Some(0xff) => {}
            Some(_) => {
                let Some(&[high, low]) = bytes.get(at + 1..at + 3) else {
                    return false;
                };
                at += 1 + usize::from(u16::from_be_bytes([high, low])).max(2);
            }
        }
    }
}
