//! OpenCLIP's model config: the sizes of both towers, and from them the name, shape and initialisation of every tensor.
//!
//! Only what [`crate::Checkpoint`] can hold and write as ONNX is accepted: a key of `OpenCLIP`'s that would change the
//! network (`timm_model_name`, `pool_type`, …) is refused, never ignored.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "sizes of layers are far below 2^53, and weights are f32 by definition"
)]

use crate::CheckpointError;
use serde::{Deserialize, Serialize};

/// A CLIP model's sizes, in `OpenCLIP`'s JSON form.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Dimensions of the space that both towers share.
    pub embed_dim: usize,
    /// `x·σ(1.702x)` in place of the exact GELU: `OpenAI`'s own weights need it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quick_gelu: bool,
    /// The image tower.
    pub vision_cfg: VisionConfig,
    /// The text tower.
    pub text_cfg: TextConfig,
}

/// The image tower: a vision transformer whose class token is the picture's embedding.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VisionConfig {
    /// Side of the square picture, in pixels.
    pub image_size: usize,
    /// Transformer blocks.
    pub layers: usize,
    /// Dimensions of a token inside the tower.
    pub width: usize,
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Dimensions of one attention head.
    #[serde(default = "default_head_width")]
    pub head_width: usize,
    /// Width of a block's hidden layer over the tower's.
    #[serde(
        default = "default_mlp_ratio",
        skip_serializing_if = "is_default_mlp_ratio"
    )]
    pub mlp_ratio: f64,
}

/// The text tower: a causal transformer whose embedding is read at the end-of-text token.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TextConfig {
    /// The longest text in tokens, both markers included.
    pub context_length: usize,
    /// Number of token ids; the largest is the end-of-text marker.
    pub vocab_size: usize,
    /// Dimensions of a token inside the tower.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Transformer blocks.
    pub layers: usize,
    /// Width of a block's hidden layer over the tower's.
    #[serde(
        default = "default_mlp_ratio",
        skip_serializing_if = "is_default_mlp_ratio"
    )]
    pub mlp_ratio: f64,
}

/// What is done to a picture's pixels before the image tower sees them.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PreprocessConfig {
    /// What is subtracted from each channel's value in 0..1.
    pub mean: [f64; 3],
    /// What the difference is divided by.
    pub std: [f64; 3],
}

impl Default for PreprocessConfig {
    /// CLIP's own constants.
    fn default() -> Self {
        Self {
            mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
            std: [0.268_629_54, 0.261_302_58, 0.275_777_11],
        }
    }
}

/// How a tensor is filled before training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Every value the same.
    Constant(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform in ± this bound.
    Uniform(f64),
}

/// One tensor that a config calls for.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// `OpenCLIP`'s name.
    pub name: String,
    /// Its shape; linear weights are `[out, in]`.
    pub shape: Vec<usize>,
    /// How `OpenCLIP` fills it.
    pub init: Init,
}

impl TensorSpec {
    /// Whether weight decay applies, by `OpenCLIP`'s rule: matrices decay; biases, norms, the class token and
    /// `logit_scale`, all of fewer than two dimensions, do not.
    #[must_use]
    pub fn decays(&self) -> bool {
        self.shape.len() >= 2
    }
}

fn default_head_width() -> usize {
    64
}

fn default_mlp_ratio() -> f64 {
    4.0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if passes a reference"
)]
#[expect(
    clippy::float_cmp,
    reason = "the literal default, not a computed value"
)]
fn is_default_mlp_ratio(ratio: &f64) -> bool {
    *ratio == default_mlp_ratio()
}

/// A row of the built-in table: name, shared dimensions, then the fields of the image and of the text tower in the order
/// of [`Config::from_row`].
type Row = (&'static str, usize, [usize; 5], [usize; 5]);

/// The three models of the paper, and small ones that two cores train.
const BUILT_IN: &[Row] = &[
    (
        "ViT-B-32",
        512,
        [224, 12, 768, 32, 64],
        [77, 49408, 512, 8, 12],
    ),
    (
        "ViT-B-16",
        512,
        [224, 12, 768, 16, 64],
        [77, 49408, 512, 8, 12],
    ),
    (
        "ViT-L-14",
        768,
        [224, 24, 1024, 14, 64],
        [77, 49408, 768, 12, 12],
    ),
    (
        "ViT-small-16-112",
        256,
        [112, 6, 256, 16, 64],
        [77, 16384, 256, 4, 4],
    ),
    (
        "ViT-tiny-16-64",
        128,
        [64, 4, 128, 16, 32],
        [48, 8192, 128, 4, 3],
    ),
    (
        "ViT-micro-8-32",
        32,
        [32, 2, 32, 8, 16],
        [24, 1024, 32, 2, 2],
    ),
];

impl Config {
    /// The names that [`Config::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|row| row.0)
    }

    /// A built-in config: the paper's `ViT-B-32`, `ViT-B-16` and `ViT-L-14` as `OpenCLIP` has them, and small ones of
    /// this project's own.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (_, embed_dim, vision, text) = BUILT_IN.iter().find(|row| row.0 == name)?;
        Some(Self::from_row(*embed_dim, *vision, *text))
    }

    /// The smallest useful model (about 20,000 weights), for tests: 16-pixel pictures, 12 tokens, the 514 ids of
    /// [`crate::tokenizer::json`] without merges.
    #[must_use]
    pub fn tiny() -> Self {
        Self::from_row(16, [16, 2, 16, 8, 8], [12, 514, 16, 2, 2])
    }

    fn from_row(embed_dim: usize, v: [usize; 5], t: [usize; 5]) -> Self {
        Self {
            embed_dim,
            quick_gelu: false,
            vision_cfg: VisionConfig {
                image_size: v[0],
                layers: v[1],
                width: v[2],
                patch_size: v[3],
                head_width: v[4],
                mlp_ratio: default_mlp_ratio(),
            },
            text_cfg: TextConfig {
                context_length: t[0],
                vocab_size: t[1],
                width: t[2],
                heads: t[3],
                layers: t[4],
                mlp_ratio: default_mlp_ratio(),
            },
        }
    }

    /// Reads `OpenCLIP`'s JSON: the bare model config, or a hub's `open_clip_config.json` with `model_cfg` and
    /// `preprocess_cfg`.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the JSON is not a config of this shape, has a key that would change the network,
    /// or has sizes that do not fit each other.
    pub fn from_json(json: &str) -> Result<(Self, PreprocessConfig), CheckpointError> {
        #[derive(Deserialize)]
        struct Hub {
            model_cfg: Config,
            #[serde(default)]
            preprocess_cfg: PreprocessConfig,
        }
        let bad = |error: serde_json::Error| CheckpointError::Config(error.to_string());
        let value: serde_json::Value = serde_json::from_str(json).map_err(bad)?;
        let (config, preprocess) = if value.get("model_cfg").is_some() {
            let hub: Hub = serde_json::from_value(value).map_err(bad)?;
            (hub.model_cfg, hub.preprocess_cfg)
        } else {
            (
                serde_json::from_value(value).map_err(bad)?,
                PreprocessConfig::default(),
            )
        };
        config.validate()?;
        Ok((config, preprocess))
    }

    /// Checks that the sizes fit each other.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] names the first that does not.
    pub fn validate(&self) -> Result<(), CheckpointError> {
        let (v, t) = (&self.vision_cfg, &self.text_cfg);
        let positive = [
            ("embed_dim", self.embed_dim),
            ("vision_cfg.image_size", v.image_size),
            ("vision_cfg.layers", v.layers),
            ("vision_cfg.width", v.width),
            ("vision_cfg.patch_size", v.patch_size),
            ("vision_cfg.head_width", v.head_width),
            ("text_cfg.width", t.width),
            ("text_cfg.heads", t.heads),
            ("text_cfg.layers", t.layers),
        ];
        let fail = |message: String| Err(CheckpointError::Config(message));
        for (name, size) in positive {
            if !(1..=1 << 20).contains(&size) {
                return fail(format!("{name} is {size}, it must be in 1..=1048576"));
            }
        }
        for (name, size, factor) in [
            (
                "vision_cfg.image_size is no multiple of patch_size",
                v.image_size,
                v.patch_size,
            ),
            (
                "vision_cfg.width is no multiple of head_width",
                v.width,
                v.head_width,
            ),
            ("text_cfg.width is no multiple of heads", t.width, t.heads),
        ] {
            if size % factor != 0 {
                return fail(name.to_owned());
            }
        }
        if !(3..=1 << 20).contains(&t.context_length) {
            return fail(format!(
                "text_cfg.context_length is {}, it must be in 3..=1048576",
                t.context_length
            ));
        }
        if !(3..=1 << 24).contains(&t.vocab_size) {
            return fail(format!(
                "text_cfg.vocab_size is {}, it must be in 3..=16777216",
                t.vocab_size
            ));
        }
        for (name, ratio) in [("vision_cfg", v.mlp_ratio), ("text_cfg", t.mlp_ratio)] {
            if !(ratio > 0.0 && ratio <= 64.0) {
                return fail(format!(
                    "{name}.mlp_ratio is {ratio}, it must be above 0 and at most 64"
                ));
            }
        }
        Ok(())
    }

    /// Every tensor of the model with its shape and `OpenCLIP`'s initialisation, in a fixed order.
    #[must_use]
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let mut specs = Specs(Vec::new());
        self.vision_tensors(&mut specs);
        self.text_tensors(&mut specs);
        // ln(1/0.07): the temperature that CLIP starts from.
        specs.add(
            "logit_scale",
            &[],
            Init::Constant((1.0f64 / 0.07).ln() as f32),
        );
        specs.0
    }

    /// Number of trained values.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.tensors()
            .iter()
            .map(|spec| spec.shape.iter().product::<usize>())
            .sum()
    }

    fn vision_tensors(&self, specs: &mut Specs) {
        let v = &self.vision_cfg;
        let scale = (v.width as f64).powf(-0.5);
        let patch = 3 * v.patch_size * v.patch_size;
        specs.add("visual.class_embedding", &[v.width], Init::Normal(scale));
        specs.add(
            "visual.positional_embedding",
            &[v.patches() + 1, v.width],
            Init::Normal(scale),
        );
        specs.add(
            "visual.proj",
            &[v.width, self.embed_dim],
            Init::Normal(scale),
        );
        let conv = [v.width, 3, v.patch_size, v.patch_size];
        specs.add(
            "visual.conv1.weight",
            &conv,
            Init::Uniform((patch as f64).powf(-0.5)),
        );
        specs.norm("visual.ln_pre", v.width);
        for layer in 0..v.layers {
            let hidden = v.mlp_width();
            // PyTorch's defaults: Xavier for MultiheadAttention's input, He for Linear. OpenCLIP leaves the image tower so.
            let fill = Fill {
                attn_in: Init::Uniform((6.0 / (4.0 * v.width as f64)).sqrt()),
                attn_out: Init::Uniform(scale),
                fc: Init::Uniform(scale),
                proj: Init::Uniform((hidden as f64).powf(-0.5)),
            };
            specs.block(
                &format!("visual.transformer.resblocks.{layer}"),
                v.width,
                hidden,
                &fill,
            );
        }
        specs.norm("visual.ln_post", v.width);
    }

    fn text_tensors(&self, specs: &mut Specs) {
        let t = &self.text_cfg;
        let width = t.width as f64;
        specs.add(
            "token_embedding.weight",
            &[t.vocab_size, t.width],
            Init::Normal(0.02),
        );
        specs.add(
            "positional_embedding",
            &[t.context_length, t.width],
            Init::Normal(0.01),
        );
        let residual = width.powf(-0.5) * (2.0 * t.layers as f64).powf(-0.5);
        let fill = Fill {
            attn_in: Init::Normal(width.powf(-0.5)),
            attn_out: Init::Normal(residual),
            fc: Init::Normal((2.0 * width).powf(-0.5)),
            proj: Init::Normal(residual),
        };
        for layer in 0..t.layers {
            specs.block(
                &format!("transformer.resblocks.{layer}"),
                t.width,
                t.mlp_width(),
                &fill,
            );
        }
        specs.norm("ln_final", t.width);
        specs.add(
            "text_projection",
            &[t.width, self.embed_dim],
            Init::Normal(width.powf(-0.5)),
        );
    }
}

impl VisionConfig {
    /// Number of patches of a picture.
    #[must_use]
    pub fn patches(&self) -> usize {
        (self.image_size / self.patch_size).pow(2)
    }

    /// Number of attention heads.
    #[must_use]
    pub fn heads(&self) -> usize {
        self.width / self.head_width
    }

    /// Width of a block's hidden layer.
    #[must_use]
    pub fn mlp_width(&self) -> usize {
        scaled(self.width, self.mlp_ratio)
    }
}

impl TextConfig {
    /// Width of a block's hidden layer.
    #[must_use]
    pub fn mlp_width(&self) -> usize {
        scaled(self.width, self.mlp_ratio)
    }
}

#[expect(
    clippy::cast_sign_loss,
    reason = "validated positive and small; Python's int() truncates as well"
)]
fn scaled(width: usize, ratio: f64) -> usize {
    (width as f64 * ratio) as usize
}

/// How one tower's blocks are filled.
struct Fill {
    attn_in: Init,
    attn_out: Init,
    fc: Init,
    proj: Init,
}

struct Specs(Vec<TensorSpec>);

impl Specs {
    fn add(&mut self, name: &str, shape: &[usize], init: Init) {
        self.0.push(TensorSpec {
            name: name.to_owned(),
            shape: shape.to_vec(),
            init,
        });
    }

    fn norm(&mut self, name: &str, width: usize) {
        self.add(&format!("{name}.weight"), &[width], Init::Constant(1.0));
        self.add(&format!("{name}.bias"), &[width], Init::Constant(0.0));
    }

    fn block(&mut self, name: &str, width: usize, hidden: usize, fill: &Fill) {
        let bound = |inputs: usize| Init::Uniform((inputs as f64).powf(-0.5));
        self.norm(&format!("{name}.ln_1"), width);
        self.add(
            &format!("{name}.attn.in_proj_weight"),
            &[3 * width, width],
            fill.attn_in,
        );
        self.add(
            &format!("{name}.attn.in_proj_bias"),
            &[3 * width],
            Init::Constant(0.0),
        );
        self.add(
            &format!("{name}.attn.out_proj.weight"),
            &[width, width],
            fill.attn_out,
        );
        self.add(
            &format!("{name}.attn.out_proj.bias"),
            &[width],
            Init::Constant(0.0),
        );
        self.norm(&format!("{name}.ln_2"), width);
        self.add(
            &format!("{name}.mlp.c_fc.weight"),
            &[hidden, width],
            fill.fc,
        );
        self.add(&format!("{name}.mlp.c_fc.bias"), &[hidden], bound(width));
        self.add(
            &format!("{name}.mlp.c_proj.weight"),
            &[width, hidden],
            fill.proj,
        );
        self.add(&format!("{name}.mlp.c_proj.bias"), &[width], bound(hidden));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vit_b_32_has_openclips_number_of_parameters() {
        // open_clip.create_model("ViT-B-32"): sum(p.numel()) = 151,277,313.
        assert_eq!(Config::named("ViT-B-32").unwrap().parameters(), 151_277_313);
        assert_eq!(Config::named("ViT-L-14").unwrap().parameters(), 427_616_513);
    }

    #[test]
    fn every_built_in_config_is_valid_and_survives_json() {
        for name in Config::names() {
            let config = Config::named(name).unwrap();
            config.validate().unwrap();
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(Config::from_json(&json).unwrap().0, config, "{name}");
        }
        Config::tiny().validate().unwrap();
    }

    #[test]
    fn reads_open_clips_own_files_and_refuses_what_would_change_the_network() {
        let bare = r#"{"embed_dim":512,"vision_cfg":{"image_size":224,"layers":12,"width":768,"patch_size":32},
            "text_cfg":{"context_length":77,"vocab_size":49408,"width":512,"heads":8,"layers":12}}"#;
        assert_eq!(
            Config::from_json(bare).unwrap().0,
            Config::named("ViT-B-32").unwrap()
        );
        let hub = format!(
            r#"{{"model_cfg":{bare},"preprocess_cfg":{{"mean":[0.5,0.5,0.5],"std":[1,1,1]}}}}"#
        );
        assert!(
            Config::from_json(&hub)
                .unwrap()
                .1
                .mean
                .iter()
                .all(|mean| (mean - 0.5).abs() < 1e-12)
        );
        let timm = bare.replace("\"width\":768", "\"width\":768,\"timm_model_name\":\"x\"");
        assert_eq!(Config::from_json(&timm).unwrap_err().code(), "bad-config");
        for wrong in ["\"patch_size\":33", "\"patch_size\":0"] {
            assert!(Config::from_json(&bare.replace("\"patch_size\":32", wrong)).is_err());
        }
    }

    #[test]
    fn decay_spares_what_has_fewer_than_two_dimensions() {
        let specs = Config::tiny().tensors();
        let decays = |name: &str| {
            specs
                .iter()
                .find(|spec| spec.name == name)
                .unwrap()
                .decays()
        };
        assert!(decays("visual.proj") && decays("token_embedding.weight"));
        assert!(
            !decays("logit_scale")
                && !decays("visual.class_embedding")
                && !decays("ln_final.weight")
        );
    }
}
