//! The page's growing text.

use std::fmt::{Arguments, Display, Write};

/// A string that is written to with `format_args!`; writing to memory cannot fail, so nothing here returns an error.
#[derive(Debug, Default)]
pub(crate) struct Markup(String);

impl Markup {
    /// Adds formatted text.
    pub(crate) fn add(&mut self, text: Arguments<'_>) {
        let _ = self.0.write_fmt(text);
    }

    /// Adds a piece as it is: markup of our own, never a record's text.
    pub(crate) fn put(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// Adds something that prints itself.
    pub(crate) fn show(&mut self, what: impl Display) {
        self.add(format_args!("{what}"));
    }

    /// The text so far.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing has been written.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
