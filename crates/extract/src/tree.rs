//! HTML text as a tree of bounded depth and size.
//!
//! html5ever parses anything, but a page that nests 100,000 elements costs it quadratic time and recursive consumers
//! their stack. Browsers stop nesting at a depth of 512; this parser does the same: a start tag beyond it is left out,
//! its contents stay. A page that grows beyond [`MAX_ELEMENTS`] (a few bytes can: unclosed formatting elements are
//! opened again in each paragraph) is refused, and so is one in which a tag has attributes without end.
//!
//! Memory: about 200 bytes an element, next to the text.

mod arena;
mod attributes;

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{
    ElementFlags, NodeOrText, QuirksMode, TreeBuilder, TreeBuilderOpts, TreeSink,
};
use html5ever::{Attribute, LocalName, Namespace, QualName};

pub use self::arena::{Data, NONE, Tree};
use self::arena::{Element, Node};
use crate::ExtractError;

/// How deep elements may nest.
const MAX_DEPTH: u32 = 512;
/// How many elements a page may have.
const MAX_ELEMENTS: usize = 1_000_000;
/// How much of a page is read before it is looked whether anything came out.
const PIECE: usize = 1 << 15;

/// Parses a page; of XHTML, `<a/>` is closed, as its authors mean it, and not open, as HTML reads it.
///
/// # Errors
/// [`ExtractError::TooManyElements`], [`ExtractError::TooManyAttributes`].
pub fn parse(html: &str, is_xhtml: bool) -> Result<Tree, ExtractError> {
    let sink = Growing::new(html.len());
    // Without scripting, so that the pictures in <noscript> are there.
    let options = TreeBuilderOpts {
        scripting_enabled: false,
        ..TreeBuilderOpts::default()
    };
    let guard = Guard {
        builder: TreeBuilder::new(sink, options),
        is_xhtml,
        tokens: Cell::new(0),
    };
    let tokenizer = Tokenizer::new(guard, TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut rest = html;
    let mut is_checked = false;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(PIECE));
        rest = behind;
        let before = tokenizer.sink.tokens.get();
        input.push_back(StrTendril::from_slice(piece));
        // The tokenizer pauses behind each script.
        while !matches!(tokenizer.feed(&input), html5ever::TokenizerResult::Done) {}
        if !is_checked && tokenizer.sink.tokens.get() == before {
            is_checked = true;
            if attributes::are_too_many(html) {
                return Err(ExtractError::TooManyAttributes(attributes::MOST));
            }
        }
    }
    tokenizer.end();
    let sink = tokenizer.sink.builder.sink;
    if sink.elements.get() > MAX_ELEMENTS {
        return Err(ExtractError::TooManyElements(MAX_ELEMENTS));
    }
    Ok(sink.tree.into_inner())
}

/// Keeps start tags from the tree builder that would nest too deep.
struct Guard {
    builder: TreeBuilder<u32, Growing>,
    is_xhtml: bool,
    /// How many there were.
    tokens: Cell<u64>,
}

impl TokenSink for Guard {
    type Handle = u32;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<u32> {
        if !matches!(token, Token::ParseError(_)) {
            self.tokens.set(self.tokens.get() + 1);
        }
        let sink = &self.builder.sink;
        if sink.elements.get() > MAX_ELEMENTS && !matches!(token, Token::EOFToken) {
            return TokenSinkResult::Continue;
        }
        if let Token::TagToken(tag) = &token
            && tag.kind == TagKind::StartTag
            && sink.depth.get() >= MAX_DEPTH
            && !is_leaf(&tag.name)
        {
            return TokenSinkResult::Continue;
        }
        let closed = match &token {
            Token::TagToken(tag)
                if self.is_xhtml
                    && tag.kind == TagKind::StartTag
                    && tag.self_closing
                    && !self.adjusted_current_node_present_but_not_in_html_namespace() =>
            {
                // Behind these the tokenizer would read the rest of the page as their text.
                if is_raw(&tag.name) {
                    return TokenSinkResult::Continue;
                }
                Some(Tag {
                    kind: TagKind::EndTag,
                    attrs: Vec::new(),
                    self_closing: false,
                    ..tag.clone()
                })
            }
            _ => None,
        };
        let result = self.builder.process_token(token, line);
        // `</br>` would be a second one; the other elements that are always empty do not mind.
        match closed.filter(|tag| &*tag.name != "br") {
            Some(tag) => self.builder.process_token(Token::TagToken(tag), line),
            None => result,
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Elements in which nothing can nest; some of them also tell the tokenizer how to read on.
fn is_leaf(name: &str) -> bool {
    matches!(
        name,
        "br" | "hr"
            | "img"
            | "input"
            | "wbr"
            | "source"
            | "script"
            | "style"
            | "textarea"
            | "title"
            | "iframe"
            | "xmp"
    )
}

/// Elements whose contents the tokenizer reads as text.
fn is_raw(name: &str) -> bool {
    matches!(
        name,
        "title"
            | "script"
            | "style"
            | "textarea"
            | "iframe"
            | "noframes"
            | "noembed"
            | "xmp"
            | "plaintext"
    )
}

/// The tree while it grows, with the depth of the insertion point and the number of elements watched.
struct Growing {
    tree: RefCell<Tree>,
    depth: Cell<u32>,
    elements: Cell<usize>,
}

impl Growing {
    fn new(bytes: usize) -> Self {
        let mut tree = Tree {
            // Most pages have a node for each 20 to 40 bytes.
            nodes: Vec::with_capacity(bytes / 32 + 8),
            attributes: 0,
            nothing: QualName::new(None, Namespace::default(), LocalName::default()),
        };
        tree.add(Data::Other);
        Self {
            tree: RefCell::new(tree),
            depth: Cell::new(0),
            elements: Cell::new(0),
        }
    }

    /// Notes that something was put at `depth`.
    fn placed(&self, tree: &mut Tree, depth: u32, child: &NodeOrText<u32>) {
        match child {
            NodeOrText::AppendNode(node) => {
                let node = tree.at(*node);
                node.depth = depth;
                if matches!(node.data, Data::Element(_)) {
                    self.depth.set(depth);
                }
            }
            NodeOrText::AppendText(_) => self.depth.set(depth.saturating_sub(1)),
        }
    }
}

impl TreeSink for Growing {
    type Handle = u32;
    type Output = Self;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> u32 {
        0
    }

    fn get_template_contents(&self, target: &u32) -> u32 {
        let tree = self.tree.borrow();
        tree.element(*target).map_or(0, |element| element.template)
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn same_node(&self, one: &u32, other: &u32) -> bool {
        one == other
    }

    fn elem_name<'a>(&'a self, target: &'a u32) -> Ref<'a, QualName> {
        Ref::map(self.tree.borrow(), |tree| {
            let element = tree.element(*target);
            element.map_or(&tree.nothing, |element| &element.name)
        })
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> u32 {
        self.elements.set(self.elements.get() + 1);
        let mut tree = self.tree.borrow_mut();
        tree.attributes += attributes.len();
        let template = if flags.template {
            tree.add(Data::Other)
        } else {
            NONE
        };
        tree.add(Data::Element(Element {
            name,
            attributes,
            template,
            is_integration_point: flags.mathml_annotation_xml_integration_point,
        }))
    }

    fn create_comment(&self, _: StrTendril) -> u32 {
        self.tree.borrow_mut().add(Data::Other)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> u32 {
        self.tree.borrow_mut().add(Data::Other)
    }

    fn append(&self, parent: &u32, child: NodeOrText<u32>) {
        let tree = &mut *self.tree.borrow_mut();
        let Node { depth, last, .. } = *tree.node(*parent);
        self.placed(tree, depth + 1, &child);
        match child {
            NodeOrText::AppendNode(node) => tree.append(*parent, node),
            NodeOrText::AppendText(text) => {
                if !tree.merge(last, &text) {
                    let node = tree.add(Data::Text(text));
                    tree.append(*parent, node);
                }
            }
        }
    }

    fn append_before_sibling(&self, sibling: &u32, child: NodeOrText<u32>) {
        let tree = &mut *self.tree.borrow_mut();
        let Node { depth, before, .. } = *tree.node(*sibling);
        self.placed(tree, depth, &child);
        match child {
            NodeOrText::AppendNode(node) => tree.insert(*sibling, node),
            NodeOrText::AppendText(text) => {
                if !tree.merge(before, &text) {
                    let node = tree.add(Data::Text(text));
                    tree.insert(*sibling, node);
                }
            }
        }
    }

    fn append_based_on_parent_node(&self, element: &u32, previous: &u32, child: NodeOrText<u32>) {
        let has_parent = self.tree.borrow().node(*element).parent != NONE;
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn pop(&self, node: &u32) {
        let depth = self.tree.borrow().node(*node).depth;
        self.depth.set(depth.saturating_sub(1));
    }

    fn add_attrs_if_missing(&self, target: &u32, attributes: Vec<Attribute>) {
        let tree = &mut *self.tree.borrow_mut();
        if let Data::Element(element) = &mut tree.nodes[*target as usize].data {
            for attribute in attributes {
                if element
                    .attributes
                    .iter()
                    .all(|known| known.name != attribute.name)
                {
                    tree.attributes += 1;
                    element.attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &u32) {
        self.tree.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &u32, new_parent: &u32) {
        let tree = &mut *self.tree.borrow_mut();
        loop {
            let child = tree.node(*node).first;
            if child == NONE {
                return;
            }
            tree.append(*new_parent, child);
        }
    }

    fn is_mathml_annotation_xml_integration_point(&self, node: &u32) -> bool {
        let tree = self.tree.borrow();
        tree.element(*node)
            .is_some_and(|element| element.is_integration_point)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    use crate::page::Page;

    fn page(html: &str, is_xhtml: bool) -> Page {
        Page::new(parse(html, is_xhtml).unwrap())
    }

    fn depth(page: &Page) -> usize {
        let depth = |index| page.ancestors(index).count() + 1;
        (0..page.len()).map(depth).max().unwrap()
    }

    /// All elements with the name.
    fn all<'a>(page: &'a Page, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        (0..page.len()).filter(move |&index| page.name(index) == name)
    }

    #[test]
    fn what_nests_too_deep_becomes_shallow_and_loses_no_text() {
        for tag in [
            "div",
            "b",
            "span",
            "table><tr><td",
            "blockquote",
            "svg",
            "ul><li",
        ] {
            let open = format!("<{tag}>");
            let html = format!(
                "{}deep{}<p>after",
                open.repeat(100_000),
                "</div>".repeat(100_000)
            );
            let start = Instant::now();
            let page = page(&html, false);
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{tag}: {:?}",
                start.elapsed()
            );
            assert!(depth(&page) < 600, "{tag}");
            let text = page.text(0);
            assert!(text.contains("deep") && text.contains("after"), "{tag}");
        }
    }

    #[test]
    fn unclosed_paragraphs_are_not_deep() {
        let page = page(&"<p>one<li>two".repeat(2000), false);
        assert_eq!(all(&page, "p").count(), 2000);
        assert_eq!(all(&page, "li").count(), 2000);
    }

    #[test]
    fn what_xhtml_closes_is_closed() {
        let xhtml = "<?xml version='1.0'?><html><head><title/><script src='x'/></head><body><p>one<a id='x'/> two<br/></p>\
                     <svg><path/><g/></svg><div/>three</body></html>";
        let page = page(xhtml, true);
        for name in ["a", "div", "path", "g"] {
            let found: Vec<usize> = all(&page, name).collect();
            assert_eq!(found.len(), 1, "{name}");
            assert_eq!(page.subtree(found[0]).len(), 1, "{name}");
        }
        let parent = |name| page.node(page.find(0..page.len(), name).unwrap()).parent;
        assert_eq!(page.name(parent("g")), "svg");
        assert_eq!((parent("g"), all(&page, "br").count()), (parent("path"), 1));
        let body = page.find(0..page.len(), "body").unwrap();
        assert_eq!(page.text(body), "one twothree");
    }

    #[test]
    fn bombs_of_entities_and_attributes_are_no_more_than_their_text() {
        // HTML knows no entities but its own: those that a DOCTYPE declares are not expanded, and nothing expands twice.
        let laughs: Vec<String> = (1..10)
            .map(|level| {
                let below = format!("&l{};", level - 1).repeat(10);
                format!("<!ENTITY l{level} \"{below}\">")
            })
            .collect();
        let laughs = laughs.concat();
        let bomb =
            format!("<!DOCTYPE html [<!ENTITY l0 \"ha\">{laughs}]><p>Before &l9; behind.</p>");
        let bombed = page(&bomb, false);
        let text = bombed.text(0);
        assert!(
            text.len() <= bomb.len() && text.ends_with("behind."),
            "{text}"
        );
        assert_eq!(page("<p>&amp;lt;b&amp;gt;", false).text(0), "&lt;b&gt;");
        // No reference gives more bytes than it has itself.
        let many = 200_000;
        for (reference, character) in [
            ("&amp;", "&"),
            ("&NotEqualTilde;", "\u{2242}\u{338}"),
            ("&nGt;", "\u{226b}\u{20d2}"),
            ("&#x10ffff;", "\u{10ffff}"),
            ("&#99999999999999999999;", "\u{fffd}"),
            ("&#0;", "\u{fffd}"),
        ] {
            let page = page(&format!("<p>x{}", reference.repeat(many)), false);
            let texts: usize = (0..page.len()).map(|at| page.own_text(at).len()).sum();
            assert_eq!(texts, 1 + many * character.len(), "{reference}");
        }
        // One that never ends, one of a million digits, and one that is no name.
        for reference in [
            format!("&{}", "a".repeat(1 << 20)),
            format!("&#{};", "1".repeat(1 << 20)),
            "&".repeat(1 << 20),
        ] {
            let page = page(&format!("<p>{reference}<p>after"), false);
            assert!(page.text(0).ends_with("after") && page.len() < 10);
        }
        // Of attributes with one name the first counts; each is looked for among those before it, as the standard has it.
        let bomb: Vec<String> = (0..2_000_000).map(|at| format!("<a{at}")).collect();
        let refused = parse(&format!("<p {}>", bomb.join(" ")), false).err();
        assert_eq!(
            refused.map(|error| error.code()),
            Some("too-many-attributes")
        );
        let names: Vec<String> = (0..2_000).map(|at| format!(" a{at}='&amp;'")).collect();
        let names = names.concat();
        let attributes = page(
            &format!("<p{names} a0=late {}>x", "a=1 ".repeat(5_000)),
            false,
        );
        let at = attributes.find(0..attributes.len(), "p").unwrap();
        assert_eq!(attributes.attributes(at).count(), 2_001);
        assert_eq!(attributes.attr(at, "a0"), Some("&"));
    }

    #[test]
    fn misnested_elements_are_put_right() {
        // Foster parents, the adoption agency, attributes of a second <body>, a template.
        let page = page(
            "<body><table>in front<tr><td>cell</table><p>1<b>2<p>3</b>4<body class=late>\
             <template><p>unseen</template><a>one<a>two",
            false,
        );
        let body = page.find(0..page.len(), "body").unwrap();
        assert_eq!(page.text(body), "in frontcell1234onetwo");
        assert_eq!(page.attr(body, "class"), Some("late"));
        let bold: Vec<String> = all(&page, "b").map(|index| page.text(index)).collect();
        assert_eq!(bold, ["2", "3"]);
        for index in all(&page, "a") {
            assert_ne!(page.name(page.node(index).parent), "a");
        }
        // Each subtree is a range.
        for index in 1..page.len() {
            let parent = page.node(index).parent;
            assert!(parent < index && page.subtree(parent).contains(&index));
            assert!(page.node(index).end <= page.node(parent).end);
        }
    }

    #[test]
    fn a_page_that_grows_without_bound_is_refused() {
        let open = (0..500)
            .map(|i| format!("<b id={i}>"))
            .collect::<Vec<_>>()
            .concat();
        let html = format!("<p>{open}</p>{}", "<p>x</p>".repeat(5000));
        assert_eq!(
            parse(&html, false).err().map(|error| error.code()),
            Some("too-many-elements")
        );
    }
}
