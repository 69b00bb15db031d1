//! The behaviours that every tool must have, of the map over OBELICS lines that `--counts` makes of the tool.
//!
//! The table's cases of bad records and of unknown kinds are about records on standard input; their like for documents
//! are in `cli.rs`.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::fmt::Write as _;
use std::path::Path;

use realsyn_behaviour::{Case, behaves, fixtures, run};

fn arguments(dir: &Path) -> Vec<String> {
    let count = ["-q", "--from", "obelics", "--count", "words.fst"].map(str::to_owned);
    let _ = run(
        env!("CARGO_BIN_EXE_rs-extract").as_ref(),
        &count,
        dir,
        input(dir).as_bytes(),
    )
    .expect(&[0]);
    ["--from", "obelics", "--counts", "words.fst"]
        .map(str::to_owned)
        .into()
}

fn input(_: &Path) -> String {
    let mut lines = String::new();
    for doc in 0..12 {
        let text = fixtures::sentences(doc).join(" ");
        let url = format!("https://pictures.example/{doc}.jpg");
        writeln!(
            lines,
            "{{\"images\":[\"{url}\",null],\"texts\":[null,\"{text}\"],\"metadata\":\"[null,null]\"}}"
        )
        .unwrap();
    }
    lines
}

const CASE: Case = Case {
    name: "rs-extract",
    program: env!("CARGO_BIN_EXE_rs-extract"),
    arguments,
    input,
    status: &[0],
};

behaves!(@tests CASE,
    help_and_version_are_on_standard_output, no_arguments_on_a_terminal_is_help, wrong_usage_is_status_2,
    a_full_disk_is_status_2, a_closed_pipe_is_quiet, nothing_is_shown_off_a_terminal, strict_ends_at_the_first_bad_line,
    compressed_operands_are_read, a_cut_gzip_is_rejected, output_appears_whole_and_is_not_clobbered,
    the_bytes_are_the_same_at_any_number_of_threads, the_output_of_parts_is_the_output_of_the_whole,
    a_killed_run_is_resumed);
