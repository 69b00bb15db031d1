//! Numbered tasks on several threads.

use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does the tasks 0 to `count` − 1, each once, on `jobs` threads that keep a scratch each; a thread takes the next task
/// when it has done one.
pub fn tasks<S: Default>(jobs: usize, count: usize, work: impl Fn(&mut S, usize) + Sync) {
    let next = AtomicUsize::new(0);
    let thread = || {
        let mut scratch = S::default();
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= count {
                break;
            }
            work(&mut scratch, task);
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = iter::repeat_with(|| scope.spawn(thread))
            .take(jobs.min(count).saturating_sub(1))
            .collect();
        thread();
        drop(others);
    });
}

/// As [`tasks`], over pieces of `out`: task i fills the i-th piece of `size` entries.
pub fn fill<S: Default, T: Send>(
    jobs: usize,
    out: &mut [T],
    size: usize,
    work: impl Fn(&mut S, usize, &mut [T]) + Sync,
) {
    let pieces: Vec<_> = out.chunks_mut(size).map(std::sync::Mutex::new).collect();
    tasks(jobs, pieces.len(), |scratch: &mut S, task| {
        // Each piece has one task, so nobody waits here.
        let mut piece = pieces[task]
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        work(scratch, task, &mut piece);
    });
}
