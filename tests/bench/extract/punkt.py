"""Do our sentences end where Punkt ends them?  punkt.py RS-EXTRACT FOLDER...

The paragraphs of the HTML files below the folders go through rs-extract, with all rules off, and through nupunkt, which is
Punkt with a model trained on English. A boundary is a place inside a paragraph where one sentence ends and another begins;
the end of a paragraph, on which all agree, is none. Prints a line for each kind of text and, with --show N, N places where
the two differ. Needs lxml and nupunkt.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import lxml.html
import nupunkt

RULES = (
    "emoji,url,too-few-words,too-many-words,other-language,low-complexity,no-action,low-entropy"
)


def paragraphs(folders: list[str], kinds: set[str]) -> list[str]:
    """The distinct paragraphs of text, in the files' order."""
    found: dict[str, None] = {}
    for folder in folders:
        for path in sorted(Path(folder).rglob("*.htm*")):
            try:
                tree = lxml.html.fromstring(path.read_bytes())
            except (ValueError, lxml.etree.ParserError):
                continue
            for element in tree.iter(*kinds):
                text = re.sub(r"\s+", " ", element.text_content()).strip()
                # Characters without width, which we drop, would shift what follows.
                if 20 <= len(text) <= 5000 and not re.search("[\u00ad\u200b\u2060\ufeff\ufffd]", text):
                    found.setdefault(text)
    return list(found)


def is_prose(text: str) -> bool:
    """Whether a paragraph is running text: a full stop ends it, and most of it is plain words."""
    words = text.split()
    plain = sum(word.strip("“”\"'(),.;:!?").isalpha() for word in words)
    return text[-1] in ".!?" and len(words) >= 12 and plain >= 0.85 * len(words)


def ours(program: str, texts: list[str]) -> tuple[list[set[int]], list[int]]:
    """Where our sentences end, but for the last of each text, and where the first begins: a label, such as "Figure 3.",
    is taken away before."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for number, text in enumerate(texts):
            # The number keeps equal texts apart; images and metadata are what the format wants.
            line = {"images": [None], "texts": [text], "metadata": "[null]", "general_metadata": json.dumps({"n": number})}
            file.write(json.dumps(line) + "\n")
        file.flush()
        command = [program, "-q", "-j1", "--from", "obelics", "--skip-rule", RULES, file.name]
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    by_document: dict[str, list[str]] = {}
    for line in out.splitlines():
        record = json.loads(line)
        by_document.setdefault(record["doc"], []).append(record["text"])
    found, begins = [], []
    documents = iter(by_document.values())
    for text in texts:
        at, ends = 0, []
        for sentence in next(documents):
            begin = text.find(sentence, at)
            if begin < 0:
                sys.exit(f"punkt.py: {sentence!r} is not in {text!r}")
            begins += [begin] if at == 0 else []
            at = begin + len(sentence)
            ends.append(at)
        found.append(set(ends[:-1]))
    return found, begins


def theirs(texts: list[str], begins: list[int]) -> list[set[int]]:
    found = []
    for text, begin in zip(texts, begins):
        at, ends = 0, []
        for sentence in nupunkt.sent_tokenize(text):
            sentence = sentence.strip()
            at = text.find(sentence, at) + len(sentence)
            ends.append(at)
        found.append({end for end in ends[:-1] if end > begin})
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--most", type=int, default=20000, help="paragraphs of each kind at most")
    options = parser.parse_args()
    texts = paragraphs(options.folders, {"p", "li", "dd", "td", "blockquote", "figcaption"})
    draw = random.Random(0)
    for name, some in [("prose", [t for t in texts if is_prose(t)]), ("all text", texts)]:
        if len(some) > options.most:
            some = draw.sample(some, options.most)
        a, begins = ours(options.program, some)
        b = theirs(some, begins)
        both = sum(len(x & y) for x, y in zip(a, b))
        mine, punkts = sum(map(len, a)), sum(map(len, b))
        f1 = 2 * both / max(mine + punkts, 1)
        # What the ends of paragraphs are counted with is the share of sentences' ends that both have.
        ends = 2 * (both + len(some)) / (mine + punkts + 2 * len(some))
        print(
            f"{name}: {len(some)} paragraphs, {punkts} inner boundaries by Punkt, {mine} by us, {both} by both; "
            f"F1 {100 * f1:.2f}% (with the ends of paragraphs {100 * ends:.2f}%)"
        )
        differ = [(t, e, "only ours") for t, x, y in zip(some, a, b) for e in x - y]
        differ += [(t, e, "only Punkt's") for t, x, y in zip(some, a, b) for e in y - x]
        for text, end, who in draw.sample(differ, min(options.show, len(differ))):
            print(f"  {who}: …{text[max(0, end - 60):end]}¦{text[end:end + 40]}…")


if __name__ == "__main__":
    main()
