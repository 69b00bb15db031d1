use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::{Summary, Trainer};

const TEXT: [&str; 8] = [
    "A grey heron waits at the edge of the mill pond.",
    "The heron waits for a fish in the shallow water.",
    "A fish in the pond hides under the old mill wheel.",
    "The old wheel turns when the water is high.",
    "When the water is low, the wheel stands still.",
    "The miller grinds rye and wheat at the old mill.",
    "A cart brings the wheat to the mill every week.",
    "The heron flies away when the cart comes near.",
];

fn train(order: usize, text: &[&str]) -> (Vec<u8>, Summary) {
    let mut trainer = Trainer::new(order).unwrap();
    for sentence in text {
        trainer.push(sentence);
    }
    let mut bytes = Vec::new();
    let summary = trainer.write(&mut bytes).unwrap();
    (bytes, summary)
}

fn open(bytes: &[u8]) -> Result<Model, NgramError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    Model::open(file.path())
}

fn perplexity(model: &Model, sentence: &str) -> f64 {
    model.score(sentence, &mut Scratch::default()).perplexity()
}

#[test]
fn a_sentence_is_likelier_than_its_words_in_disorder() {
    for order in 2..=MAX_ORDER {
        let (bytes, summary) = train(order, &TEXT);
        assert_eq!((summary.sentences, summary.ngrams.len()), (8, order));
        let model = open(&bytes).unwrap();
        assert_eq!(model.order(), order);
        let [seen, near, disorder, strange] = [
            "The heron waits for a fish in the shallow water.",
            "The heron waits for a cart at the old mill.",
            "mill old the cart at heron for waits a the.",
            "Zyx qwv heron plk.",
        ]
        .map(|sentence| perplexity(&model, sentence));
        assert!(
            seen < near && near < disorder && near < strange,
            "{order}: {seen} {near} {disorder} {strange}"
        );
        let score = model.score("Zyx heron!", &mut Scratch::default());
        assert_eq!(
            (score.predicted, score.unknown),
            (4, 2),
            "the mark ! and zyx are unknown"
        );
    }
}

/// The same rule over hash maps, straight from the definition, without quantisation.
#[test]
fn the_file_says_what_the_definition_says() {
    // So little text that no order has more than 256 different probabilities: quantisation changes nothing.
    let (bytes, _) = train(2, &["a b a b c", "a b", "c a"]);
    let model = open(&bytes).unwrap();
    // Discounts are ½, 1, 1½ (too few counts). Bigrams: <s>a 2, <s>c 1, ab 3, ba 1, bc 1, b</s> 1, c</s> 1, ca 1, a</s> 1.
    // Words before: a {<s>, b, c} 3, b {a} 1, c {<s>, b} 2, </s> {b, c, a} 3; 9 in all, given up 1.5 + 0.5 + 1 + 1.5 = 4.5.
    // Ids that can come: a, b, c, </s> and the unknown word.
    let even = 4.5 / 9.0 / 5.0;
    let p_a = (3.0 - 1.5) / 9.0 + even;
    let p_b = (1.0 - 0.5) / 9.0 + even;
    let p_end = (3.0 - 1.5) / 9.0 + even;
    // After <s>: 3 counts, given up 1 + 0.5; after a: ab 3, a</s> 1, given up 2; after b: ba, bc, b</s> 1 each, 1.5.
    let begin_a = (2.0 - 1.0) / 3.0 + 1.5 / 3.0 * p_a;
    let a_b = (3.0 - 1.5) / 4.0 + 2.0 / 4.0 * p_b;
    let b_b = 1.5 / 3.0 * p_b;
    let b_end = (1.0 - 0.5) / 3.0 + 1.5 / 3.0 * p_end;
    let expected: f64 = [begin_a, a_b, b_b, b_end]
        .iter()
        .map(|p: &f64| p.ln())
        .sum();
    let score = model.score("a b b", &mut Scratch::default());
    assert!(
        (score.log_probability - expected).abs() < 1e-5,
        "{} {expected}",
        score.log_probability
    );
    // An unknown word is no context: what follows it has the probability that it has alone.
    let expected = (1.5 / 3.0 * even).ln() + p_end.ln();
    let score = model.score("z", &mut Scratch::default());
    assert!((score.log_probability - expected).abs() < 1e-5);
}

#[test]
fn no_sentence_and_bad_orders_are_errors() {
    assert_eq!(Trainer::new(1).unwrap_err().code(), "bad-order");
    assert_eq!(Trainer::new(6).unwrap_err().code(), "bad-order");
    let mut trainer = Trainer::new(3).unwrap();
    trainer.push("  ");
    assert_eq!(
        trainer.write(&mut Vec::new()).unwrap_err().code(),
        "no-text"
    );
}

#[test]
fn a_damaged_file_is_refused_or_read_without_harm() {
    let (bytes, _) = train(3, &TEXT);
    for length in 0..bytes.len() {
        assert_eq!(
            open(&bytes[..length]).unwrap_err().code(),
            "bad-model",
            "{length}"
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(
        open(&longer)
            .unwrap_err()
            .to_string()
            .contains("after the model's end")
    );
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0xff;
        if let Ok(model) = open(&changed) {
            let _ = perplexity(&model, TEXT[0]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_order_of_sentences_changes_no_byte(order in 2..=4_usize, seed in any::<u64>()) {
        let mut shuffled = TEXT;
        let mut state = seed | 1;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        prop_assert_eq!(train(order, &TEXT), train(order, &shuffled));
    }
}
