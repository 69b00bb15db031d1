//! Running text: white space, block labels, sentences.
//!
//! Sentences are split by `sentencex` (Wikimedia's splitter), whose English boundaries agree best with Punkt's, which
//! the paper used, of the libraries that were tried. Two of its boundaries are taken back: one that no white space
//! follows (`cv.dnn.Net`), and one behind nothing but a number or a word that is always abbreviated (`vol. 12`).

use std::sync::LazyLock;

use regex_lite::Regex;

/// Folds white space to single blanks and drops characters that have no width.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    if folded.ends_with(' ') {
        folded.pop();
    }
    folded
}

/// Appends `text` folded as [`fold`] does, but for the blank at its end.
pub fn fold_into(text: &str, folded: &mut String) {
    for character in text.chars() {
        if character.is_whitespace() || matches!(character, '\u{0}'..='\u{1f}' | '\u{7f}') {
            if !folded.is_empty() && !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else if !matches!(character, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}') {
            folded.push(character);
        }
    }
}

/// What documents number their figures, tables and headings with: `Figure 3.4.`, `5.4.1.`, `Table 2:`.
static LABEL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let kinds = "Figure|Fig\\.?|Table|Tab\\.?|Listing|Example|Equation|Chapter|Section|Appendix|Plate|Image";
    Regex::new(&format!(
        r"^(?i:(?:{kinds})\s+)[A-Z]?\d+(?:[.\-–]\d+)*[a-z]?\s*[.:)—–-]\s+|^\d+(?:\.\d+)+\.?\s+|^\d+[.)]\s+"
    ))
    .ok()
});

/// How many bytes of a block are its label: `Figure 3.4. ` is no part of what the caption says.
#[must_use]
pub fn label(block: &str) -> usize {
    let Some(found) = LABEL.as_ref().and_then(|label| label.find(block)) else {
        return 0;
    };
    // "3.5 million people": what goes on in lower case was no label.
    let goes_on = block[found.end()..]
        .chars()
        .next()
        .is_some_and(|next| !next.is_lowercase());
    if goes_on { found.end() } else { 0 }
}

/// Abbreviations that sentencex ends a sentence behind, and that none ends with.
const ABBREVIATIONS: [&str; 14] = [
    "al", "approx", "cf", "ed", "eds", "et", "ff", "incl", "mr", "proc", "resp", "trans", "vol",
    "vs",
];

/// Splits a block of folded text into sentences: byte ranges without the blanks between them.
#[must_use]
pub fn sentences(block: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for boundary in sentencex::get_sentence_boundaries("en", block) {
        let (start, end) = trimmed(block, boundary.start_byte, boundary.end_byte);
        if start == end {
            continue;
        }
        match found.last_mut() {
            Some(last) if joins(block, *last, start) => last.1 = end,
            _ => found.push((start, end)),
        }
    }
    found
}

fn trimmed(block: &str, start: usize, end: usize) -> (usize, usize) {
    let text = &block[start..end];
    let start = start + (text.len() - text.trim_start().len());
    (start, (start + text.trim().len()).max(start))
}

/// Whether the text from `next` on belongs to the sentence `last` after all.
fn joins(block: &str, last: (usize, usize), next: usize) -> bool {
    if last.1 == next {
        return true;
    }
    let sentence = &block[last.0..last.1];
    let Some(body) = sentence.strip_suffix('.') else {
        return false;
    };
    if body
        .chars()
        .all(|character| character.is_ascii_digit() || matches!(character, '.' | '(' | '['))
    {
        return true;
    }
    let word = body
        .rsplit(|character: char| !character.is_alphanumeric())
        .next()
        .unwrap_or(body);
    ABBREVIATIONS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

/// The words of a sentence, for counting: what white space separates and a letter or digit is in, without the
/// punctuation around it.
pub fn words(sentence: &str) -> impl Iterator<Item = &str> {
    sentence
        .split_whitespace()
        .map(|token| token.trim_matches(|character: char| !character.is_alphanumeric()))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(block: &str) -> Vec<&str> {
        sentences(block)
            .into_iter()
            .map(|(start, end)| &block[start..end])
            .collect()
    }

    #[test]
    fn white_space_folds_and_widthless_characters_go() {
        assert_eq!(fold("  a\u{a0}\n b\u{ad}c\u{200b}d\t"), "a bcd");
        assert_eq!(fold("\0a\0\0b"), "a b");
    }

    #[test]
    fn sentences_end_where_punkt_ends_them() {
        assert_eq!(
            split("One is here. Two, e.g. this, is too! Is it?"),
            ["One is here.", "Two, e.g. this, is too!", "Is it?"]
        );
        assert_eq!(
            split("It calls cv.dnn.Net and cv.Scharr (src). Done."),
            ["It calls cv.dnn.Net and cv.Scharr (src).", "Done."]
        );
        assert_eq!(
            split("See J. Smith et al. (2001), vol. 12, for it."),
            ["See J. Smith et al. (2001), vol. 12, for it."]
        );
        assert_eq!(
            split("7. The user is asked. He answers."),
            ["7. The user is asked.", "He answers."]
        );
        assert_eq!(
            split("Mr. Perfect is the final guy."),
            ["Mr. Perfect is the final guy."]
        );
        assert!(split("").is_empty());
    }

    #[test]
    fn labels_are_told_from_numbers_in_prose() {
        let rest = |block: &'static str| &block[label(block)..];
        assert_eq!(rest("Figure 14.176. The “Zoom” tool"), "The “Zoom” tool");
        assert_eq!(rest("Fig. 3: Sunset"), "Sunset");
        assert_eq!(rest("5.4.1. Activating the Tool"), "Activating the Tool");
        assert_eq!(rest("5.4 Zoom"), "Zoom");
        assert_eq!(rest("2. Open it."), "Open it.");
        assert_eq!(
            rest("3.5 million people live there."),
            "3.5 million people live there."
        );
        assert_eq!(rest("2001 was a year."), "2001 was a year.");
        assert_eq!(rest("Figure 3 shows it."), "Figure 3 shows it.");
    }

    #[test]
    fn words_hold_a_letter_or_a_digit() {
        assert_eq!(
            words("“Well-known” — it's 3.5, (really)!").collect::<Vec<_>>(),
            ["Well-known", "it's", "3.5", "really"]
        );
    }
}
