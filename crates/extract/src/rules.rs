//! The rules that images and sentences have to pass, each with its code.
//!
//! Sentences meet them in the paper's order: emoji, URL, length in words, complexity and action, entropy, perplexity. The
//! language is asked, which the paper does not do, before the first rule that knows English alone. Images: seen before in
//! the document, side, aspect.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use emojis::Group;
use linkify::{LinkFinder, LinkKind};
use memchr::memchr;
use memchr::memmem::Finder;

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
    /// Sentences in another language than asked.
    OtherLanguage,
    /// Sentences in which no word has enough words that depend on it.
    LowComplexity,
    /// Sentences in which nobody does anything: no verb has a subject.
    NoAction,
    /// Sentences whose words tell too little.
    LowEntropy,
    /// Sentences that a language model foresees too well.
    PerplexityLow,
    /// Sentences that a language model does not expect.
    PerplexityHigh,
    /// Images that stood in the document before.
    RepeatedInDoc,
    /// Images with a side that is too short.
    TooSmall,
    /// Images that are too wide or too tall.
    BadAspect,
}

impl Rule {
    /// All rules, in the order in which they are asked.
    pub const ALL: [Self; 13] = [
        Self::Emoji,
        Self::Url,
        Self::TooFewWords,
        Self::TooManyWords,
        Self::OtherLanguage,
        Self::LowComplexity,
        Self::NoAction,
        Self::LowEntropy,
        Self::PerplexityLow,
        Self::PerplexityHigh,
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
            Self::OtherLanguage => "other-language",
            Self::LowComplexity => "low-complexity",
            Self::NoAction => "no-action",
            Self::LowEntropy => "low-entropy",
            Self::PerplexityLow => "perplexity-low",
            Self::PerplexityHigh => "perplexity-high",
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

/// Emoji lie from U+203C to below here.
const EMOJI_END: usize = 0x2_0000;

/// Characters that are emoji by themselves, a bit each: those that Unicode shows in colour without being asked, the letters
/// of flags, and the faces and hearts of old (☺ ☹ ❤). Digits, `#`, `*`, ©, ®, ™ and arrows are text unless U+FE0F follows.
static EMOJI: LazyLock<Box<[u64]>> = LazyLock::new(|| {
    let mut set = vec![0_u64; EMOJI_END / 64].into_boxed_slice();
    let mut insert = |character: char| {
        let code = character as usize;
        if let Some(word) = set.get_mut(code / 64) {
            *word |= 1 << (code % 64);
        }
    };
    ('\u{1f1e6}'..='\u{1f1ff}').for_each(&mut insert);
    insert('\u{fe0f}');
    for emoji in emojis::iter() {
        let mut characters = emoji.as_str().chars();
        let (first, second) = (characters.next(), characters.next());
        let by_itself = second.is_none()
            || (second == Some('\u{fe0f}') && emoji.group() == Group::SmileysAndEmotion);
        if by_itself && let Some(first) = first {
            insert(first);
        }
    }
    set
});

/// Whether a sentence holds an emoji.
#[must_use]
pub fn has_emoji(sentence: &str) -> bool {
    // Most sentences are ASCII, which is seen at a glance.
    !sentence.is_ascii()
        && sentence.chars().any(|character| {
            let code = character as usize;
            character > '\u{203b}'
                && EMOJI
                    .get(code / 64)
                    .is_some_and(|word| word >> (code % 64) & 1 == 1)
        })
}

static SCHEME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("://"));
static HOST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("www."));

/// Whether a sentence holds a URL: one with a scheme, or a name that starts with `www.`.
#[must_use]
pub fn has_url(sentence: &str) -> bool {
    let bytes = sentence.as_bytes();
    if memchr(b':', bytes).is_some_and(|at| SCHEME.find(&bytes[at..]).is_some()) {
        let mut finder = LinkFinder::new();
        finder.kinds(&[LinkKind::Url]);
        if finder.links(sentence).next().is_some() {
            return true;
        }
    }
    HOST.find_iter(bytes).any(|at| {
        let is_start =
            !sentence[..at].ends_with(|before: char| before.is_alphanumeric() || before == '.');
        is_start && sentence[at + 4..].starts_with(|after: char| after.is_alphanumeric())
    })
}

/// The first rule of form that the sentence breaks, and why.
#[must_use]
pub fn form(sentence: &str, options: &Options) -> Option<(Rule, String)> {
    if options.asks(Rule::Emoji) && has_emoji(sentence) {
        return Some((Rule::Emoji, "holds an emoji".to_owned()));
    }
    if options.asks(Rule::Url) && has_url(sentence) {
        return Some((Rule::Url, "holds a URL".to_owned()));
    }
    let words = text::count_words(sentence);
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
        let rule = |text: &str, options: &Options| form(text, options).map(|(rule, _)| rule);
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
