//! The man page beyond the flags.

use realsyn_cli::{Example, Page, Shape};

/// See rs-perplexity(1).
pub const PAGE: Page = Page {
    name: "rs-perplexity",
    shape: Shape::Fold,
    stdin: "Records, whose sentences are learned from or scored; with --train and --text, plain text, a sentence a line.",
    records: "With --model, sentence/1 records gain perplexity. Outside --min-perplexity and --max-perplexity they are rejected \
              (perplexity-low, perplexity-high): text that repeats itself or is copied often is low, lists, code and text in \
              disorder are high. All other records pass through.\n\n\
              Bounds belong to a model: the paper's 30 and 200 were set for GPT2-large. --perplexity-percentiles 5,95 chooses \
              them so that 5% of the sentences lie below and 5% above, tells them on standard error and in --report \
              (min_perplexity, max_perplexity, calibrated_on), and filters with them. It sees all sentences before the first \
              goes on. Chosen once on a sample, the same bounds serve all shards, as --min-perplexity and --max-perplexity.\n\n\
              A model that is a file is an n-gram model that --train made: an interpolated modified Kneser-Ney model \
              of words, numbers and punctuation marks in lower case, each digit being 0, with 8-bit probabilities. Perplexity \
              is exp of the mean negative log-probability of the sentence's words and its end. A word that was seen less often than \
              --min-count, or never, is predicted by its look (a name, a number, its ending) and then by its spelling, \
              and counts as one word and one more for every three letters, as a subword tokenizer would cut it. It should have \
              learned from clean text that is not among the sentences that it scores; no byte of it depends on the \
              order of the sentences, on -j or on --memory. With --train one metric/1 record is written: how many sentences and \
              words the model was made of, how many words it knows and how many n-grams it holds.\n\n\
              A model that is a folder is a causal language model in the layout of Hugging Face's ONNX exports (GPT-2, Llama, ...): \
              config.json, tokenizer.json, onnx/model.onnx or model.onnx, whose inputs are input_ids and, if it has them, \
              attention_mask, position_ids and past_key_values.*, which are given an empty past, and whose output is \
              logits. Perplexity is exp of the mean negative log-likelihood of the tokens. Where config.json names a \
              bos_token_id that the tokenizer does not set itself, it is set before the text, so that the first \
              token is predicted too, as Hugging Face's evaluate does by default. Sentences are run --batch together, by length; \
              a text is cut to the model's context. One that has nothing to predict is rejected (no-perplexity).",
    memory: "--train takes about --memory bytes and 8 bytes a known word; n-grams that do not fit wait in temporary files \
             (TMPDIR), some 100 bytes a word of text. An n-gram model is mapped: only the pages that are touched are \
             read, and threads share them. A causal model takes its weights, with ONNX Runtime once a thread, and a thread's \
             logits: --batch times tokens times vocabulary times 4 bytes (GPT-2, --batch 8, 40 tokens: 64 MB). \
             --perplexity-percentiles takes 24 bytes a sentence of the sample; lines wait in a temporary file.",
    parallel: "With --model and without --perplexity-percentiles each record's fate depends on that record alone: it may run under \
               parallel --pipe. Percentiles in two steps: calibrate on a sample, then give all shards the bounds. \
               --train needs all sentences.",
    examples: &[
        Example {
            says: "Learn from the sentences of a clean corpus; from plain text, a sentence a line",
            command: "rs-perplexity --train english.ngram records.jsonl\njq -r 'select(.text).text' records.jsonl | rs-perplexity --train plain.ngram --text",
        },
        Example {
            says: "Drop the least and the most surprising twentieth",
            command: "rs-perplexity --train some.ngram records.jsonl > metric.jsonl\nrs-perplexity --model some.ngram --perplexity-percentiles 5,95 --rejects strange.jsonl records.jsonl > ordinary.jsonl",
        },
        Example {
            says: "Choose bounds once, on a sample, and use them on every shard",
            command: "rs-perplexity --train all.ngram records.jsonl > metric.jsonl\nrs-perplexity --model all.ngram --perplexity-percentiles 5,95 --report bounds.json -f sentences.jsonl > /dev/null\nmin=$(jq 'select(.kind==\"sentence\").min_perplexity' bounds.json) max=$(jq 'select(.kind==\"sentence\").max_perplexity' bounds.json)\nrs-perplexity --model all.ngram --min-perplexity $min --max-perplexity $max records.jsonl > shard.jsonl",
        },
        Example {
            says: "The paper's rule, with a GPT-2 that was exported to ONNX",
            command: "rs-perplexity --model gpt2 --min-perplexity 30 --max-perplexity 200 records.jsonl > ordinary.jsonl",
        },
    ],
    see_also: "rs-extract(1), rs-embed(1), rs-report(1). S. F. Chen and J. Goodman, An empirical study of smoothing techniques for \
               language modeling, 1999",
};
