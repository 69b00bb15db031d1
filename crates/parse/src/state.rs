//! The transition system: arc-eager (Nivre 2003; Goldberg and Nivre 2013), without an explicit root.
//!
//! Words move from the buffer over a stack. SHIFT pushes the next word; RIGHT does so and makes the top of the stack its
//! head; LEFT makes the next word the head of the top and pops that; REDUCE pops a top that has a head. When the buffer
//! is empty all is done, and words without a head are roots: a fragment or a text of two sentences may have several.
//! A sentence of n words takes at most 2n moves.

use crate::tags::{LABELS, LEFT, RIGHT, ROOT};

/// A word in the state. Where there is no such word, its number is that of the last node, which stands for none.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The word that it depends on.
    pub head: u32,
    /// The leftmost word that depends on it.
    pub left: u32,
    /// The one right of that.
    pub left2: u32,
    /// The rightmost word that depends on it.
    pub right: u32,
    /// The one left of that.
    pub right2: u32,
    /// The word, or its ending if it is not known.
    pub lexeme: u32,
    /// Verbs up to this word and with it.
    pub verbs: u32,
    /// Commas up to this word and with it.
    pub commas: u32,
    /// The tag.
    pub tag: u8,
    /// The relation to the head.
    pub label: u8,
    /// How many words on the left depend on it, up to 255.
    pub lefts: u8,
    /// How many words on the right depend on it, up to 255.
    pub rights: u8,
}

/// The tag of no word.
#[expect(clippy::cast_possible_truncation, reason = "fewer than 256 tags")]
pub const NO_TAG: u8 = crate::tags::TAGS.len() as u8;

/// What a parser does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Push the next word.
    Shift,
    /// Pop the stack.
    Reduce,
    /// The next word depends on the top of the stack; push it.
    Right(u8),
    /// The top of the stack depends on the next word; pop it.
    Left(u8),
}

/// Classes of moves.
pub const MOVES: usize = 2 + RIGHT.len() + LEFT.len();
/// The class of the first move to the left.
pub const FIRST_LEFT: usize = 2 + RIGHT.len();
/// The class of REDUCE.
pub const REDUCE: usize = 1;

impl Move {
    /// The move of a class.
    #[must_use]
    pub fn of(class: usize) -> Self {
        match class {
            0 => Self::Shift,
            REDUCE => Self::Reduce,
            _ if class < FIRST_LEFT => Self::Right(RIGHT[class - 2]),
            _ => Self::Left(LEFT[class.min(MOVES - 1) - FIRST_LEFT]),
        }
    }

    /// The class of a move.
    #[must_use]
    pub fn class(self) -> usize {
        let place = |labels: &[u8], label| {
            labels
                .iter()
                .position(|known| *known == label)
                .unwrap_or(labels.len() - 1)
        };
        match self {
            Self::Shift => 0,
            Self::Reduce => REDUCE,
            Self::Right(label) => 2 + place(&RIGHT, label),
            Self::Left(label) => FIRST_LEFT + place(&LEFT, label),
        }
    }
}

/// A parse under way.
#[derive(Default)]
pub struct State {
    /// The words and one that stands for none.
    pub nodes: Vec<Node>,
    /// The stack, the top last.
    pub stack: Vec<u32>,
    /// The next word.
    pub next: u32,
    /// What kind of sentence it is.
    pub kind: u32,
}

impl State {
    /// Begins a sentence: tags and lexemes of its words.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a sentence has fewer than 2^32 bytes"
    )]
    pub fn begin(&mut self, words: impl Iterator<Item = (u8, u32)>, none: u32, kind: u32) {
        self.nodes.clear();
        self.stack.clear();
        self.next = 0;
        self.kind = kind;
        let (mut verbs, mut commas) = (0, 0);
        for (tag, lexeme) in words {
            verbs += u32::from(crate::tags::is_verb(tag));
            commas += u32::from(tag == 40);
            self.nodes.push(Node {
                head: 0,
                left: 0,
                left2: 0,
                right: 0,
                right2: 0,
                lexeme,
                verbs,
                commas,
                tag,
                label: ROOT,
                lefts: 0,
                rights: 0,
            });
        }
        let end = self.nodes.len() as u32;
        self.nodes.push(Node {
            head: end,
            left: end,
            left2: end,
            right: end,
            right2: end,
            lexeme: none,
            verbs,
            commas,
            tag: NO_TAG,
            label: LABELS.len() as u8,
            lefts: 0,
            rights: 0,
        });
        for node in &mut self.nodes {
            (node.head, node.left, node.left2, node.right, node.right2) = (end, end, end, end, end);
        }
    }

    /// How many words there are; the number of the node that stands for none.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a sentence has fewer than 2^32 bytes"
    )]
    pub fn end(&self) -> u32 {
        self.nodes.len() as u32 - 1
    }

    /// Whether all words have left the buffer.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.next >= self.end()
    }

    /// The word at a place of the stack, 0 being the top.
    #[inline]
    #[must_use]
    pub fn stacked(&self, place: usize) -> u32 {
        if place < self.stack.len() {
            self.stack[self.stack.len() - 1 - place]
        } else {
            self.end()
        }
    }

    /// The word at a place of the buffer.
    #[inline]
    #[must_use]
    pub fn coming(&self, place: u32) -> u32 {
        (self.next + place).min(self.end())
    }

    /// The node of a word.
    #[inline]
    #[must_use]
    pub fn node(&self, word: u32) -> &Node {
        &self.nodes[word as usize]
    }

    /// Does a move that may be done.
    pub fn make(&mut self, what: Move) {
        let (top, next) = (self.stacked(0), self.next);
        match what {
            Move::Shift => {
                self.stack.push(next);
                self.next += 1;
            }
            Move::Reduce => {
                self.stack.pop();
            }
            Move::Right(label) => {
                let node = &mut self.nodes[next as usize];
                node.head = top;
                node.label = label;
                let head = &mut self.nodes[top as usize];
                head.right2 = head.right;
                head.right = next;
                head.rights = head.rights.saturating_add(1);
                self.stack.push(next);
                self.next += 1;
            }
            Move::Left(label) => {
                let node = &mut self.nodes[top as usize];
                node.head = next;
                node.label = label;
                let head = &mut self.nodes[next as usize];
                head.left2 = head.left;
                head.left = top;
                head.lefts = head.lefts.saturating_add(1);
                self.stack.pop();
            }
        }
    }

    /// Which classes of moves may be done: from the first up to this one, and whether REDUCE is among them.
    ///
    /// With nothing on the stack only SHIFT remains; a top with a head can be reduced and gets no second one.
    #[must_use]
    pub fn allowed(&self) -> (usize, bool) {
        if self.stack.is_empty() {
            (1, false)
        } else if self.node(self.stacked(0)).head == self.end() {
            (MOVES, false)
        } else {
            (FIRST_LEFT, true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::{NSUBJ, TAGS, tag};

    #[test]
    fn classes_are_moves() {
        for class in 0..MOVES {
            assert_eq!(Move::of(class).class(), class);
        }
        assert_eq!(MOVES, 32);
        assert_eq!(TAGS[40], ",");
    }

    #[test]
    fn moves_build_a_tree() {
        let mut state = State::default();
        // "Cats eat fish"
        state.begin(
            [("NNS", 2), ("VBP", 3), ("NN", 4)]
                .iter()
                .map(|&(name, lexeme)| (tag(name), lexeme)),
            1,
            0,
        );
        assert_eq!(state.allowed(), (1, false));
        state.make(Move::Shift);
        assert_eq!(state.allowed(), (MOVES, false));
        state.make(Move::Left(NSUBJ));
        state.make(Move::Shift);
        state.make(Move::Right(16));
        assert_eq!(state.allowed(), (FIRST_LEFT, true));
        assert!(state.is_done());
        let heads: Vec<u32> = state.nodes.iter().map(|node| node.head).collect();
        assert_eq!(heads, [1, 3, 1, 3]);
        assert_eq!(
            (state.node(1).left, state.node(1).right, state.node(1).lefts),
            (0, 2, 1)
        );
    }
}
