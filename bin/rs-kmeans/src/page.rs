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
              changed their cluster; repaired, the empty clusters that were given half of the largest one. A merged \
              iteration has changed, the number of centroids that moved, in place of moved.\n\n\
              With --assign, records with emb gain cluster, counted from 0, and cluster_sim, the cosine to the centroid; \
              all others pass through.\n\n\
              The centroids are an .npy matrix that NumPy and Faiss read. Beside it lies FILE.npy.json with the metric and \
              the model of the embeddings: records of another model are refused. Which records become the first centroids \
              depends on the seed and their ids alone, and centroids are exact means, so neither the order of the records \
              nor the number of threads changes a byte.\n\n\
              All records are used unless --sample asks for fewer. The sample is of the records whose ids have the smallest \
              hashes: the same ones in any order and in any cut of the files, and the first centroids are among them.\n\n\
              Each record goes to its nearest centroid, exactly, on every processor. What cannot be nearest is left out by \
              bounds: products of bytes first leave a few centroids for a record, and a record whose bounds show that it \
              stays where it is is not read again. Nothing is approximated.\n\n\
              With --checkpoint a killed run that is started again with the same arguments ends with the same bytes, and \
              writes the former iterations' records again. It may be given more iterations than before. A checkpoint of \
              other arguments or other vectors is refused.",
    memory: "About 17 bytes a dimension and cluster (centroids twice in single precision, once as bytes, sums in 64 bits), \
             20 bytes a record (28 with --sample or --rows) and 256 embeddings a thread. Embeddings wait in a temporary file \
             in half precision, or stay in the file of --vectors, and are mapped, never held. --merge: 24 bytes a dimension \
             and cluster, or with seeds 8. --checkpoint: 8 bytes more a record and 12 a dimension and cluster while it is \
             written.",
    parallel: "With --assign each record's fate depends on that record alone: it may run under parallel --pipe. \
               Clustering needs all records, and is split in two steps. With --partial each machine writes what its \
               shard adds up to: k seeds, or with --from the sums of one iteration (8 bytes a dimension and cluster). \
               --merge makes centroids of the parts, byte for byte those of one machine, since sums are whole numbers. \
               Machines that share one matrix take --rows each. A shard knows nothing of the iteration before, so all its \
               records are looked at each time. k-means++ is not cut into shards.",
    examples: &[
        Example {
            says: "Cluster the sentences into 8 clusters",
            command: "rs-kmeans -k 8 --kind sentence --out topics.npy embedded.jsonl",
        },
        Example {
            says: "Say which cluster each record belongs to",
            command: "rs-kmeans --assign topics.npy embedded.jsonl > clustered.jsonl",
        },
        Example {
            says: "The same clusters from four shards, which may lie on four machines: first centroids, then two iterations",
            command: "split -n l/4 --additional-suffix .jsonl sentences.jsonl shard.\n\
                      for shard in shard.a?.jsonl; do rs-kmeans -k 4 --partial $shard.seeds $shard; done\n\
                      rs-kmeans --merge --out step0.npy shard.a?.jsonl.seeds\n\
                      for step in 0 1; do\n  \
                      for shard in shard.a?.jsonl; do rs-kmeans -f --from step$step.npy --partial $shard.part $shard; done\n  \
                      rs-kmeans --merge --from step$step.npy --out step$((step + 1)).npy shard.a?.jsonl.part\n\
                      done",
        },
    ],
    see_also: "rs-embed(1), rs-retrieve(1), rs-semdedup(1), rs-sample(1)",
};
