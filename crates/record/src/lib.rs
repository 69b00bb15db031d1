//! Record types, identities and schema tags of the pipeline's JSON Lines.
//!
//! A record is one JSON object on one line whose `schema` key names its kind and major version, such as
//! `image/1`. [`Record`] looks at a line without copying it: the values of the top-level keys stay raw JSON that borrows
//! from the line, so that a tool pays only for the fields that it reads, and [`Edits`] writes the line again with some
//! fields changed and every other byte as it was.
//!
//! Memory: one small vector of key and value references a record. Order: fields keep the order of the line.

mod edits;
mod embedding;
mod error;
mod identity;
mod made;
mod view;

pub use edits::{Edits, fixed};
pub use embedding::{Embedding, Sidecars};
pub use error::RecordError;
pub use identity::{content_hash, doc_of, uniform};
pub use made::{Image, PairText, Sentence};
pub use view::{Kind, Record};
