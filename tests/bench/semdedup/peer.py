"""The peer and the judge of `run`: NumPy alone.

    peer.py generate FILE.npy ROWS DIM SEED      half-precision rows around topics, a fifth of them near copies
    peer.py semdedup FILE.npy CENTROIDS.npy BETA LABELS.npy
    peer.py brute FILE.npy BETA PAIRS.npy
    peer.py judge PAIRS.npy NAME=LABELS...       LABELS: an .npy of set labels, or the rows that rs-semdedup --mark writes

`semdedup` is the published algorithm (Abbas et al. 2023, arXiv 2303.09540, section 3 and algorithm 1): within each
cluster all pairwise cosines as one matrix product, the upper triangle against 1 - beta; what is near another row of its
cluster goes. It is written here from the paper, with the clusters given. Labels are the closure of the pairs that it saw.
The last line of each is a JSON object with the seconds that the work itself took.
"""

import json
import sys
import time

import numpy as np


def unit(rows):
    rows = rows.astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def generate(path, rows, dim, seed):
    rows, dim = int(rows), int(dim)
    draw = np.random.default_rng(int(seed))
    topics = max(rows // 100, 1)
    centres = draw.standard_normal((topics, dim), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    out = np.lib.format.open_memmap(path, mode="w+", dtype="<f2", shape=(rows, dim))
    block = 50_000
    for start in range(0, rows, block):
        count = min(block, rows - start)
        noise = draw.standard_normal((count, dim), dtype=np.float32) / np.sqrt(dim)
        x = centres[draw.integers(0, topics, count)] + noise * draw.uniform(0.5, 1.2, (count, 1)).astype(np.float32)
        x = unit(x)
        # A fifth are copies of an earlier row of the block, 0.002 to 0.15 away.
        copies = np.flatnonzero(draw.random(count) < 0.2)
        copies = copies[copies > 0]
        of = (draw.random(len(copies)) * copies).astype(int)
        far = draw.uniform(0.002, 0.15, (len(copies), 1)).astype(np.float32)
        away = draw.standard_normal((len(copies), dim), dtype=np.float32)
        away -= (away * x[of]).sum(1, keepdims=True) * x[of]
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        x[copies] = (1 - far) * x[of] + np.sqrt(1 - (1 - far) ** 2) * away
        out[start : start + count] = x
    out.flush()


def closure(count, pairs):
    parent = list(range(count))

    def root(node):
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in pairs:
        a, b = root(a), root(b)
        if a != b:
            parent[max(a, b)] = min(a, b)
    return np.array([root(node) for node in range(count)])


def semdedup(path, centroids, beta, labels):
    beta = float(beta)
    start = time.perf_counter()
    rows = unit(np.load(path))
    centres = unit(np.load(centroids))
    home = np.concatenate([(rows[at : at + 8192] @ centres.T).argmax(1) for at in range(0, len(rows), 8192)])
    assigned = time.perf_counter()
    pairs, dropped = [], 0
    for cluster in range(len(centres)):
        members = np.flatnonzero(home == cluster)
        if len(members) < 2:
            continue
        near = np.triu(rows[members] @ rows[members].T, 1) > 1 - beta
        dropped += int(near.any(0).sum())
        a, b = near.nonzero()
        pairs.append(np.stack([members[a], members[b]], 1))
    done = time.perf_counter()
    pairs = np.concatenate(pairs) if pairs else np.zeros((0, 2), int)
    np.save(labels, closure(len(rows), pairs.tolist()))
    print(json.dumps({"work_s": done - start, "assign_s": assigned - start, "pairs": len(pairs), "dropped": dropped}))


def brute(path, beta, out):
    beta = float(beta)
    start = time.perf_counter()
    rows = unit(np.load(path))
    size, pairs = 4096, []
    for i in range(0, len(rows), size):
        for j in range(i, len(rows), size):
            near = rows[i : i + size] @ rows[j : j + size].T > 1 - beta
            a, b = np.triu(near, 1).nonzero() if i == j else near.nonzero()
            pairs.append(np.stack([a + i, b + j], 1))
    pairs = np.concatenate(pairs)
    done = time.perf_counter()
    np.save(out, pairs)
    print(json.dumps({"work_s": done - start, "pairs": len(pairs), "dropped": int(len(np.unique(pairs[:, 1])))}))


def judge(pairs, *named):
    pairs = np.load(pairs)
    for one in named:
        name, path = one.split("=", 1)
        if path.endswith(".npy"):
            labels = np.load(path)
        else:
            rows = [json.loads(line) for line in open(path, encoding="utf-8")]
            labels = np.array([row.get("dup_of", row["row"]) for row in rows])
        joined = labels[pairs[:, 0]] == labels[pairs[:, 1]]
        print(json.dumps({
            "name": name,
            "pairs": len(pairs),
            "joined_share": float(joined.mean()) if len(pairs) else 1.0,
            "apart": int((~joined).sum()),
            "dropped": int(len(labels) - len(np.unique(labels))),
        }))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
