//! From a pair record to what training keeps of it.

use std::borrow::Cow;

use anyhow::Result;
use realsyn_pipe::{RecordFold, Refusal};
use realsyn_record::{Kind, PairText, Record};
use realsyn_train::{Pixels, Sample};

/// Takes pairs whose picture can be decoded and that have a text.
pub struct Pairs<'a> {
    pub pixels: &'a Pixels,
    pub texts: usize,
}

impl RecordFold for Pairs<'_> {
    type Worker = ();
    type Item = Sample;

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Pair
    }

    fn max_lines(&self) -> usize {
        32
    }

    fn worker(&self) -> Result<()> {
        Ok(())
    }

    /// Decodes the picture once ahead of training, so that every loss is a reject and every batch is full.
    fn prepare(&self, (): &mut (), record: &Record<'_>) -> Result<Sample, Refusal> {
        let id = record.id()?;
        let (path, url) = (record.text("path")?, record.text("url")?);
        let mut texts: Vec<Box<str>> = Vec::new();
        let realistic = record
            .get::<Vec<PairText<'_>>>("texts")?
            .unwrap_or_default();
        texts.extend(
            realistic
                .iter()
                .take(self.texts)
                .map(|text| text.text.as_ref().into()),
        );
        texts.extend(record.text("synthetic")?.map(Box::from));
        texts.retain(|text| !text.trim().is_empty());
        if texts.is_empty() {
            return Err(Refusal::error(
                "no-text",
                "the pair has no text to train on",
            ));
        }
        let opened = self.pixels.open(path.as_deref(), url.as_deref());
        opened.map_err(|error| Refusal::error(error.code(), error.to_string()))?;
        let boxed = |text: Option<Cow<'_, str>>| text.map(Box::from);
        Ok(Sample {
            id: id.into(),
            path: boxed(path),
            url: boxed(url),
            texts: texts.into(),
        })
    }
}
