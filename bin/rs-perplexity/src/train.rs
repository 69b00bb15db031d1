//! From sentences to a model.

use std::path::Path;

use anyhow::{Result, ensure};
use realsyn_cli::{Common, Outcome};
use realsyn_lines::{AtomicFile, LinesError};
use realsyn_ngram::{NgramError, Summary, Trainer};
use realsyn_pipe::{RecordFold, Refusal, scan};
use realsyn_record::{Kind, Record};

use crate::Own;
use crate::page::PAGE;

/// Learns from the sentences and writes the model.
pub fn run(common: &Common, own: &Own, model: &Path) -> Result<Outcome> {
    let is_free = common.force || common.resume || !model.is_file();
    ensure!(is_free, LinesError::Exists(model.to_owned()));
    let mut trainer = Trainer::new(own.order)?;
    let mut run = common.start(&PAGE, own)?;
    if run.operands().is_empty() {
        // A resumed run that had ended.
        return Ok(run.finish()?);
    }
    let mut seen = 0;
    scan(&mut run, &Sentences, |text| {
        trainer.push(&text);
        seen += 1;
        Ok(())
    })?;
    let counts = run.tally().of(Kind::Sentence.name());
    counts.seen += seen;
    counts.kept += seen;
    // Before there is a file that would lie in the way of the next run.
    ensure!(!trainer.is_empty(), NgramError::Empty);
    let mut file = AtomicFile::create(model, common.force || common.resume)?;
    let summary = trainer.write(&mut file)?;
    run.write(line(&summary).as_bytes())?;
    file.finish()?;
    Ok(run.finish()?)
}

fn line(summary: &Summary) -> String {
    let Summary {
        sentences,
        words,
        vocabulary,
        ngrams,
    } = summary;
    format!(
        "{{\"schema\":\"metric/1\",\"stage\":\"rs-perplexity\",\"sentences\":{sentences},\"words\":{words},\"vocabulary\":{vocabulary},\"ngrams\":{}}}\n",
        ngrams.iter().sum::<usize>()
    )
}

struct Sentences;

impl RecordFold for Sentences {
    type Worker = ();
    type Item = String;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Sentence
    }

    fn worker(&self) -> Result<()> {
        Ok(())
    }

    fn prepare(&self, (): &mut (), record: &Record<'_>) -> Result<String, Refusal> {
        Ok(record.need_text("text")?.into_owned())
    }
}
