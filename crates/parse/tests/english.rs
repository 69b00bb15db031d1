//! The embedded parser on sentences whose parse is plain, and on input that is none.
#![expect(clippy::expect_used, reason = "helpers of tests")]

use proptest::prelude::*;
use realsyn_parse::{ParseError, Parser, Scratch};

static WEIGHTS: &[u8] = include_bytes!("../weights/english.bin");
fn parser() -> &'static Parser {
    Parser::embedded().expect("the weights are whole")
}

/// Complexity and action.
fn judged(sentence: &str) -> (usize, bool) {
    let mut scratch = Scratch::default();
    let parse = parser().parse(&mut scratch, sentence);
    (parse.complexity(), parse.action())
}

/// `word<-head` of each token, in short.
fn heads(sentence: &str) -> Vec<String> {
    let mut scratch = Scratch::default();
    let parse = parser().parse(&mut scratch, sentence);
    let text = |at: Option<usize>| {
        at.and_then(|at| parse.token(at))
            .map_or("", |token| token.text)
    };
    parse
        .tokens()
        .map(|token| format!("{} {} {}", token.text, token.label, text(token.head)))
        .collect()
}

#[test]
fn plain_sentences_are_parsed() {
    assert_eq!(
        heads("The black cat chased a mouse."),
        [
            "The det cat",
            "black amod cat",
            "cat nsubj chased",
            "chased root ",
            "a det mouse",
            "mouse obj chased",
            ". punct chased"
        ]
    );
    assert_eq!(
        heads("She did not see the man with the hat."),
        [
            "She nsubj see",
            "did aux see",
            "not advmod see",
            "see root ",
            "the det man",
            "man obj see",
            "with prep man",
            "the det hat",
            "hat pobj with",
            ". punct see"
        ]
    );
    assert_eq!(
        heads("The house was built in 1920."),
        [
            "The det house",
            "house nsubjpass built",
            "was aux built",
            "built root ",
            "in prep built",
            "1920 pobj in",
            ". punct built"
        ]
    );
}

#[test]
fn an_action_is_a_verb_with_a_nominal_subject() {
    for (sentence, action) in [
        ("The cat chased a mouse.", true),
        ("He doesn't know it.", true),
        ("The house was built in 1920.", true),
        ("Two dogs are playing in the snow.", true),
        ("The man who lives here is old.", true),
        ("I think that you're right.", true),
        ("The cat is black.", false),
        ("It was a dark and stormy night.", false),
        ("A red car in front of a house", false),
        ("The history of the city", false),
        ("Click the button.", false),
        ("Black and white photo of a horse", false),
        ("Table of contents", false),
    ] {
        assert_eq!(judged(sentence).1, action, "{sentence}");
    }
}

#[test]
fn complexity_is_the_most_children_of_a_token() {
    assert_eq!(judged("").0, 0);
    assert_eq!(judged("Hello").0, 0);
    assert_eq!(judged("Red cars").0, 1);
    assert_eq!(judged("The cat chased a mouse.").0, 3);
    assert_eq!(judged("A big old red car").0, 4);
}

#[test]
fn an_explanation_can_be_read() {
    let mut scratch = Scratch::default();
    let said = parser().parse(&mut scratch, "The cat sleeps.").to_string();
    let expected = "  1 The    DET   DT    det         2 cat\n  2 cat    NOUN  NN    nsubj       3 sleeps\n  3 sleeps VERB  VBZ   root        - \n  \
                    4 .      PUNCT .     punct       3 sleeps\ncomplexity 2, an action";
    assert_eq!(said, expected);
    assert_eq!(
        parser().parse(&mut scratch, "").to_string(),
        "complexity 0, no action"
    );
}

#[test]
fn a_scratch_forgets_the_sentence_before() {
    let mut scratch = Scratch::default();
    let sentences = [
        "The cat chased a mouse.",
        "Hello",
        "",
        "She did not see the man with the hat.",
        "1, 2, 3",
    ];
    let fresh: Vec<String> = sentences
        .iter()
        .map(|sentence| {
            parser()
                .parse(&mut Scratch::default(), sentence)
                .to_string()
        })
        .collect();
    for _ in 0..2 {
        for (sentence, fresh) in sentences.iter().zip(&fresh) {
            assert_eq!(parser().parse(&mut scratch, sentence).to_string(), *fresh);
        }
    }
}

#[test]
fn hostile_text_is_parsed_like_any_other() {
    let long = "the cat sat on a mat and ".repeat(15_000);
    let brackets = "(".repeat(20_000);
    let word = "x".repeat(300_000);
    let apostrophes = "'s ".repeat(10_000);
    let emoji = "👩‍🚀😀🇩🇪 ".repeat(1000);
    let combining = format!("e{} a{}", "\u{301}".repeat(5000), "\u{489}".repeat(5000));
    for text in [
        &long,
        &brackets,
        &word,
        &apostrophes,
        &emoji,
        &combining,
        "日本語の文章です。",
        "\0\u{1}\u{fffd}",
        "١٢٣",
        "\u{202e}abc",
        "\n\t \u{3000}",
    ] {
        let mut scratch = Scratch::default();
        let parse = parser().parse(&mut scratch, text);
        let tokens: Vec<_> = parse.tokens().collect();
        assert_eq!(tokens.len(), parse.len());
        assert!(
            tokens
                .iter()
                .all(|token| token.head.is_none_or(|head| head < tokens.len()))
        );
        assert_eq!(
            parse.complexity(),
            tokens.iter().map(|token| token.children).max().unwrap_or(0)
        );
    }
}

#[test]
fn damaged_weights_are_refused() {
    let refused = |bytes: &[u8]| Parser::from_bytes(bytes).map(drop).unwrap_err();
    assert_eq!(refused(b""), ParseError::Magic);
    assert_eq!(refused(b"PK\x03\x04 and so on"), ParseError::Magic);
    assert!(matches!(
        refused(&WEIGHTS[..WEIGHTS.len() - 1]),
        ParseError::Length { .. }
    ));
    let mut other = WEIGHTS.to_vec();
    other[8] = 0xff;
    assert_eq!(refused(&other).code(), "weights-version");
    other.truncate(10);
    assert_eq!(refused(&other).code(), "not-weights");
    // Of the right length, but nonsense: parses are nonsense too, and no more.
    let mut nonsense = WEIGHTS.to_vec();
    nonsense[16..].fill(0x7f);
    let wild = Parser::from_bytes(&nonsense).unwrap();
    assert_eq!(
        wild.parse(&mut Scratch::default(), "The cat sat on a mat.")
            .len(),
        7
    );
    let mut longer = WEIGHTS.to_vec();
    longer.push(0);
    assert_eq!(refused(&longer).code(), "weights-length");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every token has at most one head and following heads ends at a root.
    #[test]
    fn parses_are_trees(text in "\\PC{0,80}|([a-zA-Z',.()-]{1,8} ?){0,20}") {
        let mut scratch = Scratch::default();
        let parse = parser().parse(&mut scratch, &text);
        for token in parse.tokens() {
            let (mut steps, mut at) = (0, Some(token));
            while let Some(here) = at {
                steps += 1;
                prop_assert!(steps <= parse.len());
                at = here.head.and_then(|head| parse.token(head));
            }
            prop_assert_eq!(&text[token.start..token.end], token.text);
            prop_assert_eq!(token.head.is_none(), token.label == "root");
        }
        prop_assert!(!parse.action() || parse.complexity() >= 1);
    }
}
