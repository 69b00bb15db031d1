//! `measure PARSES [WEIGHTS]`: how far the parser agrees with the teacher's parses of sentences that it never saw, and how
//! fast it is, as tables.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;
use std::{env, fs, io};

use realsyn_parse::train::{Agreement, measure, read};
use realsyn_parse::{Parser, Scratch};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (parses, own) = match arguments.as_slice() {
        [parses] => (parses, None),
        [parses, weights] => (parses, Some(Parser::from_bytes(&fs::read(weights)?)?)),
        _ => return Err("usage: measure PARSES [WEIGHTS]".into()),
    };
    let parser = match &own {
        Some(parser) => parser,
        None => Parser::embedded()?,
    };
    let mut out = io::stdout().lock();
    let mut sentences = read(Path::new(parses))?;
    let mut trained = 0;
    sentences.retain(|sentence| {
        trained += u32::from(sentence.split == "train");
        sentence.split != "train" || trained <= 4000
    });
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
    let (mut best, mut kept) = (f64::INFINITY, 0_usize);
    for _ in 0..5 {
        kept = 0;
        let start = Instant::now();
        for sentence in &sentences {
            let parse = parser.parse(&mut scratch, &sentence.text);
            kept += usize::from(parse.action() && parse.complexity() >= 1);
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    let tokens: usize = sentences.iter().map(|sentence| sentence.tokens.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (count, tokens) = (sentences.len() as f64, tokens as f64);
    writeln!(
        out,
        "\n{:.0} sentences/s, {:.0} tokens/s ({:.1} tokens a sentence), {kept} kept",
        count / best,
        tokens / best,
        tokens / count
    )?;
    Ok(())
}
