//! Charts as inline SVG: lines over linear or logarithmic axes, and histograms.
//!
//! A chart is drawn in a fixed box and scaled by the page; colours come from the page's style, so that it follows the
//! light or dark scheme. Coordinates are printed with one decimal: the same data gives the same bytes.

use crate::histogram::Bars;
use crate::html::{Escaped, number};
use crate::markup::Markup;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 42.0;

/// How an axis places its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// Powers of ten; numbers must be positive.
    Log,
}

/// One line of a chart; `class` names its look in the style sheet.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) class: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// What a chart is about, for those who see it and for those who hear it.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    /// Read out in place of the picture.
    pub(crate) label: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
}

/// An axis: from where to where, and how.
#[derive(Clone, Copy, Debug)]
struct Axis {
    low: f64,
    high: f64,
    scale: Scale,
}

impl Axis {
    /// An axis that holds all `values`, widened to round numbers when `round`.
    fn holding(
        values: impl Iterator<Item = f64> + Clone,
        scale: Scale,
        round: bool,
    ) -> Option<Self> {
        let values = values.filter(|v| v.is_finite() && (scale == Scale::Linear || *v > 0.0));
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return None;
        }
        let mut axis = Self { low, high, scale };
        match scale {
            Scale::Log => {
                if round {
                    axis.low = 10_f64.powf(low.log10().floor());
                }
                if axis.high <= axis.low {
                    axis.high = axis.low * 10.0;
                }
            }
            Scale::Linear => {
                if high <= low {
                    axis.high = low + low.abs().max(1.0);
                }
                if round {
                    let step = step_for(axis.high - axis.low, 4.0);
                    axis.low = (axis.low / step).floor() * step;
                    axis.high = (axis.high / step).ceil() * step;
                }
            }
        }
        Some(axis)
    }

    /// Where a number lies, 0 to 1.
    fn at(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => {
                (value.max(self.low).log10() - self.low.log10())
                    / (self.high.log10() - self.low.log10())
            }
        }
    }

    /// Round numbers along the axis.
    fn ticks(&self, about: f64) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = step_for(self.high - self.low, about);
                let slack = step * 1e-6;
                let mut at = (self.low / step - 1e-6).ceil();
                let mut ticks = Vec::new();
                while at * step <= self.high + slack && ticks.len() < 32 {
                    // Adding zero turns −0 into 0.
                    ticks.push(at * step + 0.0);
                    at += 1.0;
                }
                ticks
            }
            Scale::Log => {
                let decades = self.high.log10() - self.low.log10();
                let marks: &[f64] = if decades <= 2.0 {
                    &[1.0, 2.0, 5.0]
                } else {
                    &[1.0]
                };
                let mut power = self.low.log10().floor();
                let skip = (decades / about).ceil().max(1.0);
                let mut ticks = Vec::new();
                while power <= self.high.log10() + 1e-9 && ticks.len() < 64 {
                    for mark in marks {
                        let value = mark * 10_f64.powf(power);
                        if value >= self.low * 0.999 && value <= self.high * 1.001 {
                            ticks.push(value);
                        }
                    }
                    power += skip;
                }
                ticks
            }
        }
    }
}

/// A step of 1, 2 or 5 times a power of ten that cuts `span` in about `about` pieces.
fn step_for(span: f64, about: f64) -> f64 {
    let rough = span / about;
    let power = 10_f64.powf(rough.log10().floor());
    let step = match rough / power {
        part if part < 1.5 => 1.0,
        part if part < 3.5 => 2.0,
        part if part < 7.5 => 5.0,
        _ => 10.0,
    };
    step * power
}

fn place_x(x: &Axis, value: f64) -> f64 {
    LEFT + x.at(value) * (WIDTH - LEFT - RIGHT)
}

fn place_y(y: &Axis, value: f64) -> f64 {
    HEIGHT - BOTTOM - y.at(value) * (HEIGHT - TOP - BOTTOM)
}

/// Opens the drawing with its grid, its ticks and the names of its axes.
fn open(out: &mut Markup, frame: &Frame<'_>, x: &Axis, y: &Axis) {
    out.add(format_args!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        Escaped(frame.label)
    ));
    let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for tick in y.ticks(4.0) {
        let at = place_y(y, tick);
        out.add(format_args!(
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 7.0,
            at + 4.0,
            number(tick)
        ));
    }
    for tick in x.ticks(6.0) {
        let at = place_x(x, tick);
        out.add(format_args!(
            "<path class=\"tick\" d=\"M{at:.1} {floor}v4\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            floor + 17.0,
            number(tick)
        ));
    }
    out.add(format_args!(
        "<path class=\"axis\" d=\"M{LEFT} {floor}H{right}\"/>"
    ));
    out.add(format_args!(
        "<text class=\"name\" x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        HEIGHT - 6.0,
        Escaped(frame.x)
    ));
    out.add(format_args!(
        "<text class=\"name\" x=\"0\" y=\"12\">{}</text>",
        Escaped(frame.y)
    ));
}

/// Draws lines; nothing when no point can be placed.
pub(crate) fn lines(out: &mut Markup, frame: &Frame<'_>, x: Scale, y: Scale, lines: &[Line]) {
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let Some(x) = Axis::holding(points().map(|point| point.0), x, false) else {
        return;
    };
    let Some(y) = Axis::holding(points().map(|point| point.1), y, true) else {
        return;
    };
    open(out, frame, &x, &y);
    for line in lines {
        let mut path = String::new();
        for (at, value) in &line.points {
            let usable =
                |axis: &Axis, v: f64| v.is_finite() && (axis.scale == Scale::Linear || v > 0.0);
            if usable(&x, *at) && usable(&y, *value) {
                let letter = if path.is_empty() { 'M' } else { 'L' };
                let point = format!("{letter}{:.1} {:.1}", place_x(&x, *at), place_y(&y, *value));
                path.push_str(&point);
            }
        }
        out.add(format_args!(
            "<path class=\"line {}\" d=\"{path}\"/>",
            line.class
        ));
        if let [(at, value)] = line.points[..] {
            // A single point has no length: a dot shows it.
            out.add(format_args!(
                "<circle class=\"dot {}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                line.class,
                place_x(&x, at),
                place_y(&y, value)
            ));
        }
    }
    out.put("</svg>");
}

/// Draws a histogram, with a mark at a number, such as its median, and words beside the mark.
#[expect(clippy::cast_precision_loss, reason = "heights of bars")]
pub(crate) fn bars(out: &mut Markup, frame: &Frame<'_>, bars: &Bars, mark: Option<(f64, &str)>) {
    let tallest = bars.heights.iter().copied().max().unwrap_or(0);
    let to = bars.from + bars.step * bars.heights.len() as f64;
    let x = Axis {
        low: bars.from,
        high: to,
        scale: Scale::Linear,
    };
    let Some(y) = Axis::holding(
        [0.0, tallest.max(1) as f64].into_iter(),
        Scale::Linear,
        true,
    ) else {
        return;
    };
    open(out, frame, &x, &y);
    for (at, height) in bars
        .heights
        .iter()
        .enumerate()
        .filter(|(_, height)| **height > 0)
    {
        let left = place_x(&x, bars.from + bars.step * at as f64);
        let right = place_x(&x, bars.from + bars.step * (at + 1) as f64);
        let top = place_y(&y, *height as f64);
        out.add(format_args!(
            "<rect class=\"bin\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            left + 0.5,
            (right - left - 1.0).max(0.5),
            HEIGHT - BOTTOM - top
        ));
    }
    if let Some((number, says)) = mark {
        let at = place_x(&x, number);
        let (anchor, shift) = if x.at(number) > 0.7 {
            ("end", -5.0)
        } else {
            ("start", 5.0)
        };
        out.add(format_args!(
            "<path class=\"median\" d=\"M{at:.1} 4V{:.1}\"/><text class=\"marked\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            HEIGHT - BOTTOM,
            at + shift,
            12.0,
            Escaped(says)
        ));
    }
    out.put("</svg>");
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame<'_> = Frame {
        label: "a <label>",
        x: "rank",
        y: "size",
    };

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::holding([0.0, 97.0].into_iter(), Scale::Linear, true).unwrap();
        assert_eq!((axis.low, axis.high), (0.0, 100.0));
        assert_eq!(axis.ticks(4.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        let log = Axis::holding([3.0, 40_000.0].into_iter(), Scale::Log, true).unwrap();
        assert_eq!(
            log.ticks(5.0)
                .iter()
                .map(|tick| tick.round())
                .collect::<Vec<_>>(),
            [1.0, 10.0, 100.0, 1000.0, 10_000.0]
        );
        assert!(Axis::holding([f64::NAN].into_iter(), Scale::Linear, true).is_none());
        let flat = Axis::holding([5.0].into_iter(), Scale::Linear, true).unwrap();
        assert!(flat.low <= 5.0 && flat.high > flat.low);
    }

    #[test]
    fn drawings_hold_numbers_only() {
        let mut out = Markup::default();
        let points = vec![(1.0, 50.0), (2.0, f64::NAN), (3.0, 0.0), (10.0, 1.0)];
        lines(
            &mut out,
            &FRAME,
            Scale::Log,
            Scale::Log,
            &[Line { class: "a", points }],
        );
        let drawn = out.as_str();
        assert!(drawn.contains("aria-label=\"a &lt;label&gt;\""));
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        let mut nothing = Markup::default();
        lines(
            &mut nothing,
            &FRAME,
            Scale::Log,
            Scale::Log,
            &[Line {
                class: "a",
                points: vec![(0.0, 0.0)],
            }],
        );
        assert!(nothing.is_empty());
    }

    #[test]
    fn a_histogram_has_a_bar_for_each_height() {
        let mut out = Markup::default();
        bars(
            &mut out,
            &FRAME,
            &Bars {
                from: 0.0,
                step: 0.1,
                heights: vec![1, 0, 4],
            },
            Some((0.25, "median 0.25")),
        );
        assert_eq!(out.as_str().matches("<rect").count(), 2);
        assert!(out.as_str().contains("median 0.25"));
    }
}
