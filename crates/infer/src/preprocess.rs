//! From a picture to the numbers that a vision tower takes, as `preprocessor_config.json` says.
//!
//! The steps and their rounding are those of Hugging Face's slow image processors (resize by Pillow, crop, rescale,
//! normalise), so that an embedding is that of the Python pipelines. Memory: the resized picture and the tensor.

use crate::InferError;
use crate::directory::parse;
use realsyn_picture::{Area, Filter, Reduced, Rgb};
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// Pictures with one side this many times the other are refused: resized by the shorter side, a line of 10,000 × 1
/// pixels would take half a gigabyte.
const MAX_ASPECT: u32 = 100;

#[derive(Debug, Deserialize)]
struct File {
    do_resize: Option<bool>,
    size: Option<Size>,
    resample: Option<u8>,
    do_center_crop: Option<bool>,
    crop_size: Option<Size>,
    crop_pct: Option<f64>,
    do_rescale: Option<bool>,
    rescale_factor: Option<f64>,
    do_normalize: Option<bool>,
    image_mean: Option<Vec<f64>>,
    image_std: Option<Vec<f64>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Size {
    Shortest { shortest_edge: u32 },
    Exact { height: u32, width: u32 },
    Number(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resize {
    /// The shorter side to this length, the other in proportion.
    Shortest(u32),
    /// To this width and height, whatever the proportion.
    Exact(u32, u32),
}

/// What turns pictures into rows of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Preprocess {
    resize: Resize,
    filter: Filter,
    /// The width and height of the tensor.
    pub width: u32,
    pub height: u32,
    /// For each channel, the number that each of the 256 levels becomes.
    levels: Vec<[f32; 256]>,
}

impl Preprocess {
    /// Reads `preprocessor_config.json`.
    pub fn open(path: &Path) -> Result<Self, InferError> {
        let bytes = fs::read(path).map_err(InferError::io(path))?;
        Self::from_config(path, &parse(path, &bytes)?)
    }

    fn from_config(path: &Path, file: &File) -> Result<Self, InferError> {
        let bad = |message: &str| InferError::config(path, message);
        let crops = file.do_center_crop.unwrap_or(file.crop_size.is_some());
        if file.do_resize == Some(false) {
            return Err(bad(
                "do_resize is false: pictures of any size cannot be batched",
            ));
        }
        // A bare number is the shorter side where a crop follows (CLIP) and a square otherwise (ViT).
        let mut resize = match file.size.ok_or_else(|| bad("no size"))? {
            Size::Shortest { shortest_edge } => Resize::Shortest(shortest_edge),
            Size::Exact { height, width } => Resize::Exact(width, height),
            Size::Number(side) if crops => Resize::Shortest(side),
            Size::Number(side) => Resize::Exact(side, side),
        };
        let crop = match file.crop_size {
            Some(Size::Exact { height, width }) => Some((width, height)),
            Some(
                Size::Number(side)
                | Size::Shortest {
                    shortest_edge: side,
                },
            ) => Some((side, side)),
            None => None,
        };
        let (width, height) = match (resize, crop) {
            (_, Some(crop)) if crops => crop,
            (_, None) if crops => return Err(bad("do_center_crop without crop_size")),
            (Resize::Exact(width, height), _) => (width, height),
            // ConvNeXt: below 384 pixels the resize leaves a margin of 1 / crop_pct, above it is square.
            (Resize::Shortest(side), _) if file.crop_pct.is_some() || side >= 384 => {
                resize = match file.crop_pct {
                    Some(share) if side < 384 && share > 0.0 => {
                        Resize::Shortest(floor(f64::from(side) / share))
                    }
                    _ => Resize::Exact(side, side),
                };
                (side, side)
            }
            (Resize::Shortest(_), _) => {
                return Err(bad(
                    "shortest_edge without a crop: pictures would differ in size",
                ));
            }
        };
        let (at_least, at_most) = match resize {
            Resize::Shortest(side) => ((side, side), side),
            Resize::Exact(width, height) => ((width, height), width.max(height)),
        };
        if width == 0 || height == 0 || at_most > 4096 || width > at_least.0 || height > at_least.1
        {
            return Err(bad("the sizes of resize and crop do not fit together"));
        }
        let filter = match file.resample.unwrap_or(2) {
            1 => Filter::Lanczos,
            2 => Filter::Bilinear,
            3 => Filter::Bicubic,
            other => {
                return Err(bad(&format!(
                    "resample {other}: only 1 (Lanczos), 2 (bilinear) and 3 (bicubic) are known"
                )));
            }
        };
        let factor = if file.do_rescale.unwrap_or(true) {
            file.rescale_factor.unwrap_or(1.0 / 255.0)
        } else {
            1.0
        };
        let three = |values: &Option<Vec<f64>>, name: &str| match values.as_deref() {
            Some(&[red, green, blue]) => Ok([red, green, blue]),
            Some(&[one]) => Ok([one; 3]),
            _ => Err(bad(&format!("{name} is no list of three numbers"))),
        };
        let (mean, std) = if file.do_normalize.unwrap_or(true) {
            (
                three(&file.image_mean, "image_mean")?,
                three(&file.image_std, "image_std")?,
            )
        } else {
            ([0.0; 3], [1.0; 3])
        };
        if std.iter().any(|value| *value <= 0.0 || !value.is_finite()) {
            return Err(bad("image_std must be above zero"));
        }
        let levels = mean
            .iter()
            .zip(&std)
            .map(|(mean, std)| levels(factor, *mean, *std))
            .collect();
        Ok(Self {
            resize,
            filter,
            width,
            height,
            levels,
        })
    }

    /// The length of one picture's tensor: 3 × height × width.
    pub fn len(&self) -> usize {
        3 * self.height as usize * self.width as usize
    }

    /// How many samples along each side a picture must keep if it is decoded at a fraction of its size: twice what the
    /// resize leaves, so that the resize's own filter still decides what the tensor is.
    pub fn least_samples(&self) -> u32 {
        match self.resize {
            Resize::Exact(width, height) => 2 * width.max(height),
            Resize::Shortest(side) => 2 * side,
        }
    }

    /// Appends the tensor of one picture, planes of red, green and blue, row by row.
    pub fn append(&self, picture: &Rgb, out: &mut Vec<f32>) -> Result<(), InferError> {
        let (width, height) = (picture.width, picture.height);
        self.append_area(picture, Area::whole(width, height), (width, height), out)
    }

    /// As [`Preprocess::append`], of a picture that may have been decoded at a fraction of its size.
    pub fn append_reduced(
        &self,
        reduced: &Reduced<Rgb>,
        out: &mut Vec<f32>,
    ) -> Result<(), InferError> {
        let size = (reduced.width, reduced.height);
        self.append_area(&reduced.picture, reduced.area, size, out)
    }

    /// The tensor of what `area` of `picture` shows, which as a whole has `full` pixels.
    fn append_area(
        &self,
        picture: &Rgb,
        area: Area,
        full: (u32, u32),
        out: &mut Vec<f32>,
    ) -> Result<(), InferError> {
        let (long, short) = (full.0.max(full.1), full.0.min(full.1));
        if short == 0 || long / short > MAX_ASPECT {
            return Err(InferError::Aspect {
                width: full.0,
                height: full.1,
                limit: MAX_ASPECT,
            });
        }
        let (width, height) = match self.resize {
            Resize::Exact(width, height) => (width, height),
            // Hugging Face and torchvision: the longer side is cut, not rounded.
            Resize::Shortest(side) => {
                let other = u32::try_from(u64::from(side) * u64::from(long) / u64::from(short))
                    .unwrap_or(u32::MAX);
                if full.0 <= full.1 {
                    (side, other)
                } else {
                    (other, side)
                }
            }
        };
        let resized = picture.resize_area(area, width, height, self.filter);
        let (left, top) = ((width - self.width) / 2, (height - self.height) / 2);
        let (row, start) = (3 * width as usize, 3 * left as usize);
        for (channel, levels) in self.levels.iter().enumerate() {
            for line in resized
                .pixels
                .chunks_exact(row)
                .skip(top as usize)
                .take(self.height as usize)
            {
                let line = line
                    .get(start..start + 3 * self.width as usize)
                    .unwrap_or_default();
                out.extend(
                    line.iter()
                        .skip(channel)
                        .step_by(3)
                        .map(|level| levels[usize::from(*level)]),
                );
            }
        }
        Ok(())
    }
}

/// (level × factor − mean) / std, with the roundings to f32 that NumPy makes.
#[expect(
    clippy::cast_possible_truncation,
    reason = "f64 to f32 rounds, as NumPy does"
)]
fn levels(factor: f64, mean: f64, std: f64) -> [f32; 256] {
    std::array::from_fn(|level| {
        let scaled = (f64::from(level as u16) * factor) as f32;
        (scaled - mean as f32) / std as f32
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Python's int() of a small positive number"
)]
fn floor(value: f64) -> u32 {
    value as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Result<Preprocess, InferError> {
        Preprocess::from_config(Path::new("p.json"), &serde_json::from_str(json).unwrap())
    }

    const CLIP: &str = r#"{"do_resize":true,"size":{"shortest_edge":4},"resample":3,"do_center_crop":true,
        "crop_size":{"height":4,"width":4},"do_rescale":true,"rescale_factor":0.00392156862745098,"do_normalize":true,
        "image_mean":[0.5,0.5,0.5],"image_std":[0.5,0.25,1.0]}"#;

    fn picture(width: u32, height: u32) -> Rgb {
        let pixels = (0..width * height)
            .flat_map(|i| [(i % 251) as u8, (i % 7) as u8, 255])
            .collect();
        Rgb {
            width,
            height,
            pixels,
        }
    }

    #[test]
    fn planes_are_in_order_and_normalised() {
        let rules = config(CLIP).unwrap();
        let mut out = Vec::new();
        rules.append(&picture(4, 4), &mut out).unwrap();
        assert_eq!(out.len(), rules.len());
        assert_eq!(out[..2], [-1.0, (1.0_f32 / 255.0 - 0.5) / 0.5]);
        assert_eq!(out[19..20], [(3.0_f32 / 255.0 - 0.5) / 0.25]);
        assert!(out[32..].iter().all(|value| (*value - 0.5).abs() < 1e-6));
    }

    #[test]
    fn the_centre_is_cropped() {
        // 8 x 4 stays as it is at a shorter side of 4: columns 2..6 remain.
        let rules = config(CLIP).unwrap();
        let mut out = Vec::new();
        rules.append(&picture(8, 4), &mut out).unwrap();
        let reds: Vec<f32> = [2.0_f32, 3.0, 4.0, 5.0, 10.0]
            .iter()
            .map(|v| (v / 255.0 - 0.5) / 0.5)
            .collect();
        assert_eq!(&out[..5], &reds[..]);
    }

    #[test]
    fn layouts_of_other_processors() {
        let norm = r#""image_mean":[0.5,0.5,0.5],"image_std":[0.5,0.5,0.5]"#;
        let siglip = config(&format!(
            r#"{{"size":{{"height":6,"width":5}},"resample":3,{norm}}}"#
        ))
        .unwrap();
        assert_eq!(
            (siglip.width, siglip.height, siglip.resize),
            (5, 6, Resize::Exact(5, 6))
        );
        let old_clip = config(&format!(
            r#"{{"size":8,"crop_size":8,"do_center_crop":true,"resample":3,{norm}}}"#
        ))
        .unwrap();
        assert_eq!(old_clip.resize, Resize::Shortest(8));
        let vit = config(&format!(r#"{{"size":8,{norm}}}"#)).unwrap();
        assert_eq!(
            (vit.resize, vit.filter),
            (Resize::Exact(8, 8), Filter::Bilinear)
        );
        let convnext = config(&format!(
            r#"{{"size":{{"shortest_edge":224}},"crop_pct":0.875,{norm}}}"#
        ))
        .unwrap();
        assert_eq!(
            (convnext.resize, convnext.width),
            (Resize::Shortest(256), 224)
        );
    }

    #[test]
    fn senseless_files_are_refused() {
        for json in [
            r#"{"do_resize":false,"size":4,"do_normalize":false}"#,
            r#"{"do_normalize":false}"#,
            r#"{"size":{"shortest_edge":4},"do_normalize":false}"#,
            r#"{"size":{"shortest_edge":4},"crop_size":5,"do_normalize":false}"#,
            r#"{"size":4,"resample":0,"do_normalize":false}"#,
            r#"{"size":4,"image_mean":[0.5],"image_std":[0.0]}"#,
            r#"{"size":4}"#,
        ] {
            assert_eq!(config(json).unwrap_err().code(), "bad-config", "{json}");
        }
    }

    #[test]
    fn a_line_is_refused_and_a_panorama_is_not() {
        let rules = config(CLIP).unwrap();
        assert_eq!(
            rules
                .append(&picture(1000, 1), &mut Vec::new())
                .unwrap_err()
                .code(),
            "extreme-aspect"
        );
        rules.append(&picture(100, 1), &mut Vec::new()).unwrap();
    }
}
