//! From a picture to the rows of patches that the image tower takes.
//!
//! Resize, crop and normalisation are those that `preprocessor_config.json` of the written directory names, so a model is
//! run on what it was trained on. Memory: the decoded picture and one tensor.

use realsyn_checkpoint::{PreprocessConfig, VisionConfig};
use realsyn_picture::{Filter, Limits, PictureError, Rgb};
use realsyn_record::uniform;

/// How a picture becomes square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crop {
    /// The middle, as in inference.
    Centre,
    /// Another part of 90 to 100% of the area each epoch, as `OpenCLIP` trains (torchvision's `RandomResizedCrop`).
    Random,
}

/// What turns pictures into patches.
#[derive(Clone, Debug)]
pub struct Pixels {
    side: u32,
    patch: usize,
    crop: Crop,
    limits: Limits,
    /// For each channel, the number that each of the 256 levels becomes.
    levels: [[f32; 256]; 3],
}

impl Pixels {
    /// The rules for a model.
    #[must_use]
    pub fn new(vision: &VisionConfig, preprocess: &PreprocessConfig, crop: Crop) -> Self {
        let levels = std::array::from_fn(|channel| {
            levels(preprocess.mean[channel], preprocess.std[channel])
        });
        let side = u32::try_from(vision.image_size).unwrap_or(u32::MAX);
        Self {
            side,
            patch: vision.patch_size,
            crop,
            limits: Limits::default(),
            levels,
        }
    }

    /// Reads and decodes the picture at `path`, or else `url`.
    ///
    /// # Errors
    /// The picture's own error.
    pub fn open(&self, path: Option<&str>, url: Option<&str>) -> Result<Rgb, PictureError> {
        realsyn_picture::decode(
            &realsyn_picture::read(path, url, &self.limits)?,
            &self.limits,
        )
    }

    /// Appends one picture's patches `[patches, 3·patch·patch]`, each patch's values in the order of the first layer's
    /// weights (channel, row, column). `seed` and `key` decide where a random crop lies.
    pub fn append(&self, picture: &Rgb, seed: u64, key: &str, out: &mut Vec<f32>) {
        let square = match self.crop {
            Crop::Centre => self.centre(picture),
            Crop::Random => self.random(picture, seed, key),
        };
        let (side, patch) = (self.side as usize, self.patch);
        for top in (0..side).step_by(patch) {
            for left in (0..side).step_by(patch) {
                for (channel, levels) in self.levels.iter().enumerate() {
                    for row in top..top + patch {
                        let start = 3 * (row * side + left) + channel;
                        let values = square.pixels[start..].iter().step_by(3).take(patch);
                        out.extend(values.map(|level| levels[usize::from(*level)]));
                    }
                }
            }
        }
    }

    /// The shorter side to the tower's, then the middle: Hugging Face's `CLIPImageProcessor`.
    fn centre(&self, picture: &Rgb) -> Rgb {
        let (short, long) = (
            picture.width.min(picture.height).max(1),
            picture.width.max(picture.height),
        );
        // Cut square first where the picture is a mere line: resizing all of it could take gigabytes.
        if long / short > 100 {
            let (x, y) = ((picture.width - short) / 2, (picture.height - short) / 2);
            return picture
                .crop(x, y, short, short)
                .resize(self.side, self.side, Filter::Bicubic);
        }
        let other = u64::from(self.side) * u64::from(long) / u64::from(short);
        let other = u32::try_from(other).unwrap_or(u32::MAX);
        let (w, h) = if picture.width <= picture.height {
            (self.side, other)
        } else {
            (other, self.side)
        };
        picture.resize(w, h, Filter::Bicubic).crop(
            (w - self.side) / 2,
            (h - self.side) / 2,
            self.side,
            self.side,
        )
    }

    fn random(&self, picture: &Rgb, seed: u64, key: &str) -> Rgb {
        let (width, height) = (f64::from(picture.width), f64::from(picture.height));
        for attempt in 0..10 {
            let draw = |what: &str| uniform(seed, &format!("{what}/{attempt}/{key}"));
            let area = width * height * (0.9 + 0.1 * draw("crop-area"));
            let ratio = ((draw("crop-ratio") * 2.0 - 1.0) * (4.0f64 / 3.0).ln()).exp();
            let (w, h) = ((area * ratio).sqrt().round(), (area / ratio).sqrt().round());
            if w >= 1.0 && h >= 1.0 && w <= width && h <= height {
                let x = (draw("crop-x") * (width - w + 1.0)).floor();
                let y = (draw("crop-y") * (height - h + 1.0)).floor();
                let [x, y, w, h] = [x, y, w, h].map(whole);
                return picture
                    .crop(x, y, w, h)
                    .resize(self.side, self.side, Filter::Bicubic);
            }
        }
        self.centre(picture)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within the picture's size"
)]
fn whole(value: f64) -> u32 {
    value as u32
}

/// (level / 255 − mean) / std, with the roundings to f32 that `NumPy` makes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "f64 to f32 rounds, as NumPy does"
)]
fn levels(mean: f64, std: f64) -> [f32; 256] {
    std::array::from_fn(|level| {
        let scaled = (level as f64 * (1.0 / 255.0)) as f32;
        (scaled - mean as f32) / std as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use realsyn_checkpoint::Config;

    fn pixels(crop: Crop) -> Pixels {
        let plain = PreprocessConfig {
            mean: [0.0; 3],
            std: [1.0 / 255.0; 3],
        };
        Pixels::new(&Config::tiny().vision_cfg, &plain, crop)
    }

    fn picture(width: u32, height: u32) -> Rgb {
        let pixels = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [x.to_le_bytes()[0], y.to_le_bytes()[0], 7]))
            .collect();
        Rgb {
            width,
            height,
            pixels,
        }
    }

    #[test]
    fn patches_are_in_the_order_of_the_first_layers_weights() {
        let mut out = Vec::new();
        pixels(Crop::Centre).append(&picture(16, 16), 0, "", &mut out);
        assert_eq!(out.len(), 4 * 3 * 8 * 8);
        let at = |patch: usize, channel: usize, row: usize, column: usize| {
            out[((patch * 3 + channel) * 8 + row) * 8 + column]
        };
        let close = |a: f32, b: f32| (a - b).abs() < 1e-3;
        // Patch 1 is the upper right: its first pixel lies at x = 8, y = 0; patch 2 the lower left.
        assert!(
            close(at(1, 0, 0, 0), 8.0) && close(at(1, 1, 0, 0), 0.0) && close(at(1, 2, 3, 3), 7.0)
        );
        assert!(close(at(2, 0, 5, 3), 3.0) && close(at(2, 1, 5, 3), 13.0));
    }

    #[test]
    fn the_middle_of_a_wide_picture_is_kept() {
        let mut out = Vec::new();
        pixels(Crop::Centre).append(&picture(32, 16), 0, "", &mut out);
        assert!((out[0] - 8.0).abs() < 1e-3, "{}", out[0]);
        out.clear();
        pixels(Crop::Centre).append(&picture(255, 1), 0, "", &mut out);
        assert_eq!(out.len(), 4 * 3 * 8 * 8);
    }

    #[test]
    fn a_random_crop_is_decided_by_seed_and_key() {
        let crop = |seed, key| {
            let mut out = Vec::new();
            pixels(Crop::Random).append(&picture(60, 50), seed, key, &mut out);
            out
        };
        assert_eq!(crop(1, "0/a"), crop(1, "0/a"));
        assert_ne!(crop(1, "0/a"), crop(1, "1/a"));
        assert_ne!(crop(1, "0/a"), crop(2, "0/a"));
    }
}
