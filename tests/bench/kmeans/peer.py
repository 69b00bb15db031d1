"""The peers, and what judges all of them. The last line is JSON.

peer.py faiss|superkmeans|superkmeans-sq8 DATA.npy K ITERATIONS THREADS SEED OUT.npy [INIT.npy]
    spherical k-means over all rows, without sampling or early stopping; work_s and work_cpu_s are the training alone,
    with the data in memory already.
peer.py wcss DATA.npy CENTROIDS.npy...
    the sum of squared distances of the rows to the nearest centroid of each file (Faiss's exact search, double precision
    sums), as wcss_0, wcss_1, ...; of more than 200,000 rows every so many-th, so that 100,000 are judged, is taken
"""

import json
import sys
import time

import numpy as np


class Clock:
    def __init__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def elapsed(self):
        return {"work_s": time.perf_counter() - self.wall, "work_cpu_s": time.process_time() - self.cpu}


def faiss_run(x, k, iterations, threads, seed, init):
    import faiss

    faiss.omp_set_num_threads(threads)
    start = Clock()
    kmeans = faiss.Kmeans(
        x.shape[1], k, niter=iterations, seed=seed, spherical=True, max_points_per_centroid=2**31 - 1
    )
    kmeans.train(x, init_centroids=init)
    return start.elapsed(), kmeans.centroids


def superkmeans_run(x, k, iterations, threads, seed, quantizer):
    from superkmeans import SuperKMeans

    start = Clock()
    kmeans = SuperKMeans(
        k,
        x.shape[1],
        hierarchical=False,
        quantizer=quantizer,
        iters=iterations,
        sampling_fraction=1.0,
        max_points_per_cluster=2**31 - 1,
        n_threads=threads,
        seed=seed,
        early_termination=False,
        angular=True,
    )
    centroids = np.asarray(kmeans.train(x))
    return start.elapsed(), centroids


def wcss(x, files):
    import faiss

    found = {}
    if len(x) > 200_000:
        x = x[:: len(x) // 100_000]
    for number, file in enumerate(files):
        centroids = np.load(file)
        # All sides are spherical: rows and centroids have unit length.
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
        index = faiss.IndexFlatIP(x.shape[1])
        index.add(centroids)
        total = 0.0
        for start in range(0, len(x), 50_000):
            block = np.array(x[start : start + 50_000], dtype=np.float32)
            block /= np.maximum(np.linalg.norm(block, axis=1, keepdims=True), 1e-30)
            similarity, _ = index.search(block, 1)
            total += (2.0 - 2.0 * similarity.astype(np.float64)).sum()
        found[f"wcss_{number}"] = total
    return found


def main(what, data, *rest):
    if what == "wcss":
        print(json.dumps(wcss(np.load(data, mmap_mode="r"), rest)))
        return
    k, iterations, threads, seed = (int(word) for word in rest[:4])
    out, init = rest[4], np.load(rest[5]) if len(rest) > 5 else None
    x = np.load(data).astype(np.float32)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)
    if what == "faiss":
        times, centroids = faiss_run(x, k, iterations, threads, seed, init)
    else:
        quantizer = "sq8" if what.endswith("sq8") else "f32"
        times, centroids = superkmeans_run(x, k, iterations, threads, seed, quantizer)
    np.save(out, np.asarray(centroids, dtype=np.float32).reshape(k, x.shape[1]))
    print(json.dumps(times))


if __name__ == "__main__":
    main(*sys.argv[1:])
