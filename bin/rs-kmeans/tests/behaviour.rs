//! The behaviours that every tool must have, of the map that `--assign` is.

use std::path::Path;

use realsyn_behaviour::{Case, behaves, fixtures, run};

fn arguments(dir: &Path) -> Vec<String> {
    let records = fixtures::embedded_records(&fixtures::sentence_records(4), 3);
    let fit = ["-q", "-k", "3", "--out", "c.npy"].map(str::to_owned);
    let _ = run(
        env!("CARGO_BIN_EXE_rs-kmeans").as_ref(),
        &fit,
        dir,
        records.as_bytes(),
    )
    .expect(&[0]);
    ["--assign", "c.npy"].map(str::to_owned).into()
}

fn input(dir: &Path) -> String {
    fixtures::embedded_records(
        &(fixtures::image_records(dir, 6) + &fixtures::sentence_records(2)),
        3,
    )
}

const CASE: Case = Case {
    name: "rs-kmeans",
    program: env!("CARGO_BIN_EXE_rs-kmeans"),
    arguments,
    input,
    status: &[0],
};

behaves!(map, CASE);
