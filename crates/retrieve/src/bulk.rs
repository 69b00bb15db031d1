//! Many queries at once, cluster by cluster: each cluster's vectors are read once, whatever the number of queries.
//!
//! For an index that is larger than memory this is the difference between reading it once and reading it once a batch.
//!
//! **Memory.** 8 bytes a query and probed cluster, 24 bytes a query and sentence that it may get, and 1 byte; the queries'
//! vectors stay in their file.
//! **Order.** The queries'. Which thread looks into which cluster changes nothing: the best of all that was found does
//! not depend on the order in which it was found.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use realsyn_vector::npy::Matrix;

use crate::best::{Best, Entry, insert};
use crate::{Hit, RetrieveError, Searcher};

/// Queries that a thread takes at a time.
const TASK: usize = 1024;

/// What was found for many queries.
#[derive(Debug)]
pub struct Found {
    top_k: usize,
    slots: Vec<Entry>,
    held: Vec<u32>,
}

impl Found {
    /// The best sentences of a query, best first.
    pub fn hits(&self, query: usize) -> impl Iterator<Item = Hit> + '_ {
        let held = self.held.get(query).map_or(0, |&held| held as usize);
        self.slots[query * self.top_k..][..held]
            .iter()
            .map(|entry| entry.hit)
    }
}

impl<B: AsRef<[u8]> + Sync> Searcher<B> {
    /// For each row of `queries` its best sentences, as [`Searcher::search`] finds them. `docs` gives each row's
    /// document, or is empty.
    ///
    /// # Errors
    /// The queries have another dimension than the index, or there are more than 32 bits number.
    pub fn search_bulk(
        &self,
        queries: &Matrix,
        docs: &[Option<u32>],
        jobs: usize,
    ) -> Result<Found, RetrieveError> {
        let (rows, dim, top_k) = (queries.rows(), self.index().dim(), self.options().top_k);
        if queries.dim() != dim {
            return Err(RetrieveError::DimMismatch {
                expected: dim,
                found: queries.dim(),
            });
        }
        if u32::try_from(rows).is_err() {
            return Err(RetrieveError::TooManyQueries);
        }
        let visits = self.all_visits(queries, jobs);
        let tasks: Vec<&[(u32, u32)]> = visits
            .chunk_by(|a, b| a.0 == b.0)
            .flat_map(|visits| visits.chunks(TASK))
            .collect();
        let found = Mutex::new(Found {
            top_k,
            slots: vec![Entry::default(); rows * top_k],
            held: vec![0; rows],
        });
        let doc = |query: u32| docs.get(query as usize).copied().flatten();
        parallel(jobs, tasks.len(), |buffers: &mut Buffers, task| {
            let visits = tasks[task];
            let Buffers { rows, row, scores } = buffers;
            rows.clear();
            for &(_, query) in visits {
                queries.read_rows(query as usize, query as usize + 1, row);
                rows.extend_from_slice(row);
            }
            let mut best: Vec<Best<'_, B>> = visits
                .iter()
                .map(|&(_, query)| Best::new(self.index(), self.options(), doc(query)))
                .collect();
            let picked: Vec<u32> = (0..).take(visits.len()).collect();
            self.look(visits[0].0, rows, &picked, scores, &mut best);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            let Found { slots, held, .. } = &mut *found;
            for (&(_, query), best) in visits.iter().zip(&best) {
                let query = query as usize;
                let slots = &mut slots[query * top_k..][..top_k];
                for &entry in best.entries() {
                    let count = insert(self.index(), slots, held[query] as usize, entry);
                    #[expect(clippy::cast_possible_truncation, reason = "at most top_k slots")]
                    let count = count as u32;
                    held[query] = count;
                }
            }
        });
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The clusters, as places, that the queries look into, with the queries: sorted.
    fn all_visits(&self, queries: &Matrix, jobs: usize) -> Vec<(u32, u32)> {
        let rows = queries.rows();
        let visits = Mutex::new(Vec::with_capacity(
            rows * self.options().probe.min(self.index().clusters()),
        ));
        let work = |buffers: &mut (Buffers, Vec<(f32, u32)>), task: usize| {
            let (
                Buffers {
                    rows: block,
                    scores,
                    ..
                },
                nearest,
            ) = buffers;
            let from = task * TASK;
            queries.read_rows(from, rows.min(from + TASK), block);
            let mut found = Vec::new();
            self.visits(
                block,
                self.options().probe,
                scores,
                nearest,
                |query, cluster| {
                    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
                    let query = from as u32 + query;
                    found.push((cluster, query));
                },
            );
            let mut visits = visits.lock().unwrap_or_else(PoisonError::into_inner);
            visits.append(&mut found);
        };
        parallel(jobs, rows.div_ceil(TASK), work);
        let mut visits = visits.into_inner().unwrap_or_else(PoisonError::into_inner);
        visits.sort_unstable();
        visits
    }
}

/// A thread's buffers.
#[derive(Default)]
struct Buffers {
    rows: Vec<f32>,
    row: Vec<f32>,
    scores: Vec<f32>,
}

/// Does the tasks 0..count on `jobs` threads.
fn parallel<T: Default>(jobs: usize, count: usize, work: impl Fn(&mut T, usize) + Sync) {
    let next = AtomicUsize::new(0);
    let thread = || {
        let mut buffers = T::default();
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= count {
                return;
            }
            work(&mut buffers, task);
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs.min(count) {
            scope.spawn(thread);
        }
        thread();
    });
}
