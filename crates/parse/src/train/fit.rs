//! The network while it learns.

use crate::net::{CLASS_SCALE, HIDDEN, Net, ROW_SCALE, Row};
use crate::words::mix;

/// Most classes.
const MOST: usize = 64;

/// Scores of the classes.
pub type Scores = [f32; MOST];

/// A network in floating point, and the squared gradients so far.
pub struct Fit {
    rows: Vec<[f32; HIDDEN]>,
    squares: Vec<f32>,
    bias: [f32; HIDDEN],
    bias_square: f32,
    classes: Vec<[f32; HIDDEN]>,
    class_squares: Vec<f32>,
    base: Vec<f32>,
    hidden: [f32; HIDDEN],
}

/// The largest weight that a row's bytes hold.
const LIMIT: f32 = 127.0 / ROW_SCALE;

impl Fit {
    /// A network that knows nothing. Its first weights are hashes of `seed`.
    #[expect(clippy::cast_precision_loss, reason = "24 bits")]
    pub fn new(rows: u32, classes: usize, seed: u64) -> Self {
        let mut state = seed;
        let mut small = |scale: f32| {
            state = mix(state, 11);
            ((state >> 40) as f32 / (1 << 23) as f32 - 1.0) * scale
        };
        Self {
            rows: (0..rows)
                .map(|_| std::array::from_fn(|_| small(0.05)))
                .collect(),
            squares: vec![1e-6; rows as usize],
            bias: [0.2; HIDDEN],
            bias_square: 1e-6,
            classes: (0..classes)
                .map(|_| std::array::from_fn(|_| small(0.2)))
                .collect(),
            class_squares: vec![1e-6; classes],
            base: vec![0.0; classes],
            hidden: [0.0; HIDDEN],
        }
    }

    /// The classes' scores with these features on.
    pub fn scores(&mut self, features: &[u32]) -> Scores {
        let mut hidden = self.bias;
        for &feature in features {
            for (sum, weight) in hidden.iter_mut().zip(&self.rows[feature as usize]) {
                *sum += weight;
            }
        }
        for sum in &mut hidden {
            *sum = sum.max(0.0);
        }
        self.hidden = hidden;
        let mut scores = [f32::NEG_INFINITY; MOST];
        for ((score, weights), base) in scores.iter_mut().zip(&self.classes).zip(&self.base) {
            // Sixteen sums side by side, so that the order is fixed and the machine's vectors are used.
            let mut sums = [0.0; 16];
            for (values, weights) in hidden
                .as_chunks::<16>()
                .0
                .iter()
                .zip(weights.as_chunks::<16>().0)
            {
                for lane in 0..16 {
                    sums[lane] += values[lane] * weights[lane];
                }
            }
            *score = base + sums.iter().sum::<f32>();
        }
        scores
    }

    /// One step towards the good classes among the legal ones, from the scores that were given last.
    pub fn learn(
        &mut self,
        features: &[u32],
        scores: Scores,
        legal: impl Fn(usize) -> bool,
        good: impl Fn(usize) -> bool,
        rate: f32,
    ) {
        let count = self.classes.len();
        let mut shares = [0.0_f32; MOST];
        let mut wanted = [false; MOST];
        let highest = (0..count)
            .filter(|&class| legal(class))
            .map(|class| scores[class])
            .fold(f32::NEG_INFINITY, f32::max);
        let (mut sum, mut best) = (0.0, 0.0);
        for class in (0..count).filter(|&class| legal(class)) {
            shares[class] = exp(scores[class] - highest);
            sum += shares[class];
            wanted[class] = good(class);
            if wanted[class] {
                best += shares[class];
            }
        }
        // Nothing to learn: sure, or without a good move.
        if best >= 0.995 * sum || best <= 0.0 {
            return;
        }
        let mut down = [0.0_f32; HIDDEN];
        for class in 0..count {
            let share = shares[class];
            let error = share / sum - if wanted[class] { share / best } else { 0.0 };
            if error.abs() < 1e-3 {
                continue;
            }
            let weights = &mut self.classes[class];
            for (down, weight) in down.iter_mut().zip(weights.iter()) {
                *down += error * weight;
            }
            let mut square = 0.0;
            for value in &self.hidden {
                square += value * value;
            }
            #[expect(clippy::cast_precision_loss, reason = "64")]
            let mean = square / HIDDEN as f32;
            self.class_squares[class] += error * error * (mean + 1e-3);
            let step = 0.5 * rate * error / self.class_squares[class].sqrt();
            for (weight, value) in weights.iter_mut().zip(&self.hidden) {
                *weight -= step * value;
            }
            self.base[class] -= step;
        }
        let mut square = 0.0;
        for (down, value) in down.iter_mut().zip(&self.hidden) {
            if *value <= 0.0 {
                *down = 0.0;
            }
            square += *down * *down;
        }
        #[expect(clippy::cast_precision_loss, reason = "64")]
        let mean = square / HIDDEN as f32;
        self.bias_square += mean;
        let step = rate / self.bias_square.sqrt();
        for (weight, down) in self.bias.iter_mut().zip(&down) {
            *weight -= step * down;
        }
        for &feature in features {
            let squares = &mut self.squares[feature as usize];
            *squares += mean;
            let step = rate / squares.sqrt();
            for (weight, down) in self.rows[feature as usize].iter_mut().zip(&down) {
                *weight = (*weight - step * down).clamp(-LIMIT, LIMIT);
            }
        }
    }

    /// The network in whole numbers.
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    pub fn quantised(&self) -> Net {
        let half =
            |weight: f32, scale: f32| (weight * scale).round().clamp(-32767.0, 32767.0) as i16;
        Net {
            rows: self
                .rows
                .iter()
                .map(|row| {
                    Row(row.map(|weight| (weight * ROW_SCALE).round().clamp(-127.0, 127.0) as i8))
                })
                .collect(),
            bias: self.bias.map(|weight| half(weight, ROW_SCALE)),
            classes: self
                .classes
                .iter()
                .map(|row| row.map(|weight| half(weight, CLASS_SCALE)))
                .collect(),
            base: self
                .base
                .iter()
                .map(|weight| (weight * ROW_SCALE * CLASS_SCALE).round() as i32)
                .collect(),
        }
    }
}

/// The exponential function of a number that is not positive, by additions and multiplications alone: the platform's
/// own may differ in the last bit from one machine to the next.
fn exp(x: f32) -> f32 {
    // (1 + x/1024)^1024; below -30 nothing remains.
    if x < -30.0 {
        return 0.0;
    }
    let mut power = 1.0 + x / 1024.0;
    for _ in 0..10 {
        power *= power;
    }
    power
}

/// The class with the highest score among those that may be chosen.
pub fn best(scores: &Scores, may: impl Fn(usize) -> bool) -> usize {
    let mut best = (f32::NEG_INFINITY, 0);
    for (class, &score) in scores.iter().enumerate() {
        if score > best.0 && may(class) {
            best = (score, class);
        }
    }
    best.1
}
