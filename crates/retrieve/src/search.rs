//! Answers queries: nearest clusters first, then the exact best sentences inside them.
//!
//! Queries come in batches. The batch is grouped by cluster, so that the vectors of a cluster pass through the cache once
//! for all queries that look at it; no answer depends on that.

use std::cmp::Ordering;

use realsyn_vector::kernel::{Kernel, LANES, Nearest, Panels, Rows};

use crate::{Index, RetrieveError};

/// Columns whose scores are held at a time.
const COLUMNS: usize = 128 * LANES;
/// Queries whose scores against a cluster are held at a time.
const QUERIES: usize = 96;
/// Scores against centres that are held at a time.
const CENTRE_SCORES: usize = 1 << 20;

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

/// What is looked up.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Its embedding, of unit length.
    pub vector: &'a [f32],
    /// Its document.
    pub doc: &'a str,
}

/// One sentence found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The sentence's place in the index.
    pub sentence: usize,
    /// The inner product of the query and the sentence's half-precision vector.
    pub cos: f32,
}

/// A thread's buffers, kept from batch to batch.
#[derive(Debug, Default)]
pub struct Scratch {
    rows: Vec<f32>,
    scores: Vec<f32>,
    visits: Vec<(u32, u32)>,
    best: Vec<Nearest>,
}

/// Searches one index; share it among threads.
#[derive(Debug)]
pub struct Searcher<B> {
    index: Index<B>,
    centres: Panels,
    options: Options,
    kernel: Kernel,
}

impl<B: AsRef<[u8]>> Searcher<B> {
    /// Prepares the centres. A `top_k` or `probe` of 0 finds nothing.
    #[must_use]
    pub fn new(index: Index<B>, options: Options) -> Self {
        let centres = index.centres();
        Self {
            index,
            centres,
            options,
            kernel: Kernel::detect(),
        }
    }

    /// The index that is searched.
    #[must_use]
    pub fn index(&self) -> &Index<B> {
        &self.index
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
        let dim = self.index.dim();
        scratch.rows.clear();
        for query in queries {
            if query.vector.len() != dim {
                return Err(RetrieveError::DimMismatch {
                    expected: dim,
                    found: query.vector.len(),
                });
            }
            scratch.rows.extend_from_slice(query.vector);
        }
        let mut found: Vec<Best<'_, B>> = queries
            .iter()
            .map(|query| Best::new(self, query.doc))
            .collect();
        self.visits(scratch);
        let Scratch {
            rows,
            scores,
            visits,
            ..
        } = scratch;
        let mut picked = Vec::with_capacity(QUERIES);
        for visit in visits.chunk_by(|a, b| a.0 == b.0) {
            let (first, size) = self.index.cluster(visit[0].0 as usize);
            for from in (0..size).step_by(COLUMNS) {
                let columns =
                    self.index
                        .columns(visit[0].0 as usize, from, COLUMNS.min(size - from));
                for visit in visit.chunks(QUERIES) {
                    picked.clear();
                    picked.extend(visit.iter().map(|&(_, query)| query));
                    scores.clear();
                    scores.resize(picked.len() * columns.columns(), 0.0);
                    self.kernel
                        .scores(Rows::picked(rows, dim, &picked), columns, scores);
                    for (&query, scores) in
                        picked.iter().zip(scores.chunks_exact(columns.columns()))
                    {
                        found[query as usize].look(first + from, scores);
                    }
                }
            }
        }
        Ok(found
            .into_iter()
            .map(|best| best.entries.into_iter().map(|entry| entry.hit).collect())
            .collect())
    }

    /// Which clusters, as places, each query visits: sorted by cluster, then by query.
    fn visits(&self, scratch: &mut Scratch) {
        let Scratch {
            rows,
            scores,
            visits,
            best,
        } = scratch;
        let (dim, clusters) = (self.index.dim(), self.index.clusters());
        let probe = self.options.probe.min(clusters);
        visits.clear();
        if probe == 0 || rows.is_empty() {
            return;
        }
        let queries = rows.len() / dim;
        if probe == 1 {
            best.clear();
            best.resize(queries, Nearest::NONE);
            self.kernel
                .nearest(Rows::all(rows, dim), &self.centres, 0, best);
            visits.extend(best.iter().zip(0..).map(|(best, query)| {
                (
                    if best.index == u32::MAX {
                        0
                    } else {
                        best.index
                    },
                    query,
                )
            }));
        } else {
            let block = (CENTRE_SCORES / clusters).max(1);
            let mut order: Vec<u32> = Vec::with_capacity(clusters);
            for (number, rows) in rows.chunks(block * dim).enumerate() {
                scores.clear();
                scores.resize(rows.len() / dim * clusters, 0.0);
                self.kernel
                    .scores(Rows::all(rows, dim), self.centres.view(), scores);
                for (scores, query) in scores.chunks_exact_mut(clusters).zip(number * block..) {
                    for (score, bias) in scores.iter_mut().zip(self.centres.biases()) {
                        *score += bias;
                    }
                    order.clear();
                    order.extend((0u32..).take(clusters));
                    let nearer = |&a: &u32, &b: &u32| {
                        scores[b as usize]
                            .total_cmp(&scores[a as usize])
                            .then(a.cmp(&b))
                    };
                    if probe < clusters {
                        order.select_nth_unstable_by(probe, nearer);
                    }
                    #[expect(clippy::cast_possible_truncation, reason = "a batch is small")]
                    visits.extend(
                        order[..probe]
                            .iter()
                            .map(|&cluster| (cluster, query as u32)),
                    );
                }
            }
        }
        visits.sort_unstable();
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hit: Hit,
    rank: f32,
    key: u64,
}

/// The best sentences of one query so far.
struct Best<'a, B> {
    searcher: &'a Searcher<B>,
    /// The query's document, if the index has sentences of it.
    doc: Option<u32>,
    entries: Vec<Entry>,
    /// No cosine below this can enter.
    bar: f32,
}

impl<'a, B: AsRef<[u8]>> Best<'a, B> {
    fn new(searcher: &'a Searcher<B>, doc: &str) -> Self {
        let is_doc_used =
            searcher.options.exclude_same_doc || searcher.options.same_doc_boost != 0.0;
        let doc = if is_doc_used {
            searcher.index.find_doc(doc)
        } else {
            None
        };
        let bar = searcher.options.min_cos.unwrap_or(f32::NEG_INFINITY);
        Self {
            searcher,
            doc,
            entries: Vec::with_capacity(searcher.options.top_k),
            bar,
        }
    }

    /// Looks at sentences that follow one another.
    fn look(&mut self, first: usize, scores: &[f32]) {
        for (scores, first) in scores.chunks(LANES).zip((first..).step_by(LANES)) {
            // Most sentences fall below the bar: one pass over the lanes without a branch finds out.
            let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            if largest >= self.bar {
                for (&cos, sentence) in scores.iter().zip(first..) {
                    if cos >= self.bar {
                        self.offer(Hit { sentence, cos });
                    }
                }
            }
        }
    }

    fn offer(&mut self, hit: Hit) {
        let (options, index) = (&self.searcher.options, &self.searcher.index);
        let is_own = self.doc.is_some_and(|doc| index.doc(hit.sentence) == doc);
        if options.top_k == 0 || (is_own && options.exclude_same_doc) {
            return;
        }
        let rank = if is_own {
            hit.cos + options.same_doc_boost
        } else {
            hit.cos
        };
        let entry = Entry {
            hit,
            rank,
            key: index.key(hit.sentence),
        };
        if let Some(twin) = self.entries.iter().position(|other| other.key == entry.key) {
            if self.compare(&entry, &self.entries[twin]).is_ge() {
                return;
            }
            self.entries.remove(twin);
        } else if self.entries.len() == options.top_k {
            if self
                .entries
                .last()
                .is_some_and(|last| self.compare(&entry, last).is_ge())
            {
                return;
            }
            self.entries.pop();
        }
        let place = self
            .entries
            .partition_point(|other| self.compare(other, &entry).is_lt());
        self.entries.insert(place, entry);
        if self.entries.len() == options.top_k
            && let Some(last) = self.entries.last()
        {
            // A sentence of the own document may rank higher than its cosine. The bar is set a little too low rather than
            // too high, as the subtraction rounds.
            let boost = options.same_doc_boost.max(0.0);
            let bar = if boost > 0.0 {
                last.rank - boost - 1e-6
            } else {
                last.rank
            };
            self.bar = self.bar.max(bar);
        }
    }

    /// Better entries are smaller.
    fn compare(&self, a: &Entry, b: &Entry) -> Ordering {
        let index = &self.searcher.index;
        let by_id = || index.id(a.hit.sentence).cmp(index.id(b.hit.sentence));
        b.rank
            .total_cmp(&a.rank)
            .then_with(by_id)
            .then(a.hit.sentence.cmp(&b.hit.sentence))
    }
}

#[cfg(test)]
mod tests;
