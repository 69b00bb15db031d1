//! Where the picture of an `<img>` is.
//!
//! A page may name several files for one picture: `srcset` and `<picture>` for different screens, `data-src` and its
//! relatives for scripts that load late. The candidates are put in order, the largest first, and the first that is
//! there is taken.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::page::Page;

/// Where a picture can be had.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A file, by a path that can be opened from the working directory.
    Path(String),
    /// An `http:`, `https:` or `data:` URL.
    Url(String),
    /// A member of the document's container.
    Member(String),
}

impl Location {
    /// The name under which a container may hold the picture.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Path(_) => None,
            Self::Url(url) => (!is_data(url)).then_some(url),
            Self::Member(name) => Some(name),
        }
    }
}

/// Whether a URL is the picture itself.
#[must_use]
pub fn is_data(url: &str) -> bool {
    url.get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// What relative references of a document are relative to.
#[derive(Clone, Debug)]
pub enum Base {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A URL.
    Url(Url),
    /// A folder in a container: its name up to and with the last `/`, or nothing.
    Inside(String),
}

impl Base {
    /// The base of a page that was found at `url`.
    #[must_use]
    pub fn at(url: &str) -> Self {
        // A page from nowhere has nothing beside it.
        Url::parse(url.trim()).map_or_else(|_| Self::Inside(String::new()), Self::Url)
    }

    /// The base that `<base href>` makes of this one.
    #[must_use]
    pub fn with_href(self, href: &str) -> Self {
        match resolve(href, &self) {
            Some(Location::Url(url)) if !is_data(&url) => match Url::parse(&url) {
                Ok(url) => Self::Url(url),
                Err(_) => self,
            },
            Some(Location::Member(name)) => {
                let end = name.rfind('/').map_or(0, |slash| slash + 1);
                Self::Inside(name[..end].to_owned())
            }
            Some(Location::Path(path)) if path.ends_with('/') => Self::Folder(path.into()),
            Some(Location::Path(path)) => Self::Folder(
                Path::new(&path)
                    .parent()
                    .unwrap_or(Path::new(""))
                    .to_owned(),
            ),
            _ => self,
        }
    }
}

/// The attributes of scripts that load pictures late, those that name the full picture first, then the most common.
const LAZY: [&str; 15] = [
    "data-orig-file",
    "data-large-file",
    "data-full-src",
    "data-hi-res-src",
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-lazy",
    "data-actualsrc",
    "data-original-src",
    "data-cfsrc",
    "data-ll-src",
    "data-img-src",
    "data-echo",
    "data-flickity-lazyload",
];

/// The references of the `<img>` at `index`, the best first.
#[must_use]
pub fn candidates(page: &Page, index: usize) -> Vec<String> {
    let mut sized: Vec<(f64, String)> = Vec::new();
    let mut sources = vec![index];
    let parent = page.node(index).parent;
    if page.name(parent) == "picture" {
        let is_source = |at: &usize| page.name(*at) == "source" && can_be_read(page, *at);
        sources.extend(page.subtree(parent).filter(is_source));
    }
    for source in sources {
        for attribute in ["srcset", "data-srcset", "data-lazy-srcset"] {
            if let Some(value) = page.attr(source, attribute) {
                sized.extend(srcset(value));
            }
        }
    }
    // A stable sort: among equals the order of the page decides.
    sized.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut found: Vec<String> = sized.into_iter().map(|(_, reference)| reference).collect();
    for attribute in LAZY.into_iter().chain(["src"]) {
        if let Some(value) = page.attr(index, attribute) {
            let value = value.trim();
            if !value.is_empty() {
                found.push(value.to_owned());
            }
        }
    }
    found
}

/// Whether a `<source>` says that it is of a kind that is decoded: beside JPEG XL there is a JPEG for those who cannot.
fn can_be_read(page: &Page, index: usize) -> bool {
    page.attr(index, "type").is_none_or(|kind| {
        let kind = kind.trim().to_ascii_lowercase();
        let known = ["jpeg", "jpg", "png", "gif", "webp", "avif", "bmp", "tiff"];
        kind.is_empty()
            || kind
                .strip_prefix("image/")
                .is_some_and(|kind| known.contains(&kind))
    })
}

/// The candidates of a `srcset` with their width, or their density taken as thousands of pixels.
fn srcset(value: &str) -> Vec<(f64, String)> {
    let mut found = Vec::new();
    let mut rest = value;
    loop {
        rest = rest
            .trim_start_matches(|character: char| character.is_whitespace() || character == ',');
        if rest.is_empty() {
            return found;
        }
        // A URL may hold commas; it ends at white space (HTML, "parse a srcset attribute").
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (url, tail) = rest.split_at(end);
        let bare = url.trim_end_matches(',');
        let (descriptor, next) = if bare.len() < url.len() {
            ("", tail)
        } else {
            tail.split_once(',').unwrap_or((tail, ""))
        };
        let descriptor = descriptor.trim();
        let size = descriptor
            .strip_suffix('w')
            .and_then(|width| width.parse::<f64>().ok())
            .or_else(|| {
                descriptor
                    .strip_suffix('x')
                    .and_then(|density| density.parse::<f64>().ok())
                    .map(|density| density * 1000.0)
            });
        found.push((
            size.filter(|size| size.is_finite()).unwrap_or(1000.0),
            bare.to_owned(),
        ));
        rest = next;
    }
}

/// What a reference names; nothing for schemes under which there is no picture (`about:`, `blob:`, `javascript:`).
#[must_use]
pub fn resolve(reference: &str, base: &Base) -> Option<Location> {
    let reference = reference.trim();
    if reference.is_empty() || reference.starts_with('#') {
        return None;
    }
    if let Some(rest) = reference.strip_prefix("//") {
        return Some(Location::Url(format!("https://{rest}")));
    }
    if let Some((scheme, rest)) = scheme(reference) {
        return match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" | "data" => Some(Location::Url(reference.to_owned())),
            // A page that came over the net says nothing about this machine's files.
            "file" if matches!(base, Base::Folder(_)) => {
                let path = rest
                    .strip_prefix("//localhost")
                    .or_else(|| rest.strip_prefix("//"))
                    .unwrap_or(rest);
                Some(Location::Path(decoded(path)))
            }
            _ => None,
        };
    }
    match base {
        Base::Folder(folder) => {
            let plain = decoded(reference);
            let mut path = folder.join(tidy(&plain));
            // Mirrors keep the query in the file's name.
            if !path.exists() && folder.join(tidy(reference)).is_file() {
                path = folder.join(tidy(reference));
            }
            Some(Location::Path(path.to_string_lossy().into_owned()))
        }
        Base::Url(url) => {
            let mut url = url.join(reference).ok()?;
            url.set_fragment(None);
            Some(Location::Url(url.into()))
        }
        Base::Inside(folder) => Some(Location::Member(inside(folder, &decoded(reference))?)),
    }
}

/// A reference inside a container, `.` and `..` undone; nothing for one that leads out of it.
fn inside(folder: &str, reference: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let folder = if reference.starts_with('/') {
        ""
    } else {
        folder
    };
    for part in folder.split('/').chain(reference.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let mut name = parts.join("/");
    if reference.ends_with('/') {
        name.push('/');
    }
    Some(name)
}

/// The scheme of an absolute reference; a letter alone is a drive, not a scheme.
fn scheme(reference: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = reference.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character));
    is_scheme.then_some((scheme, rest))
}

/// Without query and fragment, escapes undone.
fn decoded(reference: &str) -> String {
    let end = reference.find(['?', '#']).unwrap_or(reference.len());
    percent_decode_str(&reference[..end])
        .decode_utf8_lossy()
        .into_owned()
}

/// Without `./` at the beginning, so that one file has one name.
fn tidy(mut path: &str) -> &str {
    while let Some(rest) = path.strip_prefix("./") {
        path = rest.trim_start_matches('/');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree;

    fn best(html: &str) -> Vec<String> {
        let page = Page::new(tree::parse(html, false).unwrap());
        candidates(&page, page.find(0..page.len(), "img").unwrap())
    }

    #[test]
    fn the_largest_candidate_comes_first() {
        assert_eq!(
            best("<img src=s.png srcset='a.png 200w, b,1.png 800w,c.png 400w'>"),
            ["b,1.png", "c.png", "a.png", "s.png"]
        );
        assert_eq!(
            best("<img src=s.png srcset='a.png, b.png 2x'>"),
            ["b.png", "a.png", "s.png"]
        );
        let picture = "<picture><source srcset='l.webp 1600w'><source srcset='m.webp 900w'><img src=s.jpg></picture>";
        assert_eq!(best(picture), ["l.webp", "m.webp", "s.jpg"]);
        let picture = "<picture><source type=image/jxl srcset='l.jxl 3200w'><source type=image/avif srcset='l.avif 1600w'><source type='image/webp' data-srcset='m.webp 900w'><img src=s.jpg></picture>";
        assert_eq!(best(picture), ["l.avif", "m.webp", "s.jpg"]);
        assert_eq!(
            best("<img src=s.png data-src=m.png data-orig-file=l.png>"),
            ["l.png", "m.png", "s.png"]
        );
        assert_eq!(
            best("<img src='data:image/gif;base64,R0' data-src=' real.jpg '>"),
            ["real.jpg", "data:image/gif;base64,R0"]
        );
    }

    #[test]
    fn references_are_resolved_against_the_document() {
        let base = Base::Folder("docs/en".into());
        let path = |reference| match resolve(reference, &base) {
            Some(Location::Path(path)) => path,
            other => panic!("{other:?}"),
        };
        assert_eq!(path("a%20b.png?x=1#y"), "docs/en/a b.png");
        assert_eq!(path("./i/c.png"), "docs/en/i/c.png");
        assert_eq!(path("../c.png"), "docs/en/../c.png");
        assert_eq!(path("file:///x/y.png"), "/x/y.png");
        assert_eq!(
            resolve("//h.example/a.png", &base),
            Some(Location::Url("https://h.example/a.png".into()))
        );
        for nothing in ["", "#top", "about:blank", "javascript:x", "blob:1"] {
            assert_eq!(resolve(nothing, &base), None, "{nothing}");
        }
    }

    #[test]
    fn members_are_resolved_inside_their_container() {
        let base = Base::Inside("OEBPS/text/".into());
        let member = |reference| match resolve(reference, &base) {
            Some(Location::Member(name)) => Some(name),
            None => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            member("../images/a%20b.png#x").as_deref(),
            Some("OEBPS/images/a b.png")
        );
        assert_eq!(member("/c.png").as_deref(), Some("c.png"));
        assert_eq!(member("../../../../etc/passwd"), None);
        let moved = base.with_href("../");
        assert_eq!(
            resolve("c.png", &moved),
            Some(Location::Member("OEBPS/c.png".into()))
        );
    }

    #[test]
    fn a_page_of_the_net_cannot_name_local_files() {
        let base = Base::at("https://h.example/a");
        assert_eq!(resolve("file:///etc/x.png", &base), None);
        assert_eq!(
            resolve("x.png", &Base::at("nowhere")),
            Some(Location::Member("x.png".into()))
        );
    }

    #[test]
    fn a_base_element_moves_what_is_relative() {
        let base = Base::Folder("docs".into()).with_href("https://h.example/a/index.html");
        assert_eq!(
            resolve("p.png", &base),
            Some(Location::Url("https://h.example/a/p.png".into()))
        );
        assert_eq!(
            resolve("/p.png", &base),
            Some(Location::Url("https://h.example/p.png".into()))
        );
        assert_eq!(
            resolve("../q/./r.png?s=1#t", &base),
            Some(Location::Url("https://h.example/q/r.png?s=1".into()))
        );
        let base = Base::Folder("docs".into()).with_href("img/");
        assert_eq!(
            resolve("p.png", &base),
            Some(Location::Path("docs/img/p.png".into()))
        );
    }
}
