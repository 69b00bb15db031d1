//! WARC (ISO 28500) and ARC files.
//!
//! A page and its pictures are records anywhere in the file, so it is read twice: [`Warc::open`] goes through it once and
//! notes where pages, pictures and redirections begin; then pages and pictures are read where they lie. Compressed by the
//! record, as the standard recommends, a file stays as it is. Compressed as a whole, or without an end that could be
//! sought, it is copied to a temporary file first.
//!
//! A member or record that is damaged is told with its offset, and reading goes on at the next one: behind a broken gzip
//! member where another one inflates to the beginning of a record, in plain files at the next line that begins one.
//!
//! Memory: 8 bytes a page, 16 bytes a picture or redirection. Order: the file's.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use flate2::bufread::GzDecoder;
use url::Url;

use crate::file::{At, Counted};
use crate::http::{Response, limited, line};
use crate::record::{Head, Kind, is_first, media_type, skip_blank};
use crate::{ArchiveError, Problem, spool};

/// How many redirections lead to a picture at most.
const MAX_HOPS: usize = 5;
/// What a gzip member begins with; the flags' upper bits are never set.
const MEMBER: [u8; 3] = [0x1f, 0x8b, 8];

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Survey {
    /// Records that are whole.
    pub records: u64,
    /// Pages and pictures among them.
    pub kept: u64,
    /// The others, by the reason why they are not read.
    pub skipped: BTreeMap<&'static str, u64>,
    /// What is damaged.
    pub problems: Vec<Problem>,
}

/// What a page's record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The page's URL.
    pub url: String,
    /// The record's id, if it has one.
    pub id: Option<String>,
    /// When it was fetched.
    pub date: String,
    /// The label of the encoding.
    pub charset: Option<String>,
    /// `Content-Language`.
    pub language: Option<String>,
    /// Whether it was served as XHTML.
    pub is_xhtml: bool,
    /// The page.
    pub body: Vec<u8>,
}

/// A file whose records are known.
#[derive(Debug)]
pub struct Warc {
    file: Arc<File>,
    is_gzip: bool,
    pages: Vec<u64>,
    /// Hashes of URLs and where their records begin, in the order of the hashes.
    places: Vec<(u64, u64)>,
}

/// What a record is for us.
enum Class {
    Page,
    Picture,
    Redirect,
    Skip(&'static str),
}

/// Goes behind bytes that nobody wants.
trait Skip: BufRead {
    /// Gives how many there were.
    fn skip_bytes(&mut self, count: u64) -> io::Result<u64>;
}

impl<R: Read> Skip for BufReader<R> {
    fn skip_bytes(&mut self, count: u64) -> io::Result<u64> {
        io::copy(&mut self.take(count), &mut io::sink())
    }
}

impl Skip for Counted {
    fn skip_bytes(&mut self, count: u64) -> io::Result<u64> {
        let count = count.min(self.length()?.saturating_sub(self.at()));
        self.go(self.at() + count)?;
        Ok(count)
    }
}

/// A record that was gone through.
struct Passed {
    class: Class,
    url: String,
}

/// A web URL in the form in which two that mean the same are equal: as browsers write it, without the fragment.
#[must_use]
pub fn normal(url: &str) -> Option<String> {
    let mut url = Url::parse(url.trim()).ok()?;
    url.set_fragment(None);
    Some(url.into())
}

/// The files of a run are read by one process, so the hash need not outlive it.
fn hash_of(url: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    match normal(url) {
        Some(normal) => normal.hash(&mut hasher),
        None => url.hash(&mut hasher),
    }
    hasher.finish()
}

impl Warc {
    /// Goes through a file once. `stop` is asked before each record whether to give up.
    ///
    /// # Errors
    /// The file cannot be read, or the disk has no room for the copy of one that is compressed as a whole.
    pub fn open(file: File, stop: &dyn Fn() -> bool) -> Result<(Self, Survey), ArchiveError> {
        let file = Arc::new(file);
        let mut survey = Survey::default();
        let mut warc = Self {
            is_gzip: at(&file, 0, 2)? == MEMBER[..2],
            file,
            pages: Vec::new(),
            places: Vec::new(),
        };
        if warc.is_gzip && !warc.members(&mut survey, stop)? {
            // Several records in a member: none but the first could be sought.
            let whole = flate2::bufread::MultiGzDecoder::new(Counted::new(&warc.file, 0));
            let (copy, broken) = spool(whole)?;
            let end = copy.metadata()?.len();
            survey = Survey::default();
            warc = Self {
                file: Arc::new(copy),
                is_gzip: false,
                pages: Vec::new(),
                places: Vec::new(),
            };
            warc.records(&mut survey, stop)?;
            survey.problems.extend(broken.map(|error| Problem {
                offset: end,
                error: error.into(),
            }));
        } else if !warc.is_gzip {
            warc.records(&mut survey, stop)?;
        }
        // Stable: of several records with one URL the first is found.
        warc.places.sort_by_key(|(hash, _)| *hash);
        warc.places.dedup_by_key(|(hash, _)| *hash);
        warc.places.shrink_to_fit();
        Ok((warc, survey))
    }

    /// Goes through a file that is compressed by the record; false if it is not.
    fn members(
        &mut self,
        survey: &mut Survey,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, ArchiveError> {
        let mut input = Counted::new(&self.file, 0);
        let end = input.length()?;
        while !stop() && input.at() < end {
            let start = input.at();
            let passed = if at(&self.file, start, 2)? == MEMBER[..2] {
                member(&mut input)
            } else {
                let message = "no gzip member begins here".to_owned();
                Err(ArchiveError::BadRecord(message))
            };
            match passed {
                Ok(Member::Solid) => return Ok(false),
                Ok(Member::Empty) => {}
                Ok(Member::Record(passed)) => self.note(&passed, start, survey),
                // A record that is shorter than it says, in a member that is whole: the next one follows.
                Err(error @ ArchiveError::Truncated { .. }) => survey.problems.push(Problem {
                    offset: start,
                    error,
                }),
                Err(error) => {
                    survey.problems.push(Problem {
                        offset: start,
                        error,
                    });
                    match next_member(&self.file, start + 1)? {
                        Some(next) => input.go(next)?,
                        None => break,
                    }
                }
            }
        }
        Ok(true)
    }

    /// Goes through a plain file.
    fn records(
        &mut self,
        survey: &mut Survey,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), ArchiveError> {
        let mut input = Counted::new(&self.file, 0);
        while !stop() {
            skip_blank(&mut input)?;
            let start = input.at();
            let mut body = start + 1;
            let passed = pass(&mut input, &mut body).and_then(|passed| {
                if passed.is_some() {
                    check_next(&self.file, &mut input)?;
                }
                Ok(passed)
            });
            match passed {
                Ok(None) => break,
                Ok(Some(passed)) => self.note(&passed, start, survey),
                Err(error) => {
                    survey.problems.push(Problem {
                        offset: start,
                        error,
                    });
                    // Its length was wrong, so what it was thought to hold may hold the next one.
                    input.go(body)?;
                    if !go_to_next(&mut input)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, passed: &Passed, start: u64, survey: &mut Survey) {
        survey.records += 1;
        match passed.class {
            Class::Page => {
                survey.kept += 1;
                self.pages.push(start);
            }
            Class::Picture => {
                survey.kept += 1;
                self.places.push((hash_of(&passed.url), start));
            }
            Class::Redirect => {
                *survey.skipped.entry("redirect").or_default() += 1;
                self.places.push((hash_of(&passed.url), start));
            }
            Class::Skip(reason) => *survey.skipped.entry(reason).or_default() += 1,
        }
    }

    /// Where pages begin, in the file's order.
    #[must_use]
    pub fn pages(&self) -> &[u64] {
        &self.pages
    }

    fn place(&self, url: &str) -> Option<u64> {
        let hash = hash_of(url);
        let at = self
            .places
            .binary_search_by_key(&hash, |(hash, _)| *hash)
            .ok()?;
        Some(self.places[at].1)
    }

    /// Whether a record with the URL was noted, but for collisions of 64-bit hashes.
    #[must_use]
    pub fn has(&self, url: &str) -> bool {
        self.place(url).is_some()
    }

    /// Reads the page whose record begins at `offset`, of at most `limit` bytes.
    ///
    /// # Errors
    /// It is longer, or the file cannot be read.
    pub fn page(&self, offset: u64, limit: u64) -> Result<Resource, ArchiveError> {
        let (head, response, body) = self.read(offset, limit)?;
        let content_type = response
            .content_type
            .clone()
            .unwrap_or_else(|| head.content_type.clone());
        Ok(Resource {
            url: head.url,
            id: head.id,
            date: head.date,
            charset: charset(&content_type),
            language: response.language,
            is_xhtml: media_type(&content_type) == "application/xhtml+xml",
            body,
        })
    }

    /// Reads the picture with the URL, of at most `limit` bytes, and says where its record begins.
    ///
    /// # Errors
    /// It is longer, or the file cannot be read.
    pub fn picture(&self, url: &str, limit: u64) -> Result<Option<(Vec<u8>, u64)>, ArchiveError> {
        let mut url = url.to_owned();
        for _ in 0..=MAX_HOPS {
            let Some(offset) = self.place(&url) else {
                return Ok(None);
            };
            let (head, response, body) = self.read(offset, limit)?;
            if hash_of(&head.url) != hash_of(&url) || normal(&head.url) != normal(&url) {
                return Ok(None);
            }
            let Some(location) = response.location.filter(|_| is_redirect(response.status)) else {
                return Ok(Some((body, offset)));
            };
            match Url::parse(&url).and_then(|base| base.join(&location)) {
                Ok(next) => url = next.into(),
                Err(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    fn read(&self, offset: u64, limit: u64) -> Result<(Head, Response, Vec<u8>), ArchiveError> {
        let input = Counted::new(&self.file, offset);
        if self.is_gzip {
            contents(&mut BufReader::new(GzDecoder::new(input)), limit)
        } else {
            contents(&mut { input }, limit)
        }
    }
}

/// What a gzip member holds.
enum Member {
    Empty,
    Record(Passed),
    /// More than a record.
    Solid,
}

/// Goes through a gzip member.
fn member(input: &mut Counted) -> Result<Member, ArchiveError> {
    let mut member = BufReader::with_capacity(1 << 14, GzDecoder::new(input));
    let passed = pass(&mut member, &mut 0);
    if passed.is_ok() {
        skip_blank(&mut member)?;
        if member.fill_buf()?.starts_with(b"WARC/") {
            return Ok(Member::Solid);
        }
        let next = line(&mut member)?.unwrap_or_default();
        if is_first(&next) {
            return Ok(Member::Solid);
        }
    }
    // To the end in any case: only there the checksum stands, and behind it the next member.
    io::copy(&mut member, &mut io::sink())?;
    Ok(passed?.map_or(Member::Empty, Member::Record))
}

/// Goes through a record; `body` becomes the place of its contents in a plain file.
fn pass(reader: &mut impl Place, body: &mut u64) -> Result<Option<Passed>, ArchiveError> {
    let Some(head) = Head::read(reader)? else {
        return Ok(None);
    };
    *body = reader.place();
    let mut content = reader.take(head.length);
    let class = class(&head, &mut content)?;
    let left = content.limit();
    let skipped = reader.skip_bytes(left)?;
    if skipped < left {
        return Err(ArchiveError::Truncated {
            length: head.length,
            found: head.length - (left - skipped),
        });
    }
    Ok(Some(Passed {
        class,
        url: head.url,
    }))
}

/// A reader that may know where it is.
trait Place: Skip {
    /// The place of the next byte; 0 if nobody needs it.
    fn place(&self) -> u64;
}

impl<R: Read> Place for BufReader<R> {
    fn place(&self) -> u64 {
        0
    }
}

impl Place for Counted {
    fn place(&self) -> u64 {
        self.at()
    }
}

fn contents(
    reader: &mut impl BufRead,
    limit: u64,
) -> Result<(Head, Response, Vec<u8>), ArchiveError> {
    let head = Head::read(reader)?
        .ok_or_else(|| ArchiveError::BadRecord("the file has changed".to_owned()))?;
    let mut content = reader.take(head.length);
    let response = if head.is_http() {
        Response::read(&mut content)?
    } else {
        Response::default()
    };
    let body = if is_redirect(response.status) {
        Vec::new()
    } else if head.is_http() {
        response.body(content, limit)?
    } else {
        limited(content, limit)?
    };
    Ok((head, response, body))
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Whether a record is a page or a picture.
fn class(head: &Head, content: &mut impl BufRead) -> Result<Class, ArchiveError> {
    let content_type = match head.kind {
        Kind::Other(name) => return Ok(Class::Skip(name)),
        _ if head.length == 0 => return Ok(Class::Skip("empty")),
        Kind::Response if head.is_http() => {
            let response = Response::read(content)?;
            if is_redirect(response.status) && response.location.is_some() {
                return Ok(Class::Redirect);
            }
            if !(200..300).contains(&response.status) {
                return Ok(Class::Skip("status"));
            }
            response.content_type.unwrap_or_default()
        }
        Kind::Response | Kind::Resource => head.content_type.clone(),
    };
    let start = content.fill_buf()?;
    if is_picture(start) {
        return Ok(Class::Picture);
    }
    Ok(match media_type(&content_type).as_str() {
        "text/html" | "application/xhtml+xml" | "application/vnd.wap.xhtml+xml" => Class::Page,
        kind if kind.starts_with("image/") => Class::Picture,
        "" | "application/octet-stream" | "text/plain" | "no-type" | "unk" if is_html(start) => {
            Class::Page
        }
        _ => Class::Skip("other-type"),
    })
}

/// A picture says more reliably what it is than its server.
fn is_picture(start: &[u8]) -> bool {
    start.starts_with(b"\xff\xd8\xff")
        || start.starts_with(b"\x89PNG\r\n\x1a\n")
        || start.starts_with(b"GIF87a")
        || start.starts_with(b"GIF89a")
        || (start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP"))
        || (start.get(4..8) == Some(b"ftyp") && matches!(start.get(8..12), Some(b"avif" | b"avis")))
}

fn is_html(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    ["<!doctype html", "<html"].iter().any(|tag| {
        start
            .get(..tag.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(tag.as_bytes()))
    })
}

fn charset(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']).trim();
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then(|| value.to_owned())
    })
}

/// Up to `count` bytes of a file.
fn at(file: &Arc<File>, offset: u64, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    At::new(file, offset).take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The next place at which a gzip member begins that holds a record.
fn next_member(file: &Arc<File>, from: u64) -> io::Result<Option<u64>> {
    const WINDOW: usize = 1 << 18;
    let mut base = from;
    loop {
        let window = at(file, base, WINDOW as u64)?;
        for found in memchr::memmem::find_iter(&window, &MEMBER) {
            let place = base + found as u64;
            let mut member = BufReader::new(GzDecoder::new(Counted::new(file, place)));
            let first = skip_blank(&mut member).and_then(|()| line(&mut member));
            if matches!(first, Ok(Some(first)) if is_first(&first)) {
                return Ok(Some(place));
            }
        }
        if window.len() < WINDOW {
            return Ok(None);
        }
        // What begins in the last two bytes is seen in the next window.
        base += (window.len() - (MEMBER.len() - 1)) as u64;
    }
}

/// Whether what follows a record is another one, or the end.
fn check_next(file: &Arc<File>, input: &mut Counted) -> Result<(), ArchiveError> {
    skip_blank(input)?;
    let mut next = Counted::new(file, input.at());
    match line(&mut next)? {
        None => Ok(()),
        Some(first) if is_first(&first) => Ok(()),
        Some(_) => Err(ArchiveError::BadRecord(
            "its length does not lead to the next record".to_owned(),
        )),
    }
}

/// Goes to the next line that begins a record.
fn go_to_next(input: &mut Counted) -> io::Result<bool> {
    loop {
        let start = input.at();
        match line(input)? {
            None => return Ok(false),
            Some(first) if is_first(&first) => {
                input.go(start)?;
                return Ok(true);
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_urls_have_one_form() {
        assert_eq!(
            normal("HTTP://H.example:80/a/../b c?d#e").as_deref(),
            Some("http://h.example/b%20c?d")
        );
        assert_eq!(normal("b.png"), None);
        assert_eq!(
            hash_of("http://h.example/a#b"),
            hash_of("http://h.example/a")
        );
    }

    #[test]
    fn the_label_of_the_encoding_is_a_parameter() {
        assert_eq!(
            charset("text/html; a=b; Charset=\"utf-8\"").as_deref(),
            Some("utf-8")
        );
        assert_eq!(charset("text/html;charset="), None);
    }
}
