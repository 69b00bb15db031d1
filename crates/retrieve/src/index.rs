//! A view of an index's bytes.

use std::borrow::Cow;

use realsyn_vector::kernel::{F16, F32, LANES, PanelView};

use crate::RetrieveError;
use crate::layout::{Header, Section};
use crate::text::doc_key;

/// Sentences grouped by cluster, over bytes of any origin: a vector, or a map of a file.
#[derive(Debug)]
pub struct Index<B> {
    bytes: B,
    header: Header,
    /// The centres and biases, where the bytes do not lie as single precision must; a map's do.
    copied: Option<(Vec<f32>, Vec<f32>)>,
}

impl<B: AsRef<[u8]>> Index<B> {
    /// Checks the header; the cost does not depend on the size.
    ///
    /// # Errors
    /// The bytes are no index, of another version, cut short, or their header is damaged.
    pub fn open(bytes: B) -> Result<Self, RetrieveError> {
        let header = Header::decode(bytes.as_ref())?;
        let mut index = Self {
            bytes,
            header,
            copied: None,
        };
        let aligned = |section| matches!(floats(index.section(section)), Cow::Borrowed(_));
        if !(aligned(Section::Centres) && aligned(Section::Bias)) {
            let copy = |section| floats(index.section(section)).into_owned();
            index.copied = Some((copy(Section::Centres), copy(Section::Bias)));
        }
        Ok(index)
    }

    /// The number of dimensions.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.header.dim
    }

    /// The number of sentences.
    #[must_use]
    pub fn len(&self) -> usize {
        self.header.sentences
    }

    /// Whether there is no sentence.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.header.sentences == 0
    }

    /// The number of clusters that hold sentences.
    #[must_use]
    pub fn clusters(&self) -> usize {
        self.header.clusters
    }

    /// The content hash of the model that made the embeddings; empty if it is not known.
    #[must_use]
    pub fn model(&self) -> &str {
        std::str::from_utf8(self.section(Section::Model)).unwrap_or_default()
    }

    /// The id of a sentence.
    #[must_use]
    pub fn id(&self, sentence: usize) -> &str {
        self.string(Section::IdStarts, Section::Ids, sentence)
    }

    /// The text of a sentence.
    #[must_use]
    pub fn text(&self, sentence: usize) -> &str {
        self.string(Section::TextStarts, Section::Texts, sentence)
    }

    /// The key of a sentence's text ([`crate::text_key`]).
    #[must_use]
    pub fn key(&self, sentence: usize) -> u64 {
        self.u64(Section::Keys, sentence)
    }

    /// The document of a sentence, as a place among all documents.
    #[must_use]
    pub fn doc(&self, sentence: usize) -> u32 {
        self.u32(Section::Docs, sentence)
    }

    /// A document's place among all documents, if it has any sentence here.
    #[must_use]
    pub fn find_doc(&self, name: &str) -> Option<u32> {
        let key = doc_key(name);
        let (mut low, mut high) = (0, self.header.docs);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.u64(Section::DocKeys, middle).cmp(&key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return u32::try_from(middle).ok(),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The number of sentences of a document.
    #[must_use]
    pub fn doc_sentences(&self, doc: u32) -> u64 {
        self.u64(Section::DocSizes, doc as usize)
    }

    /// The first sentence of the cluster at a place, and how many it has.
    pub(crate) fn cluster(&self, place: usize) -> (usize, usize) {
        let (from, to) = (
            self.place(Section::Starts, place),
            self.place(Section::Starts, place + 1),
        );
        (from, to.saturating_sub(from))
    }

    /// Up to `count` columns of the cluster at a place, from `first` on, which is a multiple of [`LANES`].
    pub(crate) fn columns(&self, place: usize, first: usize, count: usize) -> PanelView<'_, F16> {
        let stride = 2 * self.header.dim;
        let start = (self.place(Section::Lanes, place) + first) * stride;
        let length = count.next_multiple_of(LANES) * stride;
        PanelView::from_bytes(
            &self.section(Section::Vectors)[start..start + length],
            self.header.dim,
            count,
        )
    }

    /// The centres of the clusters that hold sentences.
    pub(crate) fn centres(&self) -> PanelView<'_, F32> {
        let values = match &self.copied {
            Some((centres, _)) => centres,
            None => mapped(self.section(Section::Centres)),
        };
        PanelView::new(values, self.header.dim, self.header.clusters)
    }

    /// What is added to a centre's inner product to rank it, for each cluster that holds sentences.
    pub(crate) fn biases(&self) -> &[f32] {
        match &self.copied {
            Some((_, biases)) => biases,
            None => mapped(self.section(Section::Bias)),
        }
    }

    fn section(&self, section: Section) -> &[u8] {
        self.header.section(self.bytes.as_ref(), section)
    }

    fn u32(&self, section: Section, number: usize) -> u32 {
        let at = self
            .section(section)
            .get(4 * number..)
            .and_then(<[u8]>::first_chunk);
        at.map_or(0, |x| u32::from_le_bytes(*x))
    }

    fn u64(&self, section: Section, number: usize) -> u64 {
        let at = self
            .section(section)
            .get(8 * number..)
            .and_then(<[u8]>::first_chunk);
        at.map_or(0, |x| u64::from_le_bytes(*x))
    }

    fn place(&self, section: Section, number: usize) -> usize {
        usize::try_from(self.u64(section, number)).unwrap_or(usize::MAX)
    }

    fn string(&self, starts: Section, section: Section, number: usize) -> &str {
        let (from, to) = (self.place(starts, number), self.place(starts, number + 1));
        let bytes = self.section(section).get(from..to).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// The bytes as little-endian single precision, where they lie if they can be used so.
fn floats(bytes: &[u8]) -> Cow<'_, [f32]> {
    match bytemuck::try_cast_slice(bytes) {
        Ok(floats) if cfg!(target_endian = "little") => Cow::Borrowed(floats),
        _ => {
            let (fours, _) = bytes.as_chunks::<4>();
            Cow::Owned(fours.iter().map(|four| f32::from_le_bytes(*four)).collect())
        }
    }
}

/// As [`floats`], of bytes that [`Index::open`] found to be usable where they lie.
fn mapped(bytes: &[u8]) -> &[f32] {
    bytemuck::try_cast_slice(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::tests::bytes_of;
    use crate::{Builder, Centres, Sentence};

    fn built() -> Vec<u8> {
        let centres = Centres {
            values: vec![1.0, 0.0, 0.0, 1.0, -1.0, 0.0],
            dim: 2,
            is_euclidean: false,
        };
        let folder = std::env::temp_dir();
        let mut builder = Builder::new(centres, &folder).unwrap();
        for (id, doc, text, cluster) in [
            ("b/s0", "b", "Zwei.", 2),
            ("a/s0", "a", "eins", 0),
            ("b/s1", "b", "drei", 2),
        ] {
            builder
                .push(&Sentence {
                    id,
                    doc,
                    text,
                    cluster,
                    vector: &[0.5, -0.25],
                })
                .unwrap();
        }
        bytes_of(builder)
    }

    #[test]
    fn what_was_pushed_is_read_grouped_by_cluster() {
        let index = Index::open(built()).unwrap();
        assert_eq!(
            (index.len(), index.clusters(), index.dim(), index.model()),
            (3, 2, 2, "b3:ab")
        );
        let all: Vec<(&str, &str)> = (0..3).map(|i| (index.id(i), index.text(i))).collect();
        assert_eq!(all, [("a/s0", "eins"), ("b/s0", "Zwei."), ("b/s1", "drei")]);
        let (a, b) = (index.find_doc("a").unwrap(), index.find_doc("b").unwrap());
        assert_eq!([0, 1, 2].map(|i| index.doc(i)), [a, b, b]);
        assert_eq!((index.doc_sentences(a), index.doc_sentences(b)), (1, 2));
        assert_eq!(index.find_doc("c"), None);
        assert_eq!(index.cluster(1), (1, 2));
        let mut column = Vec::new();
        index.columns(1, 0, 2).column(1, &mut column);
        assert_eq!(column, [0.5, -0.25]);
    }

    #[test]
    fn sentences_that_do_not_fit_are_refused() {
        let centres = Centres {
            values: vec![1.0, 0.0],
            dim: 2,
            is_euclidean: false,
        };
        let mut builder = Builder::new(centres, &std::env::temp_dir()).unwrap();
        let good = Sentence {
            id: "a",
            doc: "a",
            text: "a",
            cluster: 0,
            vector: &[1.0, 0.0],
        };
        assert_eq!(
            builder
                .push(&Sentence { cluster: 1, ..good })
                .unwrap_err()
                .code(),
            "no-such-cluster"
        );
        assert_eq!(
            builder
                .push(&Sentence {
                    vector: &[1.0],
                    ..good
                })
                .unwrap_err()
                .code(),
            "dim-mismatch"
        );
        assert!(Index::open(bytes_of(builder)).unwrap().is_empty());
    }

    #[test]
    fn damage_is_found_on_opening() {
        let whole = built();
        let code = |bytes: Vec<u8>| Index::open(bytes).unwrap_err().code();
        assert_eq!(code(b"{}".to_vec()), "not-an-index");
        for length in [8, 20, crate::layout::HEADER, whole.len() - 1] {
            assert_eq!(code(whole[..length].to_vec()), "index-damaged", "{length}");
        }
        for at in 12..crate::layout::HEADER {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            assert_eq!(code(bytes), "index-damaged", "{at}");
        }
        let mut other = whole;
        other[8] = 1;
        assert_eq!(code(other), "index-version");
    }
}
