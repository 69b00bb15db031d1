//! A folder of picture files named by what is in them.
//!
//! Pictures that are no files of their own (in a WARC file, an EPUB book, a tar, a `data:` URI) are put here, so that
//! later tools can read them: `DIR/3f/3f9c….jpeg`, the content hash of the record. A picture that many documents show is
//! there once. A file appears under its name only when it is whole, so a killed run leaves nothing that is cut short.
//!
//! Memory: none beyond the picture.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The folder.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// A shelf in `folder`, which is made when the first picture comes.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Puts a picture there and gives its path.
    ///
    /// # Errors
    /// The disk is full, or the folder cannot be written to.
    pub(crate) fn put(&self, bytes: &[u8], hash: &str, format: &str) -> io::Result<String> {
        let digits = hash.strip_prefix("b3:").unwrap_or(hash);
        let folder = self.folder.join(digits.get(..2).unwrap_or(digits));
        let path = folder.join(format!("{digits}.{format}"));
        let is_there = std::fs::metadata(&path).is_ok_and(|file| file.len() == bytes.len() as u64);
        if !is_there {
            std::fs::create_dir_all(&folder)?;
            let mut file = NamedTempFile::with_prefix_in(".part-", &folder)?;
            file.write_all(bytes)?;
            readable(file.as_file())?;
            // Two threads may bring one picture: the later one replaces equal bytes.
            file.persist(&path).map_err(|error| error.error)?;
        }
        Ok(path.to_string_lossy().into_owned())
    }
}

/// Temporary files are their owner's alone; pictures are not.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_there_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(&folder.path().join("new"));
        let path = shelf.put(b"bytes", "b3:abcdef", "png").unwrap();
        assert!(path.ends_with("new/ab/abcdef.png"), "{path}");
        std::fs::write(&path, b"byt").unwrap();
        for _ in 0..2 {
            assert_eq!(shelf.put(b"bytes", "b3:abcdef", "png").unwrap(), path);
            assert_eq!(std::fs::read(&path).unwrap(), b"bytes");
        }
        let files = std::fs::read_dir(folder.path().join("new/ab")).unwrap();
        assert_eq!(files.count(), 1);
    }
}
