//! The man page of rs-semdedup beyond its flags.

use realsyn_cli::{Example, Page, Shape};

/// The page.
pub const PAGE: Page = Page {
    name: "rs-semdedup",
    shape: Shape::Fold,
    stdin: "image and sentence records with emb. Other kinds pass through. With --vectors nothing is read.",
    records: "Images and sentences are looked at each kind apart. Two of a kind are duplicates if their cosine distance, 1 minus \
              the cosine of their embeddings, is below --distance, and duplicates of duplicates are (union-find, across \
              all borders of clusters), so that a chain of small steps joins its ends. Of each set one record stays: the one \
              nearest to the set's centroid, the mean of its unit vectors (--keep centroid); the one with the smallest id \
              (first); the image with the most pixels or the sentence with the most characters (largest); or the one whose \
              --quality-field is greatest (quality). Ties go to the smallest id, by bytes; in a set of two both are equally \
              near to the centroid. The others are dropped with code semantic-duplicate-image or \
              semantic-duplicate-sentence, and the id of the one that stays as dup_of in the reject record, from which \
              rs-report shows the groups. With --mark nothing is dropped: a duplicate gains dup_of; one that stays loses a \
              dup_of that it came with.\n\n\
              Up to 200,000 distinct vectors, and with --exact alone, all pairs are compared. Else, or with --clusters or \
              --centroids, vectors are clustered, and each is compared with its own cluster and with all others that it lies \
              near enough to. With --exact too that is every cluster that a bound cannot rule out, so \
              that no pair is missed: of two unit vectors \
              nearer than B at home with centres a and b, one has a margin, x.a - x.b, of at most sqrt(B/2) |a - b|. Without, \
              a sample of 1,024 to 4,096 vectors is compared with all others; half of them set the smallest margin at which --recall of the \
              pairs is found, the other half say what share it finds, and the report names it. Cosines are decided in double \
              precision, which for embeddings in half precision makes no error; 8-bit codes with a proven bound only leave \
              out what cannot be near.\n\n\
              The right distance belongs to the model. The paper's image models call pictures the same below 0.1; what that \
              means for another model, --percentile shows: for each distance of a table the share of records that have a \
              nearer neighbour and the share that would be dropped. It takes the largest distance that drops at most P per \
              cent. With --report the table is in the funnel, and rs-report draws it. Of 56 dropped sentences of nine manuals that were \
              read, embedded by the starter model's MiniLM and no boilerplate of Doxygen, 13 of 14 said the same as the one \
              kept where their distance was below 0.03, 6 of 14 from 0.03 to 0.05, and 5 or 6 of 14 from there to 0.1: take \
              0.03 for it. Its images name classes of things: of the 20 largest sets below 0.1 two showed one thing, and \
              those below 0.005 were no better. Do not use it on them.\n\n\
              A record without emb is rejected (missing-emb), so is one of zeros (no-direction). Embeddings of two models, or \
              of two dimensions in one kind, end the run. Neither the order of the records nor the number of threads \
              decides what stays.\n\n\
              With --vectors each row that stays gives a row/1 record, {\"schema\":\"row/1\",\"row\":N}, N from 0; with --mark \
              each row does, and duplicates have dup_of.",
    memory: "For a record its id and about 24 bytes, for a distinct vector about 44 more (with --percentile 212), and 36 a record for a moment; for \
             each thread a few megabytes. It does not depend on the dimension: embeddings wait in a temporary file in half \
             precision, or stay in the file of --vectors, and their 8-bit codes lie in another (1 byte a dimension). Both are \
             memory-mapped; what of them is resident is the system's cache. The lines wait in a third.",
    parallel: "In two steps. Step 1 writes edge/1 records, {\"schema\":\"edge/1\",\"kind\":\"image\",\"by\":\"embedding\",\"distance\":0.1,\"a\":ID,\
               \"b\":ID}: a and b belong to one set. Either each run sees all records and does part I of N of the search (--edges=I/N), or each \
               sees two shards (--edges --exact), so that each pair of shards, and thereby each pair of records, is in some \
               run. Step 2 reads all records and all edges (--merge) and decides: for any parts, and for any shards with \
               --exact, the same records stay as in one run. Ids must differ.",
    examples: &[
        Example {
            says: "Drop semantic duplicates, and keep the list of what was dropped in favour of what",
            command: "rs-semdedup --rejects dropped.jsonl < embedded.jsonl > distinct.jsonl",
        },
        Example {
            says: "See what each distance would drop, take the one that drops at most a tenth of the sentences, and draw it",
            command: "rs-semdedup --kind sentence --percentile 10 --mark --report funnel.semdedup.jsonl embedded.jsonl > marked.jsonl\nrs-report -f -o report.html funnel.semdedup.jsonl",
        },
        Example {
            says: "Two machines do half of the search each; a third decides",
            command: "rs-semdedup --edges=1/2 embedded.jsonl > edges.1.jsonl\nrs-semdedup --edges=2/2 embedded.jsonl > edges.2.jsonl\nrs-semdedup --merge edges.*.jsonl < embedded.jsonl > distinct.jsonl",
        },
        Example {
            says: "The rows of a matrix that are near copies of another one",
            command: "rs-semdedup --vectors centroids.npy --distance 0.02 --mark | grep dup_of || echo none",
        },
    ],
    see_also: "rs-embed(1), rs-phash-dedup(1), rs-kmeans(1). Abbas et al., SemDeDup, arXiv 2303.09540; Yang et al., CLIP-CID, arXiv \
               2408.09441; RealSyn, arXiv 2502.12513, section 3.1",
};
