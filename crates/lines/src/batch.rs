//! Operands cut into batches of whole lines.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::{Operand, Stop};

/// What one read asks of the operating system.
const BLOCK: usize = 1 << 18;
/// Blocks that may wait to be cut into lines.
const WAITING: usize = 4;
/// How much of a line that is too long is kept for its reject record.
const PREFIX: usize = 4096;
/// How often a reader that waits for input looks whether the run is over.
const PATIENCE: Duration = Duration::from_millis(50);

/// Where batches end.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// A longer line is a [`Problem`], and its bytes are not kept.
    pub max_line: usize,
    /// At most so many lines a batch.
    pub max_lines: usize,
    /// About so many bytes a batch, when they are there to be had without waiting.
    pub bytes: usize,
}

impl Default for Cut {
    fn default() -> Self {
        Self {
            max_line: 32 << 20,
            max_lines: 1024,
            bytes: 1 << 18,
        }
    }
}

/// What kept a line from being read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The line is longer than allowed.
    TooLong {
        /// Its length in bytes.
        bytes: u64,
    },
    /// The operand broke off here: a cut gzip member, a failing disk.
    Broken {
        /// The reader's words.
        message: String,
    },
}

impl Problem {
    /// A stable name of the problem for reject records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "line-too-long",
            Self::Broken { .. } => "broken-input",
        }
    }
}

/// One line of a [`Batch`].
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The bytes without the newline; of a line that is too long, the first 4 KiB.
    pub bytes: &'a [u8],
    /// The operand.
    pub file: &'a str,
    /// The number of the line in the operand, counted from 1.
    pub number: u64,
    /// What is wrong with it as a line.
    pub problem: Option<&'a Problem>,
}

#[derive(Debug)]
struct Span {
    range: Range<usize>,
    number: u64,
    file: Arc<str>,
    problem: Option<Problem>,
}

/// Some lines that follow one another.
#[derive(Debug, Default)]
pub struct Batch {
    buffer: Vec<u8>,
    spans: Vec<Span>,
    units: u64,
}

impl Batch {
    /// The lines in input order; blank lines are left out.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.spans.iter().map(|span| Line {
            bytes: &self.buffer[span.range.clone()],
            file: &span.file,
            number: span.number,
            problem: span.problem.as_ref(),
        })
    }

    /// How many lines of input the batch stands for, blank ones too: what a resumed run skips.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.units
    }

    /// Whether there is no line in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
}

enum Event {
    Open(Arc<str>),
    Block(Vec<u8>),
    Broken(String),
}

/// The batches of a list of operands, in order.
///
/// A thread of its own reads ahead. A batch takes what is there to be had and waits for nothing once it holds a line, so
/// that a line that is alone on an open pipe is worked on at once; under load a batch grows to what [`Cut`] allows.
///
/// Memory: four blocks of 256 KiB, a batch, and the longest line that is allowed.
#[derive(Debug)]
pub struct Batches {
    events: Receiver<Event>,
    queue: VecDeque<Event>,
    stop: Stop,
    cut: Cut,
    skip: u64,
    file: Arc<str>,
    number: u64,
    block: Vec<u8>,
    at: usize,
    pending: Vec<u8>,
    /// Bytes of the current line beyond what `pending` keeps; set once the line is too long.
    excess: Option<u64>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(file) => write!(formatter, "Open({file})"),
            Self::Block(bytes) => write!(formatter, "Block({} bytes)", bytes.len()),
            Self::Broken(message) => write!(formatter, "Broken({message})"),
        }
    }
}

impl Batches {
    /// Reads `operands` one after the other and leaves out their first `skip` lines.
    #[must_use]
    pub fn new(operands: Vec<Operand>, cut: Cut, skip: u64, stop: &Stop) -> Self {
        let events = ahead(move |sender| {
            for operand in operands {
                send(sender, Event::Open(operand.name()))?;
                match operand.open() {
                    Ok(reader) => read(reader, sender)?,
                    Err(error) => send(sender, Event::Broken(error.to_string()))?,
                }
            }
            Ok(())
        });
        Self::over(events, cut, skip, stop)
    }

    /// Reads what is open already, under the name `name`.
    #[must_use]
    pub fn of_reader(name: Arc<str>, reader: Box<dyn Read + Send>, cut: Cut, stop: &Stop) -> Self {
        let events = ahead(move |sender| {
            send(sender, Event::Open(name))?;
            read(reader, sender)
        });
        Self::over(events, cut, 0, stop)
    }

    fn over(events: Receiver<Event>, cut: Cut, skip: u64, stop: &Stop) -> Self {
        Self {
            events,
            queue: VecDeque::new(),
            stop: stop.clone(),
            cut,
            skip,
            file: Arc::from("-"),
            number: 0,
            block: Vec::new(),
            at: 0,
            pending: Vec::new(),
            excess: None,
        }
    }

    /// The next event; without `wait`, only if it is there already.
    fn event(&mut self, wait: bool) -> Option<Event> {
        if let Some(event) = self.queue.pop_front() {
            return Some(event);
        }
        if !wait {
            return self.events.try_recv().ok();
        }
        loop {
            match self.events.recv_timeout(PATIENCE) {
                Ok(event) => return Some(event),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if self.stop.is_set() => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Ends the current line and, unless it is blank or skipped, puts it into `batch`.
    fn end_line(&mut self, batch: &mut Batch, tail: Range<usize>, problem: Option<Problem>) {
        self.number += 1;
        let excess = self.excess.take();
        if self.skip > 0 {
            self.skip -= 1;
            self.pending.clear();
            return;
        }
        batch.units += 1;
        let start = batch.buffer.len();
        batch.buffer.append(&mut self.pending);
        let kept = batch.buffer.len() - start;
        let problem = match excess {
            Some(excess) => Some(Problem::TooLong {
                bytes: kept as u64 + excess + tail.len() as u64,
            }),
            None if kept + tail.len() > self.cut.max_line => {
                let bytes = (kept + tail.len()) as u64;
                batch.buffer.extend_from_slice(&self.block[tail]);
                batch.buffer.truncate(start + PREFIX);
                Some(Problem::TooLong { bytes })
            }
            None => {
                batch.buffer.extend_from_slice(&self.block[tail]);
                problem
            }
        };
        if problem.is_none() && batch.buffer[start..].trim_ascii().is_empty() {
            batch.buffer.truncate(start);
            return;
        }
        let range = start..batch.buffer.len();
        batch.spans.push(Span {
            range,
            number: self.number,
            file: Arc::clone(&self.file),
            problem,
        });
    }

    /// Keeps the unfinished line at the end of a block, or counts it if it is too long to keep.
    fn keep_rest(&mut self) {
        let rest = &self.block[self.at..];
        self.at = self.block.len();
        if let Some(excess) = &mut self.excess {
            *excess += rest.len() as u64;
            return;
        }
        self.pending.extend_from_slice(rest);
        if self.pending.len() > self.cut.max_line {
            let kept = self.pending.len().min(PREFIX);
            self.excess = Some((self.pending.len() - kept) as u64);
            self.pending.truncate(kept);
            self.pending.shrink_to_fit();
        }
    }

    fn has_unfinished_line(&self) -> bool {
        !self.pending.is_empty() || self.excess.is_some()
    }
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        while !self.stop.is_set() {
            let full = |batch: &Batch| {
                batch.spans.len() >= self.cut.max_lines || batch.buffer.len() >= self.cut.bytes
            };
            if full(&batch) {
                return Some(batch);
            }
            if let Some(length) = memchr::memchr(b'\n', &self.block[self.at..]) {
                let tail = self.at..self.at + length;
                self.at += length + 1;
                self.end_line(&mut batch, tail, None);
                continue;
            }
            self.keep_rest();
            match self.event(batch.units == 0) {
                Some(Event::Block(bytes)) => {
                    self.block = bytes;
                    self.at = 0;
                }
                // The end of an operand ends its last line, which may lack the newline.
                Some(event @ Event::Open(_)) if self.has_unfinished_line() => {
                    self.queue.push_front(event);
                    self.end_line(&mut batch, 0..0, None);
                }
                Some(Event::Open(file)) => {
                    self.file = file;
                    self.number = 0;
                }
                Some(Event::Broken(message)) => {
                    self.end_line(&mut batch, 0..0, Some(Problem::Broken { message }));
                }
                None if batch.units > 0 => return Some(batch),
                None if self.has_unfinished_line() => self.end_line(&mut batch, 0..0, None),
                None => return None,
            }
        }
        None
    }
}

/// Runs `work` on a thread of its own, which is not joined: it may wait for standard input for ever, and then ends with
/// the process.
fn ahead(
    work: impl FnOnce(&SyncSender<Event>) -> Result<(), ()> + Send + 'static,
) -> Receiver<Event> {
    let (sender, events) = sync_channel(WAITING);
    thread::spawn(move || work(&sender));
    events
}

/// Fails when nobody listens any more.
fn send(sender: &SyncSender<Event>, event: Event) -> Result<(), ()> {
    sender.send(event).map_err(drop)
}

/// Sends the blocks of what is open.
fn read(mut reader: Box<dyn Read + Send>, sender: &SyncSender<Event>) -> Result<(), ()> {
    let mut buffer = vec![0; BLOCK];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => send(sender, Event::Block(buffer[..length].to_vec()))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return send(sender, Event::Broken(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn all(contents: &[&[u8]], cut: Cut, skip: u64) -> Vec<(String, String, u64, Option<Problem>)> {
        let dir = tempfile::tempdir().unwrap();
        let operands: Vec<Operand> = contents
            .iter()
            .enumerate()
            .map(|(at, bytes)| {
                let path: PathBuf = dir.path().join(at.to_string());
                std::fs::write(&path, bytes).unwrap();
                Operand::File(path)
            })
            .collect();
        Batches::new(operands, cut, skip, &Stop::default())
            .flat_map(|batch| {
                batch
                    .lines()
                    .map(|line| {
                        let file = line.file.rsplit('/').next().unwrap().to_owned();
                        let text = String::from_utf8_lossy(line.bytes).into_owned();
                        (text, file, line.number, line.problem.cloned())
                    })
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    fn texts(contents: &[&[u8]], cut: Cut, skip: u64) -> Vec<String> {
        all(contents, cut, skip)
            .into_iter()
            .map(|(text, ..)| text)
            .collect()
    }

    #[test]
    fn lines_are_numbered_by_file_and_blank_ones_left_out() {
        let lines = all(&[b"a\n\nb", b"c\r\n"], Cut::default(), 0);
        let seen: Vec<_> = lines
            .iter()
            .map(|(text, file, number, _)| (text.as_str(), file.as_str(), *number))
            .collect();
        assert_eq!(seen, [("a", "0", 1), ("b", "0", 3), ("c\r", "1", 1)]);
    }

    #[test]
    fn any_cut_gives_the_same_lines() {
        let text: Vec<u8> = (0..1000)
            .flat_map(|n| format!("line {n}\n").into_bytes())
            .collect();
        let whole = texts(&[&text], Cut::default(), 0);
        assert_eq!(whole.len(), 1000);
        for max_lines in [1, 7, 100] {
            assert_eq!(
                texts(
                    &[&text],
                    Cut {
                        max_lines,
                        ..Cut::default()
                    },
                    0
                ),
                whole
            );
        }
    }

    #[test]
    fn skipped_lines_count_blank_ones() {
        assert_eq!(texts(&[b"a\n\nb\n", b"c\nd\n"], Cut::default(), 4), ["d"]);
        assert_eq!(texts(&[b"a\n"], Cut::default(), 9), Vec::<String>::new());
    }

    #[test]
    fn a_line_that_is_too_long_is_counted_and_not_kept() {
        let long = vec![b'x'; 3 * BLOCK];
        let text = [b"a\n", long.as_slice(), b"\nb\n"].concat();
        let lines = all(
            &[&text],
            Cut {
                max_line: 10_000,
                ..Cut::default()
            },
            0,
        );
        assert_eq!(lines.len(), 3);
        assert_eq!(
            lines[1].3,
            Some(Problem::TooLong {
                bytes: 3 * BLOCK as u64
            })
        );
        assert_eq!(lines[1].0.len(), PREFIX);
        assert_eq!((lines[2].0.as_str(), lines[2].2), ("b", 3));
        let short = all(
            &[b"abc\nabcdef\n"],
            Cut {
                max_line: 5,
                ..Cut::default()
            },
            0,
        );
        assert_eq!(short[1].3, Some(Problem::TooLong { bytes: 6 }));
        let last = all(
            &[b"abcdef"],
            Cut {
                max_line: 5,
                ..Cut::default()
            },
            0,
        );
        assert_eq!(last[0].3, Some(Problem::TooLong { bytes: 6 }));
    }

    #[test]
    fn a_cut_gzip_file_is_a_problem_and_the_next_file_is_read() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        io::Write::write_all(&mut encoder, &b"whole\n".repeat(100)).unwrap();
        let gz = encoder.finish().unwrap();
        let lines = all(&[&gz[..gz.len() - 20], b"next\n"], Cut::default(), 0);
        let problems: Vec<_> = lines.iter().filter(|line| line.3.is_some()).collect();
        assert!(matches!(
            problems[..],
            [(_, _, _, Some(Problem::Broken { .. }))]
        ));
        assert_eq!(lines.last().unwrap().0, "next");
    }
}
