//! Near-duplicate pictures and sentences: hashes, exact search, and which one stays.
//!
//! - [`Algorithm`] makes 64-bit perceptual hashes, bit for bit those of Python's `imagehash` for lossless pictures;
//! - [`Graph::search`] joins *all* hashes within a Hamming radius, found by multi-index hashing in place of comparing all
//!   with all; [`Texts::search`] joins sentences that are nearly the same, found by min-hashes;
//! - [`Members`] are the records, of each group of which [`Verdicts`] keep one;
//! - a search may be cut into [`Part`]s, whose [`Graph::edges`] another run [`join`](Graph::join)s, and what earlier runs
//!   kept is [`Seen`].
//!
//! Memory: for a record its id and 28 or 36 bytes, for a search 24 bytes a distinct hash and at most 128 MB; for near
//! sentences the text of each distinct one and about 120 bytes.
//! Order: which records stay depends on the set of records alone, not on the order in which they came, nor on parts and
//! threads.

mod block;
mod graph;
mod groups;
mod hash;
mod hasher;
mod near;
mod search;
mod seen;
mod sets;
mod text;

pub use graph::Graph;
pub use groups::{Members, Verdicts};
pub use hash::{Algorithm, Hashed, UnknownAlgorithm, from_hex, hex};
pub use hasher::Hasher;
pub use near::{BadThreshold, Near, Texts};
pub use search::{MAX_RADIUS, NotAPart, Part, TooMany, pairs};
pub use seen::{Seen, SeenError, SeenKey, seen_entry};
pub use text::{TextKey, normal_form};
