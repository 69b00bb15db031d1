//! The rules that images and sentences have to pass, each with its code.
//!
//! Sentences meet them in the paper's order: emoji, URL, length in words, entropy. Images: seen before in the document,
//! side, aspect.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use emojis::Group;
use linkify::{LinkFinder, LinkKind};

use crate::{Options, text};

/// A rule that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Sentences that hold an emoji.
    Emoji,
    /// Sentences that hold a URL.
    Url,
    /// Sentences with fewer words than asked.
    TooFewWords,
    /// Sentences with more words than asked.
    TooManyWords,
    /// Sentences whose words tell too little.
    LowEntropy,
    /// Images that stood in the document before.
    RepeatedInDoc,
    /// Images with a side that is too short.
    TooSmall,
    /// Images that are too wide or too tall.
    BadAspect,
}

impl Rule {
    /// All rules, in the order in which they are asked.
    pub const ALL: [Self; 8] = [
        Self::Emoji,
        Self::Url,
        Self::TooFewWords,
        Self::TooManyWords,
        Self::LowEntropy,
        Self::RepeatedInDoc,
        Self::TooSmall,
        Self::BadAspect,
    ];

    /// The code of what the rule drops.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Emoji => "emoji",
            Self::Url => "url",
            Self::TooFewWords => "too-few-words",
            Self::TooManyWords => "too-many-words",
            Self::LowEntropy => "low-entropy",
            Self::RepeatedInDoc => "repeated-in-doc",
            Self::TooSmall => "too-small",
            Self::BadAspect => "bad-aspect",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|rule| rule.code() == code)
            .ok_or_else(|| {
                let codes: Vec<&str> = Self::ALL.iter().map(|rule| rule.code()).collect();
                format!("no such rule; there are {}", codes.join(", "))
            })
    }
}

/// Characters that are emoji by themselves: those that Unicode shows in colour without being asked, the letters of flags,
/// and the faces and hearts of old (☺ ☹ ❤). Digits, `#`, `*`, ©, ®, ™ and arrows are text unless U+FE0F follows.
static EMOJI: LazyLock<HashSet<char>> = LazyLock::new(|| {
    let mut set: HashSet<char> = ('\u{1f1e6}'..='\u{1f1ff}').collect();
    for emoji in emojis::iter() {
        let mut characters = emoji.as_str().chars();
        let (first, second) = (characters.next(), characters.next());
        let by_itself = second.is_none()
            || (second == Some('\u{fe0f}') && emoji.group() == Group::SmileysAndEmotion);
        if by_itself && let Some(first) = first {
            set.insert(first);
        }
    }
    set
});

/// Whether a sentence holds an emoji.
#[must_use]
pub fn has_emoji(sentence: &str) -> bool {
    // All emoji lie beyond U+203B.
    sentence.chars().any(|character| {
        character > '\u{203b}' && (character == '\u{fe0f}' || EMOJI.contains(&character))
    })
}

/// Whether a sentence holds a URL: one with a scheme, or a name that starts with `www.`.
#[must_use]
pub fn has_url(sentence: &str) -> bool {
    if sentence.contains("://") {
        let mut finder = LinkFinder::new();
        finder.kinds(&[LinkKind::Url]);
        if finder.links(sentence).next().is_some() {
            return true;
        }
    }
    sentence.match_indices("www.").any(|(at, _)| {
        let is_start =
            !sentence[..at].ends_with(|before: char| before.is_alphanumeric() || before == '.');
        is_start && sentence[at + 4..].starts_with(|after: char| after.is_alphanumeric())
    })
}

/// The first rule that the sentence breaks without knowledge of the corpus, and why.
#[must_use]
pub fn broken(sentence: &str, options: &Options) -> Option<(Rule, String)> {
    if options.asks(Rule::Emoji) && has_emoji(sentence) {
        return Some((Rule::Emoji, "holds an emoji".to_owned()));
    }
    if options.asks(Rule::Url) && has_url(sentence) {
        return Some((Rule::Url, "holds a URL".to_owned()));
    }
    let words = text::words(sentence).count();
    if options.asks(Rule::TooFewWords) && words < options.min_words {
        return Some((
            Rule::TooFewWords,
            format!("{words} of at least {} words", options.min_words),
        ));
    }
    if options.asks(Rule::TooManyWords) && words > options.max_words {
        return Some((
            Rule::TooManyWords,
            format!("{words} of at most {} words", options.max_words),
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_what_is_shown_as_such() {
        for yes in [
            "Hi 😀",
            "ok 👍🏽",
            "🇩🇪",
            "1️⃣ first",
            "I ❤ it",
            "☺",
            "©️",
            "👩‍🚀",
        ] {
            assert!(has_emoji(yes), "{yes}");
        }
        for no in [
            "#1 * 23",
            "© 2024 ® ™",
            "a → b ↔ c",
            "½ “x” — … •",
            "日本語",
            "★ ✓ ☎",
            "",
        ] {
            assert!(!has_emoji(no), "{no}");
        }
    }

    #[test]
    fn urls_need_a_scheme_or_www() {
        for yes in [
            "see https://a.example/b.",
            "(ftp://x.example)",
            "at www.example.org now",
        ] {
            assert!(has_url(yes), "{yes}");
        }
        for no in [
            "use cv.dnn.Net or r.sun",
            "a://",
            "mail me@x.example",
            "www. is a prefix",
            "and/or",
        ] {
            assert!(!has_url(no), "{no}");
        }
    }

    #[test]
    fn rules_are_asked_in_the_papers_order_and_can_be_switched_off() {
        let mut options = Options::default();
        let rule = |text: &str, options: &Options| broken(text, options).map(|(rule, _)| rule);
        assert_eq!(rule("😀 http://a.example", &options), Some(Rule::Emoji));
        assert_eq!(rule("http://a.example", &options), Some(Rule::Url));
        assert_eq!(rule("Two words.", &options), Some(Rule::TooFewWords));
        assert_eq!(rule("Three short words.", &options), None);
        assert_eq!(rule(&"w ".repeat(81), &options), None);
        assert_eq!(rule(&"w ".repeat(82), &options), Some(Rule::TooManyWords));
        options.skip = vec![Rule::TooFewWords, Rule::Url];
        assert_eq!(rule("http://a.example", &options), None);
        assert_eq!("low-entropy".parse(), Ok(Rule::LowEntropy));
        assert!(
            "nonsense"
                .parse::<Rule>()
                .unwrap_err()
                .contains("too-small")
        );
    }
}
