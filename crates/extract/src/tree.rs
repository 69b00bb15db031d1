//! HTML text as a tree of bounded depth and size.
//!
//! html5ever parses anything, but a page that nests 100,000 elements costs it quadratic time and recursive consumers
//! their stack. Browsers stop nesting at a depth of 512; this parser does the same: a start tag beyond it is left out,
//! its contents stay. A page that grows beyond [`MAX_ELEMENTS`] (a few bytes can: unclosed formatting elements are
//! opened again in each paragraph) is refused.
//!
//! Memory: about 200 bytes an element, next to the text.

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};

use dom_query::{Document, NodeId};
use hashbrown::HashMap;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{
    ElementFlags, NodeOrText, QuirksMode, TreeBuilder, TreeBuilderOpts, TreeSink,
};
use html5ever::{Attribute, QualName};

use crate::ExtractError;

/// How deep elements may nest.
const MAX_DEPTH: u32 = 512;
/// How many elements a page may have.
const MAX_ELEMENTS: usize = 1_000_000;

/// Parses a page; of XHTML, `<a/>` is closed, as its authors mean it, and not open, as HTML reads it.
///
/// # Errors
/// [`ExtractError::TooManyElements`].
pub fn parse(html: &str, is_xhtml: bool) -> Result<Document, ExtractError> {
    let sink = Bounded::default();
    // Without scripting, so that the pictures in <noscript> are there.
    let options = TreeBuilderOpts {
        scripting_enabled: false,
        ..TreeBuilderOpts::default()
    };
    let guard = Guard {
        builder: TreeBuilder::new(sink, options),
        is_xhtml,
    };
    let tokenizer = Tokenizer::new(guard, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    // The tokenizer pauses behind each script.
    while !matches!(tokenizer.feed(&input), html5ever::TokenizerResult::Done) {}
    tokenizer.end();
    let sink = tokenizer.sink.builder.sink;
    if sink.elements.get() > MAX_ELEMENTS {
        return Err(ExtractError::TooManyElements(MAX_ELEMENTS));
    }
    Ok(sink.document)
}

/// Keeps start tags from the tree builder that would nest too deep.
struct Guard {
    builder: TreeBuilder<NodeId, Bounded>,
    is_xhtml: bool,
}

impl TokenSink for Guard {
    type Handle = NodeId;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<NodeId> {
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

/// The tree of `dom_query`, with the depth of the insertion point and the number of elements watched.
#[derive(Default)]
struct Bounded {
    document: Document,
    depths: RefCell<HashMap<NodeId, u32>>,
    depth: Cell<u32>,
    elements: Cell<usize>,
}

impl Bounded {
    fn depth_of(&self, node: NodeId) -> u32 {
        self.depths.borrow().get(&node).copied().unwrap_or(0)
    }

    /// Notes that something was put at `depth`.
    fn placed(&self, depth: u32, child: &NodeOrText<NodeId>) {
        match child {
            NodeOrText::AppendNode(node) => {
                if self.depths.borrow_mut().insert(*node, depth).is_some() {
                    self.depth.set(depth);
                }
            }
            NodeOrText::AppendText(_) => self.depth.set(depth.saturating_sub(1)),
        }
    }
}

impl TreeSink for Bounded {
    type Handle = NodeId;
    type Output = Self;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        self.document.get_document()
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        self.document.get_template_contents(target)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.document.set_quirks_mode(mode);
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        one == other
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Ref<'a, QualName> {
        self.document.elem_name(target)
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> NodeId {
        self.elements.set(self.elements.get() + 1);
        let node = self.document.create_element(name, attributes, flags);
        self.depths.borrow_mut().insert(node, 0);
        node
    }

    fn create_comment(&self, _: StrTendril) -> NodeId {
        self.document.create_comment(StrTendril::new())
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.document.create_pi(target, data)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.placed(self.depth_of(*parent) + 1, &child);
        self.document.append(parent, child);
    }

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        self.placed(self.depth_of(*sibling), &child);
        self.document.append_before_sibling(sibling, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &NodeId,
        previous: &NodeId,
        child: NodeOrText<NodeId>,
    ) {
        self.placed(self.depth_of(*element), &child);
        self.document
            .append_based_on_parent_node(element, previous, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.document
            .append_doctype_to_document(name, public, system);
    }

    fn pop(&self, node: &NodeId) {
        self.depth.set(self.depth_of(*node).saturating_sub(1));
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        self.document.add_attrs_if_missing(target, attributes);
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.document.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        self.document.reparent_children(node, new_parent);
    }

    fn is_mathml_annotation_xml_integration_point(&self, node: &NodeId) -> bool {
        self.document
            .is_mathml_annotation_xml_integration_point(node)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn depth(document: &Document) -> usize {
        document
            .root()
            .descendants_it()
            .map(|node| node.ancestors_it(None).count())
            .max()
            .unwrap()
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
            let document = parse(&html, false).unwrap();
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{tag}: {:?}",
                start.elapsed()
            );
            assert!(depth(&document) < 600, "{tag}");
            let text = document.root().text();
            assert!(text.contains("deep") && text.contains("after"), "{tag}");
        }
    }

    #[test]
    fn unclosed_paragraphs_are_not_deep() {
        let html = "<p>one<li>two".repeat(2000);
        let document = parse(&html, false).unwrap();
        assert_eq!(document.select("p").length(), 2000);
        assert_eq!(document.select("li").length(), 2000);
    }

    #[test]
    fn what_xhtml_closes_is_closed() {
        let xhtml = "<?xml version='1.0'?><html><head><title/><script src='x'/></head><body><p>one<a id='x'/> two<br/></p>\
                     <svg><path/><g/></svg><div/>three</body></html>";
        let document = parse(xhtml, true).unwrap();
        assert_eq!(document.select("a *, div *").length(), 0);
        assert_eq!(document.select("div, a").text().trim(), "");
        assert_eq!(document.select("br").length(), 1);
        assert_eq!(document.select("svg > path + g").length(), 1);
        assert_eq!(document.select("body").text().trim(), "one twothree");
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
