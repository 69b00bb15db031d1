"""Sentences to learn from, and sentences that are none: what `run` measures with. Python alone."""

from __future__ import annotations

import gzip
import json
import random
import re
import struct
import subprocess
import zlib
from pathlib import Path

# What a site says around its text.
BOILERPLATE = """Home|About us|Contact|Log in|Sign up|Privacy policy|Terms of use|Next|Previous|Read more|Share|Tweet|Print|
Search|Menu|Skip to content|All rights reserved|Copyright 2014|Back to top|Download|Subscribe|Newsletter|RSS|Site map|FAQ|
Help|My account|Cart (0)|Checkout|Categories|Tags|Archives|Comments (3)|Leave a reply|Posted by admin|Edit|Delete|Reply|
Page 1 of 12|View all|Related posts|Advertisement|Follow us|Facebook|Twitter|Instagram|YouTube|Careers|Press|Language|
English|Add to cart|Buy now|Details|Loading|Show more|Accept cookies|Settings|Sign out|Register|Forgot password|Username|
Password|Remember me|Submit|Cancel|OK|Yes|No|Sort by|Price|Newest|Popular""".replace("\n", "").split("|")
ROWS = ["qwertyuiop", "asdfghjkl", "zxcvbnm"]


def shuffled(words: list[str], rng: random.Random, _: list[str]) -> str:
    """The same words in another order."""
    for _try in range(10):
        other = rng.sample(words, len(words))
        if other != words:
            return " ".join(other)
    return ""


def salad(words: list[str], rng: random.Random, pool: list[str]) -> str:
    """As many words of the same source, each drawn for itself."""
    return " ".join(rng.choice(pool) for _word in words)


def letters(words: list[str], rng: random.Random, _: list[str]) -> str:
    """Each letter replaced by a random one."""
    one = lambda found: rng.choice("abcdefghijklmnopqrstuvwxyz")
    return " ".join(re.sub(r"[A-Za-z]", one, word) for word in words)


def keyboard(words: list[str], rng: random.Random, _: list[str]) -> str:
    """Each word replaced by a walk over neighbouring keys."""
    def walk(length: int) -> str:
        row = rng.choice(ROWS)
        at, out = rng.randrange(len(row)), ""
        for _step in range(length):
            out += row[at]
            at = min(max(at + rng.choice([-1, 0, 1, 1]), 0), len(row) - 1)
            if rng.random() < 0.2:
                row = rng.choice(ROWS)
                at = min(at, len(row) - 1)
        return out
    return " ".join(walk(len(word)) for word in words)


def soup(words: list[str], rng: random.Random, _: list[str]) -> str:
    """A site's navigation, about as long."""
    between, out = rng.choice([" ", " ", " | ", " » ", " · "]), []
    while len(" ".join(out).split()) < len(words):
        out.append(rng.choice(BOILERPLATE))
    return between.join(out)


KINDS = {"shuffled": shuffled, "salad": salad, "letters": letters, "keyboard": keyboard, "boilerplate": soup}


def corrupted(sentences: list[str], seed: int) -> dict[str, list[str]]:
    """Of each sentence one wreck of each kind."""
    pool = [word for sentence in sentences for word in sentence.split()]
    out = {}
    for kind, wreck in KINDS.items():
        rng = random.Random(f"{seed} {kind}")
        out[kind] = [wreck(sentence.split(), rng, pool) for sentence in sentences]
    return out


def auc(low: list[float], high: list[float]) -> float:
    """The chance that one of `high` is above one of `low`; ties are half."""
    both = sorted([(value, 0) for value in low] + [(value, 1) for value in high])
    below, area, at = 0, 0.0, 0
    while at < len(both):
        end = at
        while end < len(both) and both[end][0] == both[at][0]:
            end += 1
        ones = sum(kind for _, kind in both[at:end])
        zeros = end - at - ones
        area += ones * (below + zeros / 2)
        below += zeros
        at = end
    return area / (len(low) * len(high))


def sentences(rs_extract: Path, folder: Path, foreign: re.Pattern) -> list[str]:
    """The sentences of a folder's HTML files that pass the rules, without repetitions, in order."""
    files = [path for path in sorted(folder.rglob("*.html")) if not foreign.search(str(path))]
    names = b"\0".join(str(path).encode() for path in files)
    command = ["xargs", "-0", str(rs_extract), "-q"]
    done = subprocess.run(command, input=names, stdout=subprocess.PIPE, check=False)
    found: dict[str, None] = {}
    for line in done.stdout.splitlines():
        if line.startswith(b'{"schema":"sentence/1"'):
            found[" ".join(json.loads(line)["text"].split())] = None
    return list(found)


def glosses(folder: Path) -> list[str]:
    """WordNet's definitions and examples."""
    found: dict[str, None] = {}
    for path in sorted(folder.rglob("data.*")):
        for line in path.read_text("latin-1").splitlines():
            if "|" in line and not line.startswith("  "):
                for part in line.split("|", 1)[1].split(";"):
                    part = part.strip().strip('"').strip()
                    if len(part.split()) > 2:
                        found[part] = None
    return list(found)


def austen(folder: Path) -> list[str]:
    """The six novels in janeaustenr: an R data base, compressed piece by piece, whose strings are lines of 70 letters."""
    data, at, lines = next(folder.rglob("Rdata.rdb")).read_bytes(), 0, []
    while at < len(data):
        piece = zlib.decompressobj()
        try:
            plain = piece.decompress(data[at:])
        except zlib.error:
            # The length of the piece that begins a few bytes on.
            at += 1
            continue
        for found in re.finditer(rb"\x00\x04\x00\x09", plain):
            start = found.end() + 4
            length = max(struct.unpack(">i", plain[found.end() : start])[0], 0)
            lines.append(plain[start : start + length].decode("utf-8", "replace"))
        at = len(data) - len(piece.unused_data)
    text = re.sub(r"\n{2,}", "\x00", "\n".join(lines)).replace("\n", " ")
    parts = re.split(r"\x00|(?<=[.!?]) +(?=[A-Z\"])|(?<=[.!?]\") +", text)
    return [part for part in map(str.strip, parts) if len(part.split()) > 2]


def brown(folder: Path) -> list[str]:
    """The Brown corpus, whose words have their parts of speech behind them, as it would be written."""
    found: dict[str, None] = {}
    for path in sorted((folder / "package").glob("c[a-r][0-9][0-9]")):
        for line in path.read_text("latin-1").splitlines():
            words = [word.rsplit("/", 1)[0] for word in line.split()]
            text = " ".join(words).replace("`` ", '"').replace(" ''", '"')
            text = re.sub(r" ([.,;:?!)%])", r"\1", text).replace("( ", "(")
            text = re.sub(r"([;?!])\1", r"\1", text)
            if len(words) > 3:
                found[text] = None
    return list(found)


def dictionary(folder: Path) -> list[str]:
    """The paragraphs of a dictd dictionary, cut at full stops: definitions and the quotations under them."""
    plain = gzip.decompress(next(folder.rglob("*.dict.dz")).read_bytes()).decode("utf-8", "replace")
    found: dict[str, None] = {}
    for paragraph in re.split(r"\n\s*\n", plain):
        # An entry's first line is no sentence.
        lines = [line.strip() for line in paragraph.splitlines() if line.startswith("   ")]
        text = re.sub(r"\[[^\]]*\]|<[^>]*>|--[A-Z][^.]*\.?$|^\d+\. ", " ", " ".join(lines))
        text = " ".join(re.sub(r"[{}]", "", text).split())
        for part in re.split(r"(?<=[.!?]) +(?=[A-Z])", text):
            if len(part.split()) > 3:
                found[part] = None
    return list(found)
