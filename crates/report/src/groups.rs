//! Groups of duplicates: the picture that stayed, and those that were found to be the same.
//!
//! Memory: at most twice [`GROUPS`] groups with a few pictures each, and [`WINDOW`] pictures among which the kept one of
//! a group is looked up. Beyond that the smallest groups are forgotten, and the report says so. Which pictures of a
//! group are shown follows the stream.

use std::collections::HashMap;

use crate::distinct::{Distinct, hash};
use crate::item::Picture;
use crate::smallest::Smallest;

/// So many groups survive a clearing.
const GROUPS: usize = 1 << 14;
/// So many pictures are remembered for the sake of the groups that they head.
const WINDOW: usize = 1 << 16;
/// So many duplicates of a group are shown.
const MEMBERS: usize = 7;

/// One kept picture and its duplicates.
#[derive(Debug)]
pub(crate) struct Group {
    /// The id of the picture that stayed.
    pub(crate) id: String,
    /// Its record, when it was among the pictures remembered.
    pub(crate) kept: Option<Picture>,
    /// How many duplicates it has.
    pub(crate) duplicates: u64,
    /// The first of them.
    pub(crate) members: Vec<Picture>,
}

/// All groups so far.
#[derive(Debug)]
pub(crate) struct Groups {
    by_kept: HashMap<String, Group>,
    heads: Smallest<u64, Picture>,
    seen: Distinct,
    duplicates: u64,
    forgotten: bool,
}

/// What the groups come to.
#[derive(Debug)]
pub(crate) struct Largest {
    /// The largest groups, largest first.
    pub(crate) groups: Vec<Group>,
    /// How many groups there are.
    pub(crate) count: u64,
    /// How many duplicates all groups hold.
    pub(crate) duplicates: u64,
    /// Whether `count` is only a lower bound.
    pub(crate) forgotten: bool,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            by_kept: HashMap::new(),
            heads: Smallest::new(WINDOW),
            seen: Distinct::default(),
            duplicates: 0,
            forgotten: false,
        }
    }
}

impl Groups {
    /// Remembers a picture that may head a group.
    pub(crate) fn head(&mut self, picture: &Picture) {
        let id = hash(&picture.id);
        if self.heads.wants(&id) {
            self.heads.offer(id, picture.clone());
        }
    }

    /// Takes a duplicate of the picture with the id `kept`.
    pub(crate) fn duplicate(&mut self, picture: Picture, kept: &str) {
        if picture.id == kept || !self.seen.insert(hash(&picture.id)) {
            return;
        }
        self.duplicates += 1;
        let group = self
            .by_kept
            .entry(kept.to_owned())
            .or_insert_with(|| Group {
                id: kept.to_owned(),
                kept: None,
                duplicates: 0,
                members: Vec::new(),
            });
        group.duplicates += 1;
        if group.members.len() < MEMBERS {
            group.members.push(picture);
        }
        if self.by_kept.len() > 2 * GROUPS {
            self.forget();
        }
    }

    /// Drops the smallest half of the groups.
    fn forget(&mut self) {
        let mut groups: Vec<Group> = std::mem::take(&mut self.by_kept).into_values().collect();
        sort(&mut groups);
        groups.truncate(GROUPS);
        self.by_kept = groups
            .into_iter()
            .map(|group| (group.id.clone(), group))
            .collect();
        self.forgotten = true;
    }

    /// Whether there is no group.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_kept.is_empty()
    }

    /// The `most` largest groups.
    pub(crate) fn largest(self, most: usize) -> Largest {
        let count = self.by_kept.len() as u64;
        let mut groups: Vec<Group> = self.by_kept.into_values().collect();
        sort(&mut groups);
        groups.truncate(most);
        for picture in self.heads.into_values() {
            if let Some(group) = groups.iter_mut().find(|group| group.id == picture.id) {
                group.kept = Some(picture);
            }
        }
        Largest {
            groups,
            count,
            duplicates: self.duplicates,
            forgotten: self.forgotten,
        }
    }
}

/// Largest first, then by id: a total order, whatever the map's.
fn sort(groups: &mut [Group]) {
    groups.sort_unstable_by(|a, b| {
        b.duplicates
            .cmp(&a.duplicates)
            .then_with(|| a.id.cmp(&b.id))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(id: &str) -> Picture {
        Picture {
            id: id.into(),
            ..Picture::default()
        }
    }

    #[test]
    fn groups_are_counted_once_and_headed_by_the_kept_picture() {
        let mut groups = Groups::default();
        groups.duplicate(picture("d/i2"), "d/i1");
        groups.head(&picture("d/i1"));
        for _ in 0..2 {
            for n in 4..16 {
                groups.duplicate(picture(&format!("d/i{n}")), "d/i3");
            }
        }
        groups.duplicate(picture("d/i3"), "d/i3");
        let largest = groups.largest(5);
        assert_eq!(
            (largest.count, largest.duplicates, largest.forgotten),
            (2, 13, false)
        );
        assert_eq!(
            (largest.groups[0].id.as_str(), largest.groups[0].duplicates),
            ("d/i3", 12)
        );
        assert_eq!(largest.groups[0].members.len(), MEMBERS);
        assert!(largest.groups[0].kept.is_none());
        assert_eq!(largest.groups[1].kept.as_ref().unwrap().id, "d/i1");
    }

    #[test]
    fn many_small_groups_are_forgotten_before_a_large_one() {
        let mut groups = Groups::default();
        for n in 0..3 {
            groups.duplicate(picture(&format!("big/i{n}")), "big/i9");
        }
        for n in 0..=2 * GROUPS {
            groups.duplicate(picture(&format!("d{n}/i1")), &format!("d{n}/i0"));
        }
        let largest = groups.largest(1);
        assert!(largest.forgotten);
        assert_eq!(largest.groups[0].id, "big/i9");
    }
}
