//! The behaviours that every tool must have.

use realsyn_behaviour::{Case, behaves, fixtures};

const CASE: Case = Case {
    name: "rs-report",
    program: env!("CARGO_BIN_EXE_rs-report"),
    arguments: |_| Vec::new(),
    input: |dir| fixtures::pair_records(dir, 10),
    status: &[0],
};

behaves!(fold, CASE);
