//! The fold's parallel part: from records to hashes.

use anyhow::Result;
use realsyn_phash::{Hashed, Hasher, TextKey};
use realsyn_picture::{PictureError, read};
use realsyn_pipe::{RecordFold, Refusal};
use realsyn_record::{Kind, Record};

/// The fold's parallel part.
pub struct Hashes(pub Hasher);

/// What the fold keeps of a record.
pub enum Item {
    /// Its id, hash and area.
    Image { id: String, hashed: Hashed },
    /// Its id, and what stands for its text.
    Sentence { id: String, key: TextKey },
}

impl RecordFold for Hashes {
    type Worker = ();
    type Item = Item;

    fn handles(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Image | Kind::Sentence)
    }

    fn max_lines(&self) -> usize {
        // A picture takes milliseconds, a large one a second.
        64
    }

    fn worker(&self) -> Result<()> {
        Ok(())
    }

    fn prepare(&self, (): &mut (), record: &Record<'_>) -> Result<Item, Refusal> {
        let id = record.id()?.into_owned();
        if record.kind() == Kind::Sentence {
            let key = TextKey::of(&record.need_text("text")?);
            return Ok(Item::Sentence { id, key });
        }
        let (path, url) = (record.text("path")?, record.text("url")?);
        let hashed = read(path.as_deref(), url.as_deref(), self.0.limits())
            .and_then(|bytes| self.0.hash(&bytes))
            .map_err(|error: PictureError| Refusal::error(error.code(), error.to_string()))?;
        Ok(Item::Image { id, hashed })
    }
}
