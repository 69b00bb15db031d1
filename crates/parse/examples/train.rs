//! `train PARSES WEIGHTS [SENTENCES]`: makes a weights file from a folder of parses, as `bin/train-parser` writes it;
//! for a trial, from so many sentences.

use std::error::Error;
use std::path::Path;
use std::{env, fs, io};

use realsyn_parse::train::{Plan, read, train};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut plan = Plan::default();
    let (parses, weights) = match arguments.as_slice() {
        [parses, weights] => (parses, weights),
        [parses, weights, most] => {
            plan.sentences = most.parse()?;
            (parses, weights)
        }
        _ => return Err("usage: train PARSES WEIGHTS [SENTENCES]".into()),
    };
    let mut sentences = read(Path::new(parses))?;
    sentences.retain(|sentence| sentence.split == "train");
    let made = train(&sentences, plan, |line| {
        use io::Write as _;
        // Progress; when nobody listens, that is no reason to stop.
        let _ = writeln!(io::stderr(), "train: {line}");
    });
    fs::write(weights, made.to_bytes())?;
    Ok(())
}
