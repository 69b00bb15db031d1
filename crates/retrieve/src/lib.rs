//! Hierarchical retrieval: for each image the nearest clusters of sentences, and in them the nearest sentences.
//!
//! As in the paper (arXiv 2502.12513, hierarchical retrieval) an image finds its nearest cluster centres first and then
//! looks only at the sentences of those clusters. Inside them the answer is exact: every inner product is computed, in
//! single precision over the half-precision vectors ([`realsyn_vector::kernel`]).
//!
//! [`Builder`] groups sentences by cluster and writes them out as the file of an index, of any size; [`Index`] reads the
//! file's bytes where they lie, in a memory map; [`Searcher`] answers queries, batch by batch or all at once.
//!
//! **Memory.** Building: the centres, about 32 bytes a document and a 256th part of the index. Searching: what the system
//! keeps of the map, and a few MiB a thread. The file has 2·d bytes a sentence (clusters are filled up to 16 sentences),
//! its id and text, and 28 bytes more.
//! **Order.** An answer depends on its query alone, never on the batch. Sentences of equal rank are ordered by id.

mod best;
mod build;
mod bulk;
mod error;
mod index;
mod layout;
mod search;
mod text;

pub use best::Hit;
pub use build::{Builder, Centres, Sentence};
pub use bulk::Found;
pub use error::RetrieveError;
pub use index::Index;
pub use search::{Options, Query, Scratch, Searcher};
pub use text::text_key;
