//! The content of a page as blocks of text with the pictures between and inside them.
//!
//! A block is what a block element holds: sentences never cross it, so headings, cells and list items stay apart. Inline
//! elements leave no trace: `<b>H</b>ello` is one word. Blocks in which every letter is a link are menus and go, and so
//! do lines that are more link than text and no sentence (`Next: …`).
//!
//! Memory: the text once. Order: the page's.

use crate::content::Main;
use crate::location;
use crate::page::{Content, Page};
use crate::text;

/// A picture as the page names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The references that the page offers, the best first.
    pub candidates: Vec<String>,
    /// The `alt` text.
    pub alt: Option<String>,
    /// The text of its `figcaption`, or what stands for one.
    pub caption: Option<String>,
}

impl Picture {
    /// A picture of which nothing but its name is known.
    #[must_use]
    pub fn named(name: String) -> Self {
        Self {
            candidates: vec![name],
            alt: None,
            caption: None,
        }
    }
}

/// A block of folded text; each picture stands before the byte that it is paired with.
#[derive(Debug, Default)]
pub struct Block {
    /// The text.
    pub text: String,
    /// Pictures with their places in the text.
    pub pictures: Vec<(usize, Picture)>,
}

#[derive(Default)]
struct Open {
    block: Block,
    /// Letters and digits outside links.
    plain: usize,
    /// Letters and digits inside links.
    linked: usize,
    is_heading: bool,
}

impl Open {
    /// Whether it leads elsewhere rather than says something.
    fn is_menu(&self) -> bool {
        let ends_a_sentence = self.block.text.trim_end().ends_with(['.', '!', '?', ':']);
        !self.is_heading
            && (self.plain == 0 || (self.linked * 4 > self.plain * 3 && !ends_a_sentence))
    }
}

/// Walks over the content.
#[must_use]
pub fn blocks(page: &Page, main: &Main) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open = Open::default();
    // Ends of the block elements, and of the figures, around the current node.
    let mut block_ends: Vec<usize> = Vec::new();
    let mut figures: Vec<(usize, Option<String>)> = Vec::new();
    let (mut link_end, mut noscript_end, mut heading_end) = (0, 0, 0);
    let range = page.subtree(main.root);
    let mut index = range.start;
    while index < range.end {
        while block_ends.pop_if(|end| *end <= index).is_some() {
            close(&mut open, &mut blocks);
        }
        while figures.pop_if(|(end, _)| *end <= index).is_some() {}
        let end = page.node(index).end;
        if !main.keeps(index) || is_note_mark(page, index) {
            match page.name(index) {
                "" | "sup" | "script" | "style" | "template" => {}
                name if is_inline(name) || is_inline_control(name) => {
                    text::fold_into(" ", &mut open.block.text);
                }
                _ => close(&mut open, &mut blocks),
            }
            index = end;
            continue;
        }
        match &page.node(index).content {
            Content::Text(_) if index < noscript_end => {}
            Content::Text(own) => {
                let letters = page.node(index).letters;
                if index < link_end {
                    open.linked += letters;
                } else {
                    open.plain += letters;
                }
                open.is_heading |= letters > 0 && index < heading_end;
                text::fold_into(own, &mut open.block.text);
            }
            Content::Element(name) => match &**name {
                "img" => {
                    let caption = figures.last().and_then(|(_, caption)| caption.clone());
                    open.block
                        .pictures
                        .push((open.block.text.len(), picture(page, index, caption)));
                    text::fold_into(" ", &mut open.block.text);
                }
                "br" => {
                    if previous_is_break(page, index) || (open.linked > 0 && open.is_menu()) {
                        close(&mut open, &mut blocks);
                    }
                    text::fold_into(" ", &mut open.block.text);
                }
                "noscript" => noscript_end = end,
                "a" => {
                    if page.attr(index, "href").is_some() {
                        link_end = link_end.max(end);
                    }
                }
                name if is_inline(name) => {}
                name => {
                    close(&mut open, &mut blocks);
                    block_ends.push(end);
                    if matches!(
                        name,
                        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "figcaption" | "caption"
                    ) {
                        heading_end = end;
                    }
                    if is_figure(page, index) {
                        figures.push((end, caption(page, index)));
                    }
                }
            },
        }
        index += 1;
    }
    close(&mut open, &mut blocks);
    blocks
}

fn close(open: &mut Open, blocks: &mut Vec<Block>) {
    let mut done = std::mem::take(open);
    if done.is_menu() {
        done.block.text.clear();
    }
    while done.block.text.ends_with([' ', '¶', '§']) {
        done.block.text.pop();
    }
    let length = done.block.text.len();
    for (at, _) in &mut done.block.pictures {
        *at = (*at).min(length);
    }
    if length > 0 || !done.block.pictures.is_empty() {
        blocks.push(done.block);
    }
}

fn picture(page: &Page, index: usize, caption: Option<String>) -> Picture {
    let alt = page
        .attr(index, "alt")
        .map(text::fold)
        .filter(|alt| !alt.is_empty());
    Picture {
        candidates: location::candidates(page, index),
        alt,
        caption,
    }
}

/// Elements that do not interrupt a line of text (HTML, "phrasing content", and its obsolete relatives).
fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "a" | "abbr"
            | "acronym"
            | "b"
            | "bdi"
            | "bdo"
            | "big"
            | "cite"
            | "code"
            | "data"
            | "del"
            | "dfn"
            | "em"
            | "font"
            | "i"
            | "ins"
            | "kbd"
            | "label"
            | "mark"
            | "nobr"
            | "output"
            | "picture"
            | "q"
            | "rb"
            | "rp"
            | "rt"
            | "rtc"
            | "ruby"
            | "s"
            | "samp"
            | "small"
            | "source"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "time"
            | "tt"
            | "u"
            | "var"
            | "wbr"
    )
}

/// Controls and drawings, which stand in a line of text though they hold none.
fn is_inline_control(name: &str) -> bool {
    matches!(
        name,
        "button"
            | "input"
            | "select"
            | "textarea"
            | "svg"
            | "math"
            | "object"
            | "embed"
            | "audio"
            | "video"
            | "canvas"
            | "iframe"
    )
}

/// Whether nothing but white space lies between this `<br>` and another one before it.
fn previous_is_break(page: &Page, index: usize) -> bool {
    let mut at = index;
    while at > 0 {
        at -= 1;
        match &page.node(at).content {
            Content::Text(text) if text.trim().is_empty() => {}
            Content::Text(_) => return false,
            Content::Element(name) => return &**name == "br",
        }
    }
    false
}

/// What leads to a note or another wiki rather than is read: `[1]`, `[*]`, and raised numbers.
fn is_note_mark(page: &Page, index: usize) -> bool {
    let text = match page.name(index) {
        "a" => page.text(index),
        "sup" if page.find(page.subtree(index), "a").is_some() => page.text(index),
        _ => return false,
    };
    let inner = text.trim_matches(['[', ']', '(', ')', ' ', '*', '†', '‡', '↑', '↩', '¶']);
    let is_marked = page.name(index) == "sup" || inner.len() < text.len();
    is_marked && inner.len() <= 3 && inner.chars().all(|character| character.is_ascii_digit())
}

fn is_figure(page: &Page, index: usize) -> bool {
    page.name(index) == "figure"
        || page.has_class(index, |class| {
            matches!(
                class,
                "figure"
                    | "informalfigure"
                    | "thumb"
                    | "thumbinner"
                    | "wp-caption"
                    | "gallerybox"
                    | "image-container"
            )
        })
}

/// The text of the figure's caption, without its number.
fn caption(page: &Page, figure: usize) -> Option<String> {
    let is_by_class = page.name(figure) != "figure";
    let found = page.subtree(figure).skip(1).find(|&index| {
        page.name(index) == "figcaption"
            || page.has_class(index, |class| {
                matches!(
                    class,
                    "caption" | "thumbcaption" | "wp-caption-text" | "gallerytext" | "caption-text"
                ) || (is_by_class && class == "title")
            })
    })?;
    let mut text = String::new();
    let (mut index, end) = (found, page.node(found).end);
    while index < end {
        if is_note_mark(page, index) {
            index = page.node(index).end;
        } else {
            text::fold_into(page.own_text(index), &mut text);
            index += 1;
        }
    }
    let text = text[text::label(&text)..].trim_end_matches([' ', '¶', '§']);
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{content, tree};

    fn walk(html: &str) -> Vec<Block> {
        let page = Page::new(tree::parse(&format!("<main>{html}</main>"), false).unwrap());
        blocks(&page, &content::main(&page))
    }

    fn texts(html: &str) -> Vec<String> {
        walk(html).into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn blocks_part_and_inline_elements_do_not() {
        assert_eq!(
            texts("<h2>Head</h2>Text <b>H</b>ello<br>you<div>next</div>last"),
            ["Head", "Text Hello you", "next", "last"]
        );
        assert_eq!(
            texts("<table><tr><td>a b<td>c</table><ul><li>d<li>e</ul>"),
            ["a b", "c", "d", "e"]
        );
        assert_eq!(
            texts("one<br><br>two <code>f(x)</code> three<pre>code</pre>four"),
            ["one", "two f(x) three", "four"]
        );
    }

    #[test]
    fn menus_and_marks_go() {
        assert_eq!(
            texts(
                "<ul><li><a href=a>Home page</a> | <a href=b>Next</a></ul><p>Some more prose <a href=c>link</a>"
            ),
            ["Some more prose link"]
        );
        let next = "<p>Prev: <a href=a>Of contours</a><br>Next: <a href=b>More of them</a><br>Here we learn <a href=c>it</a>.";
        assert_eq!(texts(next), ["Here we learn it."]);
        assert_eq!(
            texts("<p>See <a href=a>the other long page</a>."),
            ["See the other long page."]
        );
        assert_eq!(
            texts("<p>PPM<a href=x>[*]</a> files [<a href=y>1</a>] and <a href=z>[12]</a>."),
            ["PPM files [1] and ."]
        );
        assert_eq!(
            texts("<h2><a href=x>Kept heading</a><a class=headerlink href=#y>¶</a></h2>"),
            ["Kept heading"]
        );
        assert_eq!(
            texts("<p>Text<sup><a href=#1>[1]</a></sup> and m<sup>2</sup>."),
            ["Text and m2."]
        );
    }

    #[test]
    fn pictures_stand_where_the_page_has_them() {
        let blocks = walk(
            "<p>Before <img src=a.png alt=' An  A '> after.</p><figure><img src=b.png><figcaption><a href=x>[*]</a>Figure 2: The B </figcaption></figure>",
        );
        let first = &blocks[0];
        assert_eq!(
            (first.text.as_str(), first.pictures[0].0),
            ("Before after.", 7)
        );
        assert_eq!(first.pictures[0].1.alt.as_deref(), Some("An A"));
        let second = &blocks[1].pictures[0].1;
        assert_eq!(
            (second.caption.as_deref(), second.alt.as_deref()),
            (Some("The B"), None)
        );
        assert_eq!(blocks[2].text, "Figure 2: The B");
    }
}
