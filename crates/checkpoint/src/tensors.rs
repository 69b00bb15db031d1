//! The weights in memory, and the safetensors file on disk.
//!
//! Memory: every weight once as f32, and a file's bytes while it is read. Order: tensors by name.

use crate::config::{Config, PreprocessConfig};
use crate::{CheckpointError, directory, init};
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, View};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A dense array of f32 in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Lengths of the dimensions; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values.
    pub data: Vec<f32>,
}

/// Tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(
            self.data
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        )
    }

    fn data_len(&self) -> usize {
        self.data.len() * size_of::<f32>()
    }
}

/// A CLIP model: its sizes, its preprocessing and all its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    config: Config,
    preprocess: PreprocessConfig,
    tensors: BTreeMap<String, Tensor>,
}

impl Checkpoint {
    /// A model before training, filled as `OpenCLIP` fills it, from a seed.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the config's sizes do not fit each other.
    pub fn random(config: &Config, seed: u64) -> Result<Self, CheckpointError> {
        config.validate()?;
        let tensors = config.tensors().into_iter().map(|spec| {
            let data = init::fill(&spec, seed);
            (
                spec.name,
                Tensor {
                    shape: spec.shape,
                    data,
                },
            )
        });
        Ok(Self {
            config: config.clone(),
            preprocess: PreprocessConfig::default(),
            tensors: tensors.collect(),
        })
    }

    /// A model from its weights; every tensor that the config calls for must be there in its shape, and others are
    /// left out.
    ///
    /// # Errors
    /// [`CheckpointError::MissingTensor`] or [`CheckpointError::Shape`].
    pub fn new(
        config: Config,
        preprocess: PreprocessConfig,
        mut found: BTreeMap<String, Tensor>,
    ) -> Result<Self, CheckpointError> {
        config.validate()?;
        let mut tensors = BTreeMap::new();
        for spec in config.tensors() {
            let Some(tensor) = found.remove(&spec.name) else {
                return Err(CheckpointError::MissingTensor(spec.name));
            };
            if tensor.shape != spec.shape
                || tensor.data.len() != spec.shape.iter().product::<usize>()
            {
                return Err(CheckpointError::Shape {
                    name: spec.name,
                    expected: spec.shape,
                    found: tensor.shape,
                });
            }
            tensors.insert(spec.name, tensor);
        }
        Ok(Self {
            config,
            preprocess,
            tensors,
        })
    }

    /// The model's sizes.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How pictures are normalised for it.
    #[must_use]
    pub fn preprocess(&self) -> &PreprocessConfig {
        &self.preprocess
    }

    /// All weights by `OpenCLIP`'s names.
    #[must_use]
    pub fn tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.tensors
    }

    /// One weight by `OpenCLIP`'s name.
    ///
    /// # Errors
    /// [`CheckpointError::MissingTensor`] if the config calls for no such tensor.
    pub fn tensor(&self, name: &str) -> Result<&Tensor, CheckpointError> {
        self.tensors
            .get(name)
            .ok_or_else(|| CheckpointError::MissingTensor(name.to_owned()))
    }
}

/// Writes tensors and one entry of metadata as a safetensors file, first under another name, synced, then renamed.
///
/// One entry only: the format's library keeps them in a hash map, whose order would reach the file's bytes.
///
/// # Errors
/// [`CheckpointError::Io`].
pub fn write_safetensors(
    path: &Path,
    tensors: &BTreeMap<String, Tensor>,
    metadata: (&str, &str),
) -> Result<(), CheckpointError> {
    let part = directory::part_of(path);
    let metadata = HashMap::from([(metadata.0.to_owned(), metadata.1.to_owned())]);
    let views = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor));
    safetensors::serialize_to_file(views, Some(metadata), &part).map_err(|error| {
        CheckpointError::Format {
            path: path.to_owned(),
            message: error.to_string(),
        }
    })?;
    directory::commit(&part, path)
}

/// Reads every tensor of a safetensors file as f32 (from f32, f16 or bf16), and its metadata.
///
/// # Errors
/// [`CheckpointError::Io`], or [`CheckpointError::Format`] for a damaged file or a tensor of another type.
pub fn read_safetensors(
    path: &Path,
) -> Result<(Tensors, HashMap<String, String>), CheckpointError> {
    let bytes = std::fs::read(path).map_err(CheckpointError::io(path))?;
    let bad = |message: String| CheckpointError::Format {
        path: path.to_owned(),
        message,
    };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| bad(error.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| bad(error.to_string()))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        let bytes = view.data();
        let data = match view.dtype() {
            Dtype::F32 => bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
            Dtype::F16 => bytes
                .chunks_exact(2)
                .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
                .collect(),
            Dtype::BF16 => bytes
                .chunks_exact(2)
                .map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32())
                .collect(),
            other => return Err(bad(format!("the tensor {name:?} has the type {other:?}"))),
        };
        tensors.insert(
            name,
            Tensor {
                shape: view.shape().to_vec(),
                data,
            },
        );
    }
    Ok((tensors, header.metadata().clone().unwrap_or_default()))
}
