//! What records are called.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::store::number;

/// Names of records by number; they order the records.
#[derive(Debug)]
pub enum Names {
    /// Ids, ordered by their bytes: their length and 8 bytes each.
    Ids {
        /// All ids, one behind the other.
        text: String,
        /// Where each ends.
        ends: Vec<usize>,
    },
    /// So many rows of a matrix, called and ordered by their numbers.
    Rows(usize),
}

impl Names {
    /// No ids yet.
    #[must_use]
    pub fn ids() -> Self {
        Self::Ids {
            text: String::new(),
            ends: Vec::new(),
        }
    }

    /// Adds an id. Rows have none.
    pub fn push(&mut self, id: &str) {
        if let Self::Ids { text, ends } = self {
            text.push_str(id);
            ends.push(text.len());
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Ids { ends, .. } => ends.len(),
            Self::Rows(count) => *count,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of record `at`.
    #[must_use]
    pub fn name(&self, at: usize) -> Cow<'_, str> {
        match self {
            Self::Ids { text, ends } => {
                let start = at.checked_sub(1).map_or(0, |before| ends[before]);
                Cow::Borrowed(&text[start..ends[at]])
            }
            Self::Rows(_) => Cow::Owned(at.to_string()),
        }
    }

    /// The order of two records; equal names are in the order of their numbers.
    #[must_use]
    pub fn order(&self, one: usize, other: usize) -> Ordering {
        match self {
            Self::Ids { .. } => self.name(one).cmp(&self.name(other)).then(one.cmp(&other)),
            Self::Rows(_) => one.cmp(&other),
        }
    }

    /// Looks up names. 4 bytes an id.
    #[must_use]
    pub fn finder(&self) -> Finder<'_> {
        let mut sorted: Vec<u32> = match self {
            Self::Ids { ends, .. } => (0..number(ends.len())).collect(),
            Self::Rows(_) => Vec::new(),
        };
        sorted.sort_unstable_by(|&a, &b| self.order(a as usize, b as usize));
        Finder {
            names: self,
            sorted,
        }
    }
}

/// Finds records by name.
#[derive(Debug)]
pub struct Finder<'a> {
    names: &'a Names,
    sorted: Vec<u32>,
}

impl Finder<'_> {
    /// The first record of this name. Ids are meant to be unique; [`Self::twins`] gives those that are not.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        match self.names {
            Names::Ids { .. } => {
                let at = self
                    .sorted
                    .partition_point(|&record| *self.names.name(record as usize) < *name);
                let record = *self.sorted.get(at)? as usize;
                (self.names.name(record) == name).then_some(record)
            }
            Names::Rows(count) => name.parse().ok().filter(|row| row < count),
        }
    }

    /// Pairs of records that share their id.
    pub fn twins(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.sorted
            .windows(2)
            .map(|two| (two[0] as usize, two[1] as usize))
            .filter(|&(one, other)| self.names.name(one) == self.names.name(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_ordered() {
        let mut ids = Names::ids();
        for id in ["b", "a/10", "a/9", "b"] {
            ids.push(id);
        }
        let finder = ids.finder();
        assert_eq!(
            ["b", "a/10", "a/9", "a", "c"].map(|name| finder.find(name)),
            [Some(0), Some(1), Some(2), None, None]
        );
        assert_eq!(finder.twins().collect::<Vec<_>>(), [(0, 3)]);
        assert_eq!(ids.order(1, 2), Ordering::Less);
        let rows = Names::Rows(11);
        assert_eq!(rows.order(9, 10), Ordering::Less);
        assert_eq!(
            ["10", "11", "x"].map(|name| rows.finder().find(name)),
            [Some(10), None, None]
        );
        assert_eq!(rows.name(7), "7");
    }
}
