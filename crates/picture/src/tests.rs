//! Hostile and odd pictures, all made here.

use std::fmt::Write as _;
use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Frame, ImageBuffer, ImageFormat, Rgba, RgbaImage};

use crate::{Filter, Format, Limits, Luma, PictureError, Rgb, decode, header};

/// A smooth colour picture with some detail.
fn photo(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(ImageBuffer::from_fn(width, height, |x, y| {
        let byte = |value: u32| u8::try_from(value % 256).unwrap();
        image::Rgb([byte(3 * x + y), byte(2 * y + x * y / 16), byte(128 + x)])
    }))
}

fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn jpeg(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90)
        .encode_image(picture)
        .unwrap();
    bytes
}

fn decoded(bytes: &[u8]) -> Result<Rgb, PictureError> {
    decode(bytes, &Limits::default())
}

fn code(bytes: &[u8]) -> &'static str {
    decoded(bytes).unwrap_err().code()
}

#[test]
fn every_lossless_format_gives_its_pixels() {
    let picture = photo(37, 23);
    for (format, ours) in [
        (ImageFormat::Png, Format::Png),
        (ImageFormat::WebP, Format::WebP),
        (ImageFormat::Bmp, Format::Bmp),
        (ImageFormat::Tiff, Format::Tiff),
    ] {
        let bytes = encode(&picture, format);
        let found = header(&bytes).unwrap();
        assert_eq!((found.width, found.height, found.format), (37, 23, ours));
        let rgb = decoded(&bytes).unwrap();
        assert_eq!((rgb.width, rgb.height), (37, 23));
        assert_eq!(
            &rgb.pixels,
            picture.as_rgb8().unwrap().as_raw(),
            "{format:?}"
        );
    }
}

#[test]
fn jpeg_comes_near_its_pixels() {
    let picture = photo(64, 48);
    let rgb = decoded(&jpeg(&picture)).unwrap();
    let wanted = picture.as_rgb8().unwrap().as_raw();
    let far: u64 = rgb
        .pixels
        .iter()
        .zip(wanted)
        .map(|(&a, &b)| u64::from(a.abs_diff(b)))
        .sum();
    assert!(far < 12 * wanted.len() as u64, "off by {far} levels in all");
    let grey = DynamicImage::ImageLuma8(picture.to_luma8());
    let rgb = decoded(&jpeg(&grey)).unwrap();
    assert!(
        rgb.pixels
            .as_chunks::<3>()
            .0
            .iter()
            .all(|p| p[0] == p[1] && p[1] == p[2])
    );
}

#[test]
fn every_cut_of_every_format_is_an_error() {
    let picture = photo(40, 30);
    let mut whole = vec![("jpeg", jpeg(&picture))];
    for (name, format) in [
        ("png", ImageFormat::Png),
        ("gif", ImageFormat::Gif),
        ("webp", ImageFormat::WebP),
        ("bmp", ImageFormat::Bmp),
    ] {
        whole.push((name, encode(&picture, format)));
    }
    for (name, bytes) in whole {
        let pixels = decoded(&bytes).unwrap();
        for length in (0..bytes.len()).step_by(bytes.len() / 97 + 1) {
            match decoded(&bytes[..length]) {
                // A trailer that holds no pixels may go missing.
                Ok(rgb) => assert_eq!(rgb, pixels, "{name} cut at {length}"),
                Err(error) if length > 100 => {
                    assert_eq!(
                        error.code(),
                        "truncated-image",
                        "{name} cut at {length}: {error}"
                    );
                }
                Err(_) => {}
            }
        }
        assert_eq!(code(&bytes[..bytes.len() / 2]), "truncated-image", "{name}");
    }
}

#[test]
fn no_damaged_byte_makes_a_panic() {
    let picture = photo(24, 16);
    let mut files = vec![jpeg(&picture)];
    for format in [
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::WebP,
        ImageFormat::Tiff,
    ] {
        files.push(encode(&picture, format));
    }
    let limits = Limits {
        max_pixels: 1 << 20,
        ..Limits::default()
    };
    for bytes in files {
        for at in 0..bytes.len().min(700) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            let _ = header(&damaged);
            if let Ok(rgb) = decode(&damaged, &limits) {
                assert_eq!(
                    rgb.pixels.len(),
                    3 * rgb.width as usize * rgb.height as usize
                );
            }
        }
    }
}

#[test]
fn what_is_no_picture_is_named() {
    assert_eq!(code(b""), "truncated-image");
    assert_eq!(code(b"<!DOCTYPE html><title>404"), "unsupported-image");
    assert_eq!(code(b"\0\0\0\x0cJXL \r\n\x87\n\0\0"), "unsupported-image");
    assert_eq!(code(b"\0\0\0\x1cftypavif\0\0\0\0"), "truncated-image");
    assert_eq!(
        code(b"\x89PNG\r\n\x1a\nnothing that is a chunk of PNG"),
        "bad-image"
    );
}

/// A PNG whose header announces 169 megapixels, with a few bytes of data.
fn bomb() -> Vec<u8> {
    let mut bytes = encode(&photo(1, 1), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&13_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&13_000_u32.to_be_bytes());
    let sum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// CRC-32 of PNG chunks (ISO 3309), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 * (sum & 1))
        })
    })
}

#[test]
fn a_bomb_is_refused_from_its_header() {
    let bytes = bomb();
    let found = header(&bytes).unwrap();
    assert_eq!(
        (found.width, found.height, found.pixels()),
        (13_000, 13_000, 169_000_000)
    );
    assert_eq!(code(&bytes), "too-many-pixels");
    // With the limit lifted, the same file is merely damaged: its data end too soon.
    let wide = Limits {
        max_pixels: 200_000_000,
        ..Limits::default()
    };
    assert_eq!(decode(&bytes, &wide).unwrap_err().code(), "bad-image");
    // JPEG has its own path.
    let narrow = Limits {
        max_pixels: 99,
        ..Limits::default()
    };
    let small = jpeg(&photo(10, 10));
    assert_eq!(
        decode(&small, &narrow).unwrap_err().code(),
        "too-many-pixels"
    );
}

#[test]
fn an_animation_gives_its_first_frame() {
    let frame = |r, b| Frame::new(RgbaImage::from_pixel(9, 7, Rgba([r, 0, b, 255])));
    let mut bytes = Vec::new();
    GifEncoder::new(&mut bytes)
        .encode_frames([frame(255, 0), frame(0, 255)])
        .unwrap();
    let rgb = decoded(&bytes).unwrap();
    assert_eq!((rgb.width, rgb.height), (9, 7));
    assert!(
        rgb.pixels
            .as_chunks::<3>()
            .0
            .iter()
            .all(|p| *p == [255, 0, 0])
    );
}

#[test]
fn sixteen_bits_keep_their_high_byte_and_alpha_is_dropped() {
    let rgb = ImageBuffer::from_pixel(3, 2, image::Rgb([0xabcd_u16, 0x12ff, 0x00ff]));
    let bytes = encode(&DynamicImage::ImageRgb16(rgb), ImageFormat::Png);
    assert_eq!(decoded(&bytes).unwrap().pixels[..3], [0xab, 0x12, 0x00]);
    let grey = ImageBuffer::from_pixel(3, 2, image::LumaA([0x80ff_u16, 7]));
    let bytes = encode(&DynamicImage::ImageLumaA16(grey), ImageFormat::Png);
    assert_eq!(decoded(&bytes).unwrap().pixels[..3], [0x80, 0x80, 0x80]);
    let clear = ImageBuffer::from_pixel(3, 2, Rgba([1_u8, 2, 3, 0]));
    let bytes = encode(&DynamicImage::ImageRgba8(clear), ImageFormat::Png);
    assert_eq!(decoded(&bytes).unwrap().pixels[..3], [1, 2, 3]);
}

/// The JPEG of `picture` with an Exif segment that holds nothing but an orientation.
fn oriented(picture: &DynamicImage, orientation: u8) -> Vec<u8> {
    let mut exif =
        b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut bytes = jpeg(picture);
    bytes.splice(2..2, exif);
    bytes
}

#[test]
fn orientation_is_applied() {
    // White in the stored top left corner only.
    let stored = DynamicImage::ImageRgb8(ImageBuffer::from_fn(32, 16, |x, y| {
        image::Rgb(if x < 16 && y < 8 { [255; 3] } else { [0; 3] })
    }));
    // Where the stored top left corner is displayed, by the Exif standard.
    let (left, right) = (false, true);
    let (top, bottom) = (false, true);
    for (orientation, corner) in [
        (1, (left, top)),
        (2, (right, top)),
        (3, (right, bottom)),
        (4, (left, bottom)),
        (5, (left, top)),
        (6, (right, top)),
        (7, (right, bottom)),
        (8, (left, bottom)),
    ] {
        let bytes = oriented(&stored, orientation);
        let size = if orientation > 4 { (16, 32) } else { (32, 16) };
        let found = header(&bytes).unwrap();
        assert_eq!(
            ((found.width, found.height), found.orientation),
            (size, orientation)
        );
        let rgb = decoded(&bytes).unwrap();
        assert_eq!((rgb.width, rgb.height), size);
        for (x, y) in [(left, top), (right, top), (left, bottom), (right, bottom)] {
            let (column, row) = (u32::from(x) * (size.0 - 1), u32::from(y) * (size.1 - 1));
            let sample = rgb.crop(column, row, 1, 1).pixels[0];
            assert_eq!(
                sample > 128,
                (x, y) == corner,
                "orientation {orientation} at {column},{row}"
            );
        }
    }
}

/// A CMYK JPEG of one flat 8×8 block, by hand: quantiser steps of 8, so that a DC coefficient is a sample's level.
fn cmyk_jpeg(samples: [u8; 4]) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00".to_vec();
    bytes.extend(b"\xff\xdb\x00\x43\x00");
    bytes.extend([8; 64]);
    bytes.extend(b"\xff\xc0\x00\x14\x08\x00\x08\x00\x08\x04");
    for component in 1..=4 {
        bytes.extend([component, 0x11, 0]);
    }
    // DC: nine codes of 4 bits for the categories 0 to 8; AC: one code of 1 bit, end of block.
    bytes.extend(
        b"\xff\xc4\x00\x1c\x00\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    );
    bytes.extend(0..=8);
    bytes.extend(
        b"\xff\xc4\x00\x14\x10\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    );
    bytes.extend(b"\xff\xda\x00\x0e\x04\x01\x00\x02\x00\x03\x00\x04\x00\x00\x3f\x00");
    let mut bits = String::new();
    for sample in samples {
        let level = i32::from(sample) - 128;
        let category = 32 - level.unsigned_abs().leading_zeros();
        write!(bits, "{category:04b}").unwrap();
        if category > 0 {
            let value = if level < 0 {
                level + (1 << category) - 1
            } else {
                level
            };
            write!(bits, "{value:0width$b}", width = category as usize).unwrap();
        }
        bits += "0";
    }
    while !bits.len().is_multiple_of(8) {
        bits.push('1');
    }
    for byte in bits.as_bytes().chunks(8) {
        let byte = u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap();
        bytes.push(byte);
        if byte == 0xff {
            bytes.push(0);
        }
    }
    bytes.extend(b"\xff\xd9");
    bytes
}

#[test]
fn cmyk_is_read_as_adobe_writes_it() {
    // Stored inverted: 255 is no ink. R = C K / 255.
    let rgb = decoded(&cmyk_jpeg([255, 128, 0, 255])).unwrap();
    assert_eq!((rgb.width, rgb.height), (8, 8));
    assert_eq!(rgb.pixels[..3], [255, 128, 0]);
    let rgb = decoded(&cmyk_jpeg([255, 128, 10, 100])).unwrap();
    assert_eq!(rgb.pixels[..3], [100, 50, 4]);
}

/// A patterned picture, the one that Pillow was given.
fn pattern(width: u32, height: u32, channels: u32) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for k in 0..channels {
                pixels.push(u8::try_from((x * 37 + y * 91 + x * y * 5 + k * 63) % 256).unwrap());
            }
        }
    }
    pixels
}

#[test]
fn resampling_gives_the_bytes_of_pillow() {
    // Printed by Pillow 13.0.0. The first goes down its columns first, the second along its rows.
    type Case = ((u32, u32), (u32, u32), Filter, &'static [u8]);
    let cases: [Case; 5] = [
        (
            (13, 29),
            (5, 4),
            Filter::Lanczos,
            &[
                109, 123, 142, 135, 128, 128, 125, 133, 128, 115, 124, 133, 151, 151, 134, 135,
                133, 131, 143, 128,
            ],
        ),
        (
            (29, 13),
            (5, 4),
            Filter::Lanczos,
            &[
                113, 133, 131, 126, 143, 127, 141, 130, 132, 133, 126, 126, 122, 137, 123, 135,
                130, 137, 118, 132,
            ],
        ),
        (
            (3, 4),
            (6, 5),
            Filter::Bicubic,
            &[
                0, 2, 22, 44, 64, 73, 56, 65, 86, 115, 148, 163, 148, 163, 194, 178, 118, 89, 138,
                154, 191, 160, 68, 24, 5, 19, 46, 80, 114, 131,
            ],
        ),
        (
            (17, 9),
            (5, 9),
            Filter::Bicubic,
            &[
                50, 156, 70, 156, 75, 145, 79, 169, 123, 189, 128, 141, 143, 147, 105, 95, 123,
                138, 120, 126, 139, 128, 152, 118, 167, 92, 160, 151, 145, 127, 120, 144, 147, 94,
                102, 112, 135, 100, 120, 161, 120, 110, 154, 120, 103,
            ],
        ),
        (
            (9, 17),
            (4, 3),
            Filter::Bilinear,
            &[109, 121, 132, 138, 122, 127, 131, 145, 127, 122, 121, 148],
        ),
    ];
    for ((width, height), (w, h), filter, wanted) in cases {
        let luma = Luma {
            width,
            height,
            pixels: pattern(width, height, 1),
        };
        assert_eq!(
            luma.resize(w, h, filter).pixels,
            wanted,
            "{width}x{height} to {w}x{h}"
        );
    }
    let rgb = Rgb {
        width: 11,
        height: 8,
        pixels: pattern(11, 8, 3),
    };
    assert_eq!(
        rgb.resize(3, 2, Filter::Bicubic).pixels,
        [
            112, 138, 130, 126, 127, 132, 138, 126, 140, 115, 123, 143, 144, 135, 136, 136, 149,
            146
        ]
    );
    assert_eq!(rgb.resize(11, 8, Filter::Lanczos), rgb);
    let rgb = Rgb {
        width: 4,
        height: 1,
        pixels: pattern(4, 1, 3),
    };
    assert_eq!(rgb.to_luma().pixels, [51, 88, 125, 162]);
}

#[test]
fn a_crop_is_cut_to_the_picture() {
    let rgb = Rgb {
        width: 4,
        height: 3,
        pixels: (0..36).collect(),
    };
    assert_eq!(rgb.crop(1, 1, 2, 1).pixels, [15, 16, 17, 18, 19, 20]);
    let corner = rgb.crop(3, 2, 9, 9);
    assert_eq!(
        (corner.width, corner.height, corner.pixels),
        (1, 1, vec![33, 34, 35])
    );
    assert_eq!(rgb.crop(9, 9, 1, 1).pixels, []);
}
