//! The man page beyond the flags.

use realsyn_cli::{Example, Page, Shape};

/// See rs-extract(1).
pub const PAGE: Page = Page {
    name: "rs-extract",
    shape: Shape::Fold,
    stdin: "One file of any form. JSON Lines are worked on as they come, and so are the samples of a tar; WARC, EPUB and \
            Parquet are first copied to a temporary file, since they are read at many places.",
    records: "Documents become image/1 and sentence/1 records in document order. What a file is, is told by its first \
              bytes, compressed ones included; --from overrides that. An operand may be a folder: it is walked in byte \
              order, links to files are followed and links to folders are not, and files are taken whose names end in \
              .html, .htm, .xhtml, .md, .markdown, .jsonl, .ndjson, .warc, .arc, .epub, .tar or .parquet, with .gz or .zst \
              behind it or not. --files0-from names files and folders as GNU tools do; what of them cannot be read is \
              rejected, and the list goes on. Every image and sentence has its number and place (pos) whether or not a \
              rule drops it.\n\n\
              A page's id is its path as given; that of a line or row of a data set is made of its bytes; that of a page in \
              a WARC file is its WARC-Record-ID or, without one (ARC), made of URL, time and page; that of a chapter is \
              BOOK/NAME, that of a sample TAR/KEY. So no id depends on how the work was cut.\n\n\
              Of a WARC or ARC file, pages are the responses of status 2xx and resources that are HTML by their type, or by \
              their first bytes where the type says nothing. Chunked and compressed bodies are undone where they are what \
              the header says. Pictures in the same file are paired with the pages that show them, through up to five \
              redirections; what a crawl put into another file is not looked for there: such an image keeps its url, for a tool that \
              fetches, unless the files are joined first (cat a.warc.gz b.warc.gz > both.warc.gz, which the format allows). Requests, revisits, metadata and the like are counted under the kind record. A file compressed \
              by the record is read where it lies; one compressed as a whole is copied to a temporary file (TMPDIR). A \
              broken gzip member or record is rejected with its offset, and reading goes on at the next.\n\n\
              A line of JSON is a document of the data set that its keys tell: text_list is MMC4's; images and texts are \
              OBELICS', or OmniCorpus' where general_metadata is an object. Texts are split into sentences as those of pages are, \
              MMC4's too, so that a page gives the same sentences in whatever form it comes. An image of MMC4 stands before the \
              sentence at its matched_text_index; its file is taken by image_name where it lies beside the data, else its \
              raw_url is given. Sizes that a data set claims for a picture that nobody has measured are declared_width and \
              declared_height. A Parquet file holds a document a row, known by the same names as columns; it is read as the \
              lines of JSON that a compact writer (jq -c) would make of those columns, and gives the records and ids of these \
              lines. It may be packed with snappy, zstd, gzip or lz4_raw. Damage to a page of it loses the rest of its row \
              group, with a reject that names row group and row; the next group is read.\n\n\
              Markdown is told by the name alone (.md, .markdown) or by --from markdown: on standard input plain text counts as \
              HTML. CommonMark with GitHub's tables, footnotes and task lists is read, HTML in it, and title, lang, license and \
              url of front matter; it is used whole, without code blocks.\n\n\
              Of an EPUB, each chapter of the spine is a document. Of a WebDataset tar, each sample is one: the page in its \
              html file, or else its pictures and then the sentences of its txt file, or of caption or text in its json \
              file. Pictures in containers have hash, width, height, format, bytes, archive (the container's path), offset \
              (where record or member begins) and url or member; --images-to writes those that pass the rules to a folder, \
              under their hash, and sets path. Without it, later tools find no picture there.\n\n\
              Images carry the document's title, and images and sentences carry doc_url, lang (html lang, or \
              Content-Language) and license (rel=license, Dublin Core, schema.org, or the one Creative Commons licence \
              that the page links to) where the document says so. Sentences carry no title: it would double their size.\n\n\
              Of a page, the main content is used, as Mozilla's Readability finds it, widened where that leaves out \
              running text or pictures; a page in which it finds no article is used whole, without navigation, page \
              header and footer. Text in pre and other program text is left out. A local picture has path, hash, width, \
              height, format and bytes, a remote one url alone, for a tool that fetches. Of srcset, picture and \
              lazy-loading attributes the largest candidate that is there is taken; figcaption holds a figure's caption.\n\n\
              Sentences are dropped in this order: emoji (any character that is shown as an emoji by default, or made one \
              by U+FE0F; digits, # and © are not), url (with a scheme, or www.), too-few-words and too-many-words (a word \
              holds a letter or digit and ends at white space), other-language, low-complexity and no-action, low-entropy, \
              perplexity-low and perplexity-high. Images are dropped: repeated-in-doc, no-source, vector-image, too-small, bad-aspect.\n\n\
              other-language: the language is told from the words in lower case, of a sentence alone if they have 100 bytes, \
              or else as most sentences of its document are; where there is too little to tell, and with --language any, the \
              sentence stays. Sixteen languages are known. low-complexity and no-action (CAT, arXiv 2301.02280): in the \
              dependency parse of the sentence no word has --min-complexity others that depend on it, or no verb has a subject, \
              by a parser that learned from spaCy's small English model; sentences in another language that was asked for are not \
              parsed. --explain prints each sentence's parse and what becomes of it; it can only ask for entropy with --counts. \
              low-entropy: the sum of -p log p over the sentence's words, p being the share of the word, in lower case, among all \
              words of the sentences that have the form and the language. perplexity-low and perplexity-high: with --perplexity, \
              records gain perplexity by an n-gram model of rs-perplexity(1). The paper's bounds, 30 and 200, belong to GPT2-large: \
              for another model --perplexity-percentiles chooses bounds by a sample of 100,000 sentences, drawn by their ids, and \
              tells them on standard error and in the report. Scoring by a causal model in ONNX is rs-perplexity's: this tool holds \
              no inference engine.\n\n\
              --count writes an fst map of words to counts, which holds the number of words and sentences under two keys that \
              begin with a NUL; --counts maps it into memory and checks its sum once. --merge-counts adds up any number of such \
              files in one walk over all of them.\n\n\
              Errors: missing-image, unreadable, truncated-image, bad-image, unsupported-image, too-many-pixels, \
              too-large, bad-data-uri for images; damaged-text for a sentence with bytes that its encoding does not \
              have; document-too-large, too-many-elements, too-many-attributes, bad-html, bad-json, unknown-document, bad-obelics, bad-mmc4, \
              bad-omnicorpus, line-too-long, broken-input, unreadable, unknown-format, bad-record, truncated-record, bad-epub, \
              missing-chapter, encrypted, bad-parquet, damaged-row for documents and containers.",
    memory: "Up to 25 times the largest document a thread, and one picture file a thread. Of a WARC file 8 bytes a page \
             and 16 bytes a picture or redirection, whatever its length; of a tar a few samples; of Parquet one page of each column (about 1 MB as most writers make them, \
             refused beyond 256 MiB) and its dictionary, however large the row group. Counting words: \
             about 50 bytes a distinct word, at most 64 MiB a thread, beyond which sorted counts go to temporary files of about 9 \
             bytes a word; merging them takes no memory worth naming. Without --counts, and with --perplexity-percentiles, the \
             records wait in a temporary file. With --counts, 1 MiB a thread and the pages of the map that are touched; several \
             files are first added up in a temporary one. 8 MiB for the parser. --perplexity maps the model.",
    parallel: "With --counts, or with --skip-rule low-entropy, and without --perplexity-percentiles, each document's fate depends on that document alone, and it \
               may run under parallel --pipe. In two steps: each shard writes --count (which does not parse), \
               --merge-counts adds the files up, then all shards read the sum with --counts.",
    examples: &[
        Example {
            says: "Everything in a folder of web pages",
            command: "rs-extract site > records.jsonl",
        },
        Example {
            says: "Pages that find chose",
            command: "find site -name '*.html' -print0 | rs-extract --files0-from - > records.jsonl",
        },
        Example {
            says: "What was dropped, and why",
            command: "rs-extract --rejects rejects.jsonl --report funnel.jsonl site > records.jsonl",
        },
        Example {
            says: "Two shards with the word counts of both",
            command: "rs-extract --count a.fst site/a.html && rs-extract --count b.fst site/b.html && \
                      rs-extract --merge-counts both.fst a.fst b.fst && rs-extract --counts both.fst site/a.html > a.jsonl",
        },
        Example {
            says: "Why sentences are kept or dropped, with their parses",
            command: "rs-extract --explain site/a.html | head -n 40",
        },
        Example {
            says: "The middle nine tenths by perplexity, under a model of the same sentences for want of a better one",
            command: "rs-perplexity --train own.ngram records.jsonl > /dev/null\n\
                      rs-extract --perplexity own.ngram --perplexity-percentiles 5,95 --report bounds.jsonl site > usual.jsonl",
        },
    ],
    see_also: "rs-perplexity(1), rs-phash-dedup(1), rs-embed(1); RealSyn, arXiv 2502.12513; OBELICS, arXiv 2306.16527",
};
