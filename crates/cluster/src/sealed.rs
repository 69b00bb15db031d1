//! Files of our own: a JSON line that says what follows, numbers, and a hash of both at the end.
//!
//! They are replaced atomically, and one that was cut short or changed is refused. Memory: the whole file.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ClusterError;
use crate::centroids::replace;

const HASH: usize = blake3::OUT_LEN;

/// Writes a file.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, header: &impl Serialize, parts: &[&[u8]]) -> Result<(), ClusterError> {
    replace(path, |out| {
        let mut head = serde_json::to_vec(header)?;
        head.push(b'\n');
        let mut hasher = blake3::Hasher::new();
        for part in [&[head.as_slice()], parts].concat() {
            hasher.update(part);
            out.write_all(part)?;
        }
        out.write_all(hasher.finalize().as_bytes())
    })
}

/// Reads a file: what it says of itself, and the bytes that follow.
///
/// # Errors
/// It cannot be read, or is not what was written.
pub fn read<H: DeserializeOwned>(path: &Path) -> Result<(H, Vec<u8>), ClusterError> {
    let mut bytes = fs::read(path).map_err(|source| ClusterError::Io {
        path: path.to_owned(),
        source,
    })?;
    let bad = |reason: &str| ClusterError::File {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let length = bytes.len().checked_sub(HASH);
    let body = length.ok_or_else(|| bad("not a file of rs-kmeans"))?;
    let line = bytes[..body].iter().position(|&byte| byte == b'\n');
    let line = line.ok_or_else(|| bad("not a file of rs-kmeans"))?;
    let header = serde_json::from_slice(&bytes[..line])
        .map_err(|error| bad(&format!("not a file of rs-kmeans of this kind: {error}")))?;
    if blake3::hash(&bytes[..body]).as_bytes() != &bytes[body..] {
        return Err(bad("cut short or changed since it was written"));
    }
    bytes.truncate(body);
    bytes.drain(..=line);
    Ok((header, bytes))
}

/// The hash of little-endian numbers, as text.
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Numbers as little-endian bytes.
pub fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Little-endian bytes as numbers.
pub fn numbers_of(bytes: &[u8]) -> Vec<f32> {
    let (fours, _) = bytes.as_chunks::<4>();
    fours.iter().map(|&four| f32::from_le_bytes(four)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write(&path, &"what", &[&[1, 2], b"\n"]).unwrap();
        let good = fs::read(&path).unwrap();
        assert_eq!(
            read::<String>(&path).unwrap(),
            ("what".to_owned(), vec![1, 2, b'\n'])
        );
        assert_eq!(read::<u64>(&path).unwrap_err().code(), "bad-file");
        for cut in [0, 10, good.len() - 1] {
            fs::write(&path, &good[..cut]).unwrap();
            assert_eq!(
                read::<String>(&path).unwrap_err().code(),
                "bad-file",
                "{cut}"
            );
        }
        let mut changed = good;
        changed[8] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert_eq!(read::<String>(&path).unwrap_err().code(), "bad-file");
    }
}
