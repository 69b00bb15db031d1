//! Flags, exit codes and generated documentation that all tools share.
//!
//! A tool is a clap struct with [`Common`] flattened into it, a [`Page`] for its man page, and a call of [`main`]:
//! parsing does nothing, `--help` and completions come from one definition, and every way to end has its exit status:
//!
//! | status | meaning |
//! |---|---|
//! | 0 | done, or whoever read the output has gone |
//! | 1 | done, and some records were rejected as bad input |
//! | 2 | wrong usage, a failing file, or a reject under `--strict` |
//! | 130 | interrupted |

mod common;
mod entry;
mod generate;
mod page;

pub use common::Common;
pub use entry::main;
pub use page::{Example, Page, Shape};
pub use realsyn_lines::{Outcome, Run};
