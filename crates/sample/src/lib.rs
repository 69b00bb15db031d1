//! Semantic balance sampling (RealSyn, section 4): cosine bounds, then a cap on every cluster.
//!
//! 1. A pair whose cosine lies outside the bounds is dropped: below them the text does not belong to
//!    the picture, above them it only repeats lettering in the picture. Bounds are cosines, or
//!    percentiles of the corpus's own distribution, because cosines of different encoders peak in
//!    different places (the paper's 0.51 and 0.61 belong to one encoder).
//! 2. Of a cluster with more than `cap` pairs, the `cap` pairs with the smallest u = uniform(seed, id)
//!    stay; a smaller cluster stays whole.
//!
//! A pair's fate depends on its id, its cluster, its cosine, and the set of the pairs, never on their
//! order. So shards that do not cut a cluster in two give together what the whole gives, as long as
//! the bounds are the same: cosine bounds always are, percentile bounds are when they come from the
//! whole corpus's [`Distribution`], whose parts merge exactly.
//!
//! Memory: [`Balance`] holds 24 bytes a pair while it reads and 33 while it decides (with a percentile
//! up to 48, when no two cosines are equal), never a text or an id.
//! Order: decisions are asked for by the pair's number, so the caller's order is kept.

mod balance;
mod curve;
mod distribution;
mod options;
mod pair;

pub use balance::{Balance, Bounds, Plan, Summary, Verdict};
pub use curve::SizeCurve;
pub use distribution::{Distribution, DistributionError};
pub use options::{Bound, On, Options, OptionsError, Percentile};
pub use pair::{Drawn, PairError, cosine};
