//! What a file is, by its first bytes.
//!
//! Names lie and standard input has none, so the bytes are asked first; a name decides only between kinds of plain text.
//! Compressed files are looked into.

use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

/// What a document looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
pub enum From {
    /// By the first bytes of each file
    Auto,
    /// HTML, a document a file
    Html,
    /// WARC or ARC, plain, compressed by the record or as a whole: a document a page
    Warc,
    /// OBELICS JSON Lines, a document a line
    Obelics,
    /// MMC4 JSON Lines, a document a line
    Mmc4,
    /// `OmniCorpus` JSON Lines, a document a line
    Omnicorpus,
    /// Markdown, a document a file
    Markdown,
    /// EPUB, a document a chapter
    Epub,
    /// `WebDataset`: a tar file, a document a sample
    Webdataset,
    /// OBELICS, MMC4 or `OmniCorpus` as Parquet, a document a row
    Parquet,
}

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One HTML page.
    Html,
    /// One Markdown text.
    Markdown,
    /// JSON Lines; [`From`] or the keys tell the dialect.
    Lines,
    /// WARC or ARC.
    Warc,
    /// A ZIP file that is an EPUB book.
    Epub,
    /// A tar file of samples.
    Webdataset,
    /// Parquet.
    Parquet,
    /// Nothing that is known.
    Unknown,
}

/// How much of a file is asked for: a tar file's mark stands at byte 257.
pub const HEAD: usize = 1024;

/// Whether more than these bytes may be needed to tell what it is.
pub fn is_open(head: &[u8]) -> bool {
    // JSON and HTML show themselves at once: a lone line on an open pipe must not wait.
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let is_told = matches!(text.trim_ascii_start().first(), Some(b'{' | b'<'));
    !is_told && head.len() < 512
}

impl From {
    /// What the user says a file is; `None` to look at it.
    pub fn form(self) -> Option<Form> {
        match self {
            Self::Auto => None,
            Self::Html => Some(Form::Html),
            Self::Warc => Some(Form::Warc),
            Self::Obelics | Self::Mmc4 | Self::Omnicorpus => Some(Form::Lines),
            Self::Markdown => Some(Form::Markdown),
            Self::Epub => Some(Form::Epub),
            Self::Webdataset => Some(Form::Webdataset),
            Self::Parquet => Some(Form::Parquet),
        }
    }
}

/// What the first bytes, decompressed, say.
pub fn sniff(head: &[u8], name: &str) -> Form {
    if head.starts_with(b"WARC/") || head.starts_with(b"filedesc://") {
        return Form::Warc;
    }
    if head.starts_with(b"PK\x03\x04") {
        return Form::Epub;
    }
    if head.starts_with(b"PAR1") {
        return Form::Parquet;
    }
    if head.get(257..262) == Some(b"ustar") {
        return Form::Webdataset;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let is_utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let start = text.trim_ascii_start();
    // HTML and braces (of Jekyll and its kin) stand at the beginning of many a Markdown file; whole pages do not.
    if is_markdown(name) && !is_page(start) && !start.is_empty() && !is_binary(head) {
        return Form::Markdown;
    }
    match start.first() {
        // Nothing at all is no lines.
        None | Some(b'{') => Form::Lines,
        // Some pages hold a NUL; pictures and programs hold many.
        Some(first) if *first != b'<' && !is_utf16 && is_binary(head) => Form::Unknown,
        _ => Form::Html,
    }
}

/// Whether text begins as a whole HTML page does.
fn is_page(text: &[u8]) -> bool {
    [&b"<!doctype"[..], b"<html", b"<?xml"].iter().any(|start| {
        text.get(..start.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(start))
    })
}

fn is_binary(head: &[u8]) -> bool {
    let odd = |byte: &&u8| **byte < 0x20 && !byte.is_ascii_whitespace() && **byte != 0x1b;
    head.iter().filter(odd).count() * 20 > head.len()
}

/// Whether a name says Markdown.
fn is_markdown(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = plain(&name);
    Path::new(name)
        .extension()
        .is_some_and(|end| end == "md" || end == "markdown")
}

/// Whether a name says WARC or ARC.
pub fn is_warc(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    Path::new(plain(&name))
        .extension()
        .is_some_and(|end| end == "warc" || end == "arc")
}

/// Without the ending of a compressed file.
fn plain(name: &str) -> &str {
    name.strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"))
        .unwrap_or(name)
}

/// Whether a file in a folder is taken, by its name.
pub fn is_document(path: &Path) -> bool {
    let Some(name) = path.file_name() else {
        return false;
    };
    let name = name.to_string_lossy().to_ascii_lowercase();
    let name = plain(&name);
    Path::new(name).extension().is_some_and(|end| {
        matches!(
            &*end.to_string_lossy(),
            "html"
                | "htm"
                | "xhtml"
                | "jsonl"
                | "ndjson"
                | "warc"
                | "arc"
                | "epub"
                | "tar"
                | "parquet"
                | "md"
                | "markdown"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        let mut tar = vec![0; 512];
        tar[..5].copy_from_slice(b"a.txt");
        tar[257..262].copy_from_slice(b"ustar");
        for (head, name, form) in [
            (&b"WARC/1.0\r\n"[..], "x", Form::Warc),
            (b"filedesc://a.arc 0.0.0.0 2013", "x", Form::Warc),
            (b"PK\x03\x04\x14", "a.html", Form::Epub),
            (b"PAR1\x15", "x", Form::Parquet),
            (&tar, "x", Form::Webdataset),
            (b" \n{\"images\":", "a.html", Form::Lines),
            (b"\xef\xbb\xbf<!doctype", "x.md", Form::Html),
            (b"# Head", "A.MD", Form::Markdown),
            (b"<p align=center>", "A.md", Form::Markdown),
            (b"{% raw %}", "A.md", Form::Markdown),
            (b"# Head", "A.md.gz", Form::Markdown),
            (b"plain words", "x.txt", Form::Html),
            (b"\xff\xfe<\0p\0>\0", "x", Form::Html),
            (
                b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0",
                "x.html",
                Form::Unknown,
            ),
            (b"", "x.html", Form::Lines),
        ] {
            assert_eq!(sniff(head, name), form, "{}", head.escape_ascii());
        }
    }

    #[test]
    fn what_waits_for_more_bytes() {
        assert!(!is_open(b"{\"a\":1}\n"));
        assert!(!is_open(b"\xef\xbb\xbf <p>"));
        for head in [&b""[..], b" \n", b"W", b"a.txt\0\0\0", b"# Head\n"] {
            assert!(is_open(head));
        }
        assert!(!is_open(&[0; 512]));
    }

    #[test]
    fn folders_hold_documents_by_name() {
        for name in [
            "a.HTML",
            "b.warc.gz",
            "c.arc",
            "d.epub",
            "e.tar.zst",
            "f.jsonl.gz",
            "g.md",
        ] {
            assert!(is_document(Path::new(name)), "{name}");
        }
        for name in ["a.png", "b.css", ".gz", "html", "c.json"] {
            assert!(!is_document(Path::new(name)), "{name}");
        }
    }
}
