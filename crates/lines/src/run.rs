//! One run of a tool: its outputs, its counts and how it ends.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::journal::{self, State};
use crate::output::part_of;
use crate::{AtomicFile, Batches, Cut, LinesError, Operand, Output, Sink, Stop, Tally};

/// How often an unfinished output and its journal are put on disk.
const JOURNAL_EVERY: Duration = Duration::from_secs(1);
/// How many errors are told on standard error.
const TOLD: usize = 10;

/// Tells a line to whoever watches standard error.
pub type Tell = Box<dyn FnMut(&str) + Send>;
/// Told after every batch how many units of input are done.
pub type Progress = Box<dyn FnMut(u64) + Send>;

/// What a run is asked to do.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub struct Settings {
    /// The tool's name.
    pub stage: &'static str,
    /// Where lines come from.
    pub operands: Vec<Operand>,
    /// Worker threads.
    pub jobs: usize,
    /// A file in place of standard output.
    pub output: Option<PathBuf>,
    /// Replace files that are there.
    pub force: bool,
    /// Where reject records go.
    pub rejects: Option<PathBuf>,
    /// Where the funnel goes.
    pub report: Option<PathBuf>,
    /// End at the first record that is rejected as bad input.
    pub strict: bool,
    /// The longest line that is allowed, in bytes.
    pub max_line: usize,
    /// Go on where a killed run stopped.
    pub resume: bool,
    /// Whether the output grows with the input, so that a killed run leaves something to go on from.
    pub streams: bool,
    /// Everything that the output depends on, in words that two runs can compare.
    pub fingerprint: String,
    /// Standard error, unless it should be quiet.
    pub tell: Tell,
    /// The progress display.
    pub progress: Progress,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("stage", &self.stage)
            .field("operands", &self.operands)
            .finish_non_exhaustive()
    }
}

/// How a run ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No bad input.
    Clean,
    /// Some records were rejected as bad input.
    Rejects,
}

/// A run under way.
///
/// Results are [accepted](Run::accept) in input order. Outputs get their names in [`Run::finish`]; a run that ends
/// before leaves `.part` files and, if it streams, a journal to go on from.
#[derive(Debug)]
pub struct Run {
    settings: Settings,
    stop: Stop,
    output: Output,
    rejects: Option<AtomicFile>,
    report: Option<AtomicFile>,
    state: State,
    told: usize,
    journaled: Instant,
    is_done: bool,
}

impl Run {
    /// Checks the operands and opens the outputs.
    ///
    /// # Errors
    /// An operand cannot be opened, an output exists, or there is nothing that fits to be resumed.
    pub fn start(settings: Settings) -> Result<Self, LinesError> {
        for operand in &settings.operands {
            operand.check()?;
        }
        let fresh = State {
            fingerprint: settings.fingerprint.clone(),
            ..State::default()
        };
        let mut state = fresh;
        let mut is_done = false;
        let mut force = settings.force;
        if settings.resume
            && let Some(path) = &settings.output
        {
            if part_of(path).exists() {
                if settings.streams && journal::name(path).exists() {
                    state = State::load(path, settings.rejects.as_deref(), &settings.fingerprint)?;
                }
                // Killed before its first journal, or a fold, which has nothing to go on from: from the beginning.
                force = true;
            } else {
                is_done = path.exists();
            }
        }
        let open = |path: &PathBuf, kept: u64| {
            AtomicFile::check(path, force || is_done)?;
            AtomicFile::at(path, kept)
        };
        let output = match &settings.output {
            Some(path) if !is_done => Output::File(open(path, state.out)?),
            _ => Output::Stdout(std::io::stdout()),
        };
        let side = |path: &Option<PathBuf>, kept: u64| {
            path.as_ref()
                .filter(|_| !is_done)
                .map(|path| open(path, kept))
                .transpose()
        };
        let rejects = side(&settings.rejects, state.rejects)?;
        let report = side(&settings.report, 0)?;
        if state.units == 0
            && let Some(path) = &settings.output
        {
            // A journal of a run that is started again would be true of other bytes. Only now: a run that is refused
            // above must leave it.
            journal::remove(path)?;
        }
        let told = usize::try_from(state.tally.errors()).unwrap_or(TOLD);
        Ok(Self {
            stop: Stop::default(),
            output,
            rejects,
            report,
            state,
            told,
            journaled: Instant::now(),
            is_done,
            settings,
        })
    }

    /// The tool's name.
    #[must_use]
    pub fn stage(&self) -> &'static str {
        self.settings.stage
    }

    /// Worker threads.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.settings.jobs
    }

    /// Where lines come from. Empty when a resumed run finds its output whole.
    #[must_use]
    pub fn operands(&self) -> Vec<Operand> {
        if self.is_done {
            Vec::new()
        } else {
            self.settings.operands.clone()
        }
    }

    /// Units of input that an earlier run has done: what a tool that cuts its input itself must skip.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.state.units
    }

    /// The longest line that is allowed, in bytes.
    #[must_use]
    pub fn max_line(&self) -> usize {
        self.settings.max_line
    }

    /// Tells everybody that the run is over.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// The operands' lines that are still to be done, at most `max_lines` a batch.
    #[must_use]
    pub fn batches(&self, max_lines: usize) -> Batches {
        let cut = Cut {
            max_line: self.settings.max_line,
            max_lines,
            ..Cut::default()
        };
        Batches::new(self.operands(), cut, self.state.units, &self.stop)
    }

    /// An empty sink for a worker.
    #[must_use]
    pub fn sink(&self) -> Sink {
        Sink::new(self.settings.stage)
    }

    /// Writes what a worker made, in its turn.
    ///
    /// # Errors
    /// An output cannot be written, or an error was met under `--strict`.
    pub fn accept(&mut self, mut sink: Sink) -> Result<(), LinesError> {
        self.write(&sink.out)?;
        self.state.rejects += sink.rejects.len() as u64;
        if let Some(rejects) = &mut self.rejects {
            let path = self.settings.rejects.clone().unwrap_or_default();
            rejects
                .write_all(&sink.rejects)
                .map_err(|source| LinesError::io(path.display().to_string(), source))?;
        }
        self.state.units += sink.units;
        self.state.tally.merge(std::mem::take(&mut sink.tally));
        if self.settings.strict
            && let Some(first) = sink.told.first()
        {
            return Err(LinesError::Strict(first.clone()));
        }
        self.tell_errors(&sink);
        (self.settings.progress)(self.state.units);
        self.journal()
    }

    fn tell_errors(&mut self, sink: &Sink) {
        for line in sink.told.iter().take(TOLD.saturating_sub(self.told)) {
            (self.settings.tell)(line);
        }
        self.told += sink.told.len();
    }

    /// Writes whole lines to the output.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn write(&mut self, lines: &[u8]) -> Result<(), LinesError> {
        if lines.is_empty() {
            return Ok(());
        }
        self.state.out += lines.len() as u64;
        self.output.write(lines)
    }

    /// Adds something that the stage has to say to the funnel of `kind`.
    pub fn note(&mut self, kind: &str, key: &str, value: serde_json::Value) {
        self.state
            .tally
            .of(kind)
            .notes
            .insert(key.to_owned(), value);
    }

    /// The counts so far.
    pub fn tally(&mut self) -> &mut Tally {
        &mut self.state.tally
    }

    /// Tells a line on standard error, unless the run is quiet.
    pub fn tell(&mut self, line: &str) {
        (self.settings.tell)(line);
    }

    fn journal(&mut self) -> Result<(), LinesError> {
        let (Some(path), true) = (&self.settings.output, self.settings.streams) else {
            return Ok(());
        };
        let Output::File(file) = &mut self.output else {
            return Ok(());
        };
        if self.journaled.elapsed() < JOURNAL_EVERY {
            return Ok(());
        }
        file.sync()?;
        if let Some(rejects) = &mut self.rejects {
            rejects.sync()?;
        }
        self.state.save(path)?;
        self.journaled = Instant::now();
        Ok(())
    }

    /// Ends the run: the outputs get their names, the funnel is written, the summary told.
    ///
    /// # Errors
    /// An output cannot be written or named.
    pub fn finish(mut self) -> Result<Outcome, LinesError> {
        if self.is_done {
            let path = self.settings.output.clone().unwrap_or_default();
            (self.settings.tell)(&format!("{} is whole: nothing to resume", path.display()));
            return Ok(Outcome::Clean);
        }
        // Rejects and report first: when the output has its name, everything about it is there.
        if let Some(rejects) = self.rejects.take() {
            rejects.finish()?;
        }
        if let Some(mut report) = self.report.take() {
            let path = self.settings.report.clone().unwrap_or_default();
            report
                .write_all(&self.state.tally.funnel(self.settings.stage))
                .map_err(|source| LinesError::io(path.display().to_string(), source))?;
            report.finish()?;
        }
        self.output.finish()?;
        if let Some(path) = &self.settings.output {
            journal::remove(path)?;
        }
        let errors = self.state.tally.errors();
        if errors > TOLD as u64 {
            (self.settings.tell)(&format!("… and {} more errors", errors - TOLD as u64));
        }
        for line in self.state.tally.summary() {
            (self.settings.tell)(&line);
        }
        Ok(if errors > 0 {
            Outcome::Rejects
        } else {
            Outcome::Clean
        })
    }
}
