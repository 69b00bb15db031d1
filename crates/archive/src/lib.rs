//! Containers of documents, read in memory that does not grow with them.
//!
//! - [`warc`]: WARC and ARC, plain, compressed by the record or as a whole. One pass notes where pages and pictures are;
//!   then each is read where it lies, by any number of threads.
//! - [`epub`]: the chapters of a book in their order, and its pictures by name.
//! - [`samples`]: the samples of a `WebDataset` tar as they come.
//!
//! What is damaged is told with its place, and reading goes on behind it. No length that a file claims is believed
//! before as many bytes have been read, and whoever reads says how long a body may become.

mod error;
mod file;
mod http;
mod record;

pub mod epub;
pub mod samples;
pub mod warc;

pub use error::{ArchiveError, Problem};
pub use file::{At, spool};
pub use warc::normal;
