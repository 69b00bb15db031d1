//! Weights before training: `OpenCLIP`'s distributions, each tensor drawn from a hash of the seed and its own name.
//!
//! Order: a tensor's values depend on the seed, its name and its length, on nothing else; so one more layer leaves the
//! others' values as they were.

use crate::config::{Init, TensorSpec};
use std::f64::consts::TAU;

/// Fills one tensor.
pub(crate) fn fill(spec: &TensorSpec, seed: u64) -> Vec<f32> {
    let len = spec.shape.iter().product();
    let mut stream = Stream::new(seed, &spec.name);
    match spec.init {
        Init::Constant(value) => vec![value; len],
        Init::Uniform(bound) => (0..len)
            .map(|_| narrow((2.0 * stream.unit() - 1.0) * bound))
            .collect(),
        Init::Normal(deviation) => {
            let mut values = Vec::with_capacity(len + 1);
            while values.len() < len {
                // Box and Muller 1958; 1 - u is in (0, 1], so the logarithm is finite.
                let radius = (-2.0 * (1.0 - stream.unit()).ln()).sqrt() * deviation;
                let angle = TAU * stream.unit();
                values.push(narrow(radius * angle.cos()));
                values.push(narrow(radius * angle.sin()));
            }
            values.truncate(len);
            values
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "weights are f32 by definition"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// An endless stream of uniform values: blake3 in its extendable-output mode.
struct Stream {
    reader: blake3::OutputReader,
    buffer: [u8; 4096],
    used: usize,
}

impl Stream {
    fn new(seed: u64, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("realsyn 2026 initial weights");
        hasher.update(&seed.to_le_bytes()).update(name.as_bytes());
        Self {
            reader: hasher.finalize_xof(),
            buffer: [0; 4096],
            used: 4096,
        }
    }

    /// The next value in [0, 1), a multiple of 2^-32.
    fn unit(&mut self) -> f64 {
        if self.used == self.buffer.len() {
            self.reader.fill(&mut self.buffer);
            self.used = 0;
        }
        let mut word = [0; 4];
        word.copy_from_slice(&self.buffer[self.used..self.used + 4]);
        self.used += 4;
        f64::from(u32::from_le_bytes(word)) / 4_294_967_296.0
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "ten thousand values")]
mod tests {
    use super::*;

    fn sample(init: Init, name: &str, seed: u64) -> Vec<f32> {
        fill(
            &TensorSpec {
                name: name.to_owned(),
                shape: vec![100, 101],
                init,
            },
            seed,
        )
    }

    #[test]
    fn the_moments_are_those_asked_for() {
        for (init, deviation) in [
            (Init::Normal(0.02), 0.02),
            (Init::Uniform(0.5), 0.5 / 3f64.sqrt()),
        ] {
            let values = sample(init, "w", 1);
            let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
            let var = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>()
                / values.len() as f64
                - mean * mean;
            assert!(mean.abs() < deviation * 0.04, "mean {mean}");
            assert!(
                (var.sqrt() / deviation - 1.0).abs() < 0.03,
                "deviation {}",
                var.sqrt()
            );
        }
    }

    #[test]
    fn seed_and_name_decide() {
        let init = Init::Normal(1.0);
        assert_eq!(sample(init, "a", 1), sample(init, "a", 1));
        assert_ne!(sample(init, "a", 1), sample(init, "a", 2));
        assert_ne!(sample(init, "a", 1), sample(init, "b", 1));
    }
}
