//! The bytes of a picture that a record names: a path, a `file:` URI or a `data:` URI.
//!
//! Memory: the file once. A file longer than the limit is refused from its metadata, before it is read; what is not a
//! regular file (a directory, a pipe, a device) is refused, because it could block or never end.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::{Limits, PictureError};

/// Padding is optional in practice: browsers accept both.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Reads the picture that a record names: its `path` when there is one, else its `url`.
///
/// # Errors
/// `unreadable` for a file that cannot be read (or a record that names none), `too-large` beyond
/// [`Limits::max_bytes`], `bad-data-uri`, and `not-local` for any URL but `file:` and `data:`.
pub fn read(
    path: Option<&str>,
    url: Option<&str>,
    limits: &Limits,
) -> Result<Vec<u8>, PictureError> {
    match (path, url) {
        (Some(path), _) => read_file(Path::new(path), path, limits),
        (None, Some(url)) => read_url(url, limits),
        (None, None) => Err(PictureError::Unreadable {
            name: "the picture".to_owned(),
            why: "the record has neither path nor url".to_owned(),
        }),
    }
}

fn read_url(url: &str, limits: &Limits) -> Result<Vec<u8>, PictureError> {
    if let Some(data) = strip_scheme(url, "data:") {
        return read_data_uri(data, limits);
    }
    let Some(rest) = strip_scheme(url, "file:") else {
        return Err(PictureError::NotLocal(shorten(url)));
    };
    // file:/p, file:///p and file://localhost/p name a path of this machine (RFC 8089).
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(rest) => rest
            .strip_prefix("localhost")
            .filter(|path| path.starts_with('/'))
            .or_else(|| rest.starts_with('/').then_some(rest))
            .ok_or_else(|| PictureError::NotLocal(shorten(url)))?,
    };
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let path =
        String::from_utf8(percent_decode(path)).map_err(|error| PictureError::Unreadable {
            name: shorten(url),
            why: error.to_string(),
        })?;
    read_file(Path::new(&path), url, limits)
}

fn read_file(path: &Path, name: &str, limits: &Limits) -> Result<Vec<u8>, PictureError> {
    let unreadable = |why: String| PictureError::Unreadable {
        name: shorten(name),
        why,
    };
    // Looked at before it is opened: opening a named pipe would wait for a writer.
    let found = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !found.is_file() {
        return Err(unreadable("not a regular file".to_owned()));
    }
    check_length(found.len(), limits)?;
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    file.take(limits.max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    check_length(bytes.len() as u64, limits)?;
    Ok(bytes)
}

/// `data:[mime][;parameter]*[;base64],data`, without its scheme (RFC 2397).
fn read_data_uri(rest: &str, limits: &Limits) -> Result<Vec<u8>, PictureError> {
    let (head, body) = rest
        .split_once(',')
        .ok_or_else(|| PictureError::BadDataUri("no comma".to_owned()))?;
    let is_base64 = head
        .rsplit(';')
        .next()
        .is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    if !is_base64 {
        let bytes = percent_decode(body);
        check_length(bytes.len() as u64, limits)?;
        return Ok(bytes);
    }
    let mut text = percent_decode(body);
    text.retain(|byte| !byte.is_ascii_whitespace());
    check_length(text.len() as u64 / 4 * 3, limits)?;
    BASE64
        .decode(&text)
        .map_err(|error| PictureError::BadDataUri(error.to_string()))
}

fn check_length(bytes: u64, limits: &Limits) -> Result<(), PictureError> {
    let limit = limits.max_bytes;
    if bytes > limit {
        return Err(PictureError::TooLarge { bytes, limit });
    }
    Ok(())
}

/// The rest of `url` behind `scheme`, which compares without case (RFC 3986 §3.1).
fn strip_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = url.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Undoes `%41` escapes; a `%` that starts none stays as it is.
fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = (first == b'%').then(|| tail.get(..2)).flatten();
        let value = escape
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(value.unwrap_or(first));
        rest = if value.is_some() { &tail[2..] } else { tail };
    }
    bytes
}

/// A name short enough for a message: the first 200 characters.
fn shorten(name: &str) -> String {
    let mut short: String = name.chars().take(200).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(path: Option<&str>, url: Option<&str>) -> &'static str {
        read(path, url, &Limits::default()).unwrap_err().code()
    }

    #[test]
    fn a_data_uri_gives_its_bytes() {
        let read = |url| read(None, Some(url), &Limits::default()).unwrap();
        assert_eq!(
            read("data:image/png;base64,iVBORw0KGgo="),
            b"\x89PNG\r\n\x1a\n"
        );
        assert_eq!(read("DATA:;base64,iVBO Rw0K%0AGgo"), b"\x89PNG\r\n\x1a\n");
        assert_eq!(read("data:,a%20b%zz%"), b"a b%zz%");
    }

    #[test]
    fn bad_data_uris_are_named() {
        assert_eq!(code(None, Some("data:image/png;base64")), "bad-data-uri");
        assert_eq!(
            code(None, Some("data:image/png;base64,!!!")),
            "bad-data-uri"
        );
    }

    #[test]
    fn only_this_machine_is_local() {
        for url in [
            "https://a.example/b.png",
            "//a/b.png",
            "b.png",
            "file://host/b.png",
            "é",
        ] {
            assert_eq!(code(None, Some(url)), "not-local", "{url}");
        }
    }

    #[test]
    fn a_file_uri_names_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b#.png");
        std::fs::write(&path, b"x").unwrap();
        let escaped = path
            .to_str()
            .unwrap()
            .replace(' ', "%20")
            .replace('#', "%23");
        for url in [
            format!("file:{escaped}"),
            format!("file://{escaped}?q"),
            format!("FILE://localhost{escaped}#f"),
        ] {
            assert_eq!(
                read(None, Some(&url), &Limits::default()).unwrap(),
                b"x",
                "{url}"
            );
        }
        // The path wins over the url.
        let both = read(
            path.to_str(),
            Some("https://a.example/"),
            &Limits::default(),
        );
        assert_eq!(both.unwrap(), b"x");
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
        assert_eq!(code(Some("/dev/zero"), None), "unreadable");
        assert_eq!(code(Some("/"), None), "unreadable");
        assert_eq!(code(Some("no/such/file.png"), None), "unreadable");
        assert_eq!(code(None, None), "unreadable");
    }

    #[test]
    fn the_length_is_limited() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        std::fs::write(&path, [0; 11]).unwrap();
        let limits = Limits {
            max_bytes: 10,
            ..Limits::default()
        };
        assert_eq!(
            read(path.to_str(), None, &limits).unwrap_err().code(),
            "too-large"
        );
        let uri = "data:;base64,AAAAAAAAAAAAAAAAAAAA";
        assert_eq!(
            read(None, Some(uri), &limits).unwrap_err().code(),
            "too-large"
        );
    }
}
