//! `rs-report`: any of the pipeline's streams in, one self-contained HTML page out.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use realsyn_cli::{Common, Example, Outcome, Page, Shape};
use realsyn_pipe::{RecordFold, Refusal, scan};
use realsyn_record::{Kind, Record};
use realsyn_report::{Item, Options, Report};

const PAGE: Page = Page {
    name: "rs-report",
    shape: Shape::Sink,
    stdin: "Records of any kind and any stage, mixed as they come; funnels, rejects and metrics among them. Files may be named in any number in their place.",
    records: "image, sentence and pair records become the counts, the gallery, the histograms and the groups of duplicates (of images with dup_of); funnel records the funnel, with the paper's shares beside it, the share of pairs whose first text is from the image's own document, and the cluster sizes around sampling; reject records the losses with examples; metric records curves. Sections without records are left out.\n\nA record may be read at several stages: images, sentences and pairs are counted once by id. Pictures are read from the paths of the records shown, and stand in the page as small JPEGs. The page needs no network, no script and no other file.",
    memory: "The records shown, with their pictures at thumbnail size, one counter a cluster, and at most 20 MB for each of the counts of ids (exact up to a million of a kind, then within about 0.1%); one decoded picture a thread. Not the length of the stream.",
    parallel: "The funnels, rejects and records of all shards are read together by one run.",
    examples: &[
        Example {
            says: "The page of a whole run",
            command: "cat pairs.jsonl funnel.jsonl rejects.jsonl | rs-report -o report.html",
        },
        Example {
            says: "The funnel in the terminal",
            command: "rs-report --terminal funnel.jsonl",
        },
        Example {
            says: "An even sample of 50 pairs in place of the best",
            command: "rs-report --order input --max-gallery 50 pairs.jsonl > sample.html",
        },
    ],
    see_also: "rs-extract(1), rs-retrieve(1), rs-sample(1), jq(1)",
};

/// Make one self-contained HTML page from any records: funnel, gallery, distributions, rejects
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    common: Common,

    /// Write the funnel as a plain table for the terminal in place of the page
    #[arg(long)]
    terminal: bool,

    /// Which pairs are shown and how: the best first, or an even sample in the order of the input
    #[arg(long, value_enum, value_name = "ORDER", default_value_t = Order::Best)]
    order: Order,

    /// The most pairs shown
    #[arg(long, value_name = "N", default_value_t = 200)]
    max_gallery: usize,

    /// The page's heading
    #[arg(long, value_name = "TEXT", default_value = "RealSyn report")]
    title: String,

    /// A date or other line under the heading; none is made up, so that the same records give the same bytes
    #[arg(long, value_name = "TEXT")]
    date: Option<String>,
}

/// The order of the gallery.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    /// Highest cosine of the first text first
    Best,
    /// As they were read
    Input,
}

/// The part that several threads do: from a record to what the report needs of it.
struct Digest;

impl RecordFold for Digest {
    type Worker = ();
    type Item = (Kind, Item);

    fn handles(&self, kind: Kind) -> bool {
        kind != Kind::Other
    }

    fn worker(&self) -> Result<()> {
        Ok(())
    }

    fn prepare(&self, (): &mut (), record: &Record<'_>) -> Result<Self::Item, Refusal> {
        Ok((record.kind(), Item::digest(record)?))
    }
}

fn run(args: &Args) -> Result<Outcome> {
    let settings = (
        args.terminal,
        args.order as u8,
        args.max_gallery,
        &args.title,
        &args.date,
    );
    let mut run = args.common.start(&PAGE, &settings)?;
    let mut report = Report::new(Options {
        title: args.title.clone(),
        date: args.date.clone(),
        max_gallery: args.max_gallery,
        order: match args.order {
            Order::Best => realsyn_report::Order::Best,
            Order::Input => realsyn_report::Order::Input,
        },
        jobs: NonZeroUsize::new(args.common.workers()).unwrap_or(NonZeroUsize::MIN),
    });
    let mut read = BTreeMap::<&str, u64>::new();
    scan(&mut run, &Digest, |(kind, item)| {
        *read.entry(kind.name()).or_default() += 1;
        report.push(item);
        Ok(())
    })?;
    let mut sink = run.sink();
    // What was read matters to whoever asks for the funnel of this very tool; on the terminal it would be noise behind
    // the table.
    if args.common.report.is_some() {
        for (kind, count) in read {
            let counts = sink.tally.of(kind);
            (counts.seen, counts.kept) = (count, count);
        }
    }
    if args.terminal {
        report.terminal(&mut sink.out)?;
    } else {
        report.finish(&mut sink.out)?;
    }
    run.accept(sink)?;
    Ok(run.finish()?)
}

fn main() -> ExitCode {
    realsyn_cli::main(&PAGE, |args: Args| run(&args))
}
