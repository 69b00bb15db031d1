use std::collections::BTreeMap;
use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::train::MAX_ORDER;
use crate::unknown::LOOKS;
use crate::{Summary, TrainOptions, Trainer};

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

fn train_with(options: TrainOptions, text: &[&str]) -> (Vec<u8>, Summary) {
    let mut trainer = Trainer::new(options).unwrap();
    for sentence in text {
        trainer.push(sentence).unwrap();
    }
    let mut bytes = Vec::new();
    let summary = trainer.write(&mut bytes).unwrap();
    (bytes, summary)
}

fn options(order: usize, min_count: u64) -> TrainOptions {
    TrainOptions {
        order,
        min_count,
        ..TrainOptions::default()
    }
}

fn train(order: usize, text: &[&str]) -> (Vec<u8>, Summary) {
    train_with(options(order, 1), text)
}

fn open(bytes: &[u8]) -> Result<Model, NgramError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    Model::open(file.path())
}

fn perplexity(model: &Model, sentence: &str) -> f64 {
    model.score(sentence, &mut Scratch::default()).perplexity()
}

/// The number of each word of a sentence, with its beginning and end.
fn numbers(model: &Model, sentence: &str) -> Vec<u32> {
    let hash = |at: usize| eight(&model.map, model.layout.hashes + 8 * at).unwrap();
    let inner = words(sentence).enumerate().map(|(at, word)| {
        let rank = rank(model.layout.known, word.hash, hash);
        number(rank, look(word.text, at == 0))
    });
    std::iter::once(BEGIN).chain(inner).chain([END]).collect()
}

#[test]
fn a_sentence_is_likelier_than_its_words_in_disorder() {
    for order in 2..=MAX_ORDER {
        let (bytes, summary) = train(order, &TEXT);
        assert_eq!((summary.sentences, summary.ngrams.len()), (8, order));
        let model = open(&bytes).unwrap();
        assert_eq!(model.order(), order);
        assert_eq!(model.vocabulary(), summary.vocabulary);
        let ngrams: Vec<u64> = model.ngrams().into_iter().map(|n| n as u64).collect();
        assert_eq!(ngrams, summary.ngrams);
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
    }
}

#[test]
fn an_unknown_word_counts_as_its_pieces() {
    let (bytes, _) = train_with(options(3, 2), &TEXT);
    let model = open(&bytes).unwrap();
    let score = |text: &str| model.score(text, &mut Scratch::default());
    // Seen once, so known by its look alone; then a word of twelve letters, and the end.
    let one = score("Miller constructing");
    assert_eq!((one.predicted, one.unknown), (3 + 5 + 1, 2));
    let known = score("heron wheel");
    assert_eq!((known.predicted, known.unknown), (3, 0));
    // What is spelt like English is likelier than what is not.
    let log = |text: &str| score(text).log_probability;
    assert!(log("the wheater stands") > log("the xqzvkjw stands"));
    assert!(perplexity(&model, &"q".repeat(100_000)).is_finite());
}

/// Modified Kneser-Ney from its definition, over maps of word sequences, with no tree, sorting or quantisation.
struct Definition {
    order: usize,
    counts: Vec<BTreeMap<Vec<u32>, f64>>,
    discounts: Vec<[f64; 3]>,
    vocabulary: f64,
}

impl Definition {
    fn new(sentences: &[Vec<u32>], order: usize, vocabulary: u32) -> Self {
        let mut counts = vec![BTreeMap::new(); order];
        for sentence in sentences {
            for end in 1..sentence.len() {
                for length in 1..=order.min(end + 1) {
                    let gram = &sentence[end + 1 - length..=end];
                    if length == order || gram[0] == BEGIN {
                        *counts[length - 1].entry(gram.to_vec()).or_insert(0.0) += 1.0;
                    }
                }
            }
        }
        // N1+(· w): how many different words stand before.
        for length in (1..order).rev() {
            let endings: Vec<Vec<u32>> = all_ngrams(sentences, length + 1);
            for gram in endings {
                *counts[length - 1].entry(gram[1..].to_vec()).or_insert(0.0) += 1.0;
            }
        }
        let discounts = counts.iter().map(discounts).collect();
        Self {
            order,
            counts,
            discounts,
            vocabulary: f64::from(vocabulary - 1),
        }
    }

    fn discount(&self, length: usize, count: f64) -> f64 {
        let [one, two, more] = self.discounts[length - 1];
        match count {
            0.0 => 0.0,
            1.0 => one,
            2.0 => two,
            _ => more,
        }
    }

    fn probability(&self, context: &[u32], word: u32) -> f64 {
        let length = context.len() + 1;
        let counts = &self.counts[length - 1];
        let followers = || {
            counts
                .iter()
                .filter(|(gram, _)| gram[..length - 1] == *context)
                .map(|(_, &count)| count)
        };
        let lower = match context {
            [] => 1.0 / self.vocabulary,
            [_, shorter @ ..] => self.probability(shorter, word),
        };
        let sum: f64 = followers().sum();
        if sum == 0.0 {
            return lower;
        }
        let left: f64 = followers().map(|count| self.discount(length, count)).sum();
        let gram = [context, &[word]].concat();
        let count = counts.get(&gram).copied().unwrap_or(0.0);
        (count - self.discount(length, count)) / sum + left / sum * lower
    }

    /// Of the last word of `words` after all before it.
    fn last(&self, words: &[u32]) -> f64 {
        let from = words.len().saturating_sub(self.order);
        let words = &words[from..];
        self.probability(&words[..words.len() - 1], words[words.len() - 1])
    }
}

fn all_ngrams(sentences: &[Vec<u32>], length: usize) -> Vec<Vec<u32>> {
    let windows = sentences
        .iter()
        .flat_map(|sentence| sentence.windows(length));
    let set: std::collections::BTreeSet<Vec<u32>> = windows.map(<[u32]>::to_vec).collect();
    set.into_iter().collect()
}

fn discounts(counts: &BTreeMap<Vec<u32>, f64>) -> [f64; 3] {
    let n = |count: f64| {
        let same = counts
            .values()
            .filter(|&&found| (found - count).abs() < 0.5);
        f64::from(u32::try_from(same.count()).unwrap())
    };
    let n = [n(1.0), n(2.0), n(3.0), n(4.0)];
    if n.contains(&0.0) {
        return [0.5, 1.0, 1.5];
    }
    let y = n[0] / (n[0] + 2.0 * n[1]);
    [
        (1.0 - 2.0 * y * n[1] / n[0]).clamp(0.0, 1.0),
        (2.0 - 3.0 * y * n[2] / n[1]).clamp(0.0, 2.0),
        (3.0 - 4.0 * y * n[3] / n[2]).clamp(0.0, 3.0),
    ]
}

/// Checks every word of `tests` after its context, and that what may follow each context adds up to one.
fn agrees(order: usize, min_count: u64, text: &[&str], tests: &[&str]) {
    let (bytes, _) = train_with(options(order, min_count), text);
    let model = open(&bytes).unwrap();
    let sentences: Vec<Vec<u32>> = text.iter().map(|text| numbers(&model, text)).collect();
    let vocabulary = u32::try_from(model.vocabulary()).unwrap() + LOOKS + 2;
    let definition = Definition::new(&sentences, order, vocabulary);
    let trie = &model.layout.words;
    for test in tests {
        let words = numbers(&model, test);
        let mut context = trie.context(&model.map, BEGIN);
        let one_by_one: f64 = words[1..]
            .iter()
            .map(|&word| f64::from(trie.next(&model.map, &mut context, word)))
            .sum();
        let together = trie.sentence(&model.map, &words, &mut Room::default());
        assert_eq!(one_by_one.to_bits(), together.to_bits());
        let mut context = trie.context(&model.map, BEGIN);
        for end in 1..words.len() {
            let before = context;
            let found = f64::from(trie.next(&model.map, &mut context, words[end]));
            let expected = definition.last(&words[..=end]).ln();
            assert!(
                (found - expected).abs() < 5e-3,
                "{order} {:?}: {found} {expected}",
                &words[..=end]
            );
            let sum: f64 = (0..vocabulary)
                .filter(|&word| word != BEGIN)
                .map(|word| f64::from(trie.next(&model.map, &mut before.clone(), word)).exp())
                .sum();
            assert!((sum - 1.0).abs() < 5e-3, "{order} {test}: {sum}");
        }
    }
}

#[test]
fn the_file_says_what_the_definition_says() {
    for order in 2..=MAX_ORDER {
        agrees(
            order,
            1,
            &TEXT,
            &["The heron waits for the cart.", "Zyx, a mill", ""],
        );
        agrees(
            order,
            2,
            &TEXT,
            &["The heron waits for the cart.", "Zyxing the mill"],
        );
    }
}

/// By hand, so that the definition above is checked too.
#[test]
fn a_model_that_fits_on_paper() {
    let (bytes, _) = train(2, &["a b a b c", "a b", "c a"]);
    let model = open(&bytes).unwrap();
    // Discounts are ½, 1, 1½ (too few counts). Bigrams: <s>a 2, <s>c 1, ab 3, ba 1, bc 1, b</s> 1, c</s> 1, ca 1, a</s> 1.
    // Words before: a {<s>, b, c} 3, b {a} 1, c {<s>, b} 2, </s> {b, c, a} 3; 9 in all, given up 1.5 + 0.5 + 1 + 1.5 = 4.5.
    // What can come: a, b, c, </s> and the looks.
    let even = 4.5 / 9.0 / f64::from(4 + LOOKS);
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
}

#[test]
fn no_sentence_and_bad_orders_are_errors() {
    assert_eq!(Trainer::new(options(1, 1)).unwrap_err().code(), "bad-order");
    assert_eq!(Trainer::new(options(6, 1)).unwrap_err().code(), "bad-order");
    let mut trainer = Trainer::new(options(3, 1)).unwrap();
    trainer.push("  ").unwrap();
    assert_eq!(
        trainer.write(&mut Vec::new()).unwrap_err().code(),
        "no-text"
    );
}

#[test]
fn a_damaged_file_is_refused_or_read_without_harm() {
    let (bytes, _) = train(3, &TEXT);
    for length in (0..bytes.len()).step_by(7) {
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
    let mut older = bytes.clone();
    older[8] = 1;
    assert!(open(&older).unwrap_err().to_string().contains("version 1"));
    // Every byte that says where things are, and some of all others.
    for at in (0..400).chain((400..bytes.len()).step_by(11)) {
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
    fn no_byte_depends_on_the_order_the_memory_or_the_threads(
        order in 2..=MAX_ORDER,
        shuffled in Just(TEXT.to_vec()).prop_shuffle(),
        memory in 0..4096_usize,
        jobs in 1..4_usize,
        min_count in 1..3_u64,
    ) {
        let usual = train_with(options(order, min_count), &TEXT);
        let other = TrainOptions { memory, jobs, ..options(order, min_count) };
        prop_assert_eq!(usual, train_with(other, &shuffled));
    }

    #[test]
    fn any_text_agrees_with_the_definition(
        order in 2..=4_usize,
        min_count in 1..3_u64,
        text in prop::collection::vec("([abcd] ){1,7}", 2..9),
        test in "([abcdex] ){1,5}",
    ) {
        let text: Vec<&str> = text.iter().map(String::as_str).collect();
        agrees(order, min_count, &text, &[&test]);
    }
}

/// With so many continuations that places are guessed.
#[test]
fn all_words_at_once_are_one_after_the_other() {
    let word = |number: u32| -> String {
        let letter =
            |at: u32| char::from(b'a' + u8::try_from(number / 26_u32.pow(at) % 26).unwrap());
        (0..3).map(letter).collect()
    };
    let text: Vec<String> = (0..3000)
        .map(|number| format!("the {} of {} waits", word(number), word(number * 7 % 3000)))
        .collect();
    let text: Vec<&str> = text.iter().map(String::as_str).collect();
    let model = open(&train(4, &text).0).unwrap();
    let trie = &model.layout.words;
    let mut room = Room::default();
    for number in (0..3200).step_by(3) {
        let sentence = format!("{} of the {} waits", word(number), word(number * 5 % 3000));
        let words = numbers(&model, &sentence);
        let mut context = trie.context(&model.map, BEGIN);
        let one_by_one: f64 = words[1..]
            .iter()
            .map(|&word| f64::from(trie.next(&model.map, &mut context, word)))
            .sum();
        let together = trie.sentence(&model.map, &words, &mut room);
        assert_eq!(one_by_one.to_bits(), together.to_bits(), "{sentence}");
    }
}
