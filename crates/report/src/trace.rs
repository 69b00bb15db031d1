//! Curves of `metric` records: the loss of a training run by step, the inertia of k-means by iteration.
//!
//! A curve holds at most [`POINTS`] points: when it is full, neighbours are averaged in pairs and each further point
//! stands for twice as many records. Memory: some kilobytes a curve, at most [`CURVES`] curves. Records are taken in
//! the order of the stream; a step that does not come after the last one starts a new run.

use crate::item::Metric;

/// The most points of a curve.
const POINTS: usize = 1024;
/// The most curves of a report.
const CURVES: usize = 64;

/// One number over steps, of one run of one stage.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) stage: String,
    pub(crate) name: String,
    pub(crate) axis: &'static str,
    /// 1 for the first run, 2 for the next.
    pub(crate) run: u32,
    points: Vec<(f64, f64)>,
    open: (f64, f64, u32),
    stride: u32,
    /// The last record's place and value.
    pub(crate) last: (f64, f64),
    /// How many records the curve stands for.
    pub(crate) records: u64,
}

/// All curves, in the order of their first points.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    traces: Vec<Trace>,
}

impl Traces {
    /// Takes the numbers of one record.
    pub(crate) fn push(&mut self, metric: &Metric) {
        for (name, value) in &metric.values {
            let last = self.traces.iter().rposition(|trace| {
                trace.stage == metric.stage && trace.name == *name && trace.axis == metric.axis
            });
            match last {
                Some(at) if metric.at > self.traces[at].last.0 => {
                    self.traces[at].push(metric.at, *value);
                }
                before if self.traces.len() < CURVES => {
                    let run = before.map_or(1, |at| self.traces[at].run + 1);
                    let mut trace = Trace {
                        stage: metric.stage.clone(),
                        name: name.clone(),
                        axis: metric.axis,
                        run,
                        points: Vec::new(),
                        open: (0.0, 0.0, 0),
                        stride: 1,
                        last: (0.0, 0.0),
                        records: 0,
                    };
                    trace.push(metric.at, *value);
                    self.traces.push(trace);
                }
                _ => {}
            }
        }
    }

    /// The curves so far.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Trace> {
        self.traces.iter()
    }
}

impl Trace {
    fn push(&mut self, at: f64, value: f64) {
        self.last = (at, value);
        self.records += 1;
        let (sum_at, sum, n) = self.open;
        self.open = (sum_at + at, sum + value, n + 1);
        if self.open.2 == self.stride {
            self.points.push(mean(self.open));
            self.open = (0.0, 0.0, 0);
        }
        if self.points.len() == POINTS {
            self.points = self
                .points
                .chunks(2)
                .map(|two| {
                    let (at, value) = two
                        .iter()
                        .fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
                    mean((at, value, u32::try_from(two.len()).unwrap_or(1)))
                })
                .collect();
            self.stride *= 2;
        }
    }

    /// The curve, from the first point to the last.
    pub(crate) fn points(&self) -> Vec<(f64, f64)> {
        let mut points = self.points.clone();
        if self.open.2 > 0 {
            points.push(mean(self.open));
        }
        points
    }

    /// How many records one point stands for.
    pub(crate) fn stride(&self) -> u32 {
        self.stride
    }
}

fn mean((at, value, n): (f64, f64, u32)) -> (f64, f64) {
    (at / f64::from(n), value / f64::from(n))
}

/// A running mean: each point becomes the mean of itself and its neighbours, up to `reach` on either side.
pub(crate) fn smooth(points: &[(f64, f64)], reach: usize) -> Vec<(f64, f64)> {
    (0..points.len())
        .map(|at| {
            let window = &points[at.saturating_sub(reach)..(at + reach + 1).min(points.len())];
            let sum: f64 = window.iter().map(|point| point.1).sum();
            let count = u32::try_from(window.len()).unwrap_or(u32::MAX);
            (points[at].0, sum / f64::from(count))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(at: f64, value: f64) -> Metric {
        Metric {
            stage: "rs-train".into(),
            axis: "step",
            at,
            values: vec![("loss".into(), value)],
        }
    }

    #[test]
    fn a_long_curve_is_thinned_to_its_means() {
        let mut traces = Traces::default();
        for step in 1..=10_000 {
            traces.push(&metric(f64::from(step), f64::from(step)));
        }
        let trace = traces.iter().next().unwrap();
        let points = trace.points();
        assert!(
            points.len() <= POINTS && points.len() > POINTS / 4,
            "{}",
            points.len()
        );
        assert_eq!(trace.records, 10_000);
        assert_eq!(trace.last, (10_000.0, 10_000.0));
        // A straight line stays one.
        assert!(points.iter().all(|(at, value)| (at - value).abs() < 1e-6));
        assert!(points.windows(2).all(|two| two[0].0 < two[1].0));
    }

    #[test]
    fn a_step_back_starts_another_run() {
        let mut traces = Traces::default();
        for step in [1.0, 2.0, 3.0, 1.0, 2.0] {
            traces.push(&metric(step, 5.0));
        }
        let runs: Vec<_> = traces
            .iter()
            .map(|trace| (trace.run, trace.records))
            .collect();
        assert_eq!(runs, [(1, 3), (2, 2)]);
    }

    #[test]
    fn smoothing_takes_the_mean_of_the_neighbours() {
        let points: Vec<_> = (0..20).map(|n| (f64::from(n), f64::from(n % 2))).collect();
        let smoothed = smooth(&points, 3);
        assert_eq!(smoothed.len(), points.len());
        for (at, expected) in [(0, 2.0 / 4.0), (10, 4.0 / 7.0), (19, 2.0 / 4.0)] {
            assert!(
                (smoothed[at].1 - expected).abs() < 1e-9,
                "{at}: {:?}",
                smoothed[at]
            );
        }
    }
}
