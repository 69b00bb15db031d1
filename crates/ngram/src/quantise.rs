//! Many logarithms as 256 of them.

/// The values that stand for all, in ascending order; at most 256.
#[derive(Debug, Clone, Default)]
pub struct Codebook(pub Vec<f32>);

impl Codebook {
    /// Bins of equal population, each with its mean (Federico and Bertoldi 2006). Up to 256 different values stay exact.
    pub fn of(values: &[f32]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f32::total_cmp);
        let mut distinct = sorted.clone();
        distinct.dedup();
        if distinct.len() <= 256 {
            return Self(distinct);
        }
        let mut centres: Vec<f32> = (0..256)
            .map(|bin| &sorted[bin * sorted.len() / 256..(bin + 1) * sorted.len() / 256])
            .map(mean)
            .collect();
        centres.dedup();
        Self(centres)
    }

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

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a mean of single-precision numbers, in single precision"
)]
fn mean(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().copied().map(f64::from).sum();
    (sum / values.len().max(1) as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_stay_exact_and_many_come_near() {
        let few = [-3.0_f32, -1.5, -1.5, 0.0];
        let book = Codebook::of(&few);
        for value in few {
            assert_eq!(
                book.0[usize::from(book.index(value))].to_bits(),
                value.to_bits()
            );
        }
        let many: Vec<f32> = (0..10_000_u16).map(|n| -f32::from(n) / 1000.0).collect();
        let book = Codebook::of(&many);
        assert_eq!(book.0.len(), 256);
        for &value in &many {
            assert!((book.0[usize::from(book.index(value))] - value).abs() <= 0.021);
        }
    }
}
