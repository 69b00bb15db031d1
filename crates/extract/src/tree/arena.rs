//! A tree of linked nodes, as html5ever builds it.

use html5ever::tendril::StrTendril;
use html5ever::{Attribute, QualName};

/// No node.
pub const NONE: u32 = u32::MAX;

/// What a node is.
#[derive(Debug, Default)]
pub enum Data {
    /// An element.
    Element(Element),
    /// Running text.
    Text(StrTendril),
    /// Nothing that a reader sees.
    #[default]
    Other,
}

/// An element.
#[derive(Debug)]
pub struct Element {
    /// Its name.
    pub name: QualName,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Where the contents of a `<template>` are.
    pub(super) template: u32,
    pub(super) is_integration_point: bool,
}

/// A node with its relatives.
#[derive(Debug)]
pub struct Node {
    /// The node above it.
    pub parent: u32,
    /// Its first child.
    pub first: u32,
    pub(super) last: u32,
    pub(super) before: u32,
    /// The one behind it.
    pub after: u32,
    pub(super) depth: u32,
    /// What it is.
    pub data: Data,
}

/// A page as a tree of linked nodes; the first is the page as a whole.
#[derive(Debug)]
pub struct Tree {
    /// The nodes, in the order in which they were met.
    pub nodes: Vec<Node>,
    /// How many attributes they have.
    pub attributes: usize,
    /// The name of what is no element.
    pub(super) nothing: QualName,
}

impl Tree {
    pub(super) fn add(&mut self, data: Data) -> u32 {
        self.nodes.push(Node {
            parent: NONE,
            first: NONE,
            last: NONE,
            before: NONE,
            after: NONE,
            depth: 0,
            data,
        });
        u32::try_from(self.nodes.len() - 1).unwrap_or(NONE)
    }

    pub(super) fn node(&self, at: u32) -> &Node {
        &self.nodes[at as usize]
    }

    pub(super) fn at(&mut self, at: u32) -> &mut Node {
        &mut self.nodes[at as usize]
    }

    pub(super) fn element(&self, at: u32) -> Option<&Element> {
        match &self.node(at).data {
            Data::Element(element) => Some(element),
            _ => None,
        }
    }

    /// Takes a node, with all below it, from where it stands.
    pub(super) fn detach(&mut self, at: u32) {
        let Node {
            parent,
            before,
            after,
            ..
        } = *self.node(at);
        if parent == NONE {
            return;
        }
        if before == NONE {
            self.at(parent).first = after;
        } else {
            self.at(before).after = after;
        }
        if after == NONE {
            self.at(parent).last = before;
        } else {
            self.at(after).before = before;
        }
        let node = self.at(at);
        (node.parent, node.before, node.after) = (NONE, NONE, NONE);
    }

    pub(super) fn append(&mut self, parent: u32, child: u32) {
        self.detach(child);
        let last = std::mem::replace(&mut self.at(parent).last, child);
        if last == NONE {
            self.at(parent).first = child;
        } else {
            self.at(last).after = child;
        }
        let node = self.at(child);
        (node.parent, node.before) = (parent, last);
    }

    pub(super) fn insert(&mut self, sibling: u32, child: u32) {
        self.detach(child);
        let Node { parent, before, .. } = *self.node(sibling);
        if parent == NONE {
            return;
        }
        if before == NONE {
            self.at(parent).first = child;
        } else {
            self.at(before).after = child;
        }
        self.at(sibling).before = child;
        let node = self.at(child);
        (node.parent, node.before, node.after) = (parent, before, sibling);
    }

    /// Puts text behind `before`, if that is a text.
    pub(super) fn merge(&mut self, before: u32, text: &StrTendril) -> bool {
        match self
            .nodes
            .get_mut(before as usize)
            .map(|node| &mut node.data)
        {
            Some(Data::Text(known)) => {
                known.push_tendril(text);
                true
            }
            _ => false,
        }
    }
}
