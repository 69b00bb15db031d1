"""The peers of rs-phash-dedup: peer.py WHAT ...; the last line says in JSON how long the work took, without imports."""

from __future__ import annotations

import ctypes
import importlib.abc
import importlib.machinery
import importlib.util
import json
import sys
import time
import types
from pathlib import Path


def files(folder: str) -> list[Path]:
    return sorted(Path(folder).glob("*.jpg"))


def rate(work, folder: str) -> None:
    all_files = files(folder)
    start = time.process_time()
    work(all_files)
    print(json.dumps({"images_s_core": len(all_files) / (time.process_time() - start)}))


def imagehash(algorithm: str, folder: str) -> None:
    import imagehash
    from PIL import Image

    hash_ = getattr(imagehash, algorithm)
    rate(lambda all_files: [str(hash_(Image.open(path))) for path in all_files], folder)


class Nothing(type):
    """A class that does nothing, of which every attribute is such a class, and so is every instance."""

    def __getattr__(cls, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing(name, (), {})

    def __call__(cls, *rest, **named):
        return type.__call__(cls, *rest, **named) if cls is Nothing else Nothing("nothing", (), {})


class Empty(types.ModuleType):
    """A module of such classes."""

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing(name, (), {})


class Unused(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for what imagededup imports for its plots and its evaluation, which are not used here."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchvision", "sklearn", "matplotlib"}:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return Empty(spec.name)

    def exec_module(self, module):
        pass


def imagededup_methods():
    sys.meta_path.insert(0, Unused())
    # The package would import its convolutional network, and that PyTorch: take the module beside it alone.
    package = types.ModuleType("imagededup.methods")
    package.__path__ = [str(Path(importlib.util.find_spec("imagededup").origin).parent / "methods")]
    sys.modules[package.__name__] = package
    from imagededup.methods import hashing

    return hashing


def imagededup(algorithm: str, folder: str) -> None:
    hashing = imagededup_methods()
    hasher = {"phash": hashing.PHash, "dhash": hashing.DHash}[algorithm](verbose=False)
    rate(lambda all_files: [hasher.encode_image(image_file=path) for path in all_files], folder)


def turbo(library: str, folder: str) -> None:
    """The luma at an eighth of the size, from memory into one buffer, and nothing else."""
    lib = ctypes.CDLL(library)
    lib.tjInitDecompress.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(lib.tjInitDecompress())
    out = ctypes.create_string_buffer(80 * 60)
    grey, flags = 6, 0
    data = [path.read_bytes() for path in files(folder)]

    def decode(_) -> None:
        for one in data:
            if lib.tjDecompress2(handle, one, ctypes.c_ulong(len(one)), out, 80, 0, 60, grey, flags):
                sys.exit("libjpeg-turbo failed")

    rate(decode, folder)


def hashes(count: int) -> list[int]:
    """As crates/phash/examples/search.rs makes them."""
    mask = (1 << 64) - 1
    state = 1

    def random() -> int:
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
        return z ^ z >> 31

    centres = [random() for _ in range(count // 20 + 1)]
    made = []
    for number in range(count):
        if number % 2 == 0:
            made.append(random())
            continue
        place = random() % len(centres)
        flips = random() % 11
        hash_ = centres[place]
        for _ in range(flips):
            hash_ ^= 1 << (random() % 64)
        made.append(hash_)
    return sorted(set(made))


def timed(work, count: str) -> None:
    made = hashes(int(count))
    start = time.perf_counter()
    pairs = work(made)
    print(json.dumps({"search_s": time.perf_counter() - start, "hashes": len(made), "pairs": pairs}))


def numpy_(count: str, radius: str) -> None:
    import numpy

    def work(made: list[int]) -> int:
        all_hashes = numpy.array(made, dtype=numpy.uint64)
        found = 0
        for at in range(len(all_hashes)):
            found += int((numpy.bitwise_count(all_hashes[at + 1 :] ^ all_hashes[at]) <= int(radius)).sum())
        return found

    timed(work, count)


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def retrieval(method: str, count: str, radius: str) -> None:
    imagededup_methods()
    from imagededup.handlers.search.retrieval import HashEval

    def work(made: list[int]) -> int:
        named = {str(number): f"{hash_:016x}" for number, hash_ in enumerate(made)}
        search = HashEval(
            test=named,
            queries=named,
            distance_function=distance,
            verbose=False,
            threshold=int(radius),
            search_method=method,
            num_dist_workers=0,
        )
        return sum(len(found) for found in search.retrieve_results().values()) // 2

    timed(work, count)


def folder_hashes(folder: str) -> None:
    import imagehash
    from PIL import Image

    known = {"phash": imagehash.phash, "dhash": imagehash.dhash, "ahash": imagehash.average_hash}
    known["whash"] = imagehash.whash
    paths = sorted(Path(folder).glob("*.[jp][pn]g"))
    said = {
        f"imagehash {name}": {path.name: int(str(hash_(Image.open(path).convert("RGB"))), 16) for path in paths}
        for name, hash_ in known.items()
    }
    print(json.dumps(said))


WORK = {
    "imagehash": imagehash,
    "imagededup": imagededup,
    "turbo": turbo,
    "numpy": numpy_,
    "cython": lambda *rest: retrieval("brute_force_cython", *rest),
    "bktree": lambda *rest: retrieval("bktree", *rest),
    "hashes": folder_hashes,
}
try:
    WORK[sys.argv[1]](*sys.argv[2:])
except Exception as error:
    # Status 1 would be read as "some records were rejected".
    print(f"peer.py: {error!r}", file=sys.stderr)
    sys.exit(2)
