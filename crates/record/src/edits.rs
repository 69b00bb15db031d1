//! Changing some fields of a line and leaving every other byte as it was.

use serde::Serialize;

use crate::{Record, RecordError};

/// A list of changes to the top-level fields of a record.
///
/// A key that the record has keeps its place; a new one is appended. Bytes that no change names are copied.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    changes: Vec<(String, Option<String>)>,
}

impl Edits {
    /// No changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key` to `value` as JSON.
    ///
    /// # Errors
    /// `value` has no JSON form (a map with keys that are not strings).
    pub fn set<T: Serialize + ?Sized>(self, key: &str, value: &T) -> Result<Self, RecordError> {
        let json = serde_json::to_string(value).map_err(|error| RecordError::BadField {
            key: key.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(self.set_raw(key, json))
    }

    /// Sets `key` to a value that is JSON already.
    #[must_use]
    pub fn set_raw(mut self, key: &str, json: String) -> Self {
        self.changes.push((key.to_owned(), Some(json)));
        self
    }

    /// Takes `key` out of the record, if it is there.
    #[must_use]
    pub fn remove(mut self, key: &str) -> Self {
        self.changes.push((key.to_owned(), None));
        self
    }

    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Appends the changed line, without a newline, to `out`.
    pub fn apply(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let line = record.line();
        let base = line.as_ptr() as usize;
        let mut copied = 1; // behind the opening brace
        let mut first = true;
        let mut removed = false;
        out.push(b'{');
        for (key, value) in &record.fields {
            // Values borrow from the line, so that their addresses give their places in it.
            let start = value.as_ptr() as usize - base;
            let end = start + value.len();
            let mut lead = &line[copied..start];
            copied = end;
            let change = self.changes.iter().rev().find(|(name, _)| name == key);
            if matches!(change, Some((_, None))) {
                removed = true;
                continue;
            }
            if first && removed {
                lead = lead.trim_ascii_start();
                lead = lead.strip_prefix(',').unwrap_or(lead);
            }
            first = false;
            out.extend_from_slice(lead.as_bytes());
            let written = change
                .and_then(|(_, json)| json.as_deref())
                .unwrap_or(value);
            out.extend_from_slice(written.as_bytes());
        }
        for (at, (key, json)) in self.changes.iter().enumerate() {
            let Some(json) = json else { continue };
            let is_later_changed = self.changes[at + 1..].iter().any(|(later, _)| later == key);
            if is_later_changed || record.raw(key).is_some() {
                continue;
            }
            if !first {
                out.push(b',');
            }
            first = false;
            // A key is a name of ours; should one ever need escapes, serde writes them.
            out.extend_from_slice(serde_json::Value::from(key.as_str()).to_string().as_bytes());
            out.push(b':');
            out.extend_from_slice(json.as_bytes());
        }
        out.extend_from_slice(&line.as_bytes()[copied..]);
    }
}

/// `value` as JSON with a fixed number of decimals; a number that is not finite becomes `null`.
///
/// Scores are written so: a shortest round-trip form would show noise that depends on nothing a reader cares about.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "null".to_owned();
    }
    let text = format!("{value:.decimals$}");
    // -0.0000 is a rounding artefact, not a direction.
    if text.starts_with('-') && text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.')) {
        return text[1..].to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn applied(edits: &Edits, line: &str) -> String {
        let record = Record::parse(line.as_bytes()).unwrap();
        let mut out = Vec::new();
        edits.apply(&record, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn unnamed_bytes_stay() {
        let line = r#"{ "schema" : "image/1" , "x":1.50,"id":"é" }"#;
        assert_eq!(applied(&Edits::new(), line), line);
        assert_eq!(
            applied(
                &Edits::new().set("n", &7).unwrap().set("id", "b").unwrap(),
                line
            ),
            r#"{ "schema" : "image/1" , "x":1.50,"id":"b","n":7 }"#
        );
    }

    #[test]
    fn fields_can_be_removed_anywhere() {
        let line = r#"{"a":1,"schema":"x/1","b":2}"#;
        assert_eq!(
            applied(&Edits::new().remove("a"), line),
            r#"{"schema":"x/1","b":2}"#
        );
        assert_eq!(
            applied(&Edits::new().remove("b").remove("a"), line),
            r#"{"schema":"x/1"}"#
        );
        assert_eq!(
            applied(
                &Edits::new()
                    .remove("schema")
                    .remove("a")
                    .remove("b")
                    .set_raw("c", "3".into()),
                line
            ),
            r#"{"c":3}"#
        );
    }

    #[test]
    fn the_last_change_to_a_key_counts() {
        let edits = Edits::new()
            .set_raw("n", "1".into())
            .set_raw("n", "2".into());
        assert_eq!(
            applied(&edits, r#"{"schema":"x/1"}"#),
            r#"{"schema":"x/1","n":2}"#
        );
        assert_eq!(
            applied(&edits.remove("n"), r#"{"schema":"x/1","n":0}"#),
            r#"{"schema":"x/1"}"#
        );
    }

    #[test]
    fn fixed_numbers_are_plain() {
        assert_eq!(fixed(0.123_456, 4), "0.1235");
        assert_eq!(fixed(-0.000_01, 4), "0.0000");
        assert_eq!(fixed(f64::NAN, 4), "null");
    }

    proptest! {
        #[test]
        fn an_edited_line_holds_the_new_value_and_all_the_old_ones(
            values in proptest::collection::vec(("[a-z]{1,4}", "[ -~]{0,8}"), 0..6),
            key in "[a-z]{1,4}",
        ) {
            let mut object = serde_json::Map::new();
            object.insert("schema".into(), "x/1".into());
            for (name, value) in values {
                object.insert(name, value.into());
            }
            let line = serde_json::to_string(&object).unwrap();
            let out = applied(&Edits::new().set(&key, "new").unwrap(), &line);
            object.insert(key, "new".into());
            let back: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&out).unwrap();
            prop_assert_eq!(back, object);
        }
    }
}
