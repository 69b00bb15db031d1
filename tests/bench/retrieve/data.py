"""Clustered unit vectors: data.py FOLDER SENTENCES QUERIES.

2,000 topics of unequal size; a sentence or query is its topic's direction and noise of the same length, so that
neighbours of a query lie in several clusters, as embeddings of text do.
"""

import sys
from pathlib import Path

import numpy as np

DIM, TOPICS, BLOCK = 384, 2000, 50_000


def write(path: Path, rows: int, seed: int, centres: np.ndarray, shares: np.ndarray) -> None:
    out = np.lib.format.open_memmap(path, mode="w+", dtype="<f2", shape=(rows, DIM))
    random = np.random.default_rng(seed)
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        topic = random.choice(TOPICS, size=count, p=shares)
        block = centres[topic] + random.standard_normal((count, DIM), dtype=np.float32) / np.sqrt(DIM)
        out[start : start + count] = block / np.linalg.norm(block, axis=1, keepdims=True)
    out.flush()


def main() -> None:
    folder, sentences, queries = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    random = np.random.default_rng(1)
    centres = random.standard_normal((TOPICS, DIM), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    shares = 1 / np.arange(10, TOPICS + 10)
    shares /= shares.sum()
    write(folder / "sentences.npy", sentences, 2, centres, shares)
    write(folder / "queries.npy", queries, 3, centres, shares)
    all_queries = np.load(folder / "queries.npy", mmap_mode="r")
    np.save(folder / "sample-queries.npy", all_queries[:1000])
    np.save(folder / "one-query.npy", all_queries[:1])
    np.save(folder / "sample.npy", np.load(folder / "sentences.npy", mmap_mode="r")[:100_000])


main()
