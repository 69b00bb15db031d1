//! A page: charset, tree, content, blocks, references, `data:` URIs, sentences.
#![no_main]

use libfuzzer_sys::fuzz_target;
use realsyn_extract::Source;

fuzz_target!(init: realsyn_fuzz::catch(), |bytes: &[u8]| {
    let source = Source::of("fuzz", realsyn_fuzz::FOLDER.as_ref());
    let _ = realsyn_extract::html(bytes, &source, &realsyn_fuzz::options());
});
