//! Runs a stage over a stream of records.
//!
//! A stage says which kinds of record it handles and what becomes of each; the drivers here read lines, parse them on
//! several threads, pass on what the stage does not handle, reject what is no record, and write everything in input
//! order:
//!
//! - [`map`]: a record's fate depends on that record alone;
//! - [`fold`]: records are prepared in parallel and pushed in order, the lines wait in a temporary file, and when all
//!   have been seen each one's fate is decided;
//! - [`scan`]: as a fold, without going back to the lines.
//!
//! Memory: batches in flight, each bounded by the longest line that is allowed; a fold's lines are on disk.

mod fold;
mod map;
mod reply;
#[cfg(test)]
mod testing;

pub use fold::{RecordFold, Spooled, fold, scan};
pub use map::{RecordMap, Through, map, map_through};
pub use reply::{Refusal, Reply};
