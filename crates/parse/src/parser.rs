//! The parser and what it says about a sentence.

use std::fmt;
use std::sync::LazyLock;

use crate::error::ParseError;
use crate::features;
use crate::state::{Move, NO_TAG, REDUCE, State};
use crate::tags::{LABELS, NSUBJ, NSUBJPASS, TAGS, part_of_speech};
use crate::tokens::{self, Span};
use crate::weights::Weights;
use crate::words::Word;

static ENGLISH: LazyLock<Result<Parser, ParseError>> =
    LazyLock::new(|| Parser::from_bytes(include_bytes!("../weights/english.bin")));

/// A dependency parser of English.
pub struct Parser {
    weights: Weights,
}

/// Room that a parser works in; one a thread.
#[derive(Default)]
pub struct Scratch {
    pub(crate) tokens: Vec<Span>,
    tail: Vec<Span>,
    pub(crate) words: Vec<Word>,
    tags: Vec<u8>,
    pub(crate) state: State,
    children: Vec<u32>,
}

impl Parser {
    /// The parser whose weights are part of the program; they are unpacked at the first call.
    ///
    /// # Errors
    /// Never, unless the program was built from damaged files: a test reads them.
    pub fn embedded() -> Result<&'static Self, ParseError> {
        ENGLISH.as_ref().map_err(|error| *error)
    }

    /// A parser with weights of one's own.
    ///
    /// # Errors
    /// If the bytes are no weights file of this layout.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseError> {
        Weights::from_bytes(bytes).map(Self::with)
    }

    /// A parser with these weights.
    pub(crate) fn with(weights: Weights) -> Self {
        Self { weights }
    }

    /// The weights.
    pub(crate) fn into_weights(self) -> Weights {
        self.weights
    }

    /// Parses one sentence: any text, of any length. Time and memory grow with its length alone.
    pub fn parse<'a>(&self, scratch: &'a mut Scratch, sentence: &'a str) -> Parse<'a> {
        tokens::split(sentence, &mut scratch.tokens, &mut scratch.tail);
        self.prepare(scratch, sentence);
        self.moves(&mut scratch.state);
        let Scratch {
            tokens,
            state,
            children,
            ..
        } = scratch;
        children.clear();
        children.resize(tokens.len(), 0);
        for node in &state.nodes[..tokens.len()] {
            if let Some(count) = children.get_mut(node.head as usize) {
                *count += 1;
            }
        }
        Parse {
            sentence,
            tokens,
            state,
            children,
        }
    }

    /// Looks at the tokens, gives them tags and begins a parse.
    pub(crate) fn prepare(&self, scratch: &mut Scratch, sentence: &str) {
        let Scratch {
            tokens,
            words,
            tags,
            state,
            ..
        } = scratch;
        self.weights.lexicon.words(sentence, tokens, words);
        let kind = features::kind(words, sentence.chars().next_back());
        tags.clear();
        let mut before = [NO_TAG; 2];
        for at in features::PAD..words.len() - features::PAD {
            let rows = features::of_token(words, at, before, kind);
            let net = &self.weights.tagger;
            let tag = net.best(&net.hidden(&rows), TAGS.len(), TAGS.len());
            before = [u8::try_from(tag).unwrap_or(0), before[0]];
            tags.push(before[0]);
        }
        let words = &words[features::PAD..words.len() - features::PAD];
        state.begin(
            tags.iter().copied().zip(words.iter().map(features::lexeme)),
            features::NO_LEXEME,
            kind,
        );
    }

    fn moves(&self, state: &mut State) {
        let net = &self.weights.parser;
        while !state.is_done() {
            let (to, reduce) = state.allowed();
            let class = if to == 1 {
                0
            } else {
                let hidden = net.hidden(&features::of_state(state));
                net.best(&hidden, to, if reduce { to } else { REDUCE })
            };
            state.make(Move::of(class));
        }
    }
}

/// A token of a parsed sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its first byte in the sentence.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// Its tag, of the Penn Treebank.
    pub tag: &'static str,
    /// Its part of speech, of Universal Dependencies.
    pub pos: &'static str,
    /// The token that it depends on; none for a root.
    pub head: Option<usize>,
    /// The relation to that.
    pub label: &'static str,
    /// How many tokens depend on it.
    pub children: usize,
}

/// The dependency parse of a sentence.
///
/// It is printed as a table of the tokens, with the two figures of the filter in the last line.
pub struct Parse<'a> {
    sentence: &'a str,
    tokens: &'a [Span],
    state: &'a State,
    children: &'a [u32],
}

impl<'a> Parse<'a> {
    /// How many tokens there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is no token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// A token, if there are so many.
    #[must_use]
    pub fn token(&self, at: usize) -> Option<Token<'a>> {
        let &(start, end) = self.tokens.get(at)?;
        let (start, end) = (start as usize, end as usize);
        let text = self.sentence.get(start..end)?;
        let node = self.state.nodes.get(at)?;
        let head = node.head as usize;
        Some(Token {
            text,
            start,
            end,
            tag: TAGS[usize::from(node.tag)],
            pos: part_of_speech(node.tag, node.label, text),
            head: (head < self.tokens.len()).then_some(head),
            label: LABELS[usize::from(node.label)],
            children: self.children[at] as usize,
        })
    }

    /// The tokens in their order.
    pub fn tokens(&self) -> impl Iterator<Item = Token<'a>> + '_ {
        (0..self.len()).filter_map(|at| self.token(at))
    }

    /// The largest number of tokens that depend on any one token: CAT's complexity. 0 if there is no relation.
    #[must_use]
    pub fn complexity(&self) -> usize {
        self.children.iter().max().map_or(0, |most| *most as usize)
    }

    /// Whether a verb has a nominal subject: some token is labelled `nsubj` or `nsubjpass` and its head is a `VERB`.
    /// *Be* is an auxiliary, as in Universal Dependencies: "The cat is black" states no action.
    #[must_use]
    pub fn action(&self) -> bool {
        self.state.nodes[..self.len()].iter().any(|node| {
            matches!(node.label, NSUBJ | NSUBJPASS)
                && self
                    .token(node.head as usize)
                    .is_some_and(|head| head.pos == "VERB")
        })
    }
}

impl fmt::Display for Parse<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .tokens()
            .map(|token| token.text.chars().count())
            .max()
            .unwrap_or(0)
            .clamp(5, 24);
        for (at, token) in self.tokens().enumerate() {
            let head = token
                .head
                .map_or_else(|| "-".to_owned(), |head| (head + 1).to_string());
            let governor = token
                .head
                .and_then(|head| self.token(head))
                .map_or("", |head| head.text);
            writeln!(
                formatter,
                "{:>3} {:<width$} {:<5} {:<5} {:<9} {head:>3} {governor}",
                at + 1,
                token.text,
                token.pos,
                token.tag,
                token.label,
            )?;
        }
        let action = if self.action() {
            "an action"
        } else {
            "no action"
        };
        write!(formatter, "complexity {}, {action}", self.complexity())
    }
}
