//! The words of a sentence in lower case, sixteen bytes at a time.
//!
//! What a word is says [`text::words`]; this gives the same words, and most of them as one number.

use crate::text;

/// A word in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word<'a> {
    /// One of at most sixteen bytes: the first one is the lowest, and zeros are behind the last.
    Short(u128),
    /// A longer one.
    Long(&'a str),
}

impl<'a> Word<'a> {
    fn of(word: &'a str) -> Self {
        if word.len() <= 16 {
            Self::Short(block(word.as_bytes(), 0))
        } else {
            Self::Long(word)
        }
    }

    /// Its bytes; `buffer` is where those of a short one are put.
    pub fn bytes<'b>(self, buffer: &'b mut [u8; 16]) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Self::Short(word) => {
                *buffer = word.to_le_bytes();
                // A word ends with a letter or digit, so no zero at its end is its own.
                &buffer[..16 - word.leading_zeros() as usize / 8]
            }
            Self::Long(word) => word.as_bytes(),
        }
    }
}

/// Gives each word of a sentence in turn; `lower` is room for those that have to be rewritten.
pub(crate) fn each(sentence: &str, lower: &mut String, mut take: impl FnMut(Word<'_>)) {
    // Without a branch for each byte: the compiler makes vector instructions of it.
    let odd = |odd: u8, byte: u8| odd | u8::from(byte.wrapping_sub(b' ') > b'~' - b' ');
    if sentence.bytes().fold(0, odd) == 0 {
        each_plain(sentence, lower, take);
    } else {
        text::words(sentence).for_each(|word| take(Word::of(text::lowered(word, lower))));
    }
}

/// As [`each`], for ASCII without control characters.
fn each_plain(sentence: &str, lower: &mut String, mut take: impl FnMut(Word<'_>)) {
    let bytes = sentence.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let begun = block(bytes, at);
        let blank = first_blank(begun);
        let (mut start, mut end) = (at, at + blank);
        if blank == 16 {
            let rest = bytes[end..].iter().position(|&byte| byte == b' ');
            end = rest.map_or(bytes.len(), |rest| end + rest);
        }
        at = end + 1;
        while start < end && !bytes[end - 1].is_ascii_alphanumeric() {
            end -= 1;
        }
        let token = start;
        while start < end && !bytes[start].is_ascii_alphanumeric() {
            start += 1;
        }
        match end - start {
            0 => {}
            length @ 1..=16 => {
                let word = if start == token {
                    begun
                } else {
                    block(bytes, start)
                };
                take(Word::Short(lowered(word & u128::MAX >> (128 - 8 * length))));
            }
            _ => take(Word::Long(text::lowered(&sentence[start..end], lower))),
        }
    }
}

/// The sixteen bytes from `at` on, zeros behind the last.
fn block(bytes: &[u8], at: usize) -> u128 {
    if let Some(whole) = bytes
        .get(at..at + 16)
        .and_then(|bytes| bytes.try_into().ok())
    {
        return u128::from_le_bytes(whole);
    }
    let mut last = [0; 16];
    let rest = &bytes[at..];
    last[..rest.len()].copy_from_slice(rest);
    u128::from_le_bytes(last)
}

/// A number with the same byte sixteen times.
const fn all(byte: u8) -> u128 {
    u128::from_le_bytes([byte; 16])
}

/// How many of the bytes, all ASCII, stand before the first blank or zero.
fn first_blank(block: u128) -> usize {
    // A byte below 0x21 borrows when that is taken away; only bytes behind the first such one can borrow for another.
    let below = block.wrapping_sub(all(0x21)) & !block & all(0x80);
    below.trailing_zeros() as usize / 8
}

/// The bytes, all ASCII, in lower case.
fn lowered(block: u128) -> u128 {
    let from_a = block + all(0x80 - b'A');
    let beyond_z = block + all(0x7f - b'Z');
    block | (from_a & !beyond_z & all(0x80)) >> 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(sentence: &str) -> Vec<String> {
        let (mut found, mut lower) = (Vec::new(), String::new());
        each(sentence, &mut lower, |word| {
            let mut buffer = [0; 16];
            found.push(String::from_utf8(word.bytes(&mut buffer).to_vec()).unwrap());
        });
        found
    }

    #[test]
    fn all_of_ascii_is_lowered_as_it_should_be() {
        for byte in 0..0x80_u8 {
            assert_eq!(lowered(all(byte)), all(byte.to_ascii_lowercase()));
        }
        assert_eq!((first_blank(all(b'!')), first_blank(all(b' '))), (16, 0));
        assert_eq!(
            words("(AZ@[`az{) Exactly16Letters! Seventeen-letters"),
            ["az@[`az", "exactly16letters", "seventeen-letters"]
        );
    }

    proptest! {
        #[test]
        fn they_are_the_words_of_the_definition(text in "[a-cA-CÉ0 \\t\\x01.,«é-]{0,60}|[a-zA-Z0-9 ~.,(-]{0,60}") {
            let expected: Vec<String> = text::words(&text).map(str::to_lowercase).collect();
            prop_assert_eq!(words(&text), expected);
        }
    }
}
