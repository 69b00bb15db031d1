//! What of a page is content.
//!
//! Three steps, each by what the ecosystem has agreed on:
//!
//! 1. Elements that say themselves that they are not the page's text are left out: `<nav>`, `<aside>`, scripts, forms,
//!    hidden ones, ARIA navigation roles, and the class names that documentation generators give to their navigation
//!    (`navfooter`, `toc`) and to code (`highlight`, `fragment`).
//! 2. A page that names its main content (`<main>`, `role=main`) is believed when that holds text worth the name.
//! 3. Otherwise `dom_smoothie`, a port of Mozilla's Readability, scores the tree and picks the article. Its later
//!    "conditional cleaning" is switched off: on the documentation corpora it removed 25 to 75% of the pictures. What it
//!    picks is widened to those neighbours and ancestors that add running text or pictures rather than links, since it was made for news
//!    articles and drops, say, the first section of a manual page for being short. When it finds no article at all, the
//!    whole body is taken.
//!
//! Memory: a second copy of the tree while Readability works. Order: the page's.

use dom_smoothie::{Config, ParsePolicy, Readability};

use crate::page::{Content, Page};

/// Which nodes of a page are content.
pub struct Main {
    /// The element that holds everything that was kept.
    pub root: usize,
    keep: Vec<bool>,
}

impl Main {
    /// Whether the node, and with it what is below, can be content.
    #[must_use]
    pub fn keeps(&self, index: usize) -> bool {
        self.keep[index]
    }
}

/// What a subtree holds, without what is left out in any case.
#[derive(Clone, Copy, Default)]
struct Measure {
    /// Letters and digits outside links.
    text: usize,
    /// Letters and digits inside links.
    linked: usize,
    /// Pictures outside links.
    pictures: usize,
}

impl Measure {
    fn add(&mut self, other: Self) {
        self.text += other.text;
        self.linked += other.linked;
        self.pictures += other.pictures;
    }

    fn without(self, other: Self) -> Self {
        Self {
            text: self.text.saturating_sub(other.text),
            linked: self.linked.saturating_sub(other.linked),
            pictures: self.pictures.saturating_sub(other.pictures),
        }
    }

    /// Running text, or pictures, rather than links.
    fn is_prose(self) -> bool {
        let enough = self.text >= 80 || self.pictures > 0;
        enough && self.linked * 2 <= self.text + 60 * self.pictures
    }
}

/// Finds the content of a page.
#[must_use]
pub fn main(page: &Page) -> Main {
    let mut keep = kept_by_name(page);
    let measures = measure(page, &keep);
    let body = page.find(0..page.len(), "body").unwrap_or(0);
    if let Some(root) = named_main(page, &measures, body) {
        return Main { root, keep };
    }
    let Some(picked) = readability(page) else {
        return Main { root: body, keep };
    };
    let root = widen(page, &measures, &picked);
    drop_linky(page, &measures, &picked, root, &mut keep);
    Main { root, keep }
}

/// Step 1, by element, role and class.
fn kept_by_name(page: &Page) -> Vec<bool> {
    let mut keep = vec![true; page.len()];
    let mut index = 0;
    while index < page.len() {
        if matches!(page.node(index).content, Content::Element(_)) && is_left_out(page, index) {
            let subtree = page.subtree(index);
            index = subtree.end;
            keep[subtree].fill(false);
        } else {
            index += 1;
        }
    }
    keep
}

fn is_left_out(page: &Page, index: usize) -> bool {
    let name = page.name(index);
    if matches!(name, "html" | "body" | "main" | "article" | "img") {
        return false;
    }
    match name {
        "head" | "script" | "style" | "template" | "nav" | "aside" | "pre" | "textarea"
        | "select" | "option" | "button" | "input" | "svg" | "math" | "iframe" | "object"
        | "embed" | "applet" | "audio" | "video" | "canvas" | "dialog" | "menu" | "datalist"
        | "xmp" | "listing" | "plaintext" | "frameset" | "noframes" => return true,
        // A page's own; those of an article or a section belong to its text.
        "header" | "footer" => {
            let is_inner = page
                .ancestors(index)
                .any(|at| matches!(page.name(at), "article" | "section" | "main"));
            if !is_inner {
                return true;
            }
        }
        _ => {}
    }
    if page.attr(index, "hidden").is_some()
        || page
            .attr(index, "aria-hidden")
            .is_some_and(|value| &*value == "true")
    {
        return true;
    }
    let has_role = page.attr(index, "role").is_some_and(|role| {
        matches!(
            &*role,
            "navigation"
                | "search"
                | "banner"
                | "contentinfo"
                | "complementary"
                | "menu"
                | "menubar"
                | "dialog"
                | "toolbar"
        )
    });
    let is_invisible = page.attr(index, "style").is_some_and(|style| {
        let style: String = style
            .chars()
            .filter(|character| !character.is_whitespace())
            .collect();
        style.contains("display:none") || style.contains("visibility:hidden")
    });
    has_role
        || is_invisible
        || page.has_class(index, |class| is_navigation(class) || is_code(class))
}

/// Class names that generators of pages give to what leads elsewhere.
fn is_navigation(class: &str) -> bool {
    matches!(
        class.to_ascii_lowercase().as_str(),
        "navheader"
            | "navfooter"
            | "navpanel"
            | "navbar"
            | "navigation"
            | "nav"
            | "navrow"
            | "navtab"
            | "navpath"
            | "tablist"
            | "toc"
            | "toctree-wrapper"
            | "contents-toc"
            | "table-of-contents"
            | "mw-toc"
            | "sectlevel1-toc"
            | "breadcrumb"
            | "breadcrumbs"
            | "sidebar"
            | "sphinxsidebar"
            | "sidebar-box"
            | "related"
            | "sphx-glr-signature"
            | "mw-editsection"
            | "editsection"
            | "printfooter"
            | "catlinks"
            | "noprint"
            | "mw-jump-link"
            | "jump-to-nav"
            | "headerlink"
            | "anchorlink"
            | "skip-link"
            | "sr-only"
            | "visually-hidden"
            | "screen-reader-text"
            | "pagination"
            | "pager"
            | "cookie-banner"
            | "share-buttons"
            | "social"
            | "dyncontent"
            | "dynheader"
            | "ingroups"
            | "summary"
            | "sphx-glr-download"
            | "reportbug"
            | "footer"
            | "indexterm"
    )
}

/// Class names of program text that does not stand in `<pre>`.
fn is_code(class: &str) -> bool {
    matches!(
        class,
        "fragment"
            | "memproto"
            | "memtitle"
            | "memberdecls"
            | "memname"
            | "highlight"
            | "highlighttable"
            | "codehilite"
            | "sourceCode"
            | "programlisting"
            | "screen"
            | "synopsis"
            | "funcsynopsis"
            | "cmdsynopsis"
            | "syntaxhighlighter"
            | "CodeMirror"
            | "prettyprint"
            | "mw-code"
            | "blob-code"
            | "doctest"
            | "math"
            | "MathJax"
            | "mathjax"
            | "katex"
            | "mwe-math-element"
            | "sig"
            | "contents-code"
    )
}

/// The sums of all subtrees.
fn measure(page: &Page, keep: &[bool]) -> Vec<Measure> {
    let mut linked = vec![false; page.len()];
    let mut measures = vec![Measure::default(); page.len()];
    for index in 0..page.len() {
        let parent = page.node(index).parent;
        linked[index] = page.name(index) == "a" && page.attr(index, "href").is_some()
            || (parent < index && linked[parent]);
        if !keep[index] {
            continue;
        }
        match page.name(index) {
            "" => {
                let letters = page
                    .own_text(index)
                    .chars()
                    .filter(|character| character.is_alphanumeric())
                    .count();
                if linked[index] {
                    measures[index].linked = letters;
                } else {
                    measures[index].text = letters;
                }
            }
            "img" if !linked[index] => measures[index].pictures = 1,
            _ => {}
        }
    }
    for index in (1..page.len()).rev() {
        let parent = page.node(index).parent;
        if parent < index {
            let below = measures[index];
            measures[parent].add(below);
        }
    }
    measures
}

/// Step 2.
fn named_main(page: &Page, measures: &[Measure], body: usize) -> Option<usize> {
    let mut named = (0..page.len())
        .filter(|&index| page.name(index) == "main" || page.attr_is(index, "role", "main"));
    let root = named.next()?;
    let inside = page.subtree(root);
    if named.any(|other| !inside.contains(&other)) {
        return None;
    }
    let (all, main) = (measures[body], measures[root]);
    let weight = |measure: Measure| measure.text + 60 * measure.pictures;
    (weight(main) * 4 >= weight(all) && weight(main) > 0).then_some(root)
}

/// The text and pictures that Readability picks, as indices in document order.
fn readability(page: &Page) -> Option<Vec<usize>> {
    let config = Config {
        disable_json_ld: true,
        ..Config::default()
    };
    let mut readability =
        Readability::with_document(page.document().clone(), None, Some(config)).ok()?;
    readability.parse_with_policy(ParsePolicy::Raw).ok()?;
    let mut picked: Vec<usize> = Vec::new();
    for article in readability.doc.select("#readability-page-1").nodes() {
        // A copy of the tree keeps its node ids; what Readability made itself has none of ours.
        picked.extend(
            article
                .descendants_it()
                .filter_map(|node| page.index_of(node.id))
                .filter(|&index| {
                    page.name(index) == "img" || !page.own_text(index).trim().is_empty()
                }),
        );
    }
    picked.sort_unstable();
    (!picked.is_empty()).then_some(picked)
}

/// The smallest element around all that was picked, or an ancestor of it that adds prose.
fn widen(page: &Page, measures: &[Measure], picked: &[usize]) -> usize {
    let (first, last) = (picked[0], picked[picked.len() - 1]);
    let holds_all = |index: &usize| page.subtree(*index).contains(&last);
    let mut root = page.ancestors(first).find(holds_all).unwrap_or(0);
    let ancestors: Vec<usize> = page.ancestors(root).collect();
    for ancestor in ancestors {
        if page.name(ancestor) != "html" && measures[ancestor].without(measures[root]).is_prose() {
            root = ancestor;
        }
    }
    root
}

/// Inside the root, what was not picked stays only if it is prose and does not call itself something else.
fn drop_linky(page: &Page, measures: &[Measure], picked: &[usize], root: usize, keep: &mut [bool]) {
    let mut index = root + 1;
    let end = page.subtree(root).end;
    while index < end {
        let subtree = page.subtree(index);
        let next = picked.partition_point(|&at| at < index);
        let holds_picked = picked.get(next).is_some_and(|at| subtree.contains(at));
        if holds_picked || matches!(page.node(index).content, Content::Text(_)) {
            index += 1;
            continue;
        }
        let measure = measures[index];
        let is_heading = matches!(page.name(index), "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
        let is_linky = measure.linked > measure.text && measure.pictures == 0;
        if (is_linky && !is_heading) || is_unlikely(page, index) {
            keep[subtree.clone()].fill(false);
        }
        index = subtree.end;
    }
}

/// Readability's own list of names that content does not have.
const UNLIKELY: [&str; 26] = [
    "-ad-",
    "ai2html",
    "banner",
    "breadcrumbs",
    "combx",
    "comment",
    "community",
    "disqus",
    "extra",
    "footer",
    "gdpr",
    "menu",
    "related",
    "remark",
    "replies",
    "rss",
    "shoutbox",
    "sidebar",
    "skyscraper",
    "social",
    "sponsor",
    "supplemental",
    "ad-break",
    "agegate",
    "pagination",
    "pager",
];
/// Names that excuse those.
const STILL: [&str; 5] = ["article", "body", "column", "content", "main"];

fn is_unlikely(page: &Page, index: usize) -> bool {
    let mut names = String::new();
    for attribute in ["class", "id"] {
        if let Some(value) = page.attr(index, attribute) {
            names.push_str(&value.to_ascii_lowercase());
            names.push(' ');
        }
    }
    UNLIKELY.iter().any(|name| names.contains(name))
        && !STILL.iter().any(|name| names.contains(name))
}
