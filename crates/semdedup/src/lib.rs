//! Semantic duplicates: pairs of embeddings nearer than a cosine distance, joined into sets, and which record stays.
//!
//! - [`Store`] holds the vectors (memory-mapped), their lengths, and which records have the very same vector;
//! - [`search`] finds the pairs: all of them, or those that a clustering leaves ([`Centres`], [`Overlap`]), and joins
//!   them by union-find at one distance or at many at once;
//! - [`Verdicts`] says which record of each set stays.
//!
//! **Exact where it says so.** The cosine of two vectors is their inner product, summed in double precision, over their
//! lengths. For half-precision vectors of length up to about 4 that sum is exact, whatever the order of its terms. The
//! search by 8-bit codes ([`realsyn_vector::int8`]) has a proven bound and only proposes pairs.
//!
//! **Memory.** A record costs 8 bytes here, a distinct vector 28 and 4 more for each distance that is looked at; vectors
//! and codes lie in files. A thread holds one block of codes and of pairs.
//! **Order.** Which records share a set depends on the set of vectors alone, and so does which of them stays, given a
//! total order of the records. No result depends on the number of threads.

mod centroid;
mod codes;
mod distances;
mod error;
mod exact;
mod forest;
mod names;
mod overlap;
mod parallel;
mod search;
mod store;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use centroid::{Rank, Verdicts, sets};
pub use distances::{TABLE, at_percentile};
pub use error::SemdedupError;
pub use names::{Finder, Names};
pub use overlap::{Centres, Overlap};
pub use search::{Found, Options, Part, ReachedRecall, Row, given, search};
pub use store::Store;
