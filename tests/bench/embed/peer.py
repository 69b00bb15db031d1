"""The pipeline as Python writes it: peer.py serial|pipeline|engine MODEL RECORDS OUT.npy THREADS, compare MODEL OURS THEIRS,
or pixels MODEL RECORDS TENSORS.

`serial` decodes and resizes a batch of 16 with Pillow and then runs it, `pipeline` decodes in threads beside the engine;
`engine` runs the same batches of tensors that are ready. `compare` prints how far rs-embed's vectors are from the
pipeline's, `pixels` how far its tensors are from Pillow's.
"""

import base64
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

BATCH = 16


def tensor(path: str, rules: dict) -> np.ndarray:
    """Hugging Face's CLIP image processor, step by step."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    side = rules["size"]["shortest_edge"]
    width, height = image.size
    short, long = min(width, height), max(width, height)
    other = int(side * long / short)
    image = image.resize((side, other) if width <= height else (other, side), Image.Resampling.BICUBIC)
    crop = rules["crop_size"]["height"]
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    image = image.crop((left, top, left + crop, top + crop))
    pixels = np.asarray(image, dtype=np.float32) / 255
    mean, std = np.float32(rules["image_mean"]), np.float32(rules["image_std"])
    return ((pixels - mean) / std).transpose(2, 0, 1)


def main() -> None:
    what, model, records, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    rules = json.loads((model / "preprocessor_config.json").read_text())
    if what == "compare":
        compare(records, out)
        return
    if what == "pixels":
        pixels(rules, records, out)
        return
    import onnxruntime

    threads = int(sys.argv[5])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model / "onnx/vision_model.onnx", options, ["CPUExecutionProvider"])
    name, answer = session.get_inputs()[0].name, session.get_outputs()[0].name
    paths = [json.loads(line)["path"] for line in records.open()]
    vectors = []
    with ThreadPoolExecutor(threads) as pool:
        ready = list(pool.map(lambda path: tensor(path, rules), paths)) if what == "engine" else None
        start, start_cpu = time.perf_counter(), time.process_time()
        # The pool decodes ahead while the engine runs.
        across = map if what == "serial" else pool.map
        tensors = iter(ready) if ready else across(lambda path: tensor(path, rules), paths)
        batch = []
        for number, one in enumerate(tensors, 1):
            batch.append(one)
            if len(batch) == BATCH or number == len(paths):
                vectors.append(session.run([answer], {name: np.stack(batch)})[0])
                batch = []
        spent, spent_cpu = time.perf_counter() - start, time.process_time() - start_cpu
    matrix = np.concatenate(vectors)
    np.save(out, matrix / np.linalg.norm(matrix, axis=1, keepdims=True))
    print(json.dumps({"work_s": spent, "work_cpu_s": spent_cpu}))


def compare(records: Path, theirs: Path) -> None:
    ours = []
    for line in records.open():
        ours.append(np.frombuffer(base64.b64decode(json.loads(line)["emb"]["f16"]), dtype="<f2").astype(np.float64))
    ours, theirs = np.stack(ours), np.load(theirs).astype(np.float64)
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    print(f"cosine to the Python pipeline's vectors: least {cosines.min():.6f}, mean {cosines.mean():.6f}")


def pixels(rules: dict, records: Path, tensors: Path) -> None:
    paths = [json.loads(line)["path"] for line in records.open()]
    side = rules["crop_size"]["height"]
    std = np.float32(rules["image_std"])[:, None, None]
    ours = np.fromfile(tensors, dtype="<f4").reshape(-1, 3, side, side)
    off = np.array([np.abs((tensor(path, rules) - one) * std * 255).mean() for path, one in zip(paths, ours, strict=True)])
    print(f"difference to Pillow's pixels, in 1/255: mean {off.mean():.3f}, of the worst picture {off.max():.3f}")


main()
