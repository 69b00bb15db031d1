//! The page: its frame, its figures and the order of its sections. A section without data is left out.

mod charts;
mod distances;
mod duplicates;
mod funnel;
mod gallery;
mod rejects;

use std::io::{self, Write};

use crate::Report;
use crate::distinct::Total;
use crate::funnel::OwnDocument;
use crate::html::{Escaped, count, counted, percent, small_percent, times};
use crate::markup::Markup;
use crate::thumb::Thumb;

const STYLE: &str = include_str!("style.css");

/// What the page may do: show `data:` pictures and its own styles. No script, no request, no form, no frame.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Writes the whole page.
pub(crate) fn write(mut report: Report, out: &mut impl Write) -> io::Result<()> {
    let mut head = Markup::default();
    open(&report, &mut head);
    let mut sections = Vec::new();
    let mut section = |id: &'static str, title: &'static str, body: Markup| {
        if !body.is_empty() {
            sections.push((id, title, body));
        }
    };
    let mut body = Markup::default();
    funnel::write(&report, &mut body);
    section("funnel", "Funnel", body);
    let (title, body) = gallery::write(&mut report);
    section("gallery", title, body);
    let mut body = Markup::default();
    charts::balance(&report, &mut body);
    section("balance", "Balance", body);
    let mut body = Markup::default();
    charts::distributions(&report, &mut body);
    section("distributions", "Distributions", body);
    let mut body = Markup::default();
    let title = charts::curves(&report, &mut body);
    section("curves", title, body);
    let mut body = Markup::default();
    distances::write(&report, &mut body);
    section("distances", "Semantic duplicates by distance", body);
    let body = duplicates::write(&mut report);
    section("duplicates", "Duplicates", body);
    let body = rejects::write(&mut report);
    section("rejects", "Rejects", body);

    if sections.len() > 1 {
        head.put("<nav aria-label=\"Sections\"><ul>");
        for (id, title, _) in &sections {
            head.add(format_args!("<li><a href=\"#{id}\">{title}</a></li>"));
        }
        head.put("</ul></nav>");
    }
    head.put("</header><main id=\"main\">");
    if sections.is_empty() {
        head.put("<p class=\"note\">No records were read that a report could show.</p>");
    }
    out.write_all(head.as_str().as_bytes())?;
    for (id, title, body) in sections {
        write!(
            out,
            "<section id=\"{id}\" aria-labelledby=\"{id}-title\"><h2 id=\"{id}-title\">{title}</h2>"
        )?;
        out.write_all(body.as_str().as_bytes())?;
        out.write_all(b"</section>\n")?;
    }
    out.write_all(b"</main></body></html>\n")
}

/// The head of the document, its heading and its main figures; leaves `<header>` open for the navigation.
fn open(report: &Report, out: &mut Markup) {
    let title = Escaped(&report.options.title);
    out.put("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.add(format_args!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">"
    ));
    out.put("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">");
    out.put("<meta name=\"referrer\" content=\"no-referrer\"><link rel=\"icon\" href=\"data:,\">");
    out.add(format_args!("<title>{title}</title><style>\n{STYLE}</style></head>\n<body><a class=\"skip\" href=\"#main\">Skip to the report</a><header><h1>{title}</h1>"));
    if let Some(date) = &report.options.date {
        out.add(format_args!("<p class=\"date\">{}</p>", Escaped(date)));
    }
    let figures = figures(report);
    if !figures.is_empty() {
        out.put("<dl class=\"figures\">");
        for figure in figures {
            out.add(format_args!(
                "<div><dt>{}</dt><dd>{}",
                figure.label, figure.value
            ));
            if let Some(note) = figure.note {
                out.add(format_args!("<small>{}</small>", Escaped(&note)));
            }
            out.put("</dd></div>");
        }
        out.put("</dl>");
    }
    if let Some(own) = report.own_document() {
        own_document(&own, out);
    }
}

/// A number of the header.
struct Figure {
    label: &'static str,
    value: String,
    note: Option<String>,
}

/// Documents, images, sentences, pairs: from the records when there are any of the kind, else from the funnel.
fn figures(report: &Report) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut figure =
        |label, value: String, note: Option<String>| figures.push(Figure { label, value, note });
    let total = |total: Total| {
        format!(
            "{}{}",
            if total.exact { "" } else { "≈ " },
            count(total.count)
        )
    };

    let documents = report.documents.total();
    if let Some((first, _)) = report.stages.ends("document") {
        figure("Documents", count(first.seen), None);
    } else if documents.count > 0 {
        figure("Documents", total(documents), None);
    }
    for (label, kind, read) in [
        ("Images", "image", report.images.total()),
        ("Sentences", "sentence", report.sentences.total()),
    ] {
        if let Some((first, last)) = report.stages.ends(kind) {
            let kept = last.kept.min(first.seen);
            figure(
                label,
                count(kept),
                (kept < first.seen).then(|| format!("of {} found", count(first.seen))),
            );
        } else if read.count > 0 {
            figure(label, total(read), None);
        }
    }
    let pairs = report.pairs.total();
    if pairs.count > 0 {
        figure(
            "Pairs",
            total(pairs),
            Some(counted(report.texts, "text", "texts")),
        );
    } else if let Some((_, last)) = report.stages.ends("pair") {
        figure("Pairs", count(last.kept), None);
    }
    figures
}

/// The label-free figure of the pairs' worth: the share against chance, as numbers and as two bars.
fn own_document(own: &OwnDocument, out: &mut Markup) {
    out.put("<div class=\"worth\"><p>");
    match own.chance.filter(|chance| *chance > 0.0) {
        Some(chance) => out.add(format_args!(
            "<strong>{}</strong> of pairs found their first text in the image’s own document, <strong>{} times</strong> the {} that chance would give.",
            percent(own.share),
            times(own.share / chance),
            small_percent(chance)
        )),
        None => out.add(format_args!(
            "<strong>{}</strong> of pairs found their first text in the image’s own document.",
            percent(own.share)
        )),
    }
    out.put("</p><div class=\"versus\" aria-hidden=\"true\">");
    let bar = |class: &str, name: &str, share: f64| {
        format!(
            "<span>{name}</span><span class=\"bar\"><i class=\"{class}\" style=\"left:0;width:{:.2}%\"></i></span>",
            share.clamp(0.0, 1.0) * 100.0
        )
    };
    out.show(bar("kept", "found", own.share));
    if let Some(chance) = own.chance {
        out.show(bar("lost", "chance", chance));
    }
    out.put("</div></div>");
}

/// A picture on the page, or the reason why there is none. `alt` stands for the picture where it is not seen.
fn picture(thumb: &Thumb, alt: &str, out: &mut Markup) {
    match thumb {
        Ok(small) => out.add(format_args!(
            "<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\" loading=\"lazy\" decoding=\"async\">",
            small.uri,
            small.width,
            small.height,
            Escaped(alt)
        )),
        Err(reason) => {
            out.add(format_args!("<span class=\"none\"><b>No picture</b> <span dir=\"auto\">{}</span></span>", Escaped(reason)));
        }
    }
}
