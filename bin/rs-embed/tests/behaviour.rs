//! The behaviours that every tool must have.

use std::path::Path;

use realsyn_behaviour::{Case, behaves, fixtures};

fn arguments(dir: &Path) -> Vec<String> {
    fixtures::model(&dir.join("model"));
    ["--model", "model", "--engine", "rten"]
        .map(str::to_owned)
        .into()
}

fn input(dir: &Path) -> String {
    fixtures::image_records(dir, 6) + &fixtures::sentence_records(2)
}

const CASE: Case = Case {
    name: "rs-embed",
    program: env!("CARGO_BIN_EXE_rs-embed"),
    arguments,
    input,
    status: &[0],
};

behaves!(map, CASE);
