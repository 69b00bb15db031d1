//! One self-contained HTML page, or a table for the terminal, from any records of the pipeline.
//!
//! [`Item::digest`] takes what is needed out of a record (in any thread), [`Report::push`] takes the items in the order
//! of the stream, [`Report::finish`] writes the page and [`Report::terminal`] the table. The page loads nothing: styles
//! are inline, pictures are `data:` URIs, there is no script, and its content security policy forbids the browser what
//! the page does not need. Whatever comes out of a record is escaped; no path or URL of a record becomes a link.
//!
//! Memory: counters, the records that are shown, their thumbnails, one counter a cluster, and up to 20 MB for each of
//! five counts of different ids; it does not grow with the stream otherwise. Order: the same records in the same order
//! give the same bytes, at any number of threads; files of pictures are read when the page is written.

mod chart;
mod distances;
mod distinct;
mod funnel;
mod gallery;
mod groups;
mod histogram;
mod html;
mod item;
mod markup;
mod page;
mod rejects;
mod sizes;
mod smallest;
mod terminal;
mod thumb;
mod trace;

use std::io::{self, Write};
use std::num::NonZeroUsize;

use realsyn_record::doc_of;

use distances::Tables;
use distinct::{Distinct, hash};
use funnel::{OwnDocument, Stages};
use gallery::Gallery;
pub use gallery::Order;
use groups::Groups;
use histogram::Histogram;
pub use item::Item;
use item::{Digest, Image, Pair, Picture, Reject, Sentence, Subject};
use rejects::Rejects;
use sizes::Members;
use smallest::Smallest;
use trace::Traces;

/// Sentences shown when there are no pairs to show them with.
const SENTENCES: usize = 24;

/// What the page looks like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The page's heading.
    pub title: String,
    /// A date under the heading. None is made up: the same records give the same page.
    pub date: Option<String>,
    /// The most pairs shown.
    pub max_gallery: usize,
    /// Which pairs are shown, and in which order.
    pub order: Order,
    /// Threads that make thumbnails.
    pub jobs: NonZeroUsize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            title: "RealSyn report".to_owned(),
            date: None,
            max_gallery: 200,
            order: Order::default(),
            jobs: NonZeroUsize::MIN,
        }
    }
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The output refused the page.
    #[error("cannot write the report: {0}")]
    Write(#[from] io::Error),
}

impl ReportError {
    /// The stable name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Write(_) => "write",
        }
    }
}

/// What has been read so far.
#[derive(Debug)]
pub struct Report {
    options: Options,
    documents: Distinct,
    images: Distinct,
    sentences: Distinct,
    pairs: Distinct,
    texts: u64,
    /// Pairs with a text, and those among them whose first text is from the image's own document.
    found: (u64, u64),
    cos: Histogram,
    synthetic: Histogram,
    words: Histogram,
    with_synthetic: Distinct,
    clustered: Distinct,
    clusters: Members,
    gallery: Gallery<Pair>,
    pictures: Gallery<Picture>,
    some_sentences: Smallest<u64, String>,
    stages: Stages,
    distances: Tables,
    rejects: Rejects,
    groups: Groups,
    traces: Traces,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new(options: Options) -> Self {
        // Bins of a hundredth over the cosines, of a word over the lengths (longer than 400 words counts as 400).
        let cosines = Histogram::new(-1.0, 0.01, 201);
        Self {
            documents: Distinct::default(),
            images: Distinct::default(),
            sentences: Distinct::default(),
            pairs: Distinct::default(),
            texts: 0,
            found: (0, 0),
            cos: cosines.clone(),
            synthetic: cosines,
            words: Histogram::new(0.0, 1.0, 401),
            with_synthetic: Distinct::default(),
            clustered: Distinct::default(),
            clusters: Members::default(),
            gallery: Gallery::new(options.order, options.max_gallery),
            pictures: Gallery::new(Order::Input, options.max_gallery),
            some_sentences: Smallest::new(SENTENCES),
            stages: Stages::default(),
            distances: Tables::default(),
            rejects: Rejects::default(),
            groups: Groups::default(),
            traces: Traces::default(),
            options,
        }
    }

    /// Takes the next record of the stream.
    pub fn push(&mut self, item: Item) {
        match item.0 {
            Digest::Image(image) => self.image(*image),
            Digest::Sentence(sentence) => self.sentence(sentence),
            Digest::Pair(pair) => self.pair(*pair),
            Digest::Reject(reject) => self.reject(*reject),
            Digest::Funnel(funnel) => {
                self.distances.push(&funnel);
                self.stages.push(*funnel);
            }
            Digest::Metric(metric) => self.traces.push(&metric),
            Digest::Other => {}
        }
    }

    fn image(&mut self, image: Image) {
        let Image { picture, dup_of } = image;
        self.documents.insert(hash(&picture.doc));
        self.images.insert(hash(&picture.id));
        if let Some(kept) = dup_of {
            self.groups.duplicate(picture, &kept);
        } else {
            self.groups.head(&picture);
            let id = picture.id.clone();
            self.pictures.offer(&id, 0.0, picture);
        }
    }

    fn sentence(&mut self, sentence: Sentence) {
        self.documents.insert(sentence.doc);
        if self.sentences.insert(sentence.id) {
            #[expect(clippy::cast_precision_loss, reason = "numbers of words are small")]
            self.words.add(sentence.words as f64);
        }
        self.some_sentences.offer(sentence.id, sentence.text);
    }

    fn pair(&mut self, pair: Pair) {
        let id = hash(&pair.picture.id);
        self.documents.insert(hash(&pair.picture.doc));
        self.images.insert(id);
        if self.pairs.insert(id) {
            self.texts += pair.texts.len() as u64;
            if let Some(first) = pair.texts.first() {
                self.cos.add(f64::from(first.cos));
                self.found.0 += 1;
                self.found.1 += u64::from(own(&pair, &first.id));
            }
        }
        if let Some(cos) = pair.synthetic_cos
            && self.with_synthetic.insert(id)
        {
            self.synthetic.add(f64::from(cos));
        }
        if let Some(cluster) = pair.cluster
            && self.clustered.insert(id)
        {
            self.clusters.add(cluster);
        }
        let score = pair
            .texts
            .first()
            .map_or(f32::NEG_INFINITY, |first| first.cos);
        let id = pair.picture.id.clone();
        self.gallery.offer(&id, score, pair);
    }

    fn reject(&mut self, reject: Reject) {
        if let (Some(kept), Subject::Picture(picture)) = (&reject.dup_of, &reject.example.subject) {
            self.groups.duplicate(picture.clone(), kept);
        }
        self.rejects.push(reject);
    }

    /// How often the first text comes from the image's own document: as rs-retrieve reported it, else counted from the
    /// pairs (then without what chance would give).
    fn own_document(&self) -> Option<OwnDocument> {
        self.stages.own_document().or_else(|| {
            let (found, own) = self.found;
            (found > 0).then(|| OwnDocument {
                share: html::share(own, found),
                chance: None,
                pairs: Some(found),
            })
        })
    }

    /// Writes the page.
    ///
    /// # Errors
    /// When `out` cannot be written. A picture that cannot be read or decoded is no error: its place on the page says
    /// why it is not there.
    pub fn finish(self, out: &mut impl Write) -> Result<(), ReportError> {
        page::write(self, out)?;
        Ok(out.flush()?)
    }

    /// Writes the funnel as a table of at most 80 columns, its last line the share of pairs whose first text comes from
    /// the image's own document.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn terminal(&self, out: &mut impl Write) -> Result<(), ReportError> {
        terminal::write(self, out)?;
        Ok(out.flush()?)
    }
}

/// Whether a text of this id comes from the document of the pair's image.
fn own(pair: &Pair, text: &str) -> bool {
    doc_of(text) == pair.picture.doc
}
