//! The weights in memory, and the safetensors file on disk.
//!
//! Memory: every weight once as f32, and a file's bytes while it is read. Order: tensors by name.

use crate::config::{Config, PreprocessConfig};
use crate::{CheckpointError, directory, init};
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write};
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

    /// A hash of all weights and the preprocessing: `b3:` and 32 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for value in self.preprocess.mean.iter().chain(&self.preprocess.std) {
            hasher.update(&value.to_le_bytes());
        }
        let mut bytes = Vec::new();
        for (name, tensor) in &self.tensors {
            bytes.clear();
            bytes.extend(tensor.data.iter().flat_map(|value| value.to_le_bytes()));
            hasher.update(name.as_bytes()).update(&[0]).update(&bytes);
        }
        format!("b3:{}", &hasher.finalize().to_hex()[..32])
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
/// The format is a length, a JSON header and the values. Written here, and not by the format's library, because that
/// gives the file to its owner alone and holds it twice in memory or keeps metadata in a hash map's order.
///
/// # Errors
/// [`CheckpointError::Io`].
pub fn write_safetensors(
    path: &Path,
    tensors: &Tensors,
    metadata: (&str, &str),
) -> Result<(), CheckpointError> {
    let part = directory::part_of(path);
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), json!({metadata.0: metadata.1}));
    let mut end = 0;
    for (name, tensor) in tensors {
        let start = end;
        end += tensor.data.len() * size_of::<f32>();
        header.insert(
            name.clone(),
            json!({"dtype": "F32", "shape": tensor.shape, "data_offsets": [start, end]}),
        );
    }
    let mut header = Value::Object(header).to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let write = || {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&part)?);
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        for value in tensors.values().flat_map(|tensor| &tensor.data) {
            out.write_all(&value.to_le_bytes())?;
        }
        out.flush()
    };
    write().map_err(CheckpointError::io(&part))?;
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
