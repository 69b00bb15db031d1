//! A line of MMC4.
#![no_main]

use libfuzzer_sys::fuzz_target;
use realsyn_extract::Form;

fuzz_target!(|bytes: &[u8]| {
    let folder = realsyn_fuzz::FOLDER.as_ref();
    let _ = realsyn_extract::interleaved(bytes, Some(Form::Mmc4), folder, &realsyn_fuzz::options());
});
