//! Both towers as ONNX graphs, in operators that ONNX Runtime and rten both run.
//!
//! | file | input | output |
//! |---|---|---|
//! | `vision_model.onnx` | `pixel_values` f32 `[batch, 3, side, side]` | `image_embeds` f32 `[batch, embed_dim]` |
//! | `text_model.onnx` | `input_ids` i64 `[batch, tokens]`, at most `context_length` tokens | `text_embeds` f32 `[batch, embed_dim]` |
//!
//! Embeddings are not normalised (as in Hugging Face's exports of single towers): whoever compares them divides by
//! their length. A text is read at its first largest id, the end-of-text marker, and attention looks back only, so what
//! pads a batch after that marker cannot reach the output and no attention mask is needed.

#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "sizes of layers fit any number, and a scale is f32 by definition"
)]

use crate::proto::{Attribute, Dim, Graph, Type};
use crate::{Checkpoint, CheckpointError};

/// Added to a score that attention must not see: its exponential is zero in f32. Not -∞, whose difference from itself
/// some engines' softmax forms.
const MASKED: f32 = -1.0e9;

/// One tower under construction.
struct Tower<'a> {
    graph: Graph<'a>,
    checkpoint: &'a Checkpoint,
    width: usize,
    heads: usize,
    quick_gelu: bool,
}

/// The image tower's graph.
pub(crate) fn vision(checkpoint: &Checkpoint) -> Result<Graph<'_>, CheckpointError> {
    let config = checkpoint.config();
    let v = &config.vision_cfg;
    let mut tower = Tower {
        graph: Graph::new("vision"),
        checkpoint,
        width: v.width,
        heads: v.heads(),
        quick_gelu: config.quick_gelu,
    };
    let (side, patch) = (v.image_size, v.patch_size as i64);
    let shape = [
        Dim::Named("batch"),
        Dim::Fixed(3),
        Dim::Fixed(side),
        Dim::Fixed(side),
    ];
    let pixels = tower.graph.input("pixel_values", Type::Float, &shape);
    let kernel = tower.weight("visual.conv1.weight")?;
    let strides = [
        Attribute::Ints("kernel_shape", &[patch, patch]),
        Attribute::Ints("strides", &[patch, patch]),
    ];
    let x = tower.graph.op("Conv", &[&pixels, &kernel], &strides);
    // [batch, width, rows, columns] → [batch, patches, width], then the class token before the patches.
    let shape = tower.graph.ints(&[0, v.width as i64, -1]);
    let x = tower.graph.op("Reshape", &[&x, &shape], &[]);
    let x = tower
        .graph
        .op("Transpose", &[&x], &[Attribute::Ints("perm", &[0, 2, 1])]);
    let class = tower.class_tokens(&x)?;
    let x = tower
        .graph
        .op("Concat", &[&class, &x], &[Attribute::Int("axis", 1)]);
    let position = tower.weight("visual.positional_embedding")?;
    let x = tower.graph.op("Add", &[&x, &position], &[]);
    let mut x = tower.norm(&x, "visual.ln_pre")?;
    for layer in 0..v.layers {
        x = tower.block(&x, &format!("visual.transformer.resblocks.{layer}"), None)?;
    }
    let first = tower.graph.int(0);
    let x = tower
        .graph
        .op("Gather", &[&x, &first], &[Attribute::Int("axis", 1)]);
    let x = tower.norm(&x, "visual.ln_post")?;
    let projection = tower.weight("visual.proj")?;
    let x = tower.graph.op("MatMul", &[&x, &projection], &[]);
    tower.graph.output(
        &x,
        "image_embeds",
        &[Dim::Named("batch"), Dim::Fixed(config.embed_dim)],
    );
    Ok(tower.graph)
}

/// The text tower's graph.
pub(crate) fn text(checkpoint: &Checkpoint) -> Result<Graph<'_>, CheckpointError> {
    let config = checkpoint.config();
    let t = &config.text_cfg;
    let mut tower = Tower {
        graph: Graph::new("text"),
        checkpoint,
        width: t.width,
        heads: t.heads,
        quick_gelu: config.quick_gelu,
    };
    let ids = tower.graph.input(
        "input_ids",
        Type::Int64,
        &[Dim::Named("batch"), Dim::Named("tokens")],
    );
    let table = tower.weight("token_embedding.weight")?;
    let x = tower
        .graph
        .op("Gather", &[&table, &ids], &[Attribute::Int("axis", 0)]);
    let (zero, one) = (tower.graph.ints(&[0]), tower.graph.ints(&[1]));
    let shape = tower.graph.op("Shape", &[&ids], &[]);
    let tokens = tower
        .graph
        .op("Gather", &[&shape, &one], &[Attribute::Int("axis", 0)]);
    let position = tower.weight("positional_embedding")?;
    let position = tower
        .graph
        .op("Slice", &[&position, &zero, &tokens, &zero], &[]);
    let mut x = tower.graph.op("Add", &[&x, &position], &[]);
    let mask = tower.causal_mask(t.context_length, &zero, &one, &tokens);
    for layer in 0..t.layers {
        x = tower.block(&x, &format!("transformer.resblocks.{layer}"), Some(&mask))?;
    }
    // x[b, argmax(ids[b])]: the end-of-text marker has the largest id. ArgMax gives the first of equals.
    let keep = [Attribute::Int("axis", 1), Attribute::Int("keepdims", 1)];
    let end = tower.graph.op("ArgMax", &[&ids], &keep);
    let x = tower
        .graph
        .op("GatherND", &[&x, &end], &[Attribute::Int("batch_dims", 1)]);
    let x = tower.norm(&x, "ln_final")?;
    let projection = tower.weight("text_projection")?;
    let x = tower.graph.op("MatMul", &[&x, &projection], &[]);
    tower.graph.output(
        &x,
        "text_embeds",
        &[Dim::Named("batch"), Dim::Fixed(config.embed_dim)],
    );
    Ok(tower.graph)
}

impl Tower<'_> {
    /// A weight as it is, under its own name.
    fn weight(&mut self, name: &str) -> Result<String, CheckpointError> {
        let tensor = self.checkpoint.tensor(name)?;
        Ok(self
            .graph
            .floats(name, &tensor.shape, tensor.data.as_slice()))
    }

    /// The class token once a picture of `x` `[batch, patches, width]`.
    fn class_tokens(&mut self, x: &str) -> Result<String, CheckpointError> {
        let tensor = self.checkpoint.tensor("visual.class_embedding")?;
        let class = self.graph.floats(
            "visual.class_embedding",
            &[1, 1, self.width],
            tensor.data.as_slice(),
        );
        let shape = self.graph.op("Shape", &[x], &[]);
        let zero = self.graph.ints(&[0]);
        let batch = self
            .graph
            .op("Gather", &[&shape, &zero], &[Attribute::Int("axis", 0)]);
        let rest = self.graph.ints(&[1, self.width as i64]);
        let shape = self
            .graph
            .op("Concat", &[&batch, &rest], &[Attribute::Int("axis", 0)]);
        Ok(self.graph.op("Expand", &[&class, &shape], &[]))
    }

    /// `[tokens, tokens]`: 0 on and below the diagonal.
    fn causal_mask(&mut self, context: usize, zero: &str, one: &str, tokens: &str) -> String {
        let values: Vec<f32> = (0..context)
            .flat_map(|row| (0..context).map(move |column| if column > row { MASKED } else { 0.0 }))
            .collect();
        let mask = self
            .graph
            .floats("causal_mask", &[context, context], values);
        let mask = self.graph.op("Slice", &[&mask, zero, tokens, zero], &[]);
        self.graph.op("Slice", &[&mask, zero, tokens, one], &[])
    }

    fn norm(&mut self, x: &str, name: &str) -> Result<String, CheckpointError> {
        let (weight, bias) = (
            self.weight(&format!("{name}.weight"))?,
            self.weight(&format!("{name}.bias"))?,
        );
        let attributes = [
            Attribute::Int("axis", -1),
            Attribute::Float("epsilon", 1e-5),
        ];
        Ok(self
            .graph
            .op("LayerNormalization", &[x, &weight, &bias], &attributes))
    }

    /// x·Wᵀ + b on the last dimension; `W` is `[out, in]` and is stored transposed, as `MatMul` wants it.
    fn linear(&mut self, x: &str, weight: &str, bias: &str) -> Result<String, CheckpointError> {
        let tensor = self.checkpoint.tensor(weight)?;
        let matrix = self.graph.transposed(
            &format!("{weight}.T"),
            tensor.shape[0],
            tensor.shape[1],
            &tensor.data,
        );
        let product = self.graph.op("MatMul", &[x, &matrix], &[]);
        let bias = self.weight(bias)?;
        Ok(self.graph.op("Add", &[&product, &bias], &[]))
    }

    /// A residual block: attention, then the two-layer perceptron, each after a norm.
    fn block(
        &mut self,
        x: &str,
        name: &str,
        mask: Option<&str>,
    ) -> Result<String, CheckpointError> {
        let normed = self.norm(x, &format!("{name}.ln_1"))?;
        let attended = self.attention(&normed, &format!("{name}.attn"), mask)?;
        let x = self.graph.op("Add", &[x, &attended], &[]);
        let normed = self.norm(&x, &format!("{name}.ln_2"))?;
        let hidden = self.linear(
            &normed,
            &format!("{name}.mlp.c_fc.weight"),
            &format!("{name}.mlp.c_fc.bias"),
        )?;
        let hidden = self.gelu(&hidden);
        let out = self.linear(
            &hidden,
            &format!("{name}.mlp.c_proj.weight"),
            &format!("{name}.mlp.c_proj.bias"),
        )?;
        Ok(self.graph.op("Add", &[&x, &out], &[]))
    }

    fn attention(
        &mut self,
        x: &str,
        name: &str,
        mask: Option<&str>,
    ) -> Result<String, CheckpointError> {
        let head = self.width / self.heads;
        let packed = self.linear(
            x,
            &format!("{name}.in_proj_weight"),
            &format!("{name}.in_proj_bias"),
        )?;
        // [batch, tokens, 3·width] → [batch, tokens, 3, heads, head], of which one of the three at a time.
        let shape = self.graph.ints(&[0, 0, 3, self.heads as i64, head as i64]);
        let packed = self.graph.op("Reshape", &[&packed, &shape], &[]);
        let mut part = |which: i64, order: &[i64]| {
            let which = self.graph.int(which);
            let part = self
                .graph
                .op("Gather", &[&packed, &which], &[Attribute::Int("axis", 2)]);
            self.graph
                .op("Transpose", &[&part], &[Attribute::Ints("perm", order)])
        };
        let query = part(0, &[0, 2, 1, 3]);
        let key = part(1, &[0, 2, 3, 1]);
        let value = part(2, &[0, 2, 1, 3]);
        let scale = self.graph.scalar((1.0 / (head as f64).sqrt()) as f32);
        let scores = self.graph.op("MatMul", &[&query, &key], &[]);
        let mut scores = self.graph.op("Mul", &[&scores, &scale], &[]);
        if let Some(mask) = mask {
            scores = self.graph.op("Add", &[&scores, mask], &[]);
        }
        let weights = self
            .graph
            .op("Softmax", &[&scores], &[Attribute::Int("axis", -1)]);
        let mixed = self.graph.op("MatMul", &[&weights, &value], &[]);
        let mixed = self.graph.op(
            "Transpose",
            &[&mixed],
            &[Attribute::Ints("perm", &[0, 2, 1, 3])],
        );
        let shape = self.graph.ints(&[0, 0, self.width as i64]);
        let mixed = self.graph.op("Reshape", &[&mixed, &shape], &[]);
        self.linear(
            &mixed,
            &format!("{name}.out_proj.weight"),
            &format!("{name}.out_proj.bias"),
        )
    }

    /// x·Φ(x) by the error function, or `OpenAI`'s x·σ(1.702x).
    fn gelu(&mut self, x: &str) -> String {
        if self.quick_gelu {
            let factor = self.graph.scalar(1.702);
            let scaled = self.graph.op("Mul", &[x, &factor], &[]);
            let gate = self.graph.op("Sigmoid", &[&scaled], &[]);
            return self.graph.op("Mul", &[x, &gate], &[]);
        }
        let (root, one, half) = (
            self.graph.scalar(std::f32::consts::SQRT_2),
            self.graph.scalar(1.0),
            self.graph.scalar(0.5),
        );
        let scaled = self.graph.op("Div", &[x, &root], &[]);
        let erf = self.graph.op("Erf", &[&scaled], &[]);
        let shifted = self.graph.op("Add", &[&erf, &one], &[]);
        let product = self.graph.op("Mul", &[x, &shifted], &[]);
        self.graph.op("Mul", &[&product, &half], &[])
    }
}
