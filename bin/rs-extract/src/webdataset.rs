//! `WebDataset` tars: a document a sample.
//!
//! A sample with an `html` file is a page that shows its pictures; any other is its pictures, and behind them the
//! sentences of its `txt` file, or else of the `caption` or `text` in its `json` file.
//!
//! Memory: a few samples. Order: the tar's.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use realsyn_archive::samples::{self, Event, Member, Sample};
use realsyn_extract::{About, Base, Held, Item, Pictures, Source};
use realsyn_lines::Origin;
use realsyn_picture::{Limits, PictureError};
use serde::Deserialize;

use crate::settle::Desk;
use crate::tasks::{self, Input, Outlet, Over, Piece, Plan};

/// The endings of pictures; what they hold is told by their first bytes.
const PICTURES: [&str; 9] = [
    "jpg", "jpeg", "png", "webp", "avif", "gif", "bmp", "tif", "tiff",
];

/// A sample of a tar.
struct Document {
    tar: Arc<str>,
    sample: Sample,
}

/// What a sample's `json` file says, as img2dataset and others write it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    caption: Option<String>,
    text: Option<String>,
    title: Option<String>,
    url: Option<String>,
    #[serde(alias = "lang")]
    language: Option<String>,
    #[serde(alias = "licence")]
    license: Option<String>,
}

fn is_picture(ending: &str) -> bool {
    let last = ending.rsplit('.').next().unwrap_or(ending);
    PICTURES.contains(&last)
}

/// Sends the samples of a tar.
///
/// # Errors
/// The run is over.
pub fn read(input: Input, plan: &Plan, outlet: &mut Outlet) -> Result<(), Over> {
    let limit = |ending: &str| match ending {
        "html" | "htm" | "txt" | "json" => Some(plan.max_document),
        ending if is_picture(ending) => Some(plan.max_image),
        _ => None,
    };
    let tar = input.name;
    let flow = samples::read(input.reader, limit, |event| {
        let sent = match event {
            Event::Sample(sample) => outlet.send(Document {
                tar: Arc::clone(&tar),
                sample,
            }),
            Event::Problem(problem) => outlet.reject(
                &tar,
                Some(problem.offset),
                problem.error.code(),
                problem.error.to_string(),
            ),
        };
        match sent {
            Ok(()) => ControlFlow::Continue(()),
            Err(over) => ControlFlow::Break(over),
        }
    });
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(over) => Err(over),
    }
}

impl Document {
    fn member(&self, endings: &[&str]) -> Option<&Member> {
        let mut members = self.sample.members.iter();
        members.find(|member| endings.contains(&member.ending.as_str()))
    }
}

impl Piece for Document {
    fn units(&self) -> u64 {
        1
    }

    fn settle(self: Box<Self>, desk: &mut Desk<'_>) {
        // A sample without what it says of itself is a sample all the same.
        let said: Said = self
            .member(&["json"])
            .and_then(|json| serde_json::from_slice(&json.bytes).ok())
            .unwrap_or_default();
        let about = About {
            title: said.title,
            url: None,
            lang: said.language,
            license: said.license,
        };
        let id = format!("{}/{}", tasks::id(&self.tar), self.sample.key);
        let key = &self.sample.key;
        let folder = key.rfind('/').map_or("", |slash| &key[..=slash]);
        let source = Source {
            base: Base::Inside(folder.to_owned()),
            about,
            pictures: Some(&*self),
            ..Source::of(&id, Path::new(""))
        };
        let page = self.member(&["html", "htm"]);
        let text = self.member(&["txt"]);
        let first = page.or(text).or(self.sample.members.first());
        let origin = Origin {
            file: Some(&self.tar),
            offset: first.map(|member| member.offset),
            ..Origin::default()
        };
        let options = desk.options();
        let made = if let Some(page) = page {
            realsyn_extract::html(&page.bytes, &source, options)
        } else {
            let members = self.sample.members.iter();
            let pictures: Vec<String> = members
                .filter(|member| is_picture(&member.ending))
                .map(|member| member.name.clone())
                .collect();
            let is_lone = pictures.len() == 1;
            let words = said.caption.or(said.text).unwrap_or_default();
            let text = text.map_or(words.as_bytes(), |text| &*text.bytes);
            let mut made = realsyn_extract::text(text, pictures, &source, options);
            // The URL is the picture's, where there is one to whom it can belong.
            for item in made.iter_mut().flat_map(|made| &mut made.items) {
                if let (Item::Image(image), Some(url), true) = (item, &said.url, is_lone) {
                    image.image.url = Some(url.clone().into());
                }
            }
            made
        };
        desk.settle(made, origin);
    }
}

impl Pictures for Document {
    fn has(&self, name: &str) -> bool {
        self.sample.members.iter().any(|member| member.name == name)
    }

    fn read(&self, name: &str, _: &Limits) -> Result<Option<Held>, PictureError> {
        let mut members = self.sample.members.iter();
        let found = members.find(|member| member.name == name);
        Ok(found.map(|member| Held {
            bytes: member.bytes.clone(),
            archive: self.tar.to_string(),
            offset: member.offset,
        }))
    }
}
