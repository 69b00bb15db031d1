//! How many were seen, kept and dropped, by kind and reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The counts of one kind of record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Records that came in.
    pub seen: u64,
    /// Records that went out.
    pub kept: u64,
    /// Records dropped by a rule, by code.
    #[serde(default)]
    pub dropped: BTreeMap<String, u64>,
    /// Records rejected as bad input, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, u64>,
    /// What else the stage has to say, such as a bound that it chose.
    #[serde(flatten)]
    pub notes: BTreeMap<String, serde_json::Value>,
}

impl Counts {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The counts of a run by kind of record; merging is addition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(pub BTreeMap<String, Counts>);

impl Tally {
    /// The counts of `kind`.
    pub fn of(&mut self, kind: &str) -> &mut Counts {
        self.0.entry(kind.to_owned()).or_default()
    }

    /// Adds what another part of the run counted; its notes replace equal ones.
    pub fn merge(&mut self, other: Self) {
        for (kind, counts) in other.0 {
            let mine = self.0.entry(kind).or_default();
            mine.seen += counts.seen;
            mine.kept += counts.kept;
            for (code, count) in counts.dropped {
                *mine.dropped.entry(code).or_default() += count;
            }
            for (code, count) in counts.errors {
                *mine.errors.entry(code).or_default() += count;
            }
            mine.notes.extend(counts.notes);
        }
    }

    /// Records rejected as bad input, of all kinds.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.0
            .values()
            .flat_map(|counts| counts.errors.values())
            .sum()
    }

    /// The `funnel/1` records of the run, one line a kind.
    #[must_use]
    pub fn funnel(&self, stage: &str) -> Vec<u8> {
        #[derive(Serialize)]
        struct Funnel<'a> {
            schema: &'static str,
            stage: &'a str,
            kind: &'a str,
            #[serde(flatten)]
            counts: &'a Counts,
        }
        let mut out = Vec::new();
        for (kind, counts) in self.0.iter().filter(|(_, counts)| !counts.is_empty()) {
            let funnel = Funnel {
                schema: "funnel/1",
                stage,
                kind,
                counts,
            };
            // Maps with string keys and numbers always have a JSON form.
            if serde_json::to_writer(&mut out, &funnel).is_ok() {
                out.push(b'\n');
            }
        }
        out
    }

    /// The run in words, one line a kind that was seen and one for the errors.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let reasons = |codes: &BTreeMap<String, u64>| {
            let mut codes: Vec<_> = codes.iter().collect();
            codes.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            codes
                .iter()
                .map(|(code, count)| format!("{code} {count}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut lines = Vec::new();
        for (kind, counts) in &self.0 {
            if counts.seen == 0 && counts.kept == 0 && counts.errors.is_empty() {
                continue;
            }
            let mut line = format!("{kind}: {} seen, {} kept", counts.seen, counts.kept);
            for (word, codes) in [("dropped", &counts.dropped), ("rejected", &counts.errors)] {
                if !codes.is_empty() {
                    line.extend(["; ", word, ": ", &reasons(codes)]);
                }
            }
            lines.push(line);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(kept: u64) -> Tally {
        let mut tally = Tally::default();
        let counts = tally.of("image");
        counts.seen = kept + 3;
        counts.kept = kept;
        counts.dropped.insert("too-small".into(), 2);
        counts.errors.insert("bad-image".into(), 1);
        tally
    }

    #[test]
    fn merging_is_addition() {
        let mut sum = tally(1);
        sum.merge(tally(10));
        assert_eq!(sum.of("image").seen, 17);
        assert_eq!(sum.of("image").dropped["too-small"], 4);
        assert_eq!(sum.errors(), 2);
    }

    #[test]
    fn the_funnel_is_a_record_a_kind() {
        let mut tally = tally(1);
        tally.of("image").notes.insert("bound".into(), 7.into());
        tally.of("nothing");
        assert_eq!(
            String::from_utf8(tally.funnel("rs-x")).unwrap(),
            "{\"schema\":\"funnel/1\",\"stage\":\"rs-x\",\"kind\":\"image\",\"seen\":4,\"kept\":1,\
             \"dropped\":{\"too-small\":2},\"errors\":{\"bad-image\":1},\"bound\":7}\n"
        );
        assert_eq!(
            tally.summary(),
            ["image: 4 seen, 1 kept; dropped: too-small 2; rejected: bad-image 1"]
        );
    }
}
