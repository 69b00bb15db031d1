//! From vectors to sets: pairs below a distance are proposed by 8-bit codes, decided exactly, and joined.
//!
//! The work is cut into tasks: a block of rows of one cluster against the rest of that cluster, and each of its rows
//! against the clusters that [`crate::overlap`] asks for. With no centres all vectors are one cluster. Tasks are
//! numbered, so that the work can be parted over machines ([`Part`]); sets of parts join to the sets of the whole.
//!
//! Memory: 4 bytes a distinct vector and distance, 12 for the codes; a thread holds the codes and scores of one block
//! of rows, and the pairs of a block with 4,096 columns.
//! Order: which pairs are joined depends on neither threads nor timing; a pair that is already joined is not looked at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use realsyn_vector::int8::{self, Hit, Kernel, Rows, Scale};
use realsyn_vector::kernel::LANES;

use crate::SemdedupError;
use crate::codes::{Codes, NOBODY};
use crate::exact;
use crate::forest::Forest;
use crate::overlap::{self, Centres, Overlap, Sampled};
use crate::parallel::tasks;
use crate::store::{Store, number};

/// Rows of a task at most.
const ROWS: usize = 1024;
/// Columns that are compared before their hits are settled.
const COLUMNS: usize = 256 * LANES;
/// Scores of rows with centres that a thread holds at most.
const SCORES: usize = 1 << 22;
/// Vectors of the sample: one of so many, within bounds; and after how many pairs fewer will do.
const SAMPLE_ONE_OF: usize = 32;
const SAMPLE: (usize, usize) = (1024, 4096);
const ENOUGH: usize = 20_000;
/// Vectors of the sample that are compared at a time.
const WAVE: usize = 16;

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Distances below which pairs are joined, in rising order; each gives sets of its own.
    pub distances: &'a [f64],
    /// Compare by clusters; without, all pairs are compared.
    pub centres: Option<&'a Centres>,
    /// How far clusters overlap.
    pub overlap: Overlap,
    /// Do only this part of the work.
    pub part: Option<Part>,
    /// Threads. They change no result.
    pub jobs: usize,
}

/// One of several equal parts of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Counted from 0.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    distances: Vec<f64>,
    forests: Vec<Forest>,
    /// Pairs of codes that were compared.
    pub compared: u64,
    /// The reach over that of the exact bound; 1 where no pair can be missed.
    pub overlap: f64,
    sampled: Vec<Sampled>,
}

/// How many of a sample's pairs the search must have found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReachedRecall {
    /// The share, 0 to 1.
    pub share: f64,
    /// Of how many pairs of the sample.
    pub pairs: usize,
}

/// What one distance comes to, in records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The distance.
    pub distance: f64,
    /// Records that have another one nearer than that.
    pub near: u64,
    /// Records that are dropped if one of each set stays.
    pub dropped: u64,
    /// Sets of two or more.
    pub sets: u64,
    /// Records of the largest set.
    pub largest: u64,
}

/// Looks for pairs and joins them.
///
/// # Errors
/// Centres of another dimension, or the temporary file of the codes cannot be written.
pub fn search(store: &Store, options: &Options<'_>) -> Result<Found, SemdedupError> {
    let jobs = options.jobs.max(1);
    if let Some(centres) = options.centres
        && centres.dim() != store.dim()
    {
        return Err(SemdedupError::DimMismatch {
            centres: centres.dim(),
            vectors: store.dim(),
        });
    }
    let count = number(store.distinct());
    let forests: Vec<Forest> = options
        .distances
        .iter()
        .map(|_| Forest::new(count))
        .collect();
    let farthest = options.distances.last().copied().unwrap_or(0.0);
    let mut found = Found {
        distances: options.distances.to_vec(),
        forests,
        compared: 0,
        overlap: 1.0,
        sampled: Vec::new(),
    };
    if count < 2 || farthest <= 0.0 {
        return Ok(found);
    }
    let homes = options.centres.map(|centres| centres.homes(store, jobs));
    let clusters = options.centres.map_or(1, Centres::k);
    let codes = Codes::new(store, homes.as_deref(), clusters, jobs)?;
    let exact_reach = (farthest / 2.0).sqrt();
    let mut search = Search {
        store,
        codes: &codes,
        found: &found,
        centres: options.centres,
        kernel: Kernel::detect(),
        least: least(farthest),
        reach: exact_reach,
        compared: AtomicU64::new(0),
    };
    let mut sampled = Vec::new();
    if let (Some(centres), Some(homes), Overlap::Recall(share)) =
        (options.centres, &homes, options.overlap)
    {
        sampled = search.sample(centres, homes, jobs);
        // Half of what may be missed is left to chance.
        search.reach = overlap::reach(&sampled, f64::midpoint(1.0, share), exact_reach);
    }
    let blocks = search.blocks();
    tasks(jobs, blocks.len(), |scratch: &mut Scratch, task| {
        if options
            .part
            .is_none_or(|part| task % part.of == part.number)
        {
            search.block(scratch, blocks[task]);
        }
    });
    let (compared, reach) = (search.compared.into_inner(), search.reach);
    found.compared = compared;
    found.overlap = reach / exact_reach;
    found.sampled = sampled;
    Ok(found)
}

/// Joins pairs of records that are already known, in place of looking for them. Records of the very same vector are
/// joined too.
pub fn given(store: &Store, pairs: impl IntoIterator<Item = (usize, usize)>) -> Found {
    let forest = Forest::new(number(store.distinct()));
    for (one, other) in pairs {
        forest.join(store.node_of(one), store.node_of(other));
    }
    Found {
        distances: vec![0.0],
        forests: vec![forest],
        compared: 0,
        overlap: 1.0,
        sampled: Vec::new(),
    }
}

/// The cosine above which a pair may be below `distance`, rounded down.
fn least(distance: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "the next number below")]
    let least = (1.0 - distance) as f32;
    least.next_down()
}

impl Found {
    /// The number of a record's set at the distance of this place among [`Options::distances`].
    pub(crate) fn set(&self, store: &Store, place: usize, record: usize) -> u32 {
        self.forests[place].root(store.node_of(record))
    }

    /// How many of the sample's pairs below the distance of this place must have been found; `None` if no pair can have
    /// been missed or the sample had none.
    #[must_use]
    pub fn recall(&self, place: usize) -> Option<ReachedRecall> {
        let farthest = self.distances.last().copied()?;
        let reach = self.overlap * (farthest / 2.0).sqrt();
        let (mut pairs, mut met) = (0, 0);
        for pair in &self.sampled {
            if pair.judges && pair.distance < self.distances[place] {
                pairs += 1;
                met += usize::from(pair.needs <= reach * (1.0 + 1e-9));
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = met as f64 / pairs as f64;
        (pairs > 0).then_some(ReachedRecall { share, pairs })
    }

    /// What each distance comes to.
    #[must_use]
    pub fn rows(&self, store: &Store) -> Vec<Row> {
        (0..self.distances.len())
            .map(|place| self.row(store, place))
            .collect()
    }

    /// What the distance of this place comes to.
    #[must_use]
    pub fn row(&self, store: &Store, place: usize) -> Row {
        let mut sizes = vec![0u32; store.distinct()];
        for record in 0..store.records() {
            sizes[self.set(store, place, record) as usize] += 1;
        }
        let mut row = Row {
            distance: self.distances[place],
            near: 0,
            dropped: 0,
            sets: 0,
            largest: 0,
        };
        for size in sizes.into_iter().map(u64::from).filter(|&size| size > 1) {
            row.near += size;
            row.dropped += size - 1;
            row.sets += 1;
            row.largest = row.largest.max(size);
        }
        row
    }
}

/// Everything that the threads share.
struct Search<'a> {
    store: &'a Store,
    codes: &'a Codes,
    found: &'a Found,
    centres: Option<&'a Centres>,
    kernel: Kernel,
    least: f32,
    reach: f64,
    compared: AtomicU64,
}

/// Rows of one cluster.
#[derive(Debug, Clone, Copy)]
struct Block {
    cluster: usize,
    from: usize,
    to: usize,
}

/// One thread's buffers.
#[derive(Default)]
struct Scratch {
    slots: Vec<usize>,
    codes: Vec<i8>,
    scales: Vec<Scale>,
    units: Vec<f32>,
    unit: Vec<f32>,
    scores: Vec<f32>,
    limits: Vec<f32>,
    /// Cluster and place among the block's rows.
    asked: Vec<(u32, u32)>,
    some: Picked,
    pairs: Pairs,
}

/// Rows of a block that are compared with one other cluster.
#[derive(Default)]
struct Picked {
    slots: Vec<usize>,
    codes: Vec<i8>,
    scales: Vec<Scale>,
}

/// Buffers of what is compared exactly.
#[derive(Default)]
struct Pairs {
    hits: Vec<Hit>,
    one: Vec<f32>,
    other: Vec<f32>,
}

impl Search<'_> {
    fn blocks(&self) -> Vec<Block> {
        let rows = self.centres.map_or(ROWS, |centres| {
            (SCORES / centres.k().max(1)).clamp(LANES, ROWS)
        });
        let rows = rows / LANES * LANES;
        let mut blocks = Vec::new();
        for cluster in 0..self.codes.clusters() {
            let (first, end) = self.codes.cluster(cluster);
            blocks.extend((first..end).step_by(rows).map(|from| Block {
                cluster,
                from,
                to: (from + rows).min(end),
            }));
        }
        blocks
    }

    fn block(&self, scratch: &mut Scratch, block: Block) {
        let Scratch {
            slots,
            codes,
            scales,
            pairs,
            ..
        } = scratch;
        slots.clear();
        slots.extend((block.from..block.to).filter(|&slot| self.codes.node(slot) != NOBODY));
        self.take(slots, codes, scales);
        let rows = Rows::new(codes, self.codes.stride(), scales);
        let (_, end) = self.codes.cluster(block.cluster);
        self.compare(rows, slots, (block.from, end), true, pairs);
        if let Some(centres) = self.centres {
            self.across(scratch, centres, block.cluster);
        }
    }

    /// The codes and scales of slots.
    fn take(&self, slots: &[usize], codes: &mut Vec<i8>, scales: &mut Vec<Scale>) {
        codes.clear();
        scales.clear();
        for &slot in slots {
            self.codes.row(slot, codes);
            scales.push(self.codes.scale(slot));
        }
    }

    /// The block's rows against the other clusters that they reach.
    fn across(&self, scratch: &mut Scratch, centres: &Centres, home: usize) {
        let k = centres.k();
        scratch.units.clear();
        for &slot in &scratch.slots {
            self.store.unit(self.codes.node(slot), &mut scratch.unit);
            scratch.units.extend_from_slice(&scratch.unit);
        }
        centres.scores(&scratch.units, &mut scratch.scores);
        centres.limits(home, self.reach, &mut scratch.limits);
        scratch.asked.clear();
        for (place, scores) in (0u32..).zip(scratch.scores.chunks_exact(k)) {
            let own = scores[home];
            for (cluster, (score, limit)) in (0u32..).zip(scores.iter().zip(&scratch.limits)) {
                if own - score <= *limit && cluster as usize != home {
                    scratch.asked.push((cluster, place));
                }
            }
        }
        scratch.asked.sort_unstable();
        let stride = self.codes.stride();
        for asked in scratch.asked.chunk_by(|a, b| a.0 == b.0) {
            let some = &mut scratch.some;
            some.slots.clear();
            some.codes.clear();
            some.scales.clear();
            for &(_, place) in asked {
                let place = place as usize;
                some.slots.push(scratch.slots[place]);
                some.scales.push(scratch.scales[place]);
                let code = &scratch.codes[place * stride..(place + 1) * stride];
                some.codes.extend_from_slice(code);
            }
            let rows = Rows::new(&some.codes, stride, &some.scales);
            let columns = self.codes.cluster(asked[0].0 as usize);
            self.compare(rows, &some.slots, columns, false, &mut scratch.pairs);
        }
    }

    /// Compares rows with columns and joins what is near. With `later` a row is compared with the slots behind its own.
    fn compare(
        &self,
        rows: Rows<'_>,
        slots: &[usize],
        (first, end): (usize, usize),
        later: bool,
        pairs: &mut Pairs,
    ) {
        for from in (first..end).step_by(COLUMNS) {
            let to = (from + COLUMNS).min(end);
            pairs.hits.clear();
            let columns = self.codes.columns((from, to));
            self.kernel.hits(rows, columns, self.least, &mut pairs.hits);
            self.compared
                .fetch_add((slots.len() * (to - from)) as u64, Ordering::Relaxed);
            self.settle(slots, from, later, pairs);
        }
    }

    /// Decides the hits exactly and joins those below a distance.
    fn settle(&self, slots: &[usize], first: usize, later: bool, pairs: &mut Pairs) {
        let Pairs { hits, one, other } = pairs;
        hits.sort_unstable_by_key(|hit| hit.row);
        for hits in hits.chunk_by(|a, b| a.row == b.row) {
            let slot = slots[hits[0].row as usize];
            let (node, scale) = (self.codes.node(slot), self.codes.scale(slot));
            let mut norm = None;
            for hit in hits {
                let column = first + hit.column as usize;
                if later && column <= slot {
                    continue;
                }
                let mate = self.codes.node(column);
                // The distance is above this, so that it can only be below the places from here on. Sets grow with the
                // distance: who is joined here is joined at all that follow.
                let (_, high) = int8::bounds(hit.dot, scale, self.codes.scale(column));
                let above = 1.0 - f64::from(high);
                let distances = &self.found.distances;
                let place = distances.partition_point(|&distance| distance <= above);
                if place == distances.len() || self.found.forests[place].joined(node, mate) {
                    continue;
                }
                let norm = *norm.get_or_insert_with(|| self.store.vector(node, one));
                let mate_norm = self.store.vector(mate, other);
                let exact = exact::distance(one, other, norm, mate_norm);
                let place = distances.partition_point(|&distance| distance <= exact);
                for forest in &self.found.forests[place..] {
                    if !forest.join(node, mate) {
                        break;
                    }
                }
            }
        }
    }

    /// All pairs of the sampled vectors, and what each needs to be found.
    fn sample(&self, centres: &Centres, homes: &[u32], jobs: usize) -> Vec<Sampled> {
        let mut slot_of = vec![0usize; self.store.distinct()];
        for slot in 0..self.codes.slots() {
            if self.codes.node(slot) != NOBODY {
                slot_of[self.codes.node(slot) as usize] = slot;
            }
        }
        let share = self.store.distinct() / SAMPLE_ONE_OF;
        let sampled = self.store.sampled(share.clamp(SAMPLE.0, SAMPLE.1));
        let mut all = Vec::new();
        for (wave, nodes) in sampled.chunks(WAVE).enumerate() {
            let slots: Vec<usize> = nodes.iter().map(|&node| slot_of[node as usize]).collect();
            let (mut codes, mut scales) = (Vec::new(), Vec::new());
            self.take(&slots, &mut codes, &mut scales);
            let rows = Rows::new(&codes, self.codes.stride(), &scales);
            let found = Mutex::new(Vec::new());
            let pieces = self.codes.slots().div_ceil(COLUMNS);
            tasks(jobs, pieces, |pairs: &mut Pairs, piece| {
                let from = piece * COLUMNS;
                let to = (from + COLUMNS).min(self.codes.slots());
                pairs.hits.clear();
                let columns = self.codes.columns((from, to));
                self.kernel.hits(rows, columns, self.least, &mut pairs.hits);
                let mut here = Vec::new();
                for hit in &pairs.hits {
                    let node = nodes[hit.row as usize];
                    let mate = self.codes.node(from + hit.column as usize);
                    if let Some(distance) = self.near(node, mate, &mut pairs.one, &mut pairs.other)
                    {
                        let home = |node: u32| homes[node as usize] as usize;
                        self.store.unit(node, &mut pairs.one);
                        self.store.unit(mate, &mut pairs.other);
                        here.push(Sampled {
                            distance,
                            needs: centres
                                .needs((&pairs.one, home(node)), (&pairs.other, home(mate))),
                            judges: (wave * WAVE + hit.row as usize) % 2 == 1,
                        });
                    }
                }
                found
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .append(&mut here);
            });
            all.append(&mut found.into_inner().unwrap_or_else(PoisonError::into_inner));
            if all.len() >= ENOUGH {
                break;
            }
        }
        all
    }

    /// The distance of two nodes, if they are two and it is below the largest asked for.
    fn near(&self, node: u32, mate: u32, one: &mut Vec<f32>, other: &mut Vec<f32>) -> Option<f64> {
        if node == mate {
            return None;
        }
        let norms = (self.store.vector(node, one), self.store.vector(mate, other));
        let distance = exact::distance(one, other, norms.0, norms.1);
        (distance < self.found.distances.last().copied()?).then_some(distance)
    }
}
