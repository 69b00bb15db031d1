//! The man page beyond the flags.

use realsyn_cli::{Example, Page, Shape};

/// See rs-kmeans(1).
pub const PAGE: Page = Page {
    name: "rs-kmeans",
    shape: Shape::Fold,
    stdin: "Records with embeddings. With --vectors nothing is read.",
    records: "image/1, sentence/1 and pair/1 records with emb are clustered; one without is rejected (missing-emb), and \
              embeddings of two models or dimensions end the run. For each iteration a metric/1 record is written: wcss, \
              the sum of squared distances to the nearest centroids before they move; moved, the share of records that \
              changed their cluster; repaired, the empty clusters that were given half of the largest one.\n\n\
              With --assign, records with emb gain cluster, counted from 0, and cluster_sim, the cosine to the centroid; \
              all others pass through.\n\n\
              The centroids are an .npy matrix that NumPy and Faiss read. Beside it lies FILE.npy.json with the metric and \
              the model of the embeddings: records of another model are refused. Which records become the first centroids \
              depends on the seed and their ids alone, and centroids are exact means, so neither the order of the records \
              nor the number of threads changes a byte.",
    memory: "4 bytes a dimension and cluster twice, 8 bytes for its sums, and 12 bytes a record. Embeddings wait in a \
             temporary file in half precision, or stay in the file of --vectors.",
    parallel: "With --assign each record's fate depends on that record alone: it may run under parallel --pipe. \
               Clustering needs all records; cluster a sample, then assign the shards in parallel.",
    examples: &[
        Example {
            says: "Cluster the sentences into 8 clusters",
            command: "rs-kmeans -k 8 --kind sentence --out topics.npy embedded.jsonl",
        },
        Example {
            says: "Say which cluster each record belongs to",
            command: "rs-kmeans --assign topics.npy embedded.jsonl > clustered.jsonl",
        },
    ],
    see_also: "rs-embed(1), rs-retrieve(1), rs-sample(1)",
};
