//! The columns as a tree: which levels tell of what (Melnik et al. 2010, "Dremel", section 4).
//!
//! A value's definition level counts the optional and repeated fields on its path that are there; its repetition level says
//! at which repeated field of the path it goes on. A list is a group with a repeated field inside; older writers left out
//! one of the two (Parquet's `LogicalTypes.md`, "Backward-compatibility rules").

use std::ops::Range;

use parquet::basic::{ConvertedType, LogicalType, Repetition};
use parquet::schema::types::Type;

/// A field.
#[derive(Debug)]
pub struct Node {
    /// Its leaves, as positions among the leaves that are read. Never empty.
    pub leaves: Range<usize>,
    /// The definition level from which it is not null.
    pub present: i16,
    /// What it is.
    pub kind: Kind,
}

/// What a field is.
#[derive(Debug)]
pub enum Kind {
    /// A value.
    Leaf,
    /// Named fields.
    Struct(Vec<(String, Node)>),
    /// A list.
    List {
        /// The definition level from which it has an entry.
        filled: i16,
        /// The repetition level at which it goes on.
        again: i16,
        /// Its entries.
        item: Box<Node>,
    },
}

/// What is read of a file.
#[derive(Debug)]
pub struct Plan {
    /// The columns, in the file's order.
    pub columns: Vec<(String, Node)>,
    /// The leaves that are read, by their numbers in the file.
    pub leaves: Vec<usize>,
}

/// The fields below `root` whose names are `wanted`.
pub fn plan(root: &Type, wanted: &dyn Fn(&str) -> bool) -> Plan {
    let mut builder = Builder {
        number: 0,
        leaves: Vec::new(),
    };
    let mut columns = Vec::new();
    for field in root.get_fields() {
        if wanted(field.name()) {
            if let Some(node) = builder.field(field, 0, 0) {
                columns.push((field.name().to_owned(), node));
            }
        } else {
            builder.number += count(field);
        }
    }
    Plan {
        columns,
        leaves: builder.leaves,
    }
}

fn count(field: &Type) -> usize {
    if field.is_group() {
        field.get_fields().iter().map(|field| count(field)).sum()
    } else {
        1
    }
}

struct Builder {
    /// The number of the next leaf in the file.
    number: usize,
    leaves: Vec<usize>,
}

impl Builder {
    /// A field with its repetition; nothing for a group without leaves.
    fn field(&mut self, field: &Type, defined: i16, repeated: i16) -> Option<Node> {
        match field.get_basic_info().repetition() {
            Repetition::REQUIRED => self.group(field, defined, repeated),
            Repetition::OPTIONAL => self.group(field, defined + 1, repeated),
            // Not inside a list: a list of its own, which cannot be null.
            Repetition::REPEATED => {
                let item = self.group(field, defined + 1, repeated + 1)?;
                Some(list(item, defined, defined + 1, repeated + 1))
            }
        }
    }

    /// A field as such, which is there from the level `present` on.
    fn group(&mut self, field: &Type, present: i16, repeated: i16) -> Option<Node> {
        if !field.is_group() {
            let position = self.leaves.len();
            self.leaves.push(self.number);
            self.number += 1;
            return Some(Node {
                leaves: position..position + 1,
                present,
                kind: Kind::Leaf,
            });
        }
        if is_list(field)
            && let [inner] = field.get_fields()
            && inner.get_basic_info().repetition() == Repetition::REPEATED
        {
            let (filled, again) = (present + 1, repeated + 1);
            let item = if is_wrapper(field, inner) {
                self.field(&inner.get_fields()[0], filled, again)
            } else {
                self.group(inner, filled, again)
            }?;
            return Some(list(item, present, filled, again));
        }
        let start = self.leaves.len();
        let fields: Vec<(String, Node)> = field
            .get_fields()
            .iter()
            .filter_map(|inner| {
                Some((
                    inner.name().to_owned(),
                    self.field(inner, present, repeated)?,
                ))
            })
            .collect();
        (!fields.is_empty()).then_some(Node {
            leaves: start..self.leaves.len(),
            present,
            kind: Kind::Struct(fields),
        })
    }
}

fn list(item: Node, present: i16, filled: i16, again: i16) -> Node {
    Node {
        leaves: item.leaves.clone(),
        present,
        kind: Kind::List {
            filled,
            again,
            item: Box::new(item),
        },
    }
}

fn is_list(field: &Type) -> bool {
    let info = field.get_basic_info();
    matches!(
        info.converted_type(),
        ConvertedType::LIST | ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE
    ) || matches!(
        info.logical_type_ref(),
        Some(LogicalType::List | LogicalType::Map)
    )
}

/// Whether the repeated group only wraps the entry, or is the entry itself.
fn is_wrapper(list: &Type, inner: &Type) -> bool {
    inner.is_group()
        && inner.get_fields().len() == 1
        && inner.name() != "array"
        && inner.name() != format!("{}_tuple", list.name())
}
