"""Makes the benchmark's sets: pictures.py INTO FOLDER...

`manuals`: every picture of the folders that Pillow can open, of at least 100 pixels a side. `vga`: their JPEGs at 640 × 480.
`photographs`: the first 64 JPEGs of at least 200 pixels a side at 4032 × 3024, as a phone writes them.
"""

import json
import sys
from pathlib import Path

from PIL import Image


def main() -> None:
    into, folders = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    into.mkdir(parents=True, exist_ok=True)
    paths = {"manuals": [], "vga": [], "photographs": []}
    for path in sorted(path for folder in folders for path in folder.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".jpeg", ".png") or not path.is_file():
            continue
        try:
            with Image.open(path) as opened:
                is_jpeg, image = opened.format == "JPEG", opened.convert("RGB")
        except OSError:
            continue
        if min(image.size) < 100:
            continue
        paths["manuals"].append(path)
        if is_jpeg and len(paths["vga"]) < 512:
            paths["vga"].append(saved(image, (640, 480), into / f"vga-{len(paths['vga'])}.jpg"))
        if is_jpeg and min(image.size) >= 200 and len(paths["photographs"]) < 64:
            number = len(paths["photographs"])
            paths["photographs"].append(saved(image, (4032, 3024), into / f"photograph-{number}.jpg"))
    for kind, files in paths.items():
        records = ({"schema": "image/1", "id": f"{kind}/{n}", "path": str(path)} for n, path in enumerate(files))
        (into / f"{kind}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (into / "done").touch()


def saved(image: Image.Image, size: tuple[int, int], path: Path) -> Path:
    image.resize(size, Image.Resampling.LANCZOS).save(path, quality=90)
    return path


main()
