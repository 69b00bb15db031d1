//! The bytes of a page as text.
//!
//! The order of belief is the browsers': byte-order mark, transport header, `<meta>` or XML declaration in the first
//! 4 KiB, and without any of them UTF-8 when the bytes are valid UTF-8, else windows-1252. One deviation: a declaration
//! that does not fit is overruled when the bytes are valid UTF-8 beyond ASCII, because that does not happen by chance.
//! Bytes that stand for nothing become U+FFFD, by which later rules know damaged text.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far a declaration may stand from the beginning.
const DECLARED_WITHIN: usize = 4096;

/// Decodes `bytes`; `header` is the charset label of the transport (HTTP's `Content-Type`), if there was one.
#[must_use]
pub fn decode<'a>(bytes: &'a [u8], header: Option<&str>) -> Cow<'a, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    let declared = header
        .and_then(|label| Encoding::for_label(label.trim().as_bytes()))
        .or_else(|| declared(&bytes[..bytes.len().min(DECLARED_WITHIN)]));
    // Of the encodings in use, ISO-2022-JP alone writes other text in bytes that are valid UTF-8.
    if declared != Some(ISO_2022_JP)
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Cow::Borrowed(text);
    }
    declared
        .unwrap_or(WINDOWS_1252)
        .decode_without_bom_handling(bytes)
        .0
}

/// The encoding that a `<meta>` or an XML declaration names.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let lower = head.to_ascii_lowercase();
    let mut rest: &[u8] = &lower;
    loop {
        let at = ["charset", "encoding"]
            .iter()
            .filter_map(|key| find(rest, key.as_bytes()).map(|at| at + key.len()))
            .min()?;
        rest = &rest[at..];
        let Some(value) = trim_start(rest).strip_prefix(b"=") else {
            continue;
        };
        let value = trim_start(value);
        let value = value
            .strip_prefix(b"\"")
            .or_else(|| value.strip_prefix(b"'"))
            .unwrap_or(value);
        let end = value
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.".contains(byte)));
        let label = &value[..end.unwrap_or(value.len())];
        if let Some(encoding) = Encoding::for_label(label) {
            // The declaration was read as ASCII, so the document cannot be UTF-16: the standard says UTF-8 then.
            return Some(if encoding == UTF_16LE || encoding == UTF_16BE {
                UTF_8
            } else {
                encoding
            });
        }
    }
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii_start()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_wins_over_everything() {
        assert_eq!(decode(b"\xef\xbb\xbfa", Some("latin1")), "a");
        assert_eq!(decode(b"\xff\xfea\0\xe9\0", None), "aé");
    }

    #[test]
    fn declarations_are_believed_where_they_fit() {
        assert_eq!(
            decode(b"<meta charset=iso-8859-2>\xb1", None),
            "<meta charset=iso-8859-2>ą"
        );
        let equiv =
            b"<META http-equiv='Content-Type' content='text/html; charset=Shift_JIS'>\x83\x41";
        assert!(decode(equiv, None).ends_with('ア'));
        assert!(
            decode(b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\xe9", None).ends_with('é')
        );
        assert_eq!(decode(b"\xe9", Some("windows-1251")), "й");
    }

    #[test]
    fn a_wrong_declaration_is_overruled_by_valid_utf_8() {
        assert!(decode("<meta charset=latin1>é".as_bytes(), None).ends_with('é'));
        assert!(decode("<meta charset=utf-16>é".as_bytes(), None).ends_with('é'));
        assert!(
            decode(
                "<meta charset=nonsense><meta charset=utf-8>é".as_bytes(),
                None
            )
            .ends_with('é')
        );
    }

    #[test]
    fn without_a_declaration_western_bytes_are_read_as_windows_does() {
        assert_eq!(decode("é".as_bytes(), None), "é");
        assert_eq!(decode(b"\x93quoted\x94 caf\xe9", None), "“quoted” café");
    }

    #[test]
    fn what_stands_for_nothing_is_marked() {
        assert_eq!(
            decode(b"<meta charset=utf-8>a\xffb", None),
            "<meta charset=utf-8>a\u{fffd}b"
        );
    }
}
