//! What a document says of itself as a whole: title, URL, language, licence.
//!
//! A transport knows some of it (a WARC record its URL, an EPUB its licence) and is believed before the page. A licence
//! is taken from, in this order: `rel=license` (HTML), Dublin Core's `dcterms.license`, `dc.rights` and the like where
//! they name a URL, schema.org's `license` in JSON-LD, and a link to Creative Commons, if the page links to one licence
//! alone.
//!
//! Memory: four short strings. Values beyond 1 KiB are no names and are left out.

use serde_json::Value;

use crate::page::Page;

/// The longest value in bytes.
const LONGEST: usize = 1024;

/// What is known of a document as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Its title.
    pub title: Option<String>,
    /// Its URL.
    pub url: Option<String>,
    /// Its language (BCP 47).
    pub lang: Option<String>,
    /// Its licence: a URL, or a name.
    pub license: Option<String>,
}

impl About {
    /// This, completed by `other` where it says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            title: self.title.or(other.title),
            url: self.url.or(other.url),
            lang: self.lang.or(other.lang),
            license: self.license.or(other.license),
        }
    }
}

/// A value that says something.
pub(crate) fn said(value: &str) -> Option<String> {
    let value = value.trim();
    (!value.is_empty() && value.len() <= LONGEST).then(|| value.to_owned())
}

/// A language tag, as far as its form tells: `en`, `en-GB`, `zh-Hant`; of a list, the first.
pub(crate) fn language(value: &str) -> Option<String> {
    let tag = value.split(',').next().unwrap_or(value).trim();
    let is_tag = tag.len() <= 35
        && tag.split(['-', '_']).enumerate().all(|(at, part)| {
            let length = if at == 0 { 2..=8 } else { 1..=8 };
            length.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
    is_tag.then(|| tag.replace('_', "-"))
}

/// What a page says of itself.
pub(crate) fn of_page(page: &Page) -> About {
    let mut about = About::default();
    let (mut rel, mut core, mut schema) = (None, None, None);
    let mut commons: Option<String> = None;
    let mut is_one = true;
    for index in 0..page.len() {
        match page.name(index) {
            "html" if about.lang.is_none() => {
                about.lang = page
                    .attr(index, "lang")
                    .or_else(|| page.attr(index, "xml:lang"))
                    .and_then(language);
            }
            // An <svg> has titles too.
            "title" if about.title.is_none() && page.name(page.node(index).parent) == "head" => {
                about.title = said(&page.text(index));
            }
            "meta" => meta(page, index, &mut about, &mut core),
            "link" if page.has_word(index, "rel", "license") => {
                rel = rel.or_else(|| page.attr(index, "href").and_then(url));
            }
            "link" if about.url.is_none() && page.has_word(index, "rel", "canonical") => {
                about.url = page.attr(index, "href").and_then(url);
            }
            "a" => {
                let Some(href) = page.attr(index, "href") else {
                    continue;
                };
                if rel.is_none() && page.has_word(index, "rel", "license") {
                    rel = url(href);
                }
                if let Some(license) = creative_commons(href) {
                    is_one &= commons.as_ref().is_none_or(|known| *known == license);
                    commons = Some(license);
                }
            }
            "script" if schema.is_none() && page.attr_is(index, "type", "application/ld+json") => {
                schema = page
                    .subtree(index)
                    .map(|at| page.own_text(at))
                    .find(|text| text.contains("\"license\""))
                    .and_then(|text| serde_json::from_str::<Value>(text).ok())
                    .and_then(|value| schema_license(&value, 8));
            }
            _ => {}
        }
    }
    about.license = rel
        .or(core)
        .or(schema)
        .or_else(|| commons.filter(|_| is_one));
    about
}

fn meta(page: &Page, index: usize, about: &mut About, core: &mut Option<String>) {
    let name = ["name", "property", "http-equiv"]
        .iter()
        .find_map(|key| page.attr(index, key));
    let (Some(name), Some(content)) = (name, page.attr(index, "content")) else {
        return;
    };
    match name.to_ascii_lowercase().as_str() {
        "dcterms.license" | "dc.license" | "dcterms.rights" | "dc.rights" | "license"
            if core.is_none() =>
        {
            *core = url(content);
        }
        "content-language" if about.lang.is_none() => about.lang = language(content),
        "og:url" if about.url.is_none() => about.url = url(content),
        _ => {}
    }
}

/// An absolute URL of the web; a relative one tells a reader of records nothing.
fn url(value: &str) -> Option<String> {
    let said = said(value)?;
    let is_absolute = said.starts_with("https://") || said.starts_with("http://");
    if said.starts_with("//") {
        return Some(format!("https:{said}"));
    }
    is_absolute.then_some(said)
}

/// The licence that a link to Creative Commons names, without the language of its deed.
fn creative_commons(href: &str) -> Option<String> {
    let (_, path) = href.split_once("creativecommons.org/")?;
    if !(path.starts_with("licenses/") || path.starts_with("publicdomain/")) {
        return None;
    }
    let end = ["?", "#", "deed", "legalcode"]
        .iter()
        .filter_map(|tail| path.find(tail))
        .min()
        .unwrap_or(path.len());
    let path = path[..end].trim_end_matches('/');
    Some(format!("https://creativecommons.org/{path}/"))
}

/// schema.org: `"license": "URL"`, or an object with `@id` or `url`, in any object of the graph.
fn schema_license(value: &Value, depth: u32) -> Option<String> {
    let below = |value: &Value| {
        depth
            .checked_sub(1)
            .and_then(|depth| schema_license(value, depth))
    };
    match value {
        Value::Object(object) => match object.get("license") {
            Some(Value::String(license)) => said(license),
            Some(Value::Object(license)) => ["@id", "url"]
                .iter()
                .find_map(|key| license.get(*key)?.as_str().and_then(said)),
            _ => object.values().find_map(below),
        },
        Value::Array(list) => list.iter().find_map(below),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree;

    fn about(html: &str) -> About {
        of_page(&Page::new(tree::parse(html, false).unwrap()))
    }

    #[test]
    fn title_language_and_url_are_where_html_has_them() {
        let found = about(
            "<html lang=en-GB><title> A  tale </title><link rel=canonical href=https://a.example/t>\
             <svg><title>Icon</title></svg>",
        );
        assert_eq!(
            (
                found.title.as_deref(),
                found.lang.as_deref(),
                found.url.as_deref()
            ),
            (Some("A tale"), Some("en-GB"), Some("https://a.example/t"))
        );
        let found = about(
            "<meta http-equiv=Content-Language content='de, en'><meta property=og:url content=https://b.example/>",
        );
        assert_eq!(
            (found.lang.as_deref(), found.url.as_deref()),
            (Some("de"), Some("https://b.example/"))
        );
        assert_eq!(
            about("<html lang='not a language'><link rel=canonical href=/t>"),
            About::default()
        );
    }

    #[test]
    fn a_licence_is_the_most_explicit_one() {
        let commons = "<a href='http://creativecommons.org/licenses/by-sa/4.0/deed.en'>CC</a>";
        let by_sa = Some("https://creativecommons.org/licenses/by-sa/4.0/".to_owned());
        assert_eq!(about(commons).license, by_sa);
        assert_eq!(about(&commons.repeat(2)).license, by_sa);
        let other = "<a href=https://creativecommons.org/publicdomain/zero/1.0/>CC0</a>";
        assert_eq!(about(&format!("{commons}{other}")).license, None);
        let rel = "<a rel='nofollow license' href=https://l.example/x>L</a>";
        assert_eq!(
            about(&format!("{commons}{rel}")).license.as_deref(),
            Some("https://l.example/x")
        );
        let ld = r#"<script type="application/ld+json">{"@graph":[{"a":1},{"license":{"@id":"https://s.example/"}}]}</script>"#;
        assert_eq!(about(ld).license.as_deref(), Some("https://s.example/"));
        assert_eq!(
            about("<meta name=DC.rights content=https://d.example/><meta name=dc.rights content='All mine'>").license.as_deref(),
            Some("https://d.example/")
        );
        assert_eq!(
            about("<script type=application/ld+json>{\"license\":</script>").license,
            None
        );
    }
}
