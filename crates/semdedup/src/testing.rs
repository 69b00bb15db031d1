//! Vectors for tests.

use std::io::Cursor;

use realsyn_vector::npy::{Element, Matrix, Writer};

use crate::Store;

/// A store of rows of half precision.
pub fn store(rows: &[Vec<f32>]) -> Store {
    Store::new(matrix(rows), 2).unwrap()
}

pub fn matrix(rows: &[Vec<f32>]) -> Matrix {
    let mut bytes = Cursor::new(Vec::new());
    let dim = rows.first().map_or(1, Vec::len);
    let mut writer = Writer::new(&mut bytes, dim, Element::F16).unwrap();
    for row in rows {
        writer.push(row).unwrap();
    }
    writer.finish().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes.into_inner()).unwrap();
    // The map keeps the bytes after the name is gone.
    Matrix::open(file.path()).unwrap()
}

/// Numbers from −1 to 1.
pub struct Draw(pub u64);

impl Draw {
    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        #[expect(clippy::cast_precision_loss, reason = "24 bits")]
        let share = ((x ^ (x >> 31)) >> 40) as f32 / (1u32 << 23) as f32;
        share - 1.0
    }

    pub fn row(&mut self, dim: usize) -> Vec<f32> {
        (0..dim).map(|_| self.next()).collect()
    }
}

/// Rows around topics, some of them near copies of others, some the very same.
pub fn planted(seed: u64, count: usize, topics: usize, dim: usize) -> Vec<Vec<f32>> {
    let mut draw = Draw(seed);
    let centres: Vec<_> = (0..topics).map(|_| draw.row(dim)).collect();
    let mut rows: Vec<Vec<f32>> = Vec::new();
    for n in 0..count {
        let base = match n % 4 {
            1 | 2 if n > 8 => rows[n - 3].clone(),
            _ => centres[n % topics].clone(),
        };
        let noise = match n % 4 {
            1 => 0.3,
            2 if n % 8 == 2 => 0.0,
            2 => 0.05,
            _ => 0.9,
        };
        rows.push(base.iter().map(|x| x + noise * draw.next()).collect());
    }
    rows
}
