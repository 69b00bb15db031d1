//! What Readability's rules say of an element's name: a set of bits.

use std::sync::LazyLock;

use hashbrown::HashMap;
use html5ever::LocalName;

/// Running text.
pub const TEXT: u32 = 1;
/// Running text of elements like this needs a paragraph around it.
pub const PHRASING: u32 = 1 << 1;
/// Phrasing if all that it holds is.
pub const LINKING: u32 = 1 << 2;
/// Gives points to its ancestors.
pub const SCORED: u32 = 1 << 3;
/// Of no use without text.
pub const HOLLOW: u32 = 1 << 4;
/// A `<div>` that holds one is no paragraph.
pub const BLOCK: u32 = 1 << 5;
/// Never content.
pub const CLEANED: u32 = 1 << 6;
/// A line break.
pub const BREAK: u32 = 1 << 7;
/// A line across the page.
pub const RULE: u32 = 1 << 8;
/// A paragraph, or what became one.
pub const PARAGRAPH: u32 = 1 << 9;
/// A division without meaning.
pub const DIV: u32 = 1 << 10;
/// A link.
pub const LINK: u32 = 1 << 11;
/// A picture.
pub const IMAGE: u32 = 1 << 12;
/// The page's body.
pub const BODY: u32 = 1 << 13;
/// A drawing, which is not looked into.
pub const DRAWING: u32 = 1 << 14;
/// A dialog.
pub const DIALOG: u32 = 1 << 15;
/// Text that is no more than white space.
pub const BLANK: u32 = 1 << 16;
/// Left out of the draft with all below.
pub const DROPPED: u32 = 1 << 17;

/// Names with their sets; those of a name in several rows add up.
const NAMES: [(u32, &str); 16] = [
    (PARAGRAPH | SCORED | BLOCK, "p"),
    (DIV | HOLLOW | BLOCK, "div"),
    (LINK | LINKING, "a"),
    (LINKING, "del ins"),
    (BREAK | PHRASING, "br"),
    (RULE, "hr"),
    (IMAGE | BLOCK | PHRASING, "img"),
    (BODY, "body"),
    (SCORED | HOLLOW, "section h2 h3 h4 h5 h6"),
    (HOLLOW, "h1 header"),
    (SCORED, "td pre"),
    (BLOCK, "blockquote dl ol pre table ul"),
    (DROPPED, "script noscript style"),
    (DRAWING, "svg"),
    (
        CLEANED,
        "object embed footer link aside iframe input textarea select button",
    ),
    (
        PHRASING,
        "abbr audio b bdo button cite code data datalist dfn em embed font i input kbd label mark math meter object \
         output progress q ruby samp select small span strong sub sup textarea time var wbr",
    ),
];

/// Names with the points that a candidate begins with.
const WORTHS: [(f32, &str); 4] = [
    (5.0, "div"),
    (3.0, "pre td blockquote"),
    (-3.0, "address ol ul dl dd dt li form"),
    (-5.0, "h1 h2 h3 h4 h5 h6 th"),
];

static TABLE: LazyLock<HashMap<LocalName, (u32, f32)>> = LazyLock::new(|| {
    let mut table: HashMap<LocalName, (u32, f32)> = HashMap::new();
    table.insert("dialog".into(), (DIALOG, 0.0));
    for (kind, names) in NAMES {
        for name in names.split(' ') {
            table.entry(name.into()).or_default().0 |= kind;
        }
    }
    for (worth, names) in WORTHS {
        for name in names.split(' ') {
            table.entry(name.into()).or_default().1 = worth;
        }
    }
    table
});

/// The set of an element, and the points that it begins with as a candidate.
pub fn of(name: &LocalName) -> (u32, f32) {
    TABLE.get(name).copied().unwrap_or_default()
}
