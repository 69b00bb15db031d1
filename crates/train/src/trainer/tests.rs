//! A step against `PyTorch`, resumption, and the independence of threads.

#![expect(
    clippy::cast_possible_truncation,
    clippy::excessive_precision,
    reason = "small numbers, and PyTorch's own digits"
)]

use super::*;
use crate::cpu;

const STEPS: u64 = 8;

fn trainer(lr: f64, clip_norm: Option<f64>) -> Trainer {
    let model = Checkpoint::random(&Config::tiny(), 1).unwrap();
    let options = Options {
        steps: STEPS,
        lr,
        warmup: 0.25,
        clip_norm,
        ..Options::default()
    };
    Trainer::new(&model, options, cpu()).unwrap()
}

/// A batch by a formula that a few lines of Python repeat.
fn batch(step: u64) -> Batch {
    let (size, values) = (6, 4 * 3 * 8 * 8);
    let value = |i: u64| ((i * 7919 + step * 104_729) % 1009) as f64 / 504.5 - 1.0;
    let rows: Vec<Vec<i64>> = (0..size as u64)
        .map(|b| {
            let inner =
                (1..2 + (b + step) % 5).map(|k| ((b * 31 + k * 17 + step * 7) % 512) as i64);
            std::iter::once(512).chain(inner).chain([513]).collect()
        })
        .collect();
    let tokens = rows.iter().map(Vec::len).max().unwrap();
    Batch {
        step,
        epoch: 0,
        size,
        patches: (0..(size * values) as u64)
            .map(|i| value(i) as f32)
            .collect(),
        ends: rows.iter().map(|row| row.len() - 1).collect(),
        ids: rows
            .into_iter()
            .flat_map(|mut row| {
                row.resize(tokens, 513);
                row
            })
            .collect(),
        tokens,
        failures: Vec::new(),
    }
}

fn losses(trainer: &mut Trainer, steps: std::ops::Range<u64>) -> Vec<f32> {
    steps
        .map(|step| trainer.train(&batch(step)).unwrap().loss)
        .collect()
}

/// `open_clip` 3.3.0's `CLIP` in `PyTorch` 2.15 from the same weights on the same batches: `AdamW` with its two groups,
/// `OneCycleLR`, and in the second run `clip_grad_norm_`.
#[test]
fn the_losses_are_pytorchs() {
    let runs = [
        (
            1e-3,
            None,
            [
                3.387_222_8,
                2.394_523_9,
                2.425_366_9,
                2.502_397_5,
                2.772_316_7,
                2.341_021_5,
                2.392_985_8,
                2.050_419_1,
            ],
        ),
        (
            1e-2,
            Some(1.0),
            [
                3.387_222_8,
                2.303_104_4,
                1.966_589_7,
                2.091_059_2,
                1.966_316_9,
                1.806_116_8,
                1.767_005,
                1.771_879_4,
            ],
        ),
    ];
    for (lr, clip, expected) in runs {
        let found = losses(&mut trainer(lr, clip), 0..STEPS);
        for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() < 1e-4,
                "step {step} at {lr}: {found}, PyTorch {expected}"
            );
        }
    }
}

#[test]
fn a_resumed_run_ends_with_the_bytes_of_one_that_never_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let mut whole = trainer(1e-3, None);
    losses(&mut whole, 0..STEPS);
    let mut first = trainer(1e-3, None);
    losses(&mut first, 0..3);
    first.save(&state, "data").unwrap();
    let mut second = trainer(1e-3, None);
    assert_eq!(
        second.restore(&state, "other data").unwrap_err().code(),
        "other-run"
    );
    assert_eq!(
        trainer(2e-3, None)
            .restore(&state, "data")
            .unwrap_err()
            .code(),
        "other-run"
    );
    second.restore(&state, "data").unwrap();
    assert_eq!(second.step(), 3);
    losses(&mut second, 3..STEPS);
    assert_eq!(second.checkpoint().unwrap(), whole.checkpoint().unwrap());
}

#[test]
fn the_bytes_are_the_same_at_any_number_of_threads() {
    let model = Checkpoint::random(&Config::named("ViT-micro-8-32").unwrap(), 1).unwrap();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let mut trainer = Trainer::new(
            &model,
            Options {
                steps: 3,
                ..Options::default()
            },
            cpu(),
        )
        .unwrap();
        let count = 24;
        let batch = Batch {
            step: 0,
            epoch: 0,
            size: count,
            patches: (0..count * 16 * 192)
                .map(|i| ((i * 7919) % 1009) as f32 / 504.5 - 1.0)
                .collect(),
            ids: (0..count as i64)
                .flat_map(|b| [1022, b * 3, b * 5 + 1, 1023])
                .collect(),
            tokens: 4,
            ends: vec![3; count],
            failures: Vec::new(),
        };
        pool.install(|| (0..3).for_each(|_| assert!(trainer.train(&batch).unwrap().loss > 0.0)));
        trainer.checkpoint().unwrap()
    };
    let one = run(1);
    assert!(one == run(2) && one == run(5));
}

#[test]
fn a_batch_of_one_changes_nothing_and_counts() {
    let mut trainer = trainer(1e-3, None);
    let before = trainer.checkpoint().unwrap();
    let mut one = batch(0);
    one.size = 1;
    assert_eq!(trainer.train(&one).unwrap().step, 1);
    assert_eq!(trainer.checkpoint().unwrap(), before);
}

#[test]
fn the_temperature_stays_within_its_bound() {
    let mut trainer = trainer(1e-3, None);
    let at = trainer.model.scale_at();
    trainer.weights[at] = flat(vec![9.0], &cpu());
    losses(&mut trainer, 0..1);
    assert!((scalar(&trainer.weights[at]).unwrap() - 100f32.ln()).abs() < 1e-6);
}

#[test]
fn senseless_settings_are_refused() {
    for options in [
        Options {
            steps: 0,
            ..Options::default()
        },
        Options {
            lr: f64::NAN,
            ..Options::default()
        },
        Options {
            beta2: 1.0,
            ..Options::default()
        },
        Options {
            clip_norm: Some(0.0),
            ..Options::default()
        },
    ] {
        assert_eq!(
            options.validate().unwrap_err().code(),
            "bad-setting",
            "{options:?}"
        );
    }
}

#[test]
fn what_pads_a_text_does_not_reach_its_embedding() {
    let trainer = trainer(1e-3, None);
    let short = batch(0);
    let mut padded = short.clone();
    padded.ids = short
        .ids
        .chunks(short.tokens)
        .flat_map(|row| row.iter().copied().chain([7, 9]))
        .collect();
    padded.tokens += 2;
    let (a, b) = (
        trainer.embed(&short).unwrap().1,
        trainer.embed(&padded).unwrap().1,
    );
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5));
}
