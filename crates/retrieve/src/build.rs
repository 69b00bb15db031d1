//! From sentences to the bytes of an index.

use std::collections::HashMap;

use half::f16;
use realsyn_vector::kernel::{LANES, inner, interleave};

use crate::RetrieveError;
use crate::layout::{ALIGN, HEADER, Header, SECTIONS, Section};
use crate::text::text_key;

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
    /// Its text.
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
    model: String,
    clusters: Vec<u32>,
    vectors: Vec<[u8; 2]>,
    ids: Strings,
    texts: Strings,
    keys: Vec<u64>,
    docs: Vec<u32>,
    names: HashMap<String, u32>,
}

/// Strings one after another.
#[derive(Debug)]
struct Strings {
    starts: Vec<u64>,
    bytes: Vec<u8>,
}

impl Strings {
    fn new() -> Self {
        Self {
            starts: vec![0],
            bytes: Vec::new(),
        }
    }

    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.starts.push(self.bytes.len() as u64);
    }

    fn get(&self, number: usize) -> &[u8] {
        let (from, to) = (self.starts[number], self.starts[number + 1]);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "both were lengths of a vector"
        )]
        &self.bytes[from as usize..to as usize]
    }
}

impl Builder {
    /// An index without sentences. `model` names what made the embeddings.
    ///
    /// # Errors
    /// There is no centre.
    pub fn new(centres: Centres, model: &str) -> Result<Self, RetrieveError> {
        if centres.dim == 0 || centres.values.len() < centres.dim {
            return Err(RetrieveError::NoCentres);
        }
        Ok(Self {
            centres,
            model: model.to_owned(),
            clusters: Vec::new(),
            vectors: Vec::new(),
            ids: Strings::new(),
            texts: Strings::new(),
            keys: Vec::new(),
            docs: Vec::new(),
            names: HashMap::new(),
        })
    }

    /// The number of sentences so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clusters.len()
    }

    /// Whether there is no sentence yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty()
    }

    /// Adds a sentence.
    ///
    /// # Errors
    /// Its cluster has no centre, or its vector another dimension.
    pub fn push(&mut self, sentence: &Sentence<'_>) -> Result<(), RetrieveError> {
        let (dim, clusters) = (
            self.centres.dim,
            self.centres.values.len() / self.centres.dim,
        );
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
        let doc = if let Some(&doc) = self.names.get(sentence.doc) {
            doc
        } else {
            let doc = u32::try_from(self.names.len()).map_err(|_| RetrieveError::TooManyDocs)?;
            self.names.insert(sentence.doc.to_owned(), doc);
            doc
        };
        self.clusters.push(cluster);
        self.vectors.extend(
            sentence
                .vector
                .iter()
                .map(|&x| f16::from_f32(x).to_le_bytes()),
        );
        self.ids.push(sentence.id.as_bytes());
        self.texts.push(sentence.text.as_bytes());
        self.keys.push(text_key(sentence.text));
        self.docs.push(doc);
        Ok(())
    }

    /// The bytes of the index. Within a cluster sentences keep the order in which they were pushed.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut order: Vec<usize> = (0..self.clusters.len()).collect();
        order.sort_by_key(|&sentence| self.clusters[sentence]);
        let groups: Vec<&[usize]> = order
            .chunk_by(|&a, &b| self.clusters[a] == self.clusters[b])
            .collect();
        let mut out = Layout::new();
        out.add(Section::Model, self.model.bytes());
        self.lay_out_centres(&groups, &mut out);
        self.lay_out_vectors(&groups, &mut out);
        for (starts, section, strings) in [
            (Section::IdStarts, Section::Ids, &self.ids),
            (Section::TextStarts, Section::Texts, &self.texts),
        ] {
            let ordered = order.iter().map(|&sentence| strings.get(sentence));
            out.add_strings(starts, section, ordered);
        }
        let keys = order.iter().map(|&sentence| self.keys[sentence]);
        out.add(Section::Keys, keys.flat_map(u64::to_le_bytes));
        self.lay_out_docs(&order, &mut out);
        out.finish(Header {
            dim: self.centres.dim,
            sentences: order.len(),
            clusters: groups.len(),
            docs: self.names.len(),
            sections: [(0, 0); SECTIONS],
        })
    }

    /// The clusters' numbers, places and centres.
    fn lay_out_centres(&self, groups: &[&[usize]], out: &mut Layout) {
        let dim = self.centres.dim;
        let numbers: Vec<u32> = groups.iter().map(|group| self.clusters[group[0]]).collect();
        let centres = || {
            let centre = |&number: &u32| &self.centres.values[number as usize * dim..][..dim];
            numbers.iter().map(centre)
        };
        let starts = running(groups.iter().map(|group| group.len()));
        let lanes = running(groups.iter().map(|g| g.len().next_multiple_of(LANES)));
        let values = centres().flatten().flat_map(|x| x.to_le_bytes());
        let is_euclidean = self.centres.is_euclidean;
        let bias = centres().map(|c| {
            if is_euclidean {
                -0.5 * inner(c, c)
            } else {
                0.0
            }
        });
        out.add(
            Section::Numbers,
            numbers.iter().flat_map(|x| x.to_le_bytes()),
        );
        out.add(
            Section::Starts,
            starts.into_iter().flat_map(u64::to_le_bytes),
        );
        out.add(Section::Lanes, lanes.into_iter().flat_map(u64::to_le_bytes));
        out.add(Section::Centres, values);
        out.add(Section::Bias, bias.flat_map(f32::to_le_bytes));
    }

    /// The vectors, cluster by cluster in panels.
    fn lay_out_vectors(&self, groups: &[&[usize]], out: &mut Layout) {
        let dim = self.centres.dim;
        let (mut rows, mut panels) = (Vec::new(), Vec::new());
        out.begin(Section::Vectors);
        for group in groups {
            rows.clear();
            panels.clear();
            for &sentence in *group {
                rows.extend_from_slice(&self.vectors[sentence * dim..(sentence + 1) * dim]);
            }
            interleave(&rows, dim, [0; 2], &mut panels);
            out.bytes.extend_from_slice(panels.as_flattened());
        }
        out.end(Section::Vectors);
    }

    /// Each sentence's document, and the documents by name.
    fn lay_out_docs(&self, order: &[usize], out: &mut Layout) {
        let names = self.names.iter().map(|(name, &doc)| (name.as_str(), doc));
        let mut names: Vec<(&str, u32)> = names.collect();
        names.sort_unstable();
        let mut place = vec![0u32; names.len()];
        for (new, &(_, old)) in (0u32..).zip(&names) {
            place[old as usize] = new;
        }
        let mut sizes = vec![0u64; names.len()];
        let docs = order.iter().map(|&sentence| {
            let doc = place[self.docs[sentence] as usize];
            sizes[doc as usize] += 1;
            doc
        });
        out.add(Section::Docs, docs.flat_map(u32::to_le_bytes));
        let strings = names.iter().map(|(name, _)| name.as_bytes());
        out.add_strings(Section::NameStarts, Section::Names, strings);
        out.add(
            Section::DocSizes,
            sizes.into_iter().flat_map(u64::to_le_bytes),
        );
    }
}

/// 0 and the running sums.
fn running(lengths: impl Iterator<Item = usize>) -> Vec<u64> {
    let mut sums = vec![0u64];
    let mut sum = 0u64;
    sums.extend(lengths.map(|length| {
        sum += length as u64;
        sum
    }));
    sums
}

/// An index under construction.
struct Layout {
    bytes: Vec<u8>,
    sections: [(usize, usize); SECTIONS],
}

impl Layout {
    fn new() -> Self {
        Self {
            bytes: vec![0; HEADER],
            sections: [(0, 0); SECTIONS],
        }
    }

    fn begin(&mut self, section: Section) {
        self.bytes
            .resize(self.bytes.len().next_multiple_of(ALIGN), 0);
        self.sections[section as usize].0 = self.bytes.len();
    }

    fn end(&mut self, section: Section) {
        let (start, length) = &mut self.sections[section as usize];
        *length = self.bytes.len() - *start;
    }

    fn add(&mut self, section: Section, bytes: impl Iterator<Item = u8>) {
        self.begin(section);
        self.bytes.extend(bytes);
        self.end(section);
    }

    fn add_strings<'a>(
        &mut self,
        starts: Section,
        section: Section,
        strings: impl Iterator<Item = &'a [u8]> + Clone,
    ) {
        let places = running(strings.clone().map(<[u8]>::len));
        self.add(starts, places.into_iter().flat_map(u64::to_le_bytes));
        self.begin(section);
        for string in strings {
            self.bytes.extend_from_slice(string);
        }
        self.end(section);
    }

    fn finish(mut self, mut header: Header) -> Vec<u8> {
        header.sections = self.sections;
        self.bytes[..HEADER].copy_from_slice(&header.encode());
        self.bytes
    }
}
