"""COCO's twelve figures beside pycocotools and faster-coco-eval, at COCO's size and at a tenth of it.

Of an image: 7.4 objects of three of 80 classes, 100 detections, four in ten of them near an object. Each side is timed from
what it takes in memory (arrays here, a list of dicts there), and at the small size from JSON files too.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faster_coco_eval
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from assay import metrics
from assay.data.readers.coco import read_coco_detection
from benchmarks.pairing import Pairing, pair

CLASSES, OBJECTS, DETECTIONS = 80, 7.4, 100
LARGE, SMALL = 5_000, 500
Case = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Boxes ``float[count, 4]`` of 8 to 300 pixels."""
    return np.column_stack([rng.uniform(0, 500, (count, 2)), np.exp(rng.uniform(np.log(8), np.log(300), (count, 2)))])


def case(images: int) -> Case:
    """Predicted and true boxes of so many images."""
    rng = np.random.default_rng(0)
    share = np.arange(1, CLASSES + 1) ** -0.8
    predicted, targets = [], []
    for _ in range(images):
        count = int(rng.poisson(OBJECTS))
        true, labels = boxes(rng, count), rng.choice(CLASSES, 3, p=share / share.sum())[rng.integers(0, 3, count)]
        found, guesses = boxes(rng, DETECTIONS), rng.choice(CLASSES, DETECTIONS, p=share / share.sum())
        near = np.flatnonzero(rng.random(DETECTIONS) < (0.4 if count else 0))
        if len(near):
            source = rng.integers(0, count, len(near))
            off = 0.15 * rng.standard_normal((len(near), 4)) * rng.random((len(near), 1))
            found[near] = true[source] + off * np.tile(true[source, 2:], 2)
            found[:, 2:], guesses[near] = np.abs(found[:, 2:]), labels[source]
        scores = rng.beta(1, 6, DETECTIONS)
        scores[near] += rng.uniform(0, 0.4, len(near))
        area = true[:, 2] * true[:, 3] * rng.uniform(0.4, 1, count)
        predicted.append({"boxes": found, "labels": guesses, "scores": scores})
        targets.append({"boxes": true, "labels": labels, "area": area, "crowd": rng.random(count) < 0.01})
    return predicted, targets


def as_records(predicted: list[dict[str, Any]], targets: list[dict[str, Any]]) -> tuple[dict[str, Any], list[Any]]:
    """The same as COCO's annotations and results."""
    annotations, results = [], []
    for image, (found, true) in enumerate(zip(predicted, targets, strict=True)):
        columns = (true[name].tolist() for name in ("boxes", "labels", "area", "crowd"))
        for box, label, area, crowd in zip(*columns, strict=True):
            one = {"id": len(annotations) + 1, "image_id": image, "category_id": label}
            annotations.append(one | {"bbox": box, "area": area, "iscrowd": int(crowd)})
        columns = (found[name].tolist() for name in ("boxes", "labels", "scores"))
        for box, label, score in zip(*columns, strict=True):
            results.append({"image_id": image, "category_id": label, "bbox": box, "score": score})
    images = [{"id": image} for image in range(len(targets))]
    categories = [{"id": label, "name": str(label)} for label in range(CLASSES)]
    return {"images": images, "annotations": annotations, "categories": categories}, results


PEERS: dict[str, tuple[Any, Any]] = {
    "pycocotools": (COCO, COCOeval),
    "faster-coco-eval": (faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster),
}


def theirs(peer: str, annotations: Any, results: Any) -> list[float]:
    """A peer's twelve figures, of records or of files."""
    coco, evaluator = PEERS[peer]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco(annotations) if isinstance(annotations, str) else coco()
        if not isinstance(annotations, str):
            truth.dataset = annotations
            truth.createIndex()
        done = evaluator(truth, truth.loadRes(results), "bbox")
        done.evaluate()
        done.accumulate()
        done.summarize()
    return list(done.stats[:12])


def ours(results: str, annotations: str) -> list[float]:
    """Our twelve figures, of files."""
    predicted, targets, _ = read_coco_detection(results, annotations)
    return [one.value for one in metrics.detection(predicted, targets, interval=False).values()]


READ = "from assay.data.readers.coco import read_coco_detection as read; from assay import metrics"
OURS = READ + "; metrics.detection(*read({1!r}, {0!r})[:2], interval=False)"
PEAKS = {
    "assay": OURS,
    "pycocotools": "from pycocotools.coco import COCO; from pycocotools.cocoeval import COCOeval as Evaluator",
    "faster-coco-eval": "from faster_coco_eval import COCO, COCOeval_faster as Evaluator",
}
"""What a fresh process does to show its peak memory; it imports nothing of the other side."""

EVALUATE = "; t = COCO({0!r}); e = Evaluator(t, t.loadRes({1!r}), 'bbox'); e.evaluate(); e.accumulate()"


def peak_mb(side: str, paths: list[str]) -> float:
    """The peak memory in MB of a fresh process that evaluates the files (Linux; `getrusage` would count the parent's too)."""
    work = (PEAKS[side] + ("" if side == "assay" else EVALUATE)).format(*paths)
    code = f"{work}; print(open('/proc/self/status').read())"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return float(out.rpartition("VmHWM:")[2].split()[0]) / 1024


def in_memory(images: int, peer: str, interval: bool = False) -> Pairing:
    """Values of both sides, from what each takes in memory; with ours perhaps every interval."""
    predicted, targets = case(images)
    annotations, results = as_records(predicted, targets)

    def mine() -> None:
        metrics.detection(predicted, targets, interval=interval)

    size = f"COCO detection, {images} images, {len(results)} detections"
    work = f"{size}, {'with intervals' if interval else 'values'}"
    return pair(work, mine, peer, lambda: theirs(peer, annotations, [dict(one) for one in results]))


def from_files(images: int, peer: str) -> Pairing:
    """The same from JSON files, with the peak memory of a fresh process for each side."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("annotations.json", "results.json")]
        for path, content in zip(paths, as_records(*case(images)), strict=True):
            Path(path).write_text(json.dumps(content))
        mine, peers = peak_mb("assay", paths), peak_mb(peer, paths)
        work = f"the same from files, {images} images; {mine:.0f} against {peers:.0f} MB"
        return pair(work, lambda: ours(paths[1], paths[0]), peer, lambda: theirs(peer, paths[0], paths[1]))


def pairings() -> Iterator[Pairing]:
    """A tenth of COCO's size."""
    for peer in PEERS:
        yield in_memory(SMALL, peer)
    yield in_memory(SMALL, "faster-coco-eval", interval=True)
    yield from_files(SMALL, "faster-coco-eval")


def pairings_large() -> Iterator[Pairing]:
    """COCO's size, beside the faster of the two."""
    work: list[Callable[[], Pairing]] = [
        lambda: in_memory(LARGE, "faster-coco-eval"),
        lambda: in_memory(LARGE, "faster-coco-eval", interval=True),
        lambda: from_files(LARGE, "faster-coco-eval"),
    ]
    yield from (one() for one in work)
