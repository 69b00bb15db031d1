//! All pairs of 64-bit hashes within a Hamming radius, exactly, in far less than quadratic time.
//!
//! Multi-index hashing (Norouzi, Punjani, Fleet 2012). The 64 bits are cut into m bands, band i with a limit tᵢ such that
//! Σ (tᵢ + 1) = radius + 1. If two hashes differ by more than tᵢ in every band, they differ by at least
//! Σ (tᵢ + 1) > radius in all: so every pair within the radius agrees up to tᵢ in some band i. Per band the hashes are
//! sorted by their bits there; then each bucket is compared with the buckets whose keys lie within tᵢ of its own.
//!
//! The keys of a band are cut into pieces, which threads take in turn; a [`Part`] of the search is every n-th piece.
//!
//! Memory: 12 bytes a hash, and a directory of at most 128 MB. Each pair is found once, by exactly one part; the order
//! in which pairs are found is the threads'.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// The largest radius: beyond a quarter of the bits, unrelated pictures meet.
pub const MAX_RADIUS: u32 = 16;

/// The widest band, which bounds the directory.
const MAX_BITS: u32 = 24;

/// What a look at a bucket costs, in comparisons of two hashes: an estimate, which decides about speed alone.
const PROBE: f64 = 2.0;

/// More distinct hashes than 32 bits can number (their search would take 48 GB).
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0} distinct hashes are more than can be searched")]
pub struct TooMany(pub(crate) usize);

impl TooMany {
    /// The stable name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "too-many-hashes"
    }
}

/// Into so many pieces the keys of a band are cut.
const PIECES: u32 = 1 << 12;

/// One part of a search that several runs share: part `number`, from 1, of `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    number: u32,
    of: u32,
}

impl Part {
    /// The whole search.
    pub const ALL: Self = Self { number: 1, of: 1 };

    /// Whether the piece of work with this number belongs to the part.
    pub(crate) fn has(self, piece: u32) -> bool {
        piece % self.of == self.number - 1
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.of)
    }
}

/// A text that names no part.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not I/N with 1 <= I <= N")]
pub struct NotAPart(String);

impl NotAPart {
    /// The stable name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "not-a-part"
    }
}

impl FromStr for Part {
    type Err = NotAPart;

    /// Reads `I/N`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = text.split_once('/').and_then(|(number, of)| {
            let (number, of) = (number.parse().ok()?, of.parse().ok()?);
            (1 <= number && number <= of).then_some(Self { number, of })
        });
        part.ok_or_else(|| NotAPart(text.to_owned()))
    }
}

/// A run of bits of the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Band {
    /// Where it starts, from the lowest bit.
    shift: u32,
    bits: u32,
    /// By how many bits two keys may differ.
    limit: u32,
}

impl Band {
    #[expect(clippy::cast_possible_truncation, reason = "masked to 24 bits")]
    fn key(self, hash: u64) -> u32 {
        (hash >> self.shift) as u32 & self.mask()
    }

    fn mask(self) -> u32 {
        (1 << self.bits) - 1
    }

    /// Whether the pair with this difference is found through this band.
    fn finds(self, difference: u64) -> bool {
        self.key(difference).count_ones() <= self.limit
    }

    /// All differences of keys within the limit, 0 among them, ascending.
    fn differences(self) -> Vec<u32> {
        let mut found = vec![0];
        let mut ring = vec![0_u32];
        for _ in 0..self.limit {
            // Adding only bits above the highest makes each combination once.
            ring = ring
                .iter()
                .flat_map(|&low| {
                    let next = 32 - low.leading_zeros();
                    (next..self.bits).map(move |bit| low | 1 << bit)
                })
                .collect();
            found.extend_from_slice(&ring);
        }
        found.sort_unstable();
        found
    }

    /// How many differences there are.
    fn ball(self) -> f64 {
        let mut choose = 1.0;
        let mut sum = 1.0;
        for i in 0..self.limit {
            choose *= f64::from(self.bits.saturating_sub(i)) / f64::from(i + 1);
            sum += choose;
        }
        sum
    }
}

/// Gives `found` the pairs of positions in `hashes`, the lower one first, whose hashes differ in at most `radius` bits:
/// all that are in `part`. `jobs` threads call it, in no certain order.
///
/// `hashes` should not repeat: equal ones are pairs too, and k of them make k² of those. A radius above
/// [`MAX_RADIUS`] is taken as that.
///
/// # Errors
/// [`TooMany`]: positions are 32-bit numbers.
pub fn pairs(
    hashes: &[u64],
    radius: u32,
    part: Part,
    jobs: usize,
    found: impl Fn(u32, u32) + Sync,
) -> Result<(), TooMany> {
    let count = u32::try_from(hashes.len()).map_err(|_| TooMany(hashes.len()))?;
    let radius = radius.min(MAX_RADIUS);
    let bands = choose(count, radius);
    for (number, &band) in bands.iter().enumerate() {
        let index = Index::new(hashes, band);
        let meet = |(one, a): (u64, u32), (other, b): (u64, u32)| {
            let difference = one ^ other;
            // A pair that an earlier band finds has been given already.
            if difference.count_ones() <= radius
                && !bands[..number].iter().any(|band| band.finds(difference))
            {
                found(a.min(b), a.max(b));
            }
        };
        let keys = 1_u32 << band.bits;
        let length = (keys / PIECES).max(1);
        let pieces = keys.div_ceil(length);
        let differences = band.differences();
        let next = AtomicU32::new(0);
        let work = || {
            loop {
                let piece = next.fetch_add(1, Ordering::Relaxed);
                if piece >= pieces {
                    return;
                }
                if part.has(piece) {
                    let keys = piece * length..(piece + 1) * length;
                    index.neighbours(keys, &differences, meet);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..jobs {
                scope.spawn(work);
            }
            work();
        });
    }
    Ok(())
}

/// The cheapest cut into bands for so many hashes, if they were random.
fn choose(count: u32, radius: u32) -> Vec<Band> {
    let mut best = (f64::INFINITY, Vec::new());
    for m in 64_u32.div_ceil(MAX_BITS)..=16 {
        let bands = cut(m, radius);
        let cost: f64 = bands.iter().map(|band| cost(*band, f64::from(count))).sum();
        if cost < best.0 {
            best = (cost, bands);
        }
    }
    best.1
}

fn cost(band: Band, count: f64) -> f64 {
    let buckets = 2_f64.powi(i32::try_from(band.bits).unwrap_or(i32::MAX));
    let probes = count.min(buckets) * band.ball() * PROBE;
    let comparisons = count * count / buckets * band.ball();
    // Each pair of buckets is met once, from its lower key. The directory is walked once.
    f64::midpoint(probes, comparisons) + buckets + count
}

/// m bands over 64 bits, with limits that add up (plus one each) to the radius plus one; without those that find nothing.
fn cut(m: u32, radius: u32) -> Vec<Band> {
    let share = |total: u32, number: u32| total / m + u32::from(number < total % m);
    let mut shift = 0;
    let mut bands = Vec::new();
    for number in 0..m {
        // The wider bands come first, and so do the higher limits.
        let bits = share(64, number);
        if let Some(limit) = share(radius + 1, number).checked_sub(1) {
            bands.push(Band { shift, bits, limit });
        }
        shift += bits;
    }
    bands
}

/// The hashes sorted by one band.
struct Index {
    /// Where each key's bucket starts; one more entry for the end.
    starts: Vec<u32>,
    /// Hash and position, bucket by bucket.
    hashes: Vec<u64>,
    positions: Vec<u32>,
}

impl Index {
    /// Counting sort, stable.
    fn new(all: &[u64], band: Band) -> Self {
        let mut starts = vec![0_u32; (1 << band.bits) + 1];
        for &hash in all {
            starts[band.key(hash) as usize + 1] += 1;
        }
        for key in 1..starts.len() {
            starts[key] += starts[key - 1];
        }
        let mut next = starts.clone();
        let mut hashes = vec![0; all.len()];
        let mut positions = vec![0; all.len()];
        for (position, &hash) in (0_u32..).zip(all) {
            let place = &mut next[band.key(hash) as usize];
            hashes[*place as usize] = hash;
            positions[*place as usize] = position;
            *place += 1;
        }
        Self {
            starts,
            hashes,
            positions,
        }
    }

    fn bucket(&self, key: u32) -> Range<usize> {
        self.starts[key as usize] as usize..self.starts[key as usize + 1] as usize
    }

    /// Gives each pair of hashes whose keys differ as the band allows, the lower key of the two being one of `keys`, once.
    fn neighbours(
        &self,
        keys: Range<u32>,
        differences: &[u32],
        meet: impl Fn((u64, u32), (u64, u32)),
    ) {
        for key in keys {
            let here = self.bucket(key);
            if here.is_empty() {
                continue;
            }
            for a in here.clone() {
                for b in a + 1..here.end {
                    meet(self.at(a), self.at(b));
                }
            }
            for difference in &differences[1..] {
                let other = key ^ difference;
                // From the lower key only.
                if other < key {
                    continue;
                }
                let there = self.bucket(other);
                for a in here.clone() {
                    for b in there.clone() {
                        meet(self.at(a), self.at(b));
                    }
                }
            }
        }
    }

    fn at(&self, place: usize) -> (u64, u32) {
        (self.hashes[place], self.positions[place])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    fn searched(hashes: &[u64], radius: u32, parts: u32, jobs: usize) -> Vec<(u32, u32)> {
        let all = Mutex::new(Vec::new());
        for number in 1..=parts {
            let part = Part { number, of: parts };
            pairs(hashes, radius, part, jobs, |a, b| {
                all.lock().unwrap().push((a, b));
            })
            .unwrap();
        }
        let mut all = all.into_inner().unwrap();
        all.sort_unstable();
        all
    }

    fn compared(hashes: &[u64], radius: u32) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        for (a, one) in (0..).zip(hashes) {
            for (b, other) in (0..).zip(hashes).skip(a as usize + 1) {
                if (one ^ other).count_ones() <= radius {
                    all.push((a, b));
                }
            }
        }
        all
    }

    #[test]
    fn parts_are_read() {
        assert_eq!("1/1".parse(), Ok(Part::ALL));
        assert_eq!("2/3".parse(), Ok(Part { number: 2, of: 3 }));
        for bad in ["", "1", "0/2", "3/2", "1/0", "a/b", "-1/2"] {
            assert_eq!(bad.parse::<Part>().unwrap_err().code(), "not-a-part");
        }
    }

    #[test]
    fn every_cut_covers_the_hash_and_keeps_the_promise() {
        for m in 3..=16 {
            for radius in 0..=MAX_RADIUS {
                let bands = cut(m, radius);
                let promised: u32 = bands.iter().map(|band| band.limit + 1).sum();
                assert_eq!(promised, radius + 1);
                let mut covered = 0_u64;
                for band in bands {
                    assert!(band.bits <= MAX_BITS);
                    let bits = u64::from(band.mask()) << band.shift;
                    assert_eq!(covered & bits, 0);
                    covered |= bits;
                    if band.limit < 4 {
                        let differences = band.differences();
                        let distinct: BTreeSet<_> = differences.iter().collect();
                        assert_eq!(distinct.len(), differences.len());
                        #[expect(clippy::cast_precision_loss, reason = "small")]
                        let many = differences.len() as f64;
                        assert!((many - band.ball()).abs() < 1e-6);
                    }
                }
            }
        }
    }

    /// Hashes near a few centres, so that distances of all sizes occur.
    fn crowds() -> impl Strategy<Value = Vec<u64>> {
        let flips = prop::collection::vec(0_u32..64, 0..20);
        let member = (0_usize..5, flips);
        (
            prop::collection::vec(any::<u64>(), 5),
            prop::collection::vec(member, 0..120),
        )
            .prop_map(|(centres, members)| {
                let flip = |hash: u64, bit: &u32| hash ^ 1 << bit;
                members
                    .iter()
                    .map(|(centre, flips)| flips.iter().fold(centres[*centre], flip))
                    .collect()
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_search_finds_what_comparing_all_finds(
            hashes in crowds(),
            radius in 0..=MAX_RADIUS,
            parts in 1_u32..4,
            jobs in 1_usize..4,
        ) {
            prop_assert_eq!(searched(&hashes, radius, parts, jobs), compared(&hashes, radius));
        }
    }

    #[test]
    fn the_cut_for_many_hashes_finds_all_too() {
        // So many that wide bands are chosen; every third one lies near its predecessor.
        let mut state = 1_u64;
        let mut random = || {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ z >> 31
        };
        let mut hashes = Vec::new();
        for _ in 0..2000 {
            let hash = random();
            let near = (0..random() % 12).fold(hash, |hash, _| hash ^ 1 << (random() % 64));
            hashes.extend([hash, random(), near]);
        }
        for radius in [0, 1, 4, 8, 11] {
            assert_eq!(
                searched(&hashes, radius, 2, 2),
                compared(&hashes, radius),
                "radius {radius}"
            );
        }
    }
}
