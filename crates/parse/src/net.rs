//! A network with sparse input and one hidden layer, in whole numbers.
//!
//! Each feature that is on is the number of a row; hidden = relu(bias + sum of the rows), and the score of a class is its
//! own bias plus the inner product of the hidden layer with the class's weights. Rows are 64 bytes, a cache line. All
//! sums are exact, so a score is the same on every machine.
//!
//! **Memory.** The rows: 64 bytes each.

use std::hint;

/// The hidden layer's width.
pub const HIDDEN: usize = 64;

/// The hidden layer holds multiples of 1 / `ROW_SCALE`.
pub const ROW_SCALE: f32 = 64.0;

/// Weights of the classes are multiples of 1 / `CLASS_SCALE`.
pub const CLASS_SCALE: f32 = 256.0;

/// A feature's weights.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct Row(pub [i8; HIDDEN]);

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
        // The rows are mostly in no near cache: ask for all of them before the first is needed.
        let first = features
            .iter()
            .filter_map(|&feature| self.rows.get(feature as usize));
        hint::black_box(first.fold(0, |sum, row| sum ^ row.0[0]));
        let mut sum = self.bias;
        for &feature in features {
            let Some(row) = self.rows.get(feature as usize) else {
                continue;
            };
            for (sum, &weight) in sum.iter_mut().zip(&row.0) {
                *sum = sum.wrapping_add(i16::from(weight));
            }
        }
        for sum in &mut sum {
            *sum = (*sum).max(0);
        }
        sum
    }

    /// The class with the highest score among the first `to` but `not`; the first in a tie.
    #[inline]
    #[must_use]
    pub fn best(&self, hidden: &[i16; HIDDEN], to: usize, not: usize) -> usize {
        let mut best = (i32::MIN, 0);
        for (class, (weights, &base)) in self.classes.iter().zip(&self.base).enumerate().take(to) {
            let score: i32 = hidden
                .iter()
                .zip(weights)
                .map(|(&value, &weight)| i32::from(value) * i32::from(weight))
                .fold(base, i32::wrapping_add);
            if score > best.0 && class != not {
                best = (score, class);
            }
        }
        best.1
    }
}
