//! `measure PARSES [WEIGHTS]`: how far the parser agrees with the teacher's parses of sentences that it never saw, and how
//! fast it is, as tables.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;
use std::{env, fs, io};

use realsyn_parse::train::{Agreement, CorpusError, Sentence, measure, read};
use realsyn_parse::{Parser, Scratch};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (folder, own) = match arguments.as_slice() {
        [only, parses] if only == "--speed" => {
            return speed(Parser::embedded()?, &sentences(parses)?);
        }
        [parses] => (parses, None),
        [parses, weights] => (parses, Some(Parser::from_bytes(&fs::read(weights)?)?)),
        _ => return Err("usage: measure [--speed] PARSES | measure PARSES WEIGHTS".into()),
    };
    let parser = match &own {
        Some(parser) => parser,
        None => Parser::embedded()?,
    };
    let mut out = io::stdout().lock();
    let sentences = sentences(folder)?;
    let mut scratch = Scratch::default();
    let mut sources: BTreeMap<(&str, &str), Agreement> = BTreeMap::new();
    for sentence in &sentences {
        let counts = measure(parser, &mut scratch, sentence);
        let source = if sentence.split == "train" {
            "(a sample)"
        } else {
            &sentence.source
        };
        sources
            .entry((&sentence.split, source))
            .or_default()
            .add(&counts);
        if sentence.split != "train" {
            sources
                .entry((&sentence.split, "~ all"))
                .or_default()
                .add(&counts);
        }
    }
    writeln!(
        out,
        "| split | source | sentences | action there | keep alike | action alike | action F1 | complexity alike | tokens | tags | heads (UAS) | labels (LAS) |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|---|---|---|")?;
    for ((split, source), counts) in &sources {
        write!(out, "| {split} | {source} | {}", counts.sentences)?;
        for (part, whole) in [
            (counts.both + counts.only_theirs, counts.sentences),
            (counts.kept_alike, counts.sentences),
            (counts.action_alike(), counts.sentences),
        ] {
            write!(out, " | {:.2}", Agreement::percent(part, whole))?;
        }
        write!(
            out,
            " | {:.2} | {:.2}",
            counts.f1(),
            Agreement::percent(counts.same_complexity, counts.sentences)
        )?;
        for part in [
            counts.same_tokens,
            counts.same_tags,
            counts.same_heads,
            counts.same_labels,
        ] {
            write!(out, " | {:.2}", Agreement::percent(part, counts.tokens))?;
        }
        writeln!(out, " |")?;
    }
    writeln!(out)?;
    drop(out);
    speed(parser, &sentences)
}

/// The sentences of a folder, and no more than 4,000 that were learned from.
fn sentences(parses: &str) -> Result<Vec<Sentence>, CorpusError> {
    let mut sentences = read(Path::new(parses))?;
    let mut trained = 0;
    sentences.retain(|sentence| {
        trained += u32::from(sentence.split == "train");
        sentence.split != "train" || trained <= 4000
    });
    Ok(sentences)
}

/// Parses all sentences five times and tells the best as a line of JSON.
fn speed(parser: &Parser, sentences: &[Sentence]) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let mut scratch = Scratch::default();
    let (mut best, mut kept) = (f64::INFINITY, 0_u32);
    for _ in 0..5 {
        kept = 0;
        let start = seconds(begin);
        for sentence in sentences {
            let parse = parser.parse(&mut scratch, &sentence.text);
            kept += u32::from(parse.action() && parse.complexity() >= 1);
        }
        best = best.min(seconds(begin) - start);
    }
    let tokens: usize = sentences.iter().map(|sentence| sentence.tokens.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (count, tokens) = (sentences.len() as f64, tokens as f64);
    let (a_sentence, kept) = (1e6 * best / count, 100.0 * f64::from(kept) / count);
    writeln!(
        io::stdout(),
        "{{\"us_a_sentence\": {a_sentence:.3}, \"sentences_per_s\": {:.0}, \"tokens_per_s\": {:.0}, \"kept_percent\": {kept:.2}}}",
        count / best,
        tokens / best
    )?;
    Ok(())
}

/// The seconds of processor time of this thread, where Linux tells them; else those that have passed.
fn seconds(begin: Instant) -> f64 {
    let said = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = said
        .as_deref()
        .and_then(|said| said.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(
        || begin.elapsed().as_secs_f64(),
        |nanoseconds| nanoseconds / 1e9,
    )
}
