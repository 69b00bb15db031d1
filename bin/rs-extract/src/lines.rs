//! JSON Lines, a document a line.
//!
//! Memory: a batch of lines. Order: the file's.

use realsyn_extract::Form;
use realsyn_lines::{Batch, Batches, Cut, Problem, Stop};

use crate::settle::Desk;
use crate::sniff::From;
use crate::tasks::{self, Input, Outlet, Over, Piece, Plan};

/// Some lines of a file.
struct Lines {
    batch: Batch,
    form: Option<Form>,
    /// Lines with numbers up to this one are done.
    after: u64,
    units: u64,
}

/// Sends the lines of a file.
///
/// # Errors
/// The run is over.
pub fn read(input: Input, plan: &Plan, stop: &Stop, outlet: &mut Outlet) -> Result<(), Over> {
    // Documents are long and dear: small batches, so that no thread waits at the end.
    let cut = Cut {
        max_line: plan.max_line,
        max_lines: 16,
        ..Cut::default()
    };
    let form = form(plan.from);
    let mut before = 0;
    for batch in Batches::of_reader(input.name, input.reader, cut, stop) {
        let units = batch.units();
        let skipped = outlet.skip(units);
        if skipped < units {
            outlet.send(Lines {
                batch,
                form,
                after: before + skipped,
                units: units - skipped,
            })?;
        }
        before += units;
    }
    Ok(())
}

/// The form that the user says documents have; `None` to look at their keys.
pub fn form(from: From) -> Option<Form> {
    match from {
        From::Obelics => Some(Form::Obelics),
        From::Mmc4 => Some(Form::Mmc4),
        From::Omnicorpus => Some(Form::OmniCorpus),
        _ => None,
    }
}

impl Piece for Lines {
    fn units(&self) -> u64 {
        self.units
    }

    fn settle(self: Box<Self>, desk: &mut Desk<'_>) {
        for line in self.batch.lines().filter(|line| line.number > self.after) {
            let origin = (&line).into();
            match line.problem {
                Some(problem @ Problem::TooLong { bytes }) => {
                    let message = format!("the line has {bytes} bytes");
                    desk.refuse(problem.code(), &message, origin);
                }
                Some(problem @ Problem::Broken { message }) => {
                    desk.refuse(problem.code(), message, origin);
                }
                None => {
                    let folder = tasks::folder(line.file);
                    let made =
                        realsyn_extract::interleaved(line.bytes, self.form, folder, desk.options());
                    desk.settle(made, origin);
                }
            }
        }
    }
}
