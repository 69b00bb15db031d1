//! The man page beyond the flags.

use realsyn_cli::{Example, Page, Shape};

/// See rs-extract(1).
pub const PAGE: Page = Page {
    name: "rs-extract",
    shape: Shape::Fold,
    stdin: "One HTML page, or OBELICS JSON Lines, which are worked on as they come. With --from auto the first character \
            decides: a { begins JSON Lines.",
    records: "Documents become image/1 and sentence/1 records in document order. An operand may be a folder: it is walked \
              in byte order without following symbolic links, and files whose names end in .html, .htm, .xhtml, .jsonl, \
              .jsonl.gz or .jsonl.zst are taken. A page's id is its path as given; that of an OBELICS line is made of \
              its bytes. Every image and sentence has its number and place (pos) whether or not a rule drops it.\n\n\
              Of a page, the main content is used, as Mozilla's Readability finds it, widened where that leaves out \
              running text or pictures; a page in which it finds no article is used whole, without navigation, page \
              header and footer. Text in pre and other program text is left out. A local picture has path, hash, width, \
              height, format and bytes, a remote one url alone, for a tool that fetches. Of srcset, picture and \
              lazy-loading attributes the largest candidate that is there is taken.\n\n\
              Sentences are dropped in this order: emoji (any character that is shown as an emoji by default, or made one \
              by U+FE0F; digits, # and © are not), url (with a scheme, or www.), too-few-words and too-many-words (a word \
              holds a letter or digit and ends at white space), low-entropy (the sum of -p log p over the sentence's \
              words, p being the share of the word, in lower case, among all words of the sentences that passed the other rules). \
              Images are dropped: repeated-in-doc, no-source, vector-image, too-small, bad-aspect.\n\n\
              Errors: missing-image, unreadable, truncated-image, bad-image, unsupported-image, too-many-pixels, \
              too-large, bad-data-uri for images; damaged-text for a sentence with bytes that its encoding does not \
              have; document-too-large, too-many-elements, bad-html, bad-obelics, line-too-long, broken-input, \
              unreadable for documents.",
    memory: "Up to 25 times the largest document a thread, and one picture file a thread. Without --counts also 60 bytes \
             a distinct word; the records wait in a temporary file.",
    parallel: "With --counts, or with --skip-rule low-entropy, each document's fate depends on that document alone, and it \
               may run under parallel --pipe. In two steps: each shard writes --count, then all read every shard's file \
               with --counts.",
    examples: &[
        Example {
            says: "Everything in a folder of web pages",
            command: "rs-extract site > records.jsonl",
        },
        Example {
            says: "What was dropped, and why",
            command: "rs-extract --rejects rejects.jsonl --report funnel.jsonl site > records.jsonl",
        },
        Example {
            says: "Two shards with the word counts of both",
            command: "rs-extract --count a.counts site/a.html && rs-extract --count b.counts site/b.html && \
                      rs-extract --counts a.counts --counts b.counts site/a.html > a.jsonl",
        },
    ],
    see_also: "rs-phash-dedup(1), rs-embed(1); RealSyn, arXiv 2502.12513; OBELICS, arXiv 2306.16527",
};
