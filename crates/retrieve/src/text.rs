//! When two texts count as the same, and what stands for a document's name.

/// A 64-bit key of a text's words: equal for texts that differ only in case, punctuation and white space.
///
/// A text without letters or digits is keyed by its bytes. The key is the beginning of a BLAKE3 hash: for texts that
/// differ it is equal with probability 2⁻⁶⁴.
#[must_use]
pub fn text_key(text: &str) -> u64 {
    let mut words = String::with_capacity(text.len());
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        words.extend(word.chars().flat_map(char::to_lowercase));
        words.push(' ');
    }
    first_bits(if words.is_empty() { text } else { &words })
}

/// The key of a document's name.
pub(crate) fn doc_key(name: &str) -> u64 {
    first_bits(name)
}

/// The first 64 bits of the BLAKE3 hash.
fn first_bits(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_punctuation_and_space_do_not_matter() {
        assert_eq!(
            text_key("A red  fox, running."),
            text_key("a Red fox running")
        );
        assert_eq!(text_key("ÉTÉ!"), text_key("été"));
        assert_ne!(text_key("a red fox"), text_key("a redfox"));
        assert_ne!(text_key("a red fox"), text_key("a red box"));
        assert_ne!(text_key("…"), text_key("?"));
    }
}
