//! A page's tree as one flat list in document order.
//!
//! Everything that decides what is content asks about whole subtrees. In preorder a subtree is a range, so each question
//! is a loop over a slice: no recursion, however deep the page nests.
//!
//! Memory: about 100 bytes a node.

use std::ops::Range;

use html5ever::LocalName;
use html5ever::tendril::StrTendril;

use crate::tree::{Data, NONE, Tree};

/// What a node is.
#[derive(Debug)]
pub enum Content {
    /// An element, by its lower-case name.
    Element(LocalName),
    /// Running text.
    Text(StrTendril),
}

/// One element or text node.
#[derive(Debug)]
pub struct Node {
    /// The index of the parent; the first node's is its own.
    pub parent: usize,
    /// One beyond the last node of the subtree.
    pub end: usize,
    /// What it is.
    pub content: Content,
    /// Letters and digits of a text.
    pub letters: usize,
    /// Its attributes, in the page's list.
    attributes: Range<u32>,
}

/// A parsed page.
pub struct Page {
    nodes: Vec<Node>,
    attributes: Vec<(LocalName, StrTendril)>,
}

/// Letters and digits.
fn letters(text: &str) -> usize {
    if text.is_ascii() {
        return text.bytes().filter(u8::is_ascii_alphanumeric).count();
    }
    text.chars()
        .filter(|letter| letter.is_alphanumeric())
        .count()
}

impl Page {
    /// Lays the tree out flat; comments and other invisible nodes are left out.
    #[must_use]
    pub fn new(mut tree: Tree) -> Self {
        let mut nodes: Vec<Node> = Vec::with_capacity(tree.nodes.len());
        let mut attributes: Vec<(LocalName, StrTendril)> = Vec::with_capacity(tree.attributes);
        let count = |attributes: &Vec<_>| u32::try_from(attributes.len()).unwrap_or(u32::MAX);
        // The elements around the current node, by their indices.
        let mut around: Vec<usize> = Vec::new();
        let mut at = tree.nodes.first().map_or(NONE, |root| root.first);
        while at != NONE {
            let node = &mut tree.nodes[at as usize];
            let (index, first) = (nodes.len(), count(&attributes));
            let content = match std::mem::take(&mut node.data) {
                Data::Element(element) => {
                    let own = element.attributes.into_iter();
                    attributes.extend(own.map(|one| (one.name.local, one.value)));
                    Some(Content::Element(element.name.local))
                }
                Data::Text(text) => Some(Content::Text(text)),
                Data::Other => None,
            };
            let parent = around.last().copied().unwrap_or(0);
            let mut next = NONE;
            if let Some(content) = content {
                next = node.first;
                nodes.push(Node {
                    parent,
                    end: index + 1,
                    letters: match &content {
                        Content::Text(text) => letters(text),
                        Content::Element(_) => 0,
                    },
                    content,
                    attributes: first..count(&attributes),
                });
            }
            if next == NONE {
                // Upwards to the first that has something behind it.
                next = tree.nodes[at as usize].after;
                while next == NONE
                    && let Some(done) = around.pop()
                {
                    nodes[done].end = nodes.len();
                    at = tree.nodes[at as usize].parent;
                    next = tree.nodes[at as usize].after;
                }
            } else {
                around.push(index);
            }
            at = next;
        }
        Self { nodes, attributes }
    }

    /// The number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node at `index`.
    #[must_use]
    pub fn node(&self, index: usize) -> &Node {
        &self.nodes[index]
    }

    /// The node with all below it.
    #[must_use]
    pub fn subtree(&self, index: usize) -> Range<usize> {
        index..self.nodes[index].end
    }

    /// The element's name, or nothing for text.
    #[must_use]
    pub fn name(&self, index: usize) -> &str {
        match &self.nodes[index].content {
            Content::Element(name) => name,
            Content::Text(_) => "",
        }
    }

    /// The text of a text node, or nothing.
    #[must_use]
    pub fn own_text(&self, index: usize) -> &str {
        match &self.nodes[index].content {
            Content::Element(_) => "",
            Content::Text(text) => text,
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attr(&self, index: usize, name: &str) -> Option<&str> {
        self.attributes(index)
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| &**value)
    }

    /// Its attributes.
    pub fn attributes(&self, index: usize) -> impl Iterator<Item = &(LocalName, StrTendril)> {
        let Range { start, end } = self.nodes[index].attributes;
        self.attributes[start as usize..end as usize].iter()
    }

    /// Whether the element has attributes at all.
    #[must_use]
    pub fn is_bare(&self, index: usize) -> bool {
        self.nodes[index].attributes.is_empty()
    }

    /// Whether the element's `class` holds a word that `matches`.
    pub fn has_class(&self, index: usize, matches: impl Fn(&str) -> bool) -> bool {
        self.attr(index, "class")
            .is_some_and(|classes| classes.split_ascii_whitespace().any(matches))
    }

    /// Whether the attribute, a list of words, holds the word.
    #[must_use]
    pub fn has_word(&self, index: usize, name: &str, word: &str) -> bool {
        self.attr(index, name).is_some_and(|value| {
            value
                .split_ascii_whitespace()
                .any(|one| one.eq_ignore_ascii_case(word))
        })
    }

    /// The first element with the name in a range.
    #[must_use]
    pub fn find(&self, range: Range<usize>, name: &str) -> Option<usize> {
        range.into_iter().find(|&index| self.name(index) == name)
    }

    /// The elements from the parent of `index` up.
    pub fn ancestors(&self, index: usize) -> impl Iterator<Item = usize> {
        let mut at = index;
        std::iter::from_fn(move || {
            let parent = self.nodes[at].parent;
            (parent != at).then(|| {
                at = parent;
                at
            })
        })
    }

    /// All text below `index`, white space folded.
    #[must_use]
    pub fn text(&self, index: usize) -> String {
        let mut text = String::new();
        for at in self.subtree(index) {
            text.push_str(self.own_text(at));
        }
        crate::text::fold(&text)
    }
}

impl Page {
    /// Whether an attribute is there and has the value.
    #[must_use]
    pub fn attr_is(&self, index: usize, name: &str, value: &str) -> bool {
        self.attr(index, name)
            .is_some_and(|found| found.eq_ignore_ascii_case(value))
    }
}
