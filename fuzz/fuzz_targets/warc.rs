//! A WARC or ARC file: its survey, each page, each picture's URL that it has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use realsyn_archive::warc::Warc;

fuzz_target!(|bytes: &[u8]| {
    let Ok((warc, _)) = Warc::open(realsyn_fuzz::file(bytes), &|| false) else {
        return;
    };
    for &offset in warc.pages().iter().take(64) {
        if let Ok(page) = warc.page(offset, 1 << 16) {
            let _ = warc.picture(&page.url, 1 << 16);
        }
    }
});
