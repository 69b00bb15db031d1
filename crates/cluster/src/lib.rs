//! Spherical and Euclidean k-means over a matrix of vectors, and the assignment of vectors to centroids.
//!
//! [`fit`] runs Lloyd's iterations; [`Assigner`] finds nearest centroids; [`Centroids`] is what both share, with its file
//! form. Rows come from anything that implements [`Vectors`], block by block. [`shards`] cuts an iteration into parts that
//! many machines work on.
//!
//! **Exact, and fast by looking away.** Every row goes to its nearest centroid, by scores in double precision. Two bounds
//! leave out what cannot matter: a coarse look in bytes leaves a few centroids for a row (`search`), and a centroid's way
//! from iteration to iteration tells which rows stay where they are, unread (`bounds`). Neither changes a result.
//!
//! **Same bits everywhere.** Assignment looks at one row at a time, with the same bits on every processor
//! ([`realsyn_vector::kernel`]). A centroid is the mean of its rows, and the sums are whole numbers (each coordinate as a
//! multiple of 2⁻³⁰ of the data's range), so adding them in any order, on any number of threads, in any blocks or shards
//! gives the same bits. Seeds are chosen by each row's key, a hash of the seed and the row's id, never by its place.
//!
//! **Memory.** O(k·d): 4 bytes a number for the centroids, twice, 1 (or 2) as bytes, and 8 for the sums; one batch of 256 rows
//! a thread; and 20 bytes a row (its key, its cluster and two bounds).
//! **Order.** Clusters are numbered in the order of the seeds' keys.

mod assign;
mod bounds;
mod centroids;
mod checkpoint;
mod error;
mod fit;
mod lloyd;
mod parallel;
mod repair;
mod sealed;
mod search;
mod seeding;
pub mod shards;
mod sums;
mod vectors;

pub use assign::{Assigned, Assigner};
pub use centroids::{Centroids, Metric};
pub use checkpoint::Checkpoint;
pub use error::ClusterError;
pub use fit::{Init, Iteration, Options, fit};
pub use vectors::{MemoryVectors, Picked, Vectors, row_keys, sample};
