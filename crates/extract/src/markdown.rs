//! Markdown: CommonMark with GitHub's tables, footnotes, struck text and task lists, and front matter in YAML or TOML.
//!
//! A text becomes the page that any Markdown processor makes of it, and is read as a page then. So HTML inside it counts
//! as HTML, code blocks are left out, links keep their text, and lists of links go as menus do. Unlike a page of the web, a
//! text is used whole: it has no navigation around it.
//!
//! Memory: that of a page of twice the length. Order: the text's.

use std::fmt::Write as _;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::about::{self, About};

/// What is read beyond CommonMark.
const EXTENSIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_YAML_STYLE_METADATA_BLOCKS)
    .union(Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS)
    .union(Options::ENABLE_GFM);

/// The text as HTML, and what its front matter says of it.
pub fn page(text: &str) -> (String, About) {
    let mut page = String::with_capacity(text.len() + text.len() / 2);
    let mut front = String::new();
    let mut image = Image::default();
    let mut is_front = false;
    let events = Parser::new_ext(text, EXTENSIONS).filter_map(|event| match event {
        Event::Start(Tag::MetadataBlock(_)) => {
            is_front = true;
            None
        }
        Event::End(TagEnd::MetadataBlock(_)) => {
            is_front = false;
            None
        }
        Event::Text(text) if is_front => {
            front.push_str(&text);
            None
        }
        // The renderer would put the note's number before it.
        Event::Start(Tag::FootnoteDefinition(_)) => Some(Event::Html("<div>".into())),
        Event::End(TagEnd::FootnoteDefinition) => Some(Event::Html("</div>".into())),
        event => image.take(event),
    });
    html::push_html(&mut page, events);
    (page, said(&front))
}

/// The image that is open. Its alternative text is marked up in turn, down to further images, which stay text.
#[derive(Default)]
struct Image<'a> {
    depth: usize,
    reference: Option<CowStr<'a>>,
    title: Option<CowStr<'a>>,
    alt: String,
}

impl<'a> Image<'a> {
    /// The event, or the whole image at its end.
    fn take(&mut self, event: Event<'a>) -> Option<Event<'a>> {
        match event {
            Event::Start(Tag::Image {
                dest_url, title, ..
            }) => {
                if self.depth == 0 {
                    (self.reference, self.title) = (Some(dest_url), Some(title));
                    self.alt.clear();
                }
                self.depth += 1;
                None
            }
            Event::End(TagEnd::Image) => {
                self.depth = self.depth.saturating_sub(1);
                (self.depth == 0).then(|| Event::InlineHtml(self.element().into()))
            }
            event if self.depth == 0 => Some(event),
            Event::Text(text) | Event::Code(text) => {
                self.alt.push_str(&text);
                None
            }
            Event::SoftBreak | Event::HardBreak => {
                self.alt.push(' ');
                None
            }
            _ => None,
        }
    }

    /// The element; a title stands for an alternative text that is missing.
    fn element(&self) -> String {
        let alt = if self.alt.trim().is_empty() {
            self.title.as_deref().unwrap_or_default()
        } else {
            &self.alt
        };
        let mut element = String::from("<img src=\"");
        escape(self.reference.as_deref().unwrap_or_default(), &mut element);
        element.push_str("\" alt=\"");
        escape(alt, &mut element);
        element.push_str("\">");
        element
    }
}

fn escape(value: &str, into: &mut String) {
    for character in value.chars() {
        match character {
            '&' | '"' | '<' | '>' => {
                // A string takes whatever is written.
                let _ = write!(into, "&#{};", u32::from(character));
            }
            character => into.push(character),
        }
    }
}

/// What front matter says. Of YAML and TOML alike, `key: value` and `key = value` at the margin are all that is needed.
fn said(front: &str) -> About {
    let mut about = About::default();
    for line in front.lines() {
        // What comes first ends the key: a URL has a colon, and TOML's values may have one.
        let Some(at) = line.find([':', '=']) else {
            continue;
        };
        let (key, value) = (&line[..at], line[at + 1..].trim());
        let value = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.split(*quote).next())
            .unwrap_or_else(|| value.split(" #").next().unwrap_or(value).trim_end());
        // A block that begins on the next line, a list, an object.
        if value.starts_with(['|', '>', '[', '{', '&', '*']) {
            continue;
        }
        let own = match key.trim_end().to_ascii_lowercase().as_str() {
            "title" => &mut about.title,
            "url" | "canonical_url" => &mut about.url,
            "license" | "licence" => &mut about.license,
            "lang" | "language" => {
                about.lang = about.lang.or_else(|| about::language(value));
                continue;
            }
            _ => continue,
        };
        if own.is_none() {
            *own = about::said(value);
        }
    }
    about
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Item, Source, markdown};

    fn read(text: &str) -> (Vec<String>, About) {
        let options = crate::Options::default();
        let source = Source::of("a.md", std::path::Path::new("nowhere"));
        let document = markdown(text.as_bytes(), &source, &options).unwrap();
        let found = document
            .items
            .into_iter()
            .map(|item| match item {
                Item::Sentence(sentence) => sentence.text.into_owned(),
                Item::Image(image) => {
                    let image = image.image;
                    let place = image.url.or(image.path).unwrap_or_default();
                    format!("{place} ({})", image.alt.unwrap_or_default())
                }
                Item::Refused(refused) => refused.code.to_owned(),
            })
            .collect();
        (found, page(text).1)
    }

    #[test]
    fn a_text_is_read_as_its_page_is() {
        let text = "\
---
title: \"Of cats: a history\"
lang: en_GB
license: CC-BY-4.0 # as the rest
tags: [a, b]
description: |
  title: not this
---
# The first heading here

Cats *are* old,
and so is [the **dog**](dog.html).[^1] ![A `cat` *sits*](https://a.example/c.png \"Tom\")

![](https://a.example/d.png 'A dog & \"all\"')

```sh
this is code and goes
```

| One of them is | The other one is |
|----|----|
| old as a stone | new as a day |

<figure><img src='https://a.example/e.png' alt=E><figcaption>This is the figure.</figcaption></figure>

- [x] a task that is done

[^1]: The note is at the end.
";
        let (found, about) = read(text);
        assert_eq!(
            found,
            [
                "The first heading here",
                "Cats are old, and so is the dog.",
                "https://a.example/c.png (A cat sits)",
                "https://a.example/d.png (A dog & \"all\")",
                "One of them is",
                "The other one is",
                "old as a stone",
                "new as a day",
                "https://a.example/e.png (E)",
                "This is the figure.",
                "a task that is done",
                "The note is at the end.",
            ]
        );
        assert_eq!(about.title.as_deref(), Some("Of cats: a history"));
        assert_eq!(about.lang.as_deref(), Some("en-GB"));
        assert_eq!(about.license.as_deref(), Some("CC-BY-4.0"));
    }

    #[test]
    fn front_matter_of_both_kinds() {
        let toml =
            "+++\ntitle = 'T'\nurl = \"https://a.example/x\"\n[extra]\n+++\nThis is the text.\n";
        let (found, about) = read(toml);
        assert_eq!(found, ["This is the text."]);
        assert_eq!(about.title.as_deref(), Some("T"));
        assert_eq!(about.url.as_deref(), Some("https://a.example/x"));
        // A rule between two paragraphs is no front matter.
        assert_eq!(
            read("One is here.\n\n---\n\ntitle: of the two\n").0.len(),
            2
        );
    }

    #[test]
    fn nesting_without_end_is_read_all_the_same() {
        for open in ["> ", "[", "![", "*", "- ", "<b>", "`"] {
            let text = format!("{}the cat is on the mat", open.repeat(20_000));
            read(&text);
        }
    }
}
