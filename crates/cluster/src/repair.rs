//! Clusters that are left empty.

use realsyn_vector::kernel::Kernel;

use crate::Metric;
use crate::assign::prepare;

/// Gives every empty cluster half of the largest one; returns how many were empty.
///
/// In the order of their numbers, each empty cluster takes half of the largest cluster (of several the first), as in Faiss:
/// its centroid becomes a copy of the largest one's, and the two are pushed apart by a factor of 1 ± 1/1024, with the sign
/// alternating over the dimensions.
pub fn repair(metric: Metric, counts: &mut [u64], centroids: &mut [f32], dim: usize) -> usize {
    let empty: Vec<usize> = (0..counts.len())
        .filter(|&cluster| counts[cluster] == 0)
        .collect();
    for &cluster in &empty {
        let largest = (0..counts.len())
            .rev()
            .max_by_key(|&other| counts[other])
            .unwrap_or(0);
        let copy = centroids[largest * dim..(largest + 1) * dim].to_vec();
        for (target, sign) in [(cluster, 1.0f32), (largest, -1.0)] {
            let target = &mut centroids[target * dim..(target + 1) * dim];
            for ((c, &x), turn) in target
                .iter_mut()
                .zip(&copy)
                .zip([sign, -sign].into_iter().cycle())
            {
                *c = x * (1.0 + turn / 1024.0);
            }
            // Finite numbers stay finite, so there is nothing to report.
            let _ = prepare(Kernel::detect(), metric, target, dim, &mut Vec::new());
        }
        counts[cluster] = counts[largest] / 2;
        counts[largest] -= counts[cluster];
    }
    empty.len()
}
