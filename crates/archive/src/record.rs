//! The head of a WARC or ARC record.
//!
//! Memory: the fields that are used.

use std::io::{self, BufRead};

use crate::ArchiveError;
use crate::http::{fields, line};

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An answer with the head that the server sent.
    Response,
    /// What was got by other means, without a head.
    Resource,
    /// Everything else, by the name under which it is counted.
    Other(&'static str),
}

/// The head of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub kind: Kind,
    pub url: String,
    /// `WARC-Record-ID` without its brackets.
    pub id: Option<String>,
    pub date: String,
    pub content_type: String,
    pub length: u64,
}

/// Whether a line begins a record.
pub(crate) fn is_first(line: &[u8]) -> bool {
    line.starts_with(b"WARC/") || arc(line).is_some()
}

impl Head {
    /// Reads a head behind blank lines; `None` at the end of the input.
    pub fn read(reader: &mut impl BufRead) -> Result<Option<Self>, ArchiveError> {
        skip_blank(reader)?;
        let Some(first) = line(reader)? else {
            return Ok(None);
        };
        if !first.starts_with(b"WARC/") {
            let head = arc(&first).ok_or_else(|| {
                let start = first[..first.len().min(40)].escape_ascii();
                ArchiveError::BadRecord(format!("\"{start}\" begins no record"))
            })?;
            return Ok(Some(head));
        }
        let mut head = Self {
            kind: Kind::Other("other"),
            url: String::new(),
            id: None,
            date: String::new(),
            content_type: String::new(),
            length: 0,
        };
        let mut length = None;
        fields(reader, |name, value| {
            let bare = || {
                let value = value.strip_prefix('<').unwrap_or(value);
                value.strip_suffix('>').unwrap_or(value).trim().to_owned()
            };
            match name {
                "warc-type" => head.kind = kind(value),
                // Heritrix writes it bare, wget 1.14 in brackets.
                "warc-target-uri" => head.url = bare(),
                "warc-record-id" => head.id = Some(bare()).filter(|id| !id.is_empty()),
                "warc-date" => value.clone_into(&mut head.date),
                "content-type" => value.clone_into(&mut head.content_type),
                "content-length" => length = value.parse().ok(),
                _ => {}
            }
        })?;
        head.length = length
            .ok_or_else(|| ArchiveError::BadRecord("a record without a length".to_owned()))?;
        Ok(Some(head))
    }

    /// Whether its contents begin with the head of an HTTP response.
    pub fn is_http(&self) -> bool {
        self.kind == Kind::Response
            && (self.content_type.is_empty()
                || media_type(&self.content_type) == "application/http")
    }
}

/// Goes behind blank lines.
pub(crate) fn skip_blank(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let blank = buffer
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let is_all = blank == buffer.len() && blank > 0;
        reader.consume(blank);
        if !is_all {
            return Ok(());
        }
    }
}

/// A media type without its parameters, in lower case.
pub(crate) fn media_type(content_type: &str) -> String {
    let bare = content_type.split(';').next().unwrap_or(content_type);
    bare.trim().to_ascii_lowercase()
}

fn kind(value: &str) -> Kind {
    match value.to_ascii_lowercase().as_str() {
        "response" => Kind::Response,
        "resource" => Kind::Resource,
        "request" => Kind::Other("request"),
        "metadata" => Kind::Other("metadata"),
        "warcinfo" => Kind::Other("warcinfo"),
        "revisit" => Kind::Other("revisit"),
        "conversion" => Kind::Other("conversion"),
        "continuation" => Kind::Other("continuation"),
        _ => Kind::Other("other"),
    }
}

/// The head of an ARC record: `URL IP date type length`, of version 2 with five more fields before the length.
fn arc(line: &[u8]) -> Option<Head> {
    let text = std::str::from_utf8(line).ok()?;
    let parts: Vec<&str> = text.split(' ').collect();
    let count = parts.len();
    let length = parts.last()?.parse().ok()?;
    // Some URLs hold blanks, so fields are counted from the end.
    let is_date = |part: &str| part.len() >= 8 && part.bytes().all(|byte| byte.is_ascii_digit());
    let (url_end, date, content_type) = if count >= 5 && is_date(parts[count - 3]) {
        (count - 4, parts[count - 3], parts[count - 2])
    } else if count >= 10 && is_date(parts[count - 8]) {
        (count - 9, parts[count - 8], parts[count - 7])
    } else {
        return None;
    };
    let url = parts[..url_end].join(" ");
    let (scheme, _) = url.split_once(':')?;
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    Some(Head {
        kind: match scheme {
            "filedesc" => Kind::Other("warcinfo"),
            "http" | "https" => Kind::Response,
            _ => Kind::Other("other"),
        },
        url,
        id: None,
        date: date.to_owned(),
        // Of the document, not of the record, which holds an HTTP response whatever is said here.
        content_type: String::new(),
        length,
    })
    .filter(|_| !content_type.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warc_head_has_its_fields_in_any_order_and_form() {
        let text = b"\r\n\r\nWARC/1.0\r\nContent-Length: 12\r\nwarc-type: Response\r\nWARC-Target-URI: <http://a.example/>\r\n\
                     WARC-Record-ID: <urn:uuid:1>\nContent-Type: application/http; msgtype=response\n\nrest";
        let mut reader = &text[..];
        let head = Head::read(&mut reader).unwrap().unwrap();
        assert_eq!(
            (head.kind, head.length, head.is_http()),
            (Kind::Response, 12, true)
        );
        assert_eq!(
            (head.url.as_str(), head.id.as_deref()),
            ("http://a.example/", Some("urn:uuid:1"))
        );
        assert_eq!(reader, b"rest");
        let short = Head::read(&mut &b"WARC/1.0\r\nWARC-Type: response\r\n\r\n"[..]);
        assert_eq!(short.unwrap_err().code(), "bad-record");
        assert!(Head::read(&mut &b"\r\n\n"[..]).unwrap().is_none());
    }

    #[test]
    fn an_arc_head_is_one_line() {
        let read = |line: &str| arc(line.as_bytes());
        let head = read("http://a.example/b c 192.0.2.1 20140216050221 text/html 1591").unwrap();
        assert_eq!(
            (head.url.as_str(), head.length),
            ("http://a.example/b c", 1591)
        );
        let second = "http://a.example/ 192.0.2.1 20140216050221 text/html 200 - - 1234 a.arc 99";
        assert_eq!(read(second).unwrap().date, "20140216050221");
        let first = read("filedesc://a.arc.gz 127.0.0.1 20140216050221 text/plain 75").unwrap();
        assert_eq!(first.kind, Kind::Other("warcinfo"));
        for bad in [
            "",
            "a b c d e",
            "http://a.example/ 1 20140216050221 text/html -",
            "see http://x 1 20140216 t 1",
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
