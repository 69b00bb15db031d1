//! A small dependency parser of English, for the CAT filter.
//!
//! CAT (Radenovic et al. 2023, "Filtering, Distillation, and Hard Negatives for Vision-Language Pre-Training") keeps
//! sentences that say enough: their *complexity* is the largest number of children that any token has in the dependency
//! parse, and an *action* is a verb with a nominal subject. What [`Parse::complexity`] and [`Parse::action`] say is
//! meant to be what spaCy's small English model would say, at more than 50 times its speed.
//!
//! A sentence is cut into tokens as spaCy cuts it (`tokens`), a network gives each token a tag, and another one
//! chooses the moves of an arc-eager transition system (`state`). Both networks are sparse on the input, have one small
//! hidden layer and count in whole numbers (`net`); they learned from spaCy's parses ([`train`]), and their weights are
//! part of the program.
//!
//! **Memory.** 8 MB for the weights, once; a [`Scratch`] grows with the longest sentence, about 80 bytes a token.
//! **Order.** A parse depends on the sentence alone, and is the same on every machine.

mod error;
mod features;
mod net;
mod parser;
mod state;
mod tags;
mod tokens;
pub mod train;
mod weights;
mod words;

pub use error::ParseError;
pub use parser::{Parse, Parser, Scratch, Token};
pub use weights::Weights;
