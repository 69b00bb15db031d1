//! The whole search against its definition.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::testing::{Draw, matrix, planted, store};
use crate::{
    Centres, Found, Options, Overlap, Part, Rank, SemdedupError, Store, Verdicts, given, search,
};

/// The distance as anybody would compute it, of the half-precision numbers.
fn distance(store: &Store, a: usize, b: usize) -> f64 {
    let read = |row: usize| {
        let mut out = Vec::new();
        let norm = store.vector(store.node_of(row), &mut out);
        (out, norm)
    };
    let (left, right) = (read(a), read(b));
    let pairs = left.0.iter().zip(&right.0);
    let dot: f64 = pairs.map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
    1.0 - dot / (left.1 * right.1)
}

/// The closure of all pairs below a distance, by relabelling.
fn naive(store: &Store, below: f64) -> Vec<usize> {
    let count = store.records();
    let mut labels: Vec<usize> = (0..count).collect();
    let mut pairs = Vec::new();
    for a in 0..count {
        for b in 0..a {
            if distance(store, a, b) < below {
                pairs.push((a, b));
            }
        }
    }
    loop {
        let before = labels.clone();
        for &(a, b) in &pairs {
            let least = labels[a].min(labels[b]);
            labels[a] = least;
            labels[b] = least;
        }
        if labels == before {
            return labels;
        }
    }
}

/// The sets as sorted lists of records.
fn partition(labels: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (record, label) in labels.enumerate() {
        sets.entry(label).or_default().push(record);
    }
    let mut sets: Vec<_> = sets.into_values().collect();
    sets.sort_unstable();
    sets
}

fn found_sets(store: &Store, found: &Found, place: usize) -> Vec<Vec<usize>> {
    partition((0..store.records()).map(|record| found.set(store, place, record) as usize))
}

const ALL: Options<'_> = Options {
    distances: &[0.1],
    centres: None,
    overlap: Overlap::Exact,
    part: None,
    jobs: 2,
};

/// Centres that part the rows: some rows themselves and some strangers.
fn centres(rows: &[Vec<f32>], k: usize, seed: u64) -> Centres {
    let dim = rows[0].len();
    let mut draw = Draw(seed);
    let mut values: Vec<f32> = rows.iter().step_by(7).take(k).flatten().copied().collect();
    values.extend(draw.row(2 * dim));
    Centres::new(values, dim)
}

/// Who stays for whom, by id; a record's id is its place in `ids`.
fn verdicts(
    rows: &[Vec<f32>],
    ids: &[usize],
    options: &Options<'_>,
    rank: fn(&[f64]) -> Rank<'_>,
) -> Vec<(usize, Option<usize>)> {
    let store = store(rows);
    let found = search(&store, options).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a test")]
    let sizes: Vec<f64> = ids.iter().map(|id| (id % 5) as f64).collect();
    let verdicts = Verdicts::new(&store, &found, 0, rank(&sizes), |a, b| ids[a].cmp(&ids[b]));
    let mut all: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(record, &id)| (id, verdicts.dup_of(record).map(|kept| ids[kept])))
        .collect();
    all.sort_unstable();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn sets_are_the_closure_of_all_pairs_at_every_distance(
        seed in any::<u64>(), count in 2usize..150, dim in 3usize..24, beta in 0.01f64..0.4,
    ) {
        let rows = planted(seed, count, 5, dim);
        let store = store(&rows);
        let distances = [beta / 3.0, beta, beta * 1.5];
        let found = search(&store, &Options { distances: &distances, ..ALL }).unwrap();
        for (place, &below) in distances.iter().enumerate() {
            let truth = partition(naive(&store, below).into_iter());
            prop_assert_eq!(found_sets(&store, &found, place), truth.clone());
            let row = found.row(&store, place);
            prop_assert_eq!(row.dropped, (store.records() - truth.len()) as u64);
            prop_assert_eq!(row.near, truth.iter().map(Vec::len).filter(|&n| n > 1).sum::<usize>() as u64);
        }
    }

    #[test]
    fn clusters_with_the_exact_bound_miss_nothing(
        seed in any::<u64>(), count in 2usize..400, k in 1usize..30, beta in 0.01f64..0.5, jobs in 1usize..4,
    ) {
        let rows = planted(seed, count, 9, 12);
        let store = store(&rows);
        let distances = [beta];
        let all = search(&store, &Options { distances: &distances, ..ALL }).unwrap();
        let centres = centres(&rows, k, seed);
        let options = Options { distances: &distances, centres: Some(&centres), jobs, ..ALL };
        let blocked = search(&store, &options).unwrap();
        prop_assert_eq!(found_sets(&store, &blocked, 0), found_sets(&store, &all, 0));
        prop_assert!(blocked.recall(0).is_none());
    }

    #[test]
    fn parts_join_to_the_whole(seed in any::<u64>(), of in 1usize..6, clusters in any::<bool>()) {
        let rows = planted(seed, 300, 9, 12);
        let store = store(&rows);
        let centres = centres(&rows, 12, seed);
        let options = Options {
            centres: clusters.then_some(&centres),
            overlap: Overlap::Recall(0.9),
            ..ALL
        };
        let whole = search(&store, &options).unwrap();
        let mut pairs = Vec::new();
        for number in 0..of {
            let part = search(&store, &Options { part: Some(Part { number, of }), ..options }).unwrap();
            for set in found_sets(&store, &part, 0) {
                pairs.extend(set[1..].iter().map(|&other| (set[0], other)));
            }
        }
        let joined = given(&store, pairs);
        prop_assert_eq!(found_sets(&store, &joined, 0), found_sets(&store, &whole, 0));
    }

    #[test]
    fn neither_order_nor_threads_decide_who_stays(
        seed in any::<u64>(), jobs in 1usize..4, clusters in any::<bool>(), which in 0usize..3,
        shuffled in Just((0..200).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let rank: fn(&[f64]) -> Rank<'_> = [
            (|_| Rank::Centroid) as fn(&[f64]) -> Rank<'_>,
            |_| Rank::First,
            |sizes| Rank::Greatest(sizes),
        ][which];
        let rows = planted(seed, 200, 6, 16);
        let centres = centres(&rows, 10, seed);
        let options = Options {
            distances: &[0.15],
            centres: clusters.then_some(&centres),
            overlap: Overlap::Recall(0.99),
            ..ALL
        };
        let ids: Vec<usize> = (0..200).collect();
        let one = verdicts(&rows, &ids, &Options { jobs: 1, ..options }, rank);
        let moved: Vec<_> = shuffled.iter().map(|&n| rows[n].clone()).collect();
        let other = verdicts(&moved, &shuffled, &Options { jobs, ..options }, rank);
        prop_assert_eq!(one, other);
    }
}

#[test]
fn the_record_nearest_to_the_mean_stays() {
    // A chain: the middle one is nearest to the mean of three; of two the first of the order stays.
    let at = |degrees: f32| vec![degrees.to_radians().cos(), degrees.to_radians().sin()];
    let chain = [at(0.0), at(20.0), at(40.0), at(180.0), at(190.0)];
    let ids = [3, 4, 5, 9, 7];
    let kept = verdicts(&chain, &ids, &ALL, |_| Rank::Centroid);
    assert_eq!(
        kept,
        [
            (3, Some(4)),
            (4, None),
            (5, Some(4)),
            (7, None),
            (9, Some(7))
        ]
    );
    let first = verdicts(&chain, &ids, &ALL, |_| Rank::First);
    assert_eq!(first[2], (5, Some(3)));
    // By size: id modulo 5.
    let largest = verdicts(&chain, &ids, &ALL, |sizes| Rank::Greatest(sizes));
    assert_eq!(
        largest,
        [
            (3, Some(4)),
            (4, None),
            (5, Some(4)),
            (7, Some(9)),
            (9, None)
        ]
    );
}

#[test]
fn equal_vectors_are_one_node_however_many() {
    let mut rows = vec![vec![1.0, 2.0, 3.0]; 20_000];
    rows.push(vec![-1.0, 2.0, 3.0]);
    let store = store(&rows);
    assert_eq!((store.records(), store.distinct()), (20_001, 2));
    let found = search(&store, &ALL).unwrap();
    let row = found.row(&store, 0);
    assert_eq!((row.dropped, row.sets, row.largest), (19_999, 1, 20_000));
}

#[test]
fn a_sample_tells_how_many_pairs_are_found() {
    let rows = planted(5, 6000, 60, 24);
    let store = store(&rows);
    let centres = centres(&rows, 64, 5);
    let exact = search(
        &store,
        &Options {
            centres: Some(&centres),
            ..ALL
        },
    )
    .unwrap();
    let some = Options {
        centres: Some(&centres),
        overlap: Overlap::Recall(0.99),
        ..ALL
    };
    let some = search(&store, &some).unwrap();
    let recall = some.recall(0).unwrap();
    assert!(recall.share >= 0.98 && recall.pairs > 100, "{recall:?}");
    assert!(some.overlap < 1.0 && some.compared < exact.compared);
    assert!(
        exact.compared < 6000 * 6000 / 2,
        "the bound leaves something out"
    );
    let (found, all) = (some.row(&store, 0), exact.row(&store, 0));
    assert!(
        found.dropped <= all.dropped && found.dropped * 100 >= all.dropped * 97,
        "{found:?} {all:?}"
    );
}

#[test]
fn what_cannot_be_compared_is_named() {
    let bad = |row: Vec<f32>| Store::new(matrix(&[vec![1.0, 0.0], row]), 1).unwrap_err();
    assert!(matches!(
        bad(vec![0.0, 0.0]),
        SemdedupError::NoDirection { row: 1 }
    ));
    assert!(matches!(
        bad(vec![f32::NAN, 0.0]),
        SemdedupError::NotFinite { row: 1 }
    ));
    let strange = Centres::new(vec![1.0, 0.0, 0.0], 3);
    let error = search(
        &store(&[vec![1.0, 0.0], vec![1.0, 0.1]]),
        &Options {
            centres: Some(&strange),
            ..ALL
        },
    );
    assert_eq!(error.unwrap_err().code(), "dim-mismatch");
}

#[test]
fn little_to_compare_is_no_problem() {
    for rows in [vec![], vec![vec![1.0, 2.0]]] {
        let store = store(&rows);
        let found = search(&store, &ALL).unwrap();
        assert_eq!(found.row(&store, 0).dropped, 0);
    }
}
