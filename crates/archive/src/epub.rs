//! EPUB books (EPUB 2 and 3): a ZIP file of XHTML chapters and pictures.
//!
//! `META-INF/container.xml` names the package document; its spine is the order of the chapters, its metadata the book's
//! title, language, rights and identifier. XML entities are not expanded, so none can explode.
//!
//! Memory: the ZIP's directory and the chapters' names; one member at a time. Order: the spine's.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zip::ZipArchive;

use crate::http::limited;
use crate::{ArchiveError, At};

/// The longest package document.
const MAX_PACKAGE: u64 = 16 << 20;

/// A book; a copy shares everything but its place in the file.
#[derive(Clone)]
pub struct Book {
    zip: ZipArchive<At>,
    encrypted: Arc<HashSet<String>>,
    /// The chapters' names in the ZIP file, in the order in which they are read.
    pub chapters: Arc<Vec<String>>,
    /// `dc:title`.
    pub title: Option<String>,
    /// `dc:language`.
    pub language: Option<String>,
    /// `dc:rights`, or a link with `rel="cc:license"`.
    pub rights: Option<String>,
    /// `dc:source` or `dc:identifier`, whichever is first a URL.
    pub url: Option<String>,
}

impl std::fmt::Debug for Book {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Book")
            .field("chapters", &self.chapters)
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

impl Book {
    /// Opens a book.
    ///
    /// # Errors
    /// `bad-epub`.
    pub fn open(file: File) -> Result<Self, ArchiveError> {
        let zip = ZipArchive::new(At::new(&Arc::new(file), 0))
            .map_err(|error| ArchiveError::BadEpub(error.to_string()))?;
        let mut book = Self {
            zip,
            encrypted: Arc::default(),
            chapters: Arc::default(),
            title: None,
            language: None,
            rights: None,
            url: None,
        };
        let container = book
            .text("META-INF/container.xml")?
            .ok_or_else(|| ArchiveError::BadEpub("it has no META-INF/container.xml".to_owned()))?;
        let mut package = None;
        elements(&container, |name, start, _| {
            if name == "rootfile" && package.is_none() {
                package = attribute(start, "full-path");
            }
        })?;
        let name = package
            .ok_or_else(|| ArchiveError::BadEpub("it names no package document".to_owned()))?;
        let package = book
            .text(&name)?
            .ok_or_else(|| ArchiveError::BadEpub(format!("it has no {name}")))?;
        book.read_package(&package, &name)?;
        if let Some(encryption) = book.text("META-INF/encryption.xml")? {
            let encrypted = Arc::make_mut(&mut book.encrypted);
            elements(&encryption, |name, start, _| {
                if name == "CipherReference" {
                    encrypted.extend(attribute(start, "URI"));
                }
            })?;
        }
        Ok(book)
    }

    fn read_package(&mut self, package: &str, name: &str) -> Result<(), ArchiveError> {
        let folder = name.rfind('/').map_or("", |slash| &name[..=slash]);
        let mut manifest = HashMap::new();
        let mut spine = Vec::new();
        elements(package, |name, start, text| {
            let said = || Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            match name {
                "title" if self.title.is_none() => self.title = said(),
                "language" if self.language.is_none() => self.language = said(),
                "rights" if self.rights.is_none() => self.rights = said(),
                "source" | "identifier" if self.url.is_none() => {
                    self.url = said().filter(|text| text.starts_with("http"));
                }
                "link" if attribute(start, "rel").as_deref() == Some("cc:license") => {
                    self.rights = attribute(start, "href").or_else(|| self.rights.take());
                }
                "item" => {
                    if let (Some(id), Some(href)) =
                        (attribute(start, "id"), attribute(start, "href"))
                    {
                        let kind = attribute(start, "media-type").unwrap_or_default();
                        manifest.insert(id, (href, kind));
                    }
                }
                "itemref" => spine.extend(attribute(start, "idref")),
                _ => {}
            }
        })?;
        let mut seen = HashSet::new();
        let chapters = Arc::make_mut(&mut self.chapters);
        for id in spine {
            if let Some((href, kind)) = manifest.get(&id)
                && matches!(kind.as_str(), "application/xhtml+xml" | "text/html" | "")
                && let Some(chapter) = inside(folder, href)
                && seen.insert(chapter.clone())
            {
                chapters.push(chapter);
            }
        }
        Ok(())
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, ArchiveError> {
        let found = self.read(name, MAX_PACKAGE)?;
        Ok(found.map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Whether there is a member of the name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// Reads a member of at most `limit` bytes, and says where it begins.
    ///
    /// # Errors
    /// `encrypted`, `too-large`, and `broken-input` when the ZIP file is damaged there.
    pub fn read(&mut self, name: &str, limit: u64) -> Result<Option<(Vec<u8>, u64)>, ArchiveError> {
        let Some(index) = self.zip.index_for_name(name) else {
            return Ok(None);
        };
        if self.encrypted.contains(name) {
            return Err(ArchiveError::Encrypted(name.to_owned()));
        }
        let broken = |error: zip::result::ZipError| ArchiveError::Io(std::io::Error::other(error));
        let mut member = self.zip.by_index(index).map_err(broken)?;
        let start = member.header_start();
        // The length in the directory may lie: what is read is counted.
        let bytes = limited(member.by_ref(), limit)?;
        Ok(Some((bytes, start)))
    }
}

/// Calls `found` for each element with its local name and the text up to its end (that of its last child left out).
fn elements(
    xml: &str,
    mut found: impl FnMut(&str, &BytesStart<'_>, &str),
) -> Result<(), ArchiveError> {
    let bad = |error: quick_xml::Error| ArchiveError::BadEpub(error.to_string());
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}'));
    let mut open: Option<BytesStart<'_>> = None;
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(bad)? {
            Event::Start(start) => {
                if let Some(outer) = open.replace(start) {
                    found(outer.local_name().as_ref(), &outer, &text);
                }
                text.clear();
            }
            Event::Empty(start) => found(start.local_name().as_ref(), &start, ""),
            Event::End(_) => {
                if let Some(inner) = open.take() {
                    found(inner.local_name().as_ref(), &inner, &text);
                }
                text.clear();
            }
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::CData(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => text.push(character),
                _ => text.push_str(
                    quick_xml::escape::resolve_predefined_entity(reference.as_ref()).unwrap_or(" "),
                ),
            },
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start
        .attributes()
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(value.into_owned())
}

/// A reference from `folder`, which ends with `/` or is empty; nothing for one that leads out of the book.
fn inside(folder: &str, reference: &str) -> Option<String> {
    // A URL's path of a book that lies in the root of nowhere: what percent-decoding and dots mean is the URL's.
    let base = url::Url::parse("epub:///")
        .and_then(|root| root.join(folder))
        .ok()?;
    let joined = base.join(reference).ok()?;
    if joined.scheme() != "epub" {
        return None;
    }
    let path = joined.path().trim_start_matches('/');
    let mut name = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if first == b'%' => {
                name.push(byte);
                rest = &tail[2..];
            }
            _ => {
                name.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(name).ok().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn book(members: &[(&str, &str)]) -> File {
        let mut zip = ZipWriter::new(tempfile::tempfile().unwrap());
        for (name, text) in members {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap()
    }

    const CONTAINER: (&str, &str) = (
        "META-INF/container.xml",
        "<container><rootfiles><rootfile full-path='O/p.opf'/></rootfiles></container>",
    );

    #[test]
    fn the_spine_is_the_order_of_the_chapters() {
        let package = "<?xml version='1.0'?><package><metadata xmlns:dc='x'><dc:title>A &amp; B</dc:title>\
            <dc:language>en</dc:language><dc:identifier>urn:isbn:1</dc:identifier><dc:source>https://b.example/1</dc:source>\
            <dc:rights>Public domain</dc:rights></metadata><manifest><item id='one' href='t/one%20.xhtml' media-type='application/xhtml+xml'/>\
            <item id='two' href='../two.html' media-type='text/html'/><item id='p' href='p.png' media-type='image/png'/></manifest>\
            <spine><itemref idref='two'/><itemref idref='p'/><itemref idref='one'/><itemref idref='one'/><itemref idref='none'/></spine></package>";
        let mut book = Book::open(book(&[
            CONTAINER,
            ("O/p.opf", package),
            ("O/t/one .xhtml", "<p>1"),
            (
                "META-INF/encryption.xml",
                "<e><CipherReference URI='O/p.png'/></e>",
            ),
            ("O/p.png", "x"),
        ]))
        .unwrap();
        assert_eq!(*book.chapters, ["two.html", "O/t/one .xhtml"]);
        assert_eq!(
            (
                book.title.as_deref(),
                book.language.as_deref(),
                book.rights.as_deref(),
                book.url.as_deref()
            ),
            (
                Some("A & B"),
                Some("en"),
                Some("Public domain"),
                Some("https://b.example/1")
            )
        );
        assert!(book.has("O/p.png") && !book.has("two.html"));
        assert_eq!(book.read("O/t/one .xhtml", 99).unwrap().unwrap().0, b"<p>1");
        assert_eq!(
            book.read("O/t/one .xhtml", 3).unwrap_err().code(),
            "too-large"
        );
        assert_eq!(book.read("O/p.png", 9).unwrap_err().code(), "encrypted");
        assert!(book.read("two.html", 9).unwrap().is_none());
    }

    #[test]
    fn what_is_no_book_is_refused() {
        let bomb = "<!DOCTYPE p [<!ENTITY a 'xxxxxxxxxx'><!ENTITY b '&a;&a;&a;&a;&a;'>]><package><metadata><title>&b;</title></metadata></package>";
        let harmless = Book::open(book(&[CONTAINER, ("O/p.opf", bomb)])).unwrap();
        assert_eq!((harmless.chapters.len(), harmless.title), (0, None));
        for members in [
            &[][..],
            &[("a.txt", "x")],
            &[CONTAINER],
            &[("META-INF/container.xml", "<a></b>")],
        ] {
            assert_eq!(Book::open(book(members)).unwrap_err().code(), "bad-epub");
        }
        let mut cut = tempfile::tempfile().unwrap();
        cut.write_all(b"PK\x03\x04 and no more").unwrap();
        assert_eq!(Book::open(cut).unwrap_err().code(), "bad-epub");
    }
}
