//! The nodes' 8-bit codes, cluster by cluster, in a temporary file.
//!
//! Memory: 12 bytes a node, and as much for each lane that fills up a cluster's last panel. The codes themselves, a byte a
//! dimension, are on disk and mapped.

use std::io::{BufWriter, Write};

use realsyn_vector::int8::{self, Columns, Scale};
use realsyn_vector::kernel::LANES;
use realsyn_vector::map::Map;

use crate::SemdedupError;
use crate::parallel::fill;
use crate::store::{Store, number};

/// Panels that are coded before they are written.
const PANELS: usize = 512;

/// A lane without a node.
pub const NOBODY: u32 = u32::MAX;

/// Codes in panels; a cluster starts with a panel of its own.
#[derive(Debug)]
pub struct Codes {
    map: Map,
    stride: usize,
    /// The first slot of each cluster, and the end: multiples of [`LANES`].
    starts: Vec<u32>,
    /// The node in each slot.
    nodes: Vec<u32>,
    steps: Vec<f32>,
    errors: Vec<f32>,
}

impl Codes {
    /// Codes the nodes of `store`, ordered by cluster and within it by number. Without homes all are one cluster.
    pub fn new(
        store: &Store,
        homes: Option<&[u32]>,
        clusters: usize,
        jobs: usize,
    ) -> Result<Self, SemdedupError> {
        let home = |node: u32| homes.map_or(0, |homes| homes[node as usize] as usize);
        let nodes_in = number(store.distinct());
        let mut sizes = vec![0u32; clusters];
        for node in 0..nodes_in {
            sizes[home(node)] += 1;
        }
        let mut starts = Vec::with_capacity(clusters + 1);
        let mut end = 0;
        for size in &sizes {
            starts.push(end);
            end += size.next_multiple_of(number(LANES));
        }
        starts.push(end);
        let mut nodes = vec![NOBODY; end as usize];
        let mut next = starts.clone();
        for node in 0..nodes_in {
            let slot = &mut next[home(node)];
            nodes[*slot as usize] = node;
            *slot += 1;
        }
        let stride = int8::stride(store.dim());
        let file = tempfile::tempfile()?;
        let scales = write(store, &nodes, stride, &file, jobs)?;
        let (steps, errors) = scales.into_iter().unzip();
        Ok(Self {
            map: Map::of(&file)?,
            stride,
            starts,
            nodes,
            steps,
            errors,
        })
    }

    /// Numbers a code.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// All slots.
    pub fn slots(&self) -> usize {
        self.nodes.len()
    }

    /// The number of clusters.
    pub fn clusters(&self) -> usize {
        self.starts.len() - 1
    }

    /// The slots of a cluster.
    pub fn cluster(&self, cluster: usize) -> (usize, usize) {
        (
            self.starts[cluster] as usize,
            self.starts[cluster + 1] as usize,
        )
    }

    /// The node in a slot, or [`NOBODY`].
    pub fn node(&self, slot: usize) -> u32 {
        self.nodes[slot]
    }

    /// The scale of a slot's code.
    pub fn scale(&self, slot: usize) -> Scale {
        Scale {
            step: self.steps[slot],
            error: self.errors[slot],
        }
    }

    /// The slots `from` to `to`, whole panels, as columns.
    pub fn columns(&self, (from, to): (usize, usize)) -> Columns<'_> {
        Columns::new(
            &self.map[from * self.stride..to * self.stride],
            self.stride,
            &self.steps[from..to],
            &self.errors[from..to],
        )
    }

    /// Appends a slot's code, row-major.
    pub fn row(&self, slot: usize, codes: &mut Vec<i8>) {
        let size = LANES * self.stride;
        let panel = slot / LANES;
        int8::unpack(
            &self.map[panel * size..(panel + 1) * size],
            slot % LANES,
            codes,
        );
    }
}

/// One thread's buffers.
#[derive(Default)]
struct Scratch {
    vector: Vec<f32>,
    codes: Vec<i8>,
}

/// Writes the panels of all slots; the step and error of each.
fn write(
    store: &Store,
    nodes: &[u32],
    stride: usize,
    file: &std::fs::File,
    jobs: usize,
) -> Result<Vec<(f32, f32)>, SemdedupError> {
    let size = LANES * stride;
    // A lane without a node has an error of −∞: no pair with it can reach any bound.
    let mut scales = vec![(0.0f32, f32::NEG_INFINITY); nodes.len()];
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut bytes = Vec::new();
    for (nodes, scales) in nodes
        .chunks(PANELS * LANES)
        .zip(scales.chunks_mut(PANELS * LANES))
    {
        bytes.clear();
        bytes.resize(nodes.len() * stride, 0u8);
        let mut panels: Vec<_> = bytes
            .chunks_exact_mut(size)
            .zip(scales.chunks_exact_mut(LANES))
            .collect();
        fill(
            jobs,
            &mut panels,
            8,
            |scratch: &mut Scratch, piece, panels| {
                for (at, (panel, scales)) in panels.iter_mut().enumerate() {
                    let first = (piece * 8 + at) * LANES;
                    scratch.codes.clear();
                    for (scale, &node) in scales.iter_mut().zip(&nodes[first..]) {
                        if node != NOBODY {
                            let norm = store.vector(node, &mut scratch.vector);
                            let made = int8::encode(&scratch.vector, norm, &mut scratch.codes);
                            *scale = (made.step, made.error);
                        }
                    }
                    int8::pack(&scratch.codes, stride, panel);
                }
            },
        );
        out.write_all(&bytes)?;
    }
    out.flush()?;
    drop(out);
    Ok(scales)
}
