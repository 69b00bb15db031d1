//! AVIF against what Pillow reads from the same files (`tests/avif/make` made both).

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

use std::path::PathBuf;

use realsyn_picture::{Format, Limits, Rgb, decode, header};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/avif")
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "avif")
        })
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

fn decoded(bytes: &[u8]) -> Rgb {
    decode(bytes, &Limits::default()).unwrap()
}

/// The mean and the largest difference of two pictures' samples.
#[expect(clippy::cast_precision_loss, reason = "sums of small numbers")]
fn distance(a: &Rgb, b: &Rgb) -> (f64, u8) {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let differences = a.pixels.iter().zip(&b.pixels).map(|(a, b)| a.abs_diff(*b));
    let sum: u64 = differences.clone().map(u64::from).sum();
    (
        sum as f64 / a.pixels.len() as f64,
        differences.max().unwrap(),
    )
}

#[test]
fn every_file_has_pillows_size_and_colours() {
    let names = names();
    assert_eq!(names.len(), 24);
    for name in names {
        let file = bytes(&format!("{name}.avif"));
        let found = header(&file).unwrap();
        let ours = decoded(&file);
        let theirs = decoded(&bytes(&format!("{name}.png")));
        assert_eq!(found.format, Format::Avif, "{name}");
        assert_eq!(
            (found.width, found.height),
            (ours.width, ours.height),
            "{name}"
        );
        let (mean, most) = distance(&ours, &theirs);
        let allowed = match name.as_str() {
            "identity" | "ycgco" | "one-pixel" | "full-400" | "limited-400" => (0.0, 0),
            // Pillow's converter works with factors of 6 bits there; see the next test.
            "bits-10" | "bits-12-limited" | "bt2020" => (1.6, 13),
            _ => (0.3, 4),
        };
        assert!(
            mean <= allowed.0 && most <= allowed.1,
            "{name}: mean {mean}, at most {most}"
        );
    }
}

/// `smooth` of `tests/avif/make`.
fn original() -> Rgb {
    let (width, height) = (45, 31);
    let pixels = (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| [x * 5, y * 7, 200 - 2 * x]))
        .map(|level| u8::try_from(level).unwrap())
        .collect();
    Rgb {
        width,
        height,
        pixels,
    }
}

#[test]
fn no_file_is_further_from_the_picture_that_it_was_made_of_than_pillow_has_it() {
    let original = original();
    for name in names() {
        let is_upright = !name.starts_with("orientation") && !name.ends_with("400");
        let ours = decoded(&bytes(&format!("{name}.avif")));
        if !is_upright || (ours.width, ours.height) != (original.width, original.height) {
            continue;
        }
        let theirs = decoded(&bytes(&format!("{name}.png")));
        let (ours, theirs) = (distance(&ours, &original), distance(&theirs, &original));
        assert!(
            ours.0 <= theirs.0 && ours.1 <= theirs.1,
            "{name}: {ours:?}, Pillow {theirs:?}"
        );
        assert!(ours.0 < 1.1, "{name}: {ours:?}");
    }
}

#[test]
fn a_file_of_pictures_in_general_that_is_compatible_with_avif_is_read() {
    for (name, general) in [("full-420", b"mif1"), ("sequence", b"msf1")] {
        let mut file = bytes(&format!("{name}.avif"));
        let pixels = decoded(&file);
        let brands = u32::from_be_bytes(*file.first_chunk().unwrap()) as usize;
        assert!(file[16..brands].as_chunks::<4>().0.contains(b"avif"));
        file[8..12].copy_from_slice(general);
        assert_eq!(header(&file).unwrap().format, Format::Avif);
        assert_eq!(decoded(&file), pixels);
        // HEIC is such a file too, and not read.
        for at in (16..brands).step_by(4) {
            file[at..at + 4].copy_from_slice(b"heic");
        }
        let error = decode(&file, &Limits::default()).unwrap_err();
        assert_eq!(error.code(), "unsupported-image");
    }
}

#[test]
fn every_cut_is_an_error() {
    for name in ["full-420", "grid", "sequence", "bits-10"] {
        let whole = bytes(&format!("{name}.avif"));
        let pixels = decoded(&whole);
        for length in (12..whole.len()).step_by(7) {
            match decode(&whole[..length], &Limits::default()) {
                // Later frames of a sequence are not looked at.
                Ok(picture) => assert!(name == "sequence" && picture == pixels, "cut at {length}"),
                Err(error) => {
                    let code = error.code();
                    let is_said = matches!(code, "truncated-image" | "bad-image");
                    assert!(is_said, "{name} cut at {length}: {error}");
                }
            }
        }
        let half = decode(&whole[..whole.len() - 40], &Limits::default());
        if name != "sequence" {
            assert_eq!(half.unwrap_err().code(), "truncated-image", "{name}");
        }
    }
}

#[test]
fn no_damaged_byte_ends_the_process() {
    for name in ["full-420", "turned-grid", "bits-12-limited", "sequence"] {
        let whole = bytes(&format!("{name}.avif"));
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << (place % 8);
            if let Ok(picture) = decode(
                &damaged,
                &Limits {
                    max_pixels: 1 << 16,
                    ..Limits::default()
                },
            ) {
                assert_eq!(
                    picture.pixels.len(),
                    (picture.width * picture.height * 3) as usize
                );
            }
        }
    }
}

#[test]
fn a_picture_beyond_the_limit_is_refused_from_its_header() {
    for name in ["full-420", "grid", "sequence"] {
        let whole = bytes(&format!("{name}.avif"));
        let limits = Limits {
            max_pixels: 100,
            ..Limits::default()
        };
        assert_eq!(
            decode(&whole, &limits).unwrap_err().code(),
            "too-many-pixels",
            "{name}"
        );
    }
}
