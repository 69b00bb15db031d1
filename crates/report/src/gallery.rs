//! Which pairs (or, without pairs, which images) the page shows.
//!
//! [`Order::Best`] keeps those whose first text scores highest. [`Order::Input`] keeps an even sample, drawn by the hash
//! of the id, and shows it in the order of the stream; it is the whole stream when that is small enough. Memory: at
//! most as many records as are shown.

use crate::distinct::hash;
use crate::smallest::{Smallest, descending};

/// How the gallery is chosen and ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The pairs whose first texts have the highest cosines, highest first.
    #[default]
    Best,
    /// An even sample of the stream, in the stream's order.
    Input,
}

/// The chosen so far.
#[derive(Debug)]
pub(crate) struct Gallery<T> {
    order: Order,
    // The rank decides; the id makes it total, so that the same record read twice is one entry.
    chosen: Smallest<(u64, String), (u64, T)>,
    offered: u64,
}

impl<T> Gallery<T> {
    /// Room for `most` entries.
    pub(crate) fn new(order: Order, most: usize) -> Self {
        Self {
            order,
            chosen: Smallest::new(most),
            offered: 0,
        }
    }

    /// Offers a record with its id and the score of its first text.
    pub(crate) fn offer(&mut self, id: &str, score: f32, record: T) {
        self.offered += 1;
        let rank = match self.order {
            Order::Best => u64::from(descending(score)),
            Order::Input => hash(id),
        };
        let key = (rank, id.to_owned());
        if self.chosen.wants(&key) {
            self.chosen.offer(key, (self.offered, record));
        }
    }

    /// Whether nothing was chosen.
    pub(crate) fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// The chosen, in the order in which they are shown.
    pub(crate) fn into_shown(self) -> Vec<T> {
        let mut shown: Vec<(u64, T)> = self.chosen.into_values().collect();
        if self.order == Order::Input {
            shown.sort_by_key(|(place, _)| *place);
        }
        shown.into_iter().map(|(_, record)| record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_first_or_as_read() {
        for (order, expected) in [(Order::Best, vec![9, 8, 7]), (Order::Input, vec![])] {
            let mut gallery = Gallery::new(order, 3);
            for n in 0..10_u8 {
                gallery.offer(&format!("d/i{n}"), f32::from(n) / 10.0, n);
                gallery.offer(&format!("d/i{n}"), f32::from(n) / 10.0, n);
            }
            let shown = gallery.into_shown();
            assert_eq!(shown.len(), 3);
            if order == Order::Best {
                assert_eq!(shown, expected);
            } else {
                assert!(shown.is_sorted());
            }
        }
        let mut all = Gallery::new(Order::Input, 10);
        for n in [4, 2, 7] {
            all.offer(&n.to_string(), 0.0, n);
        }
        assert_eq!(all.into_shown(), [4, 2, 7]);
    }
}
