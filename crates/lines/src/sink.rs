//! Where a worker puts what it made of a batch, until its turn to be written comes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Line, Problem, Tally};

/// How much of a record that is no JSON is kept in its reject.
const KEPT: usize = 4096;
/// How many errors of a batch are told on standard error at most.
const TOLD: usize = 10;

/// Why a record does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A rule of the method dropped it, as asked.
    Filter,
    /// It, or what it names, cannot be used.
    Error,
}

/// Where a rejected record came from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'a> {
    /// The operand or document.
    pub file: Option<&'a str>,
    /// The line, counted from 1.
    pub line: Option<u64>,
    /// The byte, counted from 0, of a file that has no lines.
    pub offset: Option<u64>,
    /// The original bytes, or of a line that was too long the first of them.
    pub record: &'a [u8],
    /// The length of the original, where `record` is only its beginning.
    pub bytes: Option<u64>,
}

impl<'a> From<&Line<'a>> for Origin<'a> {
    fn from(line: &Line<'a>) -> Self {
        let bytes = match line.problem {
            Some(Problem::TooLong { bytes }) => Some(*bytes),
            _ => None,
        };
        Self {
            file: Some(line.file),
            line: Some(line.number),
            offset: None,
            record: line.bytes,
            bytes,
        }
    }
}

/// Output lines, reject records and counts of one batch.
#[derive(Debug, Default)]
pub struct Sink {
    /// Whole lines, each with its newline.
    pub out: Vec<u8>,
    /// What was counted.
    pub tally: Tally,
    /// Lines or documents of input that the batch stands for.
    pub units: u64,
    pub(crate) rejects: Vec<u8>,
    pub(crate) told: Vec<String>,
    stage: &'static str,
}

impl Sink {
    /// An empty sink for the tool `stage`.
    #[must_use]
    pub fn new(stage: &'static str) -> Self {
        Self {
            stage,
            ..Self::default()
        }
    }

    /// Passes a line on as it is.
    pub fn line(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.out.push(b'\n');
    }

    /// Writes the reject record of something that does not go on and counts it under `kind`.
    pub fn refuse(
        &mut self,
        kind: &str,
        class: Class,
        code: &str,
        message: &str,
        origin: Origin<'_>,
    ) {
        self.count(kind, class, code, message, origin);
        self.write_reject(class, code, message, None, origin);
    }

    /// As [`Self::refuse`] for what a rule drops in favour of the record `dup_of`, whose id the reject record gives.
    pub fn refuse_duplicate(
        &mut self,
        kind: &str,
        code: &str,
        message: &str,
        dup_of: &str,
        origin: Origin<'_>,
    ) {
        self.count(kind, Class::Filter, code, message, origin);
        self.write_reject(Class::Filter, code, message, Some(dup_of), origin);
    }

    fn count(&mut self, kind: &str, class: Class, code: &str, message: &str, origin: Origin<'_>) {
        let counts = self.tally.of(kind);
        let codes = match class {
            Class::Filter => &mut counts.dropped,
            Class::Error => &mut counts.errors,
        };
        match codes.get_mut(code) {
            Some(count) => *count += 1,
            None => drop(codes.insert(code.to_owned(), 1)),
        }
        if class == Class::Error && self.told.len() < TOLD {
            let place = match (origin.file, origin.line, origin.offset) {
                (Some(file), Some(line), _) => format!("{file}:{line}: "),
                (Some(file), None, Some(offset)) => format!("{file}, byte {offset}: "),
                (Some(file), None, None) => format!("{file}: "),
                _ => String::new(),
            };
            self.told.push(format!("{place}{message} [{code}]"));
        }
    }

    fn write_reject(
        &mut self,
        class: Class,
        code: &str,
        message: &str,
        dup_of: Option<&str>,
        origin: Origin<'_>,
    ) {
        #[derive(Serialize)]
        struct Reject<'a> {
            schema: &'static str,
            stage: &'a str,
            class: Class,
            code: &'a str,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            dup_of: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            file: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            line: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            offset: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            bytes: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            record: Option<&'a RawValue>,
            #[serde(skip_serializing_if = "Option::is_none")]
            text: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            base64: Option<String>,
        }
        let mut reject = Reject {
            schema: "reject/1",
            stage: self.stage,
            class,
            code,
            message,
            dup_of,
            file: origin.file,
            line: origin.line,
            offset: origin.offset,
            bytes: origin.bytes,
            record: None,
            text: None,
            base64: None,
        };
        let whole = origin.record;
        let as_json = || {
            serde_json::from_slice::<&RawValue>(whole)
                .ok()
                .filter(|raw| raw.get().starts_with('{'))
        };
        if origin.bytes.is_none()
            && let Some(raw) = as_json()
        {
            reject.record = Some(raw);
        } else if !whole.is_empty() {
            let mut end = whole.len();
            if end > KEPT {
                reject.bytes = reject.bytes.or(Some(end as u64));
                end = KEPT;
            }
            match std::str::from_utf8(&whole[..end]) {
                Ok(text) => reject.text = Some(text),
                // A cut through a character is not the record's fault.
                Err(error) if error.error_len().is_none() && end < whole.len().max(KEPT + 1) => {
                    reject.text = std::str::from_utf8(&whole[..error.valid_up_to()]).ok();
                }
                Err(_) => reject.base64 = Some(STANDARD.encode(&whole[..end])),
            }
        }
        // Strings and numbers always have a JSON form.
        if serde_json::to_writer(&mut self.rejects, &reject).is_ok() {
            self.rejects.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(record: &[u8], bytes: Option<u64>) -> serde_json::Value {
        let mut sink = Sink::new("rs-x");
        let origin = Origin {
            file: Some("f.jsonl"),
            line: Some(3),
            record,
            bytes,
            ..Origin::default()
        };
        sink.refuse(
            "image",
            Class::Error,
            "bad-image",
            "cannot be decoded",
            origin,
        );
        assert_eq!(sink.told, ["f.jsonl:3: cannot be decoded [bad-image]"]);
        assert_eq!(sink.tally.errors(), 1);
        serde_json::from_slice(&sink.rejects).unwrap()
    }

    #[test]
    fn the_original_is_kept_in_the_form_that_it_has() {
        let value = reject(br#"{"schema":"image/1","x":1.50}"#, None);
        assert_eq!(value["schema"], "reject/1");
        assert_eq!(
            (&value["file"], &value["line"]),
            (&"f.jsonl".into(), &3.into())
        );
        assert_eq!(value["record"]["schema"], "image/1");
        assert_eq!(reject(b"not json", None)["text"], "not json");
        assert_eq!(reject(b"\xff\x00", None)["base64"], "/wA=");
        assert_eq!(reject(b"{\"cut", Some(1 << 30))["bytes"], 1 << 30);
    }

    #[test]
    fn a_duplicate_names_what_stays_for_programs_too() {
        let mut sink = Sink::new("rs-x");
        let origin = Origin {
            record: b"{}",
            ..Origin::default()
        };
        sink.refuse_duplicate("image", "near", "a is kept", "a", origin);
        let value: serde_json::Value = serde_json::from_slice(&sink.rejects).unwrap();
        assert_eq!(
            (&value["dup_of"], &value["class"]),
            (&"a".into(), &"filter".into())
        );
        assert_eq!(sink.tally.of("image").dropped["near"], 1);
        assert!(reject(b"{}", None).get("dup_of").is_none());
    }

    #[test]
    fn a_file_without_lines_is_cited_by_the_byte() {
        let mut sink = Sink::new("rs-x");
        let origin = Origin {
            file: Some("a.warc"),
            offset: Some(77),
            ..Origin::default()
        };
        sink.refuse("document", Class::Error, "bad", "no length", origin);
        assert_eq!(sink.told, ["a.warc, byte 77: no length [bad]"]);
        let value: serde_json::Value = serde_json::from_slice(&sink.rejects).unwrap();
        assert_eq!(value["offset"], 77);
    }

    #[test]
    fn a_huge_record_is_cut_and_its_size_named() {
        let text = "é".repeat(5000);
        let value = reject(format!("x{text}").as_bytes(), None);
        assert_eq!(value["bytes"], 10_001);
        assert_eq!(value["text"].as_str().unwrap().len(), 4095);
    }
}
