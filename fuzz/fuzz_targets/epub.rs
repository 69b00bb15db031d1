//! An EPUB book: its package, its chapters.
#![no_main]

use libfuzzer_sys::fuzz_target;
use realsyn_archive::epub::Book;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut book) = Book::open(realsyn_fuzz::file(bytes)) {
        for name in book.chapters.clone().iter().take(64) {
            let _ = book.read(name, 1 << 16);
        }
    }
});
