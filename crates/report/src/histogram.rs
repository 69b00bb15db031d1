//! Histograms with fixed bins: counts of a stream of numbers, in memory that depends on the bins alone.

/// Counts over equal bins from `low`; what lies outside goes to the first or the last bin.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    low: f64,
    step: f64,
    bins: Vec<u64>,
    total: u64,
}

/// A run of bars for the page: each bar covers `[from, from + step)`.
#[derive(Debug)]
pub(crate) struct Bars {
    pub(crate) from: f64,
    pub(crate) step: f64,
    pub(crate) heights: Vec<u64>,
}

impl Histogram {
    /// `bins` bins of width `step` from `low`.
    pub(crate) fn new(low: f64, step: f64, bins: usize) -> Self {
        Self {
            low,
            step,
            bins: vec![0; bins.max(1)],
            total: 0,
        }
    }

    /// Counts a number; what is not finite is left out.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "float casts saturate, as the outer bins should"
    )]
    pub(crate) fn add(&mut self, value: f64) {
        if value.is_finite() {
            let at = ((value - self.low) / self.step).floor() as usize;
            let last = self.bins.len() - 1;
            self.bins[at.min(last)] += 1;
            self.total += 1;
        }
    }

    /// How many numbers were counted.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The number below which the share `q` of all lies, to the middle of its bin.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank rounded to a whole one"
    )]
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let wanted = ((self.total.saturating_sub(1)) as f64 * q).round() as u64;
        let mut before = 0;
        for (at, count) in self.bins.iter().enumerate() {
            before += count;
            if before > wanted {
                return self.low + (at as f64 + 0.5) * self.step;
            }
        }
        self.low
    }

    /// The occupied stretch, in at most `most` bars of a round number (1, 2, 5, 10 …) of bins each.
    #[expect(clippy::cast_precision_loss, reason = "bins are few")]
    pub(crate) fn bars(&self, most: usize) -> Option<Bars> {
        let first = self.bins.iter().position(|count| *count > 0)?;
        let last = self.bins.iter().rposition(|count| *count > 0)?;
        let wide = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
            .into_iter()
            .find(|wide| last / wide - first / wide < most)
            .unwrap_or(self.bins.len());
        let heights = (first / wide..=last / wide)
            .map(|bar| {
                self.bins[bar * wide..((bar + 1) * wide).min(self.bins.len())]
                    .iter()
                    .sum()
            })
            .collect();
        Some(Bars {
            from: self.low + ((first / wide) * wide) as f64 * self.step,
            step: self.step * wide as f64,
            heights,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_fall_into_their_bins() {
        let mut words = Histogram::new(0.0, 1.0, 100);
        for n in [3, 3, 4, 81, 500] {
            words.add(f64::from(n));
        }
        words.add(f64::NAN);
        assert_eq!(words.total(), 5);
        assert!((words.quantile(0.5) - 4.5).abs() < 1e-9);
        let bars = words.bars(200).unwrap();
        assert_eq!((bars.from, bars.step, bars.heights.len()), (3.0, 1.0, 97));
        assert_eq!(
            (bars.heights[0], bars.heights[1], bars.heights[96]),
            (2, 1, 1)
        );
    }

    #[test]
    fn many_bins_are_joined_and_nothing_is_lost() {
        let mut scores = Histogram::new(-1.0, 0.005, 400);
        for n in 0..1000 {
            scores.add(f64::from(n) / 2000.0);
        }
        let bars = scores.bars(40).unwrap();
        assert!(bars.heights.len() <= 40);
        assert_eq!(bars.heights.iter().sum::<u64>(), 1000);
        assert!((bars.from - 0.0).abs() < 0.06, "{}", bars.from);
        assert!(Histogram::new(0.0, 1.0, 5).bars(5).is_none());
    }
}
