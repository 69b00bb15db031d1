//! Runs of plain text: printing ASCII without two blanks in a row.
//!
//! Memory: none.
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

/// How many bytes at the beginning are printing ASCII with no blank behind a blank; `blank` says whether one stands before
/// them.
#[inline]
#[must_use]
pub fn plain(bytes: &[u8], blank: bool) -> usize {
    match bytes.first() {
        Some(&first) if is_printing(first) && !(blank && first == b' ') => {}
        _ => return 0,
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { rest_avx2(bytes) };
    }
    rest::<32>(bytes)
}

/// Whether all bytes are printing ASCII with no blank behind a blank, and the first is none.
#[inline]
#[must_use]
pub fn is_plain(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(&first) if is_printing(first) && first != b' ' => {}
        first => return first.is_none(),
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { all_avx2(bytes) };
    }
    all(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn all_avx2(bytes: &[u8]) -> bool {
    all(bytes)
}

/// Whether all bytes behind a first plain one are plain: no byte is asked for alone, but of the shortest texts.
#[inline(always)]
fn all(bytes: &[u8]) -> bool {
    match bytes.len() {
        65.. => run::<64>(bytes, 1) == bytes.len(),
        17.. => run::<16>(bytes, 1) == bytes.len(),
        _ => rest::<8>(bytes) == bytes.len(),
    }
}

fn is_printing(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn rest_avx2(bytes: &[u8]) -> usize {
    rest::<64>(bytes)
}

/// The end of a run whose first byte is plain.
#[inline(always)]
fn rest<const WIDTH: usize>(bytes: &[u8]) -> usize {
    let mut at = run::<8>(bytes, run::<WIDTH>(bytes, 1));
    while let Some(&byte) = bytes.get(at)
        && is_printing(byte)
        && !(byte == b' ' && bytes[at - 1] == b' ')
    {
        at += 1;
    }
    at
}

/// The end of a run of plain bytes that goes on at `at`, as far as it shows `WIDTH` bytes at a time. Each is looked at
/// beside the one before it, without branches: the compiler makes vector instructions of it.
#[inline(always)]
fn run<const WIDTH: usize>(bytes: &[u8], mut at: usize) -> usize {
    while at + WIDTH <= bytes.len() {
        if is_odd::<WIDTH>(bytes, at) {
            return at;
        }
        at += WIDTH;
    }
    // What is left is looked at together with bytes before it, once more.
    match bytes.len().checked_sub(WIDTH) {
        Some(last) if last > 0 && !is_odd::<WIDTH>(bytes, last) => bytes.len(),
        _ => at,
    }
}

/// Whether of the bytes from `at` on, one is no printing ASCII, or a blank behind a blank.
#[inline(always)]
fn is_odd<const WIDTH: usize>(bytes: &[u8], at: usize) -> bool {
    let these = bytes[at..].first_chunk::<WIDTH>();
    let before = bytes[at - 1..].first_chunk::<WIDTH>();
    let (Some(these), Some(before)) = (these, before) else {
        return true;
    };
    let mut odd = 0;
    for (&byte, &last) in these.iter().zip(before) {
        // As signed numbers, bytes beyond ASCII are less than a blank too. Of two whose bits are together those of a
        // blank, both are one, or another is NUL.
        odd |= u8::from(byte.cast_signed() < b' '.cast_signed());
        odd |= u8::from(byte == 0x7f) | u8::from(byte | last == b' ');
    }
    odd != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_run_ends_where_looking_byte_by_byte_ends_it(
            text in "[a-z]{0,150}( |  |\\n|\\x7f|é|\\x00|)[ a-z]{0,80}",
            blank: bool,
        ) {
            let bytes = text.as_bytes();
            let mut last = blank;
            let goes_on = |&&byte: &&u8| {
                let is_odd = !is_printing(byte) || (last && byte == b' ');
                last = byte == b' ';
                !is_odd
            };
            let expected = bytes.iter().take_while(goes_on).count();
            prop_assert_eq!(plain(bytes, blank), expected);
            prop_assert_eq!(is_plain(bytes), plain(bytes, true) == bytes.len());
            for end in 0..bytes.len() {
                prop_assert_eq!(is_plain(&bytes[..end]), plain(&bytes[..end], true) == end);
            }
            if expected > 0 {
                prop_assert_eq!(rest::<32>(bytes), expected);
            }
        }
    }
}
