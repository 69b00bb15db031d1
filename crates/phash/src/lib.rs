//! Near-duplicate pictures and equal sentences: hashes, exact search, and which one stays.
//!
//! - [`Algorithm`] makes 64-bit perceptual hashes, bit for bit those of Python's `imagehash`;
//! - [`pairs`] finds *all* pairs within a Hamming radius, by multi-index hashing in place of comparing all with all;
//! - [`Images`] joins them by union-find and keeps one picture of each group; [`Sentences`] does so for equal texts.
//!
//! Memory: for a picture its id and 24 bytes, for a search 24 bytes a distinct hash and at most 64 MB; for a sentence
//! 4 bytes, for a distinct one its id and about 60 bytes more.
//! Order: which records stay depends on the set of records alone, not on the order in which they came.

mod groups;
mod hash;
mod hasher;
mod search;
mod text;

pub use groups::{Images, Sentences, Verdicts};
pub use hash::{Algorithm, UnknownAlgorithm, hex};
pub use hasher::{Hashed, Hasher};
pub use search::{MAX_RADIUS, TooMany, pairs};
pub use text::{TextKey, normal_form};
