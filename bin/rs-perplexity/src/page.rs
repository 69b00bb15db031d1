//! The man page beyond the flags.

use realsyn_cli::{Example, Page, Shape};

/// See rs-perplexity(1).
pub const PAGE: Page = Page {
    name: "rs-perplexity",
    shape: Shape::Fold,
    stdin: "Records. Sentences are learned from or scored.",
    records: "With --train, sentence/1 records give their text, and one metric/1 record is written: how many sentences and words \
              the model was made of, how many different words it knows and how many n-grams it holds. The model is an \
              interpolated modified Kneser-Ney model of words, numbers and punctuation marks in lower case, with 8-bit \
              probabilities. It does not depend on the order of the sentences.\n\n\
              With --model, sentence/1 records gain perplexity: exp of the mean negative log-probability of their words and \
              their end. Outside --min-perplexity and --max-perplexity they are rejected (perplexity-low, \
              perplexity-high): text that repeats itself or is copied often is low, lists, code and text in disorder are \
              high. All other records pass through. Bounds belong to a model: those that were published for GPT-2 (30 to \
              200) say nothing here, so look at the perplexities of a sample first. A model should have learned from clean \
              text that is not among the sentences that it scores.",
    memory: "Learning takes about 4 bytes a word of text for each word of the longest n-grams, 8 more, and 16 bytes a different \
             n-gram. Scoring maps the model and copies its vocabulary alone.",
    parallel: "With --model each record's fate depends on that record alone: it may run under parallel --pipe. Learning needs \
               all sentences.",
    examples: &[
        Example {
            says: "Learn from the sentences of a clean corpus",
            command: "rs-perplexity --train english.ngram records.jsonl",
        },
        Example {
            says: "The perplexities below which 5% and 95% of the sentences lie",
            command: "rs-perplexity --train some.ngram sentences.jsonl\nrs-perplexity --model some.ngram sentences.jsonl | jq -s 'map(.perplexity) | sort | .[length * 5 / 100 | floor], .[length * 95 / 100 | floor]'",
        },
        Example {
            says: "Drop what lies outside such bounds",
            command: "rs-perplexity --train all.ngram records.jsonl > /dev/null\nrs-perplexity --model all.ngram --min-perplexity 2 --max-perplexity 90 --rejects strange.jsonl records.jsonl > ordinary.jsonl",
        },
    ],
    see_also: "rs-extract(1), rs-embed(1), rs-report(1)",
};
