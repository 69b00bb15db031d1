//! An embedding depends on nothing but its own picture or text: with either engine, at every place in a batch, in any
//! company, from any worker.
//!
//! The small CLIP is made here from random weights. ONNX Runtime takes part where `ORT_DYLIB_PATH` names a library or the
//! starter model lies in its cache (`bin/starter-model`); the starter model itself takes part where it is there.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test says what went wrong by panicking; textures may wrap"
)]

use realsyn_checkpoint::{Checkpoint, Config, tokenizer};
use realsyn_infer::{EngineChoice, EngineOptions, Model};
use realsyn_picture::Rgb;
use std::path::{Path, PathBuf};

fn starter() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base =
        base.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))?;
    Some(base.join("realsyn/starter")).filter(|dir| dir.join("stamp.json").is_file())
}

fn library() -> Option<PathBuf> {
    let named = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from);
    named
        .or_else(|| starter().map(|dir| dir.join("lib/libonnxruntime.so")))
        .filter(|path| path.exists())
}

/// rten, and ONNX Runtime where there is one.
fn engines() -> Vec<EngineOptions> {
    let rten = EngineOptions {
        choice: EngineChoice::Rten,
        ..EngineOptions::default()
    };
    let ort = library().map(|path| EngineOptions {
        choice: EngineChoice::Ort,
        library: Some(path),
        ..EngineOptions::default()
    });
    std::iter::once(rten).chain(ort).collect()
}

fn tiny_clip() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::tiny();
    let words: [(&str, &str); 0] = [];
    let tokens = tokenizer::json(&words, config.text_cfg.context_length).unwrap();
    Checkpoint::random(&config, 7)
        .unwrap()
        .write_dir(dir.path(), &tokens)
        .unwrap();
    dir
}

/// Pictures of many shapes, each of a texture of its own.
fn pictures(count: u32) -> Vec<Rgb> {
    let picture = |n: u32| {
        let (width, height) = (40 + 37 * n % 200, 30 + 53 * n % 170);
        let pixel = |i: u32| ((i / (n + 2)).wrapping_mul(2_654_435_761) >> (8 + n % 9)) as u8;
        Rgb {
            width,
            height,
            pixels: (0..3 * width * height).map(pixel).collect(),
        }
    };
    (0..count).map(picture).collect()
}

fn texts(count: usize) -> Vec<String> {
    let words = [
        "A cat",
        "on the roof",
        "of Ålesund's",
        "harbour",
        "in 1904,",
        "seen from",
        "the bridge",
        "at dusk.",
    ];
    (0..count)
        .map(|n| {
            (0..=n * 7 % 23)
                .map(|i| words[(i * (n + 1) + n) % words.len()])
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

fn check(dir: &Path, options: &EngineOptions, count: u32, cuts: &[usize]) {
    let model = Model::open(dir, options).unwrap();
    let (pictures, texts) = (pictures(count), texts(13));
    let borrowed: Vec<&Rgb> = pictures.iter().collect();
    let unwrap = |answers: Vec<realsyn_infer::Answer>| {
        answers.into_iter().map(Result::unwrap).collect::<Vec<_>>()
    };
    let whole_images = unwrap(model.embedder().embed_images(&borrowed).unwrap());
    let whole_texts = unwrap(model.embedder().embed_texts(&texts).unwrap());
    for vector in whole_images.iter().chain(&whole_texts) {
        let length: f32 = vector.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
    }
    assert_ne!(whole_texts[1], whole_texts[2]);
    assert_ne!(whole_images[1], whole_images[2]);

    // Any cut, from several workers at once: the same bits.
    std::thread::scope(|scope| {
        for &cut in cuts {
            let (model, borrowed, texts, whole_images, whole_texts) =
                (&model, &borrowed, &texts, &whole_images, &whole_texts);
            scope.spawn(move || {
                let mut worker = model.embedder();
                let images: Vec<_> = borrowed
                    .chunks(cut)
                    .flat_map(|part| unwrap(worker.embed_images(part).unwrap()))
                    .collect();
                assert_eq!(&images, whole_images, "images in {cut}s");
                let parts: Vec<_> = texts
                    .chunks(cut)
                    .flat_map(|part| unwrap(worker.embed_texts(part).unwrap()))
                    .collect();
                assert_eq!(&parts, whole_texts, "texts in {cut}s");
            });
        }
    });

    // Any place in the batch.
    let turned: Vec<&Rgb> = borrowed.iter().rev().copied().collect();
    let back: Vec<_> = unwrap(model.embedder().embed_images(&turned).unwrap())
        .into_iter()
        .rev()
        .collect();
    assert_eq!(back, whole_images);
    for shift in 1..4 {
        let mut turned = texts.clone();
        turned.rotate_left(shift);
        let mut back = unwrap(model.embedder().embed_texts(&turned).unwrap());
        back.rotate_right(shift);
        assert_eq!(back, whole_texts);
    }
}

#[test]
fn a_small_clip_does_not_see_the_batch() {
    let dir = tiny_clip();
    for options in engines() {
        // More than a batch, so that every place in it is taken.
        check(dir.path(), &options, 37, &[1, 2, 3, 4, 5, 17]);
    }
}

#[test]
fn the_starter_model_does_not_see_the_batch() {
    let Some(dir) = starter() else {
        println!("no starter model in the cache: not checked");
        return;
    };
    for options in engines() {
        check(&dir, &options, 7, &[1, 3]);
    }
}

#[test]
fn both_engines_agree() {
    let dir = tiny_clip();
    let (pictures, texts) = (pictures(4), texts(8));
    let borrowed: Vec<&Rgb> = pictures.iter().collect();
    let all: Vec<Vec<Vec<f32>>> = engines()
        .iter()
        .map(|options| {
            let mut worker = Model::open(dir.path(), options).unwrap().embedder();
            let images = worker.embed_images(&borrowed).unwrap();
            images
                .into_iter()
                .chain(worker.embed_texts(&texts).unwrap())
                .map(Result::unwrap)
                .collect()
        })
        .collect();
    for other in &all[1..] {
        for (a, b) in all[0].iter().zip(other) {
            let cos: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
            assert!(cos > 0.9999, "{cos}");
        }
    }
}

#[test]
fn a_model_has_one_name_with_both_engines() {
    let dir = tiny_clip();
    let ids: Vec<String> = engines()
        .iter()
        .map(|options| Model::open(dir.path(), options).unwrap().id().to_owned())
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(
        Model::open(dir.path(), &engines()[0]).unwrap().dim(),
        Some(Config::tiny().embed_dim)
    );
}

#[test]
fn what_is_no_onnx_runtime_is_an_error_and_auto_goes_on() {
    let dir = tiny_clip();
    let fake = dir.path().join("libonnxruntime.so");
    for content in ["", "#!/bin/sh\n", "\x7fELFnot really"] {
        std::fs::write(&fake, content).unwrap();
        let named = EngineOptions {
            choice: EngineChoice::Auto,
            library: Some(fake.clone()),
            ..EngineOptions::default()
        };
        let error = Model::open(dir.path(), &named).unwrap_err();
        assert_eq!(error.code(), "no-onnxruntime");
        assert!(error.to_string().contains("libonnxruntime.so"), "{error}");
    }
    let missing = EngineOptions {
        library: Some("/nowhere/libonnxruntime.so".into()),
        ..EngineOptions::default()
    };
    assert!(
        Model::open(dir.path(), &missing)
            .unwrap_err()
            .to_string()
            .contains("/nowhere/libonnxruntime.so")
    );
    // A library that is only found, not named, may be unusable: the embedded engine takes over.
    let found = EngineOptions {
        environment: Some(fake),
        ..EngineOptions::default()
    };
    Model::open(dir.path(), &found).unwrap();
}

#[test]
fn missing_parts_are_named() {
    let dir = tiny_clip();
    let rten = EngineOptions {
        choice: EngineChoice::Rten,
        ..EngineOptions::default()
    };
    std::fs::remove_file(dir.path().join("onnx/text_model.onnx")).unwrap();
    let mut worker = Model::open(dir.path(), &rten).unwrap().embedder();
    let error = worker.embed_texts(&["a"]).unwrap_err();
    assert_eq!(error.code(), "no-tower");
    assert!(
        error.to_string().contains("onnx/text_model.onnx"),
        "{error}"
    );
    std::fs::write(dir.path().join("onnx/vision_model.onnx"), "nonsense").unwrap();
    let error = worker.embed_images(&[&pictures(1)[0]]).unwrap_err();
    assert_eq!(error.code(), "bad-model");
    std::fs::remove_file(dir.path().join("config.json")).unwrap();
    assert!(
        Model::open(dir.path(), &rten)
            .unwrap_err()
            .to_string()
            .contains("config.json")
    );
}

#[test]
fn a_picture_like_a_line_is_refused_alone() {
    let dir = tiny_clip();
    let rten = EngineOptions {
        choice: EngineChoice::Rten,
        ..EngineOptions::default()
    };
    let line = Rgb {
        width: 5000,
        height: 1,
        pixels: vec![9; 15000],
    };
    let good = &pictures(1)[0];
    let mut worker = Model::open(dir.path(), &rten).unwrap().embedder();
    let answers = worker.embed_images(&[good, &line, good]).unwrap();
    assert_eq!(answers[1].as_ref().unwrap_err().code(), "extreme-aspect");
    assert_eq!(answers[0].as_ref().unwrap(), answers[2].as_ref().unwrap());
}

/// The picture by which `bin/starter-model` checks its classifier, with a margin that the crop takes away.
fn rings() -> Rgb {
    let level = |x: i64, y: i64, c: i64| {
        if ((x - 112).pow(2) + (y - 112).pow(2)) / (900 * (c + 1)) % 2 == 1 {
            255
        } else {
            0
        }
    };
    let sides = || -16..240_i64;
    let pixels = sides()
        .flat_map(|y| sides().flat_map(move |x| (0..3).map(move |c| level(x, y, c))))
        .collect();
    Rgb {
        width: 256,
        height: 256,
        pixels,
    }
}

#[test]
fn the_starter_model_gives_tags() {
    let Some(dir) = starter() else {
        println!("no starter model in the cache: not checked");
        return;
    };
    for options in engines() {
        let classifier = realsyn_infer::Classifier::open(&dir, &options).unwrap();
        assert_eq!(classifier.labels().len(), 1000);
        let tags = classifier
            .tagger()
            .unwrap()
            .tags(&rings(), 3, 0.001)
            .unwrap();
        assert_eq!(tags[0].0, "spiral or coil");
        assert!((tags[0].1 - 0.9596).abs() < 0.001, "{tags:?}");
        assert_eq!(tags[1].0, "mixing bowl");
        assert_eq!(
            classifier
                .tagger()
                .unwrap()
                .tags(&rings(), 9, 0.5)
                .unwrap()
                .len(),
            1
        );
        assert_eq!(classifier.id(), Model::open(&dir, &options).unwrap().id());
    }
}

#[test]
fn a_model_without_labels_gives_no_tags() {
    let dir = tiny_clip();
    let error = realsyn_infer::Classifier::open(dir.path(), &engines()[0])
        .err()
        .unwrap();
    assert!(
        error.code() == "bad-config" && error.to_string().contains("id2label"),
        "{error}"
    );
}
