//! A file that is one document.
//!
//! Memory: the file, up to the limit for documents. Order: one document.

use std::io::Read as _;

use realsyn_extract::Source;
use realsyn_lines::{Operand, Origin};

use crate::settle::Desk;
use crate::sniff::Form;
use crate::tasks::{self, Input, Piece};

/// A file that is one document.
pub struct Single {
    /// The file.
    pub input: Input,
    /// What it is.
    pub form: Form,
}

impl Piece for Single {
    fn units(&self) -> u64 {
        1
    }

    fn settle(self: Box<Self>, desk: &mut Desk<'_>) {
        let Input {
            operand,
            name,
            reader,
        } = self.input;
        let id = tasks::id(&name);
        let mut bytes = Vec::new();
        let read = reader
            .take(desk.options().max_document + 1)
            .read_to_end(&mut bytes);
        let origin = Origin {
            file: Some(id),
            record: &bytes[..bytes.len().min(4096)],
            bytes: Some(length(&operand, &bytes)),
            ..Origin::default()
        };
        if let Err(error) = read {
            desk.refuse("unreadable", &error.to_string(), origin);
            return;
        }
        let source = Source::of(id, tasks::folder(id));
        let made = match self.form {
            Form::Markdown => realsyn_extract::markdown(&bytes, &source, desk.options()),
            _ => realsyn_extract::html(&bytes, &source, desk.options()),
        };
        desk.settle(made, origin);
    }
}

/// The whole length of a file of which only the beginning was read.
fn length(operand: &Operand, read: &[u8]) -> u64 {
    let read = read.len() as u64;
    match operand {
        Operand::File(path) => path
            .metadata()
            .map_or(read, |metadata| metadata.len().max(read)),
        Operand::Stdin => read,
    }
}
