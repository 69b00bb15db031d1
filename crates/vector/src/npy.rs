//! NumPy's `.npy` files: two-dimensional matrices of half or single precision in C order, little-endian.
//!
//! [`Matrix`] maps a file into memory, so that opening costs the same at any size and the pages stay the operating
//! system's; [`Writer`] streams rows and patches the header at the end. The format is NumPy's version 1.0 and 2.0
//! (numpy.lib.format).

use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::f16;
use crate::map::Map;

/// The header is padded to this many bytes, so that the row count can be patched in place.
const HEADER: usize = 128;
const MAGIC: &[u8] = b"\x93NUMPY";

/// Why an `.npy` file cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NpyError {
    /// The operating system's answer.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// The file is of another form.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such row.
    #[error("{path}: no row {row} among {rows}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The row that was asked for, counted from 0.
        row: u64,
        /// How many there are.
        rows: usize,
    },
}

/// The type of a matrix element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// IEEE 754 binary16, `<f2`.
    F16,
    /// IEEE 754 binary32, `<f4`.
    F32,
}

impl Element {
    fn size(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
        }
    }

    fn descr(self) -> &'static str {
        match self {
            Self::F16 => "<f2",
            Self::F32 => "<f4",
        }
    }
}

/// A memory-mapped matrix of shape rows × dim.
#[derive(Debug)]
pub struct Matrix {
    path: PathBuf,
    map: Map,
    start: usize,
    element: Element,
    rows: usize,
    dim: usize,
}

impl Matrix {
    /// Maps the file at `path` and checks its header against its size.
    ///
    /// # Errors
    /// The file cannot be opened or mapped, is no `.npy` file, or holds anything but a two-dimensional little-endian
    /// `f16` or `f32` array in C order.
    pub fn open(path: &Path) -> Result<Self, NpyError> {
        let io = |source| NpyError::Io {
            path: path.to_owned(),
            source,
        };
        let format = |reason: String| NpyError::Format {
            path: path.to_owned(),
            reason,
        };
        let map = Map::open(path).map_err(io)?;
        let (start, header) = header(&map).ok_or_else(|| format("not an .npy file".into()))?;
        let element = match quoted(header, "'descr':") {
            Some("<f2") => Element::F16,
            Some("<f4") => Element::F32,
            other => {
                return Err(format(format!(
                    "elements must be '<f2' or '<f4', not {:?}",
                    other.unwrap_or("structured")
                )));
            }
        };
        if !after(header, "'fortran_order':").is_some_and(|rest| rest.starts_with("False")) {
            return Err(format("must be in C order".into()));
        }
        let (rows, dim) =
            shape(header).ok_or_else(|| format("shape must be (rows, dim)".into()))?;
        let wanted = rows
            .checked_mul(dim)
            .and_then(|cells| cells.checked_mul(element.size()));
        if wanted.is_none_or(|bytes| map.len() - start < bytes) {
            return Err(format(format!(
                "truncated: {rows} x {dim} does not fit in {} bytes",
                map.len() - start
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            map,
            start,
            element,
            rows,
            dim,
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The elements' type in the file.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// Replaces `out` by row `row`.
    ///
    /// # Errors
    /// There is no such row.
    pub fn read_row(&self, row: u64, out: &mut Vec<f32>) -> Result<(), NpyError> {
        let at = usize::try_from(row).ok().filter(|at| *at < self.rows);
        let at = at.ok_or_else(|| NpyError::Row {
            path: self.path.clone(),
            row,
            rows: self.rows,
        })?;
        self.read_rows(at, at + 1, out);
        Ok(())
    }

    /// Replaces `out` by the rows from `from` up to but not including `to`, in row-major order.
    ///
    /// # Panics
    /// `from > to` or `to > self.rows()`.
    pub fn read_rows(&self, from: usize, to: usize, out: &mut Vec<f32>) {
        let bytes = self.bytes(from, to);
        match self.element {
            Element::F16 => f16::decode(bytes, out),
            Element::F32 => {
                out.clear();
                out.extend(
                    bytes
                        .chunks_exact(4)
                        .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])),
                );
            }
        }
    }

    /// Fills `out`, a whole number of rows, with the rows from number `from` on, in row-major order.
    ///
    /// # Panics
    /// `out` is not a whole number of rows, or there are not so many.
    pub fn copy_rows(&self, from: usize, out: &mut [f32]) {
        let count = out.len().checked_div(self.dim).unwrap_or(0);
        assert!(count * self.dim == out.len(), "whole rows");
        let bytes = self.bytes(from, from + count);
        match self.element {
            Element::F16 => f16::decode_into(bytes, out),
            Element::F32 => {
                for (out, four) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    *out = f32::from_le_bytes(*four);
                }
            }
        }
    }

    /// The little-endian bytes of the rows from `from` up to but not including `to`.
    ///
    /// # Panics
    /// `from > to` or `to > self.rows()`.
    #[must_use]
    pub fn bytes(&self, from: usize, to: usize) -> &[u8] {
        assert!(
            from <= to && to <= self.rows,
            "rows {from}..{to} of {}",
            self.rows
        );
        let stride = self.dim * self.element.size();
        &self.map[self.start + from * stride..self.start + to * stride]
    }
}

/// The offset of the data and the header's text.
fn header(map: &[u8]) -> Option<(usize, &str)> {
    let rest = map.strip_prefix(MAGIC)?;
    let (length, lead): (usize, usize) = match rest.first()? {
        1 => (
            usize::from(u16::from_le_bytes([*rest.get(2)?, *rest.get(3)?])),
            4,
        ),
        2 | 3 => {
            let four = [*rest.get(2)?, *rest.get(3)?, *rest.get(4)?, *rest.get(5)?];
            (usize::try_from(u32::from_le_bytes(four)).ok()?, 6)
        }
        _ => return None,
    };
    let text = rest.get(lead..lead.checked_add(length)?)?;
    Some((MAGIC.len() + lead + length, std::str::from_utf8(text).ok()?))
}

fn after<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    header
        .find(key)
        .map(|at| header[at + key.len()..].trim_start())
}

fn quoted<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    after(header, key)?.strip_prefix('\'')?.split('\'').next()
}

fn shape(header: &str) -> Option<(usize, usize)> {
    let inside = after(header, "'shape':")?
        .strip_prefix('(')?
        .split(')')
        .next()?;
    let mut sides = inside
        .split(',')
        .map(str::trim)
        .filter(|side| !side.is_empty());
    let shape = (sides.next()?.parse().ok()?, sides.next()?.parse().ok()?);
    sides.next().is_none().then_some(shape)
}

/// Writes a matrix row by row; the number of rows need not be known before.
#[derive(Debug)]
pub struct Writer<W: Write + Seek> {
    out: W,
    dim: usize,
    element: Element,
    rows: usize,
    bytes: Vec<u8>,
}

impl<W: Write + Seek> Writer<W> {
    /// Starts a matrix of `dim` columns at the beginning of `out`.
    ///
    /// # Errors
    /// Writing fails.
    pub fn new(mut out: W, dim: usize, element: Element) -> io::Result<Self> {
        out.write_all(&written_header(element, 0, dim))?;
        Ok(Self {
            out,
            dim,
            element,
            rows: 0,
            bytes: Vec::new(),
        })
    }

    /// Goes on behind the first `rows` rows of a matrix of `dim` columns that stands in `out` already.
    ///
    /// # Errors
    /// Writing fails.
    pub fn resume(mut out: W, dim: usize, element: Element, rows: usize) -> io::Result<Self> {
        out.seek(SeekFrom::Start(Self::length(dim, element, rows)))?;
        Ok(Self {
            out,
            dim,
            element,
            rows,
            bytes: Vec::new(),
        })
    }

    /// The length in bytes of a file with so many rows.
    #[must_use]
    pub fn length(dim: usize, element: Element, rows: usize) -> u64 {
        (HEADER + rows * dim * element.size()) as u64
    }

    /// What is written to. Rows that were pushed are in it.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Appends rows, given in row-major order.
    ///
    /// # Errors
    /// Writing fails.
    ///
    /// # Panics
    /// The number of values is not a multiple of `dim`.
    pub fn push(&mut self, values: &[f32]) -> io::Result<()> {
        assert!(
            self.dim > 0 && values.len().is_multiple_of(self.dim),
            "{} values in rows of {}",
            values.len(),
            self.dim
        );
        self.bytes.clear();
        match self.element {
            Element::F16 => f16::encode(values, &mut self.bytes),
            Element::F32 => self
                .bytes
                .extend(values.iter().flat_map(|value| value.to_le_bytes())),
        }
        self.rows += values.len() / self.dim;
        self.out.write_all(&self.bytes)
    }

    /// Writes the number of rows into the header and returns the file.
    ///
    /// # Errors
    /// Writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.seek(SeekFrom::Start(0))?;
        self.out
            .write_all(&written_header(self.element, self.rows, self.dim))?;
        self.out.seek(SeekFrom::End(0))?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn written_header(element: Element, rows: usize, dim: usize) -> Vec<u8> {
    let descr = element.descr();
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0, 118, 0]); // version 1.0; 118 bytes of text make 128 in all
    bytes.extend_from_slice(
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {dim}), }}")
            .as_bytes(),
    );
    bytes.resize(HEADER - 1, b' ');
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn written(element: Element, values: &[f32], dim: usize) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = Writer::new(&mut bytes, dim, element).unwrap();
        for row in values.chunks(dim) {
            writer.push(row).unwrap();
        }
        writer.finish().unwrap();
        bytes.into_inner()
    }

    fn opened(bytes: &[u8]) -> Result<Matrix, NpyError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.npy");
        std::fs::write(&path, bytes).unwrap();
        Matrix::open(&path)
    }

    #[test]
    fn a_matrix_comes_back_in_both_precisions() {
        let values = [1.0, 2.0, 3.0, -4.0, 0.5, 0.25];
        for element in [Element::F16, Element::F32] {
            let matrix = opened(&written(element, &values, 2)).unwrap();
            assert_eq!(
                (matrix.rows(), matrix.dim(), matrix.element()),
                (3, 2, element)
            );
            let mut out = Vec::new();
            matrix.read_rows(0, 3, &mut out);
            assert_eq!(out, values);
            let mut some = [0.0; 4];
            matrix.copy_rows(1, &mut some);
            assert_eq!(some.as_slice(), &values[2..]);
            matrix.read_row(1, &mut out).unwrap();
            assert_eq!(out, [3.0, -4.0]);
            assert!(matches!(
                matrix.read_row(3, &mut out),
                Err(NpyError::Row {
                    row: 3,
                    rows: 3,
                    ..
                })
            ));
        }
    }

    #[test]
    fn the_header_is_what_numpy_writes() {
        let bytes = written(Element::F32, &[1.0, 2.0], 2);
        assert_eq!(bytes.len(), 128 + 8);
        assert!(bytes.starts_with(
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
        ));
        assert_eq!(bytes[127], b'\n');
    }

    #[test]
    fn an_empty_matrix_is_a_matrix() {
        assert_eq!(opened(&written(Element::F16, &[], 4)).unwrap().rows(), 0);
    }

    #[test]
    fn other_files_are_refused_with_a_reason() {
        let good = written(Element::F32, &[1.0, 2.0], 2);
        let text = |from: &str, to: &str| {
            let at = good
                .windows(from.len())
                .position(|window| window == from.as_bytes())
                .unwrap();
            let mut bytes = good.clone();
            bytes.splice(at..at + from.len(), to.bytes());
            bytes
        };
        for (bytes, reason) in [
            (b"PK\x03\x04".to_vec(), "not an .npy file"),
            (good[..100].to_vec(), "not an .npy file"),
            (good[..132].to_vec(), "truncated"),
            (text("<f4", "<f8"), "'<f2' or '<f4'"),
            (text("False", "True "), "C order"),
            (text("(1, 2)", "(12, )"), "shape"),
            (text("(1, 2)", "(9, 9)"), "truncated"),
        ] {
            let error = opened(&bytes).unwrap_err().to_string();
            assert!(error.contains(reason), "{error} should say {reason}");
        }
    }

    #[test]
    fn a_matrix_goes_on_where_it_was_left() {
        let mut whole = Cursor::new(Vec::new());
        let mut writer = Writer::new(&mut whole, 3, Element::F16).unwrap();
        writer.push(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        writer.finish().unwrap();
        // Left without its number of rows, and with half a row too many.
        let mut file = Cursor::new(Vec::new());
        let mut writer = Writer::new(&mut file, 3, Element::F16).unwrap();
        writer.push(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(writer.get_mut().get_ref().len(), 134);
        assert_eq!(Writer::<Cursor<Vec<u8>>>::length(3, Element::F16, 1), 134);
        file.get_mut().extend_from_slice(b"xyz");
        file.get_mut().truncate(134);
        let mut writer = Writer::resume(&mut file, 3, Element::F16, 1).unwrap();
        writer.push(&[4.0, 5.0, 6.0]).unwrap();
        writer.finish().unwrap();
        assert_eq!(file.into_inner(), whole.into_inner());
    }
}
