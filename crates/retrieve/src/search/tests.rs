//! Searches against plain brute force.

use proptest::prelude::*;
use realsyn_vector::kernel::inner;
use realsyn_vector::npy::{Element, Matrix, Writer};

use super::*;
use crate::build::tests::bytes_of;
use crate::{Builder, Centres, Sentence, text_key};

const DIM: usize = 5;

/// Texts of few words, so that some are equal up to case; documents of several sentences; clustered unit vectors.
struct World {
    centres: Vec<f32>,
    sentences: Vec<(String, String, String, u64, Vec<f32>)>,
    queries: Vec<(String, Vec<f32>)>,
}

#[expect(clippy::cast_possible_truncation, reason = "a test")]
fn draw(seed: u64, what: &str) -> f32 {
    realsyn_record::uniform(seed, what) as f32 * 2.0 - 1.0
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = inner(&vector, &vector).sqrt();
    for x in &mut vector {
        *x /= norm;
    }
    vector
}

fn near(seed: u64, centre: &[f32], what: &str, spread: f32) -> Vec<f32> {
    unit(
        centre
            .iter()
            .enumerate()
            .map(|(i, x)| x + spread * draw(seed, &format!("{what}{i}")))
            .collect(),
    )
}

impl World {
    fn new(seed: u64, clusters: usize, count: usize, queries: usize) -> Self {
        let centre = |c: usize| unit((0..DIM).map(|i| draw(seed, &format!("c{c}.{i}"))).collect());
        let centres: Vec<Vec<f32>> = (0..clusters).map(centre).collect();
        let sentences = (0..count).map(|s| {
            let cluster = (s * 7 + s / 3) % clusters;
            let text = format!("{} {}", ["Fox", "fox", "owl"][s % 3], s % 11);
            // Rounded, so that ties occur.
            let vector = near(seed, &centres[cluster], &format!("s{}", s % 17), 0.4);
            (
                format!("d{}/s{s}", s % 9),
                format!("d{}", s % 9),
                text,
                cluster as u64,
                vector,
            )
        });
        let queries = (0..queries).map(|q| {
            (
                format!("d{}", q % 12),
                near(seed, &centres[q % clusters], &format!("q{q}"), 0.5),
            )
        });
        Self {
            sentences: sentences.collect(),
            queries: queries.collect(),
            centres: centres.concat(),
        }
    }

    fn searcher(&self, options: Options) -> Searcher<Vec<u8>> {
        let centres = Centres {
            values: self.centres.clone(),
            dim: DIM,
            is_euclidean: false,
        };
        let mut builder = Builder::new(centres, &std::env::temp_dir()).unwrap();
        for (id, doc, text, cluster, vector) in &self.sentences {
            builder
                .push(&Sentence {
                    id,
                    doc,
                    text,
                    cluster: *cluster,
                    vector,
                })
                .unwrap();
        }
        Searcher::new(Index::open(bytes_of(builder)).unwrap(), options)
    }

    /// Ids and cosines of every query, in batches of `batch`.
    fn answers(&self, searcher: &Searcher<Vec<u8>>, batch: usize) -> Vec<Vec<(String, f32)>> {
        let queries: Vec<Query<'_>> = self
            .queries
            .iter()
            .map(|(doc, vector)| Query {
                vector,
                doc: searcher.index().find_doc(doc),
            })
            .collect();
        let mut scratch = Scratch::default();
        let named = |hits: Vec<Hit>| {
            hits.into_iter()
                .map(|hit| (searcher.index().id(hit.sentence).to_owned(), hit.cos))
                .collect()
        };
        queries
            .chunks(batch)
            .flat_map(|queries| searcher.search(&mut scratch, queries).unwrap())
            .map(named)
            .collect()
    }

    /// All sentences that the rules leave, sorted, the better of equal texts kept.
    fn brute_force(&self, query: usize, options: &Options) -> Vec<(String, f32)> {
        let (doc, vector) = &self.queries[query];
        let mut all: Vec<(f32, &str, f32, u64)> = Vec::new();
        for (id, own, text, _, sentence) in &self.sentences {
            let half: Vec<f32> = sentence
                .iter()
                .map(|&x| half::f16::from_f32(x).to_f32())
                .collect();
            let cos = inner(vector, &half);
            let rank = if own == doc {
                cos + options.same_doc_boost
            } else {
                cos
            };
            if !(options.exclude_same_doc && own == doc) && cos >= options.min_cos.unwrap_or(-9.0) {
                all.push((rank, id, cos, text_key(text)));
            }
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let mut seen = std::collections::HashSet::new();
        all.retain(|entry| seen.insert(entry.3));
        all.into_iter()
            .take(options.top_k)
            .map(|(_, id, cos, _)| (id.to_owned(), cos))
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn all_clusters_probed_is_brute_force(
        seed in any::<u64>(),
        (clusters, count) in (1usize..9, 1usize..200),
        top_k in 1usize..6,
        exclude_same_doc in any::<bool>(),
        boost in prop_oneof![Just(0.0f32), Just(0.2), Just(-0.2)],
        min_cos in prop_oneof![Just(None), Just(Some(0.3f32))],
    ) {
        let world = World::new(seed, clusters, count, 20);
        let options = Options { top_k, probe: clusters, min_cos, exclude_same_doc, same_doc_boost: boost };
        let answers = world.answers(&world.searcher(options), 20);
        for (query, answer) in answers.iter().enumerate() {
            prop_assert_eq!(answer, &world.brute_force(query, &options));
        }
    }

    #[test]
    fn in_bulk_the_answers_are_the_same(
        seed in any::<u64>(),
        top_k in 1usize..6,
        probe in 1usize..9,
        jobs in 1usize..4,
        exclude_same_doc in any::<bool>(),
    ) {
        let world = World::new(seed, 7, 150, 60);
        let options = Options { top_k, probe, exclude_same_doc, ..Options::default() };
        let searcher = world.searcher(options);
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = Writer::new(file.reopen().unwrap(), DIM, Element::F32).unwrap();
        for (_, vector) in &world.queries {
            writer.push(vector).unwrap();
        }
        writer.finish().unwrap();
        let docs: Vec<_> = world.queries.iter().map(|(doc, _)| searcher.index().find_doc(doc)).collect();
        let found = searcher.search_bulk(&Matrix::open(file.path()).unwrap(), &docs, jobs).unwrap();
        for (query, answer) in world.answers(&searcher, 60).into_iter().enumerate() {
            let hits: Vec<(String, f32)> =
                found.hits(query).map(|hit| (searcher.index().id(hit.sentence).to_owned(), hit.cos)).collect();
            prop_assert_eq!(hits, answer);
        }
    }

    #[test]
    fn the_nearest_places_are_those_of_a_sort(
        scores in prop::collection::vec(-4i8..4, 1..90),
        probe in 1usize..100,
    ) {
        let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
        let biases: Vec<f32> = (0u16..).map(|n| f32::from(n % 3)).take(scores.len()).collect();
        let mut sorted: Vec<u32> = (0..).take(scores.len()).collect();
        let sum = |place: u32| scores[place as usize] + biases[place as usize];
        sorted.sort_by(|&a, &b| sum(b).total_cmp(&sum(a)));
        sorted.truncate(probe);
        sorted.sort_unstable();
        let mut nearest = Vec::new();
        best_places(&scores, &biases, probe, &mut nearest);
        let mut places: Vec<u32> = nearest.iter().map(|&(_, place)| place).collect();
        places.sort_unstable();
        prop_assert_eq!(places, sorted);
    }

    #[test]
    fn batches_change_nothing(seed in any::<u64>(), batch in 1usize..50, probe in 1usize..7) {
        let world = World::new(seed, 6, 150, 50);
        let searcher = world.searcher(Options { probe, ..Options::default() });
        prop_assert_eq!(world.answers(&searcher, batch), world.answers(&searcher, 50));
    }
}

#[test]
fn recall_grows_with_probe() {
    let world = World::new(3, 24, 3000, 300);
    let recall = |probe| {
        let options = Options {
            probe,
            ..Options::default()
        };
        let answers = world.answers(&world.searcher(options), 64);
        let truth: Vec<_> = (0..300)
            .map(|query| world.brute_force(query, &options))
            .collect();
        answers
            .iter()
            .zip(&truth)
            .map(|(answer, truth)| truth.iter().filter(|t| answer.contains(t)).count())
            .sum::<usize>()
    };
    let recalls: Vec<usize> = [1, 2, 4, 8, 24].into_iter().map(recall).collect();
    assert!(recalls.is_sorted(), "{recalls:?}");
    assert!(
        recalls[0] > 300 && recalls[0] < 900 && recalls[4] == 900,
        "{recalls:?}"
    );
}

#[test]
fn a_search_without_sentences_finds_nothing() {
    let world = World {
        sentences: Vec::new(),
        ..World::new(1, 3, 1, 4)
    };
    assert!(
        world
            .answers(&world.searcher(Options::default()), 4)
            .iter()
            .all(Vec::is_empty)
    );
    let wrong = world
        .searcher(Options::default())
        .search(
            &mut Scratch::default(),
            &[Query {
                vector: &[1.0],
                doc: None,
            }],
        )
        .unwrap_err();
    assert_eq!(wrong.code(), "dim-mismatch");
}
