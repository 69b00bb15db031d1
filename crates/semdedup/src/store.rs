//! The vectors, and which records have the very same one.
//!
//! Records whose vectors have equal bytes are one *node*, known by a hash of the bytes: a million blank pictures would
//! otherwise make 5·10¹¹ pairs. A node's key is a part of that hash, so that choices by key depend on the vectors alone.
//!
//! Memory: 4 bytes a record and 20 a node; while it is made, 28 a record. Order: nodes are numbered by their first record.

use realsyn_vector::int8;
use realsyn_vector::npy::Matrix;

use crate::SemdedupError;
use crate::exact::dot;
use crate::parallel::fill;

/// Records read at a time.
const BLOCK: usize = 1024;

/// The most records: slots of records and panels must be numbered in 32 bits.
const MOST: usize = 1 << 31;

/// Vectors to compare.
#[derive(Debug)]
pub struct Store {
    matrix: Matrix,
    /// The node of each record.
    node_of: Vec<u32>,
    /// The first record of each node.
    rows: Vec<u32>,
    norms: Vec<f64>,
    keys: Vec<f64>,
}

/// What is known of a row when it has been read once.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    hash: u128,
    norm: f64,
}

impl Store {
    /// Reads all rows of `matrix` once.
    ///
    /// # Errors
    /// A row holds a number that is not finite or nothing but zeros; there are too many rows or dimensions.
    pub fn new(matrix: Matrix, jobs: usize) -> Result<Self, SemdedupError> {
        for (what, count, most) in [
            ("vectors", matrix.rows(), MOST),
            ("dimensions", matrix.dim(), int8::MAX_DIM),
        ] {
            if count > most {
                return Err(SemdedupError::TooMany { what, count, most });
            }
        }
        let mut seen = vec![Seen::default(); matrix.rows()];
        let size = matrix.dim();
        fill(
            jobs,
            &mut seen,
            BLOCK,
            |rows: &mut Vec<f32>, block, seen| {
                let (from, to) = (block * BLOCK, block * BLOCK + seen.len());
                matrix.read_rows(from, to, rows);
                let bytes = matrix.bytes(from, to);
                let width = bytes.len() / seen.len();
                for (at, seen) in seen.iter_mut().enumerate() {
                    let hash = blake3::hash(&bytes[at * width..(at + 1) * width]);
                    let mut half = [0; 16];
                    half.copy_from_slice(&hash.as_bytes()[..16]);
                    let row = &rows[at * size..(at + 1) * size];
                    *seen = Seen {
                        hash: u128::from_le_bytes(half),
                        norm: dot(row, row).sqrt(),
                    };
                }
            },
        );
        for (row, seen) in seen.iter().enumerate() {
            if !seen.norm.is_finite() {
                return Err(SemdedupError::NotFinite { row });
            }
            if seen.norm == 0.0 {
                return Err(SemdedupError::NoDirection { row });
            }
        }
        Ok(Self::numbered(matrix, &seen))
    }

    fn numbered(matrix: Matrix, seen: &[Seen]) -> Self {
        let mut by_hash: Vec<u32> = (0..number(seen.len())).collect();
        by_hash.sort_unstable_by_key(|&row| (seen[row as usize].hash, row));
        // First each record's first equal, then that one's number.
        let mut node_of = vec![0; seen.len()];
        for equal in by_hash.chunk_by(|&a, &b| seen[a as usize].hash == seen[b as usize].hash) {
            for &row in equal {
                node_of[row as usize] = equal[0];
            }
        }
        drop(by_hash);
        let (mut rows, mut norms, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..seen.len() {
            let first = node_of[row] as usize;
            if first == row {
                node_of[row] = number(rows.len());
                rows.push(number(row));
                norms.push(seen[row].norm);
                keys.push(key(seen[row].hash));
            } else {
                node_of[row] = node_of[first];
            }
        }
        Self {
            matrix,
            node_of,
            rows,
            norms,
            keys,
        }
    }

    /// The number of records.
    #[must_use]
    pub fn records(&self) -> usize {
        self.node_of.len()
    }

    /// The number of distinct vectors.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.rows.len()
    }

    /// The number of dimensions.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.matrix.dim()
    }

    /// The rows of at most `count` distinct vectors and their keys: those of the smallest keys, which is a choice at
    /// random that depends on nothing but the vectors.
    #[must_use]
    pub fn sample(&self, count: usize) -> Vec<(usize, f64)> {
        self.sampled(count)
            .into_iter()
            .map(|node| {
                let node = node as usize;
                (self.rows[node] as usize, self.keys[node])
            })
            .collect()
    }

    /// The nodes of the smallest keys, smallest first.
    pub(crate) fn sampled(&self, count: usize) -> Vec<u32> {
        let mut nodes: Vec<u32> = (0..number(self.distinct())).collect();
        let order = |&a: &u32, &b: &u32| {
            self.keys[a as usize]
                .total_cmp(&self.keys[b as usize])
                .then(a.cmp(&b))
        };
        if count < nodes.len() {
            nodes.select_nth_unstable_by(count, order);
            nodes.truncate(count);
        }
        nodes.sort_unstable_by(order);
        nodes
    }

    /// Replaces `out` by row `row` scaled to unit length, rounded once to single precision.
    pub fn unit_row(&self, row: usize, out: &mut Vec<f32>) {
        let node = self.node_of[row] as usize;
        self.matrix.read_rows(row, row + 1, out);
        for x in out {
            #[expect(clippy::cast_possible_truncation, reason = "rounded once")]
            let unit = (f64::from(*x) / self.norms[node]) as f32;
            *x = unit;
        }
    }

    /// The node of a record.
    pub(crate) fn node_of(&self, record: usize) -> u32 {
        self.node_of[record]
    }

    /// Replaces `out` by a node's vector and returns its length.
    pub(crate) fn vector(&self, node: u32, out: &mut Vec<f32>) -> f64 {
        let row = self.rows[node as usize] as usize;
        self.matrix.read_rows(row, row + 1, out);
        self.norms[node as usize]
    }

    /// Replaces `out` by a node's vector, scaled to unit length.
    pub(crate) fn unit(&self, node: u32, out: &mut Vec<f32>) {
        self.unit_row(self.rows[node as usize] as usize, out);
    }
}

/// Rows and nodes are numbered in 32 bits: `Store::new` refuses more.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
pub fn number(count: usize) -> u32 {
    count as u32
}

/// The top 53 bits as a fraction.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn key(hash: u128) -> f64 {
    (hash >> 75) as f64 / (1u64 << 53) as f64
}
