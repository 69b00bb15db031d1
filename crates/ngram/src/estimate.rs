//! From counts to probabilities.

use crate::counts::{BEGIN, Counts, Grams, UNKNOWN};
use crate::discount::Discounts;

/// The n-grams of one order with what a model says of them, in natural logarithms.
#[derive(Debug, Default)]
pub struct Estimated {
    /// The last word of each n-gram.
    pub words: Vec<u32>,
    /// The interpolated probability of the last word after the others.
    pub probabilities: Vec<f32>,
    /// What is added to the probability after a shorter context where no longer n-gram with this context was seen.
    pub backoffs: Vec<f32>,
    /// Where the n-grams that go on from each one begin in the next order, and the end of the last one's.
    pub children: Vec<u32>,
}

/// Interpolated modified Kneser-Ney probabilities of all orders. In the first order the word ids are the places, from
/// [`UNKNOWN`] to `vocabulary` − 1.
pub fn estimate(counts: &Counts, vocabulary: usize) -> Vec<Estimated> {
    let mut levels: Vec<Estimated> = Vec::with_capacity(counts.levels.len());
    // The probabilities of the order below, at full precision, by place.
    let mut below: Vec<f64> = Vec::new();
    for (n, grams) in counts.levels.iter().enumerate() {
        let discounts = Discounts::of(grams);
        let probabilities = if let Some(before) = levels.last_mut() {
            let shorter = &counts.levels[n - 1];
            let is_first = n == 1;
            longer(
                grams,
                discounts,
                &counts.suffix[n],
                shorter,
                is_first,
                &below,
                before,
            )
        } else {
            single(grams, discounts, vocabulary)
        };
        levels.push(Estimated {
            words: if n == 0 {
                (0..).take(vocabulary).collect()
            } else {
                grams.words.iter().skip(n).step_by(n + 1).copied().collect()
            },
            probabilities: probabilities.iter().map(|&p| logarithm(p)).collect(),
            backoffs: vec![0.0; probabilities.len()],
            children: Vec::new(),
        });
        // The places of the first order's n-grams are not word ids: by place again, for the next order's suffixes.
        below = if n == 0 {
            grams
                .words
                .iter()
                .map(|&word| probabilities[word as usize])
                .collect()
        } else {
            probabilities
        };
    }
    levels
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the file holds single precision"
)]
fn logarithm(probability: f64) -> f32 {
    // The beginning has no probability of its own; nothing asks for it.
    if probability > 0.0 {
        probability.ln() as f32
    } else {
        0.0
    }
}

/// The probability of each word id without context: what words give up is shared evenly by all, the unknown among them.
fn single(grams: &Grams, discounts: Discounts, vocabulary: usize) -> Vec<f64> {
    let counted = || {
        let of = grams.words.iter().zip(&grams.counts);
        of.filter(|(word, _)| **word != BEGIN)
    };
    let sum: f64 = counted().map(|(_, &count)| f64::from(count)).sum();
    let given: f64 = counted().map(|(_, &count)| discounts.at(count)).sum();
    // All ids but the beginning can come next.
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 words")]
    let even = given / sum / (vocabulary - 1) as f64;
    let mut probabilities = vec![even; vocabulary];
    for (&word, &count) in counted() {
        probabilities[word as usize] += (f64::from(count) - discounts.at(count)) / sum;
    }
    probabilities[BEGIN as usize] = 0.0;
    debug_assert!(probabilities[UNKNOWN as usize] > 0.0);
    probabilities
}

/// The probability of each n-gram; sets the back-off weights and the children of the contexts in `before`.
fn longer(
    grams: &Grams,
    discounts: Discounts,
    suffix: &[u32],
    shorter: &Grams,
    is_first: bool,
    below: &[f64],
    before: &mut Estimated,
) -> Vec<f64> {
    let context = grams.order - 1;
    let mut probabilities = vec![0.0; grams.len()];
    let mut children: Vec<u32> = Vec::with_capacity(before.words.len() + 1);
    let mut from = 0;
    for place in 0..shorter.len() {
        let mut to = from;
        while to < grams.len() && grams.gram(to)[..context] == *shorter.gram(place) {
            to += 1;
        }
        // In the first order the entries are word ids, some of which were never seen as n-grams.
        let entry = if is_first {
            shorter.words[place] as usize
        } else {
            place
        };
        children.resize(entry + 1, u32::try_from(from).unwrap_or(u32::MAX));
        if from < to {
            let counts = &grams.counts[from..to];
            let sum: f64 = counts.iter().copied().map(f64::from).sum();
            let given: f64 = counts.iter().map(|&count| discounts.at(count)).sum();
            let left = given / sum;
            before.backoffs[entry] = logarithm(left);
            for at in from..to {
                let own = (f64::from(grams.counts[at]) - discounts.at(grams.counts[at])) / sum;
                probabilities[at] = own + left * below[suffix[at] as usize];
            }
        }
        from = to;
    }
    children.resize(
        before.words.len() + 1,
        u32::try_from(from).unwrap_or(u32::MAX),
    );
    before.children = children;
    probabilities
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::count;

    #[test]
    fn the_probabilities_after_any_context_add_up_to_one() {
        let sentences: [&[u32]; 5] = [
            &[1, 3, 4, 5, 2],
            &[1, 3, 4, 2],
            &[1, 4, 5, 6, 3, 4, 5, 2],
            &[1, 7, 2],
            &[1, 3, 5, 5, 6, 2],
        ];
        let vocabulary = 8;
        let counts = count(&sentences.into_iter(), 3);
        let levels = estimate(&counts, vocabulary);
        let sum: f32 = (0..8)
            .filter(|&id| id != 1)
            .map(|id| levels[0].probabilities[id].exp())
            .sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        // p(w | context) of every word after every context of one word, by the back-off rule.
        for context in (0..8).filter(|&id| id != 2) {
            let (from, to) = (
                levels[0].children[context] as usize,
                levels[0].children[context + 1] as usize,
            );
            let mut sum = 0.0;
            for word in (0..8_u32).filter(|&id| id != 1) {
                let seen = (from..to).find(|&at| levels[1].words[at] == word);
                let log = seen.map_or(
                    levels[0].backoffs[context] + levels[0].probabilities[word as usize],
                    |at| levels[1].probabilities[at],
                );
                sum += log.exp();
            }
            assert!((sum - 1.0).abs() < 1e-5, "{context}: {sum}");
        }
    }
}
