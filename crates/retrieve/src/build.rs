//! From sentences to the file of an index.
//!
//! Sentences are written to buckets as they come, a bucket being a range of clusters; when the last one is there every
//! length is known, and each section of the file grows from its own place while bucket after bucket is laid out.
//!
//! **Memory.** The centres, 28 bytes a cluster and about 32 a document; while sentences come 64 KiB a bucket, and then the
//! largest bucket. There are [`BUCKETS`] of them with equally many clusters: about a 256th part of the sentences each.
//! **Order.** Clusters ascend; within a cluster sentences keep the order in which they were pushed.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use half::f16;
use realsyn_vector::kernel::{LANES, inner, interleave};

use crate::RetrieveError;
use crate::layout::{ALIGN, HEADER, Header, SECTIONS, Section};
use crate::text::{doc_key, text_key};

/// The most buckets.
const BUCKETS: usize = 256;
/// What of a bucket, or of a section, waits in memory.
const BUFFER: usize = 1 << 16;

const TEMPORARY: &str = "a temporary file of the index";
const INDEX: &str = "the index";

/// The centres of the clusters.
#[derive(Debug, Clone)]
pub struct Centres {
    /// Row-major, `dim` numbers each.
    pub values: Vec<f32>,
    /// The number of dimensions.
    pub dim: usize,
    /// Whether the nearest centre is the one of the smallest Euclidean distance, not of the largest inner product.
    pub is_euclidean: bool,
}

/// One sentence of an index.
#[derive(Debug, Clone, Copy)]
pub struct Sentence<'a> {
    /// The id of its record.
    pub id: &'a str,
    /// The document it stands in.
    pub doc: &'a str,
    /// Its text. Where it is empty, the id tells sentences apart.
    pub text: &'a str,
    /// Its cluster.
    pub cluster: u64,
    /// Its embedding, of unit length; it is kept in half precision.
    pub vector: &'a [f32],
}

/// Collects sentences and lays them out.
#[derive(Debug)]
pub struct Builder {
    centres: Centres,
    folder: PathBuf,
    buckets: Vec<Bucket>,
    sizes: Vec<Size>,
    /// The number of sentences by the key of the document's name.
    docs: HashMap<u64, u64>,
    sentences: usize,
}

/// What a cluster's sentences take.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    sentences: u64,
    ids: u64,
    texts: u64,
}

/// The sentences of a range of clusters, in a file without a name once there are many.
#[derive(Debug, Default)]
struct Bucket {
    file: Option<File>,
    tail: Vec<u8>,
}

/// What stands before a sentence's id, text and vector in its bucket: cluster, length of the id, length of the text, key
/// of the text, key of the document.
const ENTRY: usize = 4 + 4 + 4 + 8 + 8;

/// A sentence as it lies in its bucket.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    cluster: u32,
    key: u64,
    doc: u64,
    id: &'a [u8],
    text: &'a [u8],
    vector: &'a [u8],
}

impl Bucket {
    fn push(&mut self, entry: &Entry<'_>, folder: &Path) -> io::Result<()> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other);
        self.tail.extend_from_slice(&entry.cluster.to_le_bytes());
        self.tail
            .extend_from_slice(&length(entry.id)?.to_le_bytes());
        self.tail
            .extend_from_slice(&length(entry.text)?.to_le_bytes());
        self.tail.extend_from_slice(&entry.key.to_le_bytes());
        self.tail.extend_from_slice(&entry.doc.to_le_bytes());
        for bytes in [entry.id, entry.text, entry.vector] {
            self.tail.extend_from_slice(bytes);
        }
        if self.tail.len() >= BUFFER {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(tempfile::tempfile_in(folder)?),
            };
            file.write_all(&self.tail)?;
            self.tail.clear();
        }
        Ok(())
    }

    /// All its bytes, in `bytes`; the bucket is empty then.
    fn take(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.clear();
        if let Some(mut file) = self.file.take() {
            file.seek(SeekFrom::Start(0))?;
            file.read_to_end(bytes)?;
        }
        bytes.append(&mut self.tail);
        self.tail = Vec::new();
        Ok(())
    }
}

/// The sentences of a bucket's bytes.
fn entries(mut bytes: &[u8], dim: usize) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    while bytes.len() >= ENTRY {
        let four = |at: usize| {
            let mut four = [0; 4];
            four.copy_from_slice(&bytes[at..at + 4]);
            u32::from_le_bytes(four)
        };
        let eight = |at: usize| u64::from(four(at)) | u64::from(four(at + 4)) << 32;
        let (id, text) = (four(4) as usize, four(8) as usize);
        let (entry, rest) = bytes[ENTRY..].split_at(id + text + 2 * dim);
        let (cluster, key, doc) = (four(0), eight(12), eight(20));
        let (id, more) = entry.split_at(id);
        let (text, vector) = more.split_at(text);
        entries.push(Entry {
            cluster,
            key,
            doc,
            id,
            text,
            vector,
        });
        bytes = rest;
    }
    entries
}

impl Builder {
    /// An index without sentences. Many sentences wait in temporary files in `folder`, which take as much room as the
    /// index.
    ///
    /// # Errors
    /// There is no centre.
    pub fn new(centres: Centres, folder: &Path) -> Result<Self, RetrieveError> {
        if centres.dim == 0 || centres.values.len() < centres.dim {
            return Err(RetrieveError::NoCentres);
        }
        let clusters = centres.values.len() / centres.dim;
        let mut buckets = Vec::new();
        buckets.resize_with(BUCKETS.min(clusters), Bucket::default);
        Ok(Self {
            centres,
            folder: folder.to_owned(),
            buckets,
            sizes: vec![Size::default(); clusters],
            docs: HashMap::new(),
            sentences: 0,
        })
    }

    /// The number of sentences so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sentences
    }

    /// Whether there is no sentence yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sentences == 0
    }

    /// Adds a sentence.
    ///
    /// # Errors
    /// Its cluster has no centre, its vector another dimension, or the disk is full.
    pub fn push(&mut self, sentence: &Sentence<'_>) -> Result<(), RetrieveError> {
        let (dim, clusters) = (self.centres.dim, self.sizes.len());
        if sentence.vector.len() != dim {
            return Err(RetrieveError::DimMismatch {
                expected: dim,
                found: sentence.vector.len(),
            });
        }
        let cluster = u32::try_from(sentence.cluster)
            .ok()
            .filter(|&cluster| (cluster as usize) < clusters);
        let cluster = cluster.ok_or(RetrieveError::NoSuchCluster {
            cluster: sentence.cluster,
            clusters,
        })?;
        let doc = doc_key(sentence.doc);
        if !self.docs.contains_key(&doc) && u32::try_from(self.docs.len()).is_err() {
            return Err(RetrieveError::TooManyDocs);
        }
        let mut vector = Vec::with_capacity(2 * dim);
        for &x in sentence.vector {
            vector.extend_from_slice(&f16::from_f32(x).to_le_bytes());
        }
        let entry = Entry {
            cluster,
            key: text_key(if sentence.text.is_empty() {
                sentence.id
            } else {
                sentence.text
            }),
            doc,
            id: sentence.id.as_bytes(),
            text: sentence.text.as_bytes(),
            vector: &vector,
        };
        let bucket = cluster as usize * self.buckets.len() / clusters;
        self.buckets[bucket]
            .push(&entry, &self.folder)
            .map_err(|source| RetrieveError::Io {
                what: TEMPORARY,
                source,
            })?;
        let size = &mut self.sizes[cluster as usize];
        size.sentences += 1;
        size.ids += entry.id.len() as u64;
        size.texts += entry.text.len() as u64;
        *self.docs.entry(doc).or_default() += 1;
        self.sentences += 1;
        Ok(())
    }

    /// Writes the index to `out`, which is empty. `model` names what made the embeddings; nothing if that is not known.
    ///
    /// # Errors
    /// The disk is full, or a temporary file cannot be read.
    pub fn finish(
        mut self,
        model: &str,
        out: &mut (impl Write + Seek),
    ) -> Result<(), RetrieveError> {
        let failed = |source| RetrieveError::Io {
            what: INDEX,
            source,
        };
        let clusters: Vec<u32> = (0..)
            .zip(&self.sizes)
            .filter_map(|(cluster, size)| (size.sentences > 0).then_some(cluster))
            .collect();
        let mut docs: Vec<(u64, u64)> = self.docs.drain().collect();
        docs.sort_unstable();
        let mut columns = self.columns(model.len(), &clusters, docs.len());
        let header = Header {
            dim: self.centres.dim,
            sentences: self.sentences,
            clusters: clusters.len(),
            docs: docs.len(),
            sections: columns
                .each_ref()
                .map(|column| (column.start, column.length)),
        };
        let mut file = Sections {
            out,
            columns: &mut columns,
        };
        file.out.write_all(&header.encode()).map_err(failed)?;
        file.put(Section::Model, model.as_bytes())
            .and_then(|()| self.lay_out_clusters(&clusters, &mut file))
            .map_err(failed)?;
        for &(key, size) in &docs {
            file.put(Section::DocKeys, &key.to_le_bytes())
                .and_then(|()| file.put(Section::DocSizes, &size.to_le_bytes()))
                .map_err(failed)?;
        }
        let mut bytes = Vec::new();
        let (mut ids, mut texts) = (0, 0);
        for bucket in &mut self.buckets {
            bucket
                .take(&mut bytes)
                .map_err(|source| RetrieveError::Io {
                    what: TEMPORARY,
                    source,
                })?;
            let mut entries = entries(&bytes, self.centres.dim);
            // Stable: within a cluster they keep their order.
            entries.sort_by_key(|entry| entry.cluster);
            for cluster in entries.chunk_by(|a, b| a.cluster == b.cluster) {
                lay_out_vectors(cluster, self.centres.dim, &mut file).map_err(failed)?;
            }
            for entry in &entries {
                let doc = docs.partition_point(|(key, _)| *key < entry.doc);
                #[expect(clippy::cast_possible_truncation, reason = "push counts them")]
                let doc = doc as u32;
                for (section, bytes) in [
                    (Section::IdStarts, &u64::to_le_bytes(ids)[..]),
                    (Section::Ids, entry.id),
                    (Section::TextStarts, &u64::to_le_bytes(texts)),
                    (Section::Texts, entry.text),
                    (Section::Keys, &entry.key.to_le_bytes()),
                    (Section::Docs, &doc.to_le_bytes()),
                ] {
                    file.put(section, bytes).map_err(failed)?;
                }
                ids += entry.id.len() as u64;
                texts += entry.text.len() as u64;
            }
        }
        file.put(Section::IdStarts, &ids.to_le_bytes())
            .and_then(|()| file.put(Section::TextStarts, &texts.to_le_bytes()))
            .and_then(|()| file.finish())
            .map_err(failed)
    }

    /// Where each section will lie.
    fn columns(&self, model: usize, clusters: &[u32], docs: usize) -> [Column; SECTIONS] {
        let (dim, n) = (self.centres.dim, self.sentences);
        let mut lanes = 0;
        let (mut ids, mut texts) = (0, 0);
        for &cluster in clusters {
            let size = self.sizes[cluster as usize];
            lanes += place(size.sentences).next_multiple_of(LANES);
            ids += place(size.ids);
            texts += place(size.texts);
        }
        let k = clusters.len();
        let mut columns: [Column; SECTIONS] = std::array::from_fn(|_| Column::default());
        let mut end = HEADER;
        for (section, length) in [
            (Section::Model, model),
            (Section::Numbers, 4 * k),
            (Section::Starts, 8 * (k + 1)),
            (Section::Lanes, 8 * (k + 1)),
            (Section::Centres, 4 * k.next_multiple_of(LANES) * dim),
            (Section::Bias, 4 * k),
            (Section::Vectors, 2 * lanes * dim),
            (Section::IdStarts, 8 * (n + 1)),
            (Section::Ids, ids),
            (Section::TextStarts, 8 * (n + 1)),
            (Section::Texts, texts),
            (Section::Keys, 8 * n),
            (Section::Docs, 4 * n),
            (Section::DocKeys, 8 * docs),
            (Section::DocSizes, 8 * docs),
        ] {
            let column = &mut columns[section as usize];
            column.start = end.next_multiple_of(ALIGN);
            column.at = column.start as u64;
            column.length = length;
            end = column.start + length;
        }
        columns
    }

    /// The clusters' numbers, places and centres.
    fn lay_out_clusters(
        &self,
        clusters: &[u32],
        file: &mut Sections<'_, impl Write + Seek>,
    ) -> io::Result<()> {
        let dim = self.centres.dim;
        let (mut sentences, mut lanes) = (0u64, 0u64);
        for &cluster in clusters {
            let centre = &self.centres.values[cluster as usize * dim..][..dim];
            let bias = if self.centres.is_euclidean {
                -0.5 * inner(centre, centre)
            } else {
                0.0
            };
            file.put(Section::Numbers, &cluster.to_le_bytes())?;
            file.put(Section::Bias, &bias.to_le_bytes())?;
            file.put(Section::Starts, &sentences.to_le_bytes())?;
            file.put(Section::Lanes, &lanes.to_le_bytes())?;
            let size = self.sizes[cluster as usize].sentences;
            sentences += size;
            lanes += size.next_multiple_of(LANES as u64);
        }
        file.put(Section::Starts, &sentences.to_le_bytes())?;
        file.put(Section::Lanes, &lanes.to_le_bytes())?;
        let (mut rows, mut panel) = (Vec::new(), Vec::new());
        for group in clusters.chunks(LANES) {
            rows.clear();
            panel.clear();
            for &cluster in group {
                rows.extend_from_slice(&self.centres.values[cluster as usize * dim..][..dim]);
            }
            interleave(&rows, dim, 0.0, &mut panel);
            for x in &panel {
                file.put(Section::Centres, &x.to_le_bytes())?;
            }
        }
        Ok(())
    }
}

/// A length that a section has.
fn place(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// The vectors of a cluster, in panels.
fn lay_out_vectors(
    cluster: &[Entry<'_>],
    dim: usize,
    file: &mut Sections<'_, impl Write + Seek>,
) -> io::Result<()> {
    let (mut rows, mut panel) = (Vec::with_capacity(LANES * dim), Vec::new());
    for group in cluster.chunks(LANES) {
        rows.clear();
        panel.clear();
        for entry in group {
            rows.extend_from_slice(entry.vector.as_chunks::<2>().0);
        }
        interleave(&rows, dim, [0; 2], &mut panel);
        file.put(Section::Vectors, panel.as_flattened())?;
    }
    Ok(())
}

/// A section that grows from its place in the file.
#[derive(Debug, Default)]
struct Column {
    start: usize,
    length: usize,
    /// Where the next bytes go that leave the buffer.
    at: u64,
    buffer: Vec<u8>,
}

/// The file under construction.
struct Sections<'a, W> {
    out: &'a mut W,
    columns: &'a mut [Column; SECTIONS],
}

impl<W: Write + Seek> Sections<'_, W> {
    fn put(&mut self, section: Section, bytes: &[u8]) -> io::Result<()> {
        let column = &mut self.columns[section as usize];
        column.buffer.extend_from_slice(bytes);
        if column.buffer.len() >= BUFFER {
            column.flush(self.out)?;
        }
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        for column in self.columns.iter_mut() {
            column.flush(self.out)?;
        }
        // Sections without bytes may lie behind the last that has some.
        let ends = self
            .columns
            .iter()
            .map(|column| column.start + column.length);
        let end = ends.max().unwrap_or(HEADER) as u64;
        if self.out.seek(SeekFrom::End(0))? < end {
            self.out.seek(SeekFrom::Start(end - 1))?;
            self.out.write_all(&[0])?;
        }
        self.out.flush()
    }
}

impl Column {
    fn flush(&mut self, out: &mut (impl Write + Seek)) -> io::Result<()> {
        out.seek(SeekFrom::Start(self.at))?;
        out.write_all(&self.buffer)?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The bytes of the index's file.
    pub fn bytes_of(builder: Builder) -> Vec<u8> {
        let mut file = tempfile::tempfile().unwrap();
        builder.finish("b3:ab", &mut file).unwrap();
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "small numbers"
    )]
    fn buckets_on_disk_and_in_memory_give_the_same_sentences() {
        let dim = 64;
        let centres = Centres {
            values: (0..300 * dim).map(|x| (x % 7) as f32).collect(),
            dim,
            is_euclidean: true,
        };
        let folder = tempfile::tempdir().unwrap();
        let mut builder = Builder::new(centres, folder.path()).unwrap();
        // Every third sentence in one cluster, so that its bucket goes to disk.
        let text = |n: u64| "word ".repeat(n as usize % 30) + &n.to_string();
        let cluster = |n: u64| if n.is_multiple_of(3) { 7 } else { n * 31 % 300 };
        for n in 0..3000 {
            let sentence = Sentence {
                id: &format!("d{}/s{n}", n % 10),
                doc: &format!("d{}", n % 10),
                text: &text(n),
                cluster: cluster(n),
                vector: &vec![n as f32 / 4096.0; dim],
            };
            builder.push(&sentence).unwrap();
        }
        assert!(builder.buckets.iter().any(|bucket| bucket.file.is_some()));
        assert!(builder.buckets.iter().any(|bucket| bucket.file.is_none()));
        let index = crate::Index::open(bytes_of(builder)).unwrap();
        let mut order: Vec<u64> = (0..3000).collect();
        order.sort_by_key(|&n| cluster(n));
        let mut at = 0;
        for place in 0..index.clusters() {
            let (first, size) = index.cluster(place);
            assert_eq!(first, at);
            let columns = index.columns(place, 0, size);
            for column in 0..size {
                let n = order[at];
                assert_eq!(index.id(at), format!("d{}/s{n}", n % 10));
                assert_eq!(index.text(at), text(n));
                assert_eq!(Some(index.doc(at)), index.find_doc(&format!("d{}", n % 10)));
                let mut vector = Vec::new();
                columns.column(column, &mut vector);
                assert_eq!(vector, vec![f16::from_f32(n as f32 / 4096.0).to_f32(); dim]);
                at += 1;
            }
        }
        assert_eq!(at, 3000);
    }
}
