//! The pairs as cards: the picture, the texts that were found for it and what was made from them.

use super::picture;
use crate::Report;
use crate::gallery::{Gallery, Order};
use crate::html::{Escaped, count, counted};
use crate::item::{Pair, Picture};
use crate::markup::Markup;
use crate::own;
use crate::smallest::Smallest;
use crate::thumb::{self, Thumb};

/// The longer side of a card's picture: twice the card's width on a dense display would cost four times the page.
const SIDE: u32 = 320;

/// The section's title and body: pairs when there are any, else images and sentences.
pub(crate) fn write(report: &mut Report) -> (&'static str, Markup) {
    let mut out = Markup::default();
    let options = report.options.clone();
    let pairs = std::mem::replace(&mut report.gallery, Gallery::new(options.order, 0));
    let pictures = std::mem::replace(&mut report.pictures, Gallery::new(options.order, 0));
    let sentences = std::mem::replace(&mut report.some_sentences, Smallest::new(0));
    if report.pairs.total().count > 0 {
        if pairs.is_empty() {
            return ("Pairs", out);
        }
        let pairs = unique(pairs.into_shown());
        let thumbs = thumb::all(
            &pairs.iter().map(|pair| &pair.picture).collect::<Vec<_>>(),
            SIDE,
            options.jobs,
        );
        head(report, &pairs, &mut out);
        cards(&pairs, &thumbs, &mut out);
        return ("Pairs", out);
    }
    let any = (!pictures.is_empty(), !sentences.is_empty());
    if any.0 {
        let pictures = pictures.into_shown();
        let thumbs = thumb::all(&pictures.iter().collect::<Vec<_>>(), SIDE, options.jobs);
        note(
            pictures.len(),
            report.images.total().count,
            "image",
            "images",
            Order::Input,
            &mut out,
        );
        images(&pictures, &thumbs, &mut out);
    }
    if any.1 {
        out.put("<h3>Some sentences</h3><ul class=\"quotes\">");
        for text in sentences.into_values() {
            out.add(format_args!("<li dir=\"auto\">{}</li>", Escaped(&text)));
        }
        out.put("</ul>");
    }
    (if any.0 { "Images" } else { "Sentences" }, out)
}

/// One card a picture: when a pair was read at two stages with different scores, the first shown wins.
fn unique(pairs: Vec<Pair>) -> Vec<Pair> {
    let mut seen = std::collections::HashSet::new();
    pairs
        .into_iter()
        .filter(|pair| seen.insert(pair.picture.id.clone()))
        .collect()
}

/// "Showing N of M", honestly.
fn note(shown: usize, of: u64, one: &str, many: &str, order: Order, out: &mut Markup) {
    let shown = shown as u64;
    out.put("<p class=\"note\">");
    if shown >= of {
        out.add(format_args!("All {}, ", counted(of, one, many)));
    } else {
        out.add(format_args!(
            "Showing {} of {}, ",
            count(shown),
            counted(of, one, many)
        ));
    }
    out.put(match order {
        Order::Best => "best first text first.",
        Order::Input if shown >= of => "in the order of the stream.",
        Order::Input => "an even sample in the order of the stream.",
    });
}

fn head(report: &Report, pairs: &[Pair], out: &mut Markup) {
    note(
        pairs.len(),
        report.pairs.total().count,
        "pair",
        "pairs",
        report.options.order,
        out,
    );
    out.add(format_args!(
        " The bar under a text is its cosine with the image, on a scale to the best shown ({:.3}). <span class=\"own\">own document</span> marks a text from the document that holds the image.</p>",
        best(pairs)
    ));
    let first_own = pairs.iter().filter(|pair| is_own(pair)).count();
    if first_own > 0 && first_own < pairs.len() {
        // Works by style alone: the cards carry a class, the checked button hides the others.
        out.put("<fieldset class=\"pick\"><legend>First text from</legend>");
        for (id, name, n, checked) in [
            ("pick-all", "anywhere", pairs.len(), " checked"),
            ("pick-own", "the own document", first_own, ""),
            (
                "pick-other",
                "another document",
                pairs.len() - first_own,
                "",
            ),
        ] {
            out.add(format_args!(
                "<input type=\"radio\" name=\"pick\" id=\"{id}\"{checked}><label for=\"{id}\">{name} <small>{}</small></label>",
                count(n as u64)
            ));
        }
        out.put("</fieldset>");
    }
}

fn is_own(pair: &Pair) -> bool {
    pair.texts.first().is_some_and(|first| own(pair, &first.id))
}

/// The largest cosine shown, the scale of all bars.
fn best(pairs: &[Pair]) -> f32 {
    pairs
        .iter()
        .flat_map(|pair| pair.texts.iter().map(|text| text.cos))
        .filter(|cos| cos.is_finite())
        .fold(0.0, f32::max)
}

fn cards(pairs: &[Pair], thumbs: &[Thumb], out: &mut Markup) {
    let scale = best(pairs);
    out.put("<ul class=\"cards\">");
    for (pair, thumb) in pairs.iter().zip(thumbs) {
        out.add(format_args!(
            "<li class=\"card {}\">",
            if is_own(pair) { "is-own" } else { "is-other" }
        ));
        out.put("<div class=\"frame\">");
        picture(thumb, &alt(&pair.picture), out);
        out.put("</div>");
        if !pair.texts.is_empty() {
            out.put("<ol class=\"texts\">");
            for text in &pair.texts {
                let width = if scale > 0.0 {
                    (text.cos / scale).clamp(0.0, 1.0) * 100.0
                } else {
                    0.0
                };
                out.add(format_args!(
                    "<li><p dir=\"auto\">{}</p><div class=\"score\">",
                    Escaped(&text.text)
                ));
                out.add(format_args!(
                    "<span class=\"bar\" aria-hidden=\"true\"><i class=\"kept\" style=\"left:0;width:{width:.1}%\"></i></span><span>{}</span>",
                    cosine(text.cos)
                ));
                if own(pair, &text.id) {
                    out.put("<span class=\"own\">own document</span>");
                }
                out.put("</div></li>");
            }
            out.put("</ol>");
        }
        made(pair, out);
        source(&pair.picture, out);
        out.put("</li>");
    }
    out.put("</ul>");
}

/// What rs-caption added.
fn made(pair: &Pair, out: &mut Markup) {
    if pair.caption.is_none() && pair.synthetic.is_none() && pair.tags.is_empty() {
        return;
    }
    out.put("<dl class=\"made\">");
    if let Some(caption) = &pair.caption {
        out.add(format_args!(
            "<dt>Caption</dt><dd dir=\"auto\">{}</dd>",
            Escaped(caption)
        ));
    }
    if let Some(synthetic) = &pair.synthetic {
        out.add(format_args!(
            "<dt>Synthetic</dt><dd dir=\"auto\">{}",
            Escaped(synthetic)
        ));
        if let Some(cos) = pair.synthetic_cos {
            out.add(format_args!(" <span class=\"cos\">{}</span>", cosine(cos)));
        }
        out.put("</dd>");
    }
    if !pair.tags.is_empty() {
        out.put("<dt>Tags</dt><dd class=\"tags\">");
        for tag in &pair.tags {
            out.add(format_args!("<span dir=\"auto\">{}</span> ", Escaped(tag)));
        }
        out.put("</dd>");
    }
    out.put("</dl>");
}

fn images(pictures: &[Picture], thumbs: &[Thumb], out: &mut Markup) {
    out.put("<ul class=\"cards\">");
    for (shown, thumb) in pictures.iter().zip(thumbs) {
        out.put("<li class=\"card\"><div class=\"frame\">");
        picture(thumb, &alt(shown), out);
        out.put("</div>");
        let says = [("Caption", &shown.figcaption), ("Alt", &shown.alt)];
        if says.iter().any(|(_, text)| text.is_some()) {
            out.put("<dl class=\"made\">");
            for (name, text) in says {
                if let Some(text) = text {
                    out.add(format_args!(
                        "<dt>{name}</dt><dd dir=\"auto\">{}</dd>",
                        Escaped(text)
                    ));
                }
            }
            out.put("</dl>");
        }
        source(shown, out);
        out.put("</li>");
    }
    out.put("</ul>");
}

/// Where a picture comes from: the document's title, its id and the size in pixels.
fn source(shown: &Picture, out: &mut Markup) {
    out.put("<p class=\"source\">");
    if let Some(title) = &shown.title {
        out.add(format_args!("<b dir=\"auto\">{}</b> ", Escaped(title)));
    }
    out.add(format_args!(
        "<span dir=\"auto\">{}</span>",
        Escaped(&shown.id)
    ));
    if shown.width > 0 && shown.height > 0 {
        out.add(format_args!(
            " <span class=\"px\">{} × {} px</span>",
            shown.width, shown.height
        ));
    }
    out.put("</p>");
}

/// What to say in place of a picture.
pub(super) fn alt(shown: &Picture) -> String {
    shown
        .alt
        .clone()
        .or_else(|| shown.figcaption.clone())
        .unwrap_or_else(|| format!("Picture {}", shown.id))
}

/// A cosine with three digits.
fn cosine(cos: f32) -> String {
    if cos.is_finite() {
        format!("{cos:.3}").replace('-', "−")
    } else {
        "–".to_owned()
    }
}
