//! When two sentences are the same sentence.
//!
//! Memory: the normal form of one sentence.

use unicode_normalization::UnicodeNormalization;

/// 128 bits that stand for a sentence's normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TextKey([u8; 16]);

impl TextKey {
    /// The key of a text: the first 128 bits of the BLAKE3 of its [`normal_form`].
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(normal_form(text).as_bytes()).as_bytes()[..16]);
        Self(key)
    }
}

/// The text in Unicode's NFKC, in lower case, with each run of white space as one space and none at the ends.
///
/// Case is folded because CLIP's tokenizer folds it: two sentences that differ in case alone are the same tokens, so
/// that keeping both would show a model the same text twice. Punctuation stays; "a cat?" is not "a cat.".
#[must_use]
pub fn normal_form(text: &str) -> String {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let mut normal = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.push_str(word);
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_alike_is_alike() {
        for (one, other) in [
            ("A  cat\tsat\u{a0}here. ", "a cat sat here."),
            ("Caf\u{e9}", "CAFE\u{301}"),
            ("\u{fb01}ne \u{ff21}", "fine A"),
            ("", " \u{3000}\n"),
        ] {
            assert_eq!(normal_form(one), normal_form(other));
            assert_eq!(TextKey::of(one), TextKey::of(other));
        }
        assert_ne!(TextKey::of("a cat?"), TextKey::of("a cat."));
        assert_ne!(TextKey::of("a cat"), TextKey::of("acat"));
    }
}
