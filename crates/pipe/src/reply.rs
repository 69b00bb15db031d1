//! What becomes of a record.

use realsyn_lines::{Class, Line, Origin, Sink};
use realsyn_record::{Edits, Record, RecordError};

/// What a stage says of one record.
#[derive(Debug)]
pub enum Reply {
    /// It goes on as it is.
    Keep,
    /// It goes on with some fields changed.
    Edit(Edits),
    /// These whole lines, each with its newline, go on in its place.
    Emit(Vec<u8>),
    /// It does not go on.
    Refuse(Refusal),
    /// A rule drops it in favour of a record like it.
    Duplicate {
        /// A stable name of the rule.
        code: &'static str,
        /// The id of the record that stays.
        dup_of: String,
    },
}

/// Why a record does not go on.
#[derive(Debug)]
pub struct Refusal {
    /// Whether a rule dropped it or it is bad input.
    pub class: Class,
    /// A stable name of the reason.
    pub code: &'static str,
    /// The reason in words.
    pub message: String,
}

impl Refusal {
    /// A rule of the method drops the record, as asked.
    pub fn filter(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            class: Class::Filter,
            code,
            message: message.into(),
        }
    }

    /// The record, or what it names, cannot be used.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            class: Class::Error,
            code,
            message: message.into(),
        }
    }
}

impl From<RecordError> for Refusal {
    fn from(error: RecordError) -> Self {
        Self::error(error.code(), error.to_string())
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

/// A line that is a record, or why it is none.
pub(crate) fn parse<'a>(line: &Line<'a>) -> Result<Record<'a>, Refusal> {
    if let Some(problem) = line.problem {
        let message = match problem {
            realsyn_lines::Problem::TooLong { bytes } => {
                format!("a line of {bytes} bytes is too long (--max-line)")
            }
            realsyn_lines::Problem::Broken { message } => {
                format!("the input breaks off: {message}")
            }
        };
        return Err(Refusal::error(problem.code(), message));
    }
    Ok(Record::parse(line.bytes)?)
}

/// Writes and counts what becomes of a record.
pub(crate) fn settle(reply: Reply, record: &Record<'_>, line: &Line<'_>, sink: &mut Sink) {
    let kind = record.kind().name();
    let counts = sink.tally.of(kind);
    counts.seen += 1;
    if !matches!(reply, Reply::Refuse(_) | Reply::Duplicate { .. }) {
        counts.kept += 1;
    }
    match reply {
        Reply::Keep => sink.line(line.bytes),
        Reply::Edit(edits) => {
            edits.apply(record, &mut sink.out);
            sink.out.push(b'\n');
        }
        Reply::Emit(lines) => sink.out.extend_from_slice(&lines),
        Reply::Refuse(refusal) => refuse(&refusal, kind, line, sink),
        Reply::Duplicate { code, dup_of } => {
            let message = format!("{dup_of} is kept");
            sink.refuse_duplicate(kind, code, &message, &dup_of, Origin::from(line));
        }
    }
}

/// Writes the reject record of a line.
pub(crate) fn refuse(refusal: &Refusal, kind: &str, line: &Line<'_>, sink: &mut Sink) {
    sink.refuse(
        kind,
        refusal.class,
        refusal.code,
        &refusal.message,
        Origin::from(line),
    );
}
