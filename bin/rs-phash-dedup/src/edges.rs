//! Edges: what one run of the search found, for another run to join.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use realsyn_phash::{Algorithm, TextKey, from_hex, hex};
use realsyn_record::Record;
use serde::Serialize;

/// An `edge/1` record: two hashes of one group.
#[derive(Serialize)]
struct Edge<'a> {
    schema: &'static str,
    kind: &'static str,
    by: &'a str,
    a: String,
    b: String,
}

/// The rule that joins sentences.
const BY_TEXT: &str = "jaccard";

/// Appends the edge between two pictures' hashes as a line.
pub fn picture_edge(algorithm: Algorithm, (a, b): (u64, u64), out: &mut Vec<u8>) -> Result<()> {
    line("image", algorithm.as_str(), hex(a), hex(b), out)
}

/// Appends the edge between two sentences' as a line.
pub fn sentence_edge((a, b): (TextKey, TextKey), out: &mut Vec<u8>) -> Result<()> {
    line("sentence", BY_TEXT, a.to_string(), b.to_string(), out)
}

fn line(kind: &'static str, by: &str, a: String, b: String, out: &mut Vec<u8>) -> Result<()> {
    let edge = Edge {
        schema: "edge/1",
        kind,
        by,
        a,
        b,
    };
    serde_json::to_writer(&mut *out, &edge)?;
    out.push(b'\n');
    Ok(())
}

/// What files of edges say.
#[derive(Default)]
pub struct Edges {
    /// Between pictures' hashes.
    pub pictures: Vec<(u64, u64)>,
    /// Between sentences.
    pub sentences: Vec<(TextKey, TextKey)>,
}

impl Edges {
    /// Reads a file of edges. One that is not what this tool wrote with the same algorithm ends the run: a join that
    /// is missing would keep duplicates.
    pub fn read(&mut self, path: &Path, algorithm: Algorithm) -> Result<()> {
        let name = path.display();
        let input = realsyn_lines::open(path).with_context(|| name.to_string())?;
        for (number, line) in (1..).zip(BufReader::new(input).lines()) {
            let line = line.with_context(|| format!("{name}:{number}"))?;
            if !line.trim().is_empty() {
                self.take(&line, algorithm)
                    .with_context(|| format!("{name}:{number}"))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, line: &str, algorithm: Algorithm) -> Result<()> {
        let record = Record::parse(line.as_bytes())?;
        let schema = record.need_text("schema")?;
        ensure!(schema == "edge/1", "{schema} is not edge/1");
        let (kind, by) = (record.need_text("kind")?, record.need_text("by")?);
        let (a, b) = (record.need_text("a")?, record.need_text("b")?);
        match (&*kind, &*by) {
            ("image", by) => {
                ensure!(
                    by == algorithm.as_str(),
                    "an edge by {by}, where --algorithm is {}",
                    algorithm.as_str()
                );
                let (Some(a), Some(b)) = (from_hex(&a), from_hex(&b)) else {
                    bail!("a and b are not 16 hexadecimal digits each");
                };
                self.pictures.push((a, b));
            }
            ("sentence", BY_TEXT) => {
                let (Some(a), Some(b)) = (TextKey::from_hex(&a), TextKey::from_hex(&b)) else {
                    bail!("a and b are not 32 hexadecimal digits each");
                };
                self.sentences.push((a, b));
            }
            (kind, by) => bail!("an edge of kind {kind} by {by} is none of rs-phash-dedup's"),
        }
        Ok(())
    }
}
