//! What a run is asked for, and what a step reports.

use crate::TrainError;
use serde::{Deserialize, Serialize};

/// The settings of a run, as the paper has them by default.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Options {
    /// Steps of the whole run.
    pub steps: u64,
    /// The highest learning rate.
    pub lr: f64,
    /// The share of the steps in which it rises.
    pub warmup: f64,
    /// Decay of matrices.
    pub weight_decay: f64,
    /// Decay rate of the mean of gradients.
    pub beta1: f64,
    /// Decay rate of the mean of their squares.
    pub beta2: f64,
    /// Added to the root of the latter.
    pub epsilon: f64,
    /// The longest that all gradients together may be.
    pub clip_norm: Option<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            steps: 1,
            lr: 1e-3,
            warmup: 0.1,
            weight_decay: 0.2,
            beta1: 0.9,
            beta2: 0.98,
            epsilon: 1e-6,
            clip_norm: None,
        }
    }
}

impl Options {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`TrainError::Setting`] names the first that is wrong.
    pub fn validate(&self) -> Result<(), TrainError> {
        let checks = [
            ("steps must be at least 1", self.steps >= 1),
            (
                "the learning rate must be above 0",
                self.lr > 0.0 && self.lr.is_finite(),
            ),
            (
                "the warm-up must be a share from 0 to 1",
                (0.0..=1.0).contains(&self.warmup),
            ),
            (
                "the weight decay must be 0 or more",
                self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
            ),
            (
                "beta1 and beta2 must be from 0 to below 1",
                [self.beta1, self.beta2]
                    .iter()
                    .all(|b| (0.0..1.0).contains(b)),
            ),
            (
                "epsilon must be above 0",
                self.epsilon > 0.0 && self.epsilon.is_finite(),
            ),
            (
                "the clip norm must be above 0",
                self.clip_norm.is_none_or(|norm| norm > 0.0),
            ),
        ];
        match checks.iter().find(|(_, holds)| !holds) {
            Some((message, _)) => Err(TrainError::Setting((*message).to_owned())),
            None => Ok(()),
        }
    }
}

/// What a step reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metric {
    /// The step, counted from 1.
    pub step: u64,
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// The contrastive loss of the batch before the step.
    pub loss: f32,
    /// Share of the batch's pictures whose own text is the nearest.
    pub top1: f32,
    /// The learning rate of the step.
    pub lr: f64,
    /// The factor of the logits, exp(`logit_scale`), before the step.
    pub logit_scale: f32,
    /// Pairs seen so far.
    pub samples: u64,
}
