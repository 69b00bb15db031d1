//! Contrastive language-image pre-training (CLIP, Radford et al. 2021) on image-text pairs, as the `RealSyn` paper does it.
//!
//! - [`Dataset`]: the pairs, the order of an epoch, and which text of a picture a step sees: all by hash;
//! - [`Tokens`], [`Pixels`]: from text and picture to the network's input, exactly as `rs-embed` makes it;
//! - [`Trainer`]: the model, one step of it, its checkpoint and its state;
//! - [`run`]: the loop, fed by loader threads; [`Home`]: the folder that it leaves.
//!
//! Memory: weights and `AdamW`'s two moments (12 bytes a weight) plus gradients and activations of one batch; the pairs'
//! ids, paths and texts; at most two batches a loader thread. Order: a run is a function of the pairs in their order,
//! the settings and the initial weights; loader threads decide nothing.
//!
//! Nothing here names a backend but [`cpu`]: burn chooses it by the device, so its GPU backends are a matter of another
//! device and a cargo feature.

mod data;
mod home;
mod loader;
mod model;
mod optimizer;
mod options;
mod pixels;
mod schedule;
mod tokens;
mod trainer;
mod vocabulary;

pub use burn::tensor::Device;
pub use data::{Dataset, Sample};
pub use home::Home;
pub use loader::{Batch, Failure};
pub use options::{Metric, Options};
pub use pixels::{Crop, Pixels};
pub use schedule::OneCycle;
pub use tokens::Tokens;
pub use trainer::{Trainer, run};
pub use vocabulary::clip_merges;

use realsyn_checkpoint::CheckpointError;

/// burn's pure Rust backend on this machine's processor.
#[must_use]
pub fn cpu() -> Device {
    Device::flex()
}

/// What stops a training run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting outside its range.
    #[error("{0}")]
    Setting(String),
    /// The checkpoint or the training state.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The training state belongs to a run with other settings or pairs.
    #[error("the training state belongs to another run: {0}")]
    OtherRun(String),
    /// The tokenizer.
    #[error("the tokenizer: {0}")]
    Tokenizer(String),
    /// Loss or weights are no longer finite.
    #[error("the loss is {loss} at step {step}: lower --lr or set --clip-norm")]
    Diverged {
        /// The step, counted from 1.
        step: u64,
        /// The loss.
        loss: f32,
    },
    /// The backend or the operating system.
    #[error("the backend: {0}")]
    Backend(String),
}

impl TrainError {
    /// The error's stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting(_) => "bad-setting",
            Self::Checkpoint(error) => error.code(),
            Self::OtherRun(_) => "other-run",
            Self::Tokenizer(_) => "bad-tokenizer",
            Self::Diverged { .. } => "diverged",
            Self::Backend(_) => "backend",
        }
    }
}
