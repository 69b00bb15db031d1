//! The codes against their bounds, and every kernel against the definition.

use proptest::prelude::*;

use super::*;

/// `count` rows of mixed sizes, none of them zero.
fn matrix(count: usize, dim: usize) -> impl Strategy<Value = Vec<f32>> {
    let number = prop_oneof![8 => -1.0f32..1.0, 1 => Just(0.0f32), 1 => -30.0f32..30.0];
    prop::collection::vec(number, count * dim).prop_map(move |mut values| {
        for row in values.chunks_exact_mut(dim) {
            row[0] += if row[0] < 0.0 { -0.5 } else { 0.5 };
        }
        values
    })
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&x, &y)| f64::from(x) * f64::from(y))
        .sum()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

struct Coded {
    codes: Vec<i8>,
    scales: Vec<Scale>,
    stride: usize,
}

fn coded(values: &[f32], dim: usize) -> Coded {
    let mut codes = Vec::new();
    let scales = values
        .chunks_exact(dim)
        .map(|row| encode(row, dot(row, row).sqrt(), &mut codes))
        .collect();
    Coded {
        codes,
        scales,
        stride: stride(dim),
    }
}

/// Panels, steps, errors.
fn packed(coded: &Coded) -> (Vec<u8>, Vec<f32>, Vec<f32>) {
    let panels = coded.scales.len().div_ceil(LANES);
    let mut bytes = vec![0; panels * LANES * coded.stride];
    for (panel, codes) in bytes
        .chunks_exact_mut(LANES * coded.stride)
        .zip(coded.codes.chunks(LANES * coded.stride))
    {
        pack(codes, coded.stride, panel);
    }
    let mut steps: Vec<f32> = coded.scales.iter().map(|scale| scale.step).collect();
    let mut errors: Vec<f32> = coded.scales.iter().map(|scale| scale.error).collect();
    steps.resize(panels * LANES, 0.0);
    errors.resize(panels * LANES, f32::NEG_INFINITY);
    (bytes, steps, errors)
}

fn plain(a: &[i8], b: &[i8]) -> i32 {
    a.iter()
        .zip(b)
        .map(|(&x, &y)| i32::from(x) * i32::from(y))
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bounds_hold_and_no_kernel_misses_a_pair(
        (dim, rows, columns) in (1usize..130, 1usize..31, 1usize..70)
            .prop_flat_map(|(dim, m, n)| (Just(dim), matrix(m, dim), matrix(n, dim))),
        least in 0.0f32..0.99,
    ) {
        let (left, right) = (coded(&rows, dim), coded(&columns, dim));
        let (bytes, steps, errors) = packed(&right);
        let mut expected = Vec::new();
        for (i, row) in rows.chunks_exact(dim).enumerate() {
            for (j, column) in columns.chunks_exact(dim).enumerate() {
                let (a, b) = (
                    &left.codes[i * left.stride..][..left.stride],
                    &right.codes[j * left.stride..][..left.stride],
                );
                let (low, high) = bounds(plain(a, b), left.scales[i], right.scales[j]);
                let truth = cosine(row, column);
                prop_assert!(f64::from(low) <= truth && truth <= f64::from(high), "{low} {truth} {high}");
                if truth >= f64::from(least) {
                    expected.push((i, j));
                }
            }
        }
        let mut reference: Option<Vec<Hit>> = None;
        for kernel in Kernel::available() {
            let mut hits = Vec::new();
            kernel.hits(
                Rows::new(&left.codes, left.stride, &left.scales),
                Columns::new(&bytes, left.stride, &steps, &errors),
                least,
                &mut hits,
            );
            hits.sort_unstable();
            for hit in &hits {
                let (i, j) = (hit.row as usize, hit.column as usize);
                prop_assert!(j < right.scales.len(), "a lane without a column was hit");
                let a = &left.codes[i * left.stride..][..left.stride];
                let b = &right.codes[j * left.stride..][..left.stride];
                prop_assert_eq!(hit.dot, plain(a, b));
            }
            for pair in &expected {
                prop_assert!(hits.iter().any(|hit| (hit.row as usize, hit.column as usize) == *pair), "{kernel:?} misses {pair:?}");
            }
            // Portable and SIMD round alike: a fused multiply-add each.
            match &reference {
                None => reference = Some(hits),
                Some(reference) => prop_assert_eq!(reference, &hits, "{:?}", kernel),
            }
        }
    }

    #[test]
    fn packing_is_undone_by_unpacking((dim, values) in (1usize..40).prop_flat_map(|dim| (Just(dim), matrix(9, dim)))) {
        let coded = coded(&values, dim);
        let (bytes, _, _) = packed(&coded);
        let mut back = Vec::new();
        for lane in 0..9 {
            unpack(&bytes, lane, &mut back);
        }
        prop_assert_eq!(back, coded.codes);
    }
}

#[test]
fn a_code_is_fine_enough_to_be_of_use() {
    // 384 numbers of one size: the error of rounding to 8 bits is under one per cent.
    let row: Vec<f32> = (0..384u16).map(|i| (f32::from(i) * 0.7).sin()).collect();
    let mut codes = Vec::new();
    let scale = encode(&row, dot(&row, &row).sqrt(), &mut codes);
    assert!(scale.error < 0.01, "{scale:?}");
    assert_eq!(codes.len(), 384);
}

#[test]
fn the_largest_codes_do_not_overflow() {
    let dim = MAX_DIM;
    let row = vec![1.0f32; dim];
    let coded = coded(&row, dim);
    let (bytes, steps, errors) = packed(&coded);
    for kernel in Kernel::available() {
        let mut hits = Vec::new();
        kernel.hits(
            Rows::new(&coded.codes, coded.stride, &coded.scales),
            Columns::new(&bytes, coded.stride, &steps, &errors),
            0.999,
            &mut hits,
        );
        assert_eq!(
            hits,
            [Hit {
                row: 0,
                column: 0,
                dot: 127 * 127 * i32::try_from(dim).unwrap()
            }]
        );
    }
}
