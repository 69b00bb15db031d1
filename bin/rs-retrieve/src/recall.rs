//! How much of what brute force finds was found, on a sample of the images.

use std::sync::atomic::{AtomicU64, Ordering};

use realsyn_record::uniform;
use realsyn_retrieve::Hit;

/// What the choice of the sample depends on, together with the ids.
const SEED: u64 = 0;

/// Counts hits of a sample against those of brute force. Sums of whole numbers, so threads do not change them.
pub struct Recall {
    share: f64,
    images: AtomicU64,
    found: AtomicU64,
    wanted: AtomicU64,
}

impl Recall {
    /// Samples this share of the images.
    pub fn new(share: f64) -> Self {
        Self {
            share,
            images: 0.into(),
            found: 0.into(),
            wanted: 0.into(),
        }
    }

    /// Whether the image is in the sample.
    pub fn samples(&self, id: &str) -> bool {
        uniform(SEED, id) < self.share
    }

    /// Takes an image into account.
    pub fn count(&self, found: &[Hit], all: &[Hit]) {
        let wanted = |hit: &&Hit| all.iter().any(|other| other.sentence == hit.sentence);
        let matching = found.iter().filter(wanted).count() as u64;
        self.images.fetch_add(1, Ordering::Relaxed);
        self.found.fetch_add(matching, Ordering::Relaxed);
        self.wanted.fetch_add(all.len() as u64, Ordering::Relaxed);
    }

    /// The images of the sample, and the share of brute force's hits that was found.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn figures(&self) -> (u64, f64) {
        let [images, found, wanted] =
            [&self.images, &self.found, &self.wanted].map(|n| n.load(Ordering::Relaxed));
        (images, found as f64 / wanted.max(1) as f64)
    }
}
