//! Runs over a string, for the tests of the drivers.

use anyhow::Result;
use realsyn_lines::{Operand, Outcome, Run, Settings};
use realsyn_record::Record;

/// What a run left.
pub(crate) struct Done {
    pub outcome: Result<Outcome>,
    pub out: String,
    pub rejects: Vec<Reject>,
}

/// The parts of a reject record that tests look at.
pub(crate) struct Reject {
    pub code: String,
    pub line: u64,
}

/// Runs `tool` over `input` and collects its outputs.
pub(crate) fn run_over(
    input: &str,
    jobs: usize,
    tool: impl FnOnce(Run) -> Result<Outcome>,
) -> Done {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name);
    std::fs::write(place("in.jsonl"), input).unwrap();
    let run = Run::start(Settings {
        stage: "rs-test",
        operands: vec![Operand::File(place("in.jsonl"))],
        jobs,
        output: Some(place("out")),
        force: false,
        rejects: Some(place("rejects")),
        report: None,
        strict: false,
        max_line: 1 << 20,
        resume: false,
        streams: true,
        fingerprint: String::new(),
        tell: Box::new(|_| ()),
        progress: Box::new(|_| ()),
    })
    .unwrap();
    let outcome = tool(run);
    let read = |name: &str| std::fs::read_to_string(place(name)).unwrap_or_default();
    let rejects = read("rejects")
        .lines()
        .map(|line| {
            let record = Record::parse(line.as_bytes()).unwrap();
            Reject {
                code: record.need_text("code").unwrap().into_owned(),
                line: record.need("line").unwrap(),
            }
        })
        .collect();
    Done {
        outcome,
        out: read("out"),
        rejects,
    }
}

/// The lines of an output.
pub(crate) fn lines_of(out: &str) -> Vec<&str> {
    out.lines().collect()
}
