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

mod draft;
mod extent;
mod kind;

use html5ever::local_name;

use self::draft::{Draft, NONE, number};
use crate::page::{Content, Page};

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

impl Draft<'_> {
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
    fn next(&self, node: u32, body: u32, beyond: bool) -> u32 {
        let mut next = self.following(node, body, beyond);
        while next != NONE && !self.is_element(next) {
            next = self.following(next, body, false);
        }
        next
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

    /// The elements that the article is made of.
    fn article(&self, scored: &[u32], body: u32) -> Vec<u32> {
        let points = Scores::new(self, scored, body);
        let Some(&first) = points.best.first().filter(|&&first| first != body) else {
            return vec![body];
        };
        let mut top = self.shared(first, &points, body);
        top = self.raised(top, &points, body);
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
        let score = points.given(top).unwrap_or_else(|| self.worth(top));
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
                match points.given(sibling) {
                    Some(own) => own + bonus >= threshold,
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
        let floor = last / 3.0;
        for ancestor in self.ancestors(top).take_while(|&at| at != body) {
            let Some(score) = scores.given(ancestor) else {
                continue;
            };
            if score < floor {
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
            Content::Element(name) => kind::of(name).1,
            Content::Text(_) => 0.0,
        }
    }

    /// Texts and pictures of these elements, but those that are no content.
    fn held(&self, parts: Vec<u32>) -> Vec<usize> {
        let mut held = Vec::new();
        for part in parts {
            let mut node = part;
            while node != NONE {
                let kind = self.link(node).kind;
                // The parts have been chosen, whatever their names.
                let is_cleaned = node != part && kind & kind::CLEANED != 0;
                let is_left_out = is_cleaned || self.is_sharing(node);
                if kind & kind::IMAGE != 0 || kind & (kind::TEXT | kind::BLANK) == kind::TEXT {
                    held.push(node as usize);
                }
                node = self.following(node, part, is_left_out);
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

#[cfg(test)]
mod tests {
    use super::extent::Extent;
    use proptest::prelude::*;

    use super::*;
    use crate::tree;

    const PROSE: &str = "The harbour lies in the north of the island, and the boats come in before the evening, when the \
                         wind turns and the light of the tower can be seen from the hills.";

    /// The texts that are picked, white space folded.
    fn texts(html: &str) -> Vec<String> {
        let page = Page::new(tree::parse(html, false).unwrap());
        let picked = picked(&page).unwrap_or_default();
        let texts = picked.into_iter().map(|index| match page.name(index) {
            "img" => "(picture)".to_owned(),
            _ => crate::text::fold(page.own_text(index)),
        });
        texts.collect()
    }

    #[test]
    fn the_part_with_the_most_prose_is_taken_with_what_belongs_to_it() {
        let links = "<li><a href=x>Another page, of this site</a>".repeat(20);
        let html = format!(
            "<div><ul>{links}</ul></div><div class=text><p>{PROSE}<p>{PROSE}<img src=a.png></div>\
             <p>A short sentence.<p>No sentence<div class=text><p>{PROSE}</div><div>Bye</div>"
        );
        assert_eq!(
            texts(&html),
            [PROSE, PROSE, "(picture)", "A short sentence.", PROSE]
        );
    }

    #[test]
    fn loose_text_and_line_breaks_make_paragraphs() {
        let html = format!(
            "<div><div>{PROSE}<b>Bold.</b><br> <br>{PROSE}</div></div><table><tr><td><a href=x>{PROSE}</a></table>"
        );
        assert_eq!(texts(&html), [PROSE, "Bold.", PROSE]);
    }

    #[test]
    fn what_nobody_sees_is_not_taken() {
        let html = format!(
            "<div><p>{PROSE}<p style='color:red; DISPLAY : none'>{PROSE}<p hidden>{PROSE}<p aria-hidden=true>{PROSE}\
             <dialog>{PROSE}</dialog><img alt=none><script>{PROSE}</script><aside>{PROSE}</aside>\
             <div id=post_share><a href=x>Share it</a></div><p style=display:block>{PROSE}</div>"
        );
        assert_eq!(texts(&html), [PROSE, PROSE]);
        assert_eq!(texts("<frameset><frame src=x>"), Vec::<String>::new());
    }

    #[test]
    fn the_chosen_part_stays_whatever_its_name() {
        let html =
            format!("<div><a href=x>Link of it</a></div><footer><p>{PROSE}<p>{PROSE}</footer>");
        assert_eq!(texts(&html), [PROSE, PROSE]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn of_any_page_texts_and_pictures_are_picked_once_and_in_order(
            parts in prop::collection::vec(0..PARTS.len(), 0..80),
        ) {
            let html: String = parts.into_iter().map(|part| PARTS[part]).collect();
            let page = Page::new(tree::parse(&html, false).unwrap());
            let picked = picked(&page).unwrap_or_default();
            prop_assert!(picked.is_sorted_by(|one, next| one < next));
            for index in picked {
                prop_assert!(page.name(index) == "img" || !page.own_text(index).trim().is_empty());
            }
        }
    }

    const PARTS: [&str; 34] = [
        "<div>",
        "</div>",
        "<p>",
        "</p>",
        "<br>",
        "<br><br>",
        " ",
        "text, ",
        PROSE,
        "<a href=x>",
        "<a href=#x>",
        "</a>",
        "<span>",
        "</span>",
        "<del>",
        "</del>",
        "<section>",
        "</section>",
        "<table><tr><td>",
        "</table>",
        "<img src=a>",
        "<h2>",
        "</h2>",
        "<ul><li>",
        "</ul>",
        "<footer>",
        "</footer>",
        "<p hidden>",
        "<svg>",
        "</svg>",
        "<noscript>",
        "</noscript>",
        "<body class=share>",
        "<div id=share>",
    ];

    #[test]
    fn text_is_measured_as_it_is_read() {
        let whole = |parts: &[&str]| {
            let parts = parts.iter().map(|part| Extent::of(part));
            parts.fold(Extent::default(), Extent::then)
        };
        for parts in [
            &["  one\n two, ", " three"][..],
            &["one two,", " three "],
            &["one two", ", ", "three"],
            &["one  two, three"],
        ] {
            let extent = whole(parts);
            assert_eq!((extent.length(), extent.commas), (14, 1), "{parts:?}");
        }
        assert_eq!(whole(&[" ", "\n", " "]).length(), 0);
        assert_eq!(whole(&["\u{a0}é،", "，"]).commas, 2);
    }
}
