//! How often each word occurs in a corpus, and the entropy of a sentence by that.
//!
//! The file is JSON Lines: a `counts/1` header with the sums, then `["word",count]` in byte order. Counts of shards are
//! merged by addition, so any number of files give what one run over everything would have given.
//!
//! Memory: about 60 bytes a distinct word. Order: sorted by the word's bytes.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text;

/// Why a file of counts cannot be used.
#[derive(Debug, Error)]
pub enum CountsError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("line {line}: {what}")]
    Bad {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// It ends too early or was changed by hand.
    #[error("the counts do not add up to the header's sums: the file is cut short or damaged")]
    Sums,
}

impl CountsError {
    /// A stable name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::Bad { .. } => "bad-counts",
            Self::Sums => "bad-sums",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    schema: String,
    sentences: u64,
    words: u64,
    distinct: u64,
}

const SCHEMA: &str = "counts/1";

/// Word counts of some part of a corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordCounts {
    counts: HashMap<Box<str>, u64>,
    sentences: u64,
    words: u64,
}

impl WordCounts {
    /// Counts the words of a sentence, in lower case.
    pub fn add(&mut self, sentence: &str) {
        self.sentences += 1;
        let mut lower = String::new();
        for word in text::words(sentence) {
            self.words += 1;
            let word = lowered(word, &mut lower);
            match self.counts.get_mut(word) {
                Some(count) => *count += 1,
                None => drop(self.counts.insert(word.into(), 1)),
            }
        }
    }

    /// Adds the counts of another part.
    pub fn merge(&mut self, other: Self) {
        self.sentences += other.sentences;
        self.words += other.words;
        if self.counts.is_empty() {
            self.counts = other.counts;
            return;
        }
        for (word, count) in other.counts {
            *self.counts.entry(word).or_default() += count;
        }
    }

    /// Sentences counted.
    #[must_use]
    pub fn sentences(&self) -> u64 {
        self.sentences
    }

    /// Words counted.
    #[must_use]
    pub fn words(&self) -> u64 {
        self.words
    }

    /// Distinct words counted.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// Writes the counts, sorted.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let header = Header {
            schema: SCHEMA.to_owned(),
            sentences: self.sentences,
            words: self.words,
            distinct: self.counts.len() as u64,
        };
        serde_json::to_writer(&mut out, &header)?;
        let mut sorted: Vec<(&str, u64)> = self
            .counts
            .iter()
            .map(|(word, count)| (&**word, *count))
            .collect();
        sorted.sort_unstable();
        for pair in sorted {
            out.write_all(b"\n")?;
            serde_json::to_writer(&mut out, &pair)?;
        }
        out.write_all(b"\n")
    }

    /// Reads what [`WordCounts::write`] wrote and adds it.
    ///
    /// # Errors
    /// The input is no such file, or not the whole of one.
    pub fn read(&mut self, input: impl BufRead) -> Result<(), CountsError> {
        let mut lines = input.lines();
        let bad = |line: u64, what: &dyn std::fmt::Display| CountsError::Bad {
            line,
            what: what.to_string(),
        };
        let first = lines.next().transpose()?.unwrap_or_default();
        let header: Header = serde_json::from_str(&first).map_err(|error| bad(1, &error))?;
        if header.schema != SCHEMA {
            return Err(bad(
                1,
                &format!("schema {:?} is not {SCHEMA}", header.schema),
            ));
        }
        let mut read = Self {
            sentences: header.sentences,
            words: header.words,
            ..Self::default()
        };
        let (mut words, mut distinct) = (0_u64, 0);
        for (number, line) in (2..).zip(lines) {
            let (word, count): (Box<str>, u64) =
                serde_json::from_str(&line?).map_err(|error| bad(number, &error))?;
            words = words.checked_add(count).ok_or(CountsError::Sums)?;
            distinct += 1;
            *read.counts.entry(word).or_default() += count;
        }
        if (words, distinct) != (header.words, header.distinct) {
            return Err(CountsError::Sums);
        }
        self.merge(read);
        Ok(())
    }

    /// H(x) = −Σ p(w)·log p(w) over the words of the sentence, repeated ones as often as they stand there; p(w) is the
    /// word's relative frequency in the corpus, the logarithm's base is `base`. A word that the corpus does not hold
    /// adds nothing.
    #[must_use]
    pub fn entropy(&self, sentence: &str, base: f64) -> f64 {
        let mut lower = String::new();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a corpus has fewer than 2^53 words"
        )]
        let nats: f64 = text::words(sentence)
            .filter_map(|word| self.counts.get(lowered(word, &mut lower)))
            .map(|&count| count as f64 / self.words as f64)
            .map(|share| -share * share.ln())
            .sum();
        nats / base.ln()
    }
}

/// The word in lower case, in `buffer` if it is not so already.
fn lowered<'a>(word: &'a str, buffer: &'a mut String) -> &'a str {
    if word
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        return word;
    }
    buffer.clear();
    if word.is_ascii() {
        buffer.push_str(word);
        buffer.make_ascii_lowercase();
    } else {
        buffer.push_str(&word.to_lowercase());
    }
    buffer
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(sentences: &[&str]) -> WordCounts {
        let mut counts = WordCounts::default();
        for sentence in sentences {
            counts.add(sentence);
        }
        counts
    }

    #[test]
    fn entropy_is_the_papers_sum() {
        let counts = counted(&["The cat.", "the dog", "THE Fish"]);
        // p(the) = 1/2, the others 1/6.
        let expected = 0.5 + 2.0 / 6.0 * 6_f64.log2();
        assert!((counts.entropy("The cat, a dog?", 2.0) - expected).abs() < 1e-12);
        assert!((counts.entropy("the the", 2.0) - 1.0).abs() < 1e-12);
        assert!((counts.entropy("the", 10.0) - 0.5 * 2_f64.log10()).abs() < 1e-12);
        assert!(counts.entropy("Elsewhere", 2.0).abs() < 1e-12);
    }

    #[test]
    fn counts_survive_the_file_and_damage_is_seen() {
        let counts = counted(&["One \"two\" ÜBER", "one"]);
        let mut file = Vec::new();
        counts.write(&mut file).unwrap();
        assert_eq!(
            String::from_utf8(file.clone()).unwrap(),
            "{\"schema\":\"counts/1\",\"sentences\":2,\"words\":4,\"distinct\":3}\n[\"one\",2]\n[\"two\",1]\n[\"über\",1]\n"
        );
        let mut back = WordCounts::default();
        back.read(&file[..]).unwrap();
        assert_eq!(back, counts);
        let code = |bytes: &[u8]| WordCounts::default().read(bytes).unwrap_err().code();
        assert_eq!(code(&file[..file.len() - 12]), "bad-sums");
        assert_eq!(code(b""), "bad-counts");
        assert_eq!(
            code(b"{\"schema\":\"counts/2\",\"sentences\":0,\"words\":0,\"distinct\":0}\n"),
            "bad-counts"
        );
        assert_eq!(code(b"{\"schema\":\"image/1\"}\n"), "bad-counts");
    }

    proptest! {
        #[test]
        fn merging_parts_gives_the_whole(sentences in proptest::collection::vec("[a-cA-C ]{0,12}", 0..12), cut in 0_usize..12) {
            let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
            let cut = cut.min(sentences.len());
            let mut file = Vec::new();
            counted(&sentences[cut..]).write(&mut file).unwrap();
            let mut merged = counted(&sentences[..cut]);
            merged.read(&file[..]).unwrap();
            prop_assert_eq!(merged, counted(&sentences));
        }
    }
}
