//! Where rows come from.

use realsyn_vector::npy::Matrix;

/// A matrix whose rows are read in blocks, as single precision.
pub trait Vectors: Sync {
    /// The number of rows.
    fn rows(&self) -> usize;
    /// The number of dimensions.
    fn dim(&self) -> usize;
    /// Replaces `out` by the rows from `from` up to but not including `to`, in row-major order.
    fn read(&self, from: usize, to: usize, out: &mut Vec<f32>);
}

impl Vectors for Matrix {
    fn rows(&self) -> usize {
        Self::rows(self)
    }

    fn dim(&self) -> usize {
        Self::dim(self)
    }

    fn read(&self, from: usize, to: usize, out: &mut Vec<f32>) {
        self.read_rows(from, to, out);
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

    fn read(&self, from: usize, to: usize, out: &mut Vec<f32>) {
        out.clear();
        out.extend_from_slice(&self.values[from * self.dim..to * self.dim]);
    }
}

/// The keys of a matrix's rows, which have no ids: a row's id is its number.
#[must_use]
pub fn row_keys(rows: usize, seed: u64) -> Vec<f64> {
    (0..rows)
        .map(|row| realsyn_record::uniform(seed, &row.to_string()))
        .collect()
}
