//! The funnel: what each stage saw, kept and dropped, and why.
//!
//! Records of the same stage and kind (the shards of one run) are added up. Memory: some hundred bytes a stage and kind,
//! at most [`ROWS`] of them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::html::share;
use crate::item::Funnel;
use crate::sizes::Sizes;

/// The stages in the order of the pipeline; others follow by name.
const STAGES: [&str; 13] = [
    "rs-extract",
    "rs-fetch",
    "rs-phash-dedup",
    "rs-embed",
    "rs-semdedup",
    "rs-kmeans",
    "rs-retrieve",
    "rs-caption",
    "rs-sample",
    "rs-pack",
    "rs-train",
    "rs-eval",
    "rs-report",
];
/// Kinds in the order of their making.
const KINDS: [&str; 4] = ["document", "image", "sentence", "pair"];
/// More stages and kinds than this are no pipeline of ours.
const ROWS: usize = 256;

/// A share that the paper publishes for a step (arXiv 2502.12513; METHOD §1 and §4 of the project's notes restate it).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Published {
    pub(crate) kept: f64,
    pub(crate) says: &'static str,
}

/// One stage's dealings with one kind of record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) stage: String,
    pub(crate) kind: String,
    pub(crate) seen: u64,
    pub(crate) kept: u64,
    dropped: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
}

/// Why records were lost, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss<'a> {
    pub(crate) code: &'a str,
    pub(crate) count: u64,
    pub(crate) error: bool,
}

/// How often the first text of a pair comes from its image's own document.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct OwnDocument {
    pub(crate) share: f64,
    /// What drawing sentences at random would give; unknown when no stage reported it.
    pub(crate) chance: Option<f64>,
    /// Of how many pairs.
    pub(crate) pairs: Option<u64>,
}

/// Cluster sizes around balance sampling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sampling {
    pub(crate) before: Sizes,
    pub(crate) after: Sizes,
    /// As many pairs as stayed, drawn without regard to clusters.
    pub(crate) random: Sizes,
}

/// All funnel records so far.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    rows: BTreeMap<(usize, String, usize, String), Row>,
    own: Own,
    sampling: Sampling,
}

/// Sums over the shards of rs-retrieve, weighted by their pairs.
#[derive(Debug, Default)]
struct Own {
    pairs: f64,
    found: f64,
    chance: f64,
    with_chance: f64,
}

impl Stages {
    /// Takes one record.
    pub(crate) fn push(&mut self, funnel: Funnel) {
        self.own.push(&funnel);
        if let Some(Value::Object(curves)) = funnel.extra.get("cluster_sizes") {
            for (name, into) in [
                ("before", &mut self.sampling.before),
                ("after", &mut self.sampling.after),
                ("random", &mut self.sampling.random),
            ] {
                curves
                    .get(name)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .for_each(|step| {
                        if let (Some(size), Some(clusters)) = (
                            step.get(0).and_then(Value::as_u64),
                            step.get(1).and_then(Value::as_u64),
                        ) {
                            into.add(size, clusters);
                        }
                    });
            }
        }
        let place = |name: &str, among: &[&str]| {
            among
                .iter()
                .position(|known| *known == name)
                .unwrap_or(among.len())
        };
        let key = (
            place(&funnel.stage, &STAGES),
            crate::html::clip(&funnel.stage, 40),
            place(&funnel.kind, &KINDS),
            crate::html::clip(&funnel.kind, 40),
        );
        if self.rows.len() >= ROWS && !self.rows.contains_key(&key) {
            return;
        }
        let row = self
            .rows
            .entry(key)
            .or_insert_with_key(|(_, stage, _, kind)| Row {
                stage: stage.clone(),
                kind: kind.clone(),
                ..Row::default()
            });
        row.seen = row.seen.saturating_add(funnel.seen);
        row.kept = row.kept.saturating_add(funnel.kept);
        for (from, into) in [
            (funnel.dropped, &mut row.dropped),
            (funnel.errors, &mut row.errors),
        ] {
            for (code, count) in from {
                let known = into.entry(crate::html::clip(&code, 60)).or_default();
                *known = known.saturating_add(count);
            }
        }
    }

    /// The rows, in the order of the pipeline.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// Whether no record was taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The first and the last row of a kind.
    pub(crate) fn ends(&self, kind: &str) -> Option<(&Row, &Row)> {
        let mut rows = self.rows.values().filter(|row| row.kind == kind);
        let first = rows.next()?;
        Some((first, rows.next_back().unwrap_or(first)))
    }

    /// The label-free figure of the pairs' worth, as rs-retrieve reported it.
    pub(crate) fn own_document(&self) -> Option<OwnDocument> {
        self.own.total()
    }

    /// The cluster sizes that rs-sample reported.
    pub(crate) fn sampling(&self) -> Option<&Sampling> {
        (self.sampling.before.count() > 0).then_some(&self.sampling)
    }
}

impl Row {
    /// The losses, drops before errors, the largest first.
    pub(crate) fn losses(&self) -> Vec<Loss<'_>> {
        let of = |map, error| {
            let map: &BTreeMap<String, u64> = map;
            let mut losses: Vec<Loss<'_>> = map
                .iter()
                .filter(|(_, count)| **count > 0)
                .map(|(code, count)| Loss {
                    code,
                    count: *count,
                    error,
                })
                .collect();
            losses.sort_by_key(|loss| Reverse(loss.count));
            losses
        };
        let mut losses = of(&self.dropped, false);
        losses.extend(of(&self.errors, true));
        losses
    }

    /// The share that was kept.
    pub(crate) fn share(&self) -> f64 {
        share(self.kept, self.seen)
    }

    /// Whether the stage turned every record into others: then "kept" says nothing about loss.
    pub(crate) fn grew(&self) -> bool {
        self.kept > self.seen
    }

    /// What the paper publishes for this step.
    pub(crate) fn published(&self) -> &'static [Published] {
        match (self.stage.as_str(), self.kind.as_str()) {
            ("rs-extract", "image") => &[Published {
                kept: 285.0 / 336.0,
                says: "336 → 285 M, quality",
            }],
            ("rs-extract", "sentence") => &[Published {
                kept: 1.16 / 2.13,
                says: "2.13 → 1.16 B, quality and semantic filters",
            }],
            ("rs-phash-dedup" | "rs-semdedup", "image") => &[Published {
                kept: 198.0 / 285.0,
                says: "285 → 198 M, all redundancy",
            }],
            ("rs-phash-dedup" | "rs-semdedup", "sentence") => &[Published {
                kept: 0.84 / 1.16,
                says: "1.16 → 0.84 B, all redundancy",
            }],
            ("rs-sample", "pair") => &[Published {
                kept: 168.3 / 198.0,
                says: "198 → 168.3 M, cosine bounds",
            }],
            _ => &[],
        }
    }
}

/// A step that the paper counts by itself where one of our stages takes several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) seen: u64,
    pub(crate) kept: u64,
    pub(crate) published: Published,
}

/// The rules of rs-extract that speak of what a sentence says; those before them speak of its quality.
const SEMANTIC: [&str; 3] = ["low-entropy", "perplexity-low", "perplexity-high"];

impl Row {
    /// The paper's steps within this one, in their order.
    pub(crate) fn steps(&self) -> Vec<Step> {
        if (self.stage.as_str(), self.kind.as_str()) != ("rs-extract", "sentence") {
            return Vec::new();
        }
        let semantic: u64 = SEMANTIC
            .iter()
            .filter_map(|code| self.dropped.get(*code))
            .fold(0, |sum, count| sum.saturating_add(*count));
        let between = self.kept.saturating_add(semantic).min(self.seen);
        vec![
            Step {
                name: "quality",
                seen: self.seen,
                kept: between,
                published: Published {
                    kept: 1.82 / 2.13,
                    says: "2.13 → 1.82 B",
                },
            },
            Step {
                name: "semantic",
                seen: between,
                kept: self.kept.min(between),
                published: Published {
                    kept: 1.16 / 1.82,
                    says: "1.82 → 1.16 B",
                },
            },
        ]
    }
}

impl Own {
    fn push(&mut self, funnel: &Funnel) {
        let number = |name: &str| {
            funnel
                .extra
                .get(name)
                .and_then(Value::as_f64)
                .filter(|value| value.is_finite())
        };
        let Some(share) = number("first_text_own_doc_share") else {
            return;
        };
        let pairs = number("pairs")
            .unwrap_or_else(|| crate::html::float(funnel.kept))
            .max(0.0);
        self.pairs += pairs;
        self.found += share * pairs;
        if let Some(chance) = number("chance_own_doc") {
            self.chance += chance * pairs;
            self.with_chance += pairs;
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sum of counts"
    )]
    fn total(&self) -> Option<OwnDocument> {
        (self.pairs > 0.0).then(|| OwnDocument {
            share: self.found / self.pairs,
            chance: (self.with_chance > 0.0).then(|| self.chance / self.with_chance),
            pairs: Some(self.pairs.round() as u64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn funnel(json: &str) -> Funnel {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn shards_add_up_and_rows_follow_the_pipeline() {
        let mut stages = Stages::default();
        stages.push(funnel(
            r#"{"stage":"rs-zeta","kind":"pair","seen":1,"kept":1}"#,
        ));
        stages.push(funnel(r#"{"stage":"rs-phash-dedup","kind":"image","seen":9,"kept":8,"dropped":{"duplicate":1}}"#));
        for _ in 0..2 {
            stages.push(funnel(
                r#"{"stage":"rs-extract","kind":"sentence","seen":10,"kept":6,"dropped":{"too-short":1,"url":2},"errors":{"bad-utf8":1}}"#,
            ));
        }
        let rows: Vec<_> = stages
            .rows()
            .map(|row| (row.stage.as_str(), row.seen, row.kept))
            .collect();
        assert_eq!(
            rows,
            [
                ("rs-extract", 20, 12),
                ("rs-phash-dedup", 9, 8),
                ("rs-zeta", 1, 1)
            ]
        );
        let losses: Vec<_> = stages
            .rows()
            .next()
            .unwrap()
            .losses()
            .iter()
            .map(|l| (l.code, l.count, l.error))
            .map(|(a, b, c)| (a.to_owned(), b, c))
            .collect();
        assert_eq!(
            losses,
            [
                ("url".to_owned(), 4, false),
                ("too-short".to_owned(), 2, false),
                ("bad-utf8".to_owned(), 2, true)
            ]
        );
        let published = stages.rows().next().unwrap().published();
        assert!((published[0].kept - 0.545).abs() < 0.001);
    }

    #[test]
    fn sentences_have_the_papers_two_steps() {
        let mut stages = Stages::default();
        stages.push(funnel(
            r#"{"stage":"rs-extract","kind":"sentence","seen":100,"kept":40,"dropped":{"url":20,"no-action":9,"low-entropy":25,"perplexity-high":5},"errors":{"damaged-text":1}}"#,
        ));
        stages.push(funnel(
            r#"{"stage":"rs-extract","kind":"image","seen":9,"kept":8}"#,
        ));
        let rows: Vec<&Row> = stages.rows().collect();
        assert!(rows[0].steps().is_empty());
        let steps: Vec<_> = rows[1]
            .steps()
            .iter()
            .map(|step| (step.name, step.seen, step.kept))
            .collect();
        assert_eq!(steps, [("quality", 100, 70), ("semantic", 70, 40)]);
    }

    #[test]
    fn cluster_sizes_are_read() {
        let mut stages = Stages::default();
        assert!(stages.sampling().is_none());
        stages.push(funnel(
            r#"{"stage":"rs-sample","kind":"pair","seen":57,"kept":20,"cluster_sizes":{"before":[[50,1],[3,2],[1,1]],"after":[[10,1],[3,2],[1,1]],"random":[["x",1],[7]]}}"#,
        ));
        let sampling = stages.sampling().unwrap();
        assert_eq!(
            (
                sampling.before.members(),
                sampling.after.members(),
                sampling.random.members()
            ),
            (57, 17, 0)
        );
    }

    #[test]
    fn shards_of_the_own_document_figure_weigh_by_their_pairs() {
        let mut stages = Stages::default();
        assert!(stages.own_document().is_none());
        for (pairs, share, chance) in [(30, 0.5, 0.01), (10, 0.1, 0.03)] {
            stages.push(funnel(&format!(
                r#"{{"stage":"rs-retrieve","kind":"image","seen":40,"kept":40,"pairs":{pairs},"first_text_own_doc_share":{share},"chance_own_doc":{chance}}}"#
            )));
        }
        let own = stages.own_document().unwrap();
        assert!((own.share - 0.4).abs() < 1e-12 && (own.chance.unwrap() - 0.015).abs() < 1e-12);
        assert_eq!(own.pairs, Some(40));
    }
}
