//! One step of training, the checkpoint, the state that a resumed run goes on from, and the loop.
//!
//! Order: a step is a function of the weights, the moments, the batch and the step's number. The state holds the three
//! exactly, so a resumed run makes the bytes of one that was never stopped.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "sizes of layers and batches fit any number"
)]

use crate::loader::{Batch, Failure, Loader, Source};
use crate::model::Clip;
use crate::optimizer::{AdamW, Moments};
use crate::{Dataset, Metric, OneCycle, Options, Pixels, Tokens, TrainError};
use burn::tensor::{Device, Int, Tensor, TensorData};
use realsyn_checkpoint::{Checkpoint, CheckpointError, Config, PreprocessConfig, TensorSpec};
use realsyn_checkpoint::{Tensor as Stored, read_safetensors, write_safetensors};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The largest factor of the logits: CLIP clips it to keep training stable.
const MAX_SCALE: f32 = 100.0;
/// The entry of the state file's metadata.
const STATE_KEY: &str = "realsyn_training";

/// A model in training.
pub struct Trainer {
    config: Config,
    preprocess: PreprocessConfig,
    options: Options,
    specs: Vec<TensorSpec>,
    model: Clip,
    weights: Vec<Tensor<1>>,
    moments: Vec<Moments>,
    step: u64,
    samples: u64,
    device: Device,
}

#[derive(Deserialize, Serialize)]
struct Progress {
    step: u64,
    samples: u64,
    /// What must be the same when the run goes on.
    run: String,
}

impl Trainer {
    /// A run that starts from a checkpoint's weights.
    ///
    /// # Errors
    /// [`TrainError::Setting`], or the checkpoint's error.
    pub fn new(
        checkpoint: &Checkpoint,
        options: Options,
        device: Device,
    ) -> Result<Self, TrainError> {
        options.validate()?;
        let config = checkpoint.config().clone();
        let (model, specs) = (Clip::new(&config)?, config.tensors());
        let mut weights = Vec::with_capacity(specs.len());
        for spec in &specs {
            weights.push(flat(checkpoint.tensor(&spec.name)?.data.clone(), &device));
        }
        let moments = weights
            .iter()
            .map(|w| Moments {
                first: w.zeros_like(),
                second: w.zeros_like(),
            })
            .collect();
        let preprocess = checkpoint.preprocess().clone();
        Ok(Self {
            config,
            preprocess,
            options,
            specs,
            model,
            weights,
            moments,
            step: 0,
            samples: 0,
            device,
        })
    }

    /// The model's sizes.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Steps done.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Trains on one batch. A batch of fewer than two pairs counts as a step and changes nothing.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss is not finite, [`TrainError::Backend`] if the device fails.
    pub fn train(&mut self, batch: &Batch) -> Result<Metric, TrainError> {
        let (step, rate) = (self.step + 1, self.rate());
        let mut metric = Metric {
            step,
            epoch: batch.epoch,
            loss: 0.0,
            top1: 0.0,
            lr: rate,
            logit_scale: scalar(&self.weights[self.model.scale_at()])?.exp(),
            samples: self.samples + batch.size as u64,
        };
        if batch.size >= 2 {
            let leaves: Vec<_> = self
                .weights
                .iter()
                .map(|w| w.clone().autodiff().require_grad())
                .collect();
            let device = self.device.clone().autodiff();
            let (images, texts) = self.embed_on(&leaves, batch, &device);
            let (loss, hits) = self.model.loss(&leaves, images, texts);
            metric.loss = scalar(&loss.clone().inner())?;
            metric.top1 = scalar(&hits.inner())? / batch.size as f32;
            if !metric.loss.is_finite() {
                return Err(TrainError::Diverged {
                    step,
                    loss: metric.loss,
                });
            }
            let mut gradients = loss.backward();
            let gradients: Vec<_> = leaves
                .iter()
                .map(|leaf| leaf.grad_remove(&mut gradients))
                .collect();
            drop(leaves);
            self.update(gradients, step, rate)?;
        }
        (self.step, self.samples) = (step, metric.samples);
        Ok(metric)
    }

    /// Embeddings of a batch's pictures and texts, `[size, embed_dim]` each, not normalised.
    ///
    /// # Errors
    /// [`TrainError::Backend`].
    pub fn embed(&self, batch: &Batch) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
        let (images, texts) = self.embed_on(&self.weights, batch, &self.device);
        let host = |x: Tensor<2>| {
            x.try_into_vec_as::<f32>()
                .map_err(|error| TrainError::Backend(format!("{error:?}")))
        };
        Ok((host(images)?, host(texts)?))
    }

    fn embed_on(
        &self,
        weights: &[Tensor<1>],
        batch: &Batch,
        device: &Device,
    ) -> (Tensor<2>, Tensor<2>) {
        let v = &self.config.vision_cfg;
        let shape = [batch.size, v.patches(), 3 * v.patch_size * v.patch_size];
        let patches = Tensor::<3>::from_data(TensorData::new(batch.patches.clone(), shape), device);
        let ids = TensorData::new(batch.ids.clone(), [batch.size, batch.tokens]);
        let rows = batch
            .ends
            .iter()
            .enumerate()
            .map(|(row, end)| (row * batch.tokens + end) as i64);
        let ends = TensorData::new(rows.collect::<Vec<_>>(), [batch.size]);
        let ids = Tensor::<2, Int>::from_data(ids, device);
        let ends = Tensor::<1, Int>::from_data(ends, device);
        (
            self.model.images(weights, patches),
            self.model.texts(weights, ids, ends),
        )
    }

    /// The learning rate of the next step.
    fn rate(&self) -> f64 {
        OneCycle::new(self.options.lr, self.options.steps, self.options.warmup).rate(self.step)
    }

    fn update(
        &mut self,
        mut gradients: Vec<Option<Tensor<1>>>,
        step: u64,
        rate: f64,
    ) -> Result<(), TrainError> {
        if let Some(limit) = self.options.clip_norm {
            let mut square = 0.0f64;
            for gradient in gradients.iter().flatten() {
                square += f64::from(scalar(&gradient.clone().square().sum())?);
            }
            // PyTorch's clip_grad_norm_.
            let factor = limit / (square.sqrt() + 1e-6);
            if factor < 1.0 {
                gradients
                    .iter_mut()
                    .flatten()
                    .for_each(|gradient| gradient.inplace(|g| g.mul_scalar(factor)));
            }
        }
        let o = &self.options;
        let adamw = AdamW {
            decay: o.weight_decay,
            beta1: o.beta1,
            beta2: o.beta2,
            epsilon: o.epsilon,
        };
        for (at, gradient) in gradients.into_iter().enumerate() {
            let Some(gradient) = gradient else {
                return Err(TrainError::Backend(format!(
                    "no gradient reached {}",
                    self.specs[at].name
                )));
            };
            let decays = self.specs[at].decays();
            let moments = &mut self.moments[at];
            self.weights[at]
                .inplace(|weight| adamw.update(weight, &gradient, moments, (step, rate, decays)));
        }
        self.weights[self.model.scale_at()].inplace(|scale| scale.clamp(0.0, MAX_SCALE.ln()));
        Ok(())
    }

    /// The weights as a checkpoint.
    ///
    /// # Errors
    /// [`TrainError::Backend`].
    pub fn checkpoint(&self) -> Result<Checkpoint, TrainError> {
        let mut tensors = BTreeMap::new();
        for (spec, weight) in self.specs.iter().zip(&self.weights) {
            tensors.insert(
                spec.name.clone(),
                Stored {
                    shape: spec.shape.clone(),
                    data: host(weight)?,
                },
            );
        }
        Ok(Checkpoint::new(
            self.config.clone(),
            self.preprocess.clone(),
            tensors,
        )?)
    }

    /// Writes weights, moments and step as one file, so that no crash leaves parts of two steps. `run` is what must be
    /// the same when the run goes on, besides the options.
    ///
    /// # Errors
    /// [`TrainError::Backend`], or the file's error.
    pub fn save(&self, path: &Path, run: &str) -> Result<(), TrainError> {
        let mut tensors = BTreeMap::new();
        for ((spec, weight), moments) in self.specs.iter().zip(&self.weights).zip(&self.moments) {
            for (kind, tensor) in [
                ("weight", weight),
                ("first", &moments.first),
                ("second", &moments.second),
            ] {
                let stored = Stored {
                    shape: spec.shape.clone(),
                    data: host(tensor)?,
                };
                tensors.insert(format!("{kind}/{}", spec.name), stored);
            }
        }
        let progress = Progress {
            step: self.step,
            samples: self.samples,
            run: self.identity(run)?,
        };
        let progress = serde_json::to_string(&progress)
            .map_err(|error| TrainError::Backend(error.to_string()))?;
        Ok(write_safetensors(path, &tensors, (STATE_KEY, &progress))?)
    }

    /// Goes on from what [`Trainer::save`] wrote.
    ///
    /// # Errors
    /// [`TrainError::OtherRun`] if the options, the config or `run` differ; the file's error.
    pub fn restore(&mut self, path: &Path, run: &str) -> Result<(), TrainError> {
        let (mut tensors, metadata) = read_safetensors(path)?;
        let progress = self.progress(path, &metadata, run)?;
        for (at, spec) in self.specs.iter().enumerate() {
            let mut take = |kind: &str| {
                let name = format!("{kind}/{}", spec.name);
                match tensors.remove(&name) {
                    Some(tensor) if tensor.shape == spec.shape => {
                        Ok(flat(tensor.data, &self.device))
                    }
                    Some(tensor) => Err(CheckpointError::Shape {
                        name,
                        expected: spec.shape.clone(),
                        found: tensor.shape,
                    }),
                    None => Err(CheckpointError::MissingTensor(name)),
                }
            };
            self.weights[at] = take("weight")?;
            self.moments[at] = Moments {
                first: take("first")?,
                second: take("second")?,
            };
        }
        (self.step, self.samples) = (progress.step, progress.samples);
        Ok(())
    }

    /// Refuses a state that another run wrote.
    ///
    /// # Errors
    /// As [`Trainer::restore`].
    pub(crate) fn is_same_run(&self, path: &Path, run: &str) -> Result<(), TrainError> {
        let (_, metadata) = read_safetensors(path)?;
        self.progress(path, &metadata, run).map(drop)
    }

    fn progress(
        &self,
        path: &Path,
        metadata: &HashMap<String, String>,
        run: &str,
    ) -> Result<Progress, TrainError> {
        let bad = |message: String| CheckpointError::Format {
            path: path.to_owned(),
            message,
        };
        let progress = metadata
            .get(STATE_KEY)
            .ok_or_else(|| bad("no training state".to_owned()))?;
        let progress: Progress =
            serde_json::from_str(progress).map_err(|error| bad(error.to_string()))?;
        let run = self.identity(run)?;
        if progress.run != run {
            return Err(TrainError::OtherRun(format!(
                "{} was written with {}, this run has {run}",
                path.display(),
                progress.run
            )));
        }
        Ok(progress)
    }

    fn identity(&self, run: &str) -> Result<String, TrainError> {
        let both = serde_json::to_string(&(&self.options, &self.config));
        Ok(format!(
            "{} {run}",
            both.map_err(|error| TrainError::Backend(error.to_string()))?
        ))
    }
}

/// Trains from the trainer's step to the last, telling `each` after every step what it brought and which pairs' pictures
/// could not be read; `each` may save. `threads` threads compute, and as many load.
///
/// # Errors
/// Those of [`Trainer::train`], the tokenizer's, and whatever `each` gives.
pub fn run<E: From<TrainError>>(
    trainer: &mut Trainer,
    (data, pixels, tokens): (&Dataset, &Pixels, &Tokens),
    threads: usize,
    mut each: impl FnMut(&Trainer, &Metric, &[Failure]) -> Result<(), E>,
) -> Result<(), E> {
    let source = Source {
        data,
        pixels,
        tokens,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build();
    let pool = pool.map_err(|error| TrainError::Backend(error.to_string()))?;
    std::thread::scope(|scope| {
        let loader = Loader::start(
            scope,
            source,
            (trainer.step, trainer.options.steps),
            threads,
        );
        for batch in loader {
            let batch = batch?;
            let metric = pool.install(|| trainer.train(&batch))?;
            each(trainer, &metric, &batch.failures)?;
        }
        Ok(())
    })
}

fn flat(data: Vec<f32>, device: &Device) -> Tensor<1> {
    let len = data.len();
    Tensor::from_data(TensorData::new(data, [len]), device)
}

fn host(tensor: &Tensor<1>) -> Result<Vec<f32>, TrainError> {
    tensor
        .try_to_vec_as::<f32>()
        .map_err(|error| TrainError::Backend(format!("{error:?}")))
}

fn scalar(tensor: &Tensor<1>) -> Result<f32, TrainError> {
    Ok(host(tensor)?.first().copied().unwrap_or(f32::NAN))
}

#[cfg(test)]
mod tests;
