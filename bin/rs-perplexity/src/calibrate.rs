//! Bounds by percentiles: all sentences are scored while their lines wait in a temporary file, then each one's fate is
//! decided.
//!
//! The bounds come from a sample: the sentences with the smallest `blake3(seed ‖ id)`, so that it depends neither on order
//! nor on threads, and costs the same at any length. Memory: 24 bytes a sentence of the sample.

use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use anyhow::{Context as _, Result, ensure};
use realsyn_cli::Outcome;
use realsyn_lines::Run;
use realsyn_pipe::{RecordFold, Refusal, fold};
use realsyn_record::{Kind, Record, uniform};
use serde_json::json;

use crate::score::{Bounds, Lm, LmWorker};

/// Two percentages, checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentiles {
    low: f64,
    high: f64,
}

impl Percentiles {
    pub fn new(given: &[f64]) -> Result<Self> {
        let &[low, high] = given else {
            anyhow::bail!("--perplexity-percentiles takes two numbers, such as 5,95");
        };
        ensure!(
            (0.0..=100.0).contains(&low) && low < high && high <= 100.0,
            "--perplexity-percentiles: 0 <= LOW < HIGH <= 100"
        );
        Ok(Self { low, high })
    }

    /// The bounds between which these percentiles of `sorted` lie.
    fn of(self, sorted: &[f64]) -> Bounds {
        Bounds {
            min: percentile(sorted, self.low),
            max: percentile(sorted, self.high),
        }
    }
}

/// Linear between the two nearest values, as `numpy.percentile`; rounded to the three decimals that `perplexity` has, so
/// that the bounds that are told do exactly what these do.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sample's size is far below 2^53, and its places are not negative"
)]
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let place = percent / 100.0 * sorted.len().saturating_sub(1) as f64;
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or_default();
    let (below, above) = (at(place.floor()), at(place.ceil()));
    let value = (above - below).mul_add(place.fract(), below);
    (value * 1000.0).round() / 1000.0
}

/// What a sentence is drawn by, and its perplexity; largest draw first in a heap.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    draw: f64,
    perplexity: f64,
}

impl Ord for Drawn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_draw = self.draw.total_cmp(&other.draw);
        by_draw.then(self.perplexity.total_cmp(&other.perplexity))
    }
}

impl PartialOrd for Drawn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Drawn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Drawn {}

struct Scores {
    lm: Lm,
    seed: u64,
}

impl RecordFold for Scores {
    type Worker = LmWorker;
    type Item = Drawn;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Sentence
    }

    fn worker(&self) -> Result<LmWorker> {
        self.lm.worker()
    }

    fn prepare(&self, worker: &mut LmWorker, record: &Record<'_>) -> Result<Drawn, Refusal> {
        let text = record.need_text("text")?;
        let draw = uniform(self.seed, &record.id()?);
        let scored = self.lm.perplexities(worker, &[&text]);
        let failed = |error: anyhow::Error| Refusal::error("engine", format!("{error:#}"));
        let perplexity = scored.map_err(failed)?.pop();
        let perplexity =
            perplexity.unwrap_or_else(|| Err(Refusal::error("engine", "no answer")))?;
        Ok(Drawn { draw, perplexity })
    }
}

/// Scores all sentences, chooses the bounds, and keeps what lies inside.
pub fn run(
    mut run: Run,
    lm: Lm,
    percentiles: Percentiles,
    sample: usize,
    seed: u64,
) -> Result<Outcome> {
    ensure!(sample > 0, "--sample must not be 0");
    if run.operands().is_empty() {
        // A resumed run that had ended.
        return Ok(run.finish()?);
    }
    let mut waiting = BufWriter::new(tempfile::tempfile().context("temporary file")?);
    let mut drawn: BinaryHeap<Drawn> = BinaryHeap::new();
    let spooled = fold(&mut run, &Scores { lm, seed }, |item| {
        waiting
            .write_all(&item.perplexity.to_le_bytes())
            .context("temporary file")?;
        drawn.push(item);
        if drawn.len() > sample {
            drawn.pop();
        }
        Ok(())
    })?;
    let mut sorted: Vec<f64> = drawn.iter().map(|item| item.perplexity).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    if !sorted.is_empty() {
        let bounds = percentiles.of(&sorted);
        let (Percentiles { low, high }, Bounds { min, max }) = (percentiles, bounds);
        run.tell(&format!(
            "percentiles {low} and {high} of {} sentences: --min-perplexity {min} --max-perplexity {max}",
            sorted.len()
        ));
        let kind = Kind::Sentence.name();
        run.note(kind, "min_perplexity", json!(min));
        run.note(kind, "max_perplexity", json!(max));
        run.note(kind, "calibrated_on", json!(sorted.len()));
    }
    let bounds = percentiles.of(&sorted);
    let mut waiting = reader(waiting).context("temporary file")?;
    spooled.decide(&mut run, |_, _| {
        let mut eight = [0; 8];
        waiting.read_exact(&mut eight).context("temporary file")?;
        Ok(bounds.reply(f64::from_le_bytes(eight)))
    })?;
    Ok(run.finish()?)
}

fn reader(waiting: BufWriter<File>) -> std::io::Result<BufReader<File>> {
    let mut file = waiting.into_inner()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(BufReader::new(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        // numpy.percentile([1, 2, 4, 8, 16], [0, 10, 50, 95, 100])
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (percent, expected) in [
            (0.0, 1.0),
            (10.0, 1.4),
            (50.0, 4.0),
            (95.0, 14.4),
            (100.0, 16.0),
        ] {
            assert!(
                (percentile(&sorted, percent) - expected).abs() < 1e-9,
                "{percent}"
            );
        }
    }

    #[test]
    fn percentages_out_of_order_are_refused() {
        for given in [
            &[5.0][..],
            &[95.0, 5.0],
            &[-1.0, 50.0],
            &[5.0, 101.0],
            &[5.0, f64::NAN],
        ] {
            assert!(Percentiles::new(given).is_err(), "{given:?}");
        }
        assert!(Percentiles::new(&[0.0, 100.0]).is_ok());
    }
}
