//! What was lost, by reason, with a few examples of each: rules and errors apart.

use super::gallery::alt;
use super::picture;
use crate::Report;
use crate::html::{Escaped, count};
use crate::item::{Example, Picture, Subject};
use crate::markup::Markup;
use crate::rejects::{Code, EXAMPLES};
use crate::thumb::{self, Thumb};

/// The longer side of an example's picture.
const SIDE: u32 = 150;
/// Pictures shown in the whole section.
const PICTURES: usize = 80;

/// The section's body; empty without rejects.
pub(crate) fn write(report: &mut Report) -> Markup {
    let mut out = Markup::default();
    if report.rejects.is_empty() {
        return out;
    }
    let classes = [
        (
            "Dropped by a rule",
            "As asked: these records broke a filter’s rule.",
            report.rejects.take(false),
        ),
        (
            "Bad input",
            "Errors: these lines or files could not be used.",
            report.rejects.take(true),
        ),
    ];
    let mut left = PICTURES;
    for (title, says, codes) in classes {
        if codes.is_empty() {
            continue;
        }
        let total = codes.iter().map(|code| code.count).sum();
        out.add(format_args!(
            "<h3>{title} <small>{}</small></h3><p class=\"note\">{says}",
            count(total)
        ));
        if codes.iter().any(|code| code.count > EXAMPLES as u64) {
            out.add(format_args!(
                " At most {EXAMPLES} examples of each, drawn evenly.</p>"
            ));
        } else {
            out.put("</p>");
        }
        out.put("<ul class=\"codes\">");
        for mut code in codes {
            let examples = code.take_examples();
            write_code(&code, &examples, &mut left, report, &mut out);
        }
        out.put("</ul>");
    }
    out
}

fn write_code(
    code: &Code,
    examples: &[Example],
    left: &mut usize,
    report: &Report,
    out: &mut Markup,
) {
    out.add(format_args!(
        "<li><h4{}>{} <small>{}{}</small></h4>",
        if code.error { " class=\"error\"" } else { "" },
        Escaped(&code.name),
        count(code.count),
        if code.stage.is_empty() {
            String::new()
        } else {
            format!(", {}", Escaped(&code.stage))
        }
    ));
    let pictures: Vec<&Picture> = examples
        .iter()
        .filter_map(|example| match &example.subject {
            Subject::Picture(picture) => Some(picture),
            _ => None,
        })
        .take(*left)
        .collect();
    *left -= pictures.len();
    let mut thumbs = thumb::all(&pictures, SIDE, report.options.jobs).into_iter();
    if !pictures.is_empty() {
        out.put("<ul class=\"strip\">");
        for example in examples {
            if let Subject::Picture(shown) = &example.subject
                && let Some(thumb) = thumbs.next()
            {
                write_picture(shown, &thumb, &example.message, out);
            }
        }
        out.put("</ul>");
    }
    let rest: Vec<&Example> = examples
        .iter()
        .filter(|example| !matches!(example.subject, Subject::Picture(_)))
        .collect();
    if !rest.is_empty() {
        out.put("<ul class=\"quotes\">");
        for example in rest {
            write_text(example, out);
        }
        out.put("</ul>");
    }
    out.put("</li>");
}

fn write_picture(shown: &Picture, thumb: &Thumb, message: &str, out: &mut Markup) {
    out.put("<li><div class=\"frame\">");
    picture(thumb, &alt(shown), out);
    out.add(format_args!(
        "</div><small dir=\"auto\">{}</small></li>",
        Escaped(message)
    ));
}

fn write_text(example: &Example, out: &mut Markup) {
    out.put("<li>");
    match &example.subject {
        Subject::Sentence { id, text } => {
            out.add(format_args!("<q dir=\"auto\">{}</q>", Escaped(text)));
            says(&[&example.message, id], out);
        }
        Subject::Line(line) => {
            out.add(format_args!("<code dir=\"auto\">{}</code>", Escaped(line)));
            says(
                &[
                    &example.message,
                    example.place.as_deref().unwrap_or_default(),
                ],
                out,
            );
        }
        Subject::Picture(_) | Subject::Nothing => {
            says(
                &[
                    &example.message,
                    example.place.as_deref().unwrap_or_default(),
                ],
                out,
            );
        }
    }
    out.put("</li>");
}

/// What is known of an example, on a line of its own.
fn says(parts: &[&str], out: &mut Markup) {
    let mut between = "<small>";
    for part in parts.iter().filter(|part| !part.is_empty()) {
        out.add(format_args!(
            "{between}<span dir=\"auto\">{}</span>",
            Escaped(part)
        ));
        between = " · ";
    }
    if between != "<small>" {
        out.put("</small>");
    }
}
