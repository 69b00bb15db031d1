//! How much probability n-grams give up for those that were never seen.

use crate::counts::{BEGIN, Grams};

/// The discounts of n-grams seen once, twice, and more often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Discounts([f64; 3]);

impl Discounts {
    /// Chen and Goodman's estimates (1999, equation 26) from the counts of counts. Where there is too little text for them,
    /// ½, 1 and 1½.
    pub fn of(grams: &Grams) -> Self {
        let mut seen = [0_u64; 5];
        for (at, &count) in grams.counts.iter().enumerate() {
            // The beginning alone is never predicted.
            if (1..=4).contains(&count) && grams.gram(at) != [BEGIN] {
                seen[count as usize] += 1;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 n-grams")]
        let seen = seen.map(|number| number as f64);
        if seen[1..].contains(&0.0) {
            return Self([0.5, 1.0, 1.5]);
        }
        let y = seen[1] / (seen[1] + 2.0 * seen[2]);
        let discount = |count: usize, whole: f64| {
            let estimate = whole - (whole + 1.0) * y * seen[count + 1] / seen[count];
            estimate.clamp(0.0, whole)
        };
        Self([discount(1, 1.0), discount(2, 2.0), discount(3, 3.0)])
    }

    /// The discount of an n-gram that was seen `count` times, at least once.
    pub fn at(self, count: u32) -> f64 {
        self.0[count.clamp(1, 3) as usize - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grams(counts: &[u32]) -> Grams {
        Grams {
            order: 1,
            words: (10..).take(counts.len()).collect(),
            counts: counts.to_vec(),
        }
    }

    #[test]
    fn the_published_formula() {
        let counts: Vec<u32> = [(1, 40), (2, 15), (3, 8), (4, 5), (9, 3)]
            .iter()
            .flat_map(|&(count, times)| vec![count; times])
            .collect();
        let discounts = Discounts::of(&grams(&counts));
        let y = 40.0 / 70.0;
        assert!((discounts.at(1) - (1.0 - 2.0 * y * 15.0 / 40.0)).abs() < 1e-12);
        assert!((discounts.at(2) - (2.0 - 3.0 * y * 8.0 / 15.0)).abs() < 1e-12);
        assert!((discounts.at(9) - (3.0 - 4.0 * y * 5.0 / 8.0)).abs() < 1e-12);
    }

    #[test]
    fn too_little_text_has_usual_discounts() {
        let discounts = Discounts::of(&grams(&[1, 1, 2]));
        for (count, expected) in [(1, 0.5), (2, 1.0), (3, 1.5)] {
            assert!((discounts.at(count) - expected).abs() < 1e-12);
        }
    }
}
