//! A WebDataset tar: its samples.
#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use realsyn_archive::samples;

fuzz_target!(|bytes: &[u8]| {
    let limit = |ending: &str| (ending != "cls").then_some(1 << 16);
    let _ = samples::read(bytes, limit, |_| ControlFlow::<()>::Continue(()));
});
