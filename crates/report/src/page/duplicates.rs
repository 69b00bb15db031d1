//! The largest groups of duplicates side by side.

use super::gallery::alt;
use super::picture;
use crate::Report;
use crate::groups::Group;
use crate::html::{Escaped, count, counted};
use crate::item::Picture;
use crate::markup::Markup;
use crate::thumb::{self, Thumb};

/// Groups shown.
const GROUPS: usize = 20;
/// The longer side of a picture.
const SIDE: u32 = 150;

/// The section's body; empty without duplicates.
pub(crate) fn write(report: &mut Report) -> Markup {
    let mut out = Markup::default();
    let groups = std::mem::take(&mut report.groups);
    if groups.is_empty() {
        return out;
    }
    let largest = groups.largest(GROUPS);
    let pictures: Vec<&Picture> = largest
        .groups
        .iter()
        .flat_map(|group| group.kept.iter().chain(&group.members))
        .collect();
    let mut thumbs = thumb::all(&pictures, SIDE, report.options.jobs).into_iter();
    out.add(format_args!(
        "<p class=\"note\">{}{}, {} in all. ",
        if largest.forgotten { "At least " } else { "" },
        counted(largest.count, "group", "groups"),
        counted(largest.duplicates, "duplicate", "duplicates")
    ));
    if largest.count > largest.groups.len() as u64 {
        out.add(format_args!(
            "The {} largest, each with the picture that stayed first.</p>",
            largest.groups.len()
        ));
    } else {
        out.put("Each with the picture that stayed first.</p>");
    }
    out.put("<ol class=\"groups\">");
    for group in &largest.groups {
        write_group(group, &mut thumbs, &mut out);
    }
    out.put("</ol>");
    out
}

fn write_group(group: &Group, thumbs: &mut impl Iterator<Item = Thumb>, out: &mut Markup) {
    out.add(format_args!(
        "<li{}><p class=\"source\"><b>{}</b> of <span dir=\"auto\">{}</span></p><ul>",
        // Two pictures fit a column; more take the row.
        if group.members.len() > 1 {
            " class=\"row\""
        } else {
            ""
        },
        counted(group.duplicates, "duplicate", "duplicates"),
        Escaped(&group.id)
    ));
    for (at, shown) in group.kept.iter().chain(&group.members).enumerate() {
        let Some(thumb) = thumbs.next() else { break };
        let stayed = at == 0 && group.kept.is_some();
        out.put(if stayed {
            "<li class=\"stayed\"><div class=\"frame\">"
        } else {
            "<li><div class=\"frame\">"
        });
        picture(&thumb, &alt(shown), out);
        out.add(format_args!(
            "</div><small>{}{} × {}</small></li>",
            if stayed { "kept, " } else { "" },
            shown.width,
            shown.height
        ));
    }
    let more = group.duplicates - group.members.len() as u64;
    if more > 0 {
        out.add(format_args!(
            "<li class=\"more\">and {} more</li>",
            count(more)
        ));
    }
    out.put("</ul></li>");
}
