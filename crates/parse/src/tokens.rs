//! From a sentence to tokens: byte ranges, cut where spaCy's English tokenizer cuts, in nearly all cases.
//!
//! The treebanks' habits, which spaCy follows: white space separates; brackets, quotes and punctuation come off both
//! ends; `don't` is `do n't`, `John's` is `John 's`; `well-known` is three tokens; `e.g.`, `Mr.` and `U.S.` stay whole,
//! and so do addresses. Each range is not empty, ranges ascend and only white space lies between them.

mod known;

use known::{bare, known};

/// A token's place: first byte, and the byte behind it.
pub type Span = (u32, u32);

/// Cuts `text` into tokens, which replace what `out` holds. Text beyond 4 GB is not looked at.
pub fn split(text: &str, out: &mut Vec<Span>, tail: &mut Vec<Span>) {
    out.clear();
    let bytes = text.as_bytes();
    let bytes = &bytes[..bytes.len().min(u32::MAX as usize)];
    let mut at = 0;
    while at < bytes.len() {
        // The common case first: a run of ASCII that a blank ends.
        let start = at;
        let mut plain = true;
        while at < bytes.len() && !matches!(bytes[at], b' ' | b'\t'..=b'\r') && bytes[at] < 128 {
            plain &= bytes[at].is_ascii_alphabetic();
            at += 1;
        }
        if at == bytes.len() || bytes[at] < 128 {
            if at > start {
                chunk(text, start, at, plain, out, tail);
            }
            at += 1;
            continue;
        }
        // Not ASCII: white space may be anything that Unicode calls so.
        let rest = &text[start..];
        let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
        if length == 0 {
            at = start + rest.chars().next().map_or(1, char::len_utf8);
        } else {
            at = start + length;
            if at <= bytes.len() {
                chunk(text, start, at, false, out, tail);
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the text is shorter than 4 GB"
)]
fn push(out: &mut Vec<Span>, start: usize, end: usize) {
    if start < end {
        out.push((start as u32, end as u32));
    }
}

/// Cuts what stands between two blanks.
fn chunk(
    text: &str,
    start: usize,
    end: usize,
    plain: bool,
    out: &mut Vec<Span>,
    tail: &mut Vec<Span>,
) {
    if plain {
        let cut = bare(&text.as_bytes()[start..end]);
        push(out, start, start + cut);
        push(out, start + cut, end);
        return;
    }
    tail.clear();
    let (mut from, mut to) = (start, end);
    let mut cuts = None;
    while from < to {
        let inner = &text[from..to];
        cuts = known(inner);
        if cuts.is_some() {
            break;
        }
        let before = prefix(inner);
        if before > 0 && before < inner.len() && known(&inner[before..]).is_some() {
            push(out, from, from + before);
            from += before;
            continue;
        }
        let after = suffix(&inner[before..]);
        if before == 0 && after == 0 {
            break;
        }
        let whole =
            after > 0 && after < inner.len() && known(&inner[..inner.len() - after]).is_some();
        if before > 0 && !whole {
            push(out, from, from + before);
            from += before;
        }
        if after > 0 {
            push(tail, to - after, to);
            to -= after;
        }
    }
    if from < to {
        match cuts {
            Some((first, second)) => {
                push(out, from, from + first);
                push(out, from + first, from + second);
                push(out, from + second, to);
            }
            None => inside(text, from, to, out),
        }
    }
    out.extend(tail.iter().rev());
}

/// Cuts at hyphens, slashes and the like between letters.
fn inside(text: &str, from: usize, to: usize, out: &mut Vec<Span>) {
    let word = &text[from..to];
    let bytes = word.as_bytes();
    if bytes.iter().all(u8::is_ascii_alphanumeric) || is_address(word) {
        push(out, from, to);
        return;
    }
    let mut start = 0;
    let mut at = 0;
    let mut last = None::<char>;
    while let Some(here) = word[at..].chars().next() {
        let length = infix(word, at, here, last);
        if length > 0 && at > start {
            push(out, from + start, from + at);
            push(out, from + at, from + at + length);
            start = at + length;
        }
        let step = if length > 0 { length } else { here.len_utf8() };
        last = word[at..at + step].chars().next_back();
        at += step;
    }
    push(out, from + start, to);
}

/// How many bytes of `word` from `at` on are an infix.
fn infix(word: &str, at: usize, here: char, last: Option<char>) -> usize {
    let Some(last) = last else { return 0 };
    let rest = &word[at + here.len_utf8()..];
    let next = rest.chars().next();
    let is_letter = |next: Option<char>| next.is_some_and(char::is_alphabetic);
    match here {
        '.' if next == Some('.') => dots(&word[at..]),
        '.' if (last.is_lowercase() || is_quote(last))
            && next.is_some_and(|next| next.is_uppercase() || is_quote(next)) =>
        {
            1
        }
        ',' if last.is_alphabetic() && is_letter(next) => 1,
        '-' | '+' | '*' | '^'
            if last.is_ascii_digit()
                && next.is_some_and(|next| next.is_ascii_digit() || next == '-') =>
        {
            1
        }
        '-' | '–' | '—' | '~' if last.is_alphanumeric() => {
            let run = rest.len() - rest.trim_start_matches(here).len();
            let length = here.len_utf8() + run;
            let longest = if here == '-' { 3 } else { 2 * here.len_utf8() };
            if length <= longest && is_letter(word[at + length..].chars().next()) {
                length
            } else {
                0
            }
        }
        ':' | '<' | '>' | '=' | '/' if last.is_alphanumeric() && is_letter(next) => 1,
        '…' => here.len_utf8(),
        _ if is_icon(here) => here.len_utf8(),
        _ => 0,
    }
}

fn dots(text: &str) -> usize {
    text.bytes().take_while(|&byte| byte == b'.').count()
}

/// How many bytes come off the front.
fn prefix(word: &str) -> usize {
    let Some(first) = word.chars().next() else {
        return 0;
    };
    let second = word.as_bytes().get(1).copied();
    match first {
        '.' if second == Some(b'.') => dots(word),
        '+' if !second.is_some_and(|byte| byte.is_ascii_digit()) => 1,
        '%' | '=' | '§' | '—' | '–' | '…' => first.len_utf8(),
        'U' if word.starts_with("US$") => 3,
        'A' | 'C' if second == Some(b'$') => 2,
        _ if is_mark(first) || is_quote(first) || is_currency(first) || is_icon(first) => {
            first.len_utf8()
        }
        _ => 0,
    }
}

/// How many bytes come off the end.
fn suffix(word: &str) -> usize {
    let mut back = word.chars().rev();
    let Some(last) = back.next() else { return 0 };
    let before = back.next();
    match last {
        's' | 'S' if matches!(before, Some('\'' | '’')) => 1 + before.map_or(0, char::len_utf8),
        '.' => match before {
            Some('.') => word.len() - word.trim_end_matches('.').len(),
            Some(before)
                if before.is_ascii_digit()
                    || before.is_lowercase()
                    || before == '%'
                    || is_mark(before)
                    || is_quote(before)
                    || matches!(before, '—' | '–' | '…') =>
            {
                1
            }
            Some(before)
                if before.is_uppercase() && back.next().is_some_and(char::is_uppercase) =>
            {
                1
            }
            _ => 0,
        },
        '+' if before.is_some_and(|before| before.is_ascii_digit()) => 1,
        '—' | '–' | '…' => last.len_utf8(),
        _ if is_mark(last) || is_quote(last) || is_icon(last) => last.len_utf8(),
        _ if is_currency(last) && before.is_some_and(|before| before.is_ascii_digit()) => {
            last.len_utf8()
        }
        _ => unit(word),
    }
}

const UNITS: [&str; 42] = [
    "km", "km²", "km³", "m", "m²", "m³", "dm", "cm", "mm", "ha", "µm", "nm", "yd", "in", "ft",
    "kg", "g", "mg", "µg", "t", "lb", "oz", "m/s", "km/h", "kmh", "mph", "hPa", "Pa", "mbar", "mb",
    "MB", "kb", "KB", "gb", "GB", "tb", "TB", "T", "G", "M", "K", "%",
];

/// The unit behind a number: `5km`.
fn unit(word: &str) -> usize {
    let Some(digit) = word.bytes().rposition(|byte| byte.is_ascii_digit()) else {
        return 0;
    };
    let unit = &word[digit + 1..];
    if unit.len() < 6 && UNITS.contains(&unit) {
        unit.len()
    } else {
        0
    }
}

fn is_mark(mark: char) -> bool {
    matches!(
        mark,
        ',' | ':'
            | ';'
            | '!'
            | '?'
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '<'
            | '>'
            | '_'
            | '#'
            | '*'
            | '&'
            | '¿'
            | '¡'
            | '·'
            | '。'
            | '？'
            | '！'
            | '，'
            | '、'
            | '；'
            | '：'
            | '～'
    )
}

fn is_quote(mark: char) -> bool {
    matches!(
        mark,
        '\'' | '"'
            | '”'
            | '“'
            | '`'
            | '‘'
            | '´'
            | '’'
            | '‚'
            | '„'
            | '»'
            | '«'
            | '「'
            | '」'
            | '『'
            | '』'
            | '（'
            | '）'
            | '【'
            | '】'
            | '《'
            | '》'
            | '〈'
            | '〉'
    )
}

fn is_currency(mark: char) -> bool {
    matches!(mark, '$' | '£' | '€' | '¥' | '฿' | '₽' | '₴' | '₠'..='₿')
}

/// Symbols that are neither letters, marks nor signs of mathematics: most of Unicode's class So.
fn is_icon(mark: char) -> bool {
    mark > '\u{7f}'
        && matches!(mark, '¦' | '°' | '©' | '®' | '℃' | '℗' | '№' | '™' | '\u{2195}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}'
            | '\u{2400}'..='\u{25b6}' | '\u{25b8}'..='\u{25c0}' | '\u{25c2}'..='\u{25f7}' | '\u{2600}'..='\u{266e}'
            | '\u{2670}'..='\u{2767}' | '\u{2794}'..='\u{27bf}' | '\u{2800}'..='\u{28ff}' | '\u{2b00}'..='\u{2bff}'
            | '\u{1f000}'..='\u{1fbff}')
}

/// Whether a word is a web or mail address: it stays whole.
fn is_address(word: &str) -> bool {
    if word.contains("://") {
        return true;
    }
    let host = word.split(['/', ':', '?']).next().unwrap_or(word);
    let host = host.rsplit('@').next().unwrap_or(host);
    let Some((front, end)) = host.rsplit_once('.') else {
        return false;
    };
    end.len() >= 2
        && end.bytes().all(|byte| byte.is_ascii_lowercase())
        && !front.is_empty()
        && front.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::split;

    fn cut(text: &str) -> Vec<&str> {
        let mut spans = Vec::new();
        split(text, &mut spans, &mut Vec::new());
        spans
            .iter()
            .map(|&(start, end)| &text[start as usize..end as usize])
            .collect()
    }

    #[test]
    fn punctuation_comes_off_both_ends() {
        assert_eq!(
            cut("(\"Hello,\" he said.)"),
            ["(", "\"", "Hello", ",", "\"", "he", "said", ".", ")"]
        );
        assert_eq!(
            cut("What?! Yes... no…"),
            ["What", "?", "!", "Yes", "...", "no", "…"]
        );
        assert_eq!(
            cut("“It costs $5, or 20%.”"),
            ["“", "It", "costs", "$", "5", ",", "or", "20", "%", ".", "”"]
        );
        assert_eq!(
            cut("U.S. troops, e.g. Mr. Smith's"),
            ["U.S.", "troops", ",", "e.g.", "Mr.", "Smith", "'s"]
        );
        assert_eq!(cut("the U.S."), ["the", "U.S."]);
        assert_eq!(cut("NASA."), ["NASA", "."]);
    }

    #[test]
    fn contractions_are_two_tokens() {
        assert_eq!(
            cut("I don't; they’ve"),
            ["I", "do", "n't", ";", "they", "’ve"]
        );
        assert_eq!(
            cut("cannot dont Im its well"),
            ["can", "not", "do", "nt", "I", "m", "its", "well"]
        );
        assert_eq!(cut("'She's here'"), ["'", "She", "'s", "here", "'"]);
        assert_eq!(cut("10am 5km 3x"), ["10", "am", "5", "km", "3x"]);
    }

    #[test]
    fn hyphens_split_words_but_not_addresses() {
        assert_eq!(
            cut("well-known and/or his/her 3-5 x--y"),
            [
                "well", "-", "known", "and/or", "his", "/", "her", "3", "-", "5", "x", "--", "y"
            ]
        );
        assert_eq!(
            cut("see www.a-b.example/c-d."),
            ["see", "www.a-b.example/c-d", "."]
        );
        assert_eq!(cut("me@x-y.example"), ["me@x-y.example"]);
        assert_eq!(cut("end.Start 1.5 :)"), ["end", ".", "Start", "1.5", ":)"]);
    }

    #[test]
    fn nothing_and_strange_things() {
        assert!(cut("").is_empty());
        assert!(cut(" \t\u{a0}\u{3000}").is_empty());
        assert_eq!(
            cut("é\u{301}\u{301}x 日本語 👩‍🚀").concat(),
            "é\u{301}\u{301}x日本語👩‍🚀"
        );
    }

    proptest! {
        #[test]
        fn only_white_space_is_lost(text in "[ a-zA-Z'’.,\\-/()\"…—0-9%$:é👍\u{a0}]{0,60}") {
            let kept: String = text.chars().filter(|character| !character.is_whitespace()).collect();
            prop_assert_eq!(cut(&text).concat(), kept);
            prop_assert!(cut(&text).iter().all(|token| !token.is_empty()));
        }

        #[test]
        fn any_text_is_cut(text in "\\PC{0,40}") {
            let kept: String = text.chars().filter(|character| !character.is_whitespace()).collect();
            prop_assert_eq!(cut(&text).concat(), kept);
        }
    }
}
