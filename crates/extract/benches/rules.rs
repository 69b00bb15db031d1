//! How fast the rules that need no parser take sentences, in MB/s of one thread.
//!
//! usage: cargo bench -p realsyn-extract --bench rules -- FILE [ROUNDS]
//!
//! FILE holds a sentence a line; all are in memory. The word counts are those of the same sentences, written to a file and
//! mapped, as `rs-extract --counts` does. The best round of each is printed as JSON, measured by the processor time of the
//! thread where Linux tells it, so that other programs on the machine do not count.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program for whoever measures: it may end with a message"
)]

use std::process::ExitCode;
use std::time::Instant;

use realsyn_extract::{Cache, Counter, Frequencies, Options, form, sentences};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let Some(file) = args.next() else {
        println!("usage: cargo bench -p realsyn-extract --bench rules -- FILE [ROUNDS]");
        // `cargo test --benches` runs this without a file.
        return ExitCode::SUCCESS;
    };
    let rounds: usize = args.next().and_then(|arg| arg.parse().ok()).unwrap_or(5);
    let text = std::fs::read_to_string(&file).expect("FILE can be read");
    let lines: Vec<&str> = text.lines().collect();
    // Three sentences make a paragraph.
    let blocks: Vec<String> = lines.chunks(3).map(|some| some.join(" ")).collect();
    let options = Options::default();
    let counts = std::env::temp_dir().join(format!("rules.{}.fst", std::process::id()));
    let counter = Counter::default();
    counter.add(lines.iter().copied()).expect("counting works");
    let out = std::fs::File::create(&counts).expect("temporary files can be made");
    counter
        .write(std::io::BufWriter::new(out))
        .expect("and written");
    let frequencies = Frequencies::open(&counts).expect("and read");
    std::fs::remove_file(&counts).expect("and removed");

    let mut cache = Cache::default();
    let has_form = |line: &str| form(line, &options).is_none();
    let measured = [
        (
            "split_mb_s",
            best(rounds, || {
                blocks.iter().map(|block| sentences(block).len()).sum()
            }),
        ),
        (
            "rule_1_mb_s",
            best(rounds, || {
                lines.iter().filter(|line| has_form(line)).count()
            }),
        ),
        (
            "rule_3_mb_s",
            best(rounds, || {
                lines
                    .iter()
                    .filter(|line| frequencies.entropy(line, 2.0, &mut cache) >= 0.3)
                    .count()
            }),
        ),
        (
            "rules_1_and_3_mb_s",
            best(rounds, || {
                lines
                    .iter()
                    .filter(|line| {
                        form(line, &options).is_none()
                            && frequencies.entropy(line, 2.0, &mut cache) >= 0.3
                    })
                    .count()
            }),
        ),
        (
            "count_mb_s",
            best(rounds, || {
                let counter = Counter::default();
                counter.add(lines.iter().copied()).expect("counting works");
                counter.finish().expect("and ends").distinct()
            }),
        ),
    ];
    let megabytes = text.len() as f64 / 1e6;
    let figures: Vec<String> = measured
        .iter()
        .map(|(name, seconds)| format!("\"{name}\":{:.1}", megabytes / seconds))
        .collect();
    println!(
        "{{\"sentences\":{},\"mb\":{megabytes:.1},\"distinct_words\":{},{}}}",
        lines.len(),
        frequencies.distinct(),
        figures.join(",")
    );
    ExitCode::SUCCESS
}

/// The seconds of the best of some rounds.
fn best(rounds: usize, mut work: impl FnMut() -> usize) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let (start, before) = (Instant::now(), processor());
        std::hint::black_box(work());
        let taken = match (before, processor()) {
            (Some(before), Some(after)) => after - before,
            _ => start.elapsed().as_secs_f64(),
        };
        best = best.min(taken);
    }
    best
}

/// The seconds that this thread has run.
fn processor() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = told.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}
