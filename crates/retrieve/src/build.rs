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
        let dim = self.centres.dim;
        let mut order: Vec<usize> = (0..self.clusters.len()).collect();
        order.sort_by_key(|&sentence| self.clusters[sentence]);
        let groups: Vec<&[usize]> = order
            .chunk_by(|&a, &b| self.clusters[a] == self.clusters[b])
            .collect();
        let mut names: Vec<(&str, u32)> = self
            .names
            .iter()
            .map(|(name, &doc)| (name.as_str(), doc))
            .collect();
        names.sort_unstable();
        let mut place = vec![0u32; names.len()];
        for (new, &(_, old)) in (0u32..).zip(&names) {
            place[old as usize] = new;
        }
        let docs: Vec<u32> = order
            .iter()
            .map(|&sentence| place[self.docs[sentence] as usize])
            .collect();

        let mut out = Layout::new();
        out.add(Section::Model, self.model.bytes());
        let numbers: Vec<u32> = groups.iter().map(|group| self.clusters[group[0]]).collect();
        out.add(
            Section::Numbers,
            numbers.iter().flat_map(|x| x.to_le_bytes()),
        );
        let starts = running(groups.iter().map(|group| group.len()));
        out.add(Section::Starts, starts.iter().flat_map(|x| x.to_le_bytes()));
        let lanes = running(
            groups
                .iter()
                .map(|group| group.len().next_multiple_of(LANES)),
        );
        out.add(Section::Lanes, lanes.iter().flat_map(|x| x.to_le_bytes()));
        let centre = |&number: &u32| &self.centres.values[number as usize * dim..][..dim];
        out.add(
            Section::Centres,
            numbers
                .iter()
                .flat_map(|x| centre(x).iter().flat_map(|x| x.to_le_bytes())),
        );
        let bias = |centre: &[f32]| {
            if self.centres.is_euclidean {
                -0.5 * inner(centre, centre)
            } else {
                0.0
            }
        };
        out.add(
            Section::Bias,
            numbers.iter().flat_map(|x| bias(centre(x)).to_le_bytes()),
        );
        out.begin(Section::Vectors);
        let (mut rows, mut panels) = (Vec::new(), Vec::new());
        for group in &groups {
            rows.clear();
            panels.clear();
            rows.extend(
                group
                    .iter()
                    .flat_map(|&sentence| &self.vectors[sentence * dim..(sentence + 1) * dim]),
            );
            interleave(&rows, dim, [0; 2], &mut panels);
            out.bytes.extend_from_slice(panels.as_flattened());
        }
        out.end(Section::Vectors);
        for (starts, section, strings) in [
            (Section::IdStarts, Section::Ids, &self.ids),
            (Section::TextStarts, Section::Texts, &self.texts),
        ] {
            let ordered = running(order.iter().map(|&sentence| strings.get(sentence).len()));
            out.add(starts, ordered.iter().flat_map(|x| x.to_le_bytes()));
            out.begin(section);
            for &sentence in &order {
                out.bytes.extend_from_slice(strings.get(sentence));
            }
            out.end(section);
        }
        out.add(
            Section::Keys,
            order
                .iter()
                .flat_map(|&sentence| self.keys[sentence].to_le_bytes()),
        );
        out.add(Section::Docs, docs.iter().flat_map(|x| x.to_le_bytes()));
        let name_starts = running(names.iter().map(|(name, _)| name.len()));
        out.add(
            Section::NameStarts,
            name_starts.iter().flat_map(|x| x.to_le_bytes()),
        );
        out.add(
            Section::Names,
            names.iter().flat_map(|(name, _)| name.bytes()),
        );
        let mut sizes = vec![0u64; names.len()];
        for &doc in &docs {
            sizes[doc as usize] += 1;
        }
        out.add(
            Section::DocSizes,
            sizes.iter().flat_map(|x| x.to_le_bytes()),
        );
        out.finish(Header {
            dim,
            sentences: order.len(),
            clusters: groups.len(),
            docs: names.len(),
            sections: [(0, 0); SECTIONS],
        })
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

    fn finish(mut self, mut header: Header) -> Vec<u8> {
        header.sections = self.sections;
        self.bytes[..HEADER].copy_from_slice(&header.encode());
        self.bytes
    }
}
