//! What the sampler reads of a pair: its cluster, its cosine, its draw.
//!
//! Memory: 24 bytes a pair.

use realsyn_record::{Record, RecordError, uniform};
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::options::{On, Options};

/// A pair that cannot be sampled.
#[derive(Debug, Error)]
pub enum PairError {
    /// The record itself is at fault.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A field that the sampler needs is absent.
    #[error("no `{field}`: {hint}")]
    Missing {
        /// The field's name.
        field: &'static str,
        /// The tool that adds it.
        hint: &'static str,
    },
    /// A cosine that is no finite number.
    #[error("`{field}` is no finite number")]
    BadCosine {
        /// The field's name.
        field: &'static str,
    },
}

impl PairError {
    /// A stable name for the kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Record(error) => error.code(),
            Self::Missing { .. } => "missing-field",
            Self::BadCosine { .. } => "bad-field",
        }
    }
}

/// A pair as the sampler remembers it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// The cosine that the bounds are on; zero when there are none.
    pub cos: f64,
    /// u = uniform(seed, id): of a full cluster the smallest stay.
    pub u: f64,
    /// The pair's cluster; zero when there is no cap.
    pub cluster: u32,
    /// The first bytes of the id's blake3 hash, for the case of two equal u.
    pub tie: u32,
}

impl Drawn {
    /// Reads what `options` need of a pair.
    ///
    /// # Errors
    /// [`PairError`] when the cluster (with a cap) or the cosine (with a bound) is absent or no number.
    pub fn read(record: &Record<'_>, options: &Options) -> Result<Self, PairError> {
        let cluster = record.get::<u32>("cluster")?;
        let cluster = match (cluster, options.cap) {
            (Some(cluster), _) => cluster,
            (None, None) => 0,
            (None, Some(_)) => {
                return Err(PairError::Missing {
                    field: "cluster",
                    hint: "rs-kmeans --assign adds it",
                });
            }
        };
        let cos = if options.needs_cosine() {
            cosine(record, options.on)?
        } else {
            0.0
        };
        let id = record.id()?;
        let hash = blake3::hash(id.as_bytes());
        let [a, b, c, d, ..] = *hash.as_bytes();
        Ok(Self {
            cos,
            u: uniform(options.seed, &id),
            cluster,
            tie: u32::from_be_bytes([a, b, c, d]),
        })
    }
}

/// The part of `texts` that is read.
#[derive(Deserialize)]
struct Text<'a> {
    #[serde(borrow)]
    cos: Option<&'a RawValue>,
}

/// The cosine that a bound is on.
///
/// It is parsed from the record's own digits, correctly rounded, so that a bound given with the same
/// digits is exactly equal.
///
/// # Errors
/// [`PairError`] when the field is absent or no finite number.
pub fn cosine(record: &Record<'_>, on: On) -> Result<f64, PairError> {
    let (field, hint, raw) = match on {
        On::Synthetic => (
            "synthetic_cos",
            "rs-embed adds it to pairs with a synthetic text; `--on text1` bounds the first retrieved text instead",
            record.raw("synthetic_cos"),
        ),
        On::Text1 => {
            let texts: Option<Vec<Text<'_>>> = record.get("texts")?;
            let first = texts.and_then(|texts| texts.into_iter().next());
            (
                "texts[0].cos",
                "rs-retrieve adds it",
                first.and_then(|text| text.cos).map(RawValue::get),
            )
        }
    };
    let raw = raw.ok_or(PairError::Missing { field, hint })?;
    match raw.parse::<f64>() {
        // Plus zero makes minus zero plain zero.
        Ok(cos) if cos.is_finite() => Ok(cos + 0.0),
        _ => Err(PairError::BadCosine { field }),
    }
}
