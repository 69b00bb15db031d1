//! The behaviours that every tool must have.

use std::path::Path;

use realsyn_behaviour::{Case, behaves, fixtures};

fn input(dir: &Path) -> String {
    fixtures::embedded_records(
        &(fixtures::image_records(dir, 8) + &fixtures::sentence_records(2)),
        4,
    )
}

const CASE: Case = Case {
    name: "rs-semdedup",
    program: env!("CARGO_BIN_EXE_rs-semdedup"),
    arguments: |_| Vec::new(),
    input,
    status: &[0],
};

behaves!(fold, CASE);
