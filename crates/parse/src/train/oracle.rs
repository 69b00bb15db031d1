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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::MOVES;

    fn begin(words: usize) -> State {
        let mut state = State::default();
        state.begin((0..words).map(|_| (0, 2)), 1, 0);
        state
    }

    /// Moves on with whatever `choose` picks of the classes that may be chosen.
    fn walk(state: &mut State, mut choose: impl FnMut(&State, &[usize]) -> usize) {
        while !state.is_done() {
            let (to, reduce) = state.allowed();
            let legal: Vec<usize> = (0..to)
                .filter(|&class| reduce || class != crate::state::REDUCE)
                .collect();
            let class = choose(state, &legal);
            state.make(Move::of(class));
        }
    }

    proptest! {
        /// Whatever tree moves can build, moves that cost nothing build it again, whichever of them is taken.
        #[test]
        fn free_moves_rebuild_the_tree(choices in prop::collection::vec(0..MOVES, 60), picks in prop::collection::vec(0..MOVES, 60), words in 1_usize..15) {
            let mut first = begin(words);
            let mut choices = choices.into_iter().cycle();
            walk(&mut first, |_, legal| legal[choices.next().unwrap_or(0) % legal.len()]);
            let gold: Vec<Gold> = first.nodes[..words].iter().map(|node| Gold { span: (0, 1), head: node.head, tag: 0, label: node.label }).collect();
            let mut second = begin(words);
            let mut picks = picks.into_iter().cycle();
            walk(&mut second, |state, legal| {
                if state.stack.is_empty() {
                    return 0;
                }
                let costs = costs(state, &gold);
                let free: Vec<usize> = legal.iter().copied().filter(|&class| costs.is_free(Move::of(class), state, &gold)).collect();
                free[picks.next().unwrap_or(0) % free.len()]
            });
            for (ours, theirs) in second.nodes.iter().zip(&gold) {
                prop_assert_eq!((ours.head, ours.label), (theirs.head, theirs.label));
            }
        }
    }
}
