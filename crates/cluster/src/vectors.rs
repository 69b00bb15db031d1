//! Where rows come from.

use realsyn_vector::npy::Matrix;

/// A matrix whose rows are read in blocks, as single precision.
pub trait Vectors: Sync {
    /// The number of rows.
    fn rows(&self) -> usize;
    /// The number of dimensions.
    fn dim(&self) -> usize;
    /// Fills `out`, a whole number of rows, with the rows from number `from` on, in row-major order.
    fn read(&self, from: usize, out: &mut [f32]);
}

impl Vectors for Matrix {
    fn rows(&self) -> usize {
        Self::rows(self)
    }

    fn dim(&self) -> usize {
        Self::dim(self)
    }

    fn read(&self, from: usize, out: &mut [f32]) {
        self.copy_rows(from, out);
    }
}

/// Rows in memory.
#[derive(Debug, Clone)]
pub struct MemoryVectors {
    values: Vec<f32>,
    dim: usize,
}

impl MemoryVectors {
    /// Rows of `dim` numbers each, in row-major order; numbers after the last whole row are left out.
    #[must_use]
    pub fn new(values: Vec<f32>, dim: usize) -> Self {
        Self { values, dim }
    }
}

impl Vectors for MemoryVectors {
    fn rows(&self) -> usize {
        self.values.len().checked_div(self.dim).unwrap_or(0)
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn read(&self, from: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.values[from * self.dim..][..out.len()]);
    }
}

/// Some of the rows of another matrix. Memory: 8 bytes a row.
pub struct Picked<'a> {
    of: &'a dyn Vectors,
    rows: Vec<usize>,
}

impl<'a> Picked<'a> {
    /// The rows of the given numbers, in that order.
    #[must_use]
    pub fn new(of: &'a dyn Vectors, rows: Vec<usize>) -> Self {
        Self { of, rows }
    }
}

impl Vectors for Picked<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn dim(&self) -> usize {
        self.of.dim()
    }

    fn read(&self, from: usize, out: &mut [f32]) {
        let dim = self.dim();
        for (out, &row) in out.chunks_exact_mut(dim).zip(&self.rows[from..]) {
            self.of.read(row, out);
        }
    }
}

/// The keys of a matrix's rows from number `first` on, which have no ids: a row's id is its number.
#[must_use]
pub fn row_keys(first: usize, rows: usize, seed: u64) -> Vec<f64> {
    (first..first + rows)
        .map(|row| realsyn_record::uniform(seed, &row.to_string()))
        .collect()
}

/// The numbers of the `count` rows with the smallest keys (of all, if there are not so many), in ascending order: a sample
/// that depends on neither the order of the rows nor how they are cut into files.
#[must_use]
pub fn sample(keys: &[f64], count: usize) -> Vec<usize> {
    let mut rows = crate::seeding::random(keys, count);
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picked_rows_are_read_one_by_one() {
        let all = MemoryVectors::new((0..12u8).map(f32::from).collect(), 3);
        let picked = Picked::new(&all, vec![3, 0]);
        let mut out = [0.0; 6];
        picked.read(0, &mut out);
        assert_eq!(out.as_slice(), [9.0, 10.0, 11.0, 0.0, 1.0, 2.0].as_slice());
        picked.read(1, &mut out[..3]);
        assert_eq!(&out[..3], [0.0, 1.0, 2.0].as_slice());
    }

    #[test]
    fn a_sample_is_of_the_smallest_keys() {
        assert_eq!(sample(&[0.5, 0.1, 0.9, 0.3], 2), [1, 3]);
        assert_eq!(sample(&[0.5, 0.1], 9), [0, 1]);
    }

    #[test]
    fn keys_of_a_part_are_those_of_the_whole() {
        assert_eq!(row_keys(0, 9, 5)[4..], row_keys(4, 5, 5));
    }
}
