//! The article of a page, by the rules of Mozilla's Readability.
//!
//! Readability looks for the element whose paragraphs have the most text, commas and the fewest links, and takes it with
//! those of its siblings that look alike. Of its passes those are here that find the article: line breaks and loose text
//! become paragraphs, paragraphs give points to their ancestors, links take them away. What unlikely names say is left to
//! the caller, and so is all cleaning but that of what can be no text.
//!
//! A page is rearranged for it (text that stands in a `<div>` is wrapped into a paragraph), so a draft of its tree is made
//! of nothing but links between numbers. Texts are measured once each, and subtrees by adding them up from below.
//!
//! Memory: about 60 bytes a node, next to the page. Time: linear in the nodes, but for phrasing elements that are nested in
//! each other, up to the depth of the page. Order: the page's.

use html5ever::{LocalName, local_name};

use crate::page::{Content, Page};

/// No node.
const NONE: u32 = u32::MAX;

/// What the rules say of an element's name; a set of these.
mod kind {
    pub const TEXT: u32 = 1;
    /// Running text of elements like this needs a paragraph around it.
    pub const PHRASING: u32 = 1 << 1;
    /// Phrasing if all that it holds is.
    pub const LINKING: u32 = 1 << 2;
    /// Gives points to its ancestors.
    pub const SCORED: u32 = 1 << 3;
    /// Of no use without text.
    pub const HOLLOW: u32 = 1 << 4;
    /// A `<div>` that holds one is no paragraph.
    pub const BLOCK: u32 = 1 << 5;
    /// Never content.
    pub const CLEANED: u32 = 1 << 6;
    pub const BREAK: u32 = 1 << 7;
    pub const RULE: u32 = 1 << 8;
    pub const PARAGRAPH: u32 = 1 << 9;
    pub const DIV: u32 = 1 << 10;
    pub const LINK: u32 = 1 << 11;
    pub const IMAGE: u32 = 1 << 12;
    pub const BODY: u32 = 1 << 13;
    pub const DRAWING: u32 = 1 << 14;
    pub const DIALOG: u32 = 1 << 15;
    /// Text that is no more than white space.
    pub const BLANK: u32 = 1 << 16;
    /// Left out of the draft with all below.
    pub const DROPPED: u32 = 1 << 17;
}

/// The set of an element.
fn kind_of(name: &LocalName) -> u32 {
    use kind::{
        BLOCK, BODY, BREAK, CLEANED, DIALOG, DIV, DRAWING, DROPPED, HOLLOW, IMAGE, LINK, LINKING,
        PARAGRAPH, PHRASING, RULE, SCORED,
    };
    match *name {
        local_name!("p") => PARAGRAPH | SCORED | BLOCK,
        local_name!("div") => DIV | HOLLOW | BLOCK,
        local_name!("a") => LINK | LINKING,
        local_name!("del") | local_name!("ins") => LINKING,
        local_name!("br") => BREAK | PHRASING,
        local_name!("hr") => RULE,
        local_name!("img") => IMAGE | BLOCK | PHRASING,
        local_name!("body") => BODY,
        local_name!("section")
        | local_name!("h2")
        | local_name!("h3")
        | local_name!("h4")
        | local_name!("h5")
        | local_name!("h6") => SCORED | HOLLOW,
        local_name!("h1") | local_name!("header") => HOLLOW,
        local_name!("td") => SCORED,
        local_name!("pre") => SCORED | BLOCK,
        local_name!("blockquote")
        | local_name!("dl")
        | local_name!("ol")
        | local_name!("table")
        | local_name!("ul") => BLOCK,
        local_name!("script") | local_name!("noscript") | local_name!("style") => DROPPED,
        local_name!("svg") => DRAWING,
        local_name!("dialog") => DIALOG,
        local_name!("footer")
        | local_name!("link")
        | local_name!("aside")
        | local_name!("iframe") => CLEANED,
        local_name!("object")
        | local_name!("embed")
        | local_name!("input")
        | local_name!("textarea")
        | local_name!("select")
        | local_name!("button") => CLEANED | PHRASING,
        local_name!("abbr")
        | local_name!("audio")
        | local_name!("b")
        | local_name!("bdo")
        | local_name!("cite")
        | local_name!("code")
        | local_name!("data")
        | local_name!("datalist")
        | local_name!("dfn")
        | local_name!("em")
        | local_name!("font")
        | local_name!("i")
        | local_name!("kbd")
        | local_name!("label")
        | local_name!("mark")
        | local_name!("math")
        | local_name!("meter")
        | local_name!("output")
        | local_name!("progress")
        | local_name!("q")
        | local_name!("ruby")
        | local_name!("samp")
        | local_name!("small")
        | local_name!("span")
        | local_name!("strong")
        | local_name!("sub")
        | local_name!("sup")
        | local_name!("time")
        | local_name!("var")
        | local_name!("wbr") => PHRASING,
        _ => 0,
    }
}

/// The points that a candidate begins with.
fn worth(name: &LocalName) -> f32 {
    match *name {
        local_name!("div") => 5.0,
        local_name!("pre") | local_name!("td") | local_name!("blockquote") => 3.0,
        local_name!("address")
        | local_name!("ol")
        | local_name!("ul")
        | local_name!("dl")
        | local_name!("dd")
        | local_name!("dt")
        | local_name!("li")
        | local_name!("form") => -3.0,
        local_name!("h1")
        | local_name!("h2")
        | local_name!("h3")
        | local_name!("h4")
        | local_name!("h5")
        | local_name!("h6")
        | local_name!("th") => -5.0,
        _ => 0.0,
    }
}

/// What a subtree has of text.
#[derive(Clone, Copy, Default)]
struct Extent {
    /// Characters, with each run of white space taken for one.
    characters: u32,
    commas: u32,
    /// Tenths of characters inside links; those to places of the same page count less.
    linked: u64,
    starts_blank: bool,
    ends_blank: bool,
}

impl Extent {
    /// That of a text.
    fn of(text: &str) -> Self {
        let mut extent = Self::default();
        if text.is_ascii() {
            let mut last = false;
            for &byte in text.as_bytes() {
                let is_blank = byte == b' ' || byte.wrapping_sub(b'\t') < 5;
                extent.characters += u32::from(!(is_blank & last));
                extent.commas += u32::from(byte == b',');
                last = is_blank;
            }
        } else {
            let mut last = false;
            for character in text.chars() {
                let is_blank = character.is_whitespace();
                extent.characters += u32::from(!(is_blank && last));
                extent.commas += u32::from(is_comma(character));
                last = is_blank;
            }
        }
        extent.starts_blank = text.starts_with(char::is_whitespace);
        extent.ends_blank = text.ends_with(char::is_whitespace);
        extent
    }

    /// This and what comes behind it.
    fn then(self, next: Self) -> Self {
        if self.characters == 0 {
            return Self {
                linked: self.linked + next.linked,
                ..next
            };
        }
        if next.characters == 0 {
            return Self {
                linked: self.linked + next.linked,
                ..self
            };
        }
        let shared = u32::from(self.ends_blank && next.starts_blank);
        Self {
            characters: self.characters + next.characters - shared,
            commas: self.commas + next.commas,
            linked: self.linked + next.linked,
            starts_blank: self.starts_blank,
            ends_blank: next.ends_blank,
        }
    }

    /// Its length without the blanks around it.
    fn length(self) -> u32 {
        let around = u32::from(self.starts_blank) + u32::from(self.ends_blank);
        self.characters.saturating_sub(around)
    }

    /// Which part of it is in links.
    fn link_density(self) -> f32 {
        let length = self.length();
        if length == 0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = self.linked as f32 / (length as f32 * 10.0);
        share
    }
}

/// Commas of all scripts, as Readability counts them.
fn is_comma(character: char) -> bool {
    matches!(
        character,
        ',' | '\u{060c}'
            | '\u{fe50}'
            | '\u{fe10}'
            | '\u{fe11}'
            | '\u{2e41}'
            | '\u{2e34}'
            | '\u{2e32}'
            | '\u{ff0c}'
    )
}

/// A node of the draft: those of the page under their own numbers, then those that were put in.
#[derive(Clone, Copy)]
struct Link {
    parent: u32,
    first: u32,
    last: u32,
    before: u32,
    after: u32,
    kind: u32,
    /// Where its text begins and ends in the page.
    start: u32,
    end: u32,
}

struct Draft<'a> {
    page: &'a Page,
    links: Vec<Link>,
    /// How many texts with more than white space stand before each node of the page.
    solid: Vec<u32>,
    /// How many `<br>` and `<hr>`.
    breaks: Vec<u32>,
    /// How many elements of blocks.
    blocks: Vec<u32>,
    extents: Vec<Extent>,
}

/// The texts and pictures of the page's article, as indices in document order; nothing if there is none.
pub fn picked(page: &Page) -> Option<Vec<usize>> {
    let body = number(page.find(0..page.len(), "body")?);
    let mut draft = Draft::new(page);
    draft.break_paragraphs();
    draft.count();
    let scored = draft.scored(body);
    draft.measure(body);
    let parts = draft.article(&scored, body);
    let picked = draft.held(parts);
    (!picked.is_empty()).then_some(picked)
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

impl<'a> Draft<'a> {
    fn new(page: &'a Page) -> Self {
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
                Content::Element(name) => kind_of(name),
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

    fn link(&self, at: u32) -> &Link {
        &self.links[at as usize]
    }

    fn at(&mut self, at: u32) -> &mut Link {
        &mut self.links[at as usize]
    }

    fn is(&self, at: u32, kind: u32) -> bool {
        at != NONE && self.link(at).kind & kind != 0
    }

    fn is_element(&self, at: u32) -> bool {
        self.link(at).kind & kind::TEXT == 0
    }

    fn append(&mut self, parent: u32, child: u32) {
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
    fn detach(&mut self, node: u32) {
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
    fn replace(&mut self, old: u32, node: u32) {
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
    fn paragraph(&mut self, node: u32) -> u32 {
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

    fn children(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let mut at = self.link(node).first;
        std::iter::from_fn(move || {
            let child = at;
            (child != NONE).then(|| {
                at = self.link(child).after;
                child
            })
        })
    }

    /// Two line breaks or more make a paragraph of what follows.
    fn break_paragraphs(&mut self) {
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
    fn significant(&self, mut node: u32) -> u32 {
        while self.is(node, kind::BLANK) {
            node = self.link(node).after;
        }
        node
    }

    /// Takes white space away from the end of a paragraph that was put in, and notes where that is.
    fn trim(&mut self, paragraph: u32) {
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
    fn is_phrasing(&self, node: u32) -> bool {
        let kind = self.link(node).kind;
        if kind & kind::LINKING == 0 {
            return kind & kind::PHRASING != 0;
        }
        let mut children = self.children(node).peekable();
        children.peek().is_some() && children.all(|child| self.is_phrasing(child))
    }

    /// Counts what later is asked of subtrees.
    fn count(&mut self) {
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
    fn below(counts: &[u32], link: &Link) -> u32 {
        counts[link.end as usize] - counts[link.start as usize + 1]
    }

    /// Turns loose text into paragraphs, takes away what nobody sees, and lists the elements that give points.
    fn scored(&mut self, body: u32) -> Vec<u32> {
        let mut scored = Vec::new();
        let mut node = self.next(body, body, false);
        while node != NONE {
            let kind = self.link(node).kind;
            let is_gone = self.is_own(node)
                && (is_invisible(self.page, node as usize, kind)
                    || (kind & kind::HOLLOW != 0 && self.is_hollow(node)));
            if is_gone {
                let next = self.next(node, body, true);
                self.detach(node);
                node = next;
                continue;
            }
            if kind & kind::DRAWING != 0 {
                node = self.next(node, body, true);
                continue;
            }
            if kind & kind::SCORED != 0 {
                scored.push(node);
            }
            if kind & kind::DIV != 0 {
                let is_parted = self.part(node);
                let only = self.only_paragraph(node);
                if only != NONE && self.extent(only).link_density() < 0.25 {
                    self.detach(only);
                    self.replace(node, only);
                    node = only;
                    scored.push(node);
                } else if !is_parted && Self::below(&self.blocks, self.link(node)) == 0 {
                    self.at(node).kind = kind::PARAGRAPH | kind::SCORED | kind::BLOCK;
                    scored.push(node);
                }
            }
            node = self.next(node, body, false);
        }
        scored
    }

    /// Whether the page has this node.
    fn is_own(&self, node: u32) -> bool {
        (node as usize) < self.page.len()
    }

    /// The next element in document order below `body`, or the next behind `node` and all below it.
    fn next(&self, mut node: u32, body: u32, beyond: bool) -> u32 {
        let element = |mut at: u32| {
            while at != NONE && !self.is_element(at) {
                at = self.link(at).after;
            }
            at
        };
        if !beyond {
            let child = element(self.link(node).first);
            if child != NONE {
                return child;
            }
        }
        while node != body && node != NONE {
            let sibling = element(self.link(node).after);
            if sibling != NONE {
                return sibling;
            }
            node = self.link(node).parent;
        }
        NONE
    }

    /// Whether an element holds nothing but line breaks.
    fn is_hollow(&self, node: u32) -> bool {
        let link = self.link(node);
        if Self::below(&self.solid, link) > 0 {
            return false;
        }
        let elements = self.children(node).filter(|&child| self.is_element(child));
        let elements = number(elements.count());
        elements == 0 || elements == Self::below(&self.breaks, link)
    }

    /// Wraps each run of text in a `<div>` into a paragraph; whether there was one.
    fn part(&mut self, div: u32) -> bool {
        let mut is_parted = false;
        let mut node = self.link(div).first;
        while node != NONE {
            if self.is(node, kind::BLANK | kind::BREAK) || !self.is_phrasing(node) {
                node = self.link(node).after;
                continue;
            }
            is_parted = true;
            let paragraph = self.paragraph(node);
            let mut next = self.link(node).after;
            self.replace(node, paragraph);
            self.append(paragraph, node);
            while next != NONE && self.is_phrasing(next) {
                let beyond = self.link(next).after;
                self.detach(next);
                self.append(paragraph, next);
                next = beyond;
            }
            self.trim(paragraph);
            node = next;
        }
        is_parted
    }

    /// The paragraph that is all that an element holds.
    fn only_paragraph(&self, node: u32) -> u32 {
        let mut only = NONE;
        for child in self.children(node) {
            match self.link(child).kind {
                kind if kind & kind::BLANK != 0 => {}
                kind if kind & kind::PARAGRAPH != 0 && only == NONE => only = child,
                _ => return NONE,
            }
        }
        only
    }

    /// The extent of a subtree that has not been measured yet.
    fn extent(&self, top: u32) -> Extent {
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
    fn with_links(&self, node: u32, mut extent: Extent) -> Extent {
        if self.is(node, kind::LINK) && self.is_own(node) {
            let href = self.page.attr(node as usize, "href").unwrap_or_default();
            let is_near = href.len() > 1 && href.starts_with('#');
            extent.linked += u64::from(extent.length()) * if is_near { 3 } else { 10 };
        }
        extent
    }

    /// Measures all that is left below `top`.
    fn measure(&mut self, top: u32) {
        let mut order = Vec::with_capacity(self.links.len());
        let mut node = top;
        loop {
            order.push(node);
            let mut next = self.link(node).first;
            while next == NONE && node != top {
                next = self.link(node).after;
                if next == NONE {
                    node = self.link(node).parent;
                }
            }
            if next == NONE {
                break;
            }
            node = next;
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

    /// The elements that the article is made of.
    fn article(&self, scored: &[u32], body: u32) -> Vec<u32> {
        let scores = Scores::new(self, scored, body);
        let Some(&first) = scores.best.first().filter(|&&first| first != body) else {
            return vec![body];
        };
        let mut top = self.shared(first, &scores, body);
        top = self.raised(top, &scores, body);
        // An only child stands for its parent, whose siblings are looked at then.
        loop {
            let parent = self.link(top).parent;
            let elements = |&child: &u32| self.is_element(child);
            if parent == NONE
                || parent == body
                || self.children(parent).filter(elements).nth(1).is_some()
            {
                break;
            }
            top = parent;
        }
        let parent = self.link(top).parent;
        let score = scores.given(top).unwrap_or_else(|| self.worth(top));
        let class = self.class(top);
        let threshold = (score * 0.2).max(10.0);
        let siblings = self
            .children(parent)
            .filter(|&child| self.is_element(child));
        siblings
            .filter(|&sibling| {
                if sibling == top {
                    return true;
                }
                let same = !class.is_empty() && self.class(sibling) == class;
                let bonus = if same { score * 0.2 } else { 0.0 };
                match scores.given(sibling) {
                    Some(points) => points + bonus >= threshold,
                    None => self.is(sibling, kind::PARAGRAPH) && self.is_text(sibling),
                }
            })
            .collect()
    }

    /// An ancestor that holds enough of the best candidates, or the best one.
    fn shared(&self, top: u32, scores: &Scores, body: u32) -> u32 {
        let best = scores.given(top).unwrap_or_default();
        let others = scores.best.iter().skip(1);
        let close: Vec<u32> = others
            .filter(|&&other| scores.given(other).unwrap_or_default() / best >= 0.75)
            .copied()
            .collect();
        if close.len() <= 3 {
            return top;
        }
        let mut ancestor = self.link(top).parent;
        while ancestor != NONE && ancestor != body {
            let holds = |&&other: &&u32| self.ancestors(other).any(|at| at == ancestor);
            if close.iter().filter(holds).count() >= 3 {
                return ancestor;
            }
            ancestor = self.link(ancestor).parent;
        }
        top
    }

    /// The first ancestor that has more points than what is below it, as long as they do not fall off.
    fn raised(&self, top: u32, scores: &Scores, body: u32) -> u32 {
        let mut last = scores.given(top).unwrap_or_else(|| self.worth(top));
        let least = last / 3.0;
        for ancestor in self.ancestors(top).take_while(|&at| at != body) {
            let Some(score) = scores.given(ancestor) else {
                continue;
            };
            if score < least {
                break;
            }
            if score > last {
                return ancestor;
            }
            last = score;
        }
        top
    }

    fn ancestors(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let mut at = node;
        std::iter::from_fn(move || {
            at = self.link(at).parent;
            (at != NONE).then_some(at)
        })
    }

    /// Whether a paragraph beside the article is text: long with few links, or short, a sentence and without any.
    fn is_text(&self, node: u32) -> bool {
        let extent = self.extents[node as usize];
        let (length, density) = (extent.length(), extent.link_density());
        if length > 80 {
            return density < 0.25;
        }
        if length == 0 || length == 80 || density > 0.0 {
            return false;
        }
        let link = self.link(node);
        let text: String = (link.start..link.end)
            .filter(|&at| self.is(at, kind::TEXT))
            .map(|at| self.page.own_text(at as usize))
            .collect();
        let text = crate::text::fold(&text);
        text.trim().ends_with('.') || text.contains(". ")
    }

    fn class(&self, node: u32) -> &str {
        if self.is_own(node) {
            self.page.attr(node as usize, "class").unwrap_or_default()
        } else {
            ""
        }
    }

    fn worth(&self, node: u32) -> f32 {
        // A paragraph may have been a <div>.
        if self.is(node, kind::PARAGRAPH) {
            return 0.0;
        }
        if self.is(node, kind::DIV) {
            return 5.0;
        }
        match &self.page.node(node as usize).content {
            Content::Element(name) => worth(name),
            Content::Text(_) => 0.0,
        }
    }

    /// Texts and pictures of these elements, but those that are no content.
    fn held(&self, parts: Vec<u32>) -> Vec<usize> {
        let mut held = Vec::new();
        for part in parts {
            let mut node = part;
            loop {
                let link = self.link(node);
                let is_left_out = link.kind & kind::CLEANED != 0 || self.is_sharing(node);
                if link.kind & kind::IMAGE != 0
                    || link.kind & (kind::TEXT | kind::BLANK) == kind::TEXT
                {
                    held.push(node as usize);
                }
                let mut next = if is_left_out { NONE } else { link.first };
                while next == NONE && node != part {
                    next = self.link(node).after;
                    if next == NONE {
                        node = self.link(node).parent;
                    }
                }
                if next == NONE {
                    break;
                }
                node = next;
            }
        }
        held.sort_unstable();
        held
    }

    /// Whether a small element is for sharing the page, by its names.
    fn is_sharing(&self, node: u32) -> bool {
        let index = node as usize;
        if !self.is_own(node)
            || self.page.is_bare(index)
            || self.is(node, kind::BODY)
            || self.extents[index].length() >= 500
        {
            return false;
        }
        ["class", "id"].iter().any(|name| {
            self.page.attr(index, name).is_some_and(|names| {
                names.split([' ', '_']).any(|word| {
                    word.eq_ignore_ascii_case("share") || word.eq_ignore_ascii_case("sharedaddy")
                })
            })
        })
    }
}

/// The points of all candidates, and the best of them.
struct Scores {
    given: Vec<Option<f32>>,
    best: Vec<u32>,
}

impl Scores {
    /// Each element gives points to its ancestors: for its length and its commas, fewer the farther they are.
    fn new(draft: &Draft<'_>, scored: &[u32], body: u32) -> Self {
        let mut given: Vec<Option<f32>> = vec![None; draft.links.len()];
        let mut order = Vec::new();
        for &element in scored {
            let extent = draft.extents[element as usize];
            let length = extent.length();
            if length < 25 {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "few")]
            let points = (2 + extent.commas + (length / 100).min(3)) as f32;
            let mut part = [1.0, 2.0, 6.0, 9.0, 12.0].iter();
            for ancestor in draft.ancestors(element) {
                let Some(divider) = part.next() else { break };
                let extra = points / divider;
                let score = &mut given[ancestor as usize];
                if let Some(score) = score {
                    *score += extra;
                } else {
                    order.push(ancestor);
                    *score = Some(extra + draft.worth(ancestor));
                }
                if ancestor == body {
                    break;
                }
            }
        }
        let mut best: Vec<(u32, f32)> = Vec::new();
        for candidate in order {
            let score = &mut given[candidate as usize];
            match *score {
                Some(points) if points > 5.0 => {
                    let density = draft.extents[candidate as usize].link_density();
                    let points = points * (1.0 - density);
                    *score = Some(points);
                    best.push((candidate, points));
                }
                Some(points) if points > 0.0 => best.push((candidate, points)),
                _ => *score = None,
            }
        }
        // A stable sort: among equals, the one that got its first points first.
        best.sort_by(|one, other| other.1.total_cmp(&one.1));
        best.truncate(5);
        Self {
            given,
            best: best.into_iter().map(|(candidate, _)| candidate).collect(),
        }
    }

    /// The points of a candidate.
    fn given(&self, node: u32) -> Option<f32> {
        self.given.get(node as usize).copied().flatten()
    }
}

/// Whether an `<img>` names a picture at all.
fn names_picture(page: &Page, index: usize) -> bool {
    page.attributes(index).any(|(name, value)| {
        matches!(name, &local_name!("src") | &local_name!("srcset"))
            || matches!(&**name, "data-src" | "data-srcset")
            || [".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif"]
                .iter()
                .any(|ending| value.contains(ending))
    })
}

/// Whether an element is not shown, or is a dialog.
fn is_invisible(page: &Page, index: usize, kind: u32) -> bool {
    if kind & kind::DIALOG != 0 {
        return true;
    }
    if page.is_bare(index) {
        return false;
    }
    let (mut is_hidden, mut is_modal) = (false, false);
    for (name, value) in page.attributes(index) {
        match *name {
            local_name!("hidden") => return true,
            local_name!("style") => {
                let says = |key: &str, wanted: &str| {
                    let style = value.to_ascii_lowercase();
                    let rest = style.split_once(key).map(|(_, rest)| rest);
                    let value = rest.and_then(|rest| Some(rest.split_once(':')?.1));
                    value.is_some_and(|value| {
                        let value = value.split(';').next().unwrap_or_default();
                        value.split_whitespace().next() == Some(wanted)
                    })
                };
                if says("display", "none") || says("visibility", "hidden") {
                    return true;
                }
            }
            local_name!("aria-hidden") => is_hidden |= &**value == "true",
            local_name!("aria-modal") => is_modal |= &**value == "true",
            _ => {}
        }
    }
    (is_hidden
        && !page
            .attr(index, "class")
            .is_some_and(|class| class.contains("fallback-image")))
        || (is_modal && page.attr(index, "role") == Some("dialog"))
}
