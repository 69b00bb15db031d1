//! Captions and synthetic texts for pairs (RealSyn, section 3: image semantic augmented generation).
//!
//! A vision model behind an OpenAI-compatible endpoint writes the caption; a language model behind
//! another merges the first retrieved text, the caption and the tags into the synthetic text. Answers
//! are judged before they are believed ([`AnswerError`]): a text is never invented, and a pair whose
//! text could not be made says so ([`Failure`]).
//!
//! Texts that are there already are kept unless `overwrite` is set, so a run can be repeated over its
//! own output or its rejects. Temperature 0 and a fixed seed ask the server for the same answer each
//! time; whether it gives it is the server's affair.
//!
//! Memory and order: see [`Captioner`]'s module; results come in the order of the pairs.

mod answer;
mod chat;
mod endpoint;
mod gate;
mod photo;
mod prompt;
mod stage;

pub use answer::AnswerError;
pub use endpoint::{AskError, EndpointError, EndpointOptions, Secret};
pub use prompt::{DESCRIBE, MERGE_RULES, Sources, merge};
pub use stage::{Captioner, Failure, Made, Options, Pair};
