//! A vision tower's tensor against Pillow's pixels, and of a JPEG decoded at scale against the whole one.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::excessive_precision,
    clippy::cast_sign_loss,
    reason = "a test says what went wrong by panicking; levels are bytes, numbers are small, and the constants are the published ones"
)]

use image::codecs::jpeg::JpegEncoder;
use image::{ImageBuffer, RgbImage};
use realsyn_checkpoint::{Checkpoint, Config, tokenizer};
use realsyn_infer::{Embedder, EngineChoice, EngineOptions, Model};
use realsyn_picture::{Limits, Rgb, decode, reduced_rgb};

/// The tiny CLIP takes 16 × 16 pixels.
const SIDE: usize = 16;
const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const STD: [f32; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

fn embedder() -> (tempfile::TempDir, Embedder) {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::tiny();
    let words: [(&str, &str); 0] = [];
    let tokens = tokenizer::json(&words, config.text_cfg.context_length).unwrap();
    let checkpoint = Checkpoint::random(&config, 7).unwrap();
    checkpoint.write_dir(dir.path(), &tokens).unwrap();
    let options = EngineOptions {
        choice: EngineChoice::Rten,
        ..EngineOptions::default()
    };
    let embedder = Model::open(dir.path(), &options).unwrap().embedder();
    (dir, embedder)
}

/// The tensor's numbers as levels from 0 to 255, plane by plane.
fn levels(values: &[f32]) -> Vec<f32> {
    let channel = |at: usize| at / (SIDE * SIDE);
    values
        .iter()
        .enumerate()
        .map(|(at, value)| 255.0 * (value * STD[channel(at)] + MEAN[channel(at)]))
        .collect()
}

/// Resized by Pillow 12 (bicubic, 24 × 16) and cropped to its middle 16 × 16: three of the rows, and the sum of all levels.
#[test]
fn a_tensor_is_pillows() {
    let level =
        |x: u32, y: u32, c: u32| ((x * x * (c + 3) + y * y * 5 + x * y * (c + 1)) / 7) as u8;
    let pixels = (0..40)
        .flat_map(|y| (0..61).flat_map(move |x| (0..3).map(move |c| level(x, y, c))))
        .collect();
    let picture = Rgb {
        width: 61,
        height: 40,
        pixels,
    };
    let (_dir, mut embedder) = embedder();
    let found = levels(embedder.prepare(&picture).unwrap().values());
    let found: Vec<i32> = found.iter().map(|level| level.round() as i32).collect();
    let row = |channel: usize, y: usize| {
        let start = (channel * SIDE + y) * SIDE;
        &found[start..start + SIDE]
    };
    let top_red = [
        52, 80, 112, 150, 201, 175, 38, 100, 175, 179, 53, 147, 177, 69, 174, 88,
    ];
    let middle_green = [
        191, 179, 71, 93, 187, 135, 82, 178, 113, 140, 155, 127, 148, 135, 109, 153,
    ];
    let bottom_blue = [
        115, 113, 136, 95, 134, 130, 130, 143, 150, 134, 150, 102, 121, 148, 134, 129,
    ];
    assert_eq!(row(0, 0), top_red);
    assert_eq!(row(1, 8), middle_green);
    assert_eq!(row(2, 15), bottom_blue);
    assert_eq!(found.iter().sum::<i32>(), 99_005);
}

#[test]
fn a_jpeg_decoded_at_scale_is_the_whole_one_to_a_level() {
    let (_dir, mut embedder) = embedder();
    assert_eq!(embedder.least_samples().unwrap(), 2 * SIDE as u32);
    for (width, height) in [(64, 64), (131, 97), (150, 333), (400, 300), (1021, 517)] {
        // Slow waves and an edge, with a little noise.
        let picture: RgbImage = ImageBuffer::from_fn(width, height, |x, y| {
            let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
            let edge = if u + v > 1.1 { 60.0 } else { 0.0 };
            let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 5 & 7;
            let wave = |speed: f32| 90.0 + 60.0 * (speed * u + 5.0 * v).sin() + edge + noise as f32;
            image::Rgb([wave(7.0) as u8, wave(4.0) as u8, wave(11.0) as u8])
        });
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
        picture.write_with_encoder(encoder).unwrap();
        let limits = Limits::default();
        let least = embedder.least_samples().unwrap();
        let reduced = reduced_rgb(&bytes, &limits, least).unwrap();
        assert_eq!((reduced.width, reduced.height), (width, height));
        assert!(
            reduced.picture.width < width,
            "{width} x {height} is decoded at scale"
        );
        let part = levels(embedder.prepare_reduced(&reduced).unwrap().values());
        let whole = decode(&bytes, &limits).unwrap();
        let whole = levels(embedder.prepare(&whole).unwrap().values());
        let off: f32 = part.iter().zip(&whole).map(|(a, b)| (a - b).abs()).sum();
        let mean = off / whole.len() as f32;
        assert!(mean <= 1.0, "{width} x {height}: {mean}");
    }
}
