//! Words that a model does not know: what they look like, and how they are spelt.
//!
//! A word that was too rare to be counted is not simply unknown. Its look says what kind of word it may be, so each look is
//! a word of the model's vocabulary that stands for all rare words of that look, and takes part in n-grams as any other.
//! Its spelling is then predicted letter by letter.

use crate::words::folded;

/// How many looks there are.
pub const LOOKS: u32 = 20;

/// The most letters of a word that are looked at: what is longer is no word, and was found out long before.
const MAX_LETTERS: usize = 64;

/// What a rare word looks like: a number below [`LOOKS`]. `is_first` says that it begins the sentence, where a capital
/// says nothing.
pub fn look(word: &str, is_first: bool) -> u32 {
    let mut letters = 0_usize;
    let (mut upper, mut digits, mut other_marks, mut foreign) = (0_usize, 0_usize, 0_usize, false);
    let mut hyphen = false;
    let mut first_is_upper = false;
    for (at, char) in word.chars().take(MAX_LETTERS).enumerate() {
        if char.is_alphabetic() {
            letters += 1;
            if char.is_uppercase() {
                upper += 1;
                first_is_upper |= at == 0;
            }
            // Beyond Latin Extended-B.
            foreign |= char > '\u{24f}';
        } else if char.is_numeric() {
            digits += 1;
        } else if matches!(char, '-' | '\'' | '’') {
            hyphen |= char == '-';
        } else {
            other_marks += 1;
        }
    }
    match (letters, digits) {
        (0, 0) => return 0,
        (0, _) => return 1,
        _ if foreign => return 2,
        (_, 1..) => return 3,
        _ => {}
    }
    if other_marks > 0 {
        return 4;
    }
    if upper == letters && letters > 1 {
        return 5;
    }
    if upper > usize::from(first_is_upper) && !hyphen {
        return 6;
    }
    if first_is_upper && !is_first {
        return 7;
    }
    if hyphen {
        return 8;
    }
    ending(word)
}

/// The look of a plain word, by the ending that tells most about its part.
fn ending(word: &str) -> u32 {
    const ENDINGS: [(&[&str], u32); 9] = [
        (&["'s", "’s"], 9),
        (&["ing"], 10),
        (&["ed"], 11),
        (&["ly"], 12),
        (
            &[
                "tion", "sion", "ment", "ness", "ity", "ism", "ance", "ence", "ship",
            ],
            13,
        ),
        (
            &[
                "ous", "ive", "able", "ible", "ful", "less", "ical", "ic", "al", "ish", "ary",
            ],
            14,
        ),
        (&["er", "or", "ist"], 15),
        (&["ize", "ise", "ify", "ate"], 16),
        (&["s"], 17),
    ];
    // Of two letters, an ending is all there is.
    if word.len() > 3 {
        for (endings, look) in ENDINGS {
            for ending in endings {
                let at = word.len().wrapping_sub(ending.len());
                if word
                    .get(at..)
                    .is_some_and(|end| end.eq_ignore_ascii_case(ending))
                {
                    return look;
                }
            }
        }
        return 18;
    }
    19
}

/// How many words an unknown word counts as: GPT-2's tokenizer, too, cuts what it does not know into pieces of a few
/// letters, and a perplexity is per piece.
pub fn pieces(letters: u32) -> u32 {
    1 + letters / 3
}

/// The size of the alphabet with the word's beginning and end.
pub const ALPHABET: u32 = 42;
/// The word's beginning, in [`spell`]'s numbers.
pub const WORD_BEGIN: u32 = 40;
/// The word's end.
pub const WORD_END: u32 = 41;

/// The folded word's letters as numbers below [`WORD_BEGIN`].
pub fn spell(word: &str) -> impl Iterator<Item = u32> {
    folded(word).take(MAX_LETTERS).map(|char| match char {
        'a'..='z' => 1 + (char as u32 - 'a' as u32),
        '0' => 27,
        '\'' => 28,
        '-' => 29,
        '.' => 30,
        ',' => 31,
        '_' => 32,
        // The accented letters of Latin, then other letters, by how the scripts lie in Unicode.
        'à'..='æ' => 33,
        'è'..='ï' | 'ç' => 34,
        'ñ'..='ÿ' => 35,
        '\u{100}'..='\u{24f}' => 36,
        '\u{370}'..='\u{52f}' => 37,
        '\u{3000}'.. => 38,
        _ if char.is_alphabetic() => 39,
        _ => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_tell_words_apart() {
        let all = [
            "#",
            "1.234",
            "слово",
            "v2",
            "e.g",
            "NASA",
            "GitHub",
            "Lisbon",
            "mill-pond",
            "heron's",
            "wading",
            "waded",
            "sadly",
            "notion",
            "shallow-ish",
            "miller",
            "grindify",
            "herons",
            "heron",
            "ox",
        ];
        let looks: Vec<u32> = all.iter().map(|word| look(word, false)).collect();
        let mut expected: Vec<u32> = (0..LOOKS).collect();
        expected[14] = 8; // a hyphen goes before an ending
        assert_eq!(looks, expected);
        assert_eq!(look("pictorial", false), 14);
        assert_eq!(
            look("Lisbon", true),
            18,
            "every sentence begins with a capital"
        );
    }

    #[test]
    fn letters_stay_inside_the_alphabet() {
        for char in (0..0x30000).filter_map(char::from_u32) {
            let mut text = [0; 4];
            for letter in spell(char.encode_utf8(&mut text)) {
                assert!(letter < WORD_BEGIN, "{char:?}");
            }
        }
        assert_eq!(spell("Az9’").collect::<Vec<_>>(), [1, 26, 27, 28]);
        assert_eq!(spell(&"a".repeat(1000)).count(), MAX_LETTERS);
    }
}
