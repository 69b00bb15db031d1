//! The behaviours that every tool must have, of the map that `--model` is.

use std::path::Path;

use realsyn_behaviour::{Case, behaves, fixtures, run};

fn arguments(dir: &Path) -> Vec<String> {
    let _ = run(
        env!("CARGO_BIN_EXE_rs-perplexity").as_ref(),
        &["-q", "--train", "a.ngram"].map(str::to_owned),
        dir,
        fixtures::sentence_records(4).as_bytes(),
    )
    .expect(&[0]);
    ["--model", "a.ngram"].map(str::to_owned).into()
}

fn input(dir: &Path) -> String {
    fixtures::image_records(dir, 2) + &fixtures::sentence_records(3)
}

const CASE: Case = Case {
    name: "rs-perplexity",
    program: env!("CARGO_BIN_EXE_rs-perplexity"),
    arguments,
    input,
    status: &[0],
};

behaves!(map, CASE);
