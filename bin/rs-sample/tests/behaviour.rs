//! The behaviours that every tool must have.

use realsyn_behaviour::{Case, behaves, fixtures};

const CASE: Case = Case {
    name: "rs-sample",
    program: env!("CARGO_BIN_EXE_rs-sample"),
    arguments: |_| ["--on", "text1", "--cap", "2"].map(str::to_owned).into(),
    input: |dir| fixtures::pair_records(dir, 24),
    status: &[0],
};

behaves!(fold, CASE);
