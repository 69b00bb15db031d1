//! A line of OBELICS or OmniCorpus, and whatever else its keys make of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use realsyn_extract::Form;

fuzz_target!(|bytes: &[u8]| {
    for form in [None, Some(Form::Obelics), Some(Form::OmniCorpus)] {
        let folder = realsyn_fuzz::FOLDER.as_ref();
        let _ = realsyn_extract::interleaved(bytes, form, folder, &realsyn_fuzz::options());
    }
});
