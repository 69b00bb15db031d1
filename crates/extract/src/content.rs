//! What of a page is content.
//!
//! Three steps, each by what the ecosystem has agreed on:
//!
//! 1. Elements that say themselves that they are not the page's text are left out: `<nav>`, `<aside>`, scripts, forms,
//!    hidden ones, ARIA navigation roles, and the class names that documentation generators give to their navigation
//!    (`navfooter`, `toc`) and to code (`highlight`, `fragment`).
//! 2. A page that names its main content (`<main>`, `role=main`) is believed when that holds text worth the name.
//! 3. Otherwise the tree is scored as Mozilla's Readability does it (`article`), without its later "conditional
//!    cleaning": on the documentation corpora that removed up to 75% of the pictures. What it picks is widened to those
//!    neighbours and ancestors that add running text or pictures rather than links, since it was made for news articles
//!    and drops, say, the first section of a manual page for being short. Forms, and what calls itself a footer, a
//!    comment or the like (Readability's list), are never added. When it finds no article at all, the whole body is
//!    taken.
//!
//! Memory: a few bytes a node, next to the tree. Order: the page's.

use crate::article;
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
    let Some(picked) = article::picked(page) else {
        return Main { root: body, keep };
    };
    drop_unlikely(page, &picked, &mut keep);
    drop_linky(page, &measure(page, &keep), &picked, &mut keep);
    let root = widen(page, &measure(page, &keep), &picked);
    Main { root, keep }
}

/// The whole of a page that has nothing around its text.
#[must_use]
pub fn whole(page: &Page) -> Main {
    Main {
        root: page.find(0..page.len(), "body").unwrap_or(0),
        keep: kept_by_name(page),
    }
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
    if page.is_bare(index) {
        return false;
    }
    if page.attr(index, "hidden").is_some()
        || page
            .attr(index, "aria-hidden")
            .is_some_and(|value| value == "true")
    {
        return true;
    }
    let has_role = page.attr(index, "role").is_some_and(|role| {
        matches!(
            role,
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
            "" if linked[index] => measures[index].linked = page.node(index).letters,
            "" => measures[index].text = page.node(index).letters,
            "img" if !linked[index] && !is_dot(page, index) => measures[index].pictures = 1,
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

/// Whether a picture says itself that it is an icon, or counts visitors.
fn is_dot(page: &Page, index: usize) -> bool {
    ["width", "height"].iter().any(|side| {
        let pixels = page
            .attr(index, side)
            .map(|value| value.trim().trim_end_matches("px").parse::<u32>());
        matches!(pixels, Some(Ok(pixels)) if pixels < 50)
    })
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

/// Whether anything that was picked stands in the subtree.
fn holds(page: &Page, picked: &[usize], index: usize) -> bool {
    let next = picked.partition_point(|&at| at < index);
    picked
        .get(next)
        .is_some_and(|at| page.subtree(index).contains(at))
}

/// What was not picked and is a form, or calls itself something else than content, is none.
fn drop_unlikely(page: &Page, picked: &[usize], keep: &mut [bool]) {
    let mut index = 0;
    while index < page.len() {
        let is_element = matches!(page.node(index).content, Content::Element(_));
        let may_go = is_element && !matches!(page.name(index), "html" | "body");
        if may_go
            && (page.name(index) == "form" || is_unlikely(page, index))
            && !holds(page, picked, index)
        {
            let subtree = page.subtree(index);
            index = subtree.end;
            keep[subtree].fill(false);
        } else {
            index += 1;
        }
    }
}

/// The smallest element around all that was picked, or an ancestor of it that adds prose worth the name.
fn widen(page: &Page, measures: &[Measure], picked: &[usize]) -> usize {
    let (first, last) = (picked[0], picked[picked.len() - 1]);
    let holds_all = |index: &usize| page.subtree(*index).contains(&last);
    let mut root = page.ancestors(first).find(holds_all).unwrap_or(0);
    let ancestors: Vec<usize> = page.ancestors(root).collect();
    for ancestor in ancestors {
        let (inside, added) = (measures[root], measures[ancestor].without(measures[root]));
        let is_worth = added.text * 10 >= inside.text || added.pictures * 10 > inside.pictures;
        if page.name(ancestor) != "html" && is_worth && added.is_prose() {
            root = ancestor;
        }
    }
    root
}

/// What was not picked and is a list of links is no content.
fn drop_linky(page: &Page, measures: &[Measure], picked: &[usize], keep: &mut [bool]) {
    let mut index = 0;
    while index < page.len() {
        let is_text = matches!(page.node(index).content, Content::Text(_));
        if is_text || holds(page, picked, index) {
            index += 1;
            continue;
        }
        let measure = measures[index];
        let is_heading = matches!(page.name(index), "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
        let subtree = page.subtree(index);
        index = subtree.end;
        if !is_heading && measure.linked > measure.text && measure.pictures == 0 {
            keep[subtree].fill(false);
        }
    }
}

/// Words in the names of what is no content: Readability's list and the dialogs of later years. They are compared as
/// words, since `DocBook` says `guimenu` where a text speaks of a menu.
const UNLIKELY: [&str; 32] = [
    "ad",
    "ads",
    "agegate",
    "banner",
    "breadcrumb",
    "combx",
    "comment",
    "community",
    "cookie",
    "disqus",
    "extra",
    "footer",
    "gdpr",
    "login",
    "menu",
    "modal",
    "newsletter",
    "overlay",
    "pager",
    "pagination",
    "related",
    "remark",
    "replies",
    "rss",
    "shoutbox",
    "sidebar",
    "signup",
    "skyscraper",
    "social",
    "sponsor",
    "supplemental",
    "tracking",
];

fn is_unlikely(page: &Page, index: usize) -> bool {
    let is_part = matches!(
        page.name(index),
        "div" | "section" | "article" | "ul" | "ol" | "dl" | "table" | "td" | "center"
    );
    is_part
        && ["class", "id"]
            .iter()
            .filter_map(|name| page.attr(index, name))
            .any(|names| {
                names
                    .split(|letter: char| !letter.is_ascii_alphanumeric())
                    .any(|word| {
                        let word = word.to_ascii_lowercase();
                        UNLIKELY.contains(&word.as_str())
                            || word
                                .strip_suffix('s')
                                .is_some_and(|one| UNLIKELY.contains(&one))
                    })
            })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{tree, walk};

    const PROSE: &str = "<p>The harbour lies in the north of the island, and the boats come in before the evening, \
                         when the wind turns and the light of the tower can be seen from the hills behind the town.</p>";

    /// The texts and pictures of a page's content.
    fn content(html: &str) -> (Vec<String>, usize) {
        let page = Page::new(tree::parse(html, false).unwrap());
        let blocks = walk::blocks(&page, &main(&page));
        let pictures = blocks.iter().map(|block| block.pictures.len()).sum();
        (
            blocks
                .into_iter()
                .map(|block| block.text)
                .filter(|text| !text.is_empty())
                .collect(),
            pictures,
        )
    }

    #[test]
    fn a_named_main_is_believed_when_it_holds_something() {
        let (texts, _) = content(&format!(
            "<div><p>Outside of it all.</p></div><div role=main><h1>Head</h1>{PROSE}</div>"
        ));
        assert_eq!((texts.len(), texts[0].as_str()), (2, "Head"));
        let (texts, _) = content(&format!("<main></main><div>{PROSE}{PROSE}</div>"));
        assert_eq!(texts.len(), 2);
    }

    #[test]
    fn pictures_beside_the_article_survive_and_what_leads_elsewhere_does_not() {
        let links = "<li><a href=a>Another page of this site</a></li>".repeat(9);
        let html = format!(
            "<body><div class=navheader><p>Prev and next</p></div><nav>{PROSE}</nav><ul>{links}</ul>\
             <div><h2>First</h2><div class=figure><img src=a.png></div></div>\
             <div id=text>{}</div><div><img src=b.png><img src=c.png><p>What the third view shows.</p></div>\
             <div class=login-modal><form><p>Choose a user name and agree to our terms, and you can log in.</p></form></div>\
             <img src=dot.gif width=1 height=1><footer>All rights reserved by the authors.</footer>",
            PROSE.repeat(4)
        );
        let (texts, pictures) = content(&html);
        assert!(pictures >= 3, "{pictures} pictures");
        assert_eq!(texts.len(), 6, "{texts:#?}");
        assert_eq!(
            (texts[0].as_str(), texts[5].as_str()),
            ("First", "What the third view shows.")
        );
    }

    #[test]
    fn a_page_without_an_article_is_taken_whole() {
        let (texts, pictures) =
            content("<header>Name of site</header><nav>Menu of it</nav><p>Short.<img src=a.png>");
        assert_eq!((texts, pictures), (vec!["Short.".to_owned()], 1));
        assert_eq!(content(""), (vec![], 0));
        assert_eq!(content("<frameset><frame src=x>"), (vec![], 0));
    }
}
