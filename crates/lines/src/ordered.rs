//! Work on several threads, results in input order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

/// Tells everybody who works on a run that it is over.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Says that the run is over.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has said so.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many tasks a worker may be ahead of the oldest unfinished one: bounds the results that wait for their turn.
const AHEAD: u64 = 4;

struct Tasks<I> {
    iter: I,
    next: u64,
}

/// The number of results that have been consumed; workers wait on it before they take on more.
struct Window {
    consumed: Mutex<u64>,
    moved: Condvar,
}

/// Ends the run when the worker that holds it panics, since nobody else would report the task that it had.
struct Alarm<'a> {
    stop: &'a Stop,
    window: &'a Window,
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.stop.set();
            self.window.moved.notify_all();
        }
    }
}

/// Runs `work` on the items of `tasks` with `jobs` workers and gives each result to `consume` in the order of the items.
///
/// An item is taken from `tasks` only when a worker is free and fewer than four results a worker are waiting, so that
/// memory is bounded, and a slow producer's single item is worked on at once. `consume` runs on the calling thread. When
/// anything fails, `stop` is set; an iterator that can wait (for standard input, say) should end when it sees that.
///
/// # Panics
/// `work` or `worker` panicked.
///
/// # Errors
/// The first error in input order of a worker's creation, `work` or `consume`.
pub fn ordered<I, W, T, E>(
    tasks: I,
    jobs: usize,
    stop: &Stop,
    worker: impl Fn() -> Result<W, E> + Sync,
    work: impl Fn(&mut W, I::Item) -> Result<T, E> + Sync,
    mut consume: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E>
where
    I: Iterator + Send,
    T: Send,
    E: Send,
{
    let jobs = jobs.max(1);
    let ahead = AHEAD * jobs as u64;
    let tasks = Mutex::new(Tasks {
        iter: tasks,
        next: 0,
    });
    let window = Window {
        consumed: Mutex::new(0),
        moved: Condvar::new(),
    };
    let (sender, receiver) = mpsc::channel::<(u64, Result<T, E>)>();
    thread::scope(|scope| {
        for _ in 0..jobs {
            let sender = sender.clone();
            let (tasks, window, worker, work) = (&tasks, &window, &worker, &work);
            scope.spawn(move || {
                let _alarm = Alarm { stop, window };
                let mut state = match worker() {
                    Ok(state) => state,
                    Err(error) => {
                        stop.set();
                        window.moved.notify_all();
                        // Before every task: nothing of a run without workers should be kept.
                        let _ = sender.send((0, Err(error)));
                        return;
                    }
                };
                loop {
                    let (number, item) = {
                        let mut tasks = lock(tasks);
                        let mut consumed = lock(&window.consumed);
                        while tasks.next >= *consumed + ahead && !stop.is_set() {
                            consumed = window
                                .moved
                                .wait(consumed)
                                .unwrap_or_else(PoisonError::into_inner);
                        }
                        drop(consumed);
                        if stop.is_set() {
                            return;
                        }
                        let Some(item) = tasks.iter.next() else {
                            return;
                        };
                        tasks.next += 1;
                        (tasks.next - 1, item)
                    };
                    let result = work(&mut state, item);
                    if sender.send((number, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        let mut outcome = Ok(());
        for (number, result) in receiver {
            if outcome.is_err() {
                continue;
            }
            waiting.entry(number).and_modify(|_| ()).or_insert(result);
            while let Some(result) = waiting.remove(&next) {
                next += 1;
                outcome = result.and_then(&mut consume);
                *lock(&window.consumed) = next;
                if outcome.is_err() {
                    stop.set();
                }
                window.moved.notify_all();
                if outcome.is_err() {
                    break;
                }
            }
        }
        // A worker that could not start reports as task 0, which another worker may have done before.
        outcome.and_then(|()| {
            waiting
                .into_values()
                .find_map(Result::err)
                .map_or(Ok(()), Err)
        })
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A worker that panicked ends the scope anyway; the others need not panic too.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::time::Duration;

    use super::*;

    fn run(jobs: usize, fail_at: Option<u64>) -> (Vec<u64>, Result<(), u64>) {
        let mut seen = Vec::new();
        let result = ordered(
            0..200_u64,
            jobs,
            &Stop::default(),
            || Ok(()),
            |(), n| {
                // Uneven work, so that results come out of order.
                thread::sleep(Duration::from_micros((n * 7919) % 300));
                if fail_at == Some(n) {
                    Err(n)
                } else {
                    Ok(n * n)
                }
            },
            |square| {
                seen.push(square);
                Ok(())
            },
        );
        (seen, result)
    }

    #[test]
    fn results_keep_the_order_of_the_tasks() {
        let squares: Vec<u64> = (0..200).map(|n| n * n).collect();
        for jobs in [1, 3, 8] {
            assert_eq!(run(jobs, None), (squares.clone(), Ok(())));
        }
    }

    #[test]
    fn an_error_ends_the_run_after_all_that_came_before_it() {
        for jobs in [1, 3, 8] {
            let (seen, result) = run(jobs, Some(60));
            assert_eq!(result, Err(60));
            assert_eq!(seen.len(), 60);
        }
    }

    #[test]
    fn a_worker_that_cannot_start_is_an_error() {
        let made = AtomicU64::new(0);
        let result: Result<(), &str> = ordered(
            0..1000_u64,
            2,
            &Stop::default(),
            || {
                if made.fetch_add(1, Ordering::Relaxed) == 0 {
                    Ok(())
                } else {
                    Err("no second worker")
                }
            },
            |(), n| {
                thread::sleep(Duration::from_millis(1));
                Ok(n)
            },
            |_| Ok(()),
        );
        assert_eq!(result, Err("no second worker"));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_ends_the_run_and_does_not_hang_it() {
        let work = |(): &mut (), n: u64| {
            assert!(n != 5, "task five");
            Ok::<u64, ()>(n)
        };
        let _ = ordered(
            0..1000_u64,
            3,
            &Stop::default(),
            || Ok(()),
            work,
            |_| Ok(()),
        );
    }

    #[test]
    fn workers_do_not_run_far_ahead_of_a_slow_task() {
        let started = AtomicU64::new(0);
        let furthest = AtomicU64::new(0);
        let result: Result<(), ()> = ordered(
            0..100_u64,
            2,
            &Stop::default(),
            || Ok(()),
            |(), n| {
                started.fetch_max(n, Ordering::SeqCst);
                if n == 0 {
                    thread::sleep(Duration::from_millis(100));
                    furthest.store(started.load(Ordering::SeqCst), Ordering::SeqCst);
                }
                Ok(())
            },
            |()| Ok(()),
        );
        assert_eq!(result, Ok(()));
        assert!(furthest.load(Ordering::SeqCst) < 2 * AHEAD);
    }
}
