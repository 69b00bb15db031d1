//! The flags that all tools share.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::thread;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use realsyn_lines::{Operand, Progress, Run, Settings, Tell};
use serde::Serialize;

use crate::{Page, Shape};

/// Flags that mean the same in every tool.
#[derive(Clone, Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub struct Common {
    /// Files to read in order; `-` is standard input, which is also read when no file is named. gzip and Zstandard are
    /// known by their first bytes
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Worker threads [default: one a core]; the output is the same at any number
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Common options")]
    pub jobs: Option<u16>,

    /// Write to FILE in place of standard output: under FILE.part until it is whole
    #[arg(
        short = 'o',
        long,
        value_name = "FILE",
        help_heading = "Common options"
    )]
    pub output: Option<PathBuf>,

    /// Replace output files that exist
    #[arg(short = 'f', long, help_heading = "Common options")]
    pub force: bool,

    /// No progress, no warnings, no summary on standard error
    #[arg(short = 'q', long, help_heading = "Common options")]
    pub quiet: bool,

    /// Write a reject/1 record for everything that does not go on, with its reason
    #[arg(long, value_name = "FILE", help_heading = "Common options")]
    pub rejects: Option<PathBuf>,

    /// Write the funnel (seen, kept, dropped by reason) as funnel/1 records
    #[arg(long, value_name = "FILE", help_heading = "Common options")]
    pub report: Option<PathBuf>,

    /// End with status 2 at the first record that is bad input
    #[arg(long, help_heading = "Common options")]
    pub strict: bool,

    /// Reject lines that are longer than this many bytes
    #[arg(long, value_name = "BYTES", default_value_t = 32 << 20, help_heading = "Common options")]
    pub max_line: usize,

    /// Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input
    /// starts again
    #[arg(long, requires = "output", help_heading = "Common options")]
    pub resume: bool,
}

impl Common {
    /// The number of worker threads.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.jobs.map_or_else(
            || thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        )
    }

    /// Opens a run. `settings` is everything of the tool's own that its output depends on: a run is resumed only with
    /// equal ones.
    ///
    /// # Errors
    /// An operand cannot be opened, an output exists, or there is nothing that fits to be resumed.
    pub fn start(&self, page: &Page, settings: &impl Serialize) -> Result<Run> {
        self.start_over(Operand::list(&self.files), page, settings)
    }

    /// As [`Self::start`], for a tool that reads the operands itself, since they may be folders or no lines at all.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_without_operands(&self, page: &Page, settings: &impl Serialize) -> Result<Run> {
        self.start_over(Vec::new(), page, settings)
    }

    fn start_over(
        &self,
        operands: Vec<Operand>,
        page: &Page,
        settings: &impl Serialize,
    ) -> Result<Run> {
        let own = serde_json::to_string(settings).context("settings")?;
        let names: Vec<String> = self
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let fingerprint = format!(
            "{} {} {own} max-line={} {}",
            page.name,
            env!("CARGO_PKG_VERSION"),
            self.max_line,
            names.join(" ")
        );
        Ok(Run::start(Settings {
            stage: page.name,
            operands,
            jobs: self.workers(),
            output: self.output.clone(),
            force: self.force,
            rejects: self.rejects.clone(),
            report: self.report.clone(),
            strict: self.strict,
            max_line: self.max_line,
            resume: self.resume,
            streams: page.shape == Shape::Map,
            fingerprint,
            tell: self.tell(page.name),
            progress: self.progress(page.name),
        })?)
    }

    fn tell(&self, name: &'static str) -> Tell {
        if self.quiet {
            return Box::new(|_| ());
        }
        Box::new(move |line| crate::entry::tell(name, line))
    }

    fn progress(&self, name: &'static str) -> Progress {
        // A display that overwrites its line is for eyes only.
        if self.quiet || !io::stderr().is_terminal() {
            return Box::new(|_| ());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        if let Ok(style) =
            ProgressStyle::with_template("{prefix}: {human_pos} lines, {per_sec}, {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(name);
        Box::new(move |units| bar.set_position(units))
    }
}
