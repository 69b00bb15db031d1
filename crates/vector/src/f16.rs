//! Half precision on the wire: little-endian IEEE 754 binary16.

use half::f16 as Half;
use half::slice::HalfFloatSliceExt;

/// How many values are converted at a time: the block stays in the first-level cache.
const BLOCK: usize = 1024;

/// Appends `values`, rounded to half precision, to `bytes` as little-endian pairs.
pub fn encode(values: &[f32], bytes: &mut Vec<u8>) {
    let mut halves = [Half::ZERO; BLOCK];
    bytes.reserve(2 * values.len());
    for block in values.chunks(BLOCK) {
        let halves = &mut halves[..block.len()];
        halves.convert_from_f32_slice(block);
        for half in halves {
            bytes.extend_from_slice(&half.to_le_bytes());
        }
    }
}

/// Replaces `values` by the half-precision numbers of `bytes`; an odd last byte is ignored.
pub fn decode(bytes: &[u8], values: &mut Vec<f32>) {
    values.clear();
    values.resize(bytes.len() / 2, 0.0);
    decode_into(bytes, values);
}

/// Fills `values` with the half-precision numbers of `bytes`, as far as both go.
pub fn decode_into(bytes: &[u8], values: &mut [f32]) {
    let mut halves = [Half::ZERO; BLOCK];
    for (bytes, values) in bytes.chunks(2 * BLOCK).zip(values.chunks_mut(BLOCK)) {
        let count = values.len().min(bytes.len() / 2);
        let (halves, values) = (&mut halves[..count], &mut values[..count]);
        for (half, pair) in halves.iter_mut().zip(bytes.chunks_exact(2)) {
            *half = Half::from_le_bytes([pair[0], pair[1]]);
        }
        halves.convert_to_f32_slice(values);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_bit_patterns() {
        let mut bytes = Vec::new();
        encode(&[1.0, -2.0, 65504.0, 0.0], &mut bytes);
        assert_eq!(bytes, [0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x00, 0x00]);
    }

    proptest! {
        #[test]
        fn halves_survive_the_round_trip(bits in proptest::collection::vec(any::<u16>(), 0..3000)) {
            let bytes: Vec<u8> = bits.iter().filter(|bits| Half::from_bits(**bits).is_finite())
                .flat_map(|bits| bits.to_le_bytes()).collect();
            let mut values = Vec::new();
            decode(&bytes, &mut values);
            let mut back = Vec::new();
            encode(&values, &mut back);
            prop_assert_eq!(back, bytes);
        }
    }
}
