//! From a sentence to the words that a model counts.

/// Appends the words of `text`, folded to lower case, to `out`: runs of letters and digits, with the apostrophes,
/// hyphens, points and commas that stand between two of them, and every other mark alone. Space is dropped.
///
/// Each word is given to `each` in turn; `buffer` is only room to fold in.
pub fn words(text: &str, buffer: &mut String, mut each: impl FnMut(&str)) {
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut end = start + first.len_utf8();
        if first.is_alphanumeric() {
            while let Some(&(at, next)) = chars.peek() {
                let inside = next.is_alphanumeric()
                    || (is_joint(next)
                        && text[at + next.len_utf8()..].starts_with(char::is_alphanumeric));
                if !inside {
                    break;
                }
                end = at + next.len_utf8();
                chars.next();
            }
        }
        let word = &text[start..end];
        if word
            .bytes()
            .any(|byte| !byte.is_ascii() || byte.is_ascii_uppercase())
        {
            buffer.clear();
            buffer.extend(word.chars().flat_map(char::to_lowercase));
            each(buffer);
        } else {
            each(word);
        }
    }
}

fn is_joint(mark: char) -> bool {
    matches!(mark, '\'' | '’' | '-' | '.' | ',')
}

#[cfg(test)]
mod tests {
    use super::words;

    fn cut(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        words(text, &mut String::new(), |word| found.push(word.to_owned()));
        found
    }

    #[test]
    fn words_numbers_and_marks() {
        let expected = [
            "the",
            "mill-pond's",
            "depth",
            ":",
            "3.5",
            "m",
            ",",
            "e.g",
            ".",
            "(",
            "élan",
            ")",
            ".",
        ];
        assert_eq!(cut("The mill-pond's  depth: 3.5 m, e.g. (Élan)."), expected);
        assert_eq!(cut(" \t"), Vec::<String>::new());
        assert_eq!(cut("a- -b"), ["a", "-", "-", "b"]);
    }
}
