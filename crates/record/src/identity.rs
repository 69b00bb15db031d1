//! Identities and the pipeline's only source of randomness.

/// The content hash of a record: BLAKE3 cut to 128 bits, as `b3:` and 32 hexadecimal digits.
#[must_use]
pub fn content_hash(bytes: &[u8]) -> String {
    let hex = blake3::hash(bytes).to_hex();
    format!("b3:{}", &hex[..32])
}

/// The document that an `image` or `sentence` id stands in: the id up to its last `/`.
///
/// An id without `/` is its own document.
#[must_use]
pub fn doc_of(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(doc, _)| doc)
}

/// A number in `[0, 1)` that depends on `seed` and `id` alone.
///
/// Every random decision of the pipeline is a comparison with such a number, so that neither shards, threads nor the
/// order of records can change it. The top 53 bits of BLAKE3(seed as 8 little-endian bytes ‖ id) become the fraction.
#[must_use]
pub fn uniform(seed: u64, id: &str) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(id.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    let numerator = (u64::from_le_bytes(first) >> 11) as f64;
    numerator / 9_007_199_254_740_992.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_hash_is_blake3_of_the_bytes() {
        // The first 16 bytes of BLAKE3's published test vector for the empty input.
        assert_eq!(content_hash(b""), "b3:af1349b9f5f9a1a6a0404dea36dcc949");
    }

    #[test]
    fn the_document_is_the_id_up_to_its_last_slash() {
        assert_eq!(doc_of("a/b.html/s12"), "a/b.html");
        assert_eq!(doc_of("lone"), "lone");
    }

    #[test]
    fn uniform_numbers_are_fixed_spread_and_seeded() {
        assert!((uniform(0, "d/i0") - uniform(0, "d/i0")).abs() < f64::EPSILON);
        assert!((uniform(0, "d/i0") - uniform(1, "d/i0")).abs() > 1e-9);
        let mean = (0..10_000)
            .map(|i| uniform(7, &format!("d/i{i}")))
            .sum::<f64>()
            / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "mean {mean}");
    }
}
