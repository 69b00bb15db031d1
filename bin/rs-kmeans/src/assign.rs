//! Which cluster each record belongs to.

use std::path::Path;

use anyhow::{Result, ensure};
use realsyn_cluster::{Assigned, Assigner, Centroids};
use realsyn_pipe::{RecordMap, Refusal, Reply};
use realsyn_record::{Edits, Kind, Record, Sidecars, fixed};

use crate::fit::same_model;
use crate::{Chosen, is_chosen};

/// Adds `cluster` and `cluster_sim`.
pub struct Assign {
    assigner: Assigner,
    model: Option<String>,
    kind: Option<Chosen>,
}

/// One thread's buffers.
#[derive(Default)]
pub struct Worker {
    sidecars: Sidecars,
    vector: Vec<f32>,
    rows: Vec<f32>,
    assigned: Vec<Assigned>,
}

impl Assign {
    /// Reads the centroids.
    pub fn new(path: &Path, kind: Option<Chosen>) -> Result<Self> {
        let centroids = Centroids::load(path)?;
        Ok(Self {
            assigner: Assigner::new(&centroids)?,
            model: centroids.model,
            kind,
        })
    }

    /// Appends the record's vector to the rows, if it has one.
    fn gather(&self, worker: &mut Worker, record: &Record<'_>) -> Result<Option<Reply>> {
        let embedding = match record.embedding() {
            Ok(Some(embedding)) => embedding,
            Ok(None) => return Ok(Some(Reply::Keep)),
            Err(error) => return Ok(Some(Refusal::from(error).into())),
        };
        same_model(self.model.as_deref(), Some(&embedding.model))?;
        let dim = self.assigner.dim();
        ensure!(
            embedding.dim == dim,
            "the centroids have {dim} dimensions, an embedding {}",
            embedding.dim
        );
        if let Err(error) = embedding.read(&mut worker.sidecars, &mut worker.vector) {
            return Ok(Some(Refusal::from(error).into()));
        }
        worker.rows.extend_from_slice(&worker.vector);
        Ok(None)
    }
}

impl RecordMap for Assign {
    type Worker = Worker;

    fn handles(&self, kind: Kind) -> bool {
        is_chosen(self.kind, kind)
    }

    fn worker(&self) -> Result<Worker> {
        Ok(Worker::default())
    }

    fn process(&self, worker: &mut Worker, records: &[Record<'_>]) -> Result<Vec<Reply>> {
        worker.rows.clear();
        let settled: Vec<Option<Reply>> = records
            .iter()
            .map(|record| self.gather(worker, record))
            .collect::<Result<_>>()?;
        self.assigner
            .assign(&mut worker.rows, &mut worker.assigned)?;
        let mut assigned = worker.assigned.iter();
        let answer = |settled: Option<Reply>| {
            settled
                .or_else(|| assigned.next().copied().map(edit))
                .unwrap_or(Reply::Keep)
        };
        Ok(settled.into_iter().map(answer).collect())
    }
}

fn edit(assigned: Assigned) -> Reply {
    let edits = Edits::new().set_raw("cluster", assigned.cluster.to_string());
    Reply::Edit(edits.set_raw("cluster_sim", fixed(f64::from(assigned.sim), 6)))
}
