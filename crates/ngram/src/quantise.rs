//! Many logarithms as 256 of them.

use std::collections::BTreeMap;

/// How many values a codebook has.
pub const VALUES: usize = 256;

/// The values that stand for all, in ascending order; at most [`VALUES`].
#[derive(Debug, Clone, Default)]
pub struct Codebook(pub Vec<f32>);

impl Codebook {
    /// The index of the value nearest to `value`.
    pub fn index(&self, value: f32) -> u8 {
        let above = self.0.partition_point(|centre| *centre < value);
        let nearest = match (above.checked_sub(1), self.0.get(above)) {
            (Some(below), Some(next)) if value - self.0[below] <= next - value => below,
            (Some(below), None) => below,
            _ => above,
        };
        u8::try_from(nearest).unwrap_or(u8::MAX)
    }
}

/// How often values were seen, told apart to eleven bits of the mantissa.
///
/// **Memory.** At most some 50,000 cells for logarithms of probabilities, whatever the number of values.
#[derive(Debug, Default)]
pub struct Histogram(BTreeMap<u32, (u64, f64)>);

/// The bits of a cell's values that need not agree.
const COARSE: u32 = 12;

impl Histogram {
    /// Counts a value.
    pub fn add(&mut self, value: f32) {
        let bits = value.to_bits();
        // Ascending with the value, for both signs.
        let key = if bits >> 31 == 1 {
            !bits
        } else {
            bits | 1 << 31
        };
        let cell = self.0.entry(key >> COARSE).or_default();
        cell.0 += 1;
        cell.1 += f64::from(value);
    }

    /// Bins of equal population, each with its mean (Federico and Bertoldi 2006). A cell with more than a bin's share has a
    /// bin of its own.
    pub fn codebook(&self) -> Codebook {
        let (threshold, mut left, mut bins) = self.frequent();
        let mut centres = Vec::with_capacity(VALUES);
        let mut bin = (0_u64, 0.0_f64);
        for &cell in self.0.values() {
            if cell.0 >= threshold {
                centres.push(mean(cell));
                continue;
            }
            bin = (bin.0 + cell.0, bin.1 + cell.1);
            if bin.0 >= left.div_ceil(bins.max(1)) && bins > 1 {
                centres.push(mean(bin));
                left -= bin.0;
                bins -= 1;
                bin = (0, 0.0);
            }
        }
        if bin.0 > 0 {
            centres.push(mean(bin));
        }
        centres.sort_unstable_by(f32::total_cmp);
        centres.dedup();
        Codebook(centres)
    }

    /// From what population on a cell has a bin of its own, and the population and the number of bins that are left for
    /// the others.
    fn frequent(&self) -> (u64, u64, u64) {
        let mut counts: Vec<u64> = self.0.values().map(|cell| cell.0).collect();
        if counts.len() <= VALUES {
            return (0, 0, 0);
        }
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let mut left: u64 = counts.iter().sum();
        let mut bins = VALUES as u64;
        for cells in counts.chunk_by(PartialEq::eq) {
            let (count, cells) = (cells[0], cells.len() as u64);
            if count.saturating_mul(bins) <= left || cells >= bins {
                return (count + 1, left, bins);
            }
            left -= count * cells;
            bins -= cells;
        }
        (0, 0, 0)
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a mean of single-precision numbers, in single precision"
)]
fn mean((count, sum): (u64, f64)) -> f32 {
    (sum / count.max(1) as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(values: impl IntoIterator<Item = f32>) -> Codebook {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.add(value));
        histogram.codebook()
    }

    #[test]
    fn few_values_stay_exact_and_many_come_near() {
        let few = [-3.0_f32, -1.5, -1.5, 0.0, 0.25];
        let exact = book(few);
        for value in few {
            let found = exact.0[usize::from(exact.index(value))];
            assert_eq!(found.to_bits(), value.to_bits());
        }
        let many = || (0..10_000_u16).map(|n| -f32::from(n) / 1000.0);
        let near = book(many());
        assert!(near.0.len() <= VALUES && near.0.len() > 200);
        assert!(near.0.is_sorted());
        for value in many() {
            let found = near.0[usize::from(near.index(value))];
            assert!((found - value).abs() <= 0.03, "{value} {found}");
        }
    }

    #[test]
    fn a_frequent_value_wastes_no_bins() {
        let zeros = std::iter::repeat_n(0.0, 1_000_000);
        let rest = (1..10_000_u16).map(|n| -f32::from(n) / 1000.0);
        let book = book(zeros.chain(rest));
        assert!(book.0.contains(&0.0));
        assert!(book.0.len() > 200, "{}", book.0.len());
    }
}
