//! The samples of a `WebDataset` tar.
//!
//! Files that follow one another and share their name up to the first dot of its last part are a sample: `a/7.jpg`,
//! `a/7.txt`, `a/7.json`.
//!
//! Memory: a sample; each of its files up to the caller's limit. Order: the tar's.

use std::io::Read;
use std::ops::ControlFlow;

use crate::{ArchiveError, Problem};

/// How many files a sample has at most: beyond it, the next sample begins.
const MAX_FILES: usize = 64;

/// A file of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name in the tar.
    pub name: String,
    /// What comes behind the first dot, in lower case.
    pub ending: String,
    /// Where its header begins.
    pub offset: u64,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// Files with one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The name without endings.
    pub key: String,
    /// The files.
    pub members: Vec<Member>,
}

/// What comes out of a tar.
#[derive(Debug)]
pub enum Event {
    /// A sample.
    Sample(Sample),
    /// A part that was lost.
    Problem(Problem),
}

/// Reads a tar to its end or until `take` breaks. `limit` tells by a file's ending how many bytes of it are read; a file
/// without one is not wanted.
pub fn read<B>(
    reader: impl Read,
    limit: impl Fn(&str) -> Option<u64>,
    mut take: impl FnMut(Event) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let mut sample = Sample::default();
    let mut archive = tar::Archive::new(reader);
    let mut end = 0;
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return take(problem(0, error.into())),
    };
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                // Nothing tells where the next header is: what is left of the tar is lost.
                flush(&mut sample, &mut take)?;
                return take(problem(end, error.into()));
            }
        };
        let offset = entry.raw_header_position();
        end = entry
            .raw_file_position()
            .saturating_add(entry.size())
            .div_ceil(512)
            * 512;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some((key, ending)) = split(&name) else {
            continue;
        };
        let Some(limit) = limit(&ending) else {
            continue;
        };
        if key != sample.key || sample.members.len() >= MAX_FILES {
            flush(&mut sample, &mut take)?;
            key.clone_into(&mut sample.key);
        }
        if entry.size() > limit {
            take(problem(offset, ArchiveError::TooLarge { limit }))?;
            continue;
        }
        let mut bytes = Vec::new();
        match entry.read_to_end(&mut bytes) {
            Ok(length) if length as u64 == entry.size() => sample.members.push(Member {
                name,
                ending,
                offset,
                bytes,
            }),
            Ok(length) => {
                // Only a tar that ends here has less.
                let (length, found) = (entry.size(), length as u64);
                flush(&mut sample, &mut take)?;
                return take(problem(offset, ArchiveError::Truncated { length, found }));
            }
            Err(error) => {
                flush(&mut sample, &mut take)?;
                return take(problem(offset, error.into()));
            }
        }
    }
    flush(&mut sample, &mut take)
}

fn problem(offset: u64, error: ArchiveError) -> Event {
    Event::Problem(Problem { offset, error })
}

fn flush<B>(sample: &mut Sample, take: &mut impl FnMut(Event) -> ControlFlow<B>) -> ControlFlow<B> {
    let full = std::mem::take(sample);
    if full.members.is_empty() {
        ControlFlow::Continue(())
    } else {
        take(Event::Sample(full))
    }
}

/// A name without its endings, and these.
fn split(name: &str) -> Option<(&str, String)> {
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = name[start..].find('.')? + start;
    (dot > start).then(|| (&name[..dot], name[dot + 1..].to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn events(bytes: &[u8]) -> Vec<String> {
        let mut told = Vec::new();
        let limit = |ending: &str| (ending != "cls").then_some(100);
        let _: ControlFlow<()> = read(bytes, limit, |event| {
            told.push(match event {
                Event::Sample(sample) => {
                    let names: Vec<&str> = sample
                        .members
                        .iter()
                        .map(|member| member.ending.as_str())
                        .collect();
                    format!("{}: {}", sample.key, names.join(" "))
                }
                Event::Problem(problem) => {
                    format!("{} {}", problem.offset, problem.error.code())
                }
            });
            ControlFlow::Continue(())
        });
        told
    }

    #[test]
    fn files_of_one_name_are_a_sample() {
        let long = format!("{}/7.TXT", "d".repeat(150));
        let bytes = tar(&[
            ("a/1.jpg", b"j"),
            ("a/1.seg.png", b"p"),
            ("a/1.cls", b"0"),
            (".hidden", b"x"),
            ("readme", b"x"),
            ("a/2.txt", b"t"),
            ("b/2.txt", &[b'x'; 101]),
            ("b/2.json", b"{}"),
            (&long, b"t"),
        ]);
        let told = events(&bytes);
        assert_eq!(told[..2], ["a/1: jpg seg.png", "a/2: txt"]);
        assert!(told[2].ends_with("too-large"), "{told:?}");
        assert_eq!(told[3], "b/2: json");
        assert_eq!(told[4], format!("{}/7: txt", "d".repeat(150)));
    }

    #[test]
    fn what_is_whole_before_the_damage_is_kept() {
        let bytes = tar(&[("1.txt", b"one"), ("2.txt", b"two"), ("3.txt", b"three")]);
        assert_eq!(events(&bytes[..1537]), ["1: txt", "1024 truncated-record"]);
        let mut broken = bytes.clone();
        broken[1024 + 150] ^= 1;
        assert_eq!(events(&broken), ["1: txt", "1024 broken-input"]);
        assert_eq!(
            events(&bytes[..1024 + 100]),
            ["1: txt", "1024 broken-input"]
        );
    }
}
