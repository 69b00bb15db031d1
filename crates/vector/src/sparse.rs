//! The arithmetic of networks whose input is sparse and whose hidden layer has 64 whole numbers.
//!
//! Rows of signed bytes are summed up in 16 bits, and classes are compared by inner products of 16 bits in 32. All sums are
//! exact and wrap, so every instruction set gives the same bits.
//!
//! Memory: none of its own.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "calls of what is compiled for instructions that the processor is known to have"
    )
)]
#![expect(
    clippy::inline_always,
    reason = "one definition is compiled for the instruction set of each entry function"
)]

use std::hint;

/// The hidden layer's width.
pub const WIDTH: usize = 64;

/// A feature's weights: a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Row(pub [i8; WIDTH]);

/// `relu(bias + the sum of the rows with these numbers)`; numbers of no row are left out.
#[inline]
#[must_use]
pub fn hidden(rows: &[Row], bias: &[i16; WIDTH], numbers: &[u32]) -> [i16; WIDTH] {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { hidden_avx2(rows, bias, numbers) };
    }
    hidden_plain(rows, bias, numbers)
}

/// The class with the highest score among the first `to` but `not`, the first in a tie: a class's score is its base plus
/// the inner product of its weights with the hidden layer.
#[inline]
#[must_use]
pub fn best(
    classes: &[[i16; WIDTH]],
    bases: &[i32],
    hidden: &[i16; WIDTH],
    to: usize,
    not: usize,
) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { best_avx2(classes, bases, hidden, to, not) };
    }
    best_plain(classes, bases, hidden, to, not)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn hidden_avx2(rows: &[Row], bias: &[i16; WIDTH], numbers: &[u32]) -> [i16; WIDTH] {
    hidden_plain(rows, bias, numbers)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn best_avx2(
    classes: &[[i16; WIDTH]],
    bases: &[i32],
    hidden: &[i16; WIDTH],
    to: usize,
    not: usize,
) -> usize {
    best_plain(classes, bases, hidden, to, not)
}

#[inline(always)]
fn hidden_plain(rows: &[Row], bias: &[i16; WIDTH], numbers: &[u32]) -> [i16; WIDTH] {
    // The rows are mostly in no near cache: ask for all of them before the first is needed.
    let first = numbers
        .iter()
        .filter_map(|&number| rows.get(number as usize));
    hint::black_box(first.fold(0, |sum, row| sum ^ row.0[0]));
    let mut sum = *bias;
    for &number in numbers {
        let Some(row) = rows.get(number as usize) else {
            continue;
        };
        for (sum, &weight) in sum.iter_mut().zip(&row.0) {
            *sum = sum.wrapping_add(i16::from(weight));
        }
    }
    for sum in &mut sum {
        *sum = (*sum).max(0);
    }
    sum
}

#[inline(always)]
fn best_plain(
    classes: &[[i16; WIDTH]],
    bases: &[i32],
    hidden: &[i16; WIDTH],
    to: usize,
    not: usize,
) -> usize {
    let mut best = (i32::MIN, 0);
    for (class, (weights, &base)) in classes.iter().zip(bases).enumerate().take(to) {
        let score: i32 = hidden
            .iter()
            .zip(weights)
            .map(|(&value, &weight)| i32::from(value) * i32::from(weight))
            .fold(base, i32::wrapping_add);
        if score > best.0 && class != not {
            best = (score, class);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_instruction_set_gives_the_same(
            bytes in prop::collection::vec(any::<i8>(), WIDTH * 40),
            weights in prop::collection::vec(any::<i16>(), WIDTH * 10),
            numbers in prop::collection::vec(0_u32..45, 0..60),
            to in 0_usize..12,
            not in 0_usize..12,
        ) {
            let rows: Vec<Row> = bytes.chunks(WIDTH).map(|row| Row(row.try_into().unwrap())).collect();
            let classes: Vec<[i16; WIDTH]> = weights.chunks(WIDTH).map(|class| class.try_into().unwrap()).collect();
            let bases: Vec<i32> = weights[..10].iter().map(|&base| i32::from(base) << 10).collect();
            let layer = hidden(&rows, &classes[0], &numbers);
            prop_assert_eq!(layer, hidden_plain(&rows, &classes[0], &numbers));
            prop_assert!(layer.iter().all(|&value| value >= 0));
            prop_assert_eq!(
                best(&classes, &bases, &layer, to, not),
                best_plain(&classes, &bases, &layer, to, not)
            );
        }
    }

    #[test]
    fn sums_are_those_of_the_definition() {
        let rows = [Row([1; WIDTH]), Row([-3; WIDTH])];
        assert_eq!(hidden(&rows, &[10; WIDTH], &[0, 1, 1, 7]), [5; WIDTH]);
        assert_eq!(hidden(&rows, &[1; WIDTH], &[1]), [0; WIDTH]);
        let classes = [[1; WIDTH], [2; WIDTH], [2; WIDTH]];
        let bases = [0, 0, 0];
        assert_eq!(best(&classes, &bases, &[5; WIDTH], 3, 3), 1);
        assert_eq!(best(&classes, &bases, &[5; WIDTH], 3, 1), 2);
        assert_eq!(best(&classes, &bases, &[5; WIDTH], 1, 3), 0);
    }
}
