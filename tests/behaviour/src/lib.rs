//! The behaviours that every tool must have, as a table of tests, and the fixtures that all tests share.
//!
//! A tool's own tests say `realsyn_behaviour::behaves!(case)` with a [`Case`] that says how to call it; each behaviour
//! then is a test of its own name. What a case is made of is made by code: no foreign text or picture is in it.
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a library of assertions: panicking is how it answers"
)]

pub mod behaviours;
mod case;
pub mod fixtures;
mod onnx;
mod process;

pub use case::{Case, Scene};
pub use process::{Finished, records, run, sh};

/// Makes one test of each behaviour that a tool of the case's kind must have.
///
/// `behaves!(map, CASE)` for maps, `behaves!(fold, CASE)` for tools that must see all their input.
#[macro_export]
macro_rules! behaves {
    (map, $case:expr) => {
        $crate::behaves!(@tests $case,
            help_and_version_are_on_standard_output, no_arguments_on_a_terminal_is_help, wrong_usage_is_status_2,
            a_full_disk_is_status_2, a_closed_pipe_is_quiet, nothing_is_shown_off_a_terminal,
            bad_lines_are_rejected_and_nothing_is_lost, strict_ends_at_the_first_bad_line,
            unknown_kinds_pass_through_untouched, compressed_operands_are_read, a_cut_gzip_is_rejected,
            output_appears_whole_and_is_not_clobbered, the_bytes_are_the_same_at_any_number_of_threads,
            the_output_of_parts_is_the_output_of_the_whole, one_line_in_is_one_line_out, a_killed_run_is_resumed);
    };
    (fold, $case:expr) => {
        $crate::behaves!(@tests $case,
            help_and_version_are_on_standard_output, no_arguments_on_a_terminal_is_help, wrong_usage_is_status_2,
            a_full_disk_is_status_2, a_closed_pipe_is_quiet, nothing_is_shown_off_a_terminal,
            bad_lines_are_rejected_and_nothing_is_lost, strict_ends_at_the_first_bad_line,
            compressed_operands_are_read, a_cut_gzip_is_rejected, output_appears_whole_and_is_not_clobbered,
            the_bytes_are_the_same_at_any_number_of_threads, a_killed_fold_starts_again);
    };
    (@tests $case:expr, $($name:ident),+) => {
        $(
            #[test]
            fn $name() {
                $crate::behaviours::$name(&$case);
            }
        )+
    };
}
