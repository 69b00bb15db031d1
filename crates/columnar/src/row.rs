//! One row as a line of JSON.

use std::io::Write as _;

use crate::column::{Column, Value};
use crate::schema::{Kind, Node};

/// Why a row cannot be written; the columns stand inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Longer than allowed.
    TooLong,
    /// Not what a row can be.
    Damaged(String),
}

/// A line that is being written.
pub struct Line<'a> {
    /// Where it goes.
    pub out: &'a mut Vec<u8>,
    /// Its greatest length.
    pub limit: usize,
}

impl Line<'_> {
    /// Writes the row that the columns stand at.
    pub fn row(&mut self, fields: &[(String, Node)], columns: &mut [Column]) -> Result<(), Flaw> {
        self.fields(fields, columns)?;
        match columns.iter().find(|column| !column.is_done()) {
            None => Ok(()),
            Some(column) => Err(disagree(column)),
        }
    }

    fn fields(&mut self, fields: &[(String, Node)], columns: &mut [Column]) -> Result<(), Flaw> {
        for (number, (name, field)) in fields.iter().enumerate() {
            self.push(if number == 0 { b"{" } else { b"," })?;
            self.string(name)?;
            self.push(b":")?;
            self.node(field, columns)?;
        }
        self.push(if fields.is_empty() { b"{}" } else { b"}" })
    }

    fn node(&mut self, node: &Node, columns: &mut [Column]) -> Result<(), Flaw> {
        // The first leaf tells of all that lie beside it: they share the path.
        let first = node.leaves.start;
        let column = &columns[first];
        let level = column.level().ok_or_else(|| disagree(column))?;
        if level < node.present {
            self.push(b"null")?;
            return skip(node, columns);
        }
        match &node.kind {
            Kind::Leaf => self.value(&mut columns[first]),
            Kind::Struct(fields) => self.fields(fields, columns),
            Kind::List { filled, .. } if level < *filled => {
                self.push(b"[]")?;
                skip(node, columns)
            }
            Kind::List { again, item, .. } => {
                self.push(b"[")?;
                loop {
                    self.node(item, columns)?;
                    if columns[first].repetition() != Some(*again) {
                        break;
                    }
                    self.push(b",")?;
                }
                self.push(b"]")
            }
        }
    }

    fn value(&mut self, column: &mut Column) -> Result<(), Flaw> {
        let value = column.value().ok_or_else(|| disagree(column))?;
        match value {
            Value::Text(bytes) => {
                let text = std::str::from_utf8(bytes)
                    .map_err(|error| Flaw::Damaged(format!("column {}: {error}", column.name)))?;
                self.string(text)
            }
            Value::Bool(value) => self.json(&value),
            Value::Whole(value) => self.json(&value),
            Value::Natural(value) => self.json(&value),
            // What is no finite number is written as null.
            Value::Single(value) => self.json(&value),
            Value::Double(value) => self.json(&value),
            Value::Other => self.push(b"null"),
        }?;
        column.skip();
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<(), Flaw> {
        if text.len() > self.limit.saturating_sub(self.out.len()) {
            return Err(Flaw::TooLong);
        }
        self.json(text)
    }

    fn json<V: serde::Serialize + ?Sized>(&mut self, value: &V) -> Result<(), Flaw> {
        serde_json::to_writer(&mut *self.out, value)
            .map_err(|error| Flaw::Damaged(error.to_string()))?;
        self.push(b"")
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
        self.out
            .write_all(bytes)
            .map_err(|error| Flaw::Damaged(error.to_string()))?;
        if self.out.len() > self.limit {
            return Err(Flaw::TooLong);
        }
        Ok(())
    }
}

/// Passes over a field that is null or empty: each leaf has one level for it.
fn skip(node: &Node, columns: &mut [Column]) -> Result<(), Flaw> {
    for column in &mut columns[node.leaves.clone()] {
        if column.is_done() {
            return Err(disagree(column));
        }
        column.skip();
    }
    Ok(())
}

fn disagree(column: &Column) -> Flaw {
    Flaw::Damaged(format!(
        "column {}: its levels are not those of the columns beside it",
        column.name
    ))
}
