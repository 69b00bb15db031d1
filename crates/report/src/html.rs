//! Text for the page: escaping, shortening and the form of numbers.
//!
//! Every string that comes out of a record reaches the page through [`Escaped`]; the page has no other way in for it.

use std::fmt::{self, Display, Formatter};

/// A string that prints itself as HTML text, good between tags and inside a double-quoted attribute.
///
/// The five characters that HTML gives a meaning are replaced by their references. Control characters (which no HTML
/// document may hold) become U+FFFD, so that a NUL cannot end anything early; tabs and newlines stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a>(pub &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let mut from = 0;
        for (at, character) in self.0.char_indices() {
            let instead = match character {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                '\t' | '\n' => continue,
                c if c.is_control() => "\u{fffd}",
                _ => continue,
            };
            out.write_str(&self.0[from..at])?;
            out.write_str(instead)?;
            from = at + character.len_utf8();
        }
        out.write_str(&self.0[from..])
    }
}

/// Shortens `text` to at most `limit` characters, the last of them an ellipsis when something was cut.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    if text.char_indices().nth(limit).is_none() {
        return text.to_owned();
    }
    let end = text
        .char_indices()
        .nth(limit.saturating_sub(1))
        .map_or(0, |(at, _)| at);
    format!("{}…", text[..end].trim_end())
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `n` with the word that goes with it: `1 image`, `2 images`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A count as a number to reckon with.
#[expect(
    clippy::cast_precision_loss,
    reason = "what is made of it is shown with three digits"
)]
pub(crate) fn float(n: u64) -> f64 {
    n as f64
}

/// The share `part / whole`, 0 when there is no whole.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        float(part) / float(whole)
    }
}

/// A share as a percentage with one digit after the point. What is not nothing never reads as nothing, and what is not
/// all never reads as all.
pub(crate) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    if share > 0.0 && share < 0.0005 {
        return "<0.1%".to_owned();
    }
    if (0.9995..1.0).contains(&share) {
        return ">99.9%".to_owned();
    }
    format!("{:.1}%", share * 100.0)
}

/// A small share (a chance) with two significant digits: `0.42%`, `0.0071%`.
pub(crate) fn small_percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    let percent = share * 100.0;
    if percent >= 10.0 || percent == 0.0 {
        return format!("{percent:.1}%");
    }
    format!("{percent:.0$}%", decimals(percent, 2))
}

/// A ratio: `95`, `3.4`.
pub(crate) fn times(ratio: f64) -> String {
    if !ratio.is_finite() {
        return "–".to_owned();
    }
    if ratio >= 10.0 {
        count_of(ratio)
    } else {
        format!("{ratio:.1}")
    }
}

/// A number of any size on an axis or in a caption, with at most three significant digits.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "–".to_owned();
    }
    if size == 0.0 {
        return "0".to_owned();
    }
    if size >= 1e6 {
        let (scaled, unit) = if size >= 1e9 {
            (value / 1e9, " B")
        } else {
            (value / 1e6, " M")
        };
        return format!("{}{unit}", trim(format!("{scaled:.2}")));
    }
    if size >= 1000.0 {
        return if value < 0.0 {
            format!("−{}", count_of(size))
        } else {
            count_of(size)
        };
    }
    if size < 1e-3 {
        return format!("{value:.1e}").replace(".0e", "e").replace('-', "−");
    }
    trim(format!("{value:.0$}", decimals(size, 3))).replace('-', "−")
}

/// How many digits after the point give `size` (> 0) this many significant ones.
fn decimals(size: f64, significant: i32) -> usize {
    let mut wanted = significant - 1;
    let mut power = 1.0;
    while size < power && wanted < 12 {
        power /= 10.0;
        wanted += 1;
    }
    let mut power = 10.0;
    while size >= power && wanted > 0 {
        power *= 10.0;
        wanted -= 1;
    }
    usize::try_from(wanted).unwrap_or(0)
}

/// Cuts zeros (and a bare point) off the end of a decimal fraction.
fn trim(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A non-negative number rounded to a whole one, with separators.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, and the caller's value is not negative"
)]
fn count_of(value: f64) -> String {
    count(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_html_gives_a_meaning_is_escaped() {
        let hostile = "<script>alert('1')</script> & \"quoted\" \0 \u{1b} tab\t";
        assert_eq!(
            Escaped(hostile).to_string(),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;quoted&quot; \u{fffd} \u{fffd} tab\t"
        );
        assert_eq!(Escaped("Ωmega ünïcode").to_string(), "Ωmega ünïcode");
    }

    #[test]
    fn clipping_counts_characters_and_never_splits_one() {
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äö…");
        assert_eq!(clip("one two three", 5), "one…");
        assert_eq!(clip("", 3), "");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1000), "1,000");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(percent(0.848_2), "84.8%");
        assert_eq!(percent(0.000_01), "<0.1%");
        assert_eq!(percent(0.999_99), ">99.9%");
        assert_eq!(percent(1.0), "100.0%");
        assert_eq!(percent(f64::NAN), "–");
        assert_eq!(small_percent(0.004_2), "0.42%");
        assert_eq!(small_percent(0.023), "2.3%");
        assert_eq!(small_percent(0.000_071), "0.0071%");
        assert_eq!(times(3.44), "3.4");
        assert_eq!(times(1234.4), "1,234");
        assert_eq!(number(0.0), "0");
        assert_eq!(number(0.5), "0.5");
        assert_eq!(number(12.345), "12.3");
        assert_eq!(number(123.45), "123");
        assert_eq!(number(-0.25), "−0.25");
        assert_eq!(number(20_000.0), "20,000");
        assert_eq!(number(2_130_000_000.0), "2.13 B");
        assert_eq!(number(0.000_5), "5e−4");
        assert_eq!(counted(1, "image", "images"), "1 image");
    }
}
