//! Sorted, counted n-grams, from the longest to single words.

use std::cmp::Ordering;

/// The id of every word that the vocabulary lacks.
pub const UNKNOWN: u32 = 0;
/// The id of a sentence's beginning.
pub const BEGIN: u32 = 1;
/// The id of a sentence's end.
pub const END: u32 = 2;

/// The distinct n-grams of one order, sorted.
#[derive(Debug, Default)]
pub struct Grams {
    /// n.
    pub order: usize,
    /// The word ids, `order` for each n-gram.
    pub words: Vec<u32>,
    /// How often each was seen; for all but the longest n-grams, and those at the beginning of a sentence, the number of
    /// different words that were seen before it, which is what Kneser-Ney smoothing counts.
    pub counts: Vec<u32>,
}

impl Grams {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// The words of n-gram `at`.
    pub fn gram(&self, at: usize) -> &[u32] {
        &self.words[at * self.order..(at + 1) * self.order]
    }

    /// Counts `entries`, a multiset of n-grams of `order` words in row-major order. Also gives the place of each entry among
    /// the distinct n-grams.
    fn of(order: usize, entries: &[u32]) -> (Self, Vec<u32>) {
        let number = u32::try_from(entries.len() / order).unwrap_or(u32::MAX);
        let entry = |at: u32| {
            let at = at as usize * order;
            &entries[at..at + order]
        };
        let mut sorted: Vec<u32> = (0..number).collect();
        // Equal entries may lie in any order: they become one.
        sorted.sort_unstable_by(|&a, &b| entry(a).cmp(entry(b)));
        let mut grams = Self {
            order,
            ..Self::default()
        };
        let mut place = vec![0; sorted.len()];
        let mut last: Option<u32> = None;
        for &at in &sorted {
            let is_new = last.is_none_or(|last| entry(last).cmp(entry(at)) != Ordering::Equal);
            if is_new {
                grams.words.extend_from_slice(entry(at));
                grams.counts.push(0);
                last = Some(at);
            }
            if let Some(count) = grams.counts.last_mut() {
                *count = count.saturating_add(1);
            }
            place[at as usize] = u32::try_from(grams.counts.len() - 1).unwrap_or(u32::MAX);
        }
        (grams, place)
    }
}

/// The n-grams of all orders, and for each of order n > 1 the place of its last n − 1 words among those of order n − 1.
#[derive(Debug)]
pub struct Counts {
    /// Of order 1, 2, ...
    pub levels: Vec<Grams>,
    /// `suffix[n - 1][i]`: the place, in `levels[n - 2]`, of n-gram `i` of order n without its first word; empty for n = 1.
    pub suffix: Vec<Vec<u32>>,
}

/// Counts the n-grams of `sentences`, each from [`BEGIN`] to [`END`], up to `order`.
pub fn count<'a>(sentences: &(impl Iterator<Item = &'a [u32]> + Clone), order: usize) -> Counts {
    let mut entries: Vec<u32> = Vec::new();
    for sentence in sentences.clone() {
        entries.extend(sentence.windows(order).flatten());
    }
    let (mut grams, _) = Grams::of(order, &entries);
    let (mut levels, mut suffix) = (Vec::new(), Vec::new());
    for shorter in (1..order).rev() {
        entries.clear();
        // One entry for each different word before: each longer n-gram gives its end once.
        for at in 0..grams.len() {
            entries.extend_from_slice(&grams.gram(at)[1..]);
        }
        // Nothing stands before a beginning: here occurrences count.
        for sentence in sentences.clone() {
            if let Some(start) = sentence.get(..shorter) {
                entries.extend_from_slice(start);
            }
        }
        let (found, mut place) = Grams::of(shorter, &entries);
        place.truncate(grams.len());
        suffix.push(place);
        levels.push(std::mem::replace(&mut grams, found));
    }
    levels.push(grams);
    suffix.push(Vec::new());
    levels.reverse();
    suffix.reverse();
    Counts { levels, suffix }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_n_grams_count_the_words_before_them() {
        // a b c / a b / b c with a = 3, b = 4, c = 5
        let sentences: [&[u32]; 3] = [&[1, 3, 4, 5, 2], &[1, 3, 4, 2], &[1, 4, 5, 2]];
        let counts = count(&sentences.into_iter(), 3);
        let find = |gram: &[u32]| {
            let grams = &counts.levels[gram.len() - 1];
            (0..grams.len())
                .find(|&at| grams.gram(at) == gram)
                .map(|at| grams.counts[at])
        };
        assert_eq!(find(&[1, 3, 4]), Some(2), "longest: occurrences");
        assert_eq!(find(&[3, 4, 5]), Some(1));
        assert_eq!(find(&[4, 5]), Some(2), "after a and after the beginning");
        assert_eq!(find(&[3, 4]), Some(1), "after the beginning alone");
        assert_eq!(find(&[1, 3]), Some(2), "at the beginning: occurrences");
        assert_eq!(find(&[4]), Some(2), "after a and after the beginning");
        assert_eq!(find(&[2]), Some(2), "after b and after c");
        assert_eq!(find(&[5, 4]), None);
        for order in 2..=3 {
            let (longer, shorter) = (&counts.levels[order - 1], &counts.levels[order - 2]);
            for at in 0..longer.len() {
                let place = counts.suffix[order - 1][at] as usize;
                assert_eq!(&longer.gram(at)[1..], shorter.gram(place));
            }
        }
    }

    #[test]
    fn sentences_shorter_than_the_order_are_counted_too() {
        let sentences: [&[u32]; 1] = [&[1, 3, 2]];
        let counts = count(&sentences.into_iter(), 5);
        let lengths: Vec<usize> = counts.levels.iter().map(Grams::len).collect();
        assert_eq!(lengths, [3, 2, 1, 0, 0]);
    }
}
