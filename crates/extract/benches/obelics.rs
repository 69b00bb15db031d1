//! How fast lines of OBELICS are parsed, beside simd-json's own parse of them.
//!
//! usage: cargo bench -p realsyn-extract --bench obelics -- FILE [ROUNDS]
//!
//! Both see the same lines in memory, in turn, round by round; the medians are printed as JSON, in MB a second
//! of the thread's processor time, which other programs on the machine do not lengthen as they do the wall's.
//! simd-json parses the outer JSON alone: into its borrowed value with buffers reused from line to line and, as its
//! documentation shows it, without; and into its tape. Ours
//! also parses the JSON inside `metadata` and `general_metadata`, folds the white space of the texts and makes the blocks.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for whoever measures: it may end with a message"
)]
#![allow(clippy::cast_precision_loss, reason = "small counts")]

use std::hint::black_box;
use std::process::ExitCode;

use realsyn_extract::interleaved;

/// How often the file is gone through in one measurement: Linux counts a thread's time in ticks of some milliseconds.
const PASSES: usize = 5;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let Some(file) = args.next() else {
        println!("usage: cargo bench -p realsyn-extract --bench obelics -- FILE [ROUNDS]");
        // `cargo test --benches` runs this without a file.
        return ExitCode::SUCCESS;
    };
    let rounds: usize = args.next().and_then(|arg| arg.parse().ok()).unwrap_or(5);
    let bytes = std::fs::read(&file).expect("FILE can be read");
    let lines: Vec<&[u8]> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .collect();
    let mut buffers = simd_json::Buffers::default();
    let mut copy = Vec::new();
    let mut taken: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        for (which, taken) in taken.iter_mut().enumerate() {
            let start = cpu_seconds();
            for line in lines.iter().cycle().take(PASSES * lines.len()) {
                copy.clear();
                match which {
                    0 => {
                        copy.extend_from_slice(line);
                        let value =
                            simd_json::to_borrowed_value_with_buffers(&mut copy, &mut buffers);
                        black_box(&value.expect("FILE holds JSON Lines"));
                    }
                    1 => {
                        copy.extend_from_slice(line);
                        let value = simd_json::to_borrowed_value(&mut copy);
                        black_box(&value.expect("FILE holds JSON Lines"));
                    }
                    2 => {
                        copy.extend_from_slice(line);
                        let tape = simd_json::to_tape_with_buffers(&mut copy, &mut buffers);
                        black_box(&tape.expect("FILE holds JSON Lines"));
                    }
                    _ => {
                        let parsed = interleaved::parse(line, None);
                        black_box(&parsed.expect("FILE holds OBELICS"));
                    }
                }
            }
            taken.push((cpu_seconds() - start) / PASSES as f64);
        }
    }
    let [value, fresh, tape, ours] = taken.map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        let megabytes = bytes.len() as f64 / 1e6;
        megabytes / seconds[seconds.len() / 2]
    });
    println!(
        "{{\"documents\":{},\"bytes\":{},\"simd_json_value_mb_s\":{value:.1},\"simd_json_fresh_mb_s\":{fresh:.1},\
         \"simd_json_tape_mb_s\":{tape:.1},\
         \"ours_mb_s\":{ours:.1},\"value_to_ours\":{:.2},\"fresh_to_ours\":{:.2},\"tape_to_ours\":{:.2}}}",
        lines.len(),
        bytes.len(),
        value / ours,
        fresh / ours,
        tape / ours,
    );
    ExitCode::SUCCESS
}

/// What this thread has had of a processor (Linux).
fn cpu_seconds() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanoseconds = times
        .split(' ')
        .next()
        .and_then(|time| time.parse::<f64>().ok());
    nanoseconds.expect("a number comes first") / 1e9
}
