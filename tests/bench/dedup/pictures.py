"""Makes the pictures that rs-phash-dedup's benchmark hashes, from those of manuals: pictures.py WHAT FOLDER COUNT SOURCE...

frames: COUNT JPEG files of 640 x 480, of three qualities, cut out of JPEG files at different places.
copies: COUNT pictures that do not look alike, NAME.source.EXT, and of each six changed copies, NAME.CHANGE.jpg. That two
do not look alike is judged by 16 x 16 thumbnails in colour (root mean square over 25 levels), not by any hash.
"""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

import numpy
from PIL import Image, ImageDraw, ImageEnhance


def pictures(folders: list[Path], kinds: set[str], least: int) -> list[Path]:
    found, seen = [], set()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() not in kinds or not path.is_file():
                continue
            try:
                with Image.open(path) as picture:
                    if min(picture.size) < least or max(picture.size) > 4000:
                        continue
                    # A drawing on a transparent ground is another picture to whoever blends it.
                    if picture.mode not in ("RGB", "L", "P") or "transparency" in picture.info:
                        continue
                    content = hash(picture.convert("RGB").tobytes())
            except Exception:
                continue
            if content not in seen:
                seen.add(content)
                found.append(path)
    return found


def frames(folder: Path, count: int, sources: list[Path]) -> None:
    dice = random.Random(1)
    sources = pictures(sources, {".jpg", ".jpeg"}, 300)
    for number in range(count):
        picture = Image.open(sources[number % len(sources)]).convert("RGB")
        width, height = picture.size
        scale = min(width / 640, height / 480) * dice.uniform(0.7, 1)
        w, h = int(640 * scale), int(480 * scale)
        x, y = dice.randint(0, width - w), dice.randint(0, height - h)
        frame = picture.crop((x, y, x + w, y + h)).resize((640, 480), Image.Resampling.BICUBIC)
        frame.save(folder / f"{number:05}.jpg", quality=dice.choice([75, 85, 90]))


def changed(picture: Image.Image) -> dict[str, tuple[Image.Image, int]]:
    width, height = picture.size
    x, y = round(width * 0.025), round(height * 0.025)
    captioned = Image.new("RGB", (width, height + height // 10), "white")
    captioned.paste(picture, (0, 0))
    ImageDraw.Draw(captioned).text((10, height + height // 40), "A caption below the picture", fill="black")
    half = (max(1, width // 2), max(1, height // 2))
    return {
        "resize": (picture.resize(half, Image.Resampling.BICUBIC), 85),
        "recompress": (picture, 40),
        "crop5": (picture.crop((x, y, width - x, height - y)), 85),
        "brightness": (ImageEnhance.Brightness(picture).enhance(1.2), 85),
        "rotate2": (picture.rotate(2, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255)), 85),
        "caption": (captioned, 85),
    }


def copies(folder: Path, count: int, sources: list[Path]) -> None:
    candidates = pictures(sources, {".jpg", ".jpeg", ".png"}, 200)
    random.Random(2).shuffle(candidates)
    thumbs: list[numpy.ndarray] = []
    for path in candidates:
        picture = Image.open(path).convert("RGB")
        thumb = numpy.asarray(picture.resize((16, 16), Image.Resampling.BOX), dtype=float)
        # What is nearly flat has no content that a copy could keep.
        if thumb.std() < 20 or any(((thumb - other) ** 2).mean() < 25**2 for other in thumbs):
            continue
        name = f"p{len(thumbs):03}"
        thumbs.append(thumb)
        shutil.copy(path, folder / f"{name}.source{path.suffix.lower().replace('jpeg', 'jpg')}")
        for change, (copy, quality) in changed(picture).items():
            copy.save(folder / f"{name}.{change}.jpg", quality=quality)
        if len(thumbs) == count:
            return
    sys.exit(f"only {len(thumbs)} pictures that do not look alike")


def main() -> None:
    what, folder, count, *sources = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    {"frames": frames, "copies": copies}[what](Path(folder), int(count), [Path(source) for source in sources])


main()
