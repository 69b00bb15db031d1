//! The man page of rs-phash-dedup beyond its flags.

use realsyn_cli::{Example, Page, Shape};

/// The page.
pub const PAGE: Page = Page {
    name: "rs-phash-dedup",
    shape: Shape::Fold,
    stdin: "image records with path, or with a file: or data: url; sentence records with text. Other kinds pass through.",
    records: "An image gains a field named as the algorithm, such as phash: 16 hexadecimal digits, the 64-bit hash of the \
              upright picture; and width and height, if it has none. A record that comes with all three is believed, and \
              its picture is not opened. phash, dhash and ahash are the very bits of Python's imagehash.phash, dhash and \
              average_hash for losslessly coded pictures, whash those of imagehash.whash except where a value equals the \
              median, blockhash those of blockhash.io's with 8 bits; all for pictures without transparency.\n\n\
              Read are JPEG, PNG, WebP, GIF, AVIF, BMP and TIFF, of an animation the first frame. A JPEG is decoded at the \
              smallest scale, from 1/8 on, that leaves 48 samples along each side (dhash, ahash, \
              blockhash: 32), since only its low frequencies count. On 1,363 JPEG files of manuals that moved no bit of phash \
              for 81%, at most 2 for 97% and at most 4 for 98.7%; further only on patterns (checkerboards, \
              spectra), whose hash is noise. Of progressive files only the scans that are needed are \
              looked into: damage in the others goes unseen here.\n\n\
              All pairs of pictures within --radius are found, none is missed; they are joined by union-find, so that a chain of small \
              steps joins its ends. Of each group the picture with the most pixels stays; among equally large ones the one with the \
              smallest id, by bytes. The others are dropped with code near-duplicate-image, and the id of the one that \
              stays as dup_of in the reject record, from which rs-report shows the groups.\n\n\
              The hash sees neither colour nor small detail: flat pictures of any colour are one group, and so are \
              screenshots that differ in a few words. Alpha is dropped, so black drawings on a transparent ground are flat \
              black. A phash has as many ones as zeros, so distances are even and an odd radius finds what the even one below finds. On \
              2,929 pictures of seven manuals, of which one pair of a group was looked at, all pairs 2 to 8 bits apart were \
              variants of one picture; of 16 pairs 10 bits apart two were not, of those 14 bits apart most were not. Hence \
              the default, which is for phash.\n\n\
              Sentences are duplicates if they are equal in Unicode's NFKC, in lower case, with runs of white space as one \
              space. CLIP's tokenizer folds case too: such sentences are the same tokens. The one with the smallest id \
              stays, the others are dropped with code duplicate-sentence. With --sentence-jaccard X, sentences are joined too \
              whose sets of runs of five characters of that form have a Jaccard index of at least X; the longest stays, and \
              the smallest id among the longest. Candidates come from MinHash with bands, and each is compared in full: no \
              pair is joined that should not be, and a pair that lies at X exactly is found with a probability of at least 99% \
              (jaccard_recall in the report), a closer one more surely.\n\n\
              With --mark nothing is dropped: a duplicate gains dup_of, the id of the record that stays; one that stays \
              loses a dup_of that it came with.\n\n\
              --edges writes stars in place of records: {\"schema\":\"edge/1\",\"kind\":\"image\",\"by\":\"phash\",\"a\":…,\"b\":…} says \
              that the hashes a and b belong to one group (of sentences, by jaccard, a and b are the first 128 bits of the BLAKE3 \
              of the normal form).\n\n\
              A file of --seen-out is a set (of the fst crate) of rule, hash and the id of what stays for it, for every hash \
              that was kept or dropped. A later run with --seen drops whatever belongs to a group with such a hash, however \
              large, in favour of that id. Sentences are held against it for equality only. The file is never changed: the next set is a new file, \
              so that a run may be repeated and gives the same.\n\n\
              Neither the order of the records, nor the number of threads, nor the cut into parts decides what stays. A picture that cannot be \
              read is rejected, with --mark too: unreadable, not-local (rs-phash-dedup fetches nothing), bad-data-uri, \
              too-large (256 MiB), too-many-pixels, truncated-image, bad-image, unsupported-image.",
    memory: "For an image its id and 36 bytes, for each distinct file 64 bytes, for each distinct hash 16 bytes and while it \
             searches 12 bytes more and up to 128 MB; for each edge of --merge 16 bytes (of sentences 32). For a sentence its id and 36 bytes; with --sentence-jaccard \
             for each distinct one its normal form and about 120 bytes. For each \
             thread one picture: of a JPEG that is reduced its samples, of any other 3 bytes a pixel, for progressive JPEG that is not reduced 9, for AVIF 7 (beyond 8 bits 10). The lines wait in a temporary file. \
             --hash and --edges: no lines wait. --seen: the file stays on disk, 8 bytes for each hash in it.",
    parallel: "Duplicates may lie in any two shards, so one run must decide; what costs time can be done apart. (1) --hash is a map: it \
               may run under parallel --pipe, once for each shard. (2) --edges=I/N for I = 1 to N: each run reads all \
               records with their hashes and does its part of the search; or, where one machine's memory does not hold \
               all hashes, --edges over each pair of shards: every two records must meet in some run. (3) --merge reads the records and all files of edges and \
               decides without searching. The survivors are those of one run over everything. --radius, --algorithm, \
               --sentence-jaccard and --seen must be the same in all runs of (2); of these --merge takes --algorithm and --seen.",
    examples: &[
        Example {
            says: "Drop duplicates, and keep the list of what was dropped in favour of what",
            command: "rs-phash-dedup --rejects dropped.jsonl < records.jsonl > distinct.jsonl",
        },
        Example {
            says: "Only mark them, under a stricter radius, and count them",
            command: "rs-phash-dedup --mark --radius 4 records.jsonl | grep -c '\"dup_of\"'",
        },
        Example {
            says: "The same in steps that can run on different machines: hash each shard, search in parts, decide",
            command: "split -n l/2 records.jsonl shard.\n\
                      for shard in shard.a?; do rs-phash-dedup -q --hash $shard > hashed.$shard; done\n\
                      for part in 1 2; do rs-phash-dedup -q --edges=$part/2 hashed.shard.* > edges.$part; done\n\
                      rs-phash-dedup -q --merge edges.1 edges.2 -- hashed.shard.* > merged.jsonl",
        },
        Example {
            says: "Remember what was seen, and drop from the next crawl what this one held",
            command: "rs-phash-dedup -q --seen-out monday.fst records.jsonl > monday.jsonl\n\
                      rs-phash-dedup -q --seen monday.fst --seen-out tuesday.fst -- records.jsonl > tuesday.jsonl",
        },
        Example {
            says: "Drop sentences too that differ in little",
            command: "rs-phash-dedup --sentence-jaccard 0.8 records.jsonl > fewer.jsonl",
        },
    ],
    see_also: "rs-extract(1), rs-embed(1), rs-semdedup(1). Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010); \
               Yang, Gu, Niu, Block Mean Value Based Image Perceptual Hashing (2006); Norouzi et al., Fast Search in Hamming Space \
               with Multi-Index Hashing (2012); Broder, On the Resemblance and Containment of Documents (1997); RealSyn, arXiv 2502.12513, section 3.1",
};
