//! What each move would cost: how many of the teacher's relations it makes impossible (Goldberg and Nivre 2013).

use super::corpus::Gold;
use crate::state::{Move, State};

/// Costs of the four kinds of moves, without regard to labels.
pub struct Costs {
    shift: u32,
    reduce: u32,
    right: u32,
    left: u32,
}

/// The costs in a state with something on the stack and something to come.
pub fn costs(state: &State, gold: &[Gold]) -> Costs {
    let (top, next, end) = (state.stacked(0), state.next, state.end());
    let head = |word: u32| gold[word as usize].head;
    let is_free = |word: u32| state.node(word).head == end;
    let to_come = next + 1..end;

    // What of the top's would be lost with it: words to come that depend on it.
    let below = to_come.clone().filter(|&word| head(word) == top).count();
    let waits = usize::from(head(next) == top);
    let reduce = below + waits;
    // LEFT: also its own head, where that is still to come, or its being a root.
    let top_head = head(top);
    let other = top_head != next && (to_come.contains(&top_head) || top_head == end);
    let left = below + waits + usize::from(other);

    // Pushing the next word: words on the stack can no longer depend on it.
    let on_stack = state
        .stack
        .iter()
        .filter(|&&word| is_free(word) && head(word) == next)
        .count();
    // SHIFT: none of the stack becomes its head.
    let next_head = head(next);
    let shift = on_stack + usize::from(state.stack.contains(&next_head));
    // RIGHT: the top does, and no other word.
    let elsewhere = next_head != top
        && (next_head == end || to_come.contains(&next_head) || state.stack.contains(&next_head));
    let right = on_stack + usize::from(elsewhere);
    let small = |cost: usize| u32::try_from(cost).unwrap_or(u32::MAX);
    Costs {
        shift: small(shift),
        reduce: small(reduce),
        right: small(right),
        left: small(left),
    }
}

impl Costs {
    /// Whether a move loses no more than any other would, and has the right label.
    pub fn is_free(&self, what: Move, state: &State, gold: &[Gold]) -> bool {
        let mut least = self.shift.min(self.right);
        least = if state.node(state.stacked(0)).head == state.end() {
            least.min(self.left)
        } else {
            least.min(self.reduce)
        };
        let labelled = |word: u32, head: u32, class: Move| {
            let gold = &gold[word as usize];
            gold.head != head || class.class() == what.class()
        };
        let (top, next) = (state.stacked(0), state.next);
        match what {
            Move::Shift => self.shift == least,
            Move::Reduce => self.reduce == least,
            Move::Right(_) => {
                self.right == least && labelled(next, top, Move::Right(gold[next as usize].label))
            }
            Move::Left(_) => {
                self.left == least && labelled(top, next, Move::Left(gold[top as usize].label))
            }
        }
    }
}
