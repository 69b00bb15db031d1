//! rs-extract: images and sentences of documents, in their order.

mod epub;
mod flags;
mod late;
mod lines;
mod page;
mod parquet;
mod passes;
mod settle;
mod single;
mod sniff;
mod tasks;
mod warc;
mod webdataset;

use std::process::ExitCode;

use clap::Parser;
use realsyn_cli::Common;

/// Extract images and sentences from documents, in their order
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    common: Common,

    #[command(flatten)]
    own: flags::Own,
}

fn main() -> ExitCode {
    realsyn_cli::main(&page::PAGE, |args: Args| {
        passes::run(&args.common, &args.own)
    })
}
