"""Generated vectors: `data.py clustered|uniform N D CENTRES OUT.npy [f2]`, unit vectors from a fixed seed.

clustered: each row is one of CENTRES random unit vectors plus Gaussian noise of length about 1 (cosine to the centre about
0.7), scaled to unit length. uniform: rows without any clusters, the worst case for everything that leaves work out.
"""

import sys

import numpy as np

BLOCK = 50_000


def main(kind: str, n: int, d: int, centres: int, out: str, dtype: str = "f4") -> None:
    random = np.random.default_rng(7)
    middle = random.standard_normal((centres, d), dtype=np.float32)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    rows = np.lib.format.open_memmap(out, mode="w+", dtype="<" + dtype, shape=(n, d))
    for start in range(0, n, BLOCK):
        count = min(BLOCK, n - start)
        x = random.standard_normal((count, d), dtype=np.float32) / np.sqrt(d).astype(np.float32)
        if kind == "clustered":
            x += middle[random.integers(0, centres, count)]
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        rows[start : start + count] = x
    rows.flush()


if __name__ == "__main__":
    kind, n, d, centres, out, *dtype = sys.argv[1:]
    main(kind, int(n), int(d), int(centres), out, *dtype)
