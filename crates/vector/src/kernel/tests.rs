//! Every kernel that this processor runs against the scalar definition, bit for bit.

use half::f16;
use proptest::prelude::*;

use super::*;

/// Numbers of mixed size and sign, some of them zero.
fn matrix(rows: usize, dim: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(
        prop_oneof![9 => -2.0f32..2.0, 1 => Just(0.0f32), 1 => -1e-6f32..1e-6],
        rows * dim,
    )
}

fn shapes() -> impl Strategy<Value = (usize, usize, Vec<f32>, Vec<f32>)> {
    (1usize..33, 1usize..85, 1usize..70)
        .prop_flat_map(|(m, n, dim)| (Just(dim), Just(n), matrix(m, dim), matrix(n, dim)))
}

fn halves(x: &[f32]) -> Vec<[u8; 2]> {
    x.iter().map(|&x| f16::from_f32(x).to_le_bytes()).collect()
}

/// The nearest column by definition.
fn plain(row: &[f32], columns: &[f32], bias: &[f32]) -> Nearest {
    let scores: Vec<f32> = columns
        .chunks_exact(row.len())
        .zip(bias)
        .map(|(c, b)| inner(row, c) + b)
        .collect();
    let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let index = scores.iter().position(|&score| score == best).unwrap();
    let others = scores
        .iter()
        .enumerate()
        .filter(|&(i, _)| i != index)
        .map(|(_, &score)| score);
    Nearest {
        index: u32::try_from(index).unwrap(),
        score: best,
        second: others.fold(f32::NEG_INFINITY, f32::max),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn scores_equal_the_scalar_chain((dim, n, rows, columns) in shapes()) {
        let panels = Panels::pack(&columns, dim);
        let units = halves(&columns);
        let mut packed = Vec::new();
        interleave(&units, dim, [0; 2], &mut packed);
        let wide: Vec<f32> = units.iter().map(|&x| f16::from_le_bytes(x).to_f32()).collect();
        let m = rows.len() / dim;
        for kernel in Kernel::available() {
            let mut out = vec![f32::NAN; m * n];
            kernel.scores(Rows::all(&rows, dim), panels.view(), &mut out);
            for (i, row) in rows.chunks_exact(dim).enumerate() {
                for (j, column) in columns.chunks_exact(dim).enumerate() {
                    prop_assert_eq!(out[i * n + j].to_bits(), inner(row, column).to_bits(), "{:?} {} {}", kernel, i, j);
                }
            }
            let view = PanelView::<F16>::from_bytes(packed.as_flattened(), dim, n);
            kernel.scores(Rows::all(&rows, dim), view, &mut out);
            for (i, row) in rows.chunks_exact(dim).enumerate() {
                for (j, column) in wide.chunks_exact(dim).enumerate() {
                    prop_assert_eq!(out[i * n + j].to_bits(), inner(row, column).to_bits(), "{:?} {} {}", kernel, i, j);
                }
            }
        }
    }

    #[test]
    fn nearest_is_the_smallest_of_the_largest((dim, n, rows, columns) in shapes(), twins in any::<bool>()) {
        let mut columns = columns;
        if twins {
            // Equal columns far apart: ties.
            let half = n / 2 * dim;
            let (low, high) = columns.split_at_mut(half);
            high[..half].copy_from_slice(low);
        }
        let bias: Vec<f32> = columns.chunks_exact(dim).map(|c| -0.5 * inner(c, c)).collect();
        let panels = Panels::pack_biased(&columns, dim, &bias);
        for kernel in Kernel::available() {
            let mut best = vec![Nearest::NONE; rows.len() / dim];
            kernel.nearest(Rows::all(&rows, dim), &panels, 0, &mut best);
            for (row, best) in rows.chunks_exact(dim).zip(&best) {
                prop_assert_eq!(*best, plain(row, &columns, &bias), "{:?}", kernel);
            }
        }
    }

    #[test]
    fn columns_in_two_calls_and_picked_rows_change_nothing((dim, n, rows, columns) in shapes(), cut in 0.0f64..1.0) {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let cut = (n as f64 * cut) as usize;
        let m = u32::try_from(rows.len() / dim).unwrap();
        let picked: Vec<u32> = (0..m).rev().step_by(2).collect();
        let (low, high) = columns.split_at(cut * dim);
        for kernel in Kernel::available() {
            let mut best = vec![Nearest::NONE; picked.len()];
            let rows_picked = Rows::picked(&rows, dim, &picked);
            // The later columns first: the outcome must not depend on it.
            kernel.nearest(rows_picked, &Panels::pack(high, dim), u32::try_from(cut).unwrap(), &mut best);
            kernel.nearest(rows_picked, &Panels::pack(low, dim), 0, &mut best);
            for (&row, best) in picked.iter().zip(&best) {
                let row = &rows[row as usize * dim..][..dim];
                prop_assert_eq!(*best, plain(row, &columns, &vec![0.0; n]), "{:?}", kernel);
            }
        }
    }
}

#[test]
fn every_half_widens_exactly() {
    // All finite halves, as 16 columns of many dimensions: the product with one unit vector is the number itself.
    let finite: Vec<f16> = (0..=u16::MAX)
        .map(f16::from_bits)
        .filter(|x| x.is_finite())
        .collect();
    let units: Vec<[u8; 2]> = finite.iter().map(|x| x.to_le_bytes()).collect();
    let mut packed = Vec::new();
    interleave(&units, 1, [0; 2], &mut packed);
    for kernel in Kernel::available() {
        let mut out = vec![f32::NAN; finite.len()];
        kernel.scores(
            Rows::all(&[1.0], 1),
            PanelView::<F16>::new(&packed, 1, finite.len()),
            &mut out,
        );
        for (x, y) in finite.iter().zip(&out) {
            assert_eq!(x.to_f32() + 0.0, *y, "{kernel:?}");
        }
    }
}

#[test]
fn a_block_of_panels_is_crossed() {
    // More panels than one cache block holds.
    let (dim, n) = (96, BLOCK_BYTES / (96 * 4) + 37);
    let columns: Vec<f32> = (0u32..)
        .map(|i| f32::from(u16::try_from(i.wrapping_mul(40_503) >> 16 & 0xff).unwrap()) - 128.0)
        .take(n * dim)
        .collect();
    let rows = columns[..7 * dim].to_vec();
    let panels = Panels::pack(&columns, dim);
    for kernel in Kernel::available() {
        let mut best = vec![Nearest::NONE; 7];
        kernel.nearest(Rows::all(&rows, dim), &panels, 0, &mut best);
        for (row, best) in rows.chunks_exact(dim).zip(&best) {
            assert_eq!(*best, plain(row, &columns, &vec![0.0; n]), "{kernel:?}");
        }
    }
}

#[test]
fn a_column_is_read_back() {
    let x: Vec<f32> = (0..5u8 * 3).map(f32::from).collect();
    let mut packed = Vec::new();
    interleave(&halves(&x), 3, [0; 2], &mut packed);
    let mut out = Vec::new();
    PanelView::<F16>::new(&packed, 3, 5).column(3, &mut out);
    assert_eq!(out, x[9..12]);
}
