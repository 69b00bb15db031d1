//! The folder that a run leaves: the model directory, the training state, and the metrics so far.
//!
//! | file | what |
//! |---|---|
//! | `open_clip_model.safetensors`, `open_clip_config.json`, `onnx/`, … | the model (see the room `checkpoint`) |
//! | `training_state.safetensors` | weights, moments and step: what `--resume` goes on from |
//! | `training_metrics.jsonl` | the metrics of all steps, so that a resumed run's stream is whole |
//!
//! Order of writing: metrics, model, state. A state is therefore never ahead of its metrics, and a run killed between
//! them does the steps since the last state again, to the same bytes.

use crate::{Tokens, TrainError, Trainer};
use realsyn_checkpoint::CheckpointError;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

const STATE_FILE: &str = "training_state.safetensors";
const METRICS_FILE: &str = "training_metrics.jsonl";

/// A run's folder.
#[derive(Debug)]
pub struct Home {
    dir: PathBuf,
    run: String,
    metrics: File,
}

impl Home {
    /// Makes or opens the folder for a trainer that stands at step 0. `run` is what must be the same when a run goes on
    /// besides the trainer's settings: the data and the seed. With `resume` the trainer is set to the last state, and
    /// the metrics up to it are given back.
    ///
    /// # Errors
    /// [`TrainError::OtherRun`] if the folder holds a model of another run and neither `force` is set; the files'
    /// errors.
    pub fn open(
        dir: &Path,
        run: &str,
        trainer: &mut Trainer,
        (resume, force): (bool, bool),
    ) -> Result<(Self, Vec<u8>), TrainError> {
        let (state, metrics) = (dir.join(STATE_FILE), dir.join(METRICS_FILE));
        let mut so_far = Vec::new();
        if resume && state.exists() {
            trainer.restore(&state, run)?;
            let lines = fs::read(&metrics).map_err(io(&metrics))?;
            let steps = usize::try_from(trainer.step()).unwrap_or(usize::MAX);
            so_far = lines
                .split_inclusive(|byte| *byte == b'\n')
                .take(steps)
                .collect::<Vec<_>>()
                .concat();
        } else if dir.join(realsyn_checkpoint::MODEL_FILE).exists() && !force {
            // The same run again makes the same bytes; another one would destroy what cannot be had back.
            if !state.exists() {
                let message = format!("{} holds a model already: use --force", dir.display());
                return Err(TrainError::OtherRun(message));
            }
            trainer.is_same_run(&state, run)?;
        }
        fs::create_dir_all(dir).map_err(io(dir))?;
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .open(&metrics)
            .map_err(io(&metrics))?;
        file.write_all(&so_far).map_err(io(&metrics))?;
        Ok((
            Self {
                dir: dir.to_owned(),
                run: run.to_owned(),
                metrics: file,
            },
            so_far,
        ))
    }

    /// Notes one step's metric, a whole line.
    ///
    /// # Errors
    /// The file's.
    pub fn note(&mut self, line: &[u8]) -> Result<(), TrainError> {
        self.metrics
            .write_all(line)
            .map_err(io(&self.dir.join(METRICS_FILE)))
    }

    /// Writes the model directory and the state.
    ///
    /// # Errors
    /// The files'.
    pub fn save(&mut self, trainer: &Trainer, tokens: &Tokens) -> Result<(), TrainError> {
        self.metrics
            .sync_all()
            .map_err(io(&self.dir.join(METRICS_FILE)))?;
        trainer.checkpoint()?.write_dir(&self.dir, tokens.json())?;
        trainer.save(&self.dir.join(STATE_FILE), &self.run)
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> TrainError {
    let path = path.to_owned();
    move |source| CheckpointError::Io { path, source }.into()
}
