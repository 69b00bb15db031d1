//! The man page of rs-caption beyond its flags.

use realsyn_cli::{Example, Page, Shape};

/// The page.
pub const PAGE: Page = Page {
    name: "rs-caption",
    shape: Shape::Map,
    stdin: "pair records with `texts` (as rs-retrieve makes them) and `path`. Other kinds pass through.",
    records: "Adds to each pair `tags` (with --model: a classifier's labels, likeliest first), `caption` (with --vlm-url: what a \
              model says that sees the picture) and `synthetic` (with --llm-url: a language model merges the first retrieved \
              text, the caption and the tags, as in the paper). The endpoints speak OpenAI's chat completions. What is not \
              asked for is left out, which is said once on standard error.\n\n\
              A field that is there already is kept, unless --overwrite is given; so a run over its own output does \
              nothing, and a run over its rejects' records tries those again. A figure's own caption in the document is another field, `figcaption`. \
              A new synthetic text takes an old `synthetic_cos` with it; rs-embed makes it anew.\n\n\
              No text is invented. An answer is freed of reasoning, labels, quotes and further paragraphs and put on \
              one line; what then is empty, a refusal, a repetition of the prompt, or without a complete sentence within \
              the limits rejects the pair: llm-empty, llm-refused, llm-echo, llm-truncated, and vlm-... alike. A request is \
              repeated after a timeout, a lost connection, a 408, 409, 425, 429 or 5xx and an answer that is no chat \
              completion; when that does not help, the code is llm-failed or vlm-failed. Rejected pairs \
              stand in --rejects with all their fields. With --keep-failed they go on instead, without the text, and with \
              the code as `caption_failed`, which a later run that succeeds removes. An endpoint that cannot be \
              reached from the start, or answers 3xx, 401, 403, 404 or 405, ends the run with status 2.\n\n\
              Temperature 0 and the seed ask for the same answer each time. Whether it is given, and whether it depends on \
              requests that share a server's batch, is the server's affair; rs-caption's own part depends on \
              the pair alone, at any --jobs and --in-flight.",
    memory: "The classifier, one decoded picture a thread, and for each request under way its prompt, with the picture as a JPEG \
             for --vlm-url.",
    parallel: "May run under parallel --pipe. Against one server, --in-flight does the same with less memory.",
    examples: &[
        Example {
            says: "Tags alone",
            command: "rs-caption --model starter --tags-top-k 5 < pairs.jsonl > tagged.jsonl",
        },
        Example {
            says: "All three; the key is in the environment",
            command: "rs-caption --model starter --vlm-url http://localhost:8000/v1 --vlm-model vlm --llm-url http://localhost:8001/v1 --llm-model llm --api-key-env API_KEY --rejects failed.jsonl < pairs.jsonl > captioned.jsonl",
        },
        Example {
            says: "Once more for those that failed",
            command: "jq -c 'select(.record) | .record' failed.jsonl | rs-caption --model starter --llm-url http://localhost:8001/v1 --llm-model llm > late.jsonl",
        },
    ],
    see_also: "rs-retrieve(1), rs-embed(1), rs-sample(1). RealSyn, arXiv 2502.12513, section 3.2",
};
