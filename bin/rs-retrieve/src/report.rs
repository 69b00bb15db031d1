//! The funnel with the figures of the stage.
//!
//! The driver of maps writes the report when it ends, and only then are the stage's figures known. So the report is held
//! back in a temporary file, and its line of images gains the figures before it is written where it belongs.

use std::fs;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use realsyn_cli::Common;
use realsyn_lines::AtomicFile;
use realsyn_record::{Edits, Record};
use tempfile::TempDir;

/// The report, not yet written.
pub struct Held {
    dir: TempDir,
    file: AtomicFile,
}

const NAME: &str = "report.jsonl";

impl Held {
    /// Puts a temporary report in the place of the one that was asked for, if one was.
    pub fn take(mut common: Common) -> Result<(Common, Option<Self>)> {
        let Some(path) = common.report.take() else {
            return Ok((common, None));
        };
        let dir = tempfile::tempdir().context("a temporary folder for the report")?;
        let file = AtomicFile::create(&path, common.force || common.resume)?;
        common.report = Some(dir.path().join(NAME));
        Ok((common, Some(Self { dir, file })))
    }

    /// Adds the figures to the line of images and writes the report.
    pub fn write(mut self, figures: &[(&str, String)]) -> Result<()> {
        // There is none if a resumed run found its output whole; then the earlier report stays.
        let Ok(text) = fs::read(self.dir.path().join(NAME)) else {
            return Ok(());
        };
        let mut out = Vec::new();
        for line in text
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let record = Record::parse(line)?;
            let is_images = record.text("kind")?.as_deref() == Some("image");
            let figures = if is_images { figures } else { &[] };
            let add = |edits: Edits, (key, json): &(&str, String)| edits.set_raw(key, json.clone());
            figures
                .iter()
                .fold(Edits::new(), add)
                .apply(&record, &mut out);
            out.push(b'\n');
        }
        self.file.write_all(&out).context("the report")?;
        Ok(self.file.finish()?)
    }
}
