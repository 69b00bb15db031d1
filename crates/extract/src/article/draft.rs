//! The tree of a page as links between numbers, which can be put elsewhere.

use super::extent::Extent;
use super::kind;
use crate::page::{Content, Page};

/// No node.
pub const NONE: u32 = u32::MAX;

/// A node's number.
pub fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

/// A node of the draft: those of the page under their own numbers, then those that were put in.
#[derive(Clone, Copy)]
pub struct Link {
    pub parent: u32,
    pub first: u32,
    pub last: u32,
    pub before: u32,
    pub after: u32,
    pub kind: u32,
    /// Where its text begins and ends in the page.
    pub start: u32,
    pub end: u32,
}

/// The tree of a page, for rearranging.
pub struct Draft<'a> {
    /// The page.
    pub page: &'a Page,
    /// Its nodes, then those that were put in.
    pub links: Vec<Link>,
    /// How many texts with more than white space stand before each node of the page.
    pub solid: Vec<u32>,
    /// How many `<br>` and `<hr>`.
    pub breaks: Vec<u32>,
    /// How many elements of blocks.
    pub blocks: Vec<u32>,
    /// What of text each node has.
    pub extents: Vec<Extent>,
}

impl<'a> Draft<'a> {
    pub fn new(page: &'a Page) -> Self {
        let mut draft = Self {
            page,
            links: Vec::with_capacity(page.len() + page.len() / 8),
            solid: Vec::new(),
            breaks: Vec::new(),
            blocks: Vec::new(),
            extents: vec![Extent::default(); page.len()],
        };
        let mut kept_from = 0;
        for index in 0..page.len() {
            let node = page.node(index);
            let kind = match &node.content {
                Content::Element(name) => kind::of(name).0,
                Content::Text(text) => {
                    let extent = Extent::of(text);
                    draft.extents[index] = extent;
                    let blank = u32::from(extent.length() == 0) * kind::BLANK;
                    kind::TEXT | kind::PHRASING | blank
                }
            };
            draft.links.push(Link {
                parent: NONE,
                first: NONE,
                last: NONE,
                before: NONE,
                after: NONE,
                kind,
                start: number(index),
                end: number(node.end),
            });
            if index < kept_from {
                continue;
            }
            if kind & kind::DROPPED != 0 || (kind & kind::IMAGE != 0 && !names_picture(page, index))
            {
                kept_from = node.end;
            } else if node.parent < index {
                draft.append(number(node.parent), number(index));
            }
        }
        draft
    }

    pub fn link(&self, at: u32) -> &Link {
        &self.links[at as usize]
    }

    pub fn at(&mut self, at: u32) -> &mut Link {
        &mut self.links[at as usize]
    }

    pub fn is(&self, at: u32, kind: u32) -> bool {
        at != NONE && self.link(at).kind & kind != 0
    }

    pub fn is_element(&self, at: u32) -> bool {
        self.link(at).kind & kind::TEXT == 0
    }

    pub fn append(&mut self, parent: u32, child: u32) {
        let last = std::mem::replace(&mut self.at(parent).last, child);
        if last == NONE {
            self.at(parent).first = child;
        } else {
            self.at(last).after = child;
        }
        let link = self.at(child);
        (link.parent, link.before, link.after) = (parent, last, NONE);
    }

    /// Takes a node, with all below it, from where it stands.
    pub fn detach(&mut self, node: u32) {
        let Link {
            parent,
            before,
            after,
            ..
        } = *self.link(node);
        if before != NONE {
            self.at(before).after = after;
        } else if parent != NONE {
            self.at(parent).first = after;
        }
        if after != NONE {
            self.at(after).before = before;
        } else if parent != NONE {
            self.at(parent).last = before;
        }
        let link = self.at(node);
        (link.parent, link.before, link.after) = (NONE, NONE, NONE);
    }

    /// Puts `node` where `old` stands, and takes that away.
    pub fn replace(&mut self, old: u32, node: u32) {
        let Link {
            parent,
            before,
            after,
            ..
        } = *self.link(old);
        let link = self.at(node);
        (link.parent, link.before, link.after) = (parent, before, after);
        if before != NONE {
            self.at(before).after = node;
        } else if parent != NONE {
            self.at(parent).first = node;
        }
        if after != NONE {
            self.at(after).before = node;
        } else if parent != NONE {
            self.at(parent).last = node;
        }
        let link = self.at(old);
        (link.parent, link.before, link.after) = (NONE, NONE, NONE);
    }

    /// A paragraph that stands nowhere yet, whose text begins where that of `node` does.
    pub fn paragraph(&mut self, node: u32) -> u32 {
        let start = self.link(node).start;
        self.links.push(Link {
            parent: NONE,
            first: NONE,
            last: NONE,
            before: NONE,
            after: NONE,
            kind: kind::PARAGRAPH | kind::SCORED | kind::BLOCK,
            start,
            end: start,
        });
        self.extents.push(Extent::default());
        number(self.links.len() - 1)
    }

    pub fn children(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let mut at = self.link(node).first;
        std::iter::from_fn(move || {
            let child = at;
            (child != NONE).then(|| {
                at = self.link(child).after;
                child
            })
        })
    }

    /// The next node in document order below `top`: the first child, or with `beyond` what stands behind all of the node.
    pub fn following(&self, mut node: u32, top: u32, beyond: bool) -> u32 {
        let mut next = if beyond { NONE } else { self.link(node).first };
        while next == NONE && node != top && node != NONE {
            let link = self.link(node);
            (next, node) = (link.after, link.parent);
        }
        next
    }

    /// Two line breaks or more make a paragraph of what follows.
    pub fn break_paragraphs(&mut self) {
        for index in 0..number(self.page.len()) {
            if !self.is(index, kind::BREAK) || self.link(index).parent == NONE {
                continue;
            }
            let mut repeats = false;
            loop {
                let next = self.significant(self.link(index).after);
                if !self.is(next, kind::BREAK) {
                    break;
                }
                repeats = true;
                // Of the blanks between the two nothing is asked any more.
                while self.link(index).after != next {
                    let blank = self.link(index).after;
                    self.detach(blank);
                }
                self.detach(next);
            }
            if !repeats {
                continue;
            }
            let paragraph = self.paragraph(index);
            self.replace(index, paragraph);
            // The break's place in the page stands for it.
            self.at(index).kind = kind::BREAK | kind::BLOCK;
            loop {
                let next = self.link(paragraph).after;
                if next == NONE || !self.is_phrasing(next) {
                    break;
                }
                if self.is(next, kind::BREAK) {
                    let beyond = self.significant(self.link(next).after);
                    if self.is(beyond, kind::BREAK) {
                        break;
                    }
                }
                self.detach(next);
                self.append(paragraph, next);
            }
            self.trim(paragraph);
            let parent = self.link(paragraph).parent;
            if self.is(parent, kind::PARAGRAPH) {
                self.at(parent).kind = kind::DIV | kind::HOLLOW | kind::BLOCK;
            }
        }
    }

    /// The node, or the first behind it that is more than white space.
    pub fn significant(&self, mut node: u32) -> u32 {
        while self.is(node, kind::BLANK) {
            node = self.link(node).after;
        }
        node
    }

    /// Takes white space away from the end of a paragraph that was put in, and notes where that is.
    pub fn trim(&mut self, paragraph: u32) {
        loop {
            let last = self.link(paragraph).last;
            if !self.is(last, kind::BLANK | kind::BREAK) {
                if last != NONE {
                    self.at(paragraph).end = self.link(last).end;
                }
                return;
            }
            self.detach(last);
        }
    }

    /// Whether a node can stand in a line of text.
    pub fn is_phrasing(&self, node: u32) -> bool {
        let kind = self.link(node).kind;
        if kind & kind::LINKING == 0 {
            return kind & kind::PHRASING != 0;
        }
        let mut children = self.children(node).peekable();
        children.peek().is_some() && children.all(|child| self.is_phrasing(child))
    }

    /// Counts what later is asked of subtrees.
    pub fn count(&mut self) {
        let length = self.page.len();
        let (mut solid, mut breaks, mut blocks) = (0, 0, 0);
        for counts in [&mut self.solid, &mut self.breaks, &mut self.blocks] {
            counts.reserve(length + 1);
        }
        for index in 0..length {
            self.solid.push(solid);
            self.breaks.push(breaks);
            self.blocks.push(blocks);
            let link = &self.links[index];
            let is_in = link.parent != NONE;
            let kind = link.kind;
            solid += u32::from(is_in && kind & (kind::TEXT | kind::BLANK) == kind::TEXT);
            breaks += u32::from(is_in && kind & (kind::BREAK | kind::RULE) != 0);
            // One that became a paragraph stands nowhere itself.
            let is_block = kind & kind::BLOCK != 0 && (is_in || kind & kind::BREAK != 0);
            blocks += u32::from(is_block);
        }
        self.solid.push(solid);
        self.breaks.push(breaks);
        self.blocks.push(blocks);
    }

    /// How many of what was counted stand below a node.
    pub fn below(counts: &[u32], link: &Link) -> u32 {
        counts[link.end as usize] - counts[link.start as usize + 1]
    }

    /// The extent of a subtree that has not been measured yet.
    pub fn extent(&self, top: u32) -> Extent {
        let mut extents: Vec<(u32, Extent)> = vec![(top, Extent::default())];
        let mut node = self.link(top).first;
        let mut sum = Extent::default();
        loop {
            if node == NONE {
                // All children of the innermost that is open are done.
                let Some((done, before)) = extents.pop() else {
                    return sum;
                };
                sum = before.then(self.with_links(done, sum));
                if done == top {
                    return sum;
                }
                node = self.link(done).after;
            } else if self.is_element(node) {
                extents.push((node, std::mem::take(&mut sum)));
                node = self.link(node).first;
            } else {
                sum = sum.then(self.extents[node as usize]);
                node = self.link(node).after;
            }
        }
    }

    /// The extent of an element with what makes it a link.
    pub fn with_links(&self, node: u32, mut extent: Extent) -> Extent {
        if self.is(node, kind::LINK) && self.is_own(node) {
            let href = self.page.attr(node as usize, "href").unwrap_or_default();
            let is_near = href.len() > 1 && href.starts_with('#');
            extent.linked += u64::from(extent.length()) * if is_near { 3 } else { 10 };
        }
        extent
    }

    /// Measures all that is left below `top`.
    pub fn measure(&mut self, top: u32) {
        let mut order = Vec::with_capacity(self.links.len());
        let mut node = top;
        while node != NONE {
            order.push(node);
            node = self.following(node, top, false);
        }
        // From the back, so that a node is whole before it is put before what its parent has of it.
        for node in order.into_iter().rev() {
            let mut extent = self.extents[node as usize];
            if self.is(node, kind::LINK) {
                extent = self.with_links(node, extent);
                self.extents[node as usize] = extent;
            }
            let parent = self.link(node).parent;
            if parent != NONE && node != top {
                let whole = extent.then(self.extents[parent as usize]);
                self.extents[parent as usize] = whole;
            }
        }
    }
}

/// Whether an `<img>` names a picture at all.
fn names_picture(page: &Page, index: usize) -> bool {
    page.attributes(index).any(|(name, value)| {
        matches!(&**name, "src" | "srcset" | "data-src" | "data-srcset")
            || [".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif"]
                .iter()
                .any(|ending| value.contains(ending))
    })
}
