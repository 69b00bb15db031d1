//! Lloyd's iterations as a whole.

use proptest::prelude::*;
use realsyn_vector::kernel::{Coarse, Kernel};

use super::*;
use crate::sums::Sums;
use crate::{MemoryVectors, row_keys};

fn options(k: usize, metric: Metric, jobs: usize) -> Options {
    Options {
        k,
        iterations: 12,
        metric,
        init: Init::Random,
        jobs,
        checkpoint: None,
    }
}

/// `count` rows around `centres` well separated points, in 6 dimensions.
fn clustered(count: u32, centres: u32, seed: u64) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "a test")]
    let draw = |what: String| realsyn_record::uniform(seed, &what) as f32 * 2.0 - 1.0;
    (0..count)
        .flat_map(|row| {
            (0..6).map(move |i| {
                draw(format!("c{}/{i}", row % centres)) + 0.1 * draw(format!("r{row}/{i}"))
            })
        })
        .collect()
}

fn run(vectors: &MemoryVectors, keys: &[f64], options: &Options) -> (Centroids, Vec<Iteration>) {
    let mut iterations = Vec::new();
    let centroids = fit(vectors, keys, options, &mut |i| iterations.push(*i)).unwrap();
    (centroids, iterations)
}

#[test]
fn the_cost_falls_and_ends_at_the_planted_clusters() {
    for metric in [Metric::Spherical, Metric::Euclidean] {
        let vectors = MemoryVectors::new(clustered(1500, 5, 3), 6);
        // Rows 0 to 4 belong to different clusters.
        let seeds = clustered(5, 5, 3);
        let options = Options {
            init: Init::Given(seeds),
            iterations: 50,
            ..options(5, metric, 2)
        };
        let (_, iterations) = run(&vectors, &row_keys(0, 1500, 4), &options);
        assert!(
            iterations
                .windows(2)
                .all(|w| w[1].wcss <= w[0].wcss * (1.0 + 1e-6)),
            "{iterations:?}"
        );
        let last = iterations.last().unwrap();
        assert_eq!((iterations[0].moved, last.moved), (1500, 0));
        assert!(last.wcss < 1500.0 * 0.05, "{iterations:?}");
    }
}

#[test]
fn threads_change_nothing() {
    let vectors = MemoryVectors::new(clustered(3000, 40, 5), 6);
    for metric in [Metric::Spherical, Metric::Euclidean] {
        let one = run(&vectors, &row_keys(0, 3000, 1), &options(32, metric, 1));
        for jobs in [2, 3, 8] {
            assert_eq!(
                run(&vectors, &row_keys(0, 3000, 1), &options(32, metric, jobs)),
                one
            );
        }
    }
}

#[test]
fn empty_clusters_are_repaired() {
    // Seeds that are all equal: all rows go to the first, the others must be filled.
    let values = clustered(400, 4, 8);
    let given = Options {
        init: Init::Given(values[..6].repeat(4)),
        iterations: 30,
        ..options(4, Metric::Spherical, 1)
    };
    let (centroids, iterations) = run(&MemoryVectors::new(values, 6), &row_keys(0, 400, 0), &given);
    assert_eq!(iterations[0].repaired, 3);
    assert_eq!(iterations.last().unwrap().repaired, 0);
    for (i, a) in centroids.values.chunks(6).enumerate() {
        assert!(centroids.values.chunks(6).skip(i + 1).all(|b| a != b));
    }
}

#[test]
fn what_cannot_be_done_is_named() {
    let vectors = MemoryVectors::new(vec![1.0, f32::INFINITY, 0.0, 1.0], 2);
    let code = |k, metric, init| {
        let options = Options {
            init,
            ..options(k, metric, 1)
        };
        fit(&vectors, &[0.1, 0.2], &options, &mut |_| ())
            .unwrap_err()
            .code()
    };
    assert_eq!(code(3, Metric::Spherical, Init::Random), "too-few-rows");
    assert_eq!(code(0, Metric::Spherical, Init::Random), "zero");
    assert_eq!(code(1, Metric::Spherical, Init::Random), "not-finite");
    assert_eq!(code(1, Metric::Euclidean, Init::Random), "not-finite");
    assert_eq!(
        code(2, Metric::Spherical, Init::Given(vec![1.0; 2])),
        "init-count"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_rows_changes_nothing(seed in 0u64..1000, plus_plus in any::<bool>()) {
        let values = clustered(700, 9, seed);
        let keys = row_keys(0, 700, seed);
        let init = if plus_plus { Init::PlusPlus } else { Init::Random };
        let options = Options { init, iterations: 4, ..options(7, Metric::Spherical, 2) };
        let backwards: Vec<f32> = values.chunks(6).rev().flatten().copied().collect();
        let reversed: Vec<f64> = keys.iter().rev().copied().collect();
        let a = run(&MemoryVectors::new(values, 6), &keys, &options);
        let b = run(&MemoryVectors::new(backwards, 6), &reversed, &options);
        prop_assert_eq!(a, b);
    }

    #[test]
    fn the_first_cost_is_that_of_brute_force(seed in 0u64..1000) {
        let values = clustered(300, 9, seed);
        let keys = row_keys(0, 300, seed);
        let given = values[..5 * 6].to_vec();
        let options = Options { init: Init::Given(given.clone()), iterations: 1, ..options(5, Metric::Euclidean, 1) };
        let (_, iterations) = run(&MemoryVectors::new(values.clone(), 6), &keys, &options);
        let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>();
        let truth: f64 = values
            .chunks(6)
            .map(|row| given.chunks(6).map(|c| distance(row, c)).fold(f64::INFINITY, f64::min))
            .sum();
        prop_assert!((iterations[0].wcss - truth).abs() < 1e-3 * truth.max(1.0), "{} {}", iterations[0].wcss, truth);
    }
}

#[test]
fn no_instruction_set_changes_a_bit() {
    let vectors = MemoryVectors::new(clustered(2500, 30, 11), 6);
    let keys = row_keys(0, 2500, 1);
    for metric in [Metric::Spherical, Metric::Euclidean] {
        for init in [Init::Random, Init::PlusPlus] {
            let options = Options {
                init,
                ..options(40, metric, 2)
            };
            let mut first = None;
            for kernel in Kernel::available() {
                for way in Coarse::available() {
                    let mut told = Vec::new();
                    let engine = Engine { kernel, way };
                    let each = &mut |i: &Iteration| told.push(*i);
                    let centroids = fit_with(engine, &vectors, &keys, &options, each).unwrap();
                    let first = first.get_or_insert((centroids.clone(), told.clone()));
                    assert_eq!(*first, (centroids, told), "{kernel:?} {way:?}");
                }
            }
        }
    }
}

/// Lloyd's iterations by their definition: every row against every centroid, sums anew each time.
fn plain(values: &[f32], dim: usize, options: &Options) -> Vec<f32> {
    let kernel = Kernel::Portable;
    let (metric, mut values) = (options.metric, values.to_vec());
    prepare(kernel, metric, &mut values, dim, &mut Vec::new()).unwrap();
    let Init::Given(first) = &options.init else {
        unreachable!("a test")
    };
    let mut centroids = first.clone();
    prepare(kernel, metric, &mut centroids, dim, &mut Vec::new()).unwrap();
    for _ in 0..options.iterations {
        let range = range(&MemoryVectors::new(values.clone(), dim), metric, 1).unwrap();
        let mut sums = Sums::new(options.k, dim, range);
        for row in values.chunks_exact(dim) {
            let mut best = (0, f64::NEG_INFINITY);
            for (cluster, c) in (0u32..).zip(centroids.chunks_exact(dim)) {
                let bias = match metric {
                    Metric::Spherical => 0.0,
                    Metric::Euclidean => -0.5 * kernel.product(c, c),
                };
                let score = kernel.product(row, c) + bias;
                if score > best.1 {
                    best = (cluster, score);
                }
            }
            sums.add(best.0, row);
        }
        sums.means(metric, &mut centroids);
        repair(metric, &mut sums.counts(), &mut centroids, dim);
    }
    centroids
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn bounds_leave_out_nothing(seed in 0u64..1000, apart in prop_oneof![Just(0.0f32), Just(50.0)], k in 1usize..60) {
        let mut values = clustered(600, 25, seed);
        for x in &mut values {
            *x += apart;
        }
        // Rows that are equal, and a row without direction.
        values.copy_within(0..60, 60);
        values[..6].fill(0.0);
        for metric in [Metric::Spherical, Metric::Euclidean] {
            let first = values[values.len() - k * 6..].to_vec();
            let options = Options { init: Init::Given(first), iterations: 9, ..options(k, metric, 1) };
            let (centroids, _) = run(&MemoryVectors::new(values.clone(), 6), &row_keys(0, 600, seed), &options);
            prop_assert_eq!(centroids.values, plain(&values, 6, &options), "{:?}", metric);
        }
    }
}

fn kept(path: &std::path::Path, iterations: usize, identity: &str) -> Options {
    Options {
        iterations,
        checkpoint: Some(Checkpoint {
            path: path.to_owned(),
            identity: identity.to_owned(),
        }),
        ..options(20, Metric::Spherical, 2)
    }
}

#[test]
fn a_run_goes_on_from_its_checkpoint_to_the_same_bits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("k");
    let vectors = MemoryVectors::new(clustered(1500, 60, 5), 6);
    let keys = row_keys(0, 1500, 1);
    let clean = run(&vectors, &keys, &options(20, Metric::Spherical, 1));
    for iterations in [0, 1, 4, 12, 12] {
        let (centroids, told) = run(&vectors, &keys, &kept(&path, iterations, "a"));
        assert_eq!(told, clean.1[..iterations.min(clean.1.len())]);
        if iterations == 12 {
            assert_eq!(centroids, clean.0);
        }
    }
}

#[test]
fn a_checkpoint_of_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("k");
    let values = clustered(300, 60, 5);
    let keys = row_keys(0, 300, 1);
    let _ = run(
        &MemoryVectors::new(values.clone(), 6),
        &keys,
        &kept(&path, 3, "a"),
    );
    let said = |values: Vec<f32>, keys: &[f64], options: &Options| {
        let vectors = MemoryVectors::new(values, 6);
        fit(&vectors, keys, options, &mut |_| ())
            .unwrap_err()
            .to_string()
    };
    let other_keys = row_keys(0, 300, 2);
    let arguments = [
        said(values.clone(), &keys, &kept(&path, 5, "b")),
        said(values.clone(), &other_keys, &kept(&path, 5, "a")),
        said(
            values.clone(),
            &keys,
            &Options {
                k: 21,
                ..kept(&path, 5, "a")
            },
        ),
    ];
    assert!(
        arguments
            .iter()
            .all(|said| said.contains("other arguments")),
        "{arguments:?}"
    );
    assert!(said(values.clone(), &keys, &kept(&path, 2, "a")).contains("after 3 iterations"));
    let mut changed = values;
    changed[100] += 0.25;
    assert!(said(changed, &keys, &kept(&path, 5, "a")).contains("other vectors"));
}
