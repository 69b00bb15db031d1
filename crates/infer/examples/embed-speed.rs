//! What `tests/bench/embed` needs of the engine and of the preprocessing alone:
//!
//! `embed-speed engine MODEL ort|rten LIBRARY RECORDS THREADS` says how long the pictures' tensors take when they are ready;
//! `embed-speed tensors MODEL full|reduced RECORDS OUT` writes them as raw f32 for comparison with Pillow's.
//! `LIBRARY` is `-` for rten; `RECORDS` are lines with a `path`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Barrier;
use std::time::Instant;

use realsyn_infer::{Embedder, EngineChoice, EngineOptions, Model, Pixels};
use realsyn_picture::{Limits, decode, reduced_rgb};

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The paths of image records.
fn paths(records: &str) -> Answer<Vec<String>> {
    let path = |line: &str| -> Answer<String> {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let path = record["path"].as_str();
        Ok(path.ok_or("a record without a path")?.to_owned())
    };
    std::fs::read_to_string(records)?
        .lines()
        .map(path)
        .collect()
}

fn tensor(embedder: &mut Embedder, path: &str, is_reduced: bool) -> Answer<Pixels> {
    let bytes = std::fs::read(path)?;
    let limits = Limits::default();
    if is_reduced {
        let least = embedder.least_samples()?;
        Ok(embedder.prepare_reduced(&reduced_rgb(&bytes, &limits, least)?)?)
    } else {
        Ok(embedder.prepare(&decode(&bytes, &limits)?)?)
    }
}

fn tensors(model: &str, is_reduced: bool, records: &str, out: &str) -> Answer<()> {
    let options = EngineOptions {
        choice: EngineChoice::Rten,
        ..EngineOptions::default()
    };
    let mut embedder = Model::open(Path::new(model), &options)?.embedder();
    let mut file = std::io::BufWriter::new(std::fs::File::create(out)?);
    for path in paths(records)? {
        for value in tensor(&mut embedder, &path, is_reduced)?.values() {
            file.write_all(&value.to_le_bytes())?;
        }
    }
    Ok(file.flush()?)
}

/// What this process has computed so far, as Linux counts it in hundredths of a second.
fn cpu_seconds() -> Answer<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u32 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<Result<u32, _>>()?;
    Ok(f64::from(ticks) / 100.0)
}

/// Each thread has its session and its share of the tensors, as in rs-embed; loading is over before the clock starts.
fn engine(
    model: &str,
    options: &EngineOptions,
    records: &str,
    threads: usize,
) -> Answer<(f64, f64)> {
    let model = Model::open(Path::new(model), options)?;
    let paths = paths(records)?;
    let ready = Barrier::new(threads + 1);
    let (model, paths, ready) = (&model, &paths, &ready);
    std::thread::scope(|scope| {
        let work = |first: usize| -> Answer<()> {
            let mut embedder = model.embedder();
            let own: Answer<Vec<Pixels>> = paths
                .iter()
                .skip(first)
                .step_by(threads)
                .map(|path| tensor(&mut embedder, path, true))
                .collect();
            let warm = own.and_then(|own| {
                embedder.embed_pixels(&own[..own.len().min(1)])?;
                Ok(own)
            });
            ready.wait();
            embedder.embed_pixels(&warm?)?;
            Ok(())
        };
        let workers: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || work(first)))
            .collect();
        ready.wait();
        let (start, start_cpu) = (Instant::now(), cpu_seconds()?);
        for worker in workers {
            worker.join().map_err(|_| "a thread panicked")??;
        }
        Ok((start.elapsed().as_secs_f64(), cpu_seconds()? - start_cpu))
    })
}

fn run(arguments: &[&str]) -> Answer<()> {
    match arguments {
        ["tensors", model, scale @ ("full" | "reduced"), records, out] => {
            tensors(model, *scale == "reduced", records, out)
        }
        ["engine", model, choice, library, records, threads] => {
            let options = EngineOptions {
                choice: choice.parse()?,
                library: (*library != "-").then(|| library.into()),
                ..EngineOptions::default()
            };
            let (wall, cpu) = engine(model, &options, records, threads.parse()?)?;
            let said = serde_json::json!({"work_s": wall, "work_cpu_s": cpu});
            Ok(writeln!(std::io::stdout(), "{said}")?)
        }
        _ => Err("see the head of this program's source".into()),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "an example's only way to say what is wrong"
)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
