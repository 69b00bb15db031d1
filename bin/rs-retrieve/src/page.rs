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
              With --build the sentence/1 records that are read go into an index file, and nothing is written to standard \
              output. The file holds the vectors in half precision, grouped by cluster, with the ids and texts; it is \
              mapped into memory, so that opening it takes milliseconds at any size, and its version and header are \
              checked. A sentence without cluster is put into the cluster of its nearest centroid. One without emb is \
              rejected (missing-emb), or with one of another dimension (dim-mismatch); duplicates that were marked with \
              dup_of are left out. With --sentences the same is done in a temporary file for one run, where a broken \
              sentence ends the run. Embeddings of different models end the run.\n\n\
              Inside the clusters that are looked into the answer is exact: every inner product is computed, as one chain \
              of fused multiply-adds in single precision over the half-precision vectors, with the same bits on every \
              processor. --recall-sample 0.01 reports how much of brute force's answer --probe leaves: recall, over \
              recall_images images.\n\n\
              With --bulk all images are read before the first is answered, and each cluster's vectors are read once \
              whatever the number of images. The output is the same, in input order.\n\n\
              With --vectors the rows of a matrix are looked up, or indexed, in place of records: the id is the row's \
              number, and there is no text. The pairs are written in the order of the rows.\n\n\
              The report's figures need no labels: first_text_own_doc counts the pairs whose first text stands in the \
              image's own document, first_text_own_doc_share is their share, and chance_own_doc is the share that \
              sentences drawn at random would give. A resumed run counts the pairs that it made itself.",
    memory: "A few MiB a thread; the index belongs to the operating system's cache, which may drop any part of it. With --bulk \
             or --vectors 8 bytes an image and probed cluster, 28 bytes an image and sentence that it may get, and a \
             temporary file with the images' lines and 4 bytes a dimension. With --build or --sentences the centroids \
             twice, about 32 bytes a document, and a 256th part of the index where clusters are of equal size; \
             temporary files, beside the index or in TMPDIR, take as much room as the index: 2 bytes a dimension and \
             sentence, its id and text, and 28 bytes.",
    parallel: "May run under parallel --pipe, where all jobs share the map of one index. With --bulk, --vectors or --build all \
               input must go through one run.",
    examples: &[
        Example {
            says: "An index, and three sentences for each image",
            command: "rs-retrieve --build sentences.index --centroids centroids.npy embedded.jsonl && \
                      rs-retrieve --index sentences.index embedded.jsonl > pairs.jsonl",
        },
        Example {
            says: "How much is lost by looking into four clusters, measured on every tenth image",
            command: "rs-retrieve --index sentences.index --probe 4 --recall-sample 0.1 --report probe4.jsonl \
                      embedded.jsonl > /dev/null",
        },
        Example {
            says: "Without an index of its own",
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
