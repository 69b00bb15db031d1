//! Records on the pipe: gathered by kind, judged, and answered line by line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use realsyn_cli::{Common, Outcome, Run};
use realsyn_pipe::{RecordFold, Refusal, Reply, fold, scan};
use realsyn_record::{Edits, Kind, Record, Sidecars};
use realsyn_semdedup::{Names, Rank, Store, Verdicts};
use realsyn_vector::npy::{Element, Matrix, Writer};
use tempfile::NamedTempFile;

use crate::judge::judge;
use crate::page::PAGE;
use crate::{Keep, Own, edges, is_chosen};

const SPOOL: &str = "the temporary file of the embeddings";

/// Drops or marks duplicates, or writes the edges between them.
pub fn run(common: &Common, own: &Own) -> Result<Outcome> {
    let mut run = common.start(&PAGE, own)?;
    if run.operands().is_empty() {
        // A resumed run that had ended.
        return Ok(run.finish()?);
    }
    let stage = Stage { own };
    let mut kinds: BTreeMap<Kind, Gathered> = BTreeMap::new();
    let mut model = None;
    let mut take = |item: Item| gather(&mut kinds, &mut model, item);
    if own.edges.is_some() {
        scan(&mut run, &stage, take)?;
        for (kind, gathered) in kinds {
            let (kind, count) = (kind.name(), gathered.names.len() as u64);
            let (store, names, _) = gathered.store(run.jobs())?;
            let judged = judge(&mut run, own, kind, &store, &names, model.as_deref())?;
            let counts = run.tally().of(kind);
            counts.seen += count;
            counts.kept += count;
            edges::write(&mut run, own, kind, &store, &judged, &names)?;
        }
        return Ok(run.finish()?);
    }
    let spooled = fold(&mut run, &stage, &mut take)?;
    let mut decided: BTreeMap<Kind, Decided> = BTreeMap::new();
    for (kind, gathered) in kinds {
        let decision = decide(&mut run, own, kind, gathered, model.as_deref())?;
        decided.insert(kind, decision);
    }
    spooled.decide(&mut run, |_, record| {
        let Some(decided) = decided.get_mut(&record.kind()) else {
            bail!("a record of a kind that was not gathered")
        };
        decided.reply(own, record)
    })?;
    Ok(run.finish()?)
}

/// What is needed of a record.
struct Item {
    kind: Kind,
    id: String,
    model: String,
    dim: usize,
    vector: Vec<f32>,
    size: f64,
}

struct Stage<'a> {
    own: &'a Own,
}

impl RecordFold for Stage<'_> {
    type Worker = Sidecars;
    type Item = Item;

    fn handles(&self, kind: Kind) -> bool {
        is_chosen(self.own.kind, kind)
    }

    fn worker(&self) -> Result<Sidecars> {
        Ok(Sidecars::new())
    }

    fn prepare(&self, sidecars: &mut Sidecars, record: &Record<'_>) -> Result<Item, Refusal> {
        let missing = || {
            Refusal::error(
                "missing-emb",
                "the record has no embedding; rs-embed adds them",
            )
        };
        let embedding = record.embedding()?.ok_or_else(missing)?;
        let mut vector = Vec::new();
        embedding.read(sidecars, &mut vector)?;
        if vector.iter().all(|&x| x == 0.0) {
            return Err(Refusal::error("no-direction", "the embedding is all zeros"));
        }
        Ok(Item {
            kind: record.kind(),
            id: record.id()?.into_owned(),
            model: embedding.model.into_owned(),
            dim: embedding.dim,
            vector,
            size: self.size(record)?,
        })
    }
}

impl Stage<'_> {
    /// The number whose greatest value stays.
    fn size(&self, record: &Record<'_>) -> Result<f64, Refusal> {
        Ok(match (self.own.keep, &self.own.quality_field) {
            (Keep::Largest, _) if record.kind() == Kind::Image => {
                f64::from(record.need::<u32>("width")?) * f64::from(record.need::<u32>("height")?)
            }
            (Keep::Largest, _) => {
                #[expect(clippy::cast_precision_loss, reason = "a line has fewer than 2⁵³")]
                let characters = record.need_text("text")?.chars().count() as f64;
                characters
            }
            (Keep::Quality, Some(field)) => record.need(field)?,
            _ => 0.0,
        })
    }
}

/// All records of one kind.
struct Gathered {
    names: Names,
    sizes: Vec<f64>,
    dim: usize,
    file: NamedTempFile,
    writer: Writer<BufWriter<File>>,
}

/// Puts a record with the others of its kind.
fn gather(
    kinds: &mut BTreeMap<Kind, Gathered>,
    model: &mut Option<String>,
    item: Item,
) -> Result<()> {
    match model {
        None => *model = Some(item.model),
        Some(known) => ensure!(
            *known == item.model,
            "embeddings of two models: {known} and {}",
            item.model
        ),
    }
    let gathered = match kinds.get_mut(&item.kind) {
        Some(gathered) => gathered,
        None => kinds.entry(item.kind).or_insert(Gathered::new(item.dim)?),
    };
    ensure!(
        gathered.dim == item.dim,
        "embeddings of {} and of {} dimensions",
        gathered.dim,
        item.dim
    );
    gathered.writer.push(&item.vector).context(SPOOL)?;
    gathered.names.push(&item.id);
    gathered.sizes.push(item.size);
    Ok(())
}

impl Gathered {
    fn new(dim: usize) -> Result<Self> {
        let file = NamedTempFile::new().context(SPOOL)?;
        let out = BufWriter::with_capacity(1 << 18, file.reopen().context(SPOOL)?);
        Ok(Self {
            names: Names::ids(),
            sizes: Vec::new(),
            dim,
            file,
            writer: Writer::new(out, dim, Element::F16).context(SPOOL)?,
        })
    }

    fn store(self, jobs: usize) -> Result<(Store, Names, Vec<f64>)> {
        self.writer.finish().context(SPOOL)?;
        // The map keeps the file's bytes after its name is gone.
        let matrix = Matrix::open(Path::new(self.file.path()))?;
        Ok((Store::new(matrix, jobs)?, self.names, self.sizes))
    }
}

/// What becomes of the records of one kind, in the order in which they came.
struct Decided {
    code: &'static str,
    names: Names,
    verdicts: Verdicts,
    next: usize,
}

fn decide(
    run: &mut Run,
    own: &Own,
    kind: Kind,
    gathered: Gathered,
    model: Option<&str>,
) -> Result<Decided> {
    let (store, names, sizes) = gathered.store(run.jobs())?;
    let judged = judge(run, own, kind.name(), &store, &names, model)?;
    let rank = match own.keep {
        Keep::Centroid => Rank::Centroid,
        Keep::First => Rank::First,
        Keep::Largest | Keep::Quality => Rank::Greatest(&sizes),
    };
    let verdicts = Verdicts::new(&store, &judged.found, judged.place, rank, |a, b| {
        names.order(a, b)
    });
    Ok(Decided {
        code: if kind == Kind::Image {
            "semantic-duplicate-image"
        } else {
            "semantic-duplicate-sentence"
        },
        names,
        verdicts,
        next: 0,
    })
}

impl Decided {
    fn reply(&mut self, own: &Own, record: &Record<'_>) -> Result<Reply> {
        let kept = self.verdicts.dup_of(self.next);
        self.next += 1;
        Ok(match kept.map(|kept| self.names.name(kept).into_owned()) {
            Some(dup_of) if !own.mark => Reply::Duplicate {
                code: self.code,
                dup_of,
            },
            Some(dup_of) => Reply::Edit(Edits::new().set("dup_of", &dup_of)?),
            // From an earlier run, perhaps.
            None if record.raw("dup_of").is_some() => Reply::Edit(Edits::new().remove("dup_of")),
            None => Reply::Keep,
        })
    }
}
