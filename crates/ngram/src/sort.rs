//! Sorting more than memory holds.
//!
//! **Memory.** The buffer that [`Sorter::new`] is told, and a small buffer for each run while they are merged. **Order.**
//! By key; what comes out depends on the multiset of what went in, not on its order, the buffer or the number of threads.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::Arc;
use std::thread;

use crate::train::MAX_ORDER;

/// A key of up to [`MAX_ORDER`] numbers and two more: a count in two halves, or two fractions.
pub type Record = [u32; MAX_ORDER + 2];

const BYTES: usize = size_of::<Record>();
/// How many runs are merged at once.
const FAN: usize = 64;
/// The bytes of the buffer through which a run is read or written.
const BUFFER: usize = 1 << 16;

/// The count in a record.
pub fn count(record: &Record) -> u64 {
    u64::from(record[MAX_ORDER]) | u64::from(record[MAX_ORDER + 1]) << 32
}

/// Puts a count into a record.
pub fn set_count(record: &mut Record, count: u64) {
    let (low, high) = (count & u64::from(u32::MAX), count >> 32);
    record[MAX_ORDER] = u32::try_from(low).unwrap_or(u32::MAX);
    record[MAX_ORDER + 1] = u32::try_from(high).unwrap_or(u32::MAX);
}

/// Takes records in any order.
#[derive(Debug)]
pub struct Sorter {
    buffer: Vec<Record>,
    limit: usize,
    jobs: usize,
    /// Whether records of one key become one with the sum of their counts.
    adds: bool,
    runs: Vec<Stream>,
}

impl Sorter {
    /// A sorter with a buffer of `memory` bytes that sorts with `jobs` threads. With `adds`, records of one key become one
    /// with the sum of their counts; otherwise keys must differ.
    pub fn new(memory: usize, jobs: usize, adds: bool) -> Self {
        Self {
            buffer: Vec::new(),
            limit: (memory / BYTES).max(16),
            jobs: jobs.max(1),
            adds,
            runs: Vec::new(),
        }
    }

    /// Adds a record.
    pub fn push(&mut self, record: Record) -> io::Result<()> {
        if self.buffer.len() == self.buffer.capacity() {
            if self.buffer.len() >= self.limit {
                self.spill()?;
            } else {
                let more = self.buffer.len().max(1024);
                let room = self.limit - self.buffer.len();
                self.buffer.reserve_exact(more.min(room));
            }
        }
        self.buffer.push(record);
        Ok(())
    }

    /// Sorts the buffer's parts, each on a thread of its own; gives the length of each, with equal keys made one.
    fn sort(&mut self) -> Vec<usize> {
        let adds = self.adds;
        let size = self.buffer.len().div_ceil(self.jobs).max(1);
        let work = |part: &mut [Record]| {
            part.sort_unstable();
            if adds { add_up(part) } else { part.len() }
        };
        if self.buffer.len() < 1 << 14 {
            return vec![work(&mut self.buffer)];
        }
        thread::scope(|scope| {
            let parts = self.buffer.chunks_mut(size);
            let threads: Vec<_> = parts.map(|part| scope.spawn(|| work(part))).collect();
            let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
            // A comparison of numbers does not panic.
            joined.map(Result::unwrap_or_default).collect()
        })
    }

    /// Writes the buffer as runs.
    fn spill(&mut self) -> io::Result<()> {
        let lengths = self.sort();
        let size = match lengths.len() {
            1 => self.buffer.len(),
            _ => self.buffer.len().div_ceil(self.jobs),
        };
        for (part, length) in self.buffer.chunks(size.max(1)).zip(lengths) {
            let mut out = Stream::writer()?;
            for record in &part[..length] {
                out.push(record)?;
            }
            self.runs.push(out.read()?);
        }
        self.buffer.clear();
        // So many that their buffers would be more than the sorter's own.
        if self.runs.len() >= FAN * self.jobs.max(2) {
            let mut merged = Merged::of(std::mem::take(&mut self.runs), self.adds)?;
            let mut out = Stream::writer()?;
            while let Some(record) = merged.next()? {
                out.push(&record)?;
            }
            self.runs.push(out.read()?);
        }
        Ok(())
    }

    /// All records in order.
    pub fn finish(mut self) -> io::Result<Merged> {
        if !self.runs.is_empty() {
            if !self.buffer.is_empty() {
                self.spill()?;
            }
            self.buffer = Vec::new();
            return Merged::of(self.runs, self.adds);
        }
        let lengths = self.sort();
        if let [length] = lengths[..] {
            let run = Stream::memory(&Arc::new(self.buffer), 0..length);
            return Merged::of(vec![run], self.adds);
        }
        let size = self.buffer.len().div_ceil(self.jobs).max(1);
        let all = Arc::new(self.buffer);
        let starts = (0..).step_by(size).zip(lengths);
        let runs = starts.map(|(at, length)| Stream::memory(&all, at..at + length));
        Merged::of(runs.collect(), self.adds)
    }
}

/// Makes neighbours of one key one record, in place; gives how many are left.
fn add_up(sorted: &mut [Record]) -> usize {
    let mut last = 0;
    for at in 1..sorted.len() {
        if sorted[at][..MAX_ORDER] == sorted[last][..MAX_ORDER] {
            let sum = count(&sorted[last]) + count(&sorted[at]);
            set_count(&mut sorted[last], sum);
        } else {
            last += 1;
            sorted[last] = sorted[at];
        }
    }
    sorted.len().min(last + 1)
}

/// The records of several runs, in order.
#[derive(Debug)]
pub struct Merged {
    runs: Vec<Stream>,
    heads: BinaryHeap<Reverse<(Record, usize)>>,
    adds: bool,
}

impl Merged {
    fn of(runs: Vec<Stream>, adds: bool) -> io::Result<Self> {
        let mut merged = Self {
            heads: BinaryHeap::with_capacity(runs.len()),
            runs,
            adds,
        };
        for run in 0..merged.runs.len() {
            merged.pull(run)?;
        }
        Ok(merged)
    }

    fn pull(&mut self, run: usize) -> io::Result<()> {
        if let Some(record) = self.runs[run].next()? {
            self.heads.push(Reverse((record, run)));
        }
        Ok(())
    }

    fn pop(&mut self) -> io::Result<Option<Record>> {
        // One run needs no comparison.
        if let [run] = &mut self.runs[..]
            && self.heads.len() <= 1
        {
            let head = self.heads.pop().map(|Reverse((record, _))| record);
            return match head {
                Some(record) => Ok(Some(record)),
                None => run.next(),
            };
        }
        let Some(Reverse((record, run))) = self.heads.pop() else {
            return Ok(None);
        };
        self.pull(run)?;
        Ok(Some(record))
    }

    /// The next record.
    pub fn next(&mut self) -> io::Result<Option<Record>> {
        let Some(mut record) = self.pop()? else {
            return Ok(None);
        };
        if self.adds && self.runs.len() > 1 {
            while let Some(Reverse((next, _))) = self.heads.peek()
                && next[..MAX_ORDER] == record[..MAX_ORDER]
            {
                let sum = count(&record) + count(next);
                set_count(&mut record, sum);
                let _ = self.pop()?;
            }
        }
        Ok(Some(record))
    }
}

/// Records in a temporary file, or in memory, that are read from the first to the last.
#[derive(Debug)]
pub enum Stream {
    /// A part of a buffer.
    Memory(Arc<Vec<Record>>, Range<usize>),
    /// In a file without a name.
    Disk(BufReader<File>),
}

impl Stream {
    fn memory(records: &Arc<Vec<Record>>, range: Range<usize>) -> Self {
        Self::Memory(Arc::clone(records), range)
    }

    /// A file to write.
    pub fn writer() -> io::Result<Writer> {
        Ok(Writer {
            out: BufWriter::with_capacity(BUFFER, tempfile::tempfile()?),
        })
    }

    /// Goes back to the first record of a file; what is in memory is read once.
    pub fn rewind(&mut self) -> io::Result<()> {
        match self {
            Self::Memory(..) => Ok(()),
            Self::Disk(input) => input.seek(SeekFrom::Start(0)).map(drop),
        }
    }

    /// The next record.
    pub fn next(&mut self) -> io::Result<Option<Record>> {
        match self {
            Self::Memory(records, range) => Ok(range.next().map(|at| records[at])),
            Self::Disk(input) => {
                let mut bytes = [0; BYTES];
                match input.read_exact(&mut bytes) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                    Err(error) => return Err(error),
                }
                let mut record = Record::default();
                for (number, four) in record.iter_mut().zip(bytes.chunks_exact(4)) {
                    *number = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
                }
                Ok(Some(record))
            }
        }
    }
}

/// A [`Stream`] that is being written.
#[derive(Debug)]
pub struct Writer {
    out: BufWriter<File>,
}

impl Writer {
    /// Appends a record.
    pub fn push(&mut self, record: &Record) -> io::Result<()> {
        let mut bytes = [0; BYTES];
        for (four, number) in bytes.chunks_exact_mut(4).zip(record) {
            four.copy_from_slice(&number.to_le_bytes());
        }
        self.out.write_all(&bytes)
    }

    /// The stream from its first record.
    pub fn read(self) -> io::Result<Stream> {
        let mut file = self.out.into_inner()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Stream::Disk(BufReader::with_capacity(BUFFER, file)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn record(key: u32, count: u64) -> Record {
        let mut record = Record::default();
        record[0] = key % 7;
        record[1] = key;
        set_count(&mut record, count);
        record
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn sums_do_not_depend_on_memory_or_threads(
            keys in prop::collection::vec((0..200_u32, 1..u64::from(u32::MAX)), 0..4000),
            memory in 0..60_000_usize,
            jobs in 1..4_usize,
        ) {
            let mut expected: BTreeMap<[u32; MAX_ORDER], u64> = BTreeMap::new();
            let mut sorter = Sorter::new(memory, jobs, true);
            for &(key, count) in &keys {
                let record = record(key, count);
                *expected.entry(record[..MAX_ORDER].try_into().unwrap()).or_default() += count;
                sorter.push(record).unwrap();
            }
            let mut merged = sorter.finish().unwrap();
            let mut found = Vec::new();
            while let Some(record) = merged.next().unwrap() {
                found.push((record[..MAX_ORDER].try_into().unwrap(), count(&record)));
            }
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn threads_sort_what_is_in_memory_and_what_is_not() {
        for memory in [1 << 30, 1 << 20] {
            let mut sorter = Sorter::new(memory, 3, false);
            for key in (0..100_000).rev() {
                sorter.push(record(key, 1)).unwrap();
            }
            let mut merged = sorter.finish().unwrap();
            let mut last = Record::default();
            for number in 0..100_000 {
                let next = merged.next().unwrap().unwrap();
                assert!(number == 0 || last < next);
                last = next;
            }
            assert!(merged.next().unwrap().is_none());
        }
    }
}
