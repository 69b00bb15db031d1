//! Batches made ahead of the step that needs them, by several threads.
//!
//! Memory: at most two batches a thread. Order: batch `n` is made by thread `n mod threads` and taken in turn, so the
//! trainer meets the batches in order whatever the threads' speed.

use crate::data::{Dataset, Sample};
use crate::{Pixels, Tokens, TrainError};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

/// The input of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The step, counted from 0.
    pub step: u64,
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// Pairs in the batch.
    pub size: usize,
    /// Patches `[size, patches, 3·patch·patch]`.
    pub patches: Vec<f32>,
    /// Token ids `[size, tokens]`, each row filled with its last id to the longest row of the batch.
    pub ids: Vec<i64>,
    /// Length of a row of `ids`.
    pub tokens: usize,
    /// For each row the place of its end-of-text marker.
    pub ends: Vec<usize>,
    /// Pairs that are missing because their picture could not be read.
    pub failures: Vec<Failure>,
}

/// A pair whose picture could not be read when its turn came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The pair.
    pub id: String,
    /// The picture's error.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

/// What every loader thread looks at.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub data: &'a Dataset,
    pub pixels: &'a Pixels,
    pub tokens: &'a Tokens,
}

impl Source<'_> {
    /// One batch of an epoch, of these pairs.
    pub fn batch(&self, step: u64, epoch: u64, pairs: &[u32]) -> Result<Batch, TrainError> {
        let mut batch = Batch {
            step,
            epoch,
            size: 0,
            patches: Vec::new(),
            ids: Vec::new(),
            tokens: 0,
            ends: Vec::new(),
            failures: Vec::new(),
        };
        let mut rows = Vec::with_capacity(pairs.len());
        for index in pairs {
            let sample = self.data.sample(*index);
            if self.picture(sample, &mut batch) {
                rows.push(self.tokens.encode(self.data.text(sample, epoch))?);
            }
        }
        batch.size = rows.len();
        batch.tokens = rows.iter().map(Vec::len).max().unwrap_or(0);
        for row in rows {
            let last = row.last().copied().unwrap_or(0);
            let fill = batch.tokens - row.len();
            batch.ends.push(row.len().saturating_sub(1));
            batch.ids.extend(row);
            batch.ids.extend(std::iter::repeat_n(last, fill));
        }
        Ok(batch)
    }

    fn picture(&self, sample: &Sample, batch: &mut Batch) -> bool {
        match self
            .pixels
            .open(sample.path.as_deref(), sample.url.as_deref())
        {
            Ok(picture) => {
                let key = format!("{}/{}", batch.epoch, sample.id);
                self.pixels
                    .append(&picture, self.data.seed(), &key, &mut batch.patches);
                true
            }
            Err(error) => {
                let message = error.to_string();
                batch.failures.push(Failure {
                    id: sample.id.to_string(),
                    code: error.code(),
                    message,
                });
                false
            }
        }
    }
}

/// Batches in order.
pub(crate) struct Loader {
    turns: Vec<Receiver<Result<Batch, TrainError>>>,
    next: u64,
    end: u64,
}

impl Loader {
    /// Starts `threads` threads that make the batches of the steps from `start` to `end`. They stop when the loader is
    /// dropped.
    pub fn start<'scope, 'env: 'scope>(
        scope: &'scope Scope<'scope, 'env>,
        source: Source<'env>,
        (start, end): (u64, u64),
        threads: usize,
    ) -> Self {
        let threads = threads.max(1);
        let turns = (0..threads).map(|thread| {
            let (sender, receiver) = sync_channel(1);
            scope.spawn(move || produce(source, start + thread as u64..end, threads, &sender));
            receiver
        });
        Self {
            turns: turns.collect(),
            next: start,
            end,
        }
    }
}

impl Iterator for Loader {
    type Item = Result<Batch, TrainError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        // The first receiver's turn comes first, at whatever step the run started.
        self.turns.rotate_left(1);
        self.next += 1;
        let gone = || {
            Err(TrainError::Backend(
                "a loader thread ended early".to_owned(),
            ))
        };
        Some(
            self.turns
                .last()
                .and_then(|turn| turn.recv().ok())
                .unwrap_or_else(gone),
        )
    }
}

fn produce(
    source: Source<'_>,
    steps: std::ops::Range<u64>,
    stride: usize,
    sender: &SyncSender<Result<Batch, TrainError>>,
) {
    let (size, per_epoch) = (source.data.batch(), source.data.steps_per_epoch());
    let mut order = (u64::MAX, Vec::new());
    for step in steps.step_by(stride) {
        let epoch = step / per_epoch;
        if order.0 != epoch {
            order = (epoch, source.data.order(epoch));
        }
        let from = usize::try_from(step % per_epoch).unwrap_or(0) * size;
        let pairs = order.1.get(from..from + size).unwrap_or_default();
        // The trainer is gone: nobody wants further batches.
        if sender.send(source.batch(step, epoch, pairs)).is_err() {
            return;
        }
    }
}
