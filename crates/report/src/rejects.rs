//! Rejects: how many of each code, and a few of them to look at.
//!
//! The examples of a code are those whose lines have the smallest hashes: an even sample that the order of the stream
//! cannot change. Memory: [`EXAMPLES`] examples a code, at most [`CODES`] codes.

use std::collections::BTreeMap;

use crate::item::{Example, Reject};
use crate::smallest::Smallest;

/// Examples shown of each code.
pub(crate) const EXAMPLES: usize = 4;
/// Further codes are counted together.
const CODES: usize = 256;

/// One code of one stage.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) stage: String,
    pub(crate) name: String,
    pub(crate) error: bool,
    pub(crate) count: u64,
    examples: Smallest<u64, Example>,
}

/// All rejects so far.
#[derive(Debug, Default)]
pub(crate) struct Rejects {
    codes: BTreeMap<(bool, String, String), Code>,
}

impl Rejects {
    /// Takes one reject.
    pub(crate) fn push(&mut self, reject: Reject) {
        let mut key = (reject.error, reject.stage, reject.code);
        if self.codes.len() >= CODES && !self.codes.contains_key(&key) {
            key = (reject.error, String::new(), "other codes".to_owned());
        }
        let code = self
            .codes
            .entry(key)
            .or_insert_with_key(|(error, stage, code)| Code {
                stage: stage.clone(),
                name: code.clone(),
                error: *error,
                count: 0,
                examples: Smallest::new(EXAMPLES),
            });
        code.count += 1;
        code.examples.offer(reject.rank, reject.example);
    }

    /// Whether nothing was rejected.
    pub(crate) fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The codes of one class, the most frequent first.
    pub(crate) fn take(&mut self, error: bool) -> Vec<Code> {
        let (taken, left) = std::mem::take(&mut self.codes)
            .into_iter()
            .partition(|((class, _, _), _)| *class == error);
        self.codes = left;
        let mut codes: Vec<Code> = BTreeMap::into_values(taken).collect();
        codes.sort_by_key(|code| std::cmp::Reverse(code.count));
        codes
    }
}

impl Code {
    /// The examples, taken out.
    pub(crate) fn take_examples(&mut self) -> Vec<Example> {
        std::mem::replace(&mut self.examples, Smallest::new(0))
            .into_values()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Subject;

    fn reject(code: &str, error: bool, rank: u64) -> Reject {
        let example = Example {
            message: format!("m{rank}"),
            place: None,
            subject: Subject::Nothing,
        };
        Reject {
            stage: "rs-x".into(),
            error,
            code: code.into(),
            example,
            dup_of: None,
            rank,
        }
    }

    #[test]
    fn classes_are_told_apart_and_examples_are_few() {
        let mut rejects = Rejects::default();
        for n in 0..20 {
            rejects.push(reject("too-short", false, 100 - n));
        }
        rejects.push(reject("url", false, 1));
        rejects.push(reject("bad-json", true, 1));
        let mut filters = rejects.take(false);
        assert_eq!(
            filters
                .iter()
                .map(|code| (code.name.as_str(), code.count))
                .collect::<Vec<_>>(),
            [("too-short", 20), ("url", 1)]
        );
        let messages: Vec<_> = filters[0]
            .take_examples()
            .into_iter()
            .map(|example| example.message)
            .collect();
        assert_eq!(messages, ["m81", "m82", "m83", "m84"]);
        assert_eq!(rejects.take(true).len(), 1);
        assert!(rejects.is_empty());
    }

    #[test]
    fn endless_codes_are_counted_together() {
        let mut rejects = Rejects::default();
        for n in 0..1000 {
            rejects.push(reject(&format!("code-{n}"), true, n));
        }
        let codes = rejects.take(true);
        assert_eq!(codes.len(), CODES + 1);
        assert_eq!(
            (codes[0].name.as_str(), codes[0].count),
            ("other codes", 1000 - CODES as u64)
        );
    }
}
