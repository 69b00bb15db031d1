//! Hierarchical retrieval: for each image the nearest clusters of sentences, and in them the nearest sentences.
//!
//! As in the paper (arXiv 2502.12513, hierarchical retrieval) an image finds its nearest cluster centres first and then
//! looks only at the sentences of those clusters. Inside them the answer is exact: every inner product is computed, in
//! single precision over the half-precision vectors ([`realsyn_vector::kernel`]).
//!
//! [`Builder`] groups sentences by cluster and lays them out as the bytes of an index; [`Index`] reads those bytes, from
//! memory or from a map of a file, without copying them; [`Searcher`] answers queries.
//!
//! **Memory.** The index: 2·d bytes a sentence (clusters are filled up to 16 sentences), its id and text, and 36 bytes
//! more. Building holds it twice for a moment. A search adds a few MiB a thread.
//! **Order.** An answer depends on its query alone, never on the batch. Sentences of equal rank are ordered by id.

mod build;
mod error;
mod index;
mod layout;
mod search;
mod text;

pub use build::{Builder, Centres, Sentence};
pub use error::RetrieveError;
pub use index::Index;
pub use search::{Hit, Options, Query, Scratch, Searcher};
pub use text::text_key;
