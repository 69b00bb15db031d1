//! Operands and what is behind them: plain text, gzip or Zstandard, told by their first bytes.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::LinesError;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Where lines come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Operand {
    /// The operands of a command line: `-` is standard input, and so is an empty list.
    #[must_use]
    pub fn list(paths: &[PathBuf]) -> Vec<Self> {
        if paths.is_empty() {
            return vec![Self::Stdin];
        }
        paths
            .iter()
            .map(|path| {
                if path.as_os_str() == "-" {
                    Self::Stdin
                } else {
                    Self::File(path.clone())
                }
            })
            .collect()
    }

    /// The name for messages and reject records.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        match self {
            Self::Stdin => Arc::from("-"),
            Self::File(path) => Arc::from(path.to_string_lossy().as_ref()),
        }
    }

    /// Checks that a file can be opened, so that a misspelt name ends the run before it began.
    ///
    /// # Errors
    /// The file cannot be opened or is a folder.
    pub fn check(&self) -> Result<(), LinesError> {
        let Self::File(path) = self else {
            return Ok(());
        };
        let failed = |source| LinesError::io(path.display().to_string(), source);
        // A pipe must not be opened twice: what its writer has sent would be lost.
        let metadata = path.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        if metadata.is_file() {
            File::open(path).map_err(failed)?;
        }
        Ok(())
    }

    /// Opens the operand and decompresses it if its first bytes say so.
    ///
    /// # Errors
    /// The file cannot be opened or its first bytes not read.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Stdin => decoded(io::stdin()),
            Self::File(path) => open(path),
        }
    }
}

/// Opens a file and decompresses it if its first bytes say so.
///
/// # Errors
/// The file cannot be opened or its first bytes not read.
pub fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    decoded(File::open(path)?)
}

/// Decompresses what is open if its first bytes say so.
///
/// # Errors
/// The first bytes cannot be read.
pub fn decoded(mut raw: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut lead = Vec::with_capacity(ZSTD.len());
    // Only as many bytes as can still decide: a lone short line on an open pipe must not wait for a fourth byte.
    while lead.len() < ZSTD.len()
        && (GZIP.starts_with(&lead) || ZSTD.starts_with(&lead))
        && lead != GZIP
    {
        let mut byte = [0];
        match raw.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => lead.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let is_gzip = lead == GZIP;
    let is_zstd = lead == ZSTD;
    let whole = Cursor::new(lead).chain(raw);
    if is_gzip {
        return Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(
            1 << 16,
            whole,
        ))));
    }
    if is_zstd {
        return Ok(Box::new(zstd::stream::read::Decoder::new(whole)?));
    }
    Ok(Box::new(whole))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gz(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        decoded(Cursor::new(bytes))?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn all_members_of_all_forms_are_read() {
        let zst = |text: &[u8]| zstd::encode_all(text, 1).unwrap();
        assert_eq!(read(b"a\nb\n".to_vec()).unwrap(), b"a\nb\n");
        assert_eq!(read([gz(b"a\n"), gz(b"b\n")].concat()).unwrap(), b"a\nb\n");
        assert_eq!(
            read([zst(b"a\n"), zst(b"b\n")].concat()).unwrap(),
            b"a\nb\n"
        );
        assert_eq!(read(b"\x1f".to_vec()).unwrap(), b"\x1f");
        assert_eq!(read(b"(\xb5/x".to_vec()).unwrap(), b"(\xb5/x");
        assert_eq!(read(Vec::new()).unwrap(), b"");
    }

    #[test]
    fn a_cut_member_is_an_error() {
        let whole = gz(&b"line of text\n".repeat(1000));
        assert!(read(whole[..whole.len() - 9].to_vec()).is_err());
    }

    #[test]
    fn operands_are_named_and_checked() {
        assert_eq!(Operand::list(&[]), [Operand::Stdin]);
        assert_eq!(
            Operand::list(&["-".into(), "x".into()]),
            [Operand::Stdin, Operand::File("x".into())]
        );
        assert!(
            Operand::File("/nonexistent".into())
                .check()
                .unwrap_err()
                .to_string()
                .contains("/nonexistent")
        );
        assert!(Operand::File("/".into()).check().is_err());
        assert!(Operand::Stdin.check().is_ok());
    }
}
