"""Faiss's IVF-Flat over given centroids: peer.py build FOLDER THREADS, or peer.py search FOLDER THREADS PROBE."""

import json
import sys
import time
from pathlib import Path

import faiss
import numpy as np

K = 3


def main() -> None:
    what, folder, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    faiss.omp_set_num_threads(threads)
    if what == "build":
        centroids = np.load(folder / "centroids.npy").astype(np.float32)
        quantizer = faiss.IndexFlatIP(centroids.shape[1])
        quantizer.add(centroids)
        index = faiss.IndexIVFFlat(quantizer, centroids.shape[1], len(centroids), faiss.METRIC_INNER_PRODUCT)
        index.is_trained = True
        sentences = np.load(folder / "sentences.npy", mmap_mode="r")
        for start in range(0, len(sentences), 100_000):
            index.add(sentences[start : start + 100_000].astype(np.float32))
        faiss.write_index(index, str(folder / "faiss.index"))
        return
    # Mapped, as ours is.
    index = faiss.read_index(str(folder / "faiss.index"), faiss.IO_FLAG_MMAP)
    index.nprobe = int(sys.argv[4])
    queries = np.load(folder / "queries.npy").astype(np.float32)
    start = time.perf_counter()
    cosines, ids = index.search(queries, K)
    search_s = time.perf_counter() - start
    # What a pipeline needs of it: a line for each query.
    with (folder / f"faiss-{index.nprobe}.jsonl").open("w") as out:
        for number, (row, cos) in enumerate(zip(ids.tolist(), cosines.tolist())):
            texts = [{"id": str(i), "text": "", "cos": round(c, 6)} for i, c in zip(row, cos)]
            out.write(json.dumps({"schema": "pair/1", "id": str(number), "texts": texts}) + "\n")
    print(json.dumps({"search_s": search_s}))


main()
