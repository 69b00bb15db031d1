//! The man page of rs-phash-dedup beyond its flags.

use realsyn_cli::{Example, Page, Shape};

/// The page.
pub const PAGE: Page = Page {
    name: "rs-phash-dedup",
    shape: Shape::Fold,
    stdin: "image records with path, or with a file: or data: url; sentence records with text. Other kinds pass through.",
    records: "An image gains phash, 16 hexadecimal digits: the 64-bit DCT perceptual hash of the upright picture, the very \
              bits of Python's imagehash.phash (or dhash, average_hash, by --algorithm) for losslessly coded files. All \
              pairs within --radius are found, none is missed; they are joined by union-find, so that a chain of small \
              steps joins its ends. Of each group the picture with the most pixels stays; among equally large ones the one with the \
              smallest id, by bytes. The others are dropped with code near-duplicate-image, and the id of the one that \
              stays as dup_of in the reject record, from which rs-report shows the groups.\n\n\
              The hash sees neither colour nor small detail: flat pictures of any colour are one group, and so are \
              screenshots that differ in a few words. Alpha is dropped, so black drawings on a transparent ground are flat \
              black. A phash has as many ones as zeros, so distances are even and an odd radius finds what the even one below finds. On \
              2,929 pictures of seven manuals, of which one pair of a group was looked at, all pairs 2 to 8 bits apart were \
              variants of one picture; of 16 pairs 10 bits apart two were not, of those 14 bits apart most were not. Hence \
              the default.\n\n\
              Sentences are duplicates if they are equal in Unicode's NFKC, in lower case, with runs of white space as one \
              space. CLIP's tokenizer folds case too: such sentences are the same tokens. The one with the smallest id \
              stays, the others are dropped with code duplicate-sentence.\n\n\
              With --mark nothing is dropped: a duplicate gains dup_of, the id of the record that stays; one that stays \
              loses a dup_of that it came with.\n\n\
              Neither the order of the records nor the number of threads decides what stays. A picture that cannot be \
              read is rejected, with --mark too: unreadable, not-local (rs-phash-dedup fetches nothing), bad-data-uri, \
              too-large (256 MiB), too-many-pixels, truncated-image, bad-image, unsupported-image.",
    memory: "For an image its id and 24 bytes, for each distinct file 48 bytes, and for the search 24 bytes a distinct \
             hash and up to 64 MB. For a sentence 4 bytes, for each distinct one its id and about 60 bytes. For each \
             thread one decoded picture: 3 bytes a pixel, for progressive JPEG 9. The lines wait in a temporary file.",
    parallel: "Duplicates may lie in any two shards, so all records must go through one run. What may run under parallel is \
               rs-extract before it and rs-embed behind it.",
    examples: &[
        Example {
            says: "Drop duplicates, and keep the list of what was dropped in favour of what",
            command: "rs-phash-dedup --rejects dropped.jsonl < records.jsonl > distinct.jsonl",
        },
        Example {
            says: "Only mark them, under a stricter radius, and count them",
            command: "rs-phash-dedup --mark --radius 4 records.jsonl | grep -c '\"dup_of\"'",
        },
    ],
    see_also: "rs-extract(1), rs-embed(1). Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010); \
               Norouzi et al., Fast Search in Hamming Space with Multi-Index Hashing (2012); RealSyn, arXiv 2502.12513, section 3.1",
};
