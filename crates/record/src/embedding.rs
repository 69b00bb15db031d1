//! Embeddings on the pipe and at rest.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use realsyn_vector::f16;
use realsyn_vector::npy::Matrix;
use serde::Deserialize;

use crate::RecordError;
use crate::view::Text;

/// The `emb` field: little-endian half floats in base64, or a row of an `.npy` file.
#[derive(Debug)]
pub struct Embedding<'a> {
    /// Content hash of the model that made it.
    pub model: Cow<'a, str>,
    /// Number of dimensions.
    pub dim: usize,
    place: Place<'a>,
}

#[derive(Debug)]
enum Place<'a> {
    Inline(Cow<'a, str>),
    Sidecar { file: Cow<'a, str>, row: u64 },
}

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    dim: usize,
    #[serde(borrow)]
    f16: Option<Text<'a>>,
    #[serde(borrow)]
    file: Option<Text<'a>>,
    row: Option<u64>,
}

impl<'a> Embedding<'a> {
    pub(crate) fn parse(raw: &'a str) -> Result<Self, RecordError> {
        let written: Written<'a> =
            serde_json::from_str(raw).map_err(|error| bad(error.to_string()))?;
        let place = match (written.f16, written.file, written.row) {
            (Some(Text(base64)), None, None) => Place::Inline(base64),
            (None, Some(Text(file)), Some(row)) => Place::Sidecar { file, row },
            _ => return Err(bad("needs either \"f16\", or \"file\" and \"row\"")),
        };
        Ok(Self {
            model: written.model.0,
            dim: written.dim,
            place,
        })
    }

    /// Reads the vector into `out`, which then holds `dim` values.
    ///
    /// # Errors
    /// The base64 is broken, the length is not `dim`, a value is not finite, or the sidecar cannot be read.
    pub fn read(&self, sidecars: &mut Sidecars, out: &mut Vec<f32>) -> Result<(), RecordError> {
        match &self.place {
            Place::Inline(text) => {
                sidecars.bytes.clear();
                STANDARD
                    .decode_vec(text.as_bytes(), &mut sidecars.bytes)
                    .map_err(|error| bad(format!("base64: {error}")))?;
                if sidecars.bytes.len() != 2 * self.dim {
                    return Err(bad(format!(
                        "{} bytes for {} dimensions",
                        sidecars.bytes.len(),
                        self.dim
                    )));
                }
                f16::decode(&sidecars.bytes, out);
            }
            Place::Sidecar { file, row } => {
                let matrix = sidecars.matrix(file)?;
                if matrix.dim() != self.dim {
                    return Err(bad(format!(
                        "{file} has {} dimensions, not {}",
                        matrix.dim(),
                        self.dim
                    )));
                }
                matrix.read_row(*row, out)?;
            }
        }
        if out.iter().all(|value| value.is_finite()) {
            Ok(())
        } else {
            Err(bad("a value is not finite"))
        }
    }

    /// The inline form of a vector, as the value of `emb`.
    #[must_use]
    pub fn to_json(model: &str, vector: &[f32]) -> String {
        let mut bytes = Vec::with_capacity(2 * vector.len());
        f16::encode(vector, &mut bytes);
        let model = serde_json::Value::from(model);
        let mut json = format!("{{\"model\":{model},\"dim\":{},\"f16\":\"", vector.len());
        STANDARD.encode_string(&bytes, &mut json);
        json.push_str("\"}");
        json
    }
}

/// The open `.npy` sidecars of a worker, and a buffer.
///
/// Memory: one map a file; the pages belong to the operating system's cache.
#[derive(Debug, Default)]
pub struct Sidecars {
    open: BTreeMap<String, Matrix>,
    bytes: Vec<u8>,
}

impl Sidecars {
    /// Nothing open yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn matrix(&mut self, file: &str) -> Result<&Matrix, RecordError> {
        if !self.open.contains_key(file) {
            let matrix = Matrix::open(file.as_ref())?;
            self.open.insert(file.to_owned(), matrix);
        }
        self.open.get(file).ok_or_else(|| bad("sidecar vanished"))
    }
}

fn bad(reason: impl Into<String>) -> RecordError {
    RecordError::BadEmbedding {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use realsyn_vector::npy::{Element, Writer};

    use super::*;
    use crate::Record;

    fn read(line: &str) -> Result<Vec<f32>, RecordError> {
        let record = Record::parse(line.as_bytes())?;
        let mut out = Vec::new();
        record
            .embedding()?
            .ok_or_else(|| bad("none"))?
            .read(&mut Sidecars::new(), &mut out)?;
        Ok(out)
    }

    #[test]
    fn inline_vectors_come_back() {
        let vector = [0.5, -0.25, 1.0, 0.0];
        let emb = Embedding::to_json("b3:00", &vector);
        assert_eq!(emb, r#"{"model":"b3:00","dim":4,"f16":"ADgAtAA8AAA="}"#);
        assert_eq!(
            read(&format!(r#"{{"schema":"image/1","emb":{emb}}}"#)).unwrap(),
            vector
        );
    }

    #[test]
    fn a_sidecar_row_reads_like_an_inline_vector() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.npy");
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = Writer::new(&mut bytes, 2, Element::F16).unwrap();
        writer.push(&[1.0, 2.0]).unwrap();
        writer.push(&[3.0, -4.0]).unwrap();
        writer.finish().unwrap();
        std::fs::write(&path, bytes.into_inner()).unwrap();
        let line = |row: u64, dim: u64| {
            format!(
                r#"{{"schema":"image/1","emb":{{"model":"m","dim":{dim},"file":{:?},"row":{row}}}}}"#,
                path.to_str().unwrap()
            )
        };
        assert_eq!(read(&line(1, 2)).unwrap(), [3.0, -4.0]);
        assert_eq!(read(&line(2, 2)).unwrap_err().code(), "bad-sidecar");
        assert_eq!(read(&line(1, 3)).unwrap_err().code(), "bad-embedding");
    }

    #[test]
    fn broken_embeddings_are_named() {
        for emb in [
            r#"{"model":"m","dim":1}"#,
            r#"{"model":"m","dim":2,"f16":"ADg="}"#,
            r#"{"model":"m","dim":1,"f16":"!!"}"#,
            r#"{"model":"m","dim":1,"f16":"AHw="}"#,
            r#"{"model":"m","dim":1,"file":"x"}"#,
            r"7",
        ] {
            let error = read(&format!(r#"{{"schema":"image/1","emb":{emb}}}"#)).unwrap_err();
            assert_eq!(error.code(), "bad-embedding", "{emb}: {error}");
        }
    }
}
