//! A causal language model on the embedded engine, against the definition of perplexity.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use realsyn_behaviour::fixtures::{LM_WORDS, causal_lm, lm_logit};
use realsyn_infer::{CausalLm, EngineChoice, EngineOptions, InferError};

fn options() -> EngineOptions {
    EngineOptions {
        choice: EngineChoice::Rten,
        ..EngineOptions::default()
    }
}

/// exp(−1/N Σ ln softmax(logits)[next]) over all tokens behind the beginning, in double precision.
fn expected(text: &str) -> f64 {
    let words = text.split(' ').map(|word| {
        let known = LM_WORDS.iter().position(|known| *known == word);
        known.unwrap_or(1)
    });
    let ids: Vec<usize> = std::iter::once(0).chain(words).collect();
    let mut sum = 0.0;
    for (position, pair) in ids.windows(2).enumerate() {
        let logit = |next| f64::from(lm_logit(pair[0], position, next)).exp();
        let all: f64 = (0..LM_WORDS.len()).map(logit).sum();
        sum -= (logit(pair[1]) / all).ln();
    }
    (sum / f64::from(u32::try_from(ids.len() - 1).unwrap())).exp()
}

const TEXTS: [&str; 6] = [
    "the heron waits for a fish .",
    "the",
    "fish",
    "a a a a a a a a a a a a a a a a a",
    "waits the for zyx mill the .",
    "the heron waits for a fish at the mill . the heron waits for a fish at",
];

#[test]
fn perplexities_are_those_of_the_definition() {
    let dir = tempfile::tempdir().unwrap();
    causal_lm(dir.path());
    for rows in [1, 4] {
        let model = CausalLm::open(dir.path(), &options(), rows).unwrap();
        let mut scorer = model.scorer().unwrap();
        let all = scorer.perplexities(&TEXTS).unwrap();
        for (text, found) in TEXTS.iter().zip(all) {
            let (found, expected) = (found.unwrap(), expected(text));
            assert!(
                (found / expected - 1.0).abs() < 1e-6,
                "{text}: {found} {expected}"
            );
            // Not a bit depends on the neighbours.
            let alone = scorer.perplexities(&[text]).unwrap().remove(0).unwrap();
            assert_eq!(alone.to_bits(), found.to_bits(), "{text}");
        }
    }
}

#[test]
fn what_has_nothing_to_predict_has_no_perplexity_and_what_is_long_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    causal_lm(dir.path());
    let model = CausalLm::open(dir.path(), &options(), 2).unwrap();
    let mut scorer = model.scorer().unwrap();
    let long = "heron ".repeat(1000);
    let answers = scorer.perplexities(&["", &long, "a fish"]).unwrap();
    assert!(matches!(answers[0], Err(InferError::NoPerplexity)));
    let cut = expected("heron ".repeat(32).trim_end());
    assert!((answers[1].as_ref().unwrap() / cut - 1.0).abs() < 1e-6);
    assert!(answers[2].is_ok());
}

#[test]
fn what_is_no_language_model_is_said() {
    let dir = tempfile::tempdir().unwrap();
    causal_lm(dir.path());
    let refused = || {
        CausalLm::open(dir.path(), &options(), 2)
            .err()
            .unwrap()
            .to_string()
    };
    let config = std::fs::read_to_string(dir.path().join("config.json")).unwrap();
    std::fs::write(dir.path().join("config.json"), "{}").unwrap();
    assert!(refused().contains("asks for a past"), "{}", refused());
    std::fs::write(dir.path().join("config.json"), config).unwrap();
    std::fs::remove_file(dir.path().join("tokenizer.json")).unwrap();
    assert!(refused().contains("tokenizer.json"), "{}", refused());
    std::fs::remove_file(dir.path().join("onnx/model.onnx")).unwrap();
    assert!(
        refused().contains("holds no language model"),
        "{}",
        refused()
    );
}
