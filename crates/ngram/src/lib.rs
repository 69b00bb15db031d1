//! An n-gram language model that says how surprising a sentence is.
//!
//! [`Trainer`] counts sentences and estimates an interpolated modified Kneser-Ney model (Chen and Goodman 1999, "An
//! empirical study of smoothing techniques for language modeling", section 4.1.1); [`Model`] reads its file and gives
//! perplexities. A sentence is folded to lower case and cut into words, numbers and punctuation marks ([`words()`]), and
//! is scored between a beginning and an end, as is usual for such models.
//!
//! **The file** holds the vocabulary as an `fst` map and, for each order, the n-grams in sorted order as a trie: 4 bytes
//! for the word, one each for the probability and the back-off weight (indices into 256 values an order), and 4 for
//! where the longer n-grams begin. It is mapped into memory and searched where it lies.
//! **Memory.** Training: 4 (order + 2) bytes a word of text and, for each order n, 4 (n + 3) bytes a distinct n-gram,
//! beside the vocabulary. Scoring: the pages of the file that are touched, and a copy of the vocabulary.
//! **Order.** The model depends on the sentences as a multiset, not on their order.

mod counts;
mod discount;
mod error;
mod estimate;
mod file;
mod model;
mod quantise;
mod train;
mod words;

pub use error::NgramError;
pub use model::{Model, Score, Scratch};
pub use train::{MAX_ORDER, Summary, Trainer};
pub use words::words;
