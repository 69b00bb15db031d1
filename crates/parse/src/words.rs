//! What a token looks like: its number among the known words, its ending, its shape.

use crate::features::PAD;
use crate::tokens::Span;

/// Numbers that words can have. 0 is a word that is not known, 1 stands where there is none.
pub const WORDS: u32 = 6144;
/// The word that is not known.
pub const UNKNOWN: u16 = 0;
/// No word: beyond the sentence.
pub const NONE: u16 = 1;
/// The first number of a known word.
pub const FIRST: u16 = 2;
/// Numbers of endings.
pub const ENDINGS: u32 = 4096;
/// Shapes.
pub const SHAPES: u32 = 12;

/// What a token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its hash, without regard to case; digits are alike.
    pub hash: u64,
    /// Its last three letters, hashed.
    pub ending: u32,
    /// Its first three letters, hashed.
    pub beginning: u32,
    /// Its number in the lexicon.
    pub number: u16,
    /// Small, capital, digits, ...
    pub shape: u8,
}

impl Word {
    /// What stands beyond the sentence.
    pub const NONE: Self = Self {
        hash: 0,
        ending: 0,
        beginning: 0,
        number: NONE,
        shape: 11,
    };

    /// The word without its number.
    #[must_use]
    pub fn of(token: &str) -> Self {
        let mut look = Look::default();
        if token.is_ascii() {
            for &byte in token.as_bytes() {
                look.take(
                    u32::from(byte),
                    byte.is_ascii_lowercase(),
                    byte.is_ascii_uppercase(),
                    byte.is_ascii_digit(),
                );
            }
        } else {
            for mut character in token.chars() {
                character = match character {
                    '’' | '‘' | '´' => '\'',
                    '“' | '”' | '„' => '"',
                    other => other,
                };
                look.far |= character > '\u{24f}' && character.is_alphabetic();
                let upper = character.is_uppercase();
                let small = if upper {
                    character.to_lowercase().next().unwrap_or(character)
                } else {
                    character
                };
                look.take(
                    small.into(),
                    !upper && character.is_alphabetic(),
                    upper,
                    character.is_ascii_digit(),
                );
            }
        }
        look.word()
    }
}

#[derive(Default)]
struct Look {
    hash: u64,
    last: u64,
    first: u64,
    length: u32,
    lowers: u32,
    uppers: u32,
    digits: u32,
    capital: bool,
    far: bool,
}

impl Look {
    #[inline]
    fn take(&mut self, character: u32, lower: bool, upper: bool, digit: bool) {
        let character = if digit {
            u32::from(b'0')
        } else if upper && character < 128 {
            character | 0x20
        } else {
            character
        };
        self.hash = (self.hash ^ u64::from(character))
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(5);
        self.last = (self.last << 16) | u64::from(character & 0xffff);
        if self.length < 3 {
            self.first = self.last;
        }
        self.capital |= upper && self.length == 0;
        self.length += 1;
        self.lowers += u32::from(lower);
        self.uppers += u32::from(upper);
        self.digits += u32::from(digit);
    }

    fn word(&self) -> Word {
        Word {
            hash: mix(self.hash, u64::from(self.length)),
            ending: fold(mix(self.last & 0xffff_ffff_ffff, 3)),
            beginning: fold(mix(self.first, 5)),
            number: UNKNOWN,
            shape: self.shape(),
        }
    }

    fn shape(&self) -> u8 {
        let letters = self.lowers + self.uppers;
        let whole = letters == self.length;
        match (letters, self.digits) {
            _ if self.far => 10,
            (0, 0) => 7,
            (0, _) => 5,
            (_, 1..) => 6,
            _ if self.uppers == 0 => {
                if whole {
                    0
                } else {
                    8
                }
            }
            _ if !whole => 9,
            (1, _) => 3,
            _ if self.lowers == 0 => 2,
            _ if self.capital && self.uppers == 1 => 1,
            _ => 4,
        }
    }
}

/// Spreads the bits of two numbers over one.
#[inline]
#[must_use]
pub fn mix(a: u64, b: u64) -> u64 {
    let mixed = (a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

fn fold(bits: u64) -> u32 {
    (bits >> 32) as u32
}

/// The known words: hashes to numbers.
///
/// Two words of one hash (32 bits of it are kept, at 14 more bits of place) would be taken for one, which harms nothing.
pub struct Lexicon {
    slots: Vec<(u32, u16)>,
    hashes: Vec<u64>,
}

/// Places in the table; half of them stay free.
const SLOTS: usize = 2 * WORDS as usize;

impl Lexicon {
    /// The lexicon of these words' hashes, numbered in their order from [`FIRST`] on.
    #[must_use]
    pub fn new(hashes: Vec<u64>) -> Self {
        let mut slots = vec![(0, UNKNOWN); SLOTS];
        for (number, &hash) in (FIRST..).zip(&hashes) {
            let mut at = place(hash);
            while slots[at].1 != UNKNOWN {
                at = (at + 1) % SLOTS;
            }
            slots[at] = (fold(hash), number);
        }
        Self { slots, hashes }
    }

    /// The hashes, in the order of their numbers.
    #[must_use]
    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// The number of the word with this hash.
    #[inline]
    #[must_use]
    pub fn number(&self, hash: u64) -> u16 {
        let key = fold(hash);
        let mut at = place(hash);
        loop {
            let (found, number) = self.slots[at];
            if number == UNKNOWN || found == key {
                return number;
            }
            at = (at + 1) % SLOTS;
        }
    }

    /// The words of a sentence's tokens, between those on either side that are none.
    pub fn words(&self, text: &str, tokens: &[Span], out: &mut Vec<Word>) {
        out.clear();
        out.extend([Word::NONE; PAD]);
        out.extend(tokens.iter().map(|&(start, end)| {
            let mut word = Word::of(text.get(start as usize..end as usize).unwrap_or_default());
            word.number = self.number(word.hash);
            word
        }));
        out.extend([Word::NONE; PAD]);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "masked")]
fn place(hash: u64) -> usize {
    hash as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_digits_do_not_make_another_word() {
        assert_eq!(Word::of("The").hash, Word::of("the").hash);
        assert_eq!(Word::of("1984").hash, Word::of("2001").hash);
        assert_eq!(Word::of("’s").hash, Word::of("'s").hash);
        assert_ne!(Word::of("984").hash, Word::of("2001").hash);
        assert_ne!(Word::of("on").hash, Word::of("no").hash);
        assert_eq!(Word::of("running").ending, Word::of("Sing").ending);
        assert_eq!(Word::of("Élan").hash, Word::of("élan").hash);
    }

    #[test]
    fn shapes() {
        let shapes: Vec<u8> = [
            "cat", "Cat", "CAT", "I", "iPhone", "12", "3rd", ",", "n't", "U.S.", "日本",
        ]
        .iter()
        .map(|word| Word::of(word).shape)
        .collect();
        assert_eq!(shapes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn known_words_have_numbers() {
        let lexicon = Lexicon::new(
            ["a", "cat", "sat"]
                .iter()
                .map(|word| Word::of(word).hash)
                .collect(),
        );
        assert_eq!(lexicon.number(Word::of("Cat").hash), 3);
        assert_eq!(lexicon.number(Word::of("dog").hash), UNKNOWN);
        let mut words = Vec::new();
        lexicon.words("A dog", &[(0, 1), (2, 5)], &mut words);
        assert_eq!(
            words.iter().map(|word| word.number).collect::<Vec<_>>(),
            [1, 1, 1, 1, 2, 0, 1, 1, 1, 1]
        );
    }
}
