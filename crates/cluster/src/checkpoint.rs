//! What a killed run goes on from.
//!
//! After each iteration the centroids, each row's cluster and the story so far are written. The sums are not: they are
//! added up again from the rows, and their hash shows whether the rows are the same. Bounds are not either: without them the
//! next iteration looks at every row, with the same result.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fit::Iteration;
use crate::sealed::{self, bytes_of, numbers_of};
use crate::{ClusterError, Metric};

const SCHEMA: &str = "kmeans-checkpoint/1";

/// Where a run keeps what it can go on from.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The file. If it is there, the run goes on from it.
    pub path: PathBuf,
    /// Everything that the result depends on beside rows, keys and [`crate::Options`]: a run goes on only with the same.
    pub identity: String,
}

/// What is in the file.
#[derive(Debug)]
pub struct Saved {
    pub iterations: Vec<Iteration>,
    pub centroids: Vec<f32>,
    pub clusters: Vec<u32>,
    /// The hash of the sums.
    pub sums: String,
}

/// What both runs must have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    pub k: usize,
    pub rows: usize,
    pub dim: usize,
    pub metric: Metric,
    pub init: String,
    pub keys: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    schema: String,
    identity: String,
    #[serde(flatten)]
    terms: Terms,
    sums: String,
    iterations: Vec<Line>,
}

/// An iteration; the bits of its cost, since not every decimal comes back as it was.
#[derive(Serialize, Deserialize)]
struct Line {
    wcss_bits: u64,
    moved: usize,
    repaired: usize,
}

impl Checkpoint {
    /// Replaces the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, terms: &Terms, saved: &Saved) -> Result<(), ClusterError> {
        let header = Header {
            schema: SCHEMA.to_owned(),
            identity: self.identity.clone(),
            terms: terms.clone(),
            sums: saved.sums.clone(),
            iterations: saved
                .iterations
                .iter()
                .map(|iteration| Line {
                    wcss_bits: iteration.wcss.to_bits(),
                    moved: iteration.moved,
                    repaired: iteration.repaired,
                })
                .collect(),
        };
        let clusters: Vec<u8> = saved
            .clusters
            .iter()
            .flat_map(|c| c.to_le_bytes())
            .collect();
        sealed::write(
            &self.path,
            &header,
            &[&bytes_of(&saved.centroids), &clusters],
        )
    }

    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// It cannot be read, or is of another run.
    pub fn load(&self, terms: &Terms) -> Result<Option<Saved>, ClusterError> {
        let (header, bytes) = match sealed::read::<Header>(&self.path) {
            Ok(read) => read,
            Err(ClusterError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if header.schema != SCHEMA {
            return Err(bad(
                &self.path,
                format!("schema is {:?}, not {SCHEMA:?}", header.schema),
            ));
        }
        if header.identity != self.identity || header.terms != *terms {
            let reason = "of a run with other arguments or vectors; remove it to begin anew";
            return Err(bad(&self.path, reason.to_owned()));
        }
        let (centroids, clusters) = bytes
            .split_at_checked(4 * terms.k * terms.dim)
            .filter(|(_, clusters)| clusters.len() == 4 * terms.rows)
            .ok_or_else(|| bad(&self.path, "of another size than it says".to_owned()))?;
        let clusters: Vec<u32> = clusters
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&four| u32::from_le_bytes(four))
            .collect();
        if clusters.iter().any(|&cluster| cluster as usize >= terms.k) {
            return Err(bad(
                &self.path,
                "names a cluster that is not there".to_owned(),
            ));
        }
        let lines = header.iterations.iter().zip(1..);
        Ok(Some(Saved {
            iterations: lines
                .map(|(line, iteration)| Iteration {
                    iteration,
                    wcss: f64::from_bits(line.wcss_bits),
                    moved: line.moved,
                    rows: terms.rows,
                    repaired: line.repaired,
                })
                .collect(),
            centroids: numbers_of(centroids),
            clusters,
            sums: header.sums,
        }))
    }
}

fn bad(path: &Path, reason: String) -> ClusterError {
    ClusterError::File {
        path: path.to_owned(),
        reason,
    }
}
