//! The man page beyond the flags.

use realsyn_cli::{Example, Page, Shape};

/// See rs-retrieve(1).
pub const PAGE: Page = Page {
    name: "rs-retrieve",
    shape: Shape::Map,
    stdin: "image/1 records with emb; sentences and all other records pass through.",
    records: "Each image becomes a pair/1 record: the image record with its schema replaced and texts added, the best \
              sentences first, each with id, text and cos, the inner product of the two embeddings. Sentences of equal \
              rank are ordered by id, and texts that differ in case, punctuation or white space alone are not given \
              twice. An image for which nothing is found is dropped (no-sentence); one without emb is rejected \
              (missing-emb).\n\n\
              The sentences are sentence/1 records with emb, compressed or not. One without cluster is put into the \
              cluster of its nearest centroid. Embeddings of different models end the run.\n\n\
              The report's figures need no labels: first_text_own_doc counts the pairs whose first text stands in the \
              image's own document, first_text_own_doc_share is their share, and chance_own_doc is the share that \
              sentences drawn at random would give. A resumed run counts the pairs that it made itself.",
    memory: "Two bytes a dimension and sentence, its id and text, and 36 bytes; twice that while the index is built.",
    parallel: "May run under parallel --pipe; each job holds an index of its own.",
    examples: &[
        Example {
            says: "Three sentences for each image",
            command: "rs-retrieve --sentences embedded.jsonl --centroids centroids.npy embedded.jsonl > found.jsonl",
        },
        Example {
            says: "The best sentence of other documents, looking into four clusters",
            command: "rs-retrieve --sentences embedded.jsonl --centroids centroids.npy --top-k 1 --probe 4 \
                      --exclude-same-doc embedded.jsonl > found.jsonl",
        },
    ],
    see_also: "rs-embed(1), rs-kmeans(1), rs-caption(1); RealSyn, arXiv 2502.12513",
};
