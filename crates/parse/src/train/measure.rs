//! How far a parser agrees with the teacher.

use super::corpus::Sentence;
use crate::parser::{Parser, Scratch};
use crate::tags::LABELS;

/// Counts over the sentences of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Sentences.
    pub sentences: u64,
    /// Those in which both see an action.
    pub both: u64,
    /// Those in which only this parser sees one.
    pub only_ours: u64,
    /// Those in which only the teacher sees one.
    pub only_theirs: u64,
    /// Those on which keep or drop (complexity of at least 1 and an action) agrees.
    pub kept_alike: u64,
    /// Those of the same complexity.
    pub same_complexity: u64,
    /// Tokens of the teacher's.
    pub tokens: u64,
    /// Those that are tokens here too.
    pub same_tokens: u64,
    /// Those with the same tag.
    pub same_tags: u64,
    /// Those whose head is the same token.
    pub same_heads: u64,
    /// Those with the same label too.
    pub same_labels: u64,
}

impl Agreement {
    /// A share of the whole, in percent.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    pub fn percent(part: u64, whole: u64) -> f64 {
        100.0 * part as f64 / whole.max(1) as f64
    }

    /// Sentences on which `action` agrees.
    #[must_use]
    pub fn action_alike(&self) -> u64 {
        self.sentences - self.only_ours - self.only_theirs
    }

    /// The F1 measure of `action`, in percent.
    #[must_use]
    pub fn f1(&self) -> f64 {
        Self::percent(
            2 * self.both,
            2 * self.both + self.only_ours + self.only_theirs,
        )
    }

    /// Adds what another source gave.
    pub fn add(&mut self, other: &Self) {
        self.sentences += other.sentences;
        self.both += other.both;
        self.only_ours += other.only_ours;
        self.only_theirs += other.only_theirs;
        self.kept_alike += other.kept_alike;
        self.same_complexity += other.same_complexity;
        self.tokens += other.tokens;
        self.same_tokens += other.same_tokens;
        self.same_tags += other.same_tags;
        self.same_heads += other.same_heads;
        self.same_labels += other.same_labels;
    }
}

/// Parses a sentence and compares.
pub fn measure(parser: &Parser, scratch: &mut Scratch, sentence: &Sentence) -> Agreement {
    let parse = parser.parse(scratch, &sentence.text);
    let (action, complexity) = (parse.action(), parse.complexity());
    let mut counts = Agreement {
        sentences: 1,
        both: u64::from(action && sentence.action),
        only_ours: u64::from(action && !sentence.action),
        only_theirs: u64::from(!action && sentence.action),
        kept_alike: u64::from(
            (action && complexity > 0) == (sentence.action && sentence.complexity > 0),
        ),
        same_complexity: u64::from(complexity == sentence.complexity),
        tokens: sentence.tokens.len() as u64,
        ..Agreement::default()
    };
    let mut ours = parse.tokens().peekable();
    for gold in &sentence.tokens {
        let (start, end) = (gold.span.0 as usize, gold.span.1 as usize);
        while ours.next_if(|token| token.start < start).is_some() {}
        let Some(token) = ours.next_if(|token| (token.start, token.end) == (start, end)) else {
            continue;
        };
        counts.same_tokens += 1;
        counts.same_tags += u64::from(crate::tags::tag(token.tag) == gold.tag);
        let head = token
            .head
            .and_then(|head| parse.token(head))
            .map(|head| (head.start, head.end));
        let theirs = sentence
            .tokens
            .get(gold.head as usize)
            .map(|head| (head.span.0 as usize, head.span.1 as usize));
        if head == theirs {
            counts.same_heads += 1;
            counts.same_labels += u64::from(token.label == LABELS[usize::from(gold.label)]);
        }
    }
    counts
}
