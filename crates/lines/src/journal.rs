//! What a killed run leaves behind so that another one can go on.
//!
//! Beside `FILE.part` stands `FILE.part.state`: how many units of input (lines, documents) are done, how long the
//! output and the rejects were then, the counts, and a fingerprint of the arguments. It is replaced by renaming and only
//! after the bytes that it speaks of are on disk, so that a kill at any moment leaves a state that is true.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::output::part_of;
use crate::{LinesError, Tally};

/// The state of an unfinished run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The arguments that the output depends on.
    pub fingerprint: String,
    /// Units of input that are done.
    pub units: u64,
    /// Length of the output in bytes.
    pub out: u64,
    /// Length of the rejects in bytes.
    pub rejects: u64,
    /// What was counted.
    pub tally: Tally,
}

/// The name of the journal of the output at `path`.
pub(crate) fn name(path: &Path) -> PathBuf {
    let mut name = part_of(path).into_os_string();
    name.push(".state");
    PathBuf::from(name)
}

/// Removes the journal of the output at `path`, if there is one.
pub(crate) fn remove(path: &Path) -> Result<(), LinesError> {
    let journal = name(path);
    match std::fs::remove_file(&journal) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LinesError::io(journal.display().to_string(), error))
        }
        _ => Ok(()),
    }
}

impl State {
    /// Reads the journal of the output at `path` and checks it against this run.
    pub fn load(
        path: &Path,
        rejects: Option<&Path>,
        fingerprint: &str,
    ) -> Result<Self, LinesError> {
        let journal = name(path);
        let bad = |reason: String| LinesError::BadJournal {
            path: journal.clone(),
            reason,
        };
        let text = std::fs::read(&journal).map_err(|error| bad(error.to_string()))?;
        let state: Self = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
        if state.fingerprint != fingerprint {
            let (before, now) = (state.fingerprint, fingerprint.to_owned());
            return Err(LinesError::OtherArguments {
                path: part_of(path),
                before,
                now,
            });
        }
        for (file, kept) in [(Some(path), state.out), (rejects, state.rejects)] {
            let Some(file) = file else { continue };
            let length = part_of(file)
                .metadata()
                .map_or(0, |metadata| metadata.len());
            if length < kept {
                return Err(bad(format!(
                    "{} has {length} bytes of {kept}",
                    part_of(file).display()
                )));
            }
        }
        Ok(state)
    }

    /// Replaces the journal of the output at `path`.
    pub fn save(&self, path: &Path) -> Result<(), LinesError> {
        let journal = name(path);
        let failed = |source| LinesError::io(journal.display().to_string(), source);
        let mut new = journal.clone().into_os_string();
        new.push(".new");
        let json = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        let mut file = File::create(&new).map_err(failed)?;
        file.write_all(&json)
            .and_then(|()| file.sync_data())
            .map_err(failed)?;
        std::fs::rename(&new, &journal).map_err(failed)
    }
}
