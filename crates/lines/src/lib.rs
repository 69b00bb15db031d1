//! Lines in, lines out: what every tool of the pipeline shares below its own stage.
//!
//! - [`Batches`] reads operands line by line, through gzip and Zstandard by their magic bytes;
//! - [`ordered`] runs work on several threads and hands the results back in input order;
//! - [`Run`] owns the outputs: standard output or an atomically replaced file, the rejects, the funnel report, and the
//!   journal from which a killed run goes on.
//!
//! Memory: a bounded number of batches in flight, each bounded by the longest line that is allowed. Order: what comes
//! out has the order of what went in, at any number of threads. The crate knows nothing of what a line means.

mod batch;
mod error;
mod journal;
mod ordered;
mod output;
mod run;
mod sink;
mod source;
mod spool;
mod tally;

pub use batch::{Batch, Batches, Cut, Line, Problem};
pub use error::LinesError;
pub use ordered::{Stop, ordered};
pub use output::{AtomicFile, Output};
pub use run::{Outcome, Progress, Run, Settings, Tell};
pub use sink::{Class, Origin, Sink};
pub use source::{Operand, decoded, open};
pub use spool::{Spool, SpoolReader};
pub use tally::{Counts, Tally};
