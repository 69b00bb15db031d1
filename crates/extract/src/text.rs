//! Running text: white space, block labels, sentences.
//!
//! Sentences are split by `sentencex` (Wikimedia's splitter), whose English boundaries agree best with Punkt's, which
//! the paper used, of the libraries that were tried. Two of its boundaries are taken back: one that no white space
//! follows (`cv.dnn.Net`), and one behind nothing but a number or a word that is always abbreviated (`vol. 12`). Two are
//! added that it never makes: between the sentences inside brackets and quotation marks, and behind a sentence that stands
//! in brackets as a whole.

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
    let mut rest = text;
    loop {
        let run = plain(rest, folded.is_empty() || folded.ends_with(' '));
        folded.push_str(&rest[..run]);
        rest = &rest[run..];
        // Beyond the run, character by character until plain text begins again.
        let Some(character) = rest.chars().next() else {
            return;
        };
        rest = &rest[character.len_utf8()..];
        if character.is_whitespace() || matches!(character, '\u{0}'..='\u{1f}' | '\u{7f}') {
            if !folded.is_empty() && !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else if !matches!(character, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}') {
            folded.push(character);
        }
    }
}

/// How many bytes at the beginning are ASCII that folding leaves as it is; `blank` says whether one stands before them.
pub fn plain(text: &str, blank: bool) -> usize {
    realsyn_vector::bytes::plain(text.as_bytes(), blank)
}

/// Where the first empty line begins, if there is one.
pub fn empty_line(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'\n', bytes).find(|&at| bytes.get(at + 1) == Some(&b'\n'))
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
    // The longest kind has eight letters, and a blank and a letter may come before the number.
    if !block.bytes().take(11).any(|byte| byte.is_ascii_digit()) {
        return 0;
    }
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
    if !block.contains(['(', '[', '"', '“']) {
        return found;
    }
    let mut parted = Vec::with_capacity(found.len());
    for (begin, end) in found {
        let mut start = begin;
        for boundary in bracketed(&block[begin..end]) {
            parted.push((start, begin + boundary));
            start = begin + boundary + 1;
        }
        parted.push((start, end));
    }
    parted
}

/// Where sentences end inside the brackets and quotation marks of what sentencex takes for one sentence: places of blanks.
fn bracketed(sentence: &str) -> Vec<usize> {
    let mut found = Vec::new();
    // Where each bracket that is open was opened, and whether a sentence began there.
    let mut open: Vec<(char, bool)> = Vec::new();
    let mut before = ' ';
    // Whether what was read last ends a sentence, if a blank and a capital follow.
    let mut ends = false;
    for (at, character) in sentence.char_indices() {
        match character {
            '(' | '[' | '“' => {
                let begins = at == 0 || ends || found.last().is_some_and(|last| last + 1 == at);
                open.push((character, begins));
                ends = false;
            }
            '"' if open.last().is_none_or(|(opener, _)| *opener != '"') => {
                open.push((character, false));
                ends = false;
            }
            ')' | ']' | '”' | '"' => {
                let closed = open.pop();
                // "(brushes, patterns, etc.) The": only a bracket that began as a sentence ends as one.
                ends &= character != ')' && character != ']'
                    || closed.is_some_and(|(_, begins)| begins);
            }
            '.' | '!' | '?' => ends = !open.is_empty() && is_end(&sentence[..at], character),
            ' ' if ends => {
                let next = sentence[at + 1..].trim_start_matches(['(', '[', '“', '"']);
                let goes_on = next.chars().next().is_some_and(char::is_uppercase);
                if goes_on && (!open.is_empty() || matches!(before, ')' | ']')) {
                    found.push(at);
                } else if !sentence[at + 1..].starts_with('(') {
                    ends = false;
                }
            }
            _ => ends = false,
        }
        before = character;
    }
    found
}

/// Whether a sentence can end with `mark` behind `text`: with a full stop, only behind a word in lower case that is no
/// abbreviation.
fn is_end(text: &str, mark: char) -> bool {
    let word = text
        .rsplit(|character: char| !character.is_alphabetic())
        .next()
        .unwrap_or(text);
    let is_long = word.chars().nth(2).is_some() && word.chars().all(char::is_lowercase);
    mark != '.' && !text.ends_with([' ', '(']) || is_long && !is_abbreviation(word)
}

fn is_abbreviation(word: &str) -> bool {
    ABBREVIATIONS
        .iter()
        .chain(&["etc", "fig", "figs", "inc", "ltd", "dept", "sec", "eqn"])
        .any(|known| known.eq_ignore_ascii_case(word))
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
    Words {
        text: sentence,
        at: 0,
    }
}

struct Words<'a> {
    text: &'a str,
    at: usize,
}

/// What a character is to a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A letter or digit.
    Body,
    /// It ends a word.
    Blank,
    /// It stands in words and around them.
    Mark,
}

/// The roles of ASCII.
const ROLES: [Role; 128] = {
    let mut roles = [Role::Mark; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            roles[byte as usize] = Role::Body;
        } else if matches!(byte, b'\t'..=b'\r' | b' ') {
            roles[byte as usize] = Role::Blank;
        }
        byte += 1;
    }
    roles
};

impl Words<'_> {
    /// The role of the character at `at` and where the next one begins.
    fn role(&self, at: usize) -> Option<(Role, usize)> {
        let byte = *self.text.as_bytes().get(at)?;
        if let Some(role) = ROLES.get(usize::from(byte)) {
            return Some((*role, at + 1));
        }
        let character = self.text[at..].chars().next()?;
        let role = if character.is_alphanumeric() {
            Role::Body
        } else if character.is_whitespace() {
            Role::Blank
        } else {
            Role::Mark
        };
        Some((role, at + character.len_utf8()))
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (start, mut end) = loop {
            let (role, next) = self.role(self.at)?;
            let at = std::mem::replace(&mut self.at, next);
            if role == Role::Body {
                break (at, next);
            }
        };
        while let Some((role, next)) = self.role(self.at) {
            self.at = next;
            match role {
                Role::Body => end = next,
                Role::Blank => break,
                Role::Mark => {}
            }
        }
        Some(&self.text[start..end])
    }
}

/// How many [`words`] a sentence has.
#[must_use]
pub fn count_words(sentence: &str) -> usize {
    if !sentence.is_ascii() {
        return words(sentence).count();
    }
    // Without a branch that depends on the text: a word is counted at its first letter or digit behind a blank.
    let (mut count, mut inside) = (0, 0);
    for byte in sentence.bytes() {
        let role = ROLES[usize::from(byte % 128)];
        let body = usize::from(role == Role::Body);
        count += body & (1 - inside);
        inside = body | (inside & usize::from(role != Role::Blank));
    }
    count
}

/// The word in lower case, in `buffer` if it is not so already.
pub(crate) fn lowered<'a>(word: &'a str, buffer: &'a mut String) -> &'a str {
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
        // As folding character by character has it, wherever the runs begin and end.
        let odd = [
            " ",
            "  ",
            "\n",
            "\u{a0}",
            "\u{ad}",
            "é",
            "\u{2019}s",
            "\u{7f}",
            "",
            "x",
        ];
        for (number, filler) in odd.iter().enumerate() {
            for length in 0..40 {
                let text = format!(
                    "{}{filler}{} b{filler}",
                    "a".repeat(length),
                    odd[(number + length) % odd.len()]
                );
                let mut slow = String::new();
                for character in text.chars() {
                    if character.is_whitespace() || character.is_control() {
                        if !slow.is_empty() && !slow.ends_with(' ') {
                            slow.push(' ');
                        }
                    } else if character != '\u{ad}' {
                        slow.push(character);
                    }
                }
                assert_eq!(fold(&text), slow.trim_end_matches(' '), "{text:?}");
            }
        }
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
        assert_eq!(
            split("It is so. (The parts may meet.) If they do (brushes, etc.) The tool says so."),
            [
                "It is so.",
                "(The parts may meet.)",
                "If they do (brushes, etc.) The tool says so."
            ]
        );
        assert_eq!(
            split(
                "He wrote, “The tool crashes. This program fails”. (No need to save. It is done.) Go on."
            ),
            [
                "He wrote, “The tool crashes.",
                "This program fails”.",
                "(No need to save.",
                "It is done.)",
                "Go on."
            ]
        );
        assert_eq!(
            split("Some (see J. Smith, vol. 12, or fig. A) hold. Then (!) it ends (C ? A : B)."),
            [
                "Some (see J. Smith, vol. 12, or fig. A) hold.",
                "Then (!) it ends (C ? A : B)."
            ]
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

    proptest! {
        #[test]
        fn words_are_what_their_definition_says(text in "[a-cÉ0 \t\u{a0}\u{3000}.,«»é-]{0,40}") {
            let expected: Vec<&str> = text
                .split_whitespace()
                .map(|token| token.trim_matches(|character: char| !character.is_alphanumeric()))
                .filter(|word| !word.is_empty())
                .collect();
            prop_assert_eq!(count_words(&text), expected.len());
            prop_assert_eq!(words(&text).collect::<Vec<_>>(), expected);
        }
    }
}
