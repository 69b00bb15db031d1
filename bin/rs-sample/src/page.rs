//! The man page of rs-sample beyond its flags.

use realsyn_cli::{Example, Page, Shape};

/// The page.
pub const PAGE: Page = Page {
    name: "rs-sample",
    shape: Shape::Fold,
    stdin: "pair records with `cluster` (for --cap) and, for bounds, with `synthetic_cos` (--on synthetic, as rs-embed adds \
            it) or `texts[0].cos` (--on text1, as rs-retrieve adds it). Other kinds pass through.",
    records: "First the bounds: a pair whose cosine is below the lower one is dropped with code cos-below, above the upper one \
              with cos-above; a pair exactly at a bound stays. Bounds belong to one model: the paper's 0.51 and 0.61 to \
              its own, while other CLIP models peak near 0.26. --min-percentile and --max-percentile read them off the \
              corpus's own distribution, exactly, by nearest rank: percentile P of n cosines is the one at rank P/100 * n, \
              rounded up (rank 1 for P = 0). They are told on standard error and written to --report.\n\n\
              Then the cap: of a cluster with more than --cap pairs within the bounds, those with the smallest \
              u = blake3(seed, id) stay, the others are dropped with code over-cap; a smaller cluster stays whole. So \
              neither the order of the records nor how they are cut into shards decides, and a larger cap only adds pairs.\n\n\
              What stays keeps its order and its bytes, less the fields named by --strip. The report holds `cluster_sizes`: \
              before, after, and for comparison as many pairs drawn at random, each as [size, clusters of that size].\n\n\
              Pairs are not sorted: the order of a data set should say nothing, and rs-report shows the best pairs first \
              whatever their order. A pair that lacks a field it needs is rejected with code missing-field.",
    memory: "33 bytes a pair and some 20 a cluster; with a percentile of its own input at most 48 a pair. The lines wait \
             in a temporary file.",
    parallel: "In two steps. (1) Only if bounds are percentiles: rs-sample --count on each shard writes how many pairs have \
               which cosine; the files merge by cat, and --counts takes the bounds from them. (2) Cut the pairs by cluster, so that no \
               cluster is in two shards, and run rs-sample on each with the same flags: the parts together hold exactly \
               the pairs that one run over everything keeps.",
    examples: &[
        Example {
            says: "The paper's bounds and the cap of its 15M set",
            command: "rs-sample --cap 20 --min-cos 0.51 --max-cos 0.61 < pairs.jsonl > balanced.jsonl",
        },
        Example {
            says: "Bounds that fit the model, on the first retrieved text; vectors left out",
            command: "rs-sample --cap 35 --on text1 --min-percentile 5 --max-percentile 95 --strip emb < pairs.jsonl > balanced.jsonl",
        },
        Example {
            says: "The same over two shards that clusters do not cross",
            command: "awk '{ match($0, /\"cluster\":[0-9]+/); print > (\"even-odd.\" substr($0, RSTART + 10, RLENGTH - 10) % 2) }' pairs.jsonl\n\
                      for i in 0 1; do rs-sample --on text1 --count even-odd.$i.counts even-odd.$i; done\n\
                      cat even-odd.*.counts > all.counts\n\
                      for i in 0 1; do rs-sample --cap 35 --on text1 --min-percentile 5 --max-percentile 95 --counts all.counts even-odd.$i; done > balanced.jsonl",
        },
    ],
    see_also: "rs-kmeans(1), rs-caption(1), rs-report(1). RealSyn, arXiv 2502.12513, section 3.3",
};
