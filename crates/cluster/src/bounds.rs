//! What need not be looked at again: bounds on distances that hold while centroids move.
//!
//! For each row an upper bound u on the distance to its own centroid and a lower bound l on the distance to every other one
//! are kept (Hamerly 2010). When the centroids move by δ, u grows by its own centroid's δ and l shrinks by the largest
//! other δ; while u < l the row stays where it is and is not even read. Otherwise u is made exact, and only those centroids
//! are looked at that moved by more than l − u: with the centroids in the order of falling δ that is a prefix, which is
//! short when most have come to rest.
//!
//! All bounds are rounded outwards, and a margin covers the roundings of scores, so no bound ever changes an assignment.

use crate::Metric;
use crate::search::{Columns, Found};

/// Bounds of the distances of one row.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// At least the distance to its own centroid.
    pub upper: f32,
    /// At most the distance to any other.
    pub lower: f32,
}

impl Bounds {
    /// Nothing is known.
    pub const NONE: Self = Self {
        upper: f32::INFINITY,
        lower: 0.0,
    };
}

/// How far the centroids moved in an iteration.
#[derive(Debug)]
pub struct Motion {
    /// At least each centroid's distance to its former place; infinite in the first iteration.
    shifts: Vec<f32>,
    /// The clusters in the order of falling shifts.
    order: Vec<u32>,
}

impl Motion {
    /// Before the first iteration.
    pub fn unknown(k: usize) -> Self {
        Self::of(vec![f32::INFINITY; k])
    }

    /// From packed centroids to others.
    pub fn between(columns: &Columns, new: &[f32]) -> Self {
        let (dim, kernel) = (columns.dim(), columns.kernel());
        let mut difference = Vec::with_capacity(dim);
        let pairs = columns
            .values()
            .chunks_exact(dim)
            .zip(new.chunks_exact(dim));
        Self::of(
            pairs
                .map(|(old, new)| {
                    difference.clear();
                    difference.extend(new.iter().zip(old).map(|(x, y)| x - y));
                    let shift = kernel.product(&difference, &difference).sqrt();
                    #[expect(clippy::cast_possible_truncation, reason = "rounded upwards")]
                    let shift = (shift * 1.000_001) as f32;
                    shift
                })
                .collect(),
        )
    }

    fn of(shifts: Vec<f32>) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "clusters are numbered in 32 bits"
        )]
        let mut order: Vec<u32> = (0..shifts.len() as u32).collect();
        order.sort_by(|&a, &b| shifts[b as usize].total_cmp(&shifts[a as usize]));
        Self { shifts, order }
    }

    /// The clusters in the order of falling shifts.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The shift of the cluster at a place of the order; 0 after the last.
    pub fn at(&self, place: usize) -> f32 {
        self.order
            .get(place)
            .map_or(0.0, |&cluster| self.shifts[cluster as usize])
    }

    /// The largest shift among the clusters other than `own`.
    fn others(&self, own: u32) -> f32 {
        self.at(usize::from(self.order.first() == Some(&own)))
    }
}

/// The margins that make bounds safe for a set of centroids.
#[derive(Debug, Clone, Copy)]
pub struct Margins {
    metric: Metric,
    /// The smallest and the largest ‖c‖².
    squares: (f64, f64),
    /// What a squared distance may be off by, as a share of ‖x‖² + ‖c‖².
    share: f64,
}

impl Margins {
    /// The margins of these centroids.
    pub fn of(columns: &Columns) -> Self {
        let squares = columns.squares().iter().copied();
        Self {
            metric: columns.metric(),
            squares: (
                squares.clone().fold(f64::INFINITY, f64::min),
                squares.fold(0.0, f64::max),
            ),
            share: match columns.metric() {
                // A prepared row's length is 1 up to single precision, and is taken to be 1.
                Metric::Spherical => 2e-6,
                Metric::Euclidean => 4e-12,
            },
        }
    }

    fn off(&self, square: f64) -> f64 {
        self.share * (square + self.squares.1)
    }

    /// At least the distance of a row of squared length `square` to the centroid of that score and squared length.
    pub fn upper(&self, square: f64, score: f64, centroid: f64) -> f32 {
        let centroid = match self.metric {
            Metric::Spherical => centroid,
            Metric::Euclidean => 0.0,
        };
        let distance = (square + centroid - 2.0 * score + self.off(square)).max(0.0);
        narrow(distance.sqrt()).next_up()
    }

    /// At most the distance to any centroid whose score is at most `score`.
    fn lower(&self, square: f64, score: f64) -> f32 {
        let centroid = match self.metric {
            Metric::Spherical => self.squares.0,
            Metric::Euclidean => 0.0,
        };
        let distance = (square + centroid - 2.0 * score - self.off(square)).max(0.0);
        narrow(distance.sqrt()).next_down().max(0.0)
    }

    /// Whether a row within `upper` of its own centroid scores highest with it if all others are at least `lower` away.
    pub fn settles(&self, upper: f32, lower: f32) -> bool {
        if lower <= upper {
            return false;
        }
        let (upper, lower) = (f64::from(upper), f64::from(lower));
        let reach = upper + self.squares.1.sqrt();
        // Spherical scores leave the centroids' lengths out, which are not all exactly 1 (and may be 0).
        let lengths = match self.metric {
            Metric::Spherical => self.squares.1 - self.squares.0,
            Metric::Euclidean => 0.0,
        };
        (lower - upper) * (lower + upper) > lengths + 4.0 * self.off(reach * reach)
    }

    /// The bounds after the centroids moved, if they show that the row stays with its own.
    pub fn stay(&self, bounds: Bounds, own: u32, motion: &Motion) -> Option<Bounds> {
        let moved = Bounds {
            upper: (bounds.upper + motion.shifts[own as usize]).next_up(),
            lower: (bounds.lower - motion.others(own)).next_down(),
        };
        self.settles(moved.upper, moved.lower).then_some(moved)
    }

    /// How many clusters, in the order of falling shifts, must be looked at if `upper` is what is known after the move and
    /// `lower` is what was known before it: all others are too far away still.
    pub fn prefix(&self, upper: f32, lower: f32, motion: &Motion) -> usize {
        motion.order.partition_point(|&cluster| {
            !self.settles(upper, (lower - motion.shifts[cluster as usize]).next_down())
        })
    }

    /// The bounds of a row after a search over the first `seen` clusters in the order of falling shifts; `before` is its
    /// former lower bound.
    pub fn after(
        &self,
        square: f64,
        found: &Found,
        centroid: f64,
        before: f32,
        seen: usize,
        motion: &Motion,
    ) -> Bounds {
        let mut lower = self.lower(square, found.second);
        if seen < motion.order.len() {
            lower = lower.min((before - motion.at(seen)).next_down());
        }
        Bounds {
            upper: self.upper(square, found.score, centroid),
            lower,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the caller rounds on")]
fn narrow(x: f64) -> f32 {
    x as f32
}
