"""Packs the two small data sets, easy-vqa and digits, into `src/assay/data/bundled/files`.

Needs pip and the Python packages of `tools/requirements-data.txt`. The same packages give the same bytes. Example::

    python tools/build_small.py --cache /tmp/small-packages
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image
from sklearn.datasets import load_digits

from emoji_build.concepts import share

OUT = Path(__file__).parents[1] / "src/assay/data/bundled/files"
EASY_VQA = "easy-vqa==1.0"
DIGITS_TEST_SHARE = 0.2
BUDGETS = {"easy-vqa": 4_000_000, "digits": 500_000}


def lossless(picture: Image.Image, kind: str) -> bytes:
    """A picture's bytes, smaller but the same to the pixel."""
    out = io.BytesIO()
    picture.save(
        out, kind, **({"lossless": True, "quality": 100, "method": 6} if kind == "WEBP" else {"optimize": True})
    )
    return out.getvalue()


def easy_vqa(cache: Path) -> dict[str, pl.DataFrame]:
    """Pictures by "split/number", and questions with their answer and picture."""
    wheel = cache / "easy_vqa-1.0-py3-none-any.whl"
    if not wheel.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "-d", cache, EASY_VQA], check=True)
    pictures: dict[str, bytes] = {}
    questions: list[tuple[str, str, str, str]] = []
    with zipfile.ZipFile(wheel) as archive:
        for split in ("train", "test"):
            folder = f"easy_vqa/data/{split}"
            asked = json.loads(archive.read(f"{folder}/questions.json"))
            questions += [(split, f"{split}/{number}", question, answer) for question, answer, number in asked]
            for number in sorted({number for _, _, number in asked}):
                with Image.open(io.BytesIO(archive.read(f"{folder}/images/{number}.png"))) as picture:
                    pictures[f"{split}/{number}"] = lossless(picture.convert("RGB"), "WEBP")
    return {
        "pictures": pl.DataFrame({"key": list(pictures), "webp": list(pictures.values())}),
        "questions": pl.DataFrame(questions, schema=["split", "image", "question", "answer"], orient="row"),
    }


def digits() -> dict[str, pl.DataFrame]:
    """The 8 x 8 pictures with their digit and a split that holds the same share of every digit."""
    data = load_digits()
    grey = np.round(data.images * (255 / 16)).astype(np.uint8)
    split = np.full(len(grey), "train", dtype=object)
    for digit in range(10):
        order = sorted(np.flatnonzero(data.target == digit), key=lambda n: share(str(n), "digits"))
        split[order[: round(DIGITS_TEST_SHARE * len(order))]] = "test"
    pictures = [lossless(Image.fromarray(pixels), "PNG") for pixels in grey]
    return {
        "samples": pl.DataFrame({"split": split.tolist(), "digit": data.target.astype(str).tolist(), "png": pictures})
    }


def write(name: str, frames: dict[str, pl.DataFrame], out: Path) -> None:
    """Writes one data set and holds it to its budget."""
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    for part, frame in frames.items():
        frame.write_parquet(folder / f"{part}.parquet", compression="zstd")
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{name:12} {size / 1e6:5.2f} MB", {part: len(frame) for part, frame in frames.items()})
    assert size <= BUDGETS[name], f"{name} is over its budget of {BUDGETS[name] / 1e6} MB"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path("build/small-packages"))
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    write("easy-vqa", easy_vqa(options.cache), options.out)
    write("digits", digits(), options.out)
