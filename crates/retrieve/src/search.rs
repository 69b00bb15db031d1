//! Answers queries: nearest clusters first, then the exact best sentences inside them.
//!
//! Queries come in batches. The batch is grouped by cluster, so that the vectors of a cluster pass through the cache once
//! for all queries that look at it; no answer depends on that.

use realsyn_vector::kernel::{Kernel, LANES, Rows};

use crate::best::{Best, Hit};
use crate::{Index, RetrieveError};

/// Columns whose scores are held at a time.
const COLUMNS: usize = 128 * LANES;
/// Queries whose scores against a cluster are held at a time.
const QUERIES: usize = 96;
/// Scores against centres that are held at a time.
const CENTRE_SCORES: usize = 1 << 17;
/// Up to so many clusters a query are kept sorted while the scores are read.
const FEW: usize = 64;

/// What a search looks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The most sentences a query gets.
    pub top_k: usize,
    /// The clusters it looks at: the nearest ones among those that hold sentences.
    pub probe: usize,
    /// Leave out sentences whose cosine is smaller.
    pub min_cos: Option<f32>,
    /// Leave out sentences of the query's own document.
    pub exclude_same_doc: bool,
    /// Added to the cosine of sentences of the query's own document when ranking, and never shown.
    pub same_doc_boost: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            top_k: 3,
            probe: 1,
            min_cos: None,
            exclude_same_doc: false,
            same_doc_boost: 0.0,
        }
    }
}

impl Options {
    /// Whether an answer depends on the query's document.
    pub(crate) fn asks_doc(&self) -> bool {
        self.exclude_same_doc || self.same_doc_boost != 0.0
    }
}

/// What is looked up.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Its embedding, of unit length.
    pub vector: &'a [f32],
    /// Its document, by [`Index::find_doc`].
    pub doc: Option<u32>,
}

/// A thread's buffers, kept from batch to batch.
#[derive(Debug, Default)]
pub struct Scratch {
    rows: Vec<f32>,
    scores: Vec<f32>,
    visits: Vec<(u32, u32)>,
    nearest: Vec<(f32, u32)>,
}

/// Searches one index; share it among threads.
#[derive(Debug)]
pub struct Searcher<B> {
    index: Index<B>,
    options: Options,
    kernel: Kernel,
}

impl<B: AsRef<[u8]>> Searcher<B> {
    /// Searches `index`. A `top_k` or `probe` of 0 finds nothing.
    #[must_use]
    pub fn new(index: Index<B>, options: Options) -> Self {
        Self {
            index,
            options,
            kernel: Kernel::detect(),
        }
    }

    /// The index that is searched.
    #[must_use]
    pub fn index(&self) -> &Index<B> {
        &self.index
    }

    /// What is looked for.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// For each query its best sentences, best first: by cosine, then by id, without two texts of one key.
    ///
    /// # Errors
    /// A query has another dimension than the index.
    pub fn search(
        &self,
        scratch: &mut Scratch,
        queries: &[Query<'_>],
    ) -> Result<Vec<Vec<Hit>>, RetrieveError> {
        self.search_clusters(scratch, queries, self.options.probe)
    }

    /// As [`Self::search`], in all clusters: brute force.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn search_all(
        &self,
        scratch: &mut Scratch,
        queries: &[Query<'_>],
    ) -> Result<Vec<Vec<Hit>>, RetrieveError> {
        self.search_clusters(scratch, queries, usize::MAX)
    }

    fn search_clusters(
        &self,
        scratch: &mut Scratch,
        queries: &[Query<'_>],
        probe: usize,
    ) -> Result<Vec<Vec<Hit>>, RetrieveError> {
        let dim = self.index.dim();
        let Scratch {
            rows,
            scores,
            visits,
            nearest,
        } = scratch;
        rows.clear();
        for query in queries {
            if query.vector.len() != dim {
                return Err(RetrieveError::DimMismatch {
                    expected: dim,
                    found: query.vector.len(),
                });
            }
            rows.extend_from_slice(query.vector);
        }
        let mut found: Vec<Best<'_, B>> = queries
            .iter()
            .map(|query| Best::new(&self.index, &self.options, query.doc))
            .collect();
        visits.clear();
        self.visits(rows, probe, scores, nearest, |query, cluster| {
            visits.push((cluster, query));
        });
        visits.sort_unstable();
        let mut picked = Vec::with_capacity(QUERIES);
        for visit in visits.chunk_by(|a, b| a.0 == b.0) {
            picked.clear();
            picked.extend(visit.iter().map(|&(_, query)| query));
            self.look(visit[0].0, rows, &picked, scores, &mut found);
        }
        let hits = |best: &Best<'_, B>| best.entries().iter().map(|entry| entry.hit).collect();
        Ok(found.iter().map(hits).collect())
    }

    /// Shows all sentences of the cluster at a place to the queries in `picked`, which are rows of `rows`.
    /// `best` has an entry for each row.
    pub(crate) fn look(
        &self,
        cluster: u32,
        rows: &[f32],
        picked: &[u32],
        scores: &mut Vec<f32>,
        best: &mut [Best<'_, B>],
    ) {
        let dim = self.index.dim();
        let (first, size) = self.index.cluster(cluster as usize);
        for from in (0..size).step_by(COLUMNS) {
            let count = COLUMNS.min(size - from);
            let columns = self.index.columns(cluster as usize, from, count);
            for picked in picked.chunks(QUERIES) {
                scores.clear();
                scores.resize(picked.len() * count, 0.0);
                self.kernel
                    .scores(Rows::picked(rows, dim, picked), columns, scores);
                for (&query, scores) in picked.iter().zip(scores.chunks_exact(count)) {
                    best[query as usize].look(first + from, scores);
                }
            }
        }
    }

    /// Tells `visit` each row's number and the places of the `probe` clusters that are nearest to it.
    pub(crate) fn visits(
        &self,
        rows: &[f32],
        probe: usize,
        scores: &mut Vec<f32>,
        nearest: &mut Vec<(f32, u32)>,
        mut visit: impl FnMut(u32, u32),
    ) {
        let (dim, clusters) = (self.index.dim(), self.index.clusters());
        if probe == 0 || clusters == 0 {
            return;
        }
        let biases = self.index.biases();
        let block = (CENTRE_SCORES / clusters).max(16);
        let mut query = 0;
        for rows in rows.chunks(block * dim) {
            scores.clear();
            scores.resize(rows.len() / dim * clusters, 0.0);
            self.kernel
                .scores(Rows::all(rows, dim), self.index.centres(), scores);
            for scores in scores.chunks_exact(clusters) {
                best_places(scores, biases, probe, nearest);
                for &(_, cluster) in &*nearest {
                    visit(query, cluster);
                }
                query += 1;
            }
        }
    }
}

/// Replaces `nearest` by the `probe` places with the largest sums of score and bias; of equal ones the first.
fn best_places(scores: &[f32], biases: &[f32], probe: usize, nearest: &mut Vec<(f32, u32)>) {
    nearest.clear();
    let sums = |(score, bias): (&f32, &f32)| score + bias;
    if probe > FEW || probe >= scores.len() {
        nearest.extend(scores.iter().zip(biases).map(sums).zip(0..));
        if probe < nearest.len() {
            let nearer = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
            nearest.select_nth_unstable_by(probe, nearer);
            nearest.truncate(probe);
        }
        return;
    }
    let mut bar = f32::NEG_INFINITY;
    let blocks = scores.chunks(LANES).zip(biases.chunks(LANES));
    for ((scores, biases), first) in blocks.zip((0u32..).step_by(LANES)) {
        let largest = scores
            .iter()
            .zip(biases)
            .map(sums)
            .fold(f32::NEG_INFINITY, f32::max);
        if largest <= bar && nearest.len() == probe {
            continue;
        }
        for (sum, place) in scores.iter().zip(biases).map(sums).zip(first..) {
            if nearest.len() == probe {
                if sum <= bar {
                    continue;
                }
                nearest.pop();
            }
            // Places ascend: one that comes later stands behind its equals.
            let at = nearest.partition_point(|other| other.0 >= sum);
            nearest.insert(at, (sum, place));
            if let Some(last) = nearest.last() {
                bar = last.0;
            }
        }
    }
}

#[cfg(test)]
mod tests;
