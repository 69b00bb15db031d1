//! The CLIP network over burn's tensors: both towers and the contrastive loss.
//!
//! Parameters are one flat tensor each, in the order of [`Config::tensors`]; a layer holds the places of its own and
//! reshapes them where it uses them. So the optimizer, the checkpoint and the training state treat all alike, and the
//! names and shapes are stated once, in the room `checkpoint`.
//!
//! Memory: activations of every layer for one batch, which the backward pass needs. Tokens are rows of a matrix
//! `[batch·tokens, width]` throughout; only attention looks at them picture by picture.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "sizes of layers and batches fit any number"
)]

use crate::TrainError;
use burn::tensor::activation::{gelu, log_softmax, sigmoid, softmax};
use burn::tensor::{Device, Int, Tensor, module};
use realsyn_checkpoint::{CheckpointError, Config};
use std::collections::HashMap;

/// Added to a score that attention must not see, as in the ONNX files.
const MASKED: f64 = -1.0e9;

/// A parameter's place in the list, and its shape as a matrix (columns 0 for a vector).
#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    rows: usize,
    columns: usize,
}

#[derive(Clone, Debug)]
struct Norm {
    weight: Place,
    bias: Place,
}

#[derive(Clone, Debug)]
struct Linear {
    weight: Place,
    bias: Place,
}

#[derive(Clone, Debug)]
struct Block {
    first: Norm,
    attention: Linear,
    mix: Linear,
    second: Norm,
    widen: Linear,
    narrow: Linear,
}

/// A stack of blocks.
#[derive(Clone, Debug)]
struct Transformer {
    blocks: Vec<Block>,
    width: usize,
    heads: usize,
    quick_gelu: bool,
}

/// The network without its weights.
#[derive(Clone, Debug)]
pub(crate) struct Clip {
    patches: Place,
    class: Place,
    image_position: Place,
    before: Norm,
    image: Transformer,
    after: Norm,
    image_projection: Place,
    table: Place,
    text_position: Place,
    text: Transformer,
    last: Norm,
    text_projection: Place,
    scale: Place,
}

/// The weights of one step: flat tensors in the order of [`Config::tensors`].
pub(crate) type Weights<'a> = &'a [Tensor<1>];

struct Names(HashMap<String, Place>);

impl Names {
    fn get(&self, name: &str) -> Result<Place, CheckpointError> {
        self.0
            .get(name)
            .copied()
            .ok_or_else(|| CheckpointError::MissingTensor(name.to_owned()))
    }

    fn norm(&self, name: &str) -> Result<Norm, CheckpointError> {
        Ok(Norm {
            weight: self.get(&format!("{name}.weight"))?,
            bias: self.get(&format!("{name}.bias"))?,
        })
    }

    fn linear(&self, weight: &str, bias: &str) -> Result<Linear, CheckpointError> {
        Ok(Linear {
            weight: self.get(weight)?,
            bias: self.get(bias)?,
        })
    }

    fn transformer(
        &self,
        name: &str,
        (layers, width, heads): (usize, usize, usize),
        quick_gelu: bool,
    ) -> Result<Transformer, CheckpointError> {
        let block = |layer: usize| {
            let name = format!("{name}.resblocks.{layer}");
            let linear = |layer: &str| {
                self.linear(
                    &format!("{name}.{layer}.weight"),
                    &format!("{name}.{layer}.bias"),
                )
            };
            Ok(Block {
                first: self.norm(&format!("{name}.ln_1"))?,
                attention: self.linear(
                    &format!("{name}.attn.in_proj_weight"),
                    &format!("{name}.attn.in_proj_bias"),
                )?,
                mix: linear("attn.out_proj")?,
                second: self.norm(&format!("{name}.ln_2"))?,
                widen: linear("mlp.c_fc")?,
                narrow: linear("mlp.c_proj")?,
            })
        };
        let blocks: Result<_, CheckpointError> = (0..layers).map(block).collect();
        Ok(Transformer {
            blocks: blocks?,
            width,
            heads,
            quick_gelu,
        })
    }
}

impl Clip {
    /// The network of a config.
    pub fn new(config: &Config) -> Result<Self, TrainError> {
        config.validate()?;
        let specs = config.tensors().into_iter().enumerate().map(|(at, spec)| {
            let rows = spec.shape.first().copied().unwrap_or(1);
            let columns = if spec.shape.len() < 2 {
                0
            } else {
                spec.shape[1..].iter().product()
            };
            (spec.name, Place { at, rows, columns })
        });
        let names = Names(specs.collect());
        let (v, t) = (&config.vision_cfg, &config.text_cfg);
        Ok(Self {
            patches: names.get("visual.conv1.weight")?,
            class: names.get("visual.class_embedding")?,
            image_position: names.get("visual.positional_embedding")?,
            before: names.norm("visual.ln_pre")?,
            image: names.transformer(
                "visual.transformer",
                (v.layers, v.width, v.heads()),
                config.quick_gelu,
            )?,
            after: names.norm("visual.ln_post")?,
            image_projection: names.get("visual.proj")?,
            table: names.get("token_embedding.weight")?,
            text_position: names.get("positional_embedding")?,
            text: names.transformer(
                "transformer",
                (t.layers, t.width, t.heads),
                config.quick_gelu,
            )?,
            last: names.norm("ln_final")?,
            text_projection: names.get("text_projection")?,
            scale: names.get("logit_scale")?,
        })
    }

    /// The place of `logit_scale` in the list of weights.
    pub fn scale_at(&self) -> usize {
        self.scale.at
    }

    /// Embeddings `[batch, embed_dim]`, not normalised, of pictures cut into patches `[batch, patches, 3·patch·patch]`.
    pub fn images(&self, weights: Weights<'_>, patches: Tensor<3>) -> Tensor<2> {
        let [batch, count, values] = patches.dims();
        let width = self.image.width;
        // Patches do not overlap, so the first layer's convolution is a product with each patch.
        let kernel = matrix(weights, self.patches).transpose();
        let x = patches
            .reshape([batch * count, values])
            .matmul(kernel)
            .reshape([batch, count, width]);
        let class = vector(weights, self.class)
            .reshape([1, 1, width])
            .expand([batch, 1, width]);
        let x =
            Tensor::cat(vec![class, x], 1) + matrix(weights, self.image_position).unsqueeze::<3>();
        let x = self
            .before
            .apply(weights, x.reshape([batch * (count + 1), width]));
        let x = self.image.apply(weights, x, (batch, count + 1), None);
        let x = x
            .reshape([batch, count + 1, width])
            .narrow(1, 0, 1)
            .reshape([batch, width]);
        self.after
            .apply(weights, x)
            .matmul(matrix(weights, self.image_projection))
    }

    /// Embeddings `[batch, embed_dim]`, not normalised, of token ids `[batch, tokens]`; `ends` holds for each text the
    /// row of its end-of-text marker among `batch·tokens`.
    pub fn texts(
        &self,
        weights: Weights<'_>,
        ids: Tensor<2, Int>,
        ends: Tensor<1, Int>,
    ) -> Tensor<2> {
        let [batch, tokens] = ids.dims();
        let width = self.text.width;
        let x = matrix(weights, self.table)
            .select(0, ids.reshape([batch * tokens]))
            .reshape([batch, tokens, width]);
        let x = x + matrix(weights, self.text_position)
            .narrow(0, 0, tokens)
            .unsqueeze::<3>();
        let mask = causal_mask(tokens, &x.device());
        let x = self.text.apply(
            weights,
            x.reshape([batch * tokens, width]),
            (batch, tokens),
            Some(&mask),
        );
        // Only the markers' rows go on; the norm looks at each row alone.
        let x = self.last.apply(weights, x.select(0, ends));
        x.matmul(matrix(weights, self.text_projection))
    }

    /// The symmetric contrastive loss (`InfoNCE`) of a batch, and how many pictures find their own text first.
    pub fn loss(
        &self,
        weights: Weights<'_>,
        images: Tensor<2>,
        texts: Tensor<2>,
    ) -> (Tensor<1>, Tensor<1>) {
        let [batch, _] = images.dims();
        let scale = vector(weights, self.scale).exp().reshape([1, 1]);
        let logits = normalise(images).matmul(normalise(texts).transpose()) * scale;
        let device = logits.device();
        let own = Tensor::<2>::eye(batch, &device);
        let of_images = log_softmax(logits.clone(), 1);
        let of_texts = log_softmax(logits.clone(), 0);
        let loss = ((of_images + of_texts) * own)
            .sum()
            .mul_scalar(-0.5 / batch as f64);
        let first = logits.detach().argmax(1).reshape([batch]);
        let hits = first
            .equal(Tensor::arange(0..batch as i64, &device))
            .float()
            .sum();
        (loss, hits)
    }
}

impl Norm {
    fn apply(&self, weights: Weights<'_>, x: Tensor<2>) -> Tensor<2> {
        module::layer_norm(
            x,
            vector(weights, self.weight),
            Some(vector(weights, self.bias)),
            1e-5,
        )
    }
}

impl Linear {
    fn apply(&self, weights: Weights<'_>, x: Tensor<2>) -> Tensor<2> {
        x.matmul(matrix(weights, self.weight).transpose())
            + vector(weights, self.bias).unsqueeze::<2>()
    }
}

impl Transformer {
    /// `x` `[batch·tokens, width]` through all blocks.
    fn apply(
        &self,
        weights: Weights<'_>,
        mut x: Tensor<2>,
        (batch, tokens): (usize, usize),
        mask: Option<&Tensor<4>>,
    ) -> Tensor<2> {
        for block in &self.blocks {
            let normed = block.first.apply(weights, x.clone());
            let packed = block.attention.apply(weights, normed);
            let attended = self.attention(&packed, (batch, tokens), mask);
            x = x + block.mix.apply(weights, attended);
            let normed = block.second.apply(weights, x.clone());
            let hidden = block.widen.apply(weights, normed);
            let hidden = if self.quick_gelu {
                hidden.clone() * sigmoid(hidden.mul_scalar(1.702))
            } else {
                gelu(hidden)
            };
            x = x + block.narrow.apply(weights, hidden);
        }
        x
    }

    /// Attention of rows that hold query, key and value side by side.
    fn attention(
        &self,
        packed: &Tensor<2>,
        (batch, tokens): (usize, usize),
        mask: Option<&Tensor<4>>,
    ) -> Tensor<2> {
        let head = self.width / self.heads;
        let part = |which: usize| {
            let part = packed.clone().narrow(1, which * self.width, self.width);
            part.reshape([batch, tokens, self.heads, head])
                .swap_dims(1, 2)
        };
        let query = part(0).mul_scalar(1.0 / (head as f64).sqrt());
        let scores = query.matmul(part(1).swap_dims(2, 3));
        let scores = match mask {
            Some(mask) => scores + mask.clone(),
            None => scores,
        };
        let mixed = softmax(scores, 3).matmul(part(2));
        mixed.swap_dims(1, 2).reshape([batch * tokens, self.width])
    }
}

fn vector(weights: Weights<'_>, place: Place) -> Tensor<1> {
    weights[place.at].clone()
}

fn matrix(weights: Weights<'_>, place: Place) -> Tensor<2> {
    weights[place.at]
        .clone()
        .reshape([place.rows, place.columns])
}

/// `[1, 1, tokens, tokens]`: 0 on and below the diagonal.
fn causal_mask(tokens: usize, device: &Device) -> Tensor<4> {
    Tensor::<2>::ones([tokens, tokens], device)
        .triu(1)
        .mul_scalar(MASKED)
        .unsqueeze::<4>()
}

/// Rows divided by their length, which is taken as 1e-12 at least (`PyTorch`'s `normalize`).
fn normalise(x: Tensor<2>) -> Tensor<2> {
    let length = x.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
    x / length
}
