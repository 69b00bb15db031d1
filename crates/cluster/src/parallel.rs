//! Work over blocks of rows on several threads.

use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::ClusterError;

/// Rows that a thread takes at a time. It sets the speed and nothing else.
pub const BLOCK_ROWS: usize = 1024;

/// Rows of a block that are in memory at a time.
pub const BATCH_ROWS: usize = 256;

/// The blocks' first and last rows (the last not included).
pub fn blocks(rows: usize, size: usize) -> impl Iterator<Item = (usize, usize)> + Send {
    (0..rows)
        .step_by(size)
        .map(move |from| (from, (from + size).min(rows)))
}

/// Hands the items, in order, to `jobs` threads, each with buffers of its own. The error of the earliest item that fails
/// is returned, whatever the timing.
pub fn in_parallel<T: Send, S: Default>(
    jobs: usize,
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(&mut S, T) -> Result<(), ClusterError> + Sync,
) -> Result<(), ClusterError> {
    let items = Mutex::new(items.enumerate());
    let failed = AtomicBool::new(false);
    let errors = Mutex::new(Vec::new());
    let thread = || {
        let mut scratch = S::default();
        while !failed.load(Ordering::Relaxed) {
            let Some((number, item)) = items.lock().unwrap_or_else(PoisonError::into_inner).next()
            else {
                break;
            };
            if let Err(error) = work(&mut scratch, item) {
                // All earlier items are already with a thread, which finishes them.
                failed.store(true, Ordering::Relaxed);
                errors
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((number, error));
            }
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = iter::repeat_with(|| scope.spawn(thread))
            .take(jobs.saturating_sub(1))
            .collect();
        thread();
        drop(others);
    });
    let errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
    errors
        .into_iter()
        .min_by_key(|(number, _)| *number)
        .map_or(Ok(()), |(_, error)| Err(error))
}
