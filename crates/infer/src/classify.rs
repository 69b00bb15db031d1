//! Image classifiers as taggers: the likeliest labels of a picture with their probabilities.
//!
//! The starter model's vision tower has the classifier's `logits` beside its embedding; any image-classification export
//! with `id2label` in its `config.json` does as well. Memory and determinism as in [`crate::Model`], with batches of one.

use crate::InferError;
use crate::directory::Directory;
use crate::engine::{self, EngineOptions, Graph, Session, Tensor};
use crate::model::{only_inputs, pick_output};
use crate::preprocess::Preprocess;
use realsyn_picture::Rgb;
use std::path::Path;
use std::sync::Arc;

/// An opened classifier; clones share it.
#[derive(Clone)]
pub struct Classifier(Arc<Inner>);

struct Inner {
    id: String,
    engine: String,
    graph: Arc<dyn Graph>,
    output: String,
    preprocess: Preprocess,
    labels: Vec<String>,
    /// Labels that do not exclude one another: a sigmoid for each in place of one softmax.
    independent: bool,
}

impl Classifier {
    /// Opens the classifier in a model directory: `onnx/model.onnx`, `onnx/classifier.onnx` or `onnx/vision_model.onnx`
    /// with an output `logits`.
    ///
    /// # Errors
    /// As [`crate::Model::open`]; [`InferError::Config`] if `config.json` names no labels, [`InferError::Graph`] if the graph
    /// has no logits.
    pub fn open(dir: &Path, options: &EngineOptions) -> Result<Self, InferError> {
        let directory = Directory::open(dir, options.weights.as_deref())?;
        let labels = labels(&directory)?;
        let path = directory.graph(
            &["classifier.onnx", "vision_model.onnx", "model.onnx"],
            "classifier",
        )?;
        let preprocess = Preprocess::open(&dir.join("preprocessor_config.json"))?;
        let engine = engine::find(dir, options)?;
        let graph = engine.load(&path)?;
        only_inputs(&*graph, &path, &["pixel_values"])?;
        let output = pick_output(&*graph, &path, &["logits"])?;
        let independent =
            directory.config.problem_type.as_deref() == Some("multi_label_classification");
        let (id, engine) = (directory.identity()?, engine.describe());
        Ok(Self(Arc::new(Inner {
            id,
            engine,
            graph,
            output,
            preprocess,
            labels,
            independent,
        })))
    }

    /// `b3:` and 32 hex digits: the content of the model's files.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The engine in words.
    #[must_use]
    pub fn engine(&self) -> &str {
        &self.0.engine
    }

    /// The labels, in the order of the logits.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.0.labels
    }

    /// A worker's own access to the classifier.
    ///
    /// # Errors
    /// [`InferError::Load`] if the engine cannot open another session.
    pub fn tagger(&self) -> Result<Tagger, InferError> {
        Ok(Tagger {
            session: self.0.graph.session()?,
            classifier: self.clone(),
        })
    }
}

/// One worker's access to a classifier.
pub struct Tagger {
    classifier: Classifier,
    session: Box<dyn Session>,
}

impl Tagger {
    /// At most `top_k` labels with a probability of at least `min_probability`, likeliest first. Classes of the same name
    /// (ImageNet has two missiles) count as one, with the sum of their probabilities.
    ///
    /// # Errors
    /// [`InferError::Aspect`] or [`InferError::NotFinite`], which are about this picture, or [`InferError::Run`].
    pub fn tags(
        &mut self,
        picture: &Rgb,
        top_k: usize,
        min_probability: f32,
    ) -> Result<Vec<(String, f32)>, InferError> {
        let inner = &*self.classifier.0;
        let mut pixels = Vec::with_capacity(inner.preprocess.len());
        inner.preprocess.append(picture, &mut pixels)?;
        let shape = [
            1,
            3,
            inner.preprocess.height as usize,
            inner.preprocess.width as usize,
        ];
        let output = self.session.run(
            &[("pixel_values", Tensor::F32(&shape, &pixels))],
            &inner.output,
        )?;
        if output.values.len() != inner.labels.len() {
            let message = format!(
                "{} logits for {} labels",
                output.values.len(),
                inner.labels.len()
            );
            return Err(InferError::Run {
                engine: "the classifier",
                message,
            });
        }
        let shares = probabilities(&output.values, inner.independent)?;
        Ok(best(
            &inner.labels,
            &shares,
            inner.independent,
            top_k,
            min_probability,
        ))
    }
}

fn labels(directory: &Directory) -> Result<Vec<String>, InferError> {
    let bad = |message: &str| InferError::config(&directory.path.join("config.json"), message);
    let named = directory
        .config
        .id2label
        .as_ref()
        .ok_or_else(|| bad("no id2label: not a classifier"))?;
    let label = |index: usize| named.get(&index.to_string()).cloned();
    let labels: Option<Vec<String>> = (0..named.len()).map(label).collect();
    labels
        .filter(|labels| !labels.is_empty())
        .ok_or_else(|| bad("id2label is not numbered from 0 on"))
}

/// Softmax, or a sigmoid for each; summed in order.
fn probabilities(logits: &[f32], independent: bool) -> Result<Vec<f32>, InferError> {
    if let Some(bad) = logits.iter().find(|value| !value.is_finite()) {
        return Err(InferError::NotFinite(*bad));
    }
    if independent {
        return Ok(logits
            .iter()
            .map(|value| 1.0 / (1.0 + (-value).exp()))
            .collect());
    }
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|value| (value - top).exp()).collect();
    let sum: f32 = powers.iter().sum();
    Ok(powers.iter().map(|power| power / sum).collect())
}

/// The likeliest labels; of equals the one that comes first in the label list.
fn best(
    labels: &[String],
    probabilities: &[f32],
    independent: bool,
    top_k: usize,
    floor: f32,
) -> Vec<(String, f32)> {
    let mut by_name: Vec<(&str, usize, f32)> = labels
        .iter()
        .zip(probabilities)
        .enumerate()
        .map(|(at, (label, share))| (label.as_str(), at, *share))
        .collect();
    by_name.sort_unstable_by_key(|(name, at, _)| (*name, *at));
    let mut merged: Vec<(&str, usize, f32)> = Vec::with_capacity(by_name.len());
    for (name, at, share) in by_name {
        match merged.last_mut() {
            Some(last) if last.0 == name && independent => last.2 = last.2.max(share),
            Some(last) if last.0 == name => last.2 += share,
            _ => merged.push((name, at, share)),
        }
    }
    merged.retain(|(_, _, share)| *share >= floor);
    merged.sort_unstable_by(|a, b| b.2.total_cmp(&a.2).then(a.1.cmp(&b.1)));
    merged.truncate(top_k);
    merged
        .into_iter()
        .map(|(name, _, share)| (name.to_owned(), share))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one_label() {
        let labels: Vec<String> = ["crane", "cat", "crane", "dog"].map(String::from).into();
        let tags = best(&labels, &[0.3, 0.35, 0.2, 0.15], false, 2, 0.1);
        assert_eq!(tags, [("crane".to_owned(), 0.5), ("cat".to_owned(), 0.35)]);
        assert_eq!(
            best(&labels, &[0.3, 0.35, 0.2, 0.15], true, 9, 0.2).len(),
            2
        );
    }

    #[test]
    fn equals_keep_the_order_of_the_labels() {
        let labels: Vec<String> = ["zebra", "apple"].map(String::from).into();
        let tags = best(&labels, &[0.5, 0.5], false, 1, 0.0);
        assert_eq!(tags[0].0, "zebra");
    }

    #[test]
    fn probabilities_of_large_and_of_bad_logits() {
        assert_eq!(probabilities(&[1000.0, 1000.0], false).unwrap(), [0.5, 0.5]);
        assert_eq!(probabilities(&[0.0], true).unwrap(), [0.5]);
        assert_eq!(
            probabilities(&[f32::NAN], false).unwrap_err().code(),
            "not-finite"
        );
    }
}
