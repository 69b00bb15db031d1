//! An n-gram language model that says how surprising a sentence is.
//!
//! [`Trainer`] counts sentences and estimates an interpolated modified Kneser-Ney model (Chen and Goodman 1999, "An
//! empirical study of smoothing techniques for language modeling", section 4.1.1); [`Model`] reads its file and gives
//! perplexities. A sentence is cut into words, numbers and punctuation marks in lower case with each digit as 0
//! ([`words()`]), and is scored between a beginning and an end, as is usual for such models.
//!
//! **Unknown words.** What was too rare to be counted is predicted by its look (a name, a number, `-ing`, ...), which takes
//! part in n-grams as any word does, and then letter by letter by a second model, of the spelling of all words. It counts
//! as several words, one for every three letters, so that a sentence with a rare term is not thrown out for it, as GPT-2,
//! too, cuts such a term into pieces; a word of random letters stays improbable in each of its pieces.
//!
//! **The file** holds the known words' hashes and, for words and for letters, a tree of n-grams with 8-bit probabilities
//! and back-off weights, packed to the bit: some 3 bytes for the longest n-grams and 7 for others. It is mapped into memory
//! and searched where it lies.
//! **Memory.** Training: what it is told, by sorting in temporary files, beside 8 bytes a known word and the continuations
//! of one context. Scoring: the pages of the file that are touched.
//! **Order.** The model depends on the sentences as a multiset: no byte depends on their order, on the memory or on the
//! number of threads.

mod counts;
mod discount;
mod error;
mod estimate;
mod file;
mod model;
mod quantise;
mod sort;
mod train;
mod trie;
mod unknown;
mod vocabulary;
mod words;

pub use error::NgramError;
pub use model::{Model, Score, Scratch};
pub use train::{MAX_ORDER, Summary, TrainOptions, Trainer};
pub use words::{Word, Words, words};
