//! A borrowed look at one line.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{Embedding, RecordError};

/// What a record is, by its `schema`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `image/1`
    Image,
    /// `sentence/1`
    Sentence,
    /// `pair/1`
    Pair,
    /// `reject/1`
    Reject,
    /// `funnel/1`
    Funnel,
    /// `metric/1`
    Metric,
    /// A kind that this build does not know; it passes through every tool.
    Other,
}

impl Kind {
    const KNOWN: [Self; 6] = [
        Self::Image,
        Self::Sentence,
        Self::Pair,
        Self::Reject,
        Self::Funnel,
        Self::Metric,
    ];

    /// The kind's name in `schema`, before the slash.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Sentence => "sentence",
            Self::Pair => "pair",
            Self::Reject => "reject",
            Self::Funnel => "funnel",
            Self::Metric => "metric",
            Self::Other => "other",
        }
    }

    fn of_schema(schema: &str) -> Result<Self, RecordError> {
        let (name, major) = schema.split_once('/').ok_or(RecordError::MissingSchema)?;
        match Self::KNOWN.into_iter().find(|kind| kind.name() == name) {
            None => Ok(Self::Other),
            Some(kind) if major == "1" => Ok(kind),
            Some(kind) => Err(RecordError::UnknownMajor {
                kind: kind.name(),
                found: schema.to_owned(),
            }),
        }
    }
}

/// One line, seen as its top-level keys and their raw values.
///
/// Where a key stands twice, the last one counts, as for most JSON readers.
#[derive(Debug)]
pub struct Record<'a> {
    line: &'a str,
    kind: Kind,
    pub(crate) fields: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Record<'a> {
    /// Looks at `line`, which holds no newline.
    ///
    /// # Errors
    /// The line is not UTF-8, not one JSON object, has no `schema`, or is of a known kind in an unknown major version.
    pub fn parse(line: &'a [u8]) -> Result<Self, RecordError> {
        let line = std::str::from_utf8(line).map_err(|error| RecordError::Utf8 {
            at: error.valid_up_to(),
        })?;
        let line = line.trim_ascii();
        let Fields(fields) = serde_json::from_str(line).map_err(RecordError::Json)?;
        let mut record = Self {
            line,
            kind: Kind::Other,
            fields,
        };
        let schema: Cow<'a, str> = record
            .get("schema")?
            .map(|Text(text)| text)
            .ok_or(RecordError::MissingSchema)?;
        record.kind = Kind::of_schema(&schema)?;
        Ok(record)
    }

    /// The record's kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The line as it was read, without white space around it.
    #[must_use]
    pub fn line(&self) -> &'a str {
        self.line
    }

    /// The raw JSON of the value of `key`.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&'a str> {
        self.fields
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| *value)
    }

    /// The value of `key`, if the record has it.
    ///
    /// # Errors
    /// The value is of another type (`bad-field`).
    pub fn get<T: Deserialize<'a>>(&self, key: &str) -> Result<Option<T>, RecordError> {
        let Some(raw) = self.raw(key) else {
            return Ok(None);
        };
        serde_json::from_str(raw)
            .map(Some)
            .map_err(|error| RecordError::BadField {
                key: key.to_owned(),
                reason: error.to_string(),
            })
    }

    /// The value of `key`, which the record must have.
    ///
    /// # Errors
    /// The key is absent (`missing-field`) or its value of another type (`bad-field`).
    pub fn need<T: Deserialize<'a>>(&self, key: &str) -> Result<T, RecordError> {
        self.get(key)?.ok_or_else(|| RecordError::MissingField {
            key: key.to_owned(),
        })
    }

    /// The string at `key`, if the record has it; it borrows from the line unless it holds escapes.
    ///
    /// # Errors
    /// The value is no string (`bad-field`).
    pub fn text(&self, key: &str) -> Result<Option<Cow<'a, str>>, RecordError> {
        Ok(self.get(key)?.map(|Text(text)| text))
    }

    /// The string at `key`, which the record must have.
    ///
    /// # Errors
    /// The key is absent (`missing-field`) or its value no string (`bad-field`).
    pub fn need_text(&self, key: &str) -> Result<Cow<'a, str>, RecordError> {
        self.need(key).map(|Text(text)| text)
    }

    /// The record's `id`.
    ///
    /// # Errors
    /// It is absent or no string.
    pub fn id(&self) -> Result<Cow<'a, str>, RecordError> {
        self.need_text("id")
    }

    /// The record's embedding, if it has one.
    ///
    /// # Errors
    /// `emb` is there but not of either form (`bad-embedding`).
    pub fn embedding(&self) -> Result<Option<Embedding<'a>>, RecordError> {
        self.raw("emb").map(Embedding::parse).transpose()
    }
}

/// A string that borrows from the input where it can.
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// The top-level keys and raw values of an object, in order.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some(Text(key)) = map.next_key()? {
                    let value: &'de RawValue = map.next_value()?;
                    fields.push((key, value.get()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_without_touching_the_rest() {
        let line = br#"{"schema":"image/1","id":"d/i0","width":640,"x":{"deep":[1, 2]}}"#;
        let record = Record::parse(line).unwrap();
        assert_eq!(record.kind(), Kind::Image);
        assert_eq!(record.id().unwrap(), "d/i0");
        assert_eq!(record.need::<u32>("width").unwrap(), 640);
        assert_eq!(record.raw("x"), Some(r#"{"deep":[1, 2]}"#));
        assert_eq!(record.get::<u32>("height").unwrap(), None);
    }

    #[test]
    fn escaped_keys_and_strings_are_understood() {
        let record = Record::parse(br#"{"sch\u0065ma":"sentence/1","text":"a \"b\""}"#).unwrap();
        assert_eq!(record.kind(), Kind::Sentence);
        assert_eq!(record.need_text("text").unwrap(), "a \"b\"");
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let record = Record::parse(br#"{"schema":"image/1","id":"a","id":"b"}"#).unwrap();
        assert_eq!(record.id().unwrap(), "b");
    }

    #[test]
    fn what_is_no_record_is_named() {
        for (line, code) in [
            (&b"\xff{}"[..], "bad-utf8"),
            (b"[1]", "bad-json"),
            (b"{\"schema\":\"image/1\"", "bad-json"),
            (b"", "bad-json"),
            (b"{}", "missing-schema"),
            (b"{\"schema\":\"image\"}", "missing-schema"),
            (b"{\"schema\":7}", "bad-field"),
            (b"{\"schema\":\"image/2\"}", "unknown-major"),
        ] {
            assert_eq!(
                Record::parse(line).unwrap_err().code(),
                code,
                "{}",
                String::from_utf8_lossy(line)
            );
        }
        assert_eq!(
            Record::parse(b"{\"schema\":\"audio/3\"}").unwrap().kind(),
            Kind::Other
        );
    }

    #[test]
    fn missing_and_bad_fields_are_told_apart() {
        let record = Record::parse(br#"{"schema":"image/1","width":"wide"}"#).unwrap();
        assert_eq!(record.need::<u32>("width").unwrap_err().code(), "bad-field");
        assert_eq!(
            record.need::<u32>("height").unwrap_err().code(),
            "missing-field"
        );
        assert_eq!(record.id().unwrap_err().code(), "missing-field");
    }
}
