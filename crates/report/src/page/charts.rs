//! The drawn sections: cluster sizes around sampling, distributions, training curves.

use crate::Report;
use crate::chart::{self, Frame, Line, Scale};
use crate::histogram::Histogram;
use crate::html::{Escaped, count, counted, number, percent};
use crate::markup::Markup;
use crate::sizes::Sizes;
use crate::trace::{Trace, smooth};

/// The most bars of a histogram.
const BARS: usize = 60;
/// A curve of more points than this is drawn with its running mean.
const ROUGH: usize = 40;
const TRAIN: &str = "rs-train";

/// Cluster sizes: before and after sampling as rs-sample reported them, else those of the pairs read.
pub(crate) fn balance(report: &Report, out: &mut Markup) {
    let read = report.clusters.sizes();
    let curves: Vec<(&str, &str, &Sizes)> = match report.stages.sampling() {
        Some(sampling) => [
            ("before sampling", "b", &sampling.before),
            ("random, as many pairs", "c", &sampling.random),
            ("balanced", "a", &sampling.after),
        ]
        .into_iter()
        .filter(|(_, _, sizes)| sizes.count() > 0)
        .collect(),
        None if read.count() > 1 => vec![("pairs read", "a", &read)],
        None => return,
    };
    out.put("<p class=\"note\">Clusters by size, the largest first, on logarithmic axes. Sampling keeps at most so many pairs of a cluster, so the left end of the curve comes down and its tail stays.</p>");
    out.put("<div class=\"charts\"><figure class=\"large\"><figcaption><h3>Cluster sizes</h3></figcaption>");
    legend(
        &curves
            .iter()
            .map(|(name, class, _)| (*name, *class))
            .collect::<Vec<_>>(),
        out,
    );
    let lines: Vec<Line> = curves
        .iter()
        .map(|(_, class, sizes)| Line {
            class,
            points: sizes.curve(),
        })
        .collect();
    let label = curves
        .iter()
        .map(|(name, _, sizes)| {
            format!(
                "{name}: {} clusters, the largest of {}",
                count(sizes.count()),
                count(sizes.largest())
            )
        })
        .collect::<Vec<_>>()
        .join("; ");
    let frame = Frame {
        label: &format!("Cluster size by rank. {label}"),
        x: "rank of the cluster",
        y: "pairs",
    };
    chart::lines(out, &frame, Scale::Log, Scale::Log, &lines);
    out.put("</figure><table class=\"plain\"><caption class=\"unseen\">Clusters before and after</caption><thead><tr><th scope=\"col\"></th><th scope=\"col\" class=\"n\">Pairs</th><th scope=\"col\" class=\"n\">Clusters</th><th scope=\"col\" class=\"n\">Largest</th><th scope=\"col\" class=\"n\">In the top tenth</th></tr></thead><tbody>");
    for (name, _, sizes) in &curves {
        out.add(format_args!(
            "<tr><th scope=\"row\">{name}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            count(sizes.members()),
            count(sizes.count()),
            count(sizes.largest()),
            percent(sizes.top_tenth())
        ));
    }
    out.put("</tbody></table></div>");
}

/// Histograms of cosines and of sentence lengths.
pub(crate) fn distributions(report: &Report, out: &mut Markup) {
    let drawn = [
        ("Cosine of the first text", "cosine", "pairs", &report.cos),
        (
            "Cosine of the synthetic text",
            "cosine",
            "pairs",
            &report.synthetic,
        ),
        ("Words in a sentence", "words", "sentences", &report.words),
    ];
    if drawn
        .iter()
        .all(|(_, _, _, histogram)| histogram.total() == 0)
    {
        return;
    }
    out.put("<div class=\"charts\">");
    for (title, x, y, histogram) in drawn {
        distribution(title, x, y, histogram, out);
    }
    out.put("</div>");
}

fn distribution(title: &str, x: &str, y: &str, histogram: &Histogram, out: &mut Markup) {
    let Some(bars) = histogram.bars(BARS) else {
        return;
    };
    let (low, middle, high) = (
        histogram.quantile(0.05),
        histogram.quantile(0.5),
        histogram.quantile(0.95),
    );
    // A word is a whole number: its bin's lower end, where the others are told by their middle.
    let shown = |value: f64| {
        if x == "words" {
            number(value.floor())
        } else {
            format!("{value:.2}").replace('-', "−")
        }
    };
    let says = format!(
        "{} {y}; median {}, nine tenths between {} and {}",
        count(histogram.total()),
        shown(middle),
        shown(low),
        shown(high)
    );
    out.add(format_args!(
        "<figure><figcaption><h3>{title}</h3><p>{says}.</p></figcaption>"
    ));
    chart::bars(
        out,
        &Frame {
            label: &format!("{title}: {says}"),
            x,
            y,
        },
        &bars,
        Some((middle, &format!("median {}", shown(middle)))),
    );
    out.put("</figure>");
}

/// Loss, learning rate, inertia: one chart a number, the runs of a stage together. Returns the section's title.
pub(crate) fn curves(report: &Report, out: &mut Markup) -> &'static str {
    let mut charts: Vec<Vec<&Trace>> = Vec::new();
    for trace in report.traces.iter() {
        let same = |other: &&mut Vec<&Trace>| {
            other
                .iter()
                .any(|o| o.stage == trace.stage && o.name == trace.name && o.axis == trace.axis)
        };
        match charts.iter_mut().find(same) {
            Some(chart) => chart.push(trace),
            None => charts.push(vec![trace]),
        }
    }
    let Some(title) = title(report) else {
        return "";
    };
    // Training before the rest, the loss before the rest of it; otherwise in the order of the stream.
    charts.sort_by_key(|chart| {
        chart.first().map(|trace| {
            (
                trace.stage != TRAIN,
                trace.stage.clone(),
                !trace.name.starts_with("loss"),
            )
        })
    });
    out.put("<div class=\"charts\">");
    for chart in charts {
        curve(&chart, out);
    }
    out.put("</div>");
    title
}

/// What the curves are of; nothing without any.
fn title(report: &Report) -> Option<&'static str> {
    let has = |wanted: fn(&str) -> bool| report.traces.iter().any(|trace| wanted(&trace.stage));
    let (train, cluster) = (
        has(|stage| stage == TRAIN),
        has(|stage| stage == "rs-kmeans"),
    );
    match (train, cluster, has(|_| true)) {
        (_, _, false) => None,
        (true, true, _) => Some("Training and clustering"),
        (true, false, _) => Some("Training"),
        (false, true, _) => Some("Clustering"),
        (false, false, true) => Some("Metrics"),
    }
}

fn curve(runs: &[&Trace], out: &mut Markup) {
    let [first, ..] = runs else { return };
    let Some(newest) = runs.last() else { return };
    let start = newest.points().first().map_or(f64::NAN, |point| point.1);
    let says = format!(
        "{}: from {} to {} at {} {}",
        counted(newest.records, "record", "records"),
        number(start),
        number(newest.last.1),
        newest.axis,
        number(newest.last.0)
    );
    out.add(format_args!(
        "<figure><figcaption><h3>{} <small>{}</small></h3><p>{says}",
        Escaped(&first.name),
        Escaped(&first.stage)
    ));
    if runs.len() > 1 {
        out.add(format_args!("; {} runs, the last one dark", runs.len()));
    }
    let mut lines = Vec::new();
    for run in runs {
        let points = run.points();
        let newest = run.run == newest.run;
        if newest && points.len() > ROUGH && run.name != "lr" {
            lines.push(Line {
                class: "raw",
                points: points.clone(),
            });
            lines.push(Line {
                class: "a",
                points: smooth(&points, points.len() / 40),
            });
        } else {
            lines.push(Line {
                class: if newest { "a" } else { "b" },
                points,
            });
        }
    }
    if newest.stride() > 1 {
        out.add(format_args!(
            "; a point is the mean of {} records",
            newest.stride()
        ));
    }
    out.put(".</p></figcaption>");
    let label = format!(
        "{} of {} by {}: {says}",
        first.name, first.stage, first.axis
    );
    chart::lines(
        out,
        &Frame {
            label: &label,
            x: first.axis,
            y: &first.name,
        },
        Scale::Linear,
        Scale::Linear,
        &lines,
    );
    out.put("</figure>");
}

pub(super) fn legend(entries: &[(&str, &str)], out: &mut Markup) {
    if entries.len() < 2 {
        return;
    }
    out.put("<ul class=\"legend\">");
    for (name, class) in entries {
        out.add(format_args!("<li><i class=\"key {class}\"></i>{name}</li>"));
    }
    out.put("</ul>");
}
