//! What the targets share.

use std::fs::File;
use std::io::{Seek, Write};

use realsyn_extract::Options;

/// What is asked of documents: pictures beside them too, of which there are none.
pub fn options() -> Options {
    Options {
        max_document: 1 << 20,
        ..Options::default()
    }
}

/// A file in memory with the bytes.
pub fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile_in("/dev/shm").expect("a file in memory");
    file.write_all(bytes).expect("room for it");
    file.rewind().expect("a file can be read again");
    file
}

/// Where documents lie: nowhere.
pub const FOLDER: &str = "/nonexistent/folder";

/// Has panics of libraries pass, which the readers catch and make errors of; one in a reader of ours ends the run.
pub fn catch() {
    std::panic::set_hook(Box::new(|panic| {
        let is_ours = |file: &str| file.contains("/crates/") || file.contains("fuzz_targets/");
        if panic.location().is_none_or(|at| is_ours(at.file())) {
            eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
            std::process::abort();
        }
    }));
}
