//! The tools together: one pipeline, any number of threads, any number of shards, the same bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of these tests assert"
)]

use std::collections::{BTreeMap, BTreeSet};

use realsyn_tests::{World, has};
use serde_json::Value;

const FRONT: &str = "rs-extract -q docs | rs-phash-dedup -q | rs-embed -q --model model";

fn records(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_front_of_the_pipeline_gives_the_same_bytes_at_any_number_of_threads() {
    let world = World::new();
    let with_jobs = |jobs: &str| {
        world.ok(&format!(
            "rs-extract -q -j{jobs} docs | rs-phash-dedup -q -j{jobs} | rs-embed -q -j{jobs} --model model"
        ))
    };
    let one = with_jobs("1");
    let kinds: BTreeSet<String> = records(&one)
        .iter()
        .map(|record| record["schema"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        BTreeSet::from(["image/1".to_owned(), "sentence/1".to_owned()])
    );
    assert!(
        records(&one)
            .iter()
            .all(|record| record["emb"]["dim"] == 16)
    );
    for jobs in ["1", "2", "5"] {
        assert_eq!(with_jobs(jobs), one, "-j{jobs}");
    }
}

#[test]
fn every_image_becomes_a_pair_with_three_texts_and_the_sample_balances_them() {
    let world = World::new();
    let pairs = records(&world.read("pairs.jsonl"));
    assert_eq!(pairs.len(), 16);
    let sentences: BTreeMap<String, String> = records(&world.read("sentences.jsonl"))
        .iter()
        .map(|record| {
            (
                record["id"].as_str().unwrap().to_owned(),
                record["text"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    for pair in &pairs {
        assert_eq!(pair["schema"], "pair/1");
        let texts = pair["texts"].as_array().unwrap();
        assert_eq!(texts.len(), 3);
        for text in texts {
            assert_eq!(
                sentences[text["id"].as_str().unwrap()],
                text["text"].as_str().unwrap()
            );
        }
        let scores: Vec<f64> = texts
            .iter()
            .map(|text| text["cos"].as_f64().unwrap())
            .collect();
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    }
    let sizes = |pairs: &[Value]| {
        let mut sizes = BTreeMap::new();
        for pair in pairs {
            *sizes
                .entry(pair["cluster"].as_u64().unwrap())
                .or_insert(0_usize) += 1;
        }
        sizes
    };
    let sampled = records(&world.ok("rs-sample -q --on text1 --cap 2 pairs.jsonl"));
    let capped: BTreeMap<u64, usize> = sizes(&pairs)
        .into_iter()
        .map(|(cluster, size)| (cluster, size.min(2)))
        .collect();
    assert_eq!(sizes(&sampled), capped);
}

#[test]
fn the_funnel_adds_up_through_the_whole_pipeline() {
    let world = World::new();
    // One picture twice, under another name, and one that is broken.
    world.ok("cp docs/doc0-0.jpg docs/copy.jpg && head -c 2000 docs/doc1-0.jpg > docs/cut.jpg");
    world.ok(
        "printf '<!doctype html><title>More</title><article><p>A small copy hangs beside the old door.</p>\
         <img src=copy.jpg><p>The cut picture lies on the kitchen table.</p><img src=cut.jpg></article>' > docs/more.html",
    );
    let finished = world.sh("rs-extract -q docs --rejects e.rejects --report e.funnel |
         rs-phash-dedup -q --rejects p.rejects --report p.funnel |
         rs-embed -q --model model --rejects m.rejects --report m.funnel > out.jsonl");
    assert_eq!(finished.status, Some(1), "{}", finished.err);
    let mut kept_before = None;
    for stage in ["e", "p", "m"] {
        let funnel = records(&world.read(&format!("{stage}.funnel")));
        let rejects = records(&world.read(&format!("{stage}.rejects")));
        let images = funnel.iter().find(|row| row["kind"] == "image").unwrap();
        let lost: u64 = ["dropped", "errors"]
            .iter()
            .filter_map(|part| images[part].as_object())
            .flat_map(|codes| codes.values().map(|count| count.as_u64().unwrap()))
            .sum();
        let (seen, kept) = (
            images["seen"].as_u64().unwrap(),
            images["kept"].as_u64().unwrap(),
        );
        assert_eq!(seen, kept + lost, "{stage}: {images}");
        if let Some(before) = kept_before.replace(kept) {
            assert_eq!(
                seen, before,
                "{stage}: what one tool keeps is what the next one sees"
            );
        }
        let all: u64 = funnel
            .iter()
            .flat_map(|row| [row["dropped"].clone(), row["errors"].clone()])
            .filter_map(|codes| {
                codes
                    .as_object()
                    .map(|codes| codes.values().map(|n| n.as_u64().unwrap()).sum::<u64>())
            })
            .sum();
        assert_eq!(
            rejects.len() as u64,
            all,
            "{stage}: every loss is in the rejects"
        );
    }
    assert_eq!(
        kept_before,
        Some(16),
        "the copy and the broken picture are gone, nothing else"
    );
}

#[test]
fn maps_split_over_shards_by_gnu_parallel_give_the_bytes_of_the_whole() {
    if !has("parallel") {
        return;
    }
    let world = World::new();
    world.ok("ls docs/*.html > list && xargs rs-extract -q --counts counts.fst < list > whole");
    // Four shards, of documents for the tool that reads documents and of records for the others.
    world.ok("parallel -k -j2 -N2 rs-extract -q --counts counts.fst {} :::: list > parts && cmp parts whole");
    for (input, map) in [
        ("records.jsonl", "rs-embed -q --model model"),
        ("embedded.jsonl", "rs-kmeans -q --assign centroids.npy"),
        (
            "images.jsonl",
            "rs-retrieve -q --sentences sentences.jsonl --centroids centroids.npy --probe 2",
        ),
        ("pairs.jsonl", "rs-caption -q --model model"),
    ] {
        let lines = world.read(input).lines().count();
        let shard = lines.div_ceil(4);
        world.ok(&format!("{map} {input} > whole && [ -s whole ]"));
        world.ok(&format!(
            "parallel --pipe -k -j2 -N{shard} '{map}' < {input} > parts && cmp parts whole"
        ));
    }
}

#[test]
fn a_trained_model_embeds() {
    let world = World::new();
    world.ok("rs-train -q --config ViT-micro-8-32 --steps 3 --batch-size 4 --out trained pairs.jsonl > metrics.jsonl");
    let losses: Vec<f64> = records(&world.read("metrics.jsonl"))
        .iter()
        .filter_map(|record| record["loss"].as_f64())
        .collect();
    assert_eq!(losses.len(), 3);
    let embedded = records(&world.ok("rs-embed -q --model trained records.jsonl"));
    assert!(
        !embedded.is_empty()
            && embedded
                .iter()
                .all(|record| record["emb"]["f16"].is_string())
    );
}

#[test]
fn the_report_shows_the_run() {
    let world = World::new();
    world.ok(&format!("{FRONT} --report m.funnel > /dev/null"));
    let page = world.ok("rs-report pairs.jsonl m.funnel kmeans.jsonl");
    assert!(page.starts_with("<!") && page.contains("data:image/jpeg"));
    assert!(page.contains("rs-embed"));
}
