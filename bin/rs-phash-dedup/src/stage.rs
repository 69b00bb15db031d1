//! The parallel part: from records to hashes.

use anyhow::Result;
use realsyn_phash::{Algorithm, Hashed, Hasher, Near, TextKey, from_hex, hex, normal_form};
use realsyn_picture::{PictureError, read};
use realsyn_pipe::{RecordFold, RecordMap, Refusal, Reply};
use realsyn_record::{Edits, Kind, Record, RecordError};

/// The fold's parallel part.
pub struct Hashes {
    /// Of pictures.
    pub hasher: Hasher,
    /// Of sentences, where more than equal ones are looked for.
    pub near: Option<Near>,
}

/// What the fold keeps of a record.
pub enum Item {
    /// Its id, hash and size.
    Image { id: String, hashed: Hashed },
    /// Its id, what stands for its text, and the text's length.
    Sentence {
        id: String,
        key: TextKey,
        length: u64,
        /// The normal form and its bands.
        near: Option<(String, Vec<u32>)>,
    },
}

impl Hashes {
    /// The hash of an image record: the one that it has, if it has its size too, else the picture's.
    fn hashed(&self, record: &Record<'_>) -> Result<Hashed, Refusal> {
        let key = self.hasher.algorithm().as_str();
        if let Some(digits) = record.text(key)? {
            let hash = from_hex(&digits).ok_or_else(|| RecordError::BadField {
                key: key.to_owned(),
                reason: "not 16 hexadecimal digits".to_owned(),
            })?;
            if let (Some(width), Some(height)) = (record.get("width")?, record.get("height")?) {
                return Ok(Hashed {
                    hash,
                    width,
                    height,
                });
            }
        }
        let (path, url) = (record.text("path")?, record.text("url")?);
        read(path.as_deref(), url.as_deref(), self.hasher.limits())
            .and_then(|bytes| self.hasher.hash(&bytes))
            .map_err(|error: PictureError| Refusal::error(error.code(), error.to_string()))
    }
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
            let normal = normal_form(&record.need_text("text")?);
            let (key, length) = (TextKey::of_normal_form(&normal), normal.len() as u64);
            let near = self.near.as_ref().map(|near| {
                let bands = near.bands(&normal);
                (normal, bands)
            });
            return Ok(Item::Sentence {
                id,
                key,
                length,
                near,
            });
        }
        let hashed = self.hashed(record)?;
        Ok(Item::Image { id, hashed })
    }
}

impl RecordMap for Hashes {
    type Worker = ();

    fn handles(&self, kind: Kind) -> bool {
        kind == Kind::Image
    }

    fn max_lines(&self) -> usize {
        64
    }

    fn worker(&self) -> Result<()> {
        Ok(())
    }

    fn process(&self, (): &mut (), records: &[Record<'_>]) -> Result<Vec<Reply>> {
        let answer = |record: &Record<'_>| -> Result<Reply> {
            let hashed = match self.hashed(record) {
                Ok(hashed) => hashed,
                Err(refusal) => return Ok(refusal.into()),
            };
            let algorithm = self.hasher.algorithm();
            let edits = hash_edits(record, algorithm, hashed)?;
            Ok(if edits.is_empty() {
                Reply::Keep
            } else {
                Reply::Edit(edits)
            })
        };
        records.iter().map(answer).collect()
    }
}

/// Gives a record its hash, and its size if it has none.
pub fn hash_edits(record: &Record<'_>, algorithm: Algorithm, hashed: Hashed) -> Result<Edits> {
    let key = algorithm.as_str();
    let digits = hex(hashed.hash);
    let mut edits = Edits::new();
    let is_there = record.text(key).ok().flatten().as_deref() == Some(&*digits);
    if !is_there {
        edits = edits.set(key, &digits)?;
    }
    if record.raw("width").is_none() || record.raw("height").is_none() {
        edits = edits
            .set("width", &hashed.width)?
            .set("height", &hashed.height)?;
    }
    Ok(edits)
}
