//! Centroids and their file form.
//!
//! `FILE.npy` is the plain k × d matrix in single precision that NumPy and Faiss read. The format has no room for more, so
//! a description lies beside it as `FILE.npy.json`: `{"schema":"centroids/1","k":…,"dim":…,"metric":"spherical",
//! "model":"b3:…"}`, where `model` names what made the embeddings. Both are replaced atomically, the description first.
//! Without a description the metric is taken to be spherical and the model is unknown.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use realsyn_vector::npy::{Element, Matrix, Writer};
use serde::{Deserialize, Serialize};

use crate::ClusterError;

/// What "near" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// The cosine: rows are scaled to unit length, and so is each centroid.
    #[default]
    Spherical,
    /// The Euclidean distance.
    Euclidean,
}

/// The centres of k clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Centroids {
    /// What "near" means for them.
    pub metric: Metric,
    /// The content hash of the model that made the embeddings, where it is known.
    pub model: Option<String>,
    /// The number of dimensions.
    pub dim: usize,
    /// The centres in row-major order, `dim` numbers each.
    pub values: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
struct Description {
    schema: String,
    k: usize,
    dim: usize,
    metric: Metric,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(flatten)]
    round: Option<Round>,
}

/// Where centroids that many machines share come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The range of the coordinates, as a power of two.
    pub exponent: i32,
    /// How often they have been moved.
    pub iteration: usize,
}

impl Round {
    /// Reads it from the description beside centroids, if that holds one.
    pub fn load(path: &Path) -> Result<Option<Self>, ClusterError> {
        Ok(Description::load(path)?.and_then(|description| description.round))
    }
}

impl Description {
    /// Reads the description beside centroids, if there is one.
    fn load(path: &Path) -> Result<Option<Self>, ClusterError> {
        let beside = Centroids::description(path);
        let text = match fs::read(&beside) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(ClusterError::Io {
                    path: beside,
                    source,
                });
            }
        };
        let bad = |reason: String| ClusterError::Description {
            path: beside.clone(),
            reason,
        };
        let description: Self =
            serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
        if description.schema != SCHEMA {
            let reason = format!("schema is {:?}, not {SCHEMA:?}", description.schema);
            return Err(bad(reason));
        }
        Ok(Some(description))
    }
}

const SCHEMA: &str = "centroids/1";

impl Centroids {
    /// The number of clusters.
    #[must_use]
    pub fn k(&self) -> usize {
        self.values.len().checked_div(self.dim).unwrap_or(0)
    }

    /// Where the description of a file lies.
    #[must_use]
    pub fn description(path: &Path) -> PathBuf {
        with_suffix(path, ".json")
    }

    /// Writes the matrix and its description, each to a `.part` file that is then renamed. A path that is there and no
    /// regular file (`/dev/null`) is written to as it is, without a description.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ClusterError> {
        self.save_round(path, None)
    }

    /// As [`Self::save`], and the description also says where the centroids come from.
    pub(crate) fn save_round(&self, path: &Path, round: Option<Round>) -> Result<(), ClusterError> {
        let description = Description {
            schema: SCHEMA.to_owned(),
            k: self.k(),
            dim: self.dim,
            metric: self.metric,
            model: self.model.clone(),
            round,
        };
        if !is_special(path) {
            replace(&Self::description(path), |out| {
                serde_json::to_writer(&mut *out, &description)?;
                out.write_all(b"\n")
            })?;
        }
        replace(path, |out| {
            let mut writer = Writer::new(out, self.dim, Element::F32)?;
            if !self.values.is_empty() {
                writer.push(&self.values)?;
            }
            writer.finish().map(drop)
        })
    }

    /// Reads the matrix, and the description where there is one.
    ///
    /// # Errors
    /// The matrix cannot be read, holds numbers that are not finite, or its description does not describe it.
    pub fn load(path: &Path) -> Result<Self, ClusterError> {
        let matrix = Matrix::open(path)?;
        let mut values = Vec::new();
        matrix.read_rows(0, matrix.rows(), &mut values);
        let dim = matrix.dim();
        if let Some(at) = values.iter().position(|x| !x.is_finite()) {
            return Err(ClusterError::NotFinite {
                row: at / dim.max(1),
            });
        }
        let mut centroids = Self {
            metric: Metric::Spherical,
            model: None,
            dim,
            values,
        };
        let Some(description) = Description::load(path)? else {
            return Ok(centroids);
        };
        if (description.k, description.dim) != (centroids.k(), dim) {
            let (k, d) = (description.k, description.dim);
            return Err(ClusterError::Description {
                path: Self::description(path),
                reason: format!(
                    "describes {k} x {d} numbers, the matrix holds {} x {dim}",
                    centroids.k()
                ),
            });
        }
        centroids.metric = description.metric;
        centroids.model = description.model;
        Ok(centroids)
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file())
}

/// Writes a file under another name that is then renamed.
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), ClusterError> {
    let is_special = is_special(path);
    let part = if is_special {
        path.to_owned()
    } else {
        with_suffix(path, ".part")
    };
    let written = (|| {
        let mut out = BufWriter::new(File::create(&part)?);
        write(&mut out)?;
        out.flush()?;
        if is_special {
            return Ok(());
        }
        out.get_ref().sync_all()?;
        fs::rename(&part, path)
    })();
    written.map_err(|source| {
        if !is_special {
            // The first error is the one to tell; the remains are of no use to anyone.
            let _ = fs::remove_file(&part);
        }
        ClusterError::Io {
            path: path.to_owned(),
            source,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Centroids {
        Centroids {
            metric: Metric::Euclidean,
            model: Some("b3:00".to_owned()),
            dim: 2,
            values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.npy");
        some().save(&path).unwrap();
        assert_eq!(Centroids::load(&path).unwrap(), some());
        fs::remove_file(Centroids::description(&path)).unwrap();
        let plain = Centroids::load(&path).unwrap();
        assert_eq!((plain.metric, plain.model), (Metric::Spherical, None));
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no .part is left"
        );
    }

    #[test]
    fn a_description_of_something_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.npy");
        some().save(&path).unwrap();
        for text in [
            r#"{"schema":"centroids/2","k":3,"dim":2,"metric":"spherical"}"#,
            r#"{"schema":"centroids/1","k":2,"dim":3,"metric":"spherical"}"#,
            "{",
        ] {
            fs::write(Centroids::description(&path), text).unwrap();
            assert_eq!(
                Centroids::load(&path).unwrap_err().code(),
                "bad-description",
                "{text}"
            );
        }
    }
}
