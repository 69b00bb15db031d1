//! A view of an index's bytes.

use realsyn_vector::kernel::{F16, LANES, PanelView, Panels};

use crate::RetrieveError;
use crate::layout::{Header, Section};

/// Sentences grouped by cluster, over bytes of any origin: a vector, or a map of a file.
#[derive(Debug)]
pub struct Index<B> {
    bytes: B,
    header: Header,
}

impl<B: AsRef<[u8]>> Index<B> {
    /// Checks the header; the cost does not depend on the size.
    ///
    /// # Errors
    /// The bytes are no index, of another version, cut short, or their header is damaged.
    pub fn open(bytes: B) -> Result<Self, RetrieveError> {
        let header = Header::decode(bytes.as_ref())?;
        Ok(Self { bytes, header })
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
        let (mut low, mut high) = (0, self.header.docs);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self
                .string(Section::NameStarts, Section::Names, middle)
                .cmp(name)
            {
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

    /// The centres of the clusters that hold sentences, packed.
    pub(crate) fn centres(&self) -> Panels {
        let floats = |section| {
            let (fours, _) = self.section(section).as_chunks::<4>();
            fours
                .iter()
                .map(|x| f32::from_le_bytes(*x))
                .collect::<Vec<f32>>()
        };
        Panels::pack_biased(
            &floats(Section::Centres),
            self.header.dim,
            &floats(Section::Bias),
        )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Centres, Sentence};

    fn built() -> Vec<u8> {
        let centres = Centres {
            values: vec![1.0, 0.0, 0.0, 1.0, -1.0, 0.0],
            dim: 2,
            is_euclidean: false,
        };
        let mut builder = Builder::new(centres, "b3:ab").unwrap();
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
        builder.finish()
    }

    #[test]
    fn what_was_pushed_is_read_grouped_by_cluster() {
        let index = Index::open(built()).unwrap();
        assert_eq!(
            (index.len(), index.clusters(), index.dim(), index.model()),
            (3, 2, 2, "b3:ab")
        );
        let all: Vec<(&str, &str, u32)> = (0..3)
            .map(|i| (index.id(i), index.text(i), index.doc(i)))
            .collect();
        assert_eq!(
            all,
            [
                ("a/s0", "eins", 0),
                ("b/s0", "Zwei.", 1),
                ("b/s1", "drei", 1)
            ]
        );
        assert_eq!(
            (
                index.find_doc("a"),
                index.find_doc("b"),
                index.find_doc("c")
            ),
            (Some(0), Some(1), None)
        );
        assert_eq!(index.doc_sentences(1), 2);
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
        let mut builder = Builder::new(centres, "").unwrap();
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
        assert!(Index::open(builder.finish()).unwrap().is_empty());
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
        other[8] = 2;
        assert_eq!(code(other), "index-version");
    }
}
