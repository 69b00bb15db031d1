//! What a run of the sampler is asked to do, validated before anything is read.
//!
//! Memory: constant.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// Options that contradict one another or name something impossible.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OptionsError {
    /// Neither a cap nor a bound: every pair would be kept.
    #[error("nothing to do: give a cap or a cosine bound")]
    NothingToDo,
    /// The lower bound lies above the upper one, so that no pair could be kept.
    #[error("the lower bound {min} lies above the upper bound {max}")]
    EmptyBounds {
        /// The lower bound, a cosine or a percentile.
        min: String,
        /// The upper bound, a cosine or a percentile.
        max: String,
    },
    /// A cosine bound that is not a finite number.
    #[error("a cosine bound must be a finite number")]
    NotFinite,
    /// A percentile outside 0 to 100, or with more than six decimals.
    #[error("`{0}` is no percentile: a number from 0 to 100 with at most six decimals")]
    BadPercentile(String),
    /// A field that a record cannot do without was to be stripped.
    #[error("`{0}` cannot be stripped: a record is nothing without it")]
    Indispensable(String),
}

impl OptionsError {
    /// A stable name for the kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NothingToDo => "nothing-to-do",
            Self::EmptyBounds { .. } => "empty-bounds",
            Self::NotFinite => "not-finite",
            Self::BadPercentile(_) => "bad-percentile",
            Self::Indispensable(_) => "indispensable-field",
        }
    }
}

/// A percentile from 0 to 100, held exactly as a decimal with six places.
///
/// Binary fractions would not do: the seventh percentile of a hundred values is the seventh value,
/// but `(0.07 * 100.0).ceil()` is 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percentile {
    millionths: u32,
}

/// One hundred, in millionths.
const HUNDRED: u32 = 100_000_000;

impl Percentile {
    /// The nearest rank of this percentile among `count` sorted values, counted from 1: the least
    /// rank with at least this share of the values at or below it. None when there are no values.
    #[must_use]
    pub fn rank(self, count: u64) -> Option<u64> {
        if count == 0 {
            return None;
        }
        let exact = u128::from(self.millionths) * u128::from(count);
        let rank = exact.div_ceil(u128::from(HUNDRED)).max(1);
        // The quotient is at most `count`, because the percentile is at most one hundred.
        u64::try_from(rank).ok()
    }
}

impl FromStr for Percentile {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let bad = || OptionsError::BadPercentile(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 6 {
            return Err(bad());
        }
        let whole: u32 = whole.parse().map_err(|_| bad())?;
        let fraction: u32 = format!("{fraction:0<6}").parse().map_err(|_| bad())?;
        if whole > 100 || (whole == 100 && fraction > 0) {
            return Err(bad());
        }
        Ok(Self {
            millionths: whole * 1_000_000 + fraction,
        })
    }
}

impl fmt::Display for Percentile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.millionths / 1_000_000, self.millionths % 1_000_000);
        if fraction == 0 {
            return write!(out, "{whole}");
        }
        write!(
            out,
            "{whole}.{}",
            format!("{fraction:06}").trim_end_matches('0')
        )
    }
}

impl Serialize for Percentile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A bound on the cosine. A pair exactly at a bound is kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// The cosine itself.
    Cos(f64),
    /// The cosine at this percentile of the corpus (nearest rank).
    Percentile(Percentile),
}

impl fmt::Display for Bound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cos(cos) => write!(out, "{cos}"),
            Self::Percentile(percentile) => write!(out, "percentile {percentile}"),
        }
    }
}

/// Which text's cosine to the image is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// `synthetic_cos`: the synthetic text's, as in the paper.
    #[default]
    Synthetic,
    /// `texts[0].cos`: the first retrieved text's.
    Text1,
}

/// What one run does; checked by [`Options::validate`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Options {
    /// The most pairs that a cluster keeps; none keeps every cluster whole.
    pub cap: Option<NonZeroU32>,
    /// Pairs with a lower cosine are dropped.
    pub min: Option<Bound>,
    /// Pairs with a higher cosine are dropped.
    pub max: Option<Bound>,
    /// Which cosine the bounds are on.
    pub on: On,
    /// The seed of the draw.
    pub seed: u64,
    /// Fields left out of the pairs that are kept.
    pub strip: Vec<String>,
}

impl Options {
    /// The options themselves when a run can follow them.
    ///
    /// # Errors
    /// [`OptionsError`] when they ask for nothing, for an empty range, for a bound that is no number,
    /// or to strip `schema` or `id`.
    pub fn validate(self) -> Result<Self, OptionsError> {
        if self.cap.is_none() && !self.needs_cosine() {
            return Err(OptionsError::NothingToDo);
        }
        for bound in [self.min, self.max].into_iter().flatten() {
            if matches!(bound, Bound::Cos(cos) if !cos.is_finite()) {
                return Err(OptionsError::NotFinite);
            }
        }
        let crossed = match (self.min, self.max) {
            (Some(Bound::Cos(min)), Some(Bound::Cos(max))) => min > max,
            (Some(Bound::Percentile(min)), Some(Bound::Percentile(max))) => min > max,
            _ => false,
        };
        if let (true, Some(min), Some(max)) = (crossed, self.min, self.max) {
            return Err(OptionsError::EmptyBounds {
                min: min.to_string(),
                max: max.to_string(),
            });
        }
        if let Some(field) = self.strip.iter().find(|f| *f == "schema" || *f == "id") {
            return Err(OptionsError::Indispensable(field.clone()));
        }
        Ok(self)
    }

    /// Whether a pair must carry the cosine that [`Options::on`] names.
    #[must_use]
    pub fn needs_cosine(&self) -> bool {
        self.min.is_some() || self.max.is_some()
    }

    /// Whether a bound is a percentile, so that the corpus's distribution must be known.
    #[must_use]
    pub fn needs_distribution(&self) -> bool {
        [self.min, self.max]
            .iter()
            .any(|bound| matches!(bound, Some(Bound::Percentile(_))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percentile(text: &str) -> Percentile {
        text.parse().unwrap()
    }

    fn options() -> Options {
        Options {
            cap: NonZeroU32::new(20),
            min: None,
            max: None,
            on: On::Synthetic,
            seed: 0,
            strip: Vec::new(),
        }
    }

    #[test]
    fn the_nearest_rank_is_exact() {
        for n in [1_u64, 2, 3, 7, 100, 1000, u64::from(u32::MAX) * 9] {
            assert_eq!(percentile("0").rank(n), Some(1));
            assert_eq!(percentile("100").rank(n), Some(n));
        }
        for p in 1..=100_u64 {
            // The p-th percentile of a hundred values is the p-th value.
            assert_eq!(percentile(&p.to_string()).rank(100), Some(p));
        }
        assert_eq!(percentile("50").rank(5), Some(3));
        assert_eq!(percentile("40").rank(5), Some(2));
        assert_eq!(percentile("40.000001").rank(5), Some(3));
        assert_eq!(percentile("0.1").rank(1000), Some(1));
        assert_eq!(percentile("0.1").rank(1001), Some(2));
        assert_eq!(percentile("50").rank(0), None);
    }

    #[test]
    fn percentiles_are_read_strictly_and_printed_back() {
        for text in ["0", "5", "99.9", "0.000001", "100", "12.345678"] {
            assert_eq!(percentile(text).to_string(), text);
        }
        for text in [
            "",
            "-1",
            "101",
            "100.1",
            "5%",
            "1e1",
            ".5",
            "0.0000001",
            "NaN",
            "4294967297",
        ] {
            assert!(text.parse::<Percentile>().is_err(), "{text}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let nothing = Options {
            cap: None,
            ..options()
        };
        assert_eq!(nothing.validate().unwrap_err().code(), "nothing-to-do");
        let crossed = Options {
            min: Some(Bound::Cos(0.6)),
            max: Some(Bound::Cos(0.5)),
            ..options()
        };
        assert_eq!(crossed.validate().unwrap_err().code(), "empty-bounds");
        let crossed = Options {
            min: Some(Bound::Percentile(percentile("95"))),
            max: Some(Bound::Percentile(percentile("5"))),
            ..options()
        };
        assert_eq!(crossed.validate().unwrap_err().code(), "empty-bounds");
        let nan = Options {
            min: Some(Bound::Cos(f64::NAN)),
            ..options()
        };
        assert_eq!(nan.validate().unwrap_err().code(), "not-finite");
        let strip = Options {
            strip: vec!["id".into()],
            ..options()
        };
        assert_eq!(strip.validate().unwrap_err().code(), "indispensable-field");
        assert!(options().validate().is_ok());
    }
}
