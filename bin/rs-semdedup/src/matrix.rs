//! The rows of a matrix in place of records.

use std::path::Path;

use anyhow::{Result, ensure};
use realsyn_cli::{Common, Outcome};
use realsyn_lines::Origin;
use realsyn_semdedup::{Names, Rank, Store, Verdicts};
use realsyn_vector::npy::Matrix;

use crate::judge::judge;
use crate::page::PAGE;
use crate::{Keep, Own, edges};

const KIND: &str = "row";
/// Rows that are answered at a time.
const BLOCK: usize = 4096;

/// Writes a row/1 record for each row that stays, or with --mark for each row.
pub fn run(common: &Common, own: &Own, path: &Path) -> Result<Outcome> {
    ensure!(
        matches!(own.keep, Keep::Centroid | Keep::First),
        "rows of a matrix have no size: with --vectors, --keep takes centroid or first"
    );
    let matrix = Matrix::open(path)?;
    let mut run = common.start(&PAGE, own)?;
    if run.operands().is_empty() {
        // A resumed run that had ended.
        return Ok(run.finish()?);
    }
    let names = Names::Rows(matrix.rows());
    let store = Store::new(matrix, run.jobs())?;
    let judged = judge(&mut run, own, KIND, &store, &names, None)?;
    run.tally().of(KIND).seen += store.records() as u64;
    if own.edges.is_some() {
        run.tally().of(KIND).kept += store.records() as u64;
        edges::write(&mut run, own, KIND, &store, &judged, &names)?;
        return Ok(run.finish()?);
    }
    let rank = if own.keep == Keep::First {
        Rank::First
    } else {
        Rank::Centroid
    };
    let verdicts = Verdicts::new(&store, &judged.found, judged.place, rank, |a, b| a.cmp(&b));
    let file = path.display().to_string();
    for from in (0..store.records()).step_by(BLOCK) {
        let mut sink = run.sink();
        for row in from..(from + BLOCK).min(store.records()) {
            let line = format!("{{\"schema\":\"row/1\",\"row\":{row}}}");
            match verdicts.dup_of(row) {
                Some(kept) if !own.mark => {
                    let origin = Origin {
                        file: Some(&file),
                        record: line.as_bytes(),
                        ..Origin::default()
                    };
                    let (kept, message) = (kept.to_string(), format!("row {kept} is kept"));
                    sink.refuse_duplicate(KIND, "semantic-duplicate-row", &message, &kept, origin);
                    continue;
                }
                Some(kept) => {
                    let marked =
                        format!("{{\"schema\":\"row/1\",\"row\":{row},\"dup_of\":{kept}}}");
                    sink.line(marked.as_bytes());
                }
                None => sink.line(line.as_bytes()),
            }
            sink.tally.of(KIND).kept += 1;
        }
        run.accept(sink)?;
    }
    Ok(run.finish()?)
}
