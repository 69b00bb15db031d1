//! `train PARSES WEIGHTS`: makes a weights file from a folder of parses, as `bin/train-parser` writes it.

use std::error::Error;
use std::path::Path;
use std::{env, fs, io};

use realsyn_parse::train::{Plan, read, train};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [parses, weights] = arguments.as_slice() else {
        return Err("usage: train PARSES WEIGHTS".into());
    };
    let mut sentences = read(Path::new(parses))?;
    sentences.retain(|sentence| sentence.split == "train");
    let made = train(&sentences, Plan::default(), |line| {
        use io::Write as _;
        // Progress; when nobody listens, that is no reason to stop.
        let _ = writeln!(io::stderr(), "train: {line}");
    });
    fs::write(weights, made.to_bytes())?;
    Ok(())
}
