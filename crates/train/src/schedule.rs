//! The learning rate: `PyTorch`'s `OneCycleLR` (Smith and Topin 2019), cosine annealing, momentum left alone.

use std::f64::consts::PI;

/// The course of the learning rate: up from `max / 25` over the first share of the steps, then down to `max / 250,000`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    max: f64,
    total: u64,
    warmup: f64,
}

impl OneCycle {
    /// `max`: the highest rate; `total`: steps of the run; `warmup`: the share of them that rises (0.1 in the paper).
    #[must_use]
    pub fn new(max: f64, total: u64, warmup: f64) -> Self {
        Self { max, total, warmup }
    }

    /// The rate of step `step`, counted from 0.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "steps stay far below 2^53")]
    pub fn rate(&self, step: u64) -> f64 {
        let first = self.max / 25.0;
        let last = first / 1e4;
        // PyTorch's phases end at these steps; the first may end before it begins.
        let peak = self.warmup * self.total as f64 - 1.0;
        let end = self.total as f64 - 1.0;
        let step = step as f64;
        if step <= peak {
            return anneal(first, self.max, step, peak);
        }
        anneal(self.max, last, step - peak, end - peak)
    }
}

/// From `start` to `end` along half a cosine, at `step` of `steps`.
fn anneal(start: f64, end: f64, step: f64, steps: f64) -> f64 {
    let share = if steps > 0.0 { step / steps } else { 1.0 };
    end + (start - end) / 2.0 * (1.0 + (PI * share).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rate_is_pytorchs() {
        // torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=40, pct_start=0.1).get_last_lr()
        let expected = [
            (0, 3.999_999_999_999_999_6e-5),
            (1, 0.000_28),
            (2, 0.000_759_999_999_999_999_9),
            (3, 0.001),
            (4, 0.000_998_097_356_656_476_6),
            (5, 0.000_992_403_906_890_598),
            (13, 0.000_821_394_519_268_050_1),
            (21, 0.000_500_001_999_999_999_9),
            (30, 0.000_146_450_023_620_288_65),
            (38, 1.906_643_343_523_411e-6),
            (39, 4e-9),
        ];
        let schedule = OneCycle::new(1e-3, 40, 0.1);
        for (step, rate) in expected {
            assert!(
                (schedule.rate(step) - rate).abs() < 1e-12,
                "step {step}: {}",
                schedule.rate(step)
            );
        }
    }

    #[test]
    fn short_runs_have_finite_rates() {
        for total in 1..30 {
            for step in 0..total {
                let rate = OneCycle::new(1e-3, total, 0.1).rate(step);
                assert!(
                    rate > 0.0 && rate <= 1e-3 + 1e-12,
                    "{step} of {total}: {rate}"
                );
            }
        }
    }
}
