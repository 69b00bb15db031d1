//! The nearest centroid of each row of a batch, exactly, without looking at all of them closely.
//!
//! A score is ⟨x, c⟩ for the spherical metric and ⟨x, c⟩ − ‖c‖²/2 for the Euclidean one, in double precision
//! ([`Kernel::product`]); the nearest centroid has the largest score, of several the smallest number. A coarse look in
//! bytes ([`realsyn_vector::kernel::Sieve`]) leaves the few centroids whose score may be the largest, and those are scored.
//! So the answer is the same as without the coarse look, and the same on every processor.
//!
//! Rows and centroids are compared less a common centre m, the mean of the centroids, which makes the bounds narrower
//! where all vectors lean to one side, as the embeddings of most models do. With x = m + x', c = m + c':
//! ⟨x, c⟩ = ⟨x', c'⟩ + ⟨m, c'⟩ + ⟨x, m⟩, and ⟨x, c⟩ − ‖c‖²/2 = ⟨x', c'⟩ − ‖c'‖²/2 + ⟨x, m⟩ − ‖m‖²/2: a product, what belongs
//! to the centroid (its offset), and what belongs to the row (its shift).

use realsyn_vector::kernel::{Coarse, CoarseColumns, Hit, Kernel, LANES, MOST_DIMS, Sieve};

use crate::Metric;

/// No cluster yet.
pub const NOWHERE: u32 = u32::MAX;

/// Bytes of panels that are compared with all rows of a batch before the next ones.
const BLOCK_BYTES: usize = 64 * 1024;

/// What double precision may lose of a score, as a share of (‖x‖ + ‖c‖)².
const ROUNDING: f64 = 1e-12;

/// The instructions that are used. They change no result.
#[derive(Debug, Clone, Copy)]
pub struct Engine {
    /// For single rows.
    pub kernel: Kernel,
    /// For the coarse look.
    pub way: Coarse,
}

impl Engine {
    /// The fastest that this processor has.
    pub fn detect() -> Self {
        Self {
            kernel: Kernel::detect(),
            way: Coarse::detect(),
        }
    }
}

/// Centroids, ready to be searched.
#[derive(Debug)]
pub struct Columns {
    engine: Engine,
    metric: Metric,
    dim: usize,
    values: Vec<f32>,
    /// −‖c‖²/2 for the Euclidean metric, else 0.
    bias: Vec<f64>,
    squares: Vec<f64>,
    /// Which cluster lies at which place of the coarse columns.
    order: Vec<u32>,
    coarse: Option<CoarseColumns>,
    /// What all rows' shifts have in common.
    constant: f64,
    /// The largest ‖c‖.
    longest: f64,
}

/// Where the search for a row begins.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// A cluster whose score is known, or [`NOWHERE`].
    pub cluster: u32,
    /// Its score; negative infinity if there is none.
    pub score: f64,
    /// How many panels of the coarse columns are looked at.
    pub panels: usize,
}

/// A row's nearest centroid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Its number.
    pub cluster: u32,
    /// Its score.
    pub score: f64,
    /// At least the scores of all others that were looked at, and of the one that the search began with.
    pub second: f64,
}

impl Found {
    fn take(&mut self, cluster: u32, score: f64) {
        #[expect(
            clippy::float_cmp,
            reason = "a tie is the equality of two results of one definition"
        )]
        let is_tie = score == self.score;
        if score > self.score || (is_tie && cluster < self.cluster) {
            self.second = self.second.max(self.score);
            (self.cluster, self.score) = (cluster, score);
        } else {
            self.second = self.second.max(score);
        }
    }
}

/// One thread's buffers.
#[derive(Debug, Default)]
pub struct Scratch {
    sieve: Sieve,
    picked: Vec<u32>,
    shifts: Vec<f64>,
    leads: Vec<u32>,
}

impl Columns {
    /// Packs centroids; the coarse look goes over them in the order of `order`, which names each once.
    pub fn pack(
        engine: Engine,
        metric: Metric,
        values: &[f32],
        dim: usize,
        order: Vec<u32>,
    ) -> Self {
        let kernel = engine.kernel;
        let squares: Vec<f64> = values
            .chunks_exact(dim)
            .map(|c| kernel.product(c, c))
            .collect();
        let mut columns = Self {
            engine,
            metric,
            dim,
            values: values.to_vec(),
            bias: squares
                .iter()
                .map(|square| match metric {
                    Metric::Spherical => 0.0,
                    Metric::Euclidean => -0.5 * square,
                })
                .collect(),
            longest: squares.iter().copied().fold(0.0, f64::max).sqrt(),
            squares,
            order,
            coarse: None,
            constant: 0.0,
        };
        if dim <= MOST_DIMS {
            columns.pack_coarse();
        }
        columns
    }

    fn pack_coarse(&mut self) {
        let (kernel, dim) = (self.engine.kernel, self.dim);
        let centre = mean(&self.values, dim);
        let square = kernel.product(&centre, &centre);
        let mut difference = Vec::with_capacity(dim);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the sieve's slack covers the rounding"
        )]
        let offsets: Vec<f32> = self
            .order
            .iter()
            .map(|&cluster| {
                let column = self.column(cluster);
                let offset = match self.metric {
                    Metric::Spherical => kernel.product(&centre, column) - square,
                    Metric::Euclidean => {
                        difference.clear();
                        difference.extend(column.iter().zip(&centre).map(|(x, m)| x - m));
                        -0.5 * kernel.product(&difference, &difference)
                    }
                };
                offset as f32
            })
            .collect();
        self.constant = match self.metric {
            Metric::Spherical => 0.0,
            Metric::Euclidean => -0.5 * square,
        };
        self.coarse = Some(CoarseColumns::pack(
            self.engine.way,
            &self.values,
            &self.order,
            centre,
            &offsets,
        ));
    }

    /// The number of dimensions.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of centroids.
    pub fn k(&self) -> usize {
        self.squares.len()
    }

    /// What "near" means.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The kernel for single rows.
    pub fn kernel(&self) -> Kernel {
        self.engine.kernel
    }

    /// The centroids in row-major order.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// ‖c‖² of each centroid.
    pub fn squares(&self) -> &[f64] {
        &self.squares
    }

    /// The number of panels in the coarse look.
    pub fn panels(&self) -> usize {
        self.k().div_ceil(LANES)
    }

    fn column(&self, cluster: u32) -> &[f32] {
        &self.values[cluster as usize * self.dim..][..self.dim]
    }

    /// The score of a row and a centroid.
    pub fn score(&self, row: &[f32], cluster: u32) -> f64 {
        self.engine.kernel.product(row, self.column(cluster)) + self.bias[cluster as usize]
    }

    /// Replaces `found` by the rows' nearest centroids, among those of the panels that each row's start names.
    ///
    /// `rows` are prepared for the metric, `squares` are their squared lengths, and there is one start a row.
    pub fn search(
        &self,
        rows: &[f32],
        squares: &[f64],
        starts: &[Start],
        scratch: &mut Scratch,
        found: &mut Vec<Found>,
    ) {
        found.clear();
        found.extend(starts.iter().map(|start| Found {
            cluster: start.cluster,
            score: start.score,
            second: f64::NEG_INFINITY,
        }));
        let Some(coarse) = &self.coarse else {
            self.search_all(rows, starts, found);
            return;
        };
        let sieve = &mut scratch.sieve;
        sieve.load(coarse, rows);
        scratch.shifts.clear();
        for (at, row) in rows.chunks_exact(self.dim).enumerate() {
            let shift = self.engine.kernel.product(row, coarse.centre()) + self.constant;
            #[expect(clippy::cast_possible_truncation, reason = "a bound with room for it")]
            let rounding = (2.0 * ROUNDING * (squares[at].sqrt() + self.longest).powi(2)) as f32;
            sieve.slack[at] += rounding;
            scratch.shifts.push(shift);
            raise(sieve, at, shift, found[at].score);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a batch is small")]
        let numbers = 0..starts.len() as u32;
        scratch.picked.clear();
        scratch.picked.extend(numbers);
        let picked = &mut scratch.picked;
        picked.sort_by_key(|&row| std::cmp::Reverse(starts[row as usize].panels));
        scratch.leads.clear();
        scratch.leads.resize(starts.len(), NOWHERE);
        let block = (BLOCK_BYTES / coarse.panel_bytes()).max(2);
        for from in (0..coarse.panels()).step_by(block) {
            picked.truncate(picked.partition_point(|&row| starts[row as usize].panels > from));
            if picked.is_empty() {
                break;
            }
            let to = (from + block).min(coarse.panels());
            sieve.sift(coarse, picked, from..to);
            self.settle(rows, sieve, &scratch.shifts, &mut scratch.leads, found);
        }
        for (at, found) in found.iter_mut().enumerate() {
            found.second = found
                .second
                .max(upper(sieve, at, scratch.shifts[at], sieve.rest(at)));
        }
    }

    /// Scores the hits: of each row the most promising first, which leaves fewer of the others.
    fn settle(
        &self,
        rows: &[f32],
        sieve: &mut Sieve,
        shifts: &[f64],
        leads: &mut [u32],
        found: &mut [Found],
    ) {
        let hits = std::mem::take(&mut sieve.hits);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a batch by a block is small"
        )]
        for (number, hit) in hits.iter().enumerate() {
            let lead = &mut leads[hit.row as usize];
            if hits
                .get(*lead as usize)
                .is_none_or(|other| hit.upper.total_cmp(&other.upper).is_gt())
            {
                *lead = number as u32;
            }
        }
        let mut score = |sieve: &mut Sieve, hit: &Hit| {
            let (at, cluster) = (hit.row as usize, self.order[hit.column as usize]);
            // What the search began with has been scored.
            if cluster != found[at].cluster {
                let row = &rows[at * self.dim..][..self.dim];
                found[at].take(cluster, self.score(row, cluster));
                raise(sieve, at, shifts[at], found[at].score);
            }
        };
        for (number, hit) in hits.iter().enumerate() {
            if leads[hit.row as usize] as usize == number {
                score(sieve, hit);
            }
        }
        let mut passed = Vec::new();
        for (number, hit) in hits.iter().enumerate() {
            let at = hit.row as usize;
            if leads[at] as usize == number {
                continue;
            }
            if hit.upper < sieve.bars[at] {
                passed.push(*hit);
            } else {
                score(sieve, hit);
            }
        }
        for hit in passed {
            let at = hit.row as usize;
            found[at].second = found[at]
                .second
                .max(upper(sieve, at, shifts[at], hit.upper));
        }
        for hit in &hits {
            leads[hit.row as usize] = NOWHERE;
        }
        sieve.hits = hits;
    }

    /// The search without a coarse look.
    fn search_all(&self, rows: &[f32], starts: &[Start], found: &mut [Found]) {
        for ((row, start), found) in rows.chunks_exact(self.dim).zip(starts).zip(found) {
            for &cluster in self.order.iter().take(start.panels * LANES) {
                if cluster != found.cluster {
                    found.take(cluster, self.score(row, cluster));
                }
            }
        }
    }
}

/// Raises a row's bar to what a score stands for.
fn raise(sieve: &mut Sieve, at: usize, shift: f64, score: f64) {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the slack covers the rounding"
    )]
    let bar = (score - shift) as f32 - sieve.slack[at];
    // An undefined bar (of numbers beyond single precision) raises nothing.
    sieve.bars[at] = sieve.bars[at].max(bar);
}

/// An upper bound of product plus offset as one of scores.
fn upper(sieve: &Sieve, at: usize, shift: f64, upper: f32) -> f64 {
    f64::from(upper) + f64::from(sieve.slack[at]) + shift
}

/// The mean of the columns.
fn mean(values: &[f32], dim: usize) -> Vec<f32> {
    let mut sums = vec![0.0f64; dim];
    for column in values.chunks_exact(dim) {
        for (sum, &x) in sums.iter_mut().zip(column) {
            *sum += f64::from(x);
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "any centre will do"
    )]
    sums.iter()
        .map(|sum| (sum / (values.len() / dim).max(1) as f64) as f32)
        .collect()
}
