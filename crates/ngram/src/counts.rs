//! From sorted n-grams to the counts of all orders, as Kneser-Ney smoothing counts.
//!
//! An n-gram is written from its last word to its first, so that all n-grams of one ending are neighbours when they are
//! sorted: a shorter one's count, the number of different words before it, is the number of its children in that tree.
//! One pass over the longest n-grams then gives every order, each sorted.
//!
//! **Memory.** 8 bytes a word of the vocabulary; the n-grams are in temporary files.

use std::io;

use crate::discount::Seen;
use crate::sort::{Merged, Record, Sorter, Stream, count, set_count};

/// Stands where a sentence began before the n-gram was full. No word has this number.
const PAD: u32 = u32::MAX;

/// The n-grams of all orders.
#[derive(Debug)]
pub struct Counts {
    /// For each order from 1 on, the n-grams from their last word to their first, sorted, with their counts: of the
    /// longest, and of those at the beginning of a sentence, how often each was seen; of others, how many different words
    /// stood before it. Order 1 holds every number below the vocabulary's size.
    pub levels: Vec<Stream>,
    /// How many each order has.
    pub grams: Vec<u64>,
    /// How many n-grams of each order have a small count.
    pub seen: Vec<Seen>,
}

/// Adds the n-grams of a sentence that goes from `sentence[0]`, its beginning, to its end.
pub fn push(sorter: &mut Sorter, sentence: &[u32], order: usize) -> io::Result<()> {
    for last in 1..sentence.len() {
        let mut record = Record::default();
        record[..order].fill(PAD);
        let back = sentence[..=last].iter().rev();
        for (number, word) in record[..order].iter_mut().zip(back) {
            *number = *word;
        }
        set_count(&mut record, 1);
        sorter.push(record)?;
    }
    Ok(())
}

/// Counts all orders. `begin` is the number of a sentence's beginning; all numbers are below `vocabulary`.
pub fn count_all(
    mut sorted: Merged,
    order: usize,
    begin: u32,
    vocabulary: u32,
) -> io::Result<Counts> {
    let mut singles = vec![0; vocabulary as usize];
    let mut writers = Vec::new();
    for _ in 1..order {
        writers.push(Stream::writer()?);
    }
    let mut grams = vec![0; order];
    let mut seen = vec![Seen::default(); order];
    // The way from the root to the last n-gram, and the counts of its nodes so far.
    let (mut path, mut depth, mut open) = (Record::default(), 0, vec![0_u64; order]);
    loop {
        let next = sorted.next()?;
        let (length, shared) = next.map_or((0, 0), |next| {
            let length = next[..order]
                .iter()
                .take_while(|&&word| word != PAD)
                .count();
            let same = |at: &usize| next[*at] == path[*at];
            (length, (0..depth.min(length)).take_while(same).count())
        });
        for at in (shared..depth).rev() {
            grams[at] += 1;
            seen[at].add(open[at]);
            if at == 0 {
                singles[path[0] as usize] = open[0];
            } else {
                let mut gram = Record::default();
                gram[..=at].copy_from_slice(&path[..=at]);
                set_count(&mut gram, open[at]);
                writers[at - 1].push(&gram)?;
            }
        }
        let Some(next) = next else { break };
        open[shared..length].fill(0);
        // Each node above a new one gains a child.
        for children in &mut open[shared.saturating_sub(1)..length.saturating_sub(1)] {
            *children += 1;
        }
        if let Some(times) = length.checked_sub(1) {
            debug_assert!(length == order || next[times] == begin);
            open[times] = count(&next);
        }
        (path, depth) = (next, length);
    }
    let mut first = Stream::writer()?;
    for (number, times) in (0..).zip(singles) {
        let mut gram = Record::default();
        gram[0] = number;
        set_count(&mut gram, times);
        first.push(&gram)?;
    }
    grams[0] = u64::from(vocabulary);
    let mut levels = vec![first.read()?];
    for writer in writers {
        levels.push(writer.read()?);
    }
    Ok(Counts {
        levels,
        grams,
        seen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(sentences: &[&[u32]], order: usize) -> Vec<Vec<(Vec<u32>, u64)>> {
        let mut sorter = Sorter::new(0, 1, true);
        for sentence in sentences {
            push(&mut sorter, sentence, order).unwrap();
        }
        let counts = count_all(sorter.finish().unwrap(), order, 1, 6).unwrap();
        let mut all = Vec::new();
        for (at, mut level) in counts.levels.into_iter().enumerate() {
            let mut grams = Vec::new();
            while let Some(gram) = level.next().unwrap() {
                grams.push((gram[..=at].iter().rev().copied().collect(), count(&gram)));
            }
            assert_eq!(grams.len() as u64, counts.grams[at]);
            all.push(grams);
        }
        all
    }

    #[test]
    fn short_n_grams_count_the_words_before_them() {
        // a b c / a b / b c with a = 3, b = 4, c = 5
        let all = counts(&[&[1, 3, 4, 5, 2], &[1, 3, 4, 2], &[1, 4, 5, 2]], 3);
        let find = |gram: &[u32]| {
            let level = &all[gram.len() - 1];
            level
                .iter()
                .find(|(words, _)| words == gram)
                .map(|&(_, count)| count)
        };
        assert_eq!(find(&[1, 3, 4]), Some(2), "longest: occurrences");
        assert_eq!(find(&[3, 4, 5]), Some(1));
        assert_eq!(find(&[4, 5]), Some(2), "after a and after the beginning");
        assert_eq!(find(&[3, 4]), Some(1), "after the beginning alone");
        assert_eq!(find(&[1, 3]), Some(2), "at the beginning: occurrences");
        assert_eq!(find(&[4]), Some(2), "after a and after the beginning");
        assert_eq!(find(&[2]), Some(2), "after b and after c");
        assert_eq!(find(&[0]), Some(0), "never seen, but in the vocabulary");
        assert_eq!(find(&[5, 4]), None);
    }

    #[test]
    fn sentences_shorter_than_the_order_are_counted_too() {
        let lengths: Vec<usize> = counts(&[&[1, 3, 2]], 5).iter().map(Vec::len).collect();
        assert_eq!(lengths, [6, 2, 1, 0, 0]);
    }
}
