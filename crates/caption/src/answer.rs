//! From a model's answer to a text, or to the reason why it is none.
//!
//! A text is never repaired into something that the model did not say: wrapping (reasoning, labels,
//! quotes, further paragraphs) is taken off, an unfinished last sentence is cut, and what then is
//! empty, a refusal or a repetition of the prompt is an error.
//!
//! Memory: a few copies of the answer.

use std::collections::HashSet;

use thiserror::Error;

/// Why an answer is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// Nothing is left once the wrapping is off.
    #[error("the model answered nothing")]
    Empty,
    /// The model declined.
    #[error("the model declined to answer")]
    Refused,
    /// The model repeated the prompt or the tags.
    #[error("the model repeated the prompt")]
    Echo,
    /// No sentence ended within the limits.
    #[error("the answer has no complete sentence within the limit")]
    Truncated,
}

/// How an answer begins when the model declines.
const REFUSALS: [&str; 22] = [
    "i'm sorry",
    "i am sorry",
    "sorry,",
    "i apologize",
    "my apologies",
    "unfortunately, i",
    "i cannot",
    "i can't",
    "i can not",
    "i could not",
    "i couldn't",
    "i'm unable",
    "i am unable",
    "i'm not able",
    "i am not able",
    "i won't",
    "i don't have",
    "i do not have",
    "i don't see",
    "as an ai",
    "as a language model",
    "please provide",
];

/// What only a model that speaks of itself says.
const SELF_TALK: [&str; 4] = [
    "as an ai language model",
    "as a language model",
    "i'm an ai",
    "i am an ai",
];

/// Labels that models put before a caption, however they are told not to.
const LABELS: [&str; 15] = [
    "answer",
    "caption",
    "combined caption",
    "description",
    "final caption",
    "image caption",
    "image description",
    "merged caption",
    "new caption",
    "output",
    "result",
    "revised caption",
    "rewritten caption",
    "simplified caption",
    "synthetic caption",
];

/// Marks of the prompt's closing line.
const CLOSING: [&str; 3] = ["raw caption:", "synthetic caption:", "detection tags:"];

/// Words before a full stop that does not end a sentence.
const ABBREVIATIONS: [&str; 14] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "no", "vs", "e.g", "i.e", "jr", "sr", "ca", "approx",
];

/// Quotes and brackets that wrap an answer, opening and closing.
const WRAPPERS: [(char, char); 10] = [
    ('"', '"'),
    ('\'', '\''),
    ('“', '”'),
    ('‘', '’'),
    ('«', '»'),
    ('‹', '›'),
    ('‹', '>'),
    ('<', '>'),
    ('`', '`'),
    ('*', '*'),
];

/// As many of the prompt's words in a row make an answer an echo.
const ECHO_WORDS: usize = 8;

/// Knows a prompt again.
#[derive(Debug)]
pub struct Echo {
    runs: HashSet<String>,
}

impl Echo {
    /// Knows the runs of eight words of these instructions.
    #[must_use]
    pub fn of(instructions: &str) -> Self {
        Self {
            runs: runs(instructions).collect(),
        }
    }

    fn is_in(&self, text: &str) -> bool {
        runs(text).any(|run| self.runs.contains(&run))
    }
}

/// Every run of [`ECHO_WORDS`] words, lower case, without punctuation.
fn runs(text: &str) -> impl Iterator<Item = String> {
    let words = words(text);
    (0..(words.len() + 1).saturating_sub(ECHO_WORDS))
        .map(move |start| words[start..start + ECHO_WORDS].join(" "))
}

/// The words in lower case, without punctuation.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The text that an answer holds: one line of at most `max_words` words.
///
/// Taken off: `<think>` blocks, a first paragraph that only announces (it ends with a colon), labels
/// such as `Caption:`, quotes and emphasis around the whole, every paragraph after the first. An
/// answer that the server cut (`cut`) or that is too long ends with its last complete sentence.
///
/// # Errors
/// [`AnswerError`] when that leaves no text: see its variants. `tags` are those of the prompt.
pub fn clean(
    answer: &str,
    cut: bool,
    max_words: usize,
    echo: &Echo,
    tags: &[String],
) -> Result<String, AnswerError> {
    let body = without_reasoning(answer).ok_or(if cut {
        AnswerError::Truncated
    } else {
        AnswerError::Empty
    })?;
    let mut text = first_paragraph(body);
    loop {
        let bare = unlabelled(unwrapped(&text));
        if bare.len() == text.len() {
            break;
        }
        text = String::from(bare);
    }
    if !text.chars().any(char::is_alphanumeric) {
        return Err(AnswerError::Empty);
    }
    let lower = text.to_lowercase().replace('’', "'");
    if REFUSALS.iter().any(|start| lower.starts_with(start))
        || SELF_TALK.iter().any(|phrase| lower.contains(phrase))
    {
        return Err(AnswerError::Refused);
    }
    let said = words(&text);
    let listed = words(&tags.join(" "));
    if CLOSING.iter().any(|mark| lower.contains(mark))
        || echo.is_in(&text)
        || (!listed.is_empty() && said == listed)
    {
        return Err(AnswerError::Echo);
    }
    if cut || text.split(' ').count() > max_words {
        return whole_sentences(&text, max_words).ok_or(AnswerError::Truncated);
    }
    Ok(text)
}

/// What follows the last reasoning block; none when one is never closed.
fn without_reasoning(answer: &str) -> Option<&str> {
    match answer.rfind("</think>") {
        Some(end) => Some(&answer[end + "</think>".len()..]),
        None if answer.trim_start().starts_with("<think>") => None,
        None => Some(answer),
    }
}

/// The first paragraph that is not a mere announcement, on one line.
fn first_paragraph(body: &str) -> String {
    let mut paragraphs = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for line in body.lines().chain([""]) {
        let line = line.trim();
        let announces = lines.is_empty() && paragraphs.is_empty() && line.ends_with(':');
        if line.is_empty() || announces {
            if !lines.is_empty() {
                paragraphs.push(std::mem::take(&mut lines).join(" "));
            }
        } else {
            lines.push(line);
        }
    }
    let text = paragraphs.into_iter().next().unwrap_or_default();
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// The text without one pair of quotes or marks around the whole.
fn unwrapped(text: &str) -> &str {
    for (open, close) in WRAPPERS {
        if let Some(inner) = text
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
        {
            // `"A" and "B"` is not wrapped: its first quote closes before the end.
            if !inner.contains(close) && !inner.contains(open) || open == '*' {
                return inner.trim();
            }
        }
    }
    text.trim()
}

/// The text without a label such as `Caption:` or an announcement such as `Here is the caption:`.
fn unlabelled(text: &str) -> &str {
    let Some((label, rest)) = text.split_once(':') else {
        return text;
    };
    let label = label
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase()
        .replace('’', "'");
    let announces = label.split(' ').count() <= 12
        && [
            "here is",
            "here's",
            "sure, here",
            "sure! here",
            "certainly! here",
        ]
        .iter()
        .any(|start| label.starts_with(start));
    if announces || LABELS.contains(&label.as_str()) {
        // `**Caption:** A dog`: the emphasis closes after the colon.
        rest.trim_start_matches('*').trim()
    } else {
        text
    }
}

/// The complete sentences within the first `max_words` words.
fn whole_sentences(text: &str, max_words: usize) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let end = (0..words.len().min(max_words)).rev().find(|&at| {
        let word = words[at].trim_end_matches(['"', '\'', '”', '’', ')']);
        let Some(stem) = word.strip_suffix(['.', '!', '?']) else {
            return false;
        };
        let stem = stem.trim_start_matches(['(', '"', '“']).to_lowercase();
        let short = word.ends_with('.')
            && (stem.chars().count() == 1 && !stem.chars().all(|c| c.is_ascii_digit())
                || ABBREVIATIONS.contains(&stem.as_str()));
        let starts_anew = words.get(at + 1).is_none_or(|next| {
            next.chars()
                .find(|c| c.is_alphanumeric())
                .is_none_or(|c| !c.is_lowercase())
        });
        !short && starts_anew
    })?;
    Some(words[..=end].join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::{MERGE_RULES, Sources, merge};
    use proptest::prelude::*;

    fn cleaned(answer: &str) -> Result<String, AnswerError> {
        clean(answer, false, 80, &Echo::of(MERGE_RULES), &[])
    }

    #[test]
    fn wrapping_is_taken_off() {
        for answer in [
            "A dog runs in Hyde Park.",
            "  \"A dog runs in Hyde Park.\"\n",
            "“A dog runs in Hyde Park.”",
            "**Caption:** A dog runs in Hyde Park.",
            "Caption: \"A dog runs in Hyde Park.\"",
            "Here is the merged caption:\n\nA dog runs in Hyde Park.",
            "Here's one caption for it: A dog runs in Hyde Park.",
            "<think>\nThe tags say dog.\n</think>\n\nA dog runs\nin Hyde Park.",
            "A dog runs in Hyde Park.\n\n(Note: I left out the tags.)",
            "Synthetic caption: ‹A dog runs in Hyde Park.>",
        ] {
            assert_eq!(
                cleaned(answer).unwrap(),
                "A dog runs in Hyde Park.",
                "{answer:?}"
            );
        }
        for kept in [
            "\"Stop\" and \"Go\"",
            "The sign reads: no entry.",
            "Nelson's Column, 1843: a lion at its foot.",
            "It's the dogs'",
        ] {
            assert_eq!(cleaned(kept).unwrap(), kept);
        }
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        for (answer, error) in [
            ("", AnswerError::Empty),
            (" \n ", AnswerError::Empty),
            ("\"\"", AnswerError::Empty),
            ("...", AnswerError::Empty),
            ("Caption:", AnswerError::Empty),
            ("<think>\nWhat could it", AnswerError::Empty),
            (
                "I'm sorry, but I can't help with that.",
                AnswerError::Refused,
            ),
            ("I’m unable to see the image.", AnswerError::Refused),
            (
                "As an AI language model, I have no eyes.",
                AnswerError::Refused,
            ),
            ("Please provide the three sources.", AnswerError::Refused),
            (
                "Raw caption:‹a dog>, synthetic caption:‹a dog>",
                AnswerError::Echo,
            ),
            (
                "The raw caption was retrieved from the web: it is rich in real-world detail.",
                AnswerError::Echo,
            ),
        ] {
            assert_eq!(cleaned(answer), Err(error), "{answer:?}");
        }
        let tags = ["dog".to_owned(), "grass".to_owned()];
        let echo = Echo::of(MERGE_RULES);
        assert_eq!(
            clean("Dog | grass", false, 80, &echo, &tags),
            Err(AnswerError::Echo)
        );
        assert!(clean("Dog on grass", false, 80, &echo, &tags).is_ok());
    }

    #[test]
    fn a_prompt_given_back_is_an_echo() {
        let prompt = merge(
            MERGE_RULES,
            Sources {
                raw: "a dog",
                caption: None,
                tags: &[],
            },
        );
        assert_eq!(cleaned(&prompt), Err(AnswerError::Echo));
        let closing = prompt.lines().last().unwrap();
        assert_eq!(cleaned(closing), Err(AnswerError::Echo));
    }

    #[test]
    fn long_and_cut_answers_end_with_a_sentence() {
        let echo = Echo::of(MERGE_RULES);
        let cut = |text: &str, words| clean(text, true, words, &echo, &[]);
        assert_eq!(cut("A dog runs. It is Dr. Smi", 80).unwrap(), "A dog runs.");
        assert_eq!(
            cut("A dog runs (fast!). Then it", 80).unwrap(),
            "A dog runs (fast!)."
        );
        assert_eq!(cut("A dog runs and", 80), Err(AnswerError::Truncated));
        assert_eq!(cut("<think>\nWhat", 80), Err(AnswerError::Truncated));
        assert_eq!(cut("In 1843. Later on", 80).unwrap(), "In 1843.");
        let long = "One two three. Four five six.";
        assert_eq!(clean(long, false, 5, &echo, &[]).unwrap(), "One two three.");
        assert_eq!(clean(long, false, 6, &echo, &[]).unwrap(), long);
        assert_eq!(
            clean(long, false, 2, &echo, &[]),
            Err(AnswerError::Truncated)
        );
    }

    proptest! {
        #[test]
        fn a_text_is_one_line_within_the_limit_and_clean_already(
            answer in "(?s).{0,200}",
            cut: bool,
            max_words in 1_usize..20,
        ) {
            let echo = Echo::of(MERGE_RULES);
            if let Ok(text) = clean(&answer, cut, max_words, &echo, &[]) {
                prop_assert!(!text.is_empty());
                prop_assert!(!text.contains('\n'));
                prop_assert!(text.split(' ').count() <= max_words);
                prop_assert_eq!(text.trim(), text.as_str());
            }
        }
    }
}
