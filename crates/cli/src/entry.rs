//! How a tool begins and ends.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::{self, ExitCode};

use anyhow::{Result, anyhow};
use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Parser};
use realsyn_lines::{LinesError, Outcome};

use crate::{Page, generate};

const USAGE: u8 = 2;
const INTERRUPTED: i32 = 130;

/// Parses the command line into `A`, runs the tool and turns every way to end into an exit status.
pub fn main<A: Parser>(page: &Page, run: impl FnOnce(A) -> Result<Outcome>) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match begin(page, &arguments, run) {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Rejects) => ExitCode::from(1),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            tell(page.name, &format!("{error:#}"));
            ExitCode::from(USAGE)
        }
    }
}

fn begin<A: Parser>(
    page: &Page,
    arguments: &[OsString],
    run: impl FnOnce(A) -> Result<Outcome>,
) -> Result<Outcome> {
    let command = command::<A>(page);
    // The build's own door: `--generate man` and its like are for packagers, not for the help text.
    if arguments.get(1).is_some_and(|first| first == "--generate") {
        let what = arguments
            .get(2)
            .and_then(|what| what.to_str())
            .unwrap_or_default();
        return print(&generate::document(page, command, what)?);
    }
    if arguments.len() == 1 && io::stdin().is_terminal() {
        let help = command.clone().render_help();
        // Nowhere left to complain to.
        let _ = write!(io::stderr().lock(), "{help}");
        process::exit(i32::from(USAGE));
    }
    let parsed = command
        .try_get_matches_from(arguments)
        .and_then(|matches| A::from_arg_matches(&matches));
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            return print(error.render().to_string().as_bytes());
        }
        Err(error) => {
            let _ = write!(io::stderr().lock(), "{}", error.render());
            process::exit(i32::from(USAGE));
        }
    };
    let name = page.name;
    // What is on disk then is true at any moment, so that nothing need be put away first.
    ctrlc::set_handler(move || {
        tell(name, "interrupted");
        process::exit(INTERRUPTED);
    })
    .map_err(|error| anyhow!("cannot watch for an interrupt: {error}"))?;
    run(parsed)
}

/// The definition that help, man page and completions come from.
fn command<A: CommandFactory>(page: &Page) -> Command {
    A::command()
        .name(page.name)
        .bin_name(page.name)
        .version(env!("CARGO_PKG_VERSION"))
        .max_term_width(100)
}

fn print(text: &[u8]) -> Result<Outcome> {
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => LinesError::BrokenPipe,
            _ => LinesError::io("standard output", error),
        })?;
    Ok(Outcome::Clean)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| match cause.downcast_ref::<LinesError>() {
            Some(error) => matches!(error, LinesError::BrokenPipe),
            None => false,
        })
}

/// Writes a line to standard error; should that be gone, there is nobody to tell.
pub(crate) fn tell(name: &str, line: &str) {
    let _ = writeln!(io::stderr().lock(), "{name}: {line}");
}
