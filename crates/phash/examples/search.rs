//! Times the search for all pairs, and counting bits of all pairs, over made-up hashes.
//!
//! `cargo run --release -p realsyn-phash --example search -- COUNT RADIUS JOBS [--brute|--write]`: half of the hashes are
//! random, half lie up to ten flipped bits from one of COUNT/20 centres. Prints a JSON line: seconds, and how many groups
//! and joined hashes there are. `--brute` compares all with all in place of the search; `--write` writes the hashes as
//! records and does nothing else.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use realsyn_phash::{Graph, Part, hex};

/// `SplitMix64`.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

fn hashes(count: usize) -> Vec<u64> {
    let mut state = 1;
    let centres: Vec<u64> = (0..=count / 20).map(|_| random(&mut state)).collect();
    (0..count)
        .map(|number| {
            if number % 2 == 0 {
                return random(&mut state);
            }
            let place = random(&mut state) % centres.len() as u64;
            let flips = random(&mut state) % 11;
            let centre = centres[usize::try_from(place).unwrap_or_default()];
            (0..flips).fold(centre, |hash, _| hash ^ 1 << (random(&mut state) % 64))
        })
        .collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [count, radius, jobs, mode @ ..] = &arguments[..] else {
        return Err("COUNT RADIUS JOBS [--brute|--write]".into());
    };
    let (radius, jobs): (u32, usize) = (radius.parse()?, jobs.parse()?);
    let hashes = hashes(count.parse()?);
    let mode = mode.first().map_or("", String::as_str);
    if mode == "--write" {
        let mut out = BufWriter::new(std::io::stdout().lock());
        for (number, &hash) in hashes.iter().enumerate() {
            writeln!(
                out,
                "{{\"schema\":\"image/1\",\"id\":\"d{}/i{}\",\"width\":{},\"height\":480,\"phash\":\"{}\"}}",
                number / 10,
                number % 10,
                320 + number % 640,
                hex(hash)
            )?;
        }
        return Ok(out.flush()?);
    }
    let start = Instant::now();
    let graph = Graph::new(hashes)?;
    let found = AtomicUsize::new(0);
    if mode == "--brute" {
        let nodes = graph.nodes();
        for (a, one) in nodes.iter().enumerate() {
            let near = nodes[a + 1..]
                .iter()
                .filter(|other| (one ^ *other).count_ones() <= radius);
            found.fetch_add(near.count(), Ordering::Relaxed);
        }
    } else {
        graph.search(radius, Part::ALL, jobs)?;
    }
    println!(
        "{{\"search_s\":{:.3},\"hashes\":{},\"joined\":{},\"pairs\":{}}}",
        start.elapsed().as_secs_f64(),
        graph.nodes().len(),
        graph.edges().count(),
        found.into_inner(),
    );
    Ok(())
}
