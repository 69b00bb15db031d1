//! A network with sparse input and one hidden layer, in whole numbers.
//!
//! Each feature that is on is the number of a row; hidden = relu(bias + sum of the rows), and the score of a class is its
//! own bias plus the inner product of the hidden layer with the class's weights. Rows are 64 bytes, a cache line. All
//! sums are exact, so a score is the same on every machine.
//!
//! **Memory.** The rows: 64 bytes each.

use realsyn_vector::sparse;
pub use realsyn_vector::sparse::Row;

/// The hidden layer's width.
pub const HIDDEN: usize = sparse::WIDTH;

/// The hidden layer holds multiples of 1 / `ROW_SCALE`.
pub const ROW_SCALE: f32 = 64.0;

/// Weights of the classes are multiples of 1 / `CLASS_SCALE`.
pub const CLASS_SCALE: f32 = 256.0;

/// The network.
pub struct Net {
    /// A row a feature.
    pub rows: Vec<Row>,
    /// The hidden layer's bias.
    pub bias: [i16; HIDDEN],
    /// A class's weights.
    pub classes: Vec<[i16; HIDDEN]>,
    /// The classes' biases.
    pub base: Vec<i32>,
}

impl Net {
    /// A network that knows nothing.
    #[must_use]
    pub fn empty(rows: u32, classes: usize) -> Self {
        Self {
            rows: vec![Row([0; HIDDEN]); rows as usize],
            bias: [0; HIDDEN],
            classes: vec![[0; HIDDEN]; classes],
            base: vec![0; classes],
        }
    }

    /// The hidden layer with the given features on.
    #[inline]
    #[must_use]
    pub fn hidden(&self, features: &[u32]) -> [i16; HIDDEN] {
        sparse::hidden(&self.rows, &self.bias, features)
    }

    /// The class with the highest score among the first `to` but `not`; the first in a tie.
    #[inline]
    #[must_use]
    pub fn best(&self, hidden: &[i16; HIDDEN], to: usize, not: usize) -> usize {
        sparse::best(&self.classes, &self.base, hidden, to, not)
    }
}
