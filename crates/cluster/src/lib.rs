//! Spherical and Euclidean k-means over a matrix of vectors, and the assignment of vectors to centroids.
//!
//! [`fit`] runs Lloyd's iterations; [`Assigner`] finds nearest centroids; [`Centroids`] is what both share, with its file
//! form. Rows come from anything that implements [`Vectors`], block by block.
//!
//! **Same bits everywhere.** Assignment looks at one row at a time ([`realsyn_vector::kernel`]). A centroid is the mean of
//! its rows, and the sums are whole numbers (each coordinate as a multiple of 2⁻³⁰ of the data's range), so adding them in
//! any order, on any number of threads, in any blocks or shards gives the same bits. Seeds are chosen by each row's key,
//! a hash of the seed and the row's id, never by its place.
//!
//! **Memory.** O(k·d) for centroids (4 bytes a number, twice) and sums (8 bytes), one block of rows a thread, and 12 bytes a
//! row (its key and its cluster).
//! **Order.** Clusters are numbered in the order of the seeds' keys.

mod assign;
mod centroids;
mod error;
mod fit;
mod seeding;
mod sums;
mod vectors;

pub use assign::{Assigned, Assigner};
pub use centroids::{Centroids, Metric};
pub use error::ClusterError;
pub use fit::{Init, Iteration, Options, fit};
pub use vectors::{MemoryVectors, Vectors, row_keys};
