//! One pass over the rows: each to its nearest centroid, and into that cluster's sums.

use std::sync::{Mutex, PoisonError};

use realsyn_vector::kernel::LANES;

use crate::assign::prepare;
use crate::bounds::{Bounds, Margins, Motion};
use crate::parallel::{BATCH_ROWS, BLOCK_ROWS, blocks, in_parallel};
use crate::search::{Columns, Engine, Found, NOWHERE, Scratch, Start};
use crate::sums::{Range, Sums};
use crate::{ClusterError, Metric, Vectors};

/// Rows on their way to their clusters. Memory: 12 bytes a row, and the sums.
pub struct Lloyd<'a> {
    vectors: &'a dyn Vectors,
    engine: Engine,
    metric: Metric,
    jobs: usize,
    range: Range,
    /// The sums of the rows of each cluster.
    pub sums: Sums,
    /// Each row's cluster; [`NOWHERE`] before the first pass.
    pub clusters: Vec<u32>,
    bounds: Vec<Bounds>,
    /// The whole sum of the rows' squared lengths.
    pub squares: u128,
}

/// What a pass, or a part of it, did.
#[derive(Debug, Default, Clone, Copy)]
struct Done {
    moved: usize,
    squares: u128,
}

impl<'a> Lloyd<'a> {
    /// No row has a cluster yet.
    pub fn new(
        vectors: &'a dyn Vectors,
        engine: Engine,
        (k, metric): (usize, Metric),
        range: Range,
        jobs: usize,
    ) -> Self {
        Self {
            vectors,
            engine,
            metric,
            jobs,
            range,
            sums: Sums::new(k, vectors.dim(), range),
            clusters: vec![NOWHERE; vectors.rows()],
            bounds: vec![Bounds::NONE; vectors.rows()],
            squares: 0,
        }
    }

    /// Assigns all rows to the nearest of `centroids`, which came to their places by `motion`; gives the centroids back,
    /// packed, and the number of rows that changed their cluster.
    pub fn pass(
        &mut self,
        centroids: &[f32],
        motion: &Motion,
    ) -> Result<(Columns, usize), ClusterError> {
        let order = motion.order().to_vec();
        let dim = self.vectors.dim();
        let columns = Columns::pack(self.engine, self.metric, centroids, dim, order);
        let pass = Pass {
            vectors: self.vectors,
            margins: Margins::of(&columns),
            columns: &columns,
            motion,
            sums: &self.sums,
            range: self.range,
        };
        let total = Mutex::new(Done::default());
        let state = self.clusters.chunks_mut(BLOCK_ROWS);
        in_parallel(
            self.jobs,
            state.zip(self.bounds.chunks_mut(BLOCK_ROWS)).enumerate(),
            |worker: &mut Worker, (block, (clusters, bounds))| {
                let done = worker.block(&pass, block * BLOCK_ROWS, clusters, bounds)?;
                let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                total.moved += done.moved;
                total.squares += done.squares;
                Ok(())
            },
        )?;
        let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.squares += total.squares;
        Ok((columns, total.moved))
    }

    /// Puts rows into clusters that are known from before.
    pub fn restore(&mut self, clusters: Vec<u32>) -> Result<(), ClusterError> {
        let squares = Mutex::new(0u128);
        let (vectors, sums, range) = (self.vectors, &self.sums, self.range);
        let kernel = self.engine.kernel;
        in_parallel(
            self.jobs,
            blocks(clusters.len(), BATCH_ROWS),
            |worker: &mut Worker, (from, to)| {
                worker.rows.resize((to - from) * vectors.dim(), 0.0);
                vectors.read(from, &mut worker.rows);
                let (rows, lengths) = (&mut worker.rows, &mut worker.squares);
                prepare(kernel, self.metric, rows, vectors.dim(), lengths)
                    .map_err(|row| ClusterError::NotFinite { row: from + row })?;
                let mut here = 0;
                let rows = worker.rows.chunks_exact(vectors.dim());
                for ((&cluster, row), &square) in
                    clusters[from..to].iter().zip(rows).zip(&worker.squares)
                {
                    sums.add(cluster, row);
                    here += u128::from(range.whole_cost(square));
                }
                *squares.lock().unwrap_or_else(PoisonError::into_inner) += here;
                Ok(())
            },
        )?;
        self.squares = squares.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.clusters = clusters;
        Ok(())
    }
}

/// What all threads of a pass share.
struct Pass<'a> {
    vectors: &'a dyn Vectors,
    columns: &'a Columns,
    margins: Margins,
    motion: &'a Motion,
    sums: &'a Sums,
    range: Range,
}

/// One thread's buffers.
#[derive(Default)]
struct Worker {
    active: Vec<u32>,
    rows: Vec<f32>,
    squares: Vec<f64>,
    starts: Vec<Start>,
    found: Vec<Found>,
    scratch: Scratch,
}

impl Worker {
    /// Assigns a block of rows, the first of them number `first`.
    fn block(
        &mut self,
        pass: &Pass<'_>,
        first: usize,
        clusters: &mut [u32],
        bounds: &mut [Bounds],
    ) -> Result<Done, ClusterError> {
        let mut active = std::mem::take(&mut self.active);
        active.clear();
        for ((at, &own), bounds) in (0u32..).zip(&*clusters).zip(&mut *bounds) {
            let stays = (own != NOWHERE)
                .then(|| pass.margins.stay(*bounds, own, pass.motion))
                .flatten();
            match stays {
                Some(now) => *bounds = now,
                None => active.push(at),
            }
        }
        let mut done = Done::default();
        for batch in active.chunks(BATCH_ROWS) {
            self.read(pass, first, batch)?;
            let here = self.batch(pass, batch, clusters, bounds);
            done.moved += here.moved;
            done.squares += here.squares;
        }
        self.active = active;
        Ok(done)
    }

    /// Reads the rows of a batch and makes them ready.
    fn read(&mut self, pass: &Pass<'_>, first: usize, batch: &[u32]) -> Result<(), ClusterError> {
        let dim = pass.columns.dim();
        self.rows.resize(batch.len() * dim, 0.0);
        let mut rest = self.rows.as_mut_slice();
        // Neighbours are read together.
        for run in batch.chunk_by(|a, b| a + 1 == *b) {
            let (rows, others) = rest.split_at_mut(run.len() * dim);
            pass.vectors.read(first + run[0] as usize, rows);
            rest = others;
        }
        prepare(
            pass.columns.kernel(),
            pass.columns.metric(),
            &mut self.rows,
            dim,
            &mut self.squares,
        )
        .map_err(|row| ClusterError::NotFinite {
            row: first + batch[row] as usize,
        })
    }

    /// Assigns the rows of a batch.
    fn batch(
        &mut self,
        pass: &Pass<'_>,
        batch: &[u32],
        clusters: &mut [u32],
        bounds: &mut [Bounds],
    ) -> Done {
        let Pass {
            columns,
            margins,
            motion,
            ..
        } = pass;
        let dim = columns.dim();
        self.starts.clear();
        for ((&at, row), &square) in batch
            .iter()
            .zip(self.rows.chunks_exact(dim))
            .zip(&self.squares)
        {
            let own = clusters[at as usize];
            self.starts.push(if own == NOWHERE {
                Start {
                    cluster: NOWHERE,
                    score: f64::NEG_INFINITY,
                    panels: columns.panels(),
                }
            } else {
                let score = columns.score(row, own);
                let upper = margins.upper(square, score, columns.squares()[own as usize]);
                let prefix = margins.prefix(upper, bounds[at as usize].lower, motion);
                Start {
                    cluster: own,
                    score,
                    panels: prefix.div_ceil(LANES),
                }
            });
        }
        columns.search(
            &self.rows,
            &self.squares,
            &self.starts,
            &mut self.scratch,
            &mut self.found,
        );
        let mut done = Done::default();
        for (i, (&at, row)) in batch.iter().zip(self.rows.chunks_exact(dim)).enumerate() {
            let (at, found, square) = (at as usize, &self.found[i], self.squares[i]);
            let (was, now) = (clusters[at], found.cluster);
            bounds[at] = margins.after(
                square,
                found,
                columns.squares()[now as usize],
                bounds[at].lower,
                self.starts[i].panels * LANES,
                motion,
            );
            if was == NOWHERE {
                done.squares += u128::from(pass.range.whole_cost(square));
            }
            if was != now {
                done.moved += 1;
                clusters[at] = now;
                pass.sums.add(now, row);
                if was != NOWHERE {
                    pass.sums.remove(was, row);
                }
            }
        }
        done
    }
}

/// The range of the prepared rows' coordinates.
pub fn range(vectors: &dyn Vectors, metric: Metric, jobs: usize) -> Result<Range, ClusterError> {
    if metric == Metric::Spherical {
        return Ok(Range::UNIT);
    }
    let largest = Mutex::new(0.0f32);
    in_parallel(
        jobs,
        blocks(vectors.rows(), BATCH_ROWS),
        |block: &mut Vec<f32>, (from, to)| {
            let dim = vectors.dim();
            block.resize((to - from) * dim, 0.0);
            vectors.read(from, block);
            if let Some(at) = block.iter().position(|x| !x.is_finite()) {
                return Err(ClusterError::NotFinite {
                    row: from + at / dim,
                });
            }
            let here = block.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
            let mut largest = largest.lock().unwrap_or_else(PoisonError::into_inner);
            *largest = largest.max(here);
            Ok(())
        },
    )?;
    let largest = largest.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Range::of(largest))
}
