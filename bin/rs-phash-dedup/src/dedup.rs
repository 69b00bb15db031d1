//! The fold: records in, joined, and decided.

use std::collections::HashSet;
use std::io::BufWriter;

use anyhow::Result;
use realsyn_cli::{Common, Outcome, Run};
use realsyn_lines::AtomicFile;
use realsyn_phash::{
    Algorithm, Graph, Members, Near, Part, Seen, SeenKey, TextKey, Texts, Verdicts, seen_entry,
};
use realsyn_pipe::{Reply, fold, scan};
use realsyn_record::{Edits, Kind};

use crate::Own;
use crate::edges::{Edges, picture_edge, sentence_edge};
use crate::page::PAGE;
use crate::stage::{Hashes, Item, hash_edits};

/// The rule under which sentences stand in a set of what was seen.
const TEXT: &str = "text";
/// Edges are written in pieces of about this many bytes.
const PIECE: usize = 1 << 18;

/// All that is to be known of the records before they can be joined.
struct Corpus {
    images: Members<u64>,
    /// Width and height of each image.
    sizes: Vec<(u32, u32)>,
    sentences: Members<TextKey>,
    /// With `--sentence-jaccard`, the distinct sentences.
    texts: Option<(Texts, HashSet<TextKey>)>,
}

impl Corpus {
    fn new(near: Option<&Near>) -> Self {
        Self {
            images: Members::default(),
            sizes: Vec::new(),
            sentences: Members::default(),
            texts: near.map(|near| (Texts::new(near.clone()), HashSet::new())),
        }
    }

    fn push(&mut self, item: Item) {
        match item {
            Item::Image { id, hashed } => {
                self.images.push(&id, hashed.area(), hashed.hash);
                self.sizes.push((hashed.width, hashed.height));
            }
            Item::Sentence {
                id,
                key,
                length,
                near,
            } => {
                // Of nearly equal sentences the longest says most; equal ones are equally long.
                self.sentences.push(&id, length, key);
                if let (Some((texts, known)), Some((normal, bands))) = (&mut self.texts, near)
                    && known.insert(key)
                {
                    texts.push(key, &normal, &bands);
                }
            }
        }
    }
}

/// `--edges`: searches and writes what is joined, in place of the records.
pub fn find_edges(common: &Common, own: &Own, stage: &Hashes, part: Part) -> Result<Outcome> {
    let mut run = common.start(&PAGE, own)?;
    let seen = Seen::open(&own.seen)?;
    let mut corpus = Corpus::new(stage.near.as_ref());
    scan(&mut run, stage, |item| {
        corpus.push(item);
        Ok(())
    })?;
    let algorithm = stage.hasher.algorithm();
    let images = graph(&corpus.images, algorithm.as_str(), &seen, &[])?;
    images.search(own.radius, part, common.workers())?;
    let mut out = Vec::new();
    for edge in images.edges() {
        picture_edge(algorithm, edge, &mut out)?;
        flush(&mut run, &mut out, PIECE)?;
    }
    if let Some((texts, _)) = &corpus.texts {
        let sentences = Graph::new(corpus.sentences.keys().to_vec())?;
        texts.search(&sentences, part, common.workers());
        for edge in sentences.edges() {
            sentence_edge(edge, &mut out)?;
            flush(&mut run, &mut out, PIECE)?;
        }
    }
    flush(&mut run, &mut out, 1)?;
    Ok(run.finish()?)
}

fn flush(run: &mut Run, out: &mut Vec<u8>, least: usize) -> Result<()> {
    if out.len() >= least {
        run.write(out)?;
        out.clear();
    }
    Ok(())
}

/// Drops or marks duplicates; with `--merge`, those that the edges join.
pub fn dedup(common: &Common, own: &Own, stage: &Hashes) -> Result<Outcome> {
    let mut run = common.start(&PAGE, own)?;
    let algorithm = stage.hasher.algorithm();
    let seen = Seen::open(&own.seen)?;
    let mut edges = Edges::default();
    for path in &own.merge {
        edges.read(path, algorithm)?;
    }
    let seen_out = own
        .seen_out
        .as_ref()
        .map(|path| AtomicFile::create(path, common.force || common.resume))
        .transpose()?;
    let mut corpus = Corpus::new(stage.near.as_ref());
    let spooled = fold(&mut run, stage, |item| {
        corpus.push(item);
        Ok(())
    })?;
    let jobs = common.workers();

    let pictures = graph(&corpus.images, algorithm.as_str(), &seen, &edges.pictures)?;
    if own.merge.is_empty() {
        pictures.search(own.radius, Part::ALL, jobs)?;
    }
    let pictures = decide(corpus.images, &pictures, algorithm.as_str(), &seen)?;
    let texts = graph(&corpus.sentences, TEXT, &seen, &edges.sentences)?;
    if let Some((near, _)) = &corpus.texts {
        near.search(&texts, Part::ALL, jobs);
    }
    drop(corpus.texts);
    let texts = decide(corpus.sentences, &texts, TEXT, &seen)?;

    let (mut image, mut sentence) = (0, 0);
    spooled.decide(&mut run, |_, record| {
        let mut edits = Edits::new();
        let (dup_of, code) = if record.kind() == Kind::Sentence {
            sentence += 1;
            (texts.dup_of(sentence - 1), "duplicate-sentence")
        } else {
            let size = corpus.sizes.get(image).copied();
            if let (Some(hash), Some((width, height))) = (pictures.key(image), size) {
                let hashed = realsyn_phash::Hashed {
                    hash,
                    width,
                    height,
                };
                edits = hash_edits(record, algorithm, hashed)?;
            }
            image += 1;
            (pictures.dup_of(image - 1), "near-duplicate-image")
        };
        match dup_of {
            Some(kept) if !own.mark => {
                let dup_of = kept.to_owned();
                return Ok(Reply::Duplicate { code, dup_of });
            }
            Some(kept) => edits = edits.set("dup_of", kept)?,
            // From an earlier run, perhaps.
            None if record.raw("dup_of").is_some() => edits = edits.remove("dup_of"),
            None => {}
        }
        Ok(if edits.is_empty() {
            Reply::Keep
        } else {
            Reply::Edit(edits)
        })
    })?;
    if let Some(mut file) = seen_out {
        extend(&seen, algorithm, &pictures, &texts, &mut file)?;
        file.finish()?;
    }
    if let Some(near) = &stage.near {
        run.note("sentence", "jaccard_recall", near.recall().into());
    }
    Ok(run.finish()?)
}

/// A graph of the records' keys, those that were seen, and those of edges, which are joined.
fn graph<K: SeenKey>(
    members: &Members<K>,
    rule: &str,
    seen: &Seen,
    edges: &[(K, K)],
) -> Result<Graph<K>> {
    let mut keys = members.keys().to_vec();
    seen.each(rule, |key, _| keys.push(key))?;
    keys.extend(edges.iter().flat_map(|&(a, b)| [a, b]));
    let graph = Graph::new(keys)?;
    for &(a, b) in edges {
        graph.join(a, b);
    }
    Ok(graph)
}

fn decide<K: SeenKey>(
    members: Members<K>,
    graph: &Graph<K>,
    rule: &str,
    seen: &Seen,
) -> Result<Verdicts<K>> {
    let mut verdicts = members.decide(graph);
    seen.each(rule, |key, id| verdicts.keep_before(graph, key, id))?;
    Ok(verdicts)
}

/// Writes what was seen before and now.
fn extend(
    seen: &Seen,
    algorithm: Algorithm,
    pictures: &Verdicts<u64>,
    texts: &Verdicts<TextKey>,
    file: &mut AtomicFile,
) -> Result<()> {
    let rule = algorithm.as_str();
    let mut fresh: Vec<Vec<u8>> = Vec::new();
    fresh.extend(
        pictures
            .seen()
            .into_iter()
            .map(|(key, id)| seen_entry(rule, key, id)),
    );
    fresh.extend(
        texts
            .seen()
            .into_iter()
            .map(|(key, id)| seen_entry(TEXT, key, id)),
    );
    fresh.sort_unstable();
    Ok(seen.extend(&fresh, BufWriter::new(file))?)
}
