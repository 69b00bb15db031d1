//! `AdamW` (Loshchilov and Hutter 2019) with the operations and their order of `PyTorch`'s `torch.optim.AdamW`.
//!
//! Memory: two moments a weight. Order: element by element, so no reduction depends on threads.

use burn::tensor::Tensor;

/// The settings that do not change from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AdamW {
    pub decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
}

/// What is remembered of one parameter's gradients, flat as the parameter is.
#[derive(Clone)]
pub(crate) struct Moments {
    pub first: Tensor<1>,
    pub second: Tensor<1>,
}

impl AdamW {
    /// One parameter after step `step` (from 1) at learning rate `rate`.
    #[expect(clippy::cast_precision_loss, reason = "steps stay far below 2^53")]
    pub fn update(
        &self,
        parameter: Tensor<1>,
        gradient: &Tensor<1>,
        moments: &mut Moments,
        (step, rate, decays): (u64, f64, bool),
    ) -> Tensor<1> {
        let step = step as f64;
        let parameter = if decays {
            parameter.mul_scalar(1.0 - rate * self.decay)
        } else {
            parameter
        };
        moments.first.inplace(|m| {
            m.mul_scalar(self.beta1)
                .add(gradient.clone().mul_scalar(1.0 - self.beta1))
        });
        moments.second.inplace(|v| {
            v.mul_scalar(self.beta2)
                .add(gradient.clone().square().mul_scalar(1.0 - self.beta2))
        });
        let (bias1, bias2) = (1.0 - self.beta1.powf(step), 1.0 - self.beta2.powf(step));
        let root = moments
            .second
            .clone()
            .sqrt()
            .div_scalar(bias2.sqrt())
            .add_scalar(self.epsilon);
        parameter.sub(moments.first.clone().div(root).mul_scalar(rate / bias1))
    }
}
