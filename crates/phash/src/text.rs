//! When two sentences are the same sentence.
//!
//! Memory: the normal form of one sentence.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::SeenKey;

/// 128 bits that stand for a sentence's normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextKey([u8; 16]);

impl fmt::Display for TextKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl SeenKey for TextKey {
    const BYTES: usize = 16;

    fn bytes(self) -> impl AsRef<[u8]> {
        self.0
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }
}

impl TextKey {
    /// The key of a text: the first 128 bits of the BLAKE3 of its [`normal_form`].
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::of_normal_form(&normal_form(text))
    }

    /// As [`Self::of`], of a text in its normal form.
    #[must_use]
    pub fn of_normal_form(normal: &str) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(normal.as_bytes()).as_bytes()[..16]);
        Self(key)
    }

    /// The key that 32 hexadecimal digits stand for; `None` for any other text.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        let is_key = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u128::from_str_radix(digits, 16).ok().filter(|_| is_key)?;
        Some(Self(number.to_be_bytes()))
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
        let key = TextKey::of("a cat");
        assert_eq!(TextKey::from_hex(&key.to_string()), Some(key));
        assert_eq!(TextKey::of_bytes(key.bytes().as_ref()), Some(key));
        assert_eq!(TextKey::from_hex("+0"), None);
        assert_ne!(TextKey::of("a cat?"), TextKey::of("a cat."));
        assert_ne!(TextKey::of("a cat"), TextKey::of("acat"));
    }
}
