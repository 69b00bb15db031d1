//! The sampler itself: pairs are pushed, then decided all together.
//!
//! Memory: 24 bytes a pair while pushing; deciding adds an index and a byte a pair (33), some 20 bytes
//! a cluster, and for a percentile of the pushed pairs, before that, 8 bytes a pair and 16 a distinct
//! cosine.
//! Order: the plan is addressed by the number of the push; nothing in it depends on the order, unless
//! two pairs have the same id, which no valid stream has (then the earlier one goes first).

use std::collections::HashMap;

use serde::Serialize;

use crate::curve::SizeCurve;
use crate::distribution::Distribution;
use crate::options::{Bound, On, Options, OptionsError};
use crate::pair::Drawn;

/// What becomes of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// It stays.
    Keep,
    /// Its cosine is below the lower bound.
    CosBelow,
    /// Its cosine is above the upper bound.
    CosAbove,
    /// Its cluster has enough pairs with a smaller draw.
    OverCap,
}

impl Verdict {
    /// The code of a drop; none for a pair that stays.
    #[must_use]
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::Keep => None,
            Self::CosBelow => Some("cos-below"),
            Self::CosAbove => Some("cos-above"),
            Self::OverCap => Some("over-cap"),
        }
    }
}

/// The bounds that a run used, percentiles resolved. A pair exactly at a bound stays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounds {
    /// Which cosine they are on.
    pub on: On,
    /// The lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_cos: Option<f64>,
    /// The upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cos: Option<f64>,
}

impl Bounds {
    /// The bounds of `options` as cosines, percentiles read off `distribution`.
    ///
    /// # Errors
    /// [`OptionsError::EmptyBounds`] when the lower one comes out above the upper one.
    pub fn resolve(options: &Options, distribution: &Distribution) -> Result<Self, OptionsError> {
        let cosine = |bound| match bound {
            Bound::Cos(cos) => Some(cos),
            Bound::Percentile(percentile) => distribution.at(percentile),
        };
        let bounds = Self {
            on: options.on,
            min_cos: options.min.and_then(cosine),
            max_cos: options.max.and_then(cosine),
        };
        match (bounds.min_cos, bounds.max_cos) {
            (Some(min), Some(max)) if min > max => Err(OptionsError::EmptyBounds {
                min: min.to_string(),
                max: max.to_string(),
            }),
            _ => Ok(bounds),
        }
    }

    fn verdict(&self, cos: f64) -> Verdict {
        if self.min_cos.is_some_and(|min| cos < min) {
            Verdict::CosBelow
        } else if self.max_cos.is_some_and(|max| cos > max) {
            Verdict::CosAbove
        } else {
            Verdict::Keep
        }
    }
}

/// What a run reports: the bounds used and the cluster-size curves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The most pairs that a cluster kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<u32>,
    /// The seed of the draw.
    pub seed: u64,
    /// The bounds used.
    #[serde(flatten)]
    pub bounds: Bounds,
    /// The cluster sizes; absent without a cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_sizes: Option<Curves>,
}

/// Cluster sizes before and after sampling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Curves {
    /// Of all pairs that were pushed.
    pub before: SizeCurve,
    /// Of the pairs that stay.
    pub after: SizeCurve,
    /// Of as many pairs as stay, drawn from those within the bounds without regard to clusters (those
    /// with the smallest u): the paper's "random" curve.
    pub random: SizeCurve,
}

/// The pairs pushed so far.
#[derive(Debug, Default)]
pub struct Balance {
    cos: Vec<f64>,
    u: Vec<f64>,
    cluster: Vec<u32>,
    tie: Vec<u32>,
}

impl Balance {
    /// A sampler without pairs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a pair; its number is how many were pushed before it.
    pub fn push(&mut self, pair: Drawn) {
        self.cos.push(pair.cos);
        self.u.push(pair.u);
        self.cluster.push(pair.cluster);
        self.tie.push(pair.tie);
    }

    /// The exact distribution of the cosines pushed so far.
    #[must_use]
    pub fn distribution(&self) -> Distribution {
        Distribution::of(&mut self.cos.clone())
    }

    /// Decides all pairs. Percentiles come from `corpus` when it is given (the distribution of the
    /// whole, of which these pairs may be a shard), else from the pairs themselves.
    ///
    /// # Errors
    /// [`OptionsError::EmptyBounds`] when a percentile on one side crosses a cosine on the other.
    pub fn decide(
        self,
        options: &Options,
        corpus: Option<&Distribution>,
    ) -> Result<Plan, OptionsError> {
        let bounds = match corpus {
            Some(corpus) => Bounds::resolve(options, corpus)?,
            None if options.needs_distribution() => Bounds::resolve(options, &self.distribution())?,
            None => Bounds::resolve(options, &Distribution::default())?,
        };
        let mut verdicts: Vec<Verdict> = self.cos.iter().map(|&cos| bounds.verdict(cos)).collect();
        let cluster_sizes = options.cap.map(|cap| {
            let cap = usize::try_from(cap.get()).unwrap_or(usize::MAX);
            self.cap_clusters(cap, &mut verdicts)
        });
        Ok(Plan {
            verdicts,
            summary: Summary {
                cap: options.cap.map(std::num::NonZeroU32::get),
                seed: options.seed,
                bounds,
                cluster_sizes,
            },
        })
    }

    /// Orders pairs by their draw.
    fn by_draw(&self, a: usize, b: usize) -> std::cmp::Ordering {
        self.u[a]
            .total_cmp(&self.u[b])
            .then(self.tie[a].cmp(&self.tie[b]))
            .then(a.cmp(&b))
    }

    /// Marks what exceeds the cap in each cluster, and counts the cluster sizes.
    fn cap_clusters(&self, cap: usize, verdicts: &mut [Verdict]) -> Curves {
        let before = curve(&self.cluster);
        let mut inside: Vec<usize> = (0..verdicts.len())
            .filter(|&pair| verdicts[pair] == Verdict::Keep)
            .collect();
        inside.sort_unstable_by(|&a, &b| {
            self.cluster[a]
                .cmp(&self.cluster[b])
                .then(self.by_draw(a, b))
        });
        let mut after = Vec::new();
        for members in inside.chunk_by(|&a, &b| self.cluster[a] == self.cluster[b]) {
            let (kept, over) = members.split_at(cap.min(members.len()));
            after.push(kept.len() as u64);
            for &pair in over {
                verdicts[pair] = Verdict::OverCap;
            }
        }
        let kept = verdicts.iter().filter(|v| **v == Verdict::Keep).count();
        if kept < inside.len() {
            inside.select_nth_unstable_by(kept, |&a, &b| self.by_draw(a, b));
            inside.truncate(kept);
        }
        let random = curve(inside.iter().map(|&pair| &self.cluster[pair]));
        Curves {
            before,
            after: SizeCurve::of(after),
            random,
        }
    }
}

/// The size curve of the clusters that pairs name.
fn curve<'a>(clusters: impl IntoIterator<Item = &'a u32>) -> SizeCurve {
    let mut sizes: HashMap<u32, u64> = HashMap::new();
    for &cluster in clusters {
        *sizes.entry(cluster).or_default() += 1;
    }
    // The curve sorts, so the map's order does not matter.
    SizeCurve::of(sizes.into_values())
}

/// What becomes of every pair, and why.
#[derive(Debug)]
pub struct Plan {
    verdicts: Vec<Verdict>,
    summary: Summary,
}

impl Plan {
    /// What becomes of the pair with this number; none when so many were never pushed.
    #[must_use]
    pub fn verdict(&self, pair: usize) -> Option<Verdict> {
        self.verdicts.get(pair).copied()
    }

    /// What the run reports.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;
    use crate::options::Percentile;

    #[derive(Debug, Clone)]
    struct Pair {
        id: usize,
        cluster: u32,
        cos: f64,
    }

    /// A draw as `Drawn::read` makes it, with few distinct u so that ties are met.
    fn drawn(pair: &Pair, seed: u64) -> Drawn {
        let hash = blake3::hash(format!("{seed}/{}", pair.id).as_bytes());
        let bytes = hash.as_bytes();
        Drawn {
            cos: pair.cos,
            u: f64::from(bytes[0] % 8) / 8.0,
            cluster: pair.cluster,
            tie: u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]),
        }
    }

    fn sample(
        pairs: &[Pair],
        options: &Options,
        corpus: Option<&Distribution>,
    ) -> (Vec<usize>, Plan) {
        let mut balance = Balance::new();
        for pair in pairs {
            balance.push(drawn(pair, options.seed));
        }
        let plan = balance.decide(options, corpus).unwrap();
        let mut kept: Vec<usize> = (0..pairs.len())
            .filter(|&i| plan.verdict(i) == Some(Verdict::Keep))
            .map(|i| pairs[i].id)
            .collect();
        kept.sort_unstable();
        (kept, plan)
    }

    fn pairs() -> impl Strategy<Value = Vec<Pair>> {
        proptest::collection::vec((0_u32..6, -20_i32..=20), 0..120).prop_map(|rows| {
            rows.into_iter()
                .enumerate()
                .map(|(id, (cluster, cos))| Pair {
                    id,
                    cluster,
                    cos: f64::from(cos) / 20.0,
                })
                .collect()
        })
    }

    fn bound() -> impl Strategy<Value = Bound> {
        prop_oneof![
            (-20_i32..=20).prop_map(|cos| Bound::Cos(f64::from(cos) / 20.0)),
            (0_u32..=100).prop_map(|p| Bound::Percentile(p.to_string().parse().unwrap())),
        ]
    }

    fn options() -> impl Strategy<Value = Options> {
        (
            proptest::option::of(1_u32..12),
            proptest::option::of(bound()),
            proptest::option::of(bound()),
            any::<u64>(),
        )
            .prop_map(|(cap, min, max, seed)| Options {
                cap: cap.and_then(NonZeroU32::new),
                min,
                max,
                on: On::Synthetic,
                seed,
                strip: Vec::new(),
            })
    }

    fn corpus(pairs: &[Pair]) -> Distribution {
        Distribution::of(&mut pairs.iter().map(|pair| pair.cos).collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn order_does_not_matter(
            shuffled in pairs().prop_shuffle(),
            options in options(),
        ) {
            let mut sorted = shuffled.clone();
            sorted.sort_by_key(|pair| pair.id);
            prop_assume!(Bounds::resolve(&options, &corpus(&sorted)).is_ok());
            let (a, first) = sample(&sorted, &options, None);
            let (b, second) = sample(&shuffled, &options, None);
            prop_assert_eq!(a, b);
            prop_assert_eq!(first.summary(), second.summary());
        }

        #[test]
        fn shards_that_keep_clusters_whole_give_what_the_whole_gives(
            pairs in pairs(),
            options in options(),
            shards in 1_u32..5,
        ) {
            let corpus = corpus(&pairs);
            prop_assume!(Bounds::resolve(&options, &corpus).is_ok());
            let (whole, _) = sample(&pairs, &options, None);
            let mut parts = Vec::new();
            for shard in 0..shards {
                let part: Vec<Pair> = pairs
                    .iter()
                    .filter(|pair| pair.cluster % shards == shard)
                    .cloned()
                    .collect();
                parts.extend(sample(&part, &options, Some(&corpus)).0);
            }
            parts.sort_unstable();
            prop_assert_eq!(parts, whole);
        }

        #[test]
        fn every_rule_is_kept_and_nothing_else_dropped(pairs in pairs(), options in options()) {
            let distribution = corpus(&pairs);
            let bounds = Bounds::resolve(&options, &distribution);
            prop_assume!(bounds.is_ok());
            let bounds = bounds.unwrap();
            let (kept, plan) = sample(&pairs, &options, None);
            let inside = |pair: &&Pair| {
                bounds.min_cos.is_none_or(|min| pair.cos >= min)
                    && bounds.max_cos.is_none_or(|max| pair.cos <= max)
            };
            let mut expected = Vec::new();
            for cluster in 0..6 {
                let mut members: Vec<&Pair> = pairs
                    .iter()
                    .filter(inside)
                    .filter(|pair| pair.cluster == cluster)
                    .collect();
                members.sort_by(|a, b| {
                    let (a, b) = (drawn(a, options.seed), drawn(b, options.seed));
                    a.u.total_cmp(&b.u).then(a.tie.cmp(&b.tie))
                });
                let cap = options.cap.map_or(usize::MAX, |cap| cap.get() as usize);
                expected.extend(members.into_iter().take(cap).map(|pair| pair.id));
            }
            expected.sort_unstable();
            prop_assert_eq!(&kept, &expected);
            if let Some(curves) = &plan.summary().cluster_sizes {
                prop_assert_eq!(curves.before.pairs(), pairs.len() as u64);
                prop_assert_eq!(curves.after.pairs(), kept.len() as u64);
                prop_assert_eq!(curves.random.pairs(), kept.len() as u64);
                let cap = options.cap.map_or(u64::MAX, |cap| u64::from(cap.get()));
                prop_assert!(curves.after.steps().iter().all(|(size, _)| *size <= cap));
            }
        }

        #[test]
        fn a_larger_cap_only_adds(pairs in pairs(), options in options(), more in 1_u32..12) {
            prop_assume!(Bounds::resolve(&options, &corpus(&pairs)).is_ok());
            let cap = options.cap.map_or(1, NonZeroU32::get);
            let small = Options { cap: NonZeroU32::new(cap), ..options.clone() };
            let large = Options { cap: NonZeroU32::new(cap + more), ..options };
            let (small, _) = sample(&pairs, &small, None);
            let large: HashSet<usize> = sample(&pairs, &large, None).0.into_iter().collect();
            prop_assert!(small.iter().all(|id| large.contains(id)));
        }
    }

    #[test]
    fn percentiles_keep_the_pairs_at_the_bounds() {
        let pairs: Vec<Pair> = (1..=100)
            .map(|id| Pair {
                id,
                cluster: 0,
                cos: f64::from(u8::try_from(id).unwrap()) / 1000.0,
            })
            .collect();
        let percentile = |text: &str| text.parse::<Percentile>().unwrap();
        let options = Options {
            cap: None,
            min: Some(Bound::Percentile(percentile("7"))),
            max: Some(Bound::Percentile(percentile("95"))),
            on: On::Synthetic,
            seed: 0,
            strip: Vec::new(),
        };
        let (kept, plan) = sample(&pairs, &options, None);
        assert_eq!(kept, (7..=95).collect::<Vec<_>>());
        let bounds = plan.summary().bounds;
        assert_eq!((bounds.min_cos, bounds.max_cos), (Some(0.007), Some(0.095)));
        assert_eq!(plan.verdict(0), Some(Verdict::CosBelow));
        assert_eq!(plan.verdict(99), Some(Verdict::CosAbove));
        assert_eq!(plan.verdict(100), None);
    }

    #[test]
    fn crossed_bounds_are_an_error_after_resolution() {
        let mut balance = Balance::new();
        balance.push(Drawn {
            cos: 0.2,
            u: 0.5,
            cluster: 0,
            tie: 0,
        });
        let options = Options {
            cap: None,
            min: Some(Bound::Cos(0.9)),
            max: Some(Bound::Percentile("100".parse().unwrap())),
            on: On::Synthetic,
            seed: 0,
            strip: Vec::new(),
        };
        assert_eq!(
            balance.decide(&options, None).unwrap_err().code(),
            "empty-bounds"
        );
    }
}
