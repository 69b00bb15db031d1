//! edge/1 records: two records that belong to one set, by their ids.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use realsyn_cli::Run;
use realsyn_lines::{LinesError, open};
use realsyn_record::Record;
use realsyn_semdedup::{Names, Store, sets};

use crate::Own;
use crate::judge::Judged;

/// What `by` says: these edges join records, by their embeddings.
const BY: &str = "embedding";

/// Writes for each set the edges from its first record to all others.
pub fn write(
    run: &mut Run,
    own: &Own,
    kind: &str,
    store: &Store,
    judged: &Judged,
    names: &Names,
) -> Result<()> {
    let mut out = String::new();
    for set in sets(store, &judged.found, judged.place, |a, b| names.order(a, b)) {
        let name = |record: u32| serde_json::Value::from(names.name(record as usize).into_owned());
        let first = name(set[0]);
        for &other in &set[1..] {
            let line = format!(
                "{{\"schema\":\"edge/1\",\"kind\":\"{kind}\",\"by\":\"{BY}\",\"distance\":{},\"a\":{first},\"b\":{}}}\n",
                own.distance,
                name(other)
            );
            out.push_str(&line);
        }
        if out.len() > 1 << 18 {
            run.write(out.as_bytes())?;
            out.clear();
        }
    }
    Ok(run.write(out.as_bytes())?)
}

/// The edges of `kind` in all files, as pairs of records.
///
/// Records that share their id are one to an edge, so that they are joined too. An edge whose ends are not both among the
/// records says nothing here; how many there are is told.
pub fn read(
    run: &mut Run,
    files: &[PathBuf],
    kind: &str,
    names: &Names,
) -> Result<Vec<(usize, usize)>> {
    let finder = names.finder();
    let mut pairs: Vec<(usize, usize)> = finder.twins().collect();
    let mut strangers = 0u64;
    let mut below: Option<f64> = None;
    for path in files {
        let io = |source| LinesError::io(path.display().to_string(), source);
        let mut input = BufReader::new(open(path).map_err(io)?);
        let (mut line, mut number) = (Vec::new(), 0u64);
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line).map_err(io)? == 0 {
                break;
            }
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let place = || format!("{}:{number}", path.display());
            let record = Record::parse(&line).with_context(place)?;
            ensure!(
                record.need_text("schema")? == "edge/1"
                    && record.text("by").with_context(place)?.as_deref() == Some(BY),
                "{}: no edge/1 record by {BY}; --edges writes them",
                place()
            );
            let distance = record.need("distance").with_context(place)?;
            let first = *below.get_or_insert(distance);
            ensure!(
                first.total_cmp(&distance).is_eq(),
                "{}: edges of two distances: {first} and {distance}",
                place()
            );
            if record.need_text("kind").with_context(place)? != kind {
                continue;
            }
            let end = |key: &str| -> Result<Option<usize>> {
                Ok(finder.find(&record.need_text(key).with_context(place)?))
            };
            match (end("a")?, end("b")?) {
                (Some(one), Some(other)) => pairs.push((one, other)),
                _ => strangers += 1,
            }
        }
    }
    if strangers > 0 {
        run.tell(&format!(
            "{kind}: {strangers} edges name a record that is not there"
        ));
    }
    run.note(kind, "edges", (pairs.len() as u64).into());
    run.note(kind, "strange_edges", strangers.into());
    Ok(pairs)
}
