//! HTTP responses as archives hold them.
//!
//! Crawlers write what they received, or what they made of it: a body may be chunked or have been put together already,
//! compressed or have been decompressed already, under the same headers. So a header is a hint: a body that is not what
//! it says is taken as it is.
//!
//! Memory: the body as it came and as it is, each up to the caller's limit.

use std::io::{self, BufRead, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::ArchiveError;

/// The longest line and the most lines of a head.
const MAX_LINE: u64 = 1 << 16;
const MAX_LINES: usize = 1000;

/// The head of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Response {
    /// The status code; 0 if there is none.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Language`.
    pub language: Option<String>,
    /// `Location`.
    pub location: Option<String>,
    content_encoding: Option<String>,
    is_chunked: bool,
}

/// Reads a line of at most 64 KiB without its end; `None` at the end of the input.
pub(crate) fn line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if reader.take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    while line
        .last()
        .is_some_and(|last| matches!(last, b'\n' | b'\r'))
    {
        line.pop();
    }
    Ok(Some(line))
}

/// Reads `Name: value` lines up to an empty one; a line that starts with white space goes on with the one before it.
pub(crate) fn fields(
    reader: &mut impl BufRead,
    mut field: impl FnMut(&str, &str),
) -> io::Result<()> {
    let mut held: Option<String> = None;
    let mut tell = |text: String| {
        if let Some((name, value)) = text.split_once(':') {
            field(&name.trim().to_ascii_lowercase(), value.trim());
        }
    };
    for _ in 0..MAX_LINES {
        let Some(line) = line(reader)? else { break };
        if line.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        match &mut held {
            Some(before) if text.starts_with([' ', '\t']) => {
                before.push(' ');
                before.push_str(text.trim());
            }
            _ => {
                if let Some(before) = held.replace(text.into_owned()) {
                    tell(before);
                }
            }
        }
    }
    if let Some(last) = held {
        tell(last);
    }
    Ok(())
}

impl Response {
    /// Reads a head; a body that has none is told by its first bytes and left.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        let mut response = Self::default();
        if !reader.fill_buf()?.starts_with(b"HTTP/") {
            response.status = 200;
            return Ok(response);
        }
        let status = line(reader)?.unwrap_or_default();
        response.status = String::from_utf8_lossy(&status)
            .split_ascii_whitespace()
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        fields(reader, |name, value| {
            let value = || Some(value.to_owned());
            match name {
                "content-type" => response.content_type = value(),
                "content-language" => response.language = value(),
                "location" => response.location = value(),
                "content-encoding" => response.content_encoding = value(),
                "transfer-encoding" => {
                    response.is_chunked |=
                        value().is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
                }
                _ => {}
            }
        })?;
        Ok(response)
    }

    /// Reads the body as it was before the transport changed it.
    pub fn body(&self, reader: impl Read, limit: u64) -> Result<Vec<u8>, ArchiveError> {
        let mut body = limited(reader, limit)?;
        if self.is_chunked
            && let Some(whole) = joined(&body)
        {
            body = whole;
        }
        // Of several encodings, the last was applied last.
        let encodings = self.content_encoding.as_deref().unwrap_or_default();
        for encoding in encodings.rsplit(',') {
            let decoded = match encoding.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => decode(MultiGzDecoder::new(&*body), limit)?,
                // The standard says zlib; some servers send the bare stream.
                "deflate" => match decode(ZlibDecoder::new(&*body), limit)? {
                    None => decode(DeflateDecoder::new(&*body), limit)?,
                    decoded => decoded,
                },
                "br" => decode(
                    brotli_decompressor::Decompressor::new(&*body, 1 << 14),
                    limit,
                )?,
                _ => None,
            };
            body = decoded.unwrap_or(body);
        }
        Ok(body)
    }
}

/// Reads everything, or fails when there is more than `limit`.
pub(crate) fn limited(reader: impl Read, limit: u64) -> Result<Vec<u8>, ArchiveError> {
    let mut body = Vec::new();
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut body)?;
    if body.len() as u64 > limit {
        return Err(ArchiveError::TooLarge { limit });
    }
    Ok(body)
}

/// What a decompressor gives, as far as it gets; `None` if the input is nothing for it at all.
fn decode(mut reader: impl Read, limit: u64) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut decoded = Vec::new();
    let mut buffer = [0; 1 << 14];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => decoded.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
        if decoded.len() as u64 > limit {
            return Err(ArchiveError::TooLarge { limit });
        }
    }
    Ok((!decoded.is_empty()).then_some(decoded))
}

/// The chunks put together, as far as they go; `None` if the body does not begin with the size of a chunk.
fn joined(body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::with_capacity(body.len());
    let mut rest = body;
    let mut is_first = true;
    loop {
        let end = memchr::memchr(b'\n', &rest[..rest.len().min(1024)]);
        let size = end.and_then(|end| {
            let line = rest[..end].trim_ascii();
            let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
            usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        });
        let (Some(end), Some(size)) = (end, size) else {
            return (!is_first).then_some(whole);
        };
        is_first = false;
        rest = &rest[end + 1..];
        if size == 0 {
            return Some(whole);
        }
        let taken = size.min(rest.len());
        whole.extend_from_slice(&rest[..taken]);
        rest = &rest[taken..];
        rest = rest
            .strip_prefix(b"\r\n")
            .or_else(|| rest.strip_prefix(b"\n"))
            .unwrap_or(rest);
        if rest.is_empty() {
            return Some(whole);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn read(head: &str, body: &[u8]) -> (Response, Vec<u8>) {
        let bytes = [head.as_bytes(), b"\r\n\r\n", body].concat();
        let mut reader = &*bytes;
        let response = Response::read(&mut reader).unwrap();
        let body = response.body(reader, 1000).unwrap();
        (response, body)
    }

    #[test]
    fn heads_are_read_as_sloppily_as_they_are_written() {
        let (response, body) = read(
            "HTTP/1.1 200\nContent-type:text/html;\r\n  charset=x\nLocation: /a:b\nnonsense",
            b"body",
        );
        assert_eq!((response.status, &*body), (200, &b"body"[..]));
        assert_eq!(
            (
                response.content_type.as_deref(),
                response.location.as_deref()
            ),
            (Some("text/html; charset=x"), Some("/a:b"))
        );
        let mut bare = &b"<html>"[..];
        assert_eq!(Response::read(&mut bare).unwrap().status, 200);
        assert_eq!(bare, b"<html>");
    }

    #[test]
    fn chunks_are_joined_where_there_are_some() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked";
        for (body, whole) in [
            (&b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"[..], &b"abcde"[..]),
            (b"3\nabc\n0\n\n", b"abc"),
            (b"<html>no chunks", b"<html>no chunks"),
            (b"4\r\nabcd\r\nffffffff\r\ncut", b"abcdcut"),
            (b"4\r\nabcd\r\nzz\r\nlost", b"abcd"),
            (b"ffffffffffffffffff\r\nabc", b"ffffffffffffffffff\r\nabc"),
            (b"", b""),
        ] {
            assert_eq!(read(head, body).1, whole, "{}", body.escape_ascii());
        }
    }

    #[test]
    fn compressed_bodies_are_what_they_are() {
        let text = b"some words, ".repeat(9);
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(&text).unwrap();
        let gz = gz.finish().unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&text).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::fast());
        bare.write_all(&text).unwrap();
        let with = |name: &str, body: &[u8]| {
            read(
                &format!("HTTP/1.1 200 OK\r\nContent-Encoding: {name}"),
                body,
            )
            .1
        };
        assert_eq!(with("GZIP", &gz), text);
        assert_eq!(with("deflate", &zlib.finish().unwrap()), text);
        assert_eq!(with("deflate", &bare.finish().unwrap()), text);
        // "some" in Brotli's form for what is not compressed.
        assert_eq!(with("br", b"\x8b\x01\x80some\x03"), b"some");
        assert_eq!(with("gzip", b"<html>"), b"<html>");
        assert_eq!(with("identity", b"<html>"), b"<html>");
        let cut = with("gzip", &gz[..gz.len() - 9]);
        assert!(text.starts_with(&cut));
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut gz = GzEncoder::new(Vec::new(), Compression::best());
        gz.write_all(&vec![0; 100_000]).unwrap();
        let gz = gz.finish().unwrap();
        let head = &b"HTTP/1.1 200 OK\nContent-Encoding: gzip\n\n"[..];
        let bytes = [head, &gz].concat();
        let mut reader = &*bytes;
        let response = Response::read(&mut reader).unwrap();
        assert_eq!(response.body(reader, 1000).unwrap_err().code(), "too-large");
    }
}
