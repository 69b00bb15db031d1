//! The man page beyond the flags.

use realsyn_cli::{Example, Page, Shape};

/// See rs-embed(1).
pub const PAGE: Page = Page {
    name: "rs-embed",
    shape: Shape::Map,
    stdin: "image/1, sentence/1 and pair/1 records.",
    records: "image/1 and sentence/1 records gain emb: the model's identity, a hash of its files; the number of dimensions; \
              the unit vector as base64 of little-endian half floats. pair/1 records gain the emb of their image and, where \
              they have synthetic, synthetic_cos: the cosine of the image and the synthetic text.\n\n\
              What has been embedded by this model stays as it is, so a stream may be embedded twice; an embedding of \
              another model ends the run, unless --replace. A picture that cannot be read is rejected with its reason \
              (unreadable, truncated-image, too-many-pixels, extreme-aspect, ...) and the others go on.\n\n\
              The model directory has the layout of Hugging Face's ONNX exports: config.json, preprocessor_config.json, \
              tokenizer.json, onnx/vision_model.onnx, onnx/text_model.onnx, of CLIP, of SigLIP, of a sentence-transformers \
              model (texts alone), or of what rs-train writes. A text is cut to the model's context.\n\n\
              --model hf:OWNER/NAME downloads a model's files into the user's cache with the hub's client, and uses them from there \
              afterwards. HF_HOME, HF_ENDPOINT and HF_HUB_OFFLINE mean what they mean to the Python libraries, which share \
              the cache. When the hub cannot be reached the cache's state is used, and standard error says so. With \
              --weights fp16 the graphs are those whose names end in _fp16, and so on for other names; half precision \
              goes in and out as single.\n\n\
              With --emb-out FILE.npy the embeddings become rows of a matrix in half precision, in the order of the \
              records, and emb gets file and row in place of f16; tools that read embeddings take either. What came in \
              embedded moves there too.\n\n\
              Pictures are decoded, resized and cropped as Hugging Face's image processors do it with Pillow. A JPEG whose sides \
              are at least four times what the model takes is decoded at 1/2, 1/4 or 1/8 of its size, to at least twice \
              what the model takes; pixels then differ from Pillow's by 0.3/255 on average and cosines by less than 0.001.\n\n\
              Embeddings are unit vectors. A model's logit scale is not applied and not told: cosines are ranked alike with it \
              and without it, and no tool of this pipeline takes a softmax over them.\n\n\
              --device cuda fails where ONNX Runtime's CUDA provider or the card is missing. It has not been run on a \
              card by those who wrote it.\n\n\
              An embedding depends on its picture or text, the model, the engine and the kind of CPU: not on its \
              neighbours, on -j or on the run. The two engines agree to a cosine above 0.999999.",
    memory: "The towers' weights, with ONNX Runtime once a thread; one decoded picture and one batch of 16 tensors a thread.",
    parallel: "Each record's fate depends on that record alone: it may run under parallel --pipe. With as many jobs as \
               cores, give each -j1. With --emb-out give each job a FILE of its own.",
    examples: &[
        Example {
            says: "Embed pictures and sentences with the starter model, which bin/starter-model makes",
            command: "rs-embed --model starter records.jsonl > embedded.jsonl",
        },
        Example {
            says: "The same with the embedded engine, whatever is installed",
            command: "rs-embed --model starter --engine rten records.jsonl > embedded.jsonl",
        },
        Example {
            says: "Keep the embeddings in a matrix, which NumPy maps and which is a third smaller",
            command: "rs-embed --model starter --emb-out embeddings.npy records.jsonl > light.jsonl",
        },
    ],
    see_also: "rs-extract(1), rs-kmeans(1), rs-retrieve(1), rs-train(1)",
};
