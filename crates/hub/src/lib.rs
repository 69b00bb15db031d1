//! Model directories of the Hugging Face hub: `hf:OWNER/NAME`, or `hf:OWNER/NAME@REVISION`.
//!
//! Files are downloaded by the hub's own client into the user's cache, where the Python libraries find them too and
//! whence they are taken the next time. `HF_HOME`, `HF_ENDPOINT` and `HF_HUB_OFFLINE` mean what they mean there; a token
//! is taken from the cache's folder.
//!
//! A revision's files are fetched by the commit that it names at the beginning, and the name is written to the cache last:
//! a cached name never leads to half a model.
//!
//! Memory: none that depends on the files' size.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use hf_hub::api::sync::{ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use thiserror::Error;

/// The file that every model has.
const CONFIG: &str = "config.json";

/// A model of the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    repo: String,
    revision: String,
}

/// Why a model cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HubError {
    /// It is no name of a model.
    #[error("{0:?} is no model of the hub: it must be hf:OWNER/NAME or hf:OWNER/NAME@REVISION")]
    Name(String),
    /// The hub has no such model or revision, or does not show it.
    #[error(
        "{name}: the hub has no such model or revision, or wants a token to show it ({message})"
    )]
    Unknown {
        /// The model.
        name: Name,
        /// The hub's answer.
        message: String,
    },
    /// The hub cannot be reached, and the cache does not hold the model.
    #[error("{name}: not in the cache, and the hub cannot be reached: {message}")]
    Unreachable {
        /// The model.
        name: Name,
        /// What went wrong.
        message: String,
    },
    /// A download broke off, or cannot be written.
    #[error("{name}: {file}: {message}")]
    Download {
        /// The model.
        name: Name,
        /// The file.
        file: String,
        /// What went wrong.
        message: String,
    },
}

impl HubError {
    /// A stable name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "bad-model-name",
            Self::Unknown { .. } => "unknown-model",
            Self::Unreachable { .. } => "hub-unreachable",
            Self::Download { .. } => "download-failed",
        }
    }
}

impl Name {
    /// Whether something is meant as a name rather than a path.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("hf:")
    }

    fn at(&self, revision: &str) -> Repo {
        Repo::with_revision(self.repo.clone(), RepoType::Model, revision.to_owned())
    }
}

impl FromStr for Name {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let bad = || HubError::Name(text.to_owned());
        let rest = text.strip_prefix("hf:").ok_or_else(bad)?;
        let (repo, revision) = rest.split_once('@').unwrap_or((rest, "main"));
        let (owner, name) = repo.split_once('/').ok_or_else(bad)?;
        // The hub's rule for both, which also keeps paths out of the cache's folder names.
        let is_good = |part: &str| {
            let mut bytes = part.bytes();
            bytes
                .next()
                .is_some_and(|first| first.is_ascii_alphanumeric())
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
                && !part.contains("..")
        };
        let is_revision = !revision.is_empty() && revision.split('/').all(is_good);
        if is_good(owner) && is_good(name) && is_revision {
            Ok(Self {
                repo: repo.to_owned(),
                revision: revision.to_owned(),
            })
        } else {
            Err(bad())
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "hf:{}@{}", self.repo, self.revision)
    }
}

/// A model on this machine.
#[derive(Debug)]
pub struct Fetched {
    /// Its folder in the cache.
    pub dir: PathBuf,
    /// Why the hub was not asked whether there is a newer one.
    pub unasked: Option<String>,
}

/// The model's folder, with those of its files that `wants` names; what the cache lacks is downloaded. When the hub cannot
/// be reached the cache's word is taken for what the revision is.
///
/// # Errors
/// The hub has no such model, or can neither be reached nor be done without, or a download fails.
pub fn fetch(
    name: &Name,
    wants: impl Fn(&str) -> bool,
    shows_progress: bool,
) -> Result<Fetched, HubError> {
    if is_offline() {
        let why = "HF_HUB_OFFLINE is set".to_owned();
        return cached(name, why);
    }
    let api = ApiBuilder::from_env()
        .with_progress(shows_progress)
        .with_retries(3)
        .build();
    let api = match api {
        Ok(api) => api,
        Err(error) => return cached(name, error.to_string()),
    };
    let named = api.repo(name.at(&name.revision));
    let info = match named.info() {
        Ok(info) => info,
        Err(error) if is_refusal(&error) => {
            return Err(HubError::Unknown {
                name: name.clone(),
                message: error.to_string(),
            });
        }
        Err(error) => return cached(name, error.to_string()),
    };
    let get = |repo: &ApiRepo, file: &str, anew: bool| {
        let got = if anew {
            repo.download(file)
        } else {
            repo.get(file)
        };
        got.map_err(|error| HubError::Download {
            name: name.clone(),
            file: file.to_owned(),
            message: error.to_string(),
        })
    };
    let commit = api.repo(name.at(&info.sha));
    for sibling in &info.siblings {
        if sibling.rfilename != CONFIG && wants(&sibling.rfilename) {
            get(&commit, &sibling.rfilename, false)?;
        }
    }
    let config = get(&commit, CONFIG, false)?;
    // The download under the revision's name is what writes the name into the cache.
    let is_named = Cache::from_env().repo(name.at(&name.revision)).get(CONFIG);
    if is_named.as_ref() != Some(&config) {
        get(&named, CONFIG, true)?;
    }
    Ok(Fetched {
        dir: parent(config),
        unasked: None,
    })
}

/// The model as the cache holds it.
fn cached(name: &Name, why: String) -> Result<Fetched, HubError> {
    match Cache::from_env().repo(name.at(&name.revision)).get(CONFIG) {
        Some(config) => Ok(Fetched {
            dir: parent(config),
            unasked: Some(why),
        }),
        None => Err(HubError::Unreachable {
            name: name.clone(),
            message: why,
        }),
    }
}

fn parent(mut path: PathBuf) -> PathBuf {
    path.pop();
    path
}

/// As the hub's Python library reads it.
fn is_offline() -> bool {
    std::env::var("HF_HUB_OFFLINE").is_ok_and(|value| {
        matches!(
            value.to_ascii_uppercase().as_str(),
            "1" | "ON" | "YES" | "TRUE"
        )
    })
}

/// Whether the hub itself has answered, and the answer was no.
fn is_refusal(error: &ApiError) -> bool {
    matches!(error, ApiError::RequestError(error) if matches!(**error, ureq::Error::StatusCode(401 | 403 | 404)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_owner_and_name() {
        let good: Name = "hf:openai/clip-vit-base-patch32".parse().unwrap();
        assert_eq!(good.to_string(), "hf:openai/clip-vit-base-patch32@main");
        let pinned: Name = "hf:a/b.c@refs/pr/1".parse().unwrap();
        assert_eq!(pinned.revision, "refs/pr/1");
        for bad in [
            "a/b",
            "hf:",
            "hf:a",
            "hf:a/b/c",
            "hf:../b",
            "hf:a/..",
            "hf:a/b@",
            "hf:a/b@../x",
            "hf:a/ b",
        ] {
            assert_eq!(
                bad.parse::<Name>().unwrap_err().code(),
                "bad-model-name",
                "{bad}"
            );
        }
    }
}
