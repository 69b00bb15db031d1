//! Writes a model directory with random weights: `random-model NAME DIR`, NAME being one of the built-in configs.
//!
//! For benchmarks: speed does not depend on the weights. The tokenizer has no merges, so texts are long in tokens.

use std::path::Path;
use std::process::ExitCode;

use realsyn_checkpoint::{Checkpoint, CheckpointError, Config, tokenizer};

fn write(name: &str, dir: &Path) -> Result<(), CheckpointError> {
    let config = Config::named(name).ok_or_else(|| {
        let names: Vec<&str> = Config::names().collect();
        CheckpointError::Config(format!("{name}; there are {}", names.join(", ")))
    })?;
    let no_merges: [(&str, &str); 0] = [];
    let words = tokenizer::json(&no_merges, config.text_cfg.context_length)?;
    Checkpoint::random(&config, 7)?.write_dir(dir, &words)
}

#[expect(
    clippy::print_stderr,
    reason = "an example's only way to say what is wrong"
)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, dir] = &arguments[..] else {
        eprintln!("random-model NAME DIR");
        return ExitCode::from(2);
    };
    match write(name, Path::new(dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
