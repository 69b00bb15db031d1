//! The only file access of the crate: the bytes of the pictures that a document names, for hash and header.
//!
//! Memory: one picture file, at most [`Limits::max_bytes`]. No pixel is decoded.

use std::path::Path;

use realsyn_picture::{Header, Limits, PictureError};
use realsyn_record::content_hash;

use crate::Class;
use crate::location::Location;

/// What a picture's file says of it.
#[derive(Clone, Debug)]
pub struct Look {
    /// Content hash of the file.
    pub hash: String,
    /// Length of the file.
    pub bytes: u64,
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

/// Whether the picture is on another machine, so that only fetching tells more.
#[must_use]
pub fn is_remote(location: &Location) -> bool {
    matches!(location, Location::Url(url) if !url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")))
}

/// Whether there is a file at the location.
#[must_use]
pub fn is_there(location: &Location) -> bool {
    match location {
        Location::Path(path) => Path::new(path).is_file(),
        Location::Url(_) => true,
    }
}

/// Reads the picture and looks at its header.
///
/// # Errors
/// `missing-image`, `vector-image` (a filter: nothing is wrong with it), and those of `realsyn-picture`.
pub fn look(location: &Location, limits: &Limits) -> Result<Look, Flaw> {
    let (path, url) = match location {
        Location::Path(path) => (Some(path.as_str()), None),
        Location::Url(url) => (None, Some(url.as_str())),
    };
    if let Some(path) = path
        && !Path::new(path).exists()
    {
        let message = format!("{path} does not exist");
        return Err(Flaw {
            class: Class::Error,
            code: "missing-image",
            message,
        });
    }
    let bytes = realsyn_picture::read(path, url, limits)?;
    if is_svg(&bytes) {
        let message = "a vector drawing has no pixels".to_owned();
        return Err(Flaw {
            class: Class::Filter,
            code: "vector-image",
            message,
        });
    }
    let header = realsyn_picture::header(&bytes)?;
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
        hash: content_hash(&bytes),
        bytes: bytes.len() as u64,
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
            let flaw = look(
                &Location::Path(path.to_string_lossy().into_owned()),
                &Limits::default(),
            )
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
