//! The pairs, the order in which an epoch shows them, and which text of a picture it shows.
//!
//! Memory: each pair's id, path or URL, and texts, and 16 bytes a pair for the order of the current epoch. Order: an
//! epoch is the pairs by blake3(seed, epoch, id); a text is chosen by another such hash. So neither threads nor what
//! else is in the data changes what is shown of one pair in one epoch.

use crate::TrainError;
use realsyn_record::uniform;

/// One image-text pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The record's id.
    pub id: Box<str>,
    /// Where the picture lies.
    pub path: Option<Box<str>>,
    /// Its `file:` or `data:` URI, when there is no path.
    pub url: Option<Box<str>>,
    /// The texts of which each epoch picks one, realistic and synthetic alike.
    pub texts: Box<[Box<str>]>,
}

/// All pairs of a run.
#[derive(Clone, Debug)]
pub struct Dataset {
    samples: Vec<Sample>,
    seed: u64,
    batch: usize,
}

impl Dataset {
    /// The pairs of a run with its batch size.
    ///
    /// # Errors
    /// [`TrainError::Setting`] if the batch has fewer than two pairs (nothing to tell apart) or more than there are.
    pub fn new(samples: Vec<Sample>, seed: u64, batch: usize) -> Result<Self, TrainError> {
        if batch < 2 {
            return Err(TrainError::Setting(format!(
                "a batch of {batch} has nothing to tell apart"
            )));
        }
        if samples.len() < batch {
            let message = format!(
                "{} usable pairs do not fill a batch of {batch}: lower --batch-size",
                samples.len()
            );
            return Err(TrainError::Setting(message));
        }
        if let Some(sample) = samples.iter().find(|sample| sample.texts.is_empty()) {
            return Err(TrainError::Setting(format!(
                "the pair {} has no text",
                sample.id
            )));
        }
        Ok(Self {
            samples,
            seed,
            batch,
        })
    }

    /// Number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are none; [`Dataset::new`] sees to it that there are some.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Steps of one epoch. As in `OpenCLIP`, what does not fill the last batch waits for another epoch's order.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        (self.samples.len() / self.batch) as u64
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    /// A hash of every pair's id and texts in order: two runs on the same data have the same.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for sample in &self.samples {
            hasher.update(sample.id.as_bytes()).update(&[0]);
            for text in &sample.texts {
                hasher.update(text.as_bytes()).update(&[0]);
            }
            hasher.update(&[1]);
        }
        format!("b3:{}", &hasher.finalize().to_hex()[..32])
    }

    /// The pairs of one epoch, in its order.
    pub(crate) fn order(&self, epoch: u64) -> Vec<u32> {
        let key = |index: usize, sample: &Sample| {
            let mut hasher = blake3::Hasher::new();
            hasher
                .update(&self.seed.to_le_bytes())
                .update(b"order")
                .update(&epoch.to_le_bytes());
            hasher.update(sample.id.as_bytes());
            let mut first = [0; 8];
            first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
            (
                u64::from_le_bytes(first),
                u32::try_from(index).unwrap_or(u32::MAX),
            )
        };
        let mut keys: Vec<_> = self
            .samples
            .iter()
            .enumerate()
            .map(|(index, sample)| key(index, sample))
            .collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, index)| index).collect()
    }

    pub(crate) fn sample(&self, index: u32) -> &Sample {
        &self.samples[index as usize]
    }

    /// The text that an epoch shows of a pair.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a fraction of a handful of texts"
    )]
    pub(crate) fn text<'a>(&self, sample: &'a Sample, epoch: u64) -> &'a str {
        let chosen =
            uniform(self.seed, &format!("text/{epoch}/{}", sample.id)) * sample.texts.len() as f64;
        &sample.texts[(chosen as usize).min(sample.texts.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(count: usize) -> Vec<Sample> {
        let texts = ["one", "two", "three", "four"].map(Box::from);
        (0..count)
            .map(|n| Sample {
                id: format!("d/i{n}").into(),
                texts: Box::new(texts.clone()),
                ..Sample::default()
            })
            .collect()
    }

    #[test]
    fn an_epoch_shows_each_pair_once_in_an_order_of_its_own() {
        let data = Dataset::new(samples(100), 1, 8).unwrap();
        let mut order = data.order(0);
        assert_eq!(order, data.order(0));
        assert_ne!(order, data.order(1));
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
        assert_eq!(data.steps_per_epoch(), 12);
    }

    #[test]
    fn every_text_has_its_turn() {
        let data = Dataset::new(samples(1000), 1, 8).unwrap();
        let mut seen = [0; 4];
        for index in 0..1000 {
            let sample = data.sample(index);
            let text = data.text(sample, 3);
            seen[sample.texts.iter().position(|t| **t == *text).unwrap()] += 1;
        }
        assert!(
            seen.iter().all(|count| (200..300).contains(count)),
            "{seen:?}"
        );
    }

    #[test]
    fn what_cannot_be_trained_on_is_refused() {
        assert!(Dataset::new(samples(3), 1, 4).is_err());
        assert!(Dataset::new(samples(3), 1, 1).is_err());
        assert!(Dataset::new(vec![Sample::default(); 3], 1, 2).is_err());
    }
}
