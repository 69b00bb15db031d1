//! From the bytes of a picture to its hash, once for each distinct file.
//!
//! Memory: 32 bytes a distinct file, and the decoded picture while it is hashed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use realsyn_picture::{Limits, PictureError};

use crate::{Algorithm, Hashed};

/// Hashes pictures on any number of threads. A file that was seen before is not decoded again: web documents repeat
/// their logos and icons by the thousand.
#[derive(Debug)]
pub struct Hasher {
    algorithm: Algorithm,
    limits: Limits,
    /// By the first 128 bits of the file's BLAKE3. Taken from the bytes and not from the record's `hash`, so that a
    /// record's fate cannot depend on whether another record's file was readable, or came first.
    seen: Mutex<HashMap<[u8; 16], Hashed>>,
}

impl Hasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new(algorithm: Algorithm, limits: Limits) -> Self {
        Self {
            algorithm,
            limits,
            seen: Mutex::default(),
        }
    }

    /// How it hashes.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The limits that pictures are held to.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Hash and area of the picture in `bytes`.
    ///
    /// # Errors
    /// The picture cannot be decoded; see [`PictureError`].
    pub fn hash(&self, bytes: &[u8]) -> Result<Hashed, PictureError> {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
        // The map is whole at any time, so a thread that panicked elsewhere does not spoil it.
        let seen = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen().get(&key).copied();
        if let Some(hashed) = known {
            return Ok(hashed);
        }
        let hashed = self.algorithm.hash(bytes, &self.limits)?;
        seen().insert(key, hashed);
        Ok(hashed)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, RgbImage};

    use super::*;

    #[test]
    fn equal_bytes_give_equal_hashes_and_errors_stay_errors() {
        let mut png = Cursor::new(Vec::new());
        let picture =
            RgbImage::from_fn(20, 10, |x, y| image::Rgb([u8::try_from(x * y).unwrap(); 3]));
        DynamicImage::ImageRgb8(picture)
            .write_to(&mut png, ImageFormat::Png)
            .unwrap();
        let png = png.into_inner();
        let hasher = Hasher::new(Algorithm::Phash, Limits::default());
        let first = hasher.hash(&png).unwrap();
        assert_eq!(first.area(), 200);
        assert_eq!(hasher.hash(&png).unwrap(), first);
        for _ in 0..2 {
            assert_eq!(
                hasher.hash(&png[..60]).unwrap_err().code(),
                "truncated-image"
            );
        }
    }
}
