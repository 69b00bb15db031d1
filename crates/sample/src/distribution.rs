//! The exact distribution of the cosines: how many pairs have which value.
//!
//! Written as text, one `cosine TAB count` a line in ascending order; a file may name a value again,
//! so distributions of shards merge by `cat`. Values are written with as many digits as bring the
//! same number back, so nothing is rounded on the way.
//!
//! Memory: 16 bytes a distinct value (a corpus whose cosines have four decimals has at most 20,001).

use std::io::{self, BufRead, Write};

use thiserror::Error;

use crate::options::Percentile;

/// A distribution that could not be read.
#[derive(Debug, Error)]
pub enum DistributionError {
    /// A line that is not `cosine TAB count`.
    #[error("line {line}: expected `cosine<TAB>count`, found `{text}`")]
    BadLine {
        /// The number of the line, from 1.
        line: u64,
        /// Its first 80 characters.
        text: String,
    },
    /// More pairs than 64 bits count.
    #[error("line {line}: the counts exceed 64 bits")]
    TooMany {
        /// The number of the line, from 1.
        line: u64,
    },
    /// The file could not be read.
    #[error("cannot read the counts: {0}")]
    Io(#[from] io::Error),
}

impl DistributionError {
    /// A stable name for the kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadLine { .. } => "bad-counts",
            Self::TooMany { .. } => "counts-overflow",
            Self::Io(_) => "io",
        }
    }
}

/// How many pairs have which cosine, in ascending order of the cosine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distribution {
    counts: Vec<(f64, u64)>,
    total: u64,
}

impl Distribution {
    /// The distribution of `values`, which it sorts.
    #[must_use]
    pub fn of(values: &mut [f64]) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let mut counts: Vec<(f64, u64)> = Vec::new();
        for &value in values.iter() {
            match counts.last_mut() {
                Some((last, count)) if last.total_cmp(&value).is_eq() => *count += 1,
                _ => counts.push((value, 1)),
            }
        }
        Self {
            total: counts.iter().map(|(_, count)| count).sum(),
            counts,
        }
    }

    /// Reads a written distribution, or several, one after the other.
    ///
    /// # Errors
    /// [`DistributionError`] at the first line that is no cosine with a count, or when reading fails.
    pub fn read(mut input: impl BufRead) -> Result<Self, DistributionError> {
        let mut counts: Vec<(f64, u64)> = Vec::new();
        let mut total: u64 = 0;
        let mut text = String::new();
        let mut line = 0;
        loop {
            text.clear();
            if input.read_line(&mut text)? == 0 {
                break;
            }
            line += 1;
            let Some((cos, count)) = parse(text.trim_end_matches(['\n', '\r'])) else {
                let text = text.trim_end().chars().take(80).collect();
                return Err(DistributionError::BadLine { line, text });
            };
            total = total
                .checked_add(count)
                .ok_or(DistributionError::TooMany { line })?;
            counts.push((cos, count));
        }
        counts.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        counts.dedup_by(|next, kept| {
            let same = kept.0.total_cmp(&next.0).is_eq();
            if same {
                kept.1 += next.1;
            }
            same
        });
        Ok(Self { counts, total })
    }

    /// Writes the distribution as text.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        for (cos, count) in &self.counts {
            writeln!(out, "{cos}\t{count}")?;
        }
        Ok(())
    }

    /// How many pairs were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The cosine at a percentile, by nearest rank; none when no pair was counted.
    #[must_use]
    pub fn at(&self, percentile: Percentile) -> Option<f64> {
        let rank = percentile.rank(self.total)?;
        let mut below = 0;
        for &(cos, count) in &self.counts {
            below += count;
            if below >= rank {
                return Some(cos);
            }
        }
        None
    }
}

/// One `cosine TAB count`, the cosine finite, minus zero made zero.
fn parse(line: &str) -> Option<(f64, u64)> {
    let (cos, count) = line.split_once('\t')?;
    let cos: f64 = cos.parse().ok()?;
    let count = count.parse().ok()?;
    cos.is_finite().then_some((cos + 0.0, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(distribution: &Distribution) -> Vec<u8> {
        let mut bytes = Vec::new();
        distribution.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn files_that_are_no_counts_are_refused() {
        for (text, code) in [
            ("0.5 3\n", "bad-counts"),
            ("0.5\tmany\n", "bad-counts"),
            ("NaN\t1\n", "bad-counts"),
            ("\n", "bad-counts"),
            ("0.5\t-1\n", "bad-counts"),
            ("0.1\t18446744073709551615\n0.2\t1\n", "counts-overflow"),
        ] {
            let error = Distribution::read(text.as_bytes()).unwrap_err();
            assert_eq!(error.code(), code, "{text:?}");
        }
        assert_eq!(Distribution::read(&b""[..]).unwrap().total(), 0);
    }

    proptest! {
        #[test]
        fn parts_merge_by_concatenation_to_the_whole(
            values in proptest::collection::vec(-1.0_f64..1.0, 0..60),
            repeats in proptest::collection::vec(0_usize..20, 0..60),
            cut in 0_usize..100,
            percentile in 0_u32..=100,
        ) {
            let mut all = values.clone();
            all.extend(repeats.iter().filter_map(|&i| values.get(i)));
            let cut = cut.min(all.len());
            let whole = Distribution::of(&mut all.clone());
            let mut bytes = written(&Distribution::of(&mut all[cut..].to_vec()));
            bytes.extend(written(&Distribution::of(&mut all[..cut].to_vec())));
            let merged = Distribution::read(&bytes[..]).unwrap();
            prop_assert_eq!(&merged, &whole);
            // The definition: the least value with at least p percent of the values at or below it.
            let p: Percentile = percentile.to_string().parse().unwrap();
            let expected = {
                all.sort_unstable_by(f64::total_cmp);
                all.iter().copied().find(|v| {
                    let at_or_below = all.iter().filter(|w| *w <= v).count();
                    at_or_below * 100 >= percentile as usize * all.len()
                })
            };
            prop_assert_eq!(whole.at(p), expected);
        }
    }
}
