//! The inner product that decides.

/// Sums that run side by side, so that the processor need not wait for each addition.
const LANES: usize = 16;

/// The inner product in double precision: 16 interleaved sums, added up in a fixed order.
///
/// Products of two numbers of single precision are exact in double precision. Products of half-precision numbers are
/// multiples of 2⁻⁴⁸, and so every sum of them that stays below 2⁵ is exact too: by Cauchy and Schwarz that holds for
/// vectors whose lengths multiply to less. It is symmetric in any case, bit for bit.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    let (left, left_rest) = a.as_chunks::<LANES>();
    let (right, right_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0f64; LANES];
    for (left, right) in left.iter().zip(right) {
        for ((sum, &x), &y) in sums.iter_mut().zip(left).zip(right) {
            *sum += f64::from(x) * f64::from(y);
        }
    }
    for ((sum, &x), &y) in sums.iter_mut().zip(left_rest).zip(right_rest) {
        *sum += f64::from(x) * f64::from(y);
    }
    sums.iter().sum()
}

/// The cosine distance of two vectors of these lengths.
pub fn distance(a: &[f32], b: &[f32], norm_a: f64, norm_b: f64) -> f64 {
    1.0 - dot(a, b) / (norm_a * norm_b)
}
