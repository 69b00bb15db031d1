//! What each distance would drop: the calibration of rs-semdedup.

use crate::Report;
use crate::chart::{self, Frame, Line, Scale};
use crate::distances::Distances;
use crate::html::{Escaped, count, float, percent};
use crate::markup::Markup;

/// Bars of the histogram: hundredths up to 0.3.
const BARS: u32 = 30;
/// Distances that the table shows, besides the one that was taken.
const SHOWN: [f64; 10] = [0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3];

/// Writes the section; nothing without a table.
pub(crate) fn write(report: &Report, out: &mut Markup) {
    let mut tables = report.distances.iter().peekable();
    if tables.peek().is_none() {
        return;
    }
    out.put("<p class=\"note\">The distance to the nearest neighbour decides which records are semantic duplicates. A record that has a neighbour below the distance is in a set of duplicates; of each set one stays. Where the bars fall to a valley, copies end and mere likeness begins; without one, look at pairs.</p>");
    for (kind, table) in tables {
        out.put("<div class=\"charts\">");
        histogram(kind, table, out);
        curves(kind, table, out);
        numbers(kind, table, out);
        out.put("</div>");
    }
}

fn histogram(kind: &str, table: &Distances, out: &mut Markup) {
    let Some(bars) = table.bars(BARS) else { return };
    let beyond = table
        .records
        .saturating_sub(table.rows.last().map_or(0, |row| row.near));
    let says = format!(
        "{} records, {} of them farther than {} from any other",
        count(table.records),
        count(beyond),
        table.rows.last().map_or(0.0, |row| row.distance)
    );
    let title = format!("Distance of the nearest {kind}");
    out.add(format_args!(
        "<figure><figcaption><h3>{}</h3><p>{says}.</p></figcaption>",
        Escaped(&title)
    ));
    let frame = Frame {
        label: &format!("{title}: {says}"),
        x: "cosine distance",
        y: "records",
    };
    let taken = format!("taken {}", table.taken);
    let inside = table.taken.is_finite() && table.taken <= bars.step * float(u64::from(BARS));
    chart::bars(
        out,
        &frame,
        &bars,
        inside.then_some((table.taken, taken.as_str())),
    );
    out.put("</figure>");
}

fn curves(kind: &str, table: &Distances, out: &mut Markup) {
    let title = format!("Dropped by distance: {kind}");
    out.add(format_args!(
        "<figure><figcaption><h3>Dropped by distance <small>{}</small></h3></figcaption>",
        Escaped(kind)
    ));
    super::charts::legend(
        &[("has a nearer neighbour", "b"), ("would be dropped", "a")],
        out,
    );
    let [near, dropped] = table.curves();
    let lines = [("b", near), ("a", dropped)].map(|(class, points)| Line { class, points });
    let frame = Frame {
        label: &title,
        x: "cosine distance",
        y: "% of records",
    };
    chart::lines(out, &frame, Scale::Linear, Scale::Linear, &lines);
    out.put("</figure>");
}

fn numbers(kind: &str, table: &Distances, out: &mut Markup) {
    out.add(format_args!("<table class=\"plain\"><caption class=\"unseen\">Distances of each {}</caption><thead><tr><th scope=\"col\">Distance</th><th scope=\"col\" class=\"n\">Have a nearer neighbour</th><th scope=\"col\" class=\"n\">Would be dropped</th></tr></thead><tbody>", Escaped(kind)));
    let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
    for row in &table.rows {
        let taken = near(row.distance, table.taken);
        if taken || SHOWN.iter().any(|&shown| near(row.distance, shown)) {
            let share = |part: u64| percent(float(part) / float(table.records.max(1)));
            let mark = if taken { " <b>taken</b>" } else { "" };
            out.add(format_args!(
                "<tr><th scope=\"row\">{}{mark}</th><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                row.distance,
                share(row.near),
                share(row.dropped)
            ));
        }
    }
    out.put("</tbody></table>");
}

#[cfg(test)]
mod tests {
    use realsyn_record::Record;

    use crate::{Item, Options, Report};

    #[test]
    fn a_calibration_is_drawn_and_told_in_numbers() {
        let table: Vec<String> = (1..=30)
            .map(|n| format!("[{},{},{}]", f64::from(n) / 100.0, 10 * n, 9 * n))
            .collect();
        let line = format!(
            r#"{{"schema":"funnel/1","stage":"rs-semdedup","kind":"<b>","seen":1000,"kept":910,"distance":0.1,"distances":[{}]}}"#,
            table.join(",")
        );
        let record = Record::parse(line.as_bytes()).unwrap();
        let mut report = Report::new(Options::default());
        report.push(Item::digest(&record).unwrap());
        let mut page = Vec::new();
        report.finish(&mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains("Semantic duplicates by distance"));
        assert!(page.contains(">taken 0.1</text>"), "the histogram marks it");
        assert!(page.contains("<th scope=\"row\">0.1 <b>taken</b></th><td class=\"n\">10.0%</td><td class=\"n\">9.0%</td>"), "{page}");
        assert!(page.contains("1,000 records, 700 of them farther than 0.3"));
        assert!(!page.contains("<b></"), "names are escaped");
    }
}
