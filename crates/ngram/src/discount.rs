//! How much probability n-grams give up for those that were never seen.

/// How many n-grams of an order have a count of 1, 2, 3 and 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen([u64; 4]);

impl Seen {
    /// Counts one more n-gram, which was counted `count` times.
    pub fn add(&mut self, count: u64) {
        if let Some(number) = usize::try_from(count.wrapping_sub(1))
            .ok()
            .and_then(|at| self.0.get_mut(at))
        {
            *number += 1;
        }
    }
}

/// The discounts of n-grams seen once, twice, and more often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Discounts([f64; 3]);

impl Discounts {
    /// Chen and Goodman's estimates (1999, equation 26) from the counts of counts. Where there is too little text for them,
    /// ½, 1 and 1½.
    pub fn of(seen: Seen) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seen = seen.0.map(|number| number as f64);
        if seen.contains(&0.0) {
            return Self([0.5, 1.0, 1.5]);
        }
        let y = seen[0] / (seen[0] + 2.0 * seen[1]);
        let discount = |count: usize, whole: f64| {
            let estimate = whole - (whole + 1.0) * y * seen[count] / seen[count - 1];
            estimate.clamp(0.0, whole)
        };
        Self([discount(1, 1.0), discount(2, 2.0), discount(3, 3.0)])
    }

    /// The discount of an n-gram that was counted `count` times; none for one that was not.
    pub fn at(self, count: u64) -> f64 {
        match count {
            0 => 0.0,
            1 => self.0[0],
            2 => self.0[1],
            _ => self.0[2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_formula() {
        let mut seen = Seen::default();
        for (count, times) in [(1, 40), (2, 15), (3, 8), (4, 5), (9, 3), (0, 7)] {
            (0..times).for_each(|_| seen.add(count));
        }
        let discounts = Discounts::of(seen);
        let y = 40.0 / 70.0;
        assert!((discounts.at(1) - (1.0 - 2.0 * y * 15.0 / 40.0)).abs() < 1e-12);
        assert!((discounts.at(2) - (2.0 - 3.0 * y * 8.0 / 15.0)).abs() < 1e-12);
        assert!((discounts.at(9) - (3.0 - 4.0 * y * 5.0 / 8.0)).abs() < 1e-12);
    }

    #[test]
    fn too_little_text_has_usual_discounts() {
        let discounts = Discounts::of(Seen([2, 1, 0, 0]));
        for (count, expected) in [(0, 0.0), (1, 0.5), (2, 1.0), (3, 1.5)] {
            assert!((discounts.at(count) - expected).abs() < 1e-12);
        }
    }
}
