//! What the two networks look at, as numbers of rows.
//!
//! Each template has rows of its own; the last number of a template is the first of the next.

use crate::state::State;
use crate::tags::{LABELS, TAGS};
use crate::words::{ENDINGS, NONE, SHAPES, UNKNOWN, WORDS, Word};

/// The layout's number in weights files; it changes with anything below.
pub const LAYOUT: u32 = 2;

#[expect(clippy::cast_possible_truncation, reason = "fewer than 256")]
const TAG: u32 = TAGS.len() as u32 + 1;
#[expect(clippy::cast_possible_truncation, reason = "fewer than 256")]
const LABEL: u32 = LABELS.len() as u32 + 1;

/// Words that are none, before and behind the words of a sentence.
pub const PAD: usize = 4;

/// Words farther away: only the most frequent.
const NEAR: u32 = 1536;
/// Endings and beginnings of neighbours.
const SHORT: u32 = 2048;
/// Kinds of sentences.
pub const KINDS: u32 = 24;

/// Features of a token that gets its tag.
pub const TAGGER: usize = 19;

const TAGGER_SIZES: [u32; TAGGER] = [
    WORDS,           // the word
    WORDS,           // the one before it
    WORDS,           // the one behind it
    NEAR,            // two places before it
    NEAR,            // two places behind it
    NEAR,            // three before
    NEAR,            // three behind
    NEAR,            // four behind
    SHORT,           // the ending two behind it
    SHAPES * SHAPES, // shapes two and three behind it
    PAIRS,           // the word and the tag before it
    ENDINGS,         // the word's ending
    SHORT,           // the one before it
    SHORT,           // the one behind it
    SHORT,           // the word's beginning
    SHAPES * SHAPES * SHAPES,
    TAG, // the tag before it
    TAG * TAG,
    KINDS * 2,
];
const TAGGER_BASES: [u32; TAGGER] = bases(TAGGER_SIZES);
/// Rows of the tagger.
pub const TAGGER_ROWS: u32 = TAGGER_BASES[TAGGER - 1] + TAGGER_SIZES[TAGGER - 1];

/// Numbers of lexemes: known words, then endings of those that are not.
const LEXEMES: u32 = WORDS + SHORT;
/// Rows for a lexeme with a tag.
const PAIRS: u32 = 8192;

/// Features of a state that gets its move.
pub const PARSER: usize = 43;

const PARSER_SIZES: [u32; PARSER] = [
    LEXEMES,
    LEXEMES,
    LEXEMES,
    LEXEMES, // s0 s1 n0 n1
    TAG,
    TAG,
    TAG,
    TAG,
    TAG,
    TAG,
    TAG, // s0 s1 s2 n0 n1 n2 n3
    TAG,
    TAG,
    TAG,
    TAG,
    TAG,
    TAG,
    TAG, // s0's head, s0's children l l2 r r2, n0's l, s1's r
    LABEL,
    LABEL,
    LABEL,
    LABEL,
    LABEL,
    LABEL,
    LABEL,
    LABEL, // s0 s1, s0's l l2 r r2, n0's l l2
    TAG * 4,
    TAG * 4,
    TAG * 4, // how many children: s0's left and right, n0's left
    TAG * TAG,
    TAG * TAG,
    TAG * TAG, // s0 n0, s1 s0, n0 n1
    TAG * 9,   // verbs and commas between s0 and n0
    8,         // words between them
    KINDS,
    PAIRS,
    PAIRS,
    NEAR,        // n2
    NEAR,        // s0's head
    NEAR,        // s0's r
    NEAR,        // s2
    TAG * LABEL, // s0's r
    TAG * TAG,   // s0 n1
];
const PARSER_BASES: [u32; PARSER] = bases(PARSER_SIZES);
/// Rows of the parser.
pub const PARSER_ROWS: u32 = PARSER_BASES[PARSER - 1] + PARSER_SIZES[PARSER - 1];

const fn bases<const N: usize>(sizes: [u32; N]) -> [u32; N] {
    let mut bases = [0; N];
    let mut at = 1;
    while at < N {
        bases[at] = bases[at - 1] + sizes[at - 1];
        at += 1;
    }
    bases
}

/// The lexeme of no word.
pub const NO_LEXEME: u32 = NONE as u32;

/// A word's lexeme.
#[must_use]
pub fn lexeme(word: &Word) -> u32 {
    if word.number == UNKNOWN {
        WORDS + word.ending % SHORT
    } else {
        u32::from(word.number)
    }
}

/// What kind of sentence this is: how much of it is capitalised, whether a mark ends it, how long it is.
#[must_use]
pub fn kind(words: &[Word], last: Option<char>) -> u32 {
    let words = words
        .get(2..words.len().saturating_sub(2))
        .unwrap_or_default();
    let (mut small, mut capital) = (0_usize, 0_usize);
    for word in words {
        match word.shape {
            0 | 8 => small += 1,
            1..=4 | 9 => capital += 1,
            _ => {}
        }
    }
    let title = if capital * 4 <= small {
        0
    } else if capital * 2 <= small * 3 {
        1
    } else {
        2
    };
    let open = !matches!(last, Some('.' | '!' | '?' | '…' | '"' | '”' | ')'));
    let length = match words.len() {
        0..5 => 0,
        5..9 => 1,
        9..17 => 2,
        _ => 3,
    };
    (title * 2 + u32::from(open)) * 4 + length
}

/// Features of the token at `at` of padded `words` (so the first token is at [`PAD`]); `before` are the tags of the tokens
/// one and two places before it.
#[inline]
#[must_use]
pub fn of_token(words: &[Word], at: usize, before: [u8; 2], kind: u32) -> [u32; TAGGER] {
    let window = &words[at - PAD..=at + PAD];
    let word = &window[PAD];
    let near = |word: &Word| {
        let number = u32::from(word.number);
        if number < NEAR { number } else { 0 }
    };
    let shape = |at: usize| u32::from(window[at].shape);
    let shapes = (shape(PAD - 1) * SHAPES + shape(PAD)) * SHAPES + shape(PAD + 1);
    let tags = before.map(u32::from);
    let mut rows = [
        u32::from(word.number),
        u32::from(window[PAD - 1].number),
        u32::from(window[PAD + 1].number),
        near(&window[PAD - 2]),
        near(&window[PAD + 2]),
        near(&window[PAD - 3]),
        near(&window[PAD + 3]),
        near(&window[PAD + 4]),
        window[PAD + 2].ending % SHORT,
        shape(PAD + 2) * SHAPES + shape(PAD + 3),
        pair(lexeme(word), tags[0]),
        word.ending % ENDINGS,
        window[PAD - 1].ending % SHORT,
        window[PAD + 1].ending % SHORT,
        word.beginning % SHORT,
        shapes,
        tags[0],
        tags[1] * TAG + tags[0],
        kind * 2 + u32::from(at == PAD),
    ];
    for (row, base) in rows.iter_mut().zip(TAGGER_BASES) {
        *row += base;
    }
    rows
}

/// A lexeme together with a tag.
#[inline]
fn pair(lexeme: u32, tag: u32) -> u32 {
    let mixed = lexeme.wrapping_mul(0x9e37_79b1) ^ tag.wrapping_mul(0x85eb_ca6b);
    (mixed ^ (mixed >> 15)).wrapping_mul(0xc2b2_ae35) >> 19
}

/// Features of a state.
#[inline]
#[must_use]
pub fn of_state(state: &State) -> [u32; PARSER] {
    let (s0, s1, s2) = (state.stacked(0), state.stacked(1), state.stacked(2));
    let (n0, n1, n2, n3) = (
        state.coming(0),
        state.coming(1),
        state.coming(2),
        state.coming(3),
    );
    let node = |word: u32| state.node(word);
    let tag = |word: u32| u32::from(state.node(word).tag);
    let label = |word: u32| u32::from(state.node(word).label);
    let (top, next) = (node(s0), node(n0));
    let (t0, u0) = (tag(s0), tag(n0));
    let few = |count: u8| u32::from(count.min(3));
    let (between, distance) = if s0 == state.end() {
        (0, 0)
    } else {
        let last = node(n0 - 1);
        let verbs = (last.verbs - top.verbs).min(2);
        let commas = (last.commas - top.commas).min(2);
        let distance = match n0 - s0 {
            0..5 => n0 - s0,
            5..8 => 5,
            8..13 => 6,
            _ => 7,
        };
        (verbs * 3 + commas, distance)
    };
    let near = |word: u32| {
        let lexeme = state.node(word).lexeme;
        if lexeme < NEAR { lexeme } else { 0 }
    };
    let mut rows = [
        top.lexeme,
        node(s1).lexeme,
        next.lexeme,
        node(n1).lexeme,
        t0,
        tag(s1),
        tag(s2),
        u0,
        tag(n1),
        tag(n2),
        tag(n3),
        tag(top.head),
        tag(top.left),
        tag(top.left2),
        tag(top.right),
        tag(top.right2),
        tag(next.left),
        tag(node(s1).right),
        label(s0),
        label(s1),
        label(top.left),
        label(top.left2),
        label(top.right),
        label(top.right2),
        label(next.left),
        label(next.left2),
        t0 * 4 + few(top.lefts),
        t0 * 4 + few(top.rights),
        u0 * 4 + few(next.lefts),
        t0 * TAG + u0,
        tag(s1) * TAG + t0,
        u0 * TAG + tag(n1),
        t0 * 9 + between,
        distance,
        state.kind,
        pair(top.lexeme, u0),
        pair(next.lexeme, t0),
        near(n2),
        near(top.head),
        near(top.right),
        near(s2),
        tag(top.right) * LABEL + label(top.right),
        t0 * TAG + tag(n1),
    ];
    for (row, base) in rows.iter_mut().zip(PARSER_BASES) {
        *row += base;
    }
    rows
}
