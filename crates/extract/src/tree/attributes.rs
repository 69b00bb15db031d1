//! Whether a tag of a page has more attributes than a page can sensibly have.
//!
//! html5ever compares each attribute of a tag with all before it, as the standard has it: a page that is one tag would take
//! it hours. Nothing comes out of it meanwhile, so that this is asked only of pages in which for long nothing did.
//!
//! Memory: none. Time: linear.

use memchr::{memchr, memmem};

/// How many attributes a tag may have.
pub const MOST: usize = 10_000;

/// Elements whose contents are text, in which nothing is a tag.
const RAW: [&[u8]; 8] = [
    b"script",
    b"style",
    b"textarea",
    b"title",
    b"xmp",
    b"iframe",
    b"noembed",
    b"noframes",
];

/// Whether a tag has more than [`MOST`] attributes.
pub fn are_too_many(html: &str) -> bool {
    let bytes = html.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr(b'<', &bytes[at..]) {
        at += found + 1;
        let rest = &bytes[at..];
        let is_end = rest.first() == Some(&b'/');
        let name = &rest[usize::from(is_end)..];
        if rest.starts_with(b"!--") {
            // `<!-->` is a whole comment.
            at += 1 + memmem::find(&rest[1..], b"-->").map_or(rest.len() - 1, |end| end + 3);
        } else if matches!(rest.first(), Some(b'!' | b'?')) {
            at += memchr(b'>', rest).unwrap_or(rest.len());
        } else if name.first().is_some_and(u8::is_ascii_alphabetic) {
            let length = name.iter().position(|&byte| ends_name(byte));
            let (name, behind) = name.split_at(length.unwrap_or(name.len()));
            let Some(end) = end_of_tag(behind) else {
                return true;
            };
            at = bytes.len() - behind.len() + end;
            let is_raw = RAW.iter().any(|raw| name.eq_ignore_ascii_case(raw));
            if is_raw && !is_end {
                at += raw_text(&bytes[at..], name);
            }
        }
    }
    false
}

fn ends_name(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>')
}

/// How many bytes the attributes of a tag and its end have; nothing if there are too many attributes.
fn end_of_tag(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    let skip = |mut at: usize, also: u8| {
        while bytes
            .get(at)
            .is_some_and(|&byte| byte.is_ascii_whitespace() || byte == also)
        {
            at += 1;
        }
        at
    };
    let until = |at: usize, ends: &dyn Fn(u8) -> bool| {
        let rest = bytes.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .position(|&byte| ends(byte))
            .unwrap_or(rest.len())
    };
    for _ in 0..=MOST {
        at = skip(at, b'/');
        match bytes.get(at) {
            None => return Some(bytes.len()),
            Some(b'>') => return Some(at + 1),
            Some(_) => {}
        }
        // A name may begin with anything, `=` too.
        at = until(at + 1, &|byte| ends_name(byte) || byte == b'=');
        let value = skip(at, b' ');
        if bytes.get(value) == Some(&b'=') {
            at = skip(value + 1, b' ');
            at = match bytes.get(at) {
                Some(&quote @ (b'"' | b'\'')) => {
                    (until(at + 1, &|byte| byte == quote) + 1).min(bytes.len())
                }
                _ => until(at, &|byte| byte.is_ascii_whitespace() || byte == b'>'),
            };
        }
    }
    None
}

/// How long the text of an element is in which nothing is a tag.
fn raw_text(bytes: &[u8], name: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr(b'<', &bytes[at..]) {
        let end = bytes.get(at + found + 1..at + found + 2 + name.len());
        if end.is_some_and(|end| end[0] == b'/' && end[1..].eq_ignore_ascii_case(name)) {
            return at + found;
        }
        at += found + 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_counted_where_they_are_some() {
        let many = |separator: &str| {
            (0..=MOST)
                .map(|at| format!("{separator}a{at}"))
                .collect::<Vec<_>>()
                .concat()
        };
        for tag in [
            format!("<p{}>", many(" ")),
            format!("<p{}", many("/")),
            format!("</p{}>", many("=1\n")),
            format!("<p a='>'{}>", many(" x=\">\"")),
            format!(
                "<!-- <p --><script>if (a<b) '</p'</SCRIPT ><title>\"</title><a href=\"x\"{}>",
                many(" ")
            ),
            format!("< <3 <!doctype html><p =a{}", many(" b = 'c'd")),
        ] {
            assert!(are_too_many(&tag), "{tag:.80}");
        }
        for none in [
            format!("<p>{}", many(" ")),
            format!("<!--<p {}-->", many(" ")),
            format!("<p title='{}'>", many(" ")),
            format!("<p title=\"{}", many(" ")),
            format!("<script>x <y {}</script>", many(" ")),
            format!("<img src=data:{}>", many("/")),
            format!("<? {}>", many(" ")),
            "<p a>".repeat(MOST + 9),
            "<p a=1 b='2' c".to_owned(),
            "<!-->".to_owned(),
            "<!--".to_owned(),
            "<p a=\"".to_owned(),
            "<".to_owned(),
        ] {
            assert!(!are_too_many(&none), "{none:.80}");
        }
    }
}
