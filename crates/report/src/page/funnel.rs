//! The funnel as a table, the paper's shares beside ours.

use crate::Report;
use crate::funnel::Row;
use crate::html::{Escaped, count, percent, share};
use crate::markup::Markup;

/// Writes the section; nothing without funnel records.
pub(crate) fn write(report: &Report, out: &mut Markup) {
    if report.stages.is_empty() {
        return;
    }
    let paper = report.stages.rows().any(|row| !row.published().is_empty());
    out.put("<table class=\"funnel\"><caption class=\"unseen\">What each stage saw, kept and dropped</caption><thead><tr>");
    out.put("<th scope=\"col\">Stage</th><th scope=\"col\" class=\"n\">Seen</th><th scope=\"col\" class=\"n\">Kept</th>");
    out.put(
        "<th scope=\"col\" class=\"n\">Share</th><th class=\"wide\" aria-hidden=\"true\"></th>",
    );
    if paper {
        out.put("<th scope=\"col\" class=\"paper\">The paper kept</th>");
    }
    out.put("</tr></thead>");
    for row in report.stages.rows() {
        out.put("<tbody>");
        step(row, paper, out);
        losses(row, paper, out);
        steps(row, out);
        out.put("</tbody>");
    }
    out.put("</table>");
    if paper {
        out.put("<p class=\"note\">“The paper kept” is what RealSyn (arXiv 2502.12513) publishes for the same step of its own corpus, 118 M documents of OBELICS. Other documents lose other shares; the column gives the order of magnitude.</p>");
    }
}

fn step(row: &Row, paper: bool, out: &mut Markup) {
    out.add(format_args!(
        "<tr class=\"step\"><th scope=\"row\">{} <span class=\"kind\">{}</span></th><td class=\"n\">{}</td><td class=\"n\">{}</td>",
        Escaped(&row.stage),
        Escaped(&row.kind),
        count(row.seen),
        count(row.kept)
    ));
    if row.grew() || row.seen == 0 {
        out.put("<td class=\"n\"></td><td class=\"wide\"></td>");
    } else {
        out.add(format_args!(
            "<td class=\"n\">{}</td>",
            percent(row.share())
        ));
        bar("kept", 0.0, row.share(), out);
    }
    if paper {
        out.put("<td class=\"paper\">");
        for published in row.published() {
            out.add(format_args!(
                "<span>{} <small>{}</small></span>",
                percent(published.kept),
                published.says
            ));
        }
        out.put("</td>");
    }
    out.put("</tr>");
}

/// One row for each of the paper's own steps within a stage.
fn steps(row: &Row, out: &mut Markup) {
    for step in row.steps() {
        out.add(format_args!(
            "<tr class=\"loss\"><th scope=\"row\">of these, {}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>",
            step.name,
            count(step.seen),
            count(step.kept),
            percent(share(step.kept, step.seen))
        ));
        bar("kept", 0.0, share(step.kept, step.seen), out);
        out.add(format_args!(
            "<td class=\"paper\"><span>{} <small>{}</small></span></td></tr>",
            percent(step.published.kept),
            step.published.says
        ));
    }
}

/// One row a reason; the bars go on where the kept part ends, so that all of them together make the whole.
fn losses(row: &Row, paper: bool, out: &mut Markup) {
    let mut from = if row.grew() { 0.0 } else { row.share() };
    for loss in row.losses() {
        let part = share(loss.count, row.seen);
        let (class, prefix) = if loss.error {
            ("loss error", "error: ")
        } else {
            ("loss", "")
        };
        out.add(format_args!(
            "<tr class=\"{class}\"><th scope=\"row\">{prefix}{}</th><td class=\"n\"></td><td class=\"n\">−{}</td><td class=\"n\">{}</td>",
            Escaped(loss.code),
            count(loss.count),
            if row.seen == 0 { String::new() } else { percent(part) }
        ));
        bar(if loss.error { "bad" } else { "lost" }, from, part, out);
        if paper {
            out.put("<td class=\"paper\"></td>");
        }
        out.put("</tr>");
        from += part;
    }
}

fn bar(class: &str, from: f64, length: f64, out: &mut Markup) {
    let (from, length) = (from.clamp(0.0, 1.0), length.clamp(0.0, 1.0));
    let length = length.min(1.0 - from);
    out.add(format_args!(
        "<td class=\"wide\" aria-hidden=\"true\"><span class=\"bar\"><i class=\"{class}\" style=\"left:{:.2}%;width:{:.2}%\"></i></span></td>",
        from * 100.0,
        length * 100.0
    ));
}
