//! The funnel for the shell: a plain table of at most 80 columns, without colour.
//!
//! ```text
//! stage           kind                seen          kept    share    paper
//! rs-extract      image                250           218    87.2%    84.8%
//!                   too-small                        -32    12.8%
//! ```

use std::io::{self, Write};

use crate::Report;
use crate::funnel::OwnDocument;
use crate::html::{clip, count, counted, percent, small_percent, times};

/// Writes the table.
pub(crate) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.stages.is_empty() {
        writeln!(out, "No funnel records were read.")?;
    } else {
        let paper = report.stages.rows().any(|row| !row.published().is_empty());
        let head = format!(
            "{:<16}{:<10}{:>14}{:>14}{:>9}",
            "stage", "kind", "seen", "kept", "share"
        );
        writeln!(out, "{head}{}", if paper { "    paper" } else { "" })?;
        let mut before = "";
        for row in report.stages.rows() {
            let stage = if row.stage == before { "" } else { &row.stage };
            before = &row.stage;
            let share = if row.grew() || row.seen == 0 {
                String::new()
            } else {
                percent(row.share())
            };
            let line = format!(
                "{:<16}{:<10}{:>14}{:>14}{share:>9}",
                plain(stage, 15),
                plain(&row.kind, 9),
                count(row.seen),
                count(row.kept),
            );
            let published = row
                .published()
                .first()
                .map_or_else(String::new, |published| {
                    format!("{:>9}", percent(published.kept))
                });
            writeln!(out, "{}", format!("{line}{published}").trim_end())?;
            for loss in row.losses() {
                let share = if row.seen == 0 {
                    String::new()
                } else {
                    percent(crate::html::share(loss.count, row.seen))
                };
                let code = if loss.error {
                    format!("error: {}", loss.code)
                } else {
                    loss.code.to_owned()
                };
                let lost = format!("-{}", count(loss.count));
                let line = format!("{:<18}{:<22}{lost:>14}{share:>9}", "", plain(&code, 21));
                writeln!(out, "{}", line.trim_end())?;
            }
            for step in row.steps() {
                writeln!(
                    out,
                    "{:<18}{:<8}{:>14}{:>14}{:>9}{:>9}",
                    "",
                    step.name,
                    count(step.seen),
                    count(step.kept),
                    percent(crate::html::share(step.kept, step.seen)),
                    percent(step.published.kept)
                )?;
            }
        }
        if paper {
            writeln!(
                out,
                "\npaper: what RealSyn (arXiv 2502.12513) kept at this step of its own corpus"
            )?;
        }
    }
    if let Some(own) = report.own_document() {
        writeln!(out, "\n{}", own_line(&own))?;
    }
    Ok(())
}

/// The last line.
fn own_line(own: &OwnDocument) -> String {
    let pairs = own.pairs.map_or_else(
        || "pairs".to_owned(),
        |pairs| counted(pairs, "pair", "pairs"),
    );
    let share = format!(
        "own-document first texts: {} of {pairs}",
        percent(own.share)
    );
    match own.chance {
        Some(chance) if chance > 0.0 => {
            format!(
                "{share}; chance {}; {} times chance",
                small_percent(chance),
                times(own.share / chance)
            )
        }
        _ => share,
    }
}

/// A name that cannot move the cursor or break the table.
fn plain(name: &str, width: usize) -> String {
    let clean: String = name
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    clip(&clean, width)
}
