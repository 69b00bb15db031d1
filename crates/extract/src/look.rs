//! What a picture file says of itself: hash and header; and where its bytes come from.
//!
//! Memory: one picture file, at most [`Limits::max_bytes`]. No pixel is decoded.

use std::path::Path;

use realsyn_picture::{Header, Limits, PictureError};
use realsyn_record::content_hash;

use crate::Class;
use crate::location::{self, Location};
use crate::source::Pictures;

/// What a picture's file says of it.
#[derive(Clone, Debug)]
pub struct Look {
    /// Content hash of the file.
    pub hash: String,
    /// Format and size.
    pub header: Header,
}

/// Why a picture is of no use.
#[derive(Clone, Debug)]
pub struct Flaw {
    /// Whether it is bad, or only not for us.
    pub class: Class,
    /// Stable name of the reason.
    pub code: &'static str,
    /// The reason in words.
    pub message: String,
}

impl From<PictureError> for Flaw {
    fn from(error: PictureError) -> Self {
        Self {
            class: Class::Error,
            code: error.code(),
            message: error.to_string(),
        }
    }
}

/// A picture file, and the container that it was in.
#[derive(Clone, Debug)]
pub struct PictureFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The container's path.
    pub archive: Option<String>,
    /// Where it begins in the container.
    pub offset: Option<u64>,
}

/// Whether there is, or may be, a file at the location.
#[must_use]
pub fn is_there(location: &Location) -> bool {
    match location {
        Location::Path(path) => Path::new(path).is_file(),
        Location::Url(_) => true,
        Location::Member(_) => false,
    }
}

/// Reads the picture; `None` if it is on another machine, so that only fetching tells more.
///
/// # Errors
/// `missing-image`, and those of `realsyn-picture`.
pub fn read(
    location: &Location,
    pictures: Option<&dyn Pictures>,
    limits: &Limits,
) -> Result<Option<PictureFile>, Flaw> {
    let missing = |name: &str| Flaw {
        class: Class::Error,
        code: "missing-image",
        message: format!("{name} does not exist"),
    };
    if let (Some(name), Some(pictures)) = (location.name(), pictures)
        && let Some(held) = pictures.read(name, limits)?
    {
        return Ok(Some(PictureFile {
            bytes: held.bytes,
            archive: Some(held.archive),
            offset: Some(held.offset),
        }));
    }
    let bytes = match location {
        Location::Path(path) if !Path::new(path).exists() => return Err(missing(path)),
        Location::Path(path) => realsyn_picture::read(Some(path), None, limits)?,
        Location::Url(url) if location::is_data(url) => {
            realsyn_picture::read(None, Some(url), limits)?
        }
        Location::Url(_) => return Ok(None),
        Location::Member(name) => return Err(missing(name)),
    };
    Ok(Some(PictureFile {
        bytes,
        archive: None,
        offset: None,
    }))
}

/// Looks at a picture's header.
///
/// # Errors
/// `vector-image` (a filter: nothing is wrong with it), and those of `realsyn-picture`.
pub fn look(bytes: &[u8], limits: &Limits) -> Result<Look, Flaw> {
    if is_svg(bytes) {
        let message = "a vector drawing has no pixels".to_owned();
        return Err(Flaw {
            class: Class::Filter,
            code: "vector-image",
            message,
        });
    }
    let header = realsyn_picture::header(bytes)?;
    if header.pixels() > limits.max_pixels {
        let (width, height) = (u64::from(header.width), u64::from(header.height));
        return Err(PictureError::TooManyPixels {
            width,
            height,
            limit: limits.max_pixels,
        }
        .into());
    }
    Ok(Look {
        hash: content_hash(bytes),
        header,
    })
}

/// SVG by its first element; `.svgz` is not told from other gzip and stays an unsupported format.
fn is_svg(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    let start = head.trim_ascii_start();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    start.starts_with(b"<")
        && head
            .windows(4)
            .any(|window| window.eq_ignore_ascii_case(b"<svg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flaw_has_its_code() {
        let folder = tempfile::tempdir().unwrap();
        let code = |name: &str, bytes: Option<&[u8]>| {
            let path = folder.path().join(name);
            if let Some(bytes) = bytes {
                std::fs::write(&path, bytes).unwrap();
            }
            let place = Location::Path(path.to_string_lossy().into_owned());
            let flaw = read(&place, None, &Limits::default())
                .and_then(|file| look(&file.unwrap().bytes, &Limits::default()))
                .unwrap_err();
            (flaw.class, flaw.code)
        };
        assert_eq!(code("none.png", None), (Class::Error, "missing-image"));
        assert_eq!(
            code("d.png", Some(b"\x89PNG\r\n\x1a\n\0\0")),
            (Class::Error, "truncated-image")
        );
        assert_eq!(
            code("t.png", Some(b"this is text and no picture")),
            (Class::Error, "unsupported-image")
        );
        assert_eq!(
            code("v.svg", Some(b"<?xml version='1.0'?>\n<svg width='9'/>")),
            (Class::Filter, "vector-image")
        );
        let bomb = png_header(13_000, 13_000);
        assert_eq!(
            code("bomb.png", Some(&bomb)),
            (Class::Error, "too-many-pixels")
        );
    }

    /// A PNG that is nothing but its announcement and the beginning of its data.
    fn png_header(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut chunk = b"IHDR".to_vec();
        chunk.extend(width.to_be_bytes());
        chunk.extend(height.to_be_bytes());
        chunk.extend([8, 2, 0, 0, 0]);
        for chunk in [chunk, b"IDATx".to_vec()] {
            bytes.extend(u32::try_from(chunk.len() - 4).unwrap().to_be_bytes());
            bytes.extend(&chunk);
            bytes.extend(crc(&chunk).to_be_bytes());
        }
        bytes
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }
}
