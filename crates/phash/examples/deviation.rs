//! How many bits a hash moves when a JPEG is decoded at a fraction of its size, and what hashing costs.
//!
//! `cargo run --release -p realsyn-phash --example deviation -- FILE...` prints a JSON line for each algorithm: pictures,
//! seconds a thousand pictures for the hash and for that of all pixels, and by number of bits moved how many pictures
//! there are.
#![allow(clippy::print_stdout, reason = "an example prints")]
#![allow(clippy::cast_precision_loss, reason = "counts of files")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use realsyn_phash::Algorithm;
use realsyn_picture::Limits;

fn main() -> std::io::Result<()> {
    let limits = Limits::default();
    let mut files = Vec::new();
    for path in std::env::args_os().skip(1) {
        files.push(std::fs::read(path)?);
    }
    for algorithm in Algorithm::ALL {
        let mut moved: BTreeMap<u32, u32> = BTreeMap::new();
        let (mut count, mut reduced, mut full) = (0_u32, Duration::ZERO, Duration::ZERO);
        for bytes in &files {
            let start = Instant::now();
            let one = algorithm.hash(bytes, &limits);
            let between = Instant::now();
            let other = algorithm.hash_of_all_pixels(bytes, &limits);
            let (first, second) = (between - start, between.elapsed());
            if let (Ok(one), Ok(other)) = (one, other) {
                count += 1;
                reduced += first;
                full += second;
                *moved
                    .entry((one.hash ^ other.hash).count_ones())
                    .or_default() += 1;
            }
        }
        let each = |total: Duration| total.as_secs_f64() * 1e3 / f64::from(count.max(1));
        println!(
            "{{\"algorithm\":\"{}\",\"pictures\":{count},\"ms_each\":{:.3},\"ms_each_full\":{:.3},\"moved\":\"{moved:?}\"}}",
            algorithm.as_str(),
            each(reduced),
            each(full),
        );
    }
    Ok(())
}
