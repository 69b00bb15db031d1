//! From a sentence to the words that a model counts.
//!
//! Words are known by a hash of their folded form, which is made while the text is read, so that scoring copies nothing.
//! The fold: lower case; each digit is 0; typographic quotation marks, apostrophes and dashes are the typewriter's.

/// A word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it stands in the text.
    pub text: &'a str,
    /// Of its folded form, the same on every machine.
    pub hash: u64,
}

/// The words of `text`: runs of letters and digits, with the apostrophes, hyphens, points and commas that stand between
/// two of them, and every other mark alone. Space is dropped.
#[must_use]
pub fn words(text: &str) -> Words<'_> {
    Words { text, at: 0 }
}

/// The iterator that [`words()`] gives.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let bytes = self.text.as_bytes();
        let mut hash = Hash::new();
        // To the first character that is no space.
        let start = loop {
            let byte = *bytes.get(self.at)?;
            if byte.is_ascii() {
                if !matches!(byte, b' ' | b'\t'..=b'\r') {
                    break self.at;
                }
                self.at += 1;
            } else {
                let first = self.char_at(self.at)?;
                if !first.is_whitespace() {
                    break self.at;
                }
                self.at += first.len_utf8();
            }
        };
        let mut is_word = false;
        while let Some(&byte) = bytes.get(self.at) {
            if byte.is_ascii_alphanumeric() {
                hash.ascii(byte);
                self.at += 1;
                is_word = true;
                continue;
            }
            let next = self.char_at(self.at)?;
            let length = next.len_utf8();
            if !byte.is_ascii() && next.is_alphanumeric() {
                hash.char(next);
                is_word = true;
            } else if self.at == start {
                // A mark, alone.
                hash.char(next);
                self.at += length;
                break;
            } else if is_joint(next) && self.is_word_at(self.at + length) {
                hash.char(next);
            } else {
                break;
            }
            self.at += length;
        }
        debug_assert!(is_word || self.at > start);
        Some(Word {
            text: self.text.get(start..self.at)?,
            hash: hash.finish(),
        })
    }
}

impl Words<'_> {
    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    fn is_word_at(&self, at: usize) -> bool {
        self.char_at(at).is_some_and(char::is_alphanumeric)
    }
}

fn is_joint(mark: char) -> bool {
    matches!(mark, '\'' | '’' | '-' | '.' | ',')
}

/// The folded characters of `text`.
pub fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(|char| {
        let folded = fold(char);
        folded.to_lowercase()
    })
}

/// One typewriter's mark for each family of marks, 0 for all digits.
fn fold(char: char) -> char {
    match char {
        '0'..='9' => '0',
        '’' | '‘' | '‛' | '′' => '\'',
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => '"',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        _ => char,
    }
}

/// FNV-1a over the folded form's UTF-8, with `MurmurHash3`'s finisher: a word's place in the sorted vocabulary is guessed
/// from its high bits, which FNV alone leaves uneven.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    fn ascii(&mut self, byte: u8) {
        self.byte(match byte {
            b'0'..=b'9' => b'0',
            _ => byte.to_ascii_lowercase(),
        });
    }

    fn char(&mut self, char: char) {
        for folded in fold(char).to_lowercase() {
            for byte in folded.encode_utf8(&mut [0; 4]).bytes() {
                self.byte(byte);
            }
        }
    }

    fn finish(self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        words(text).map(|word| word.text).collect()
    }

    #[test]
    fn words_numbers_and_marks() {
        let expected = [
            "The",
            "mill-pond’s",
            "depth",
            ":",
            "3.5",
            "m",
            ",",
            "e.g",
            ".",
            "(",
            "Élan",
            ")",
            ".",
        ];
        assert_eq!(cut("The mill-pond’s  depth: 3.5 m, e.g. (Élan)."), expected);
        assert_eq!(cut(" \t\u{a0}"), Vec::<&str>::new());
        assert_eq!(cut("a- -b"), ["a", "-", "-", "b"]);
    }

    #[test]
    fn what_is_folded_alike_has_one_hash() {
        let hash = |text: &str| words(text).next().unwrap().hash;
        for (one, other) in [
            ("Mill", "mILL"),
            ("1987", "2026"),
            ("3.5", "9.1"),
            ("don’t", "DON'T"),
            ("“", "\""),
            ("Élan", "élan"),
        ] {
            assert_eq!(hash(one), hash(other), "{one} {other}");
        }
        assert_ne!(hash("198"), hash("1987"));
        assert_ne!(hash("mill"), hash("mills"));
    }

    proptest! {
        /// Nothing but space is lost, whatever the text, and the hash is that of the folded form.
        #[test]
        fn words_cover_the_text(text in "\\PC{0,40}") {
            let all: String = cut(&text).concat();
            let expected: String = text.chars().filter(|char| !char.is_whitespace()).collect();
            prop_assert_eq!(all, expected);
            for word in words(&text) {
                let form: String = folded(word.text).collect();
                let mut hash = Hash::new();
                form.bytes().for_each(|byte| hash.byte(byte));
                prop_assert_eq!(hash.finish(), word.hash);
            }
        }
    }
}
