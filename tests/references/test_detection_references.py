"""COCO's twelve figures and its per-class precision against pycocotools and faster-coco-eval, to the last digits."""

import contextlib
import io

import numpy as np
import pytest
from detection_cases import outlined, scenes

from assay import metrics
from assay.data.readers.coco import read_coco_detection

ORDER = ["map", "map_50", "map_75", "map_small", "map_medium", "map_large"]
ORDER += ["mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large"]


def coco_files(predicted, targets, classes):
    """The same as annotations and results; ids start at 1, since pycocotools takes object 0 for none."""
    annotations, results = [], []
    for image, (found, true) in enumerate(zip(predicted, targets, strict=True)):
        for place, box in enumerate(np.asarray(true["boxes"], float).tolist()):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(true["labels"][place]),
                    "bbox": box,
                    "area": float(true["area"][place]),
                    "iscrowd": int(true["crowd"][place]),
                }
            )
        for place, box in enumerate(np.asarray(found["boxes"], float).tolist()):
            label, score = int(found["labels"][place]), float(found["scores"][place])
            results.append({"image_id": image, "category_id": label, "bbox": box, "score": score})
    images = [{"id": image, "width": 640, "height": 480} for image in range(len(targets))]
    categories = [{"id": label, "name": f"class {label}"} for label in range(classes)]
    return {"images": images, "annotations": annotations, "categories": categories}, results


def evaluated(coco, evaluator, annotations, results, iou="bbox"):
    """The evaluator after it is done."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco()
        truth.dataset = annotations
        truth.createIndex()
        done = evaluator(truth, truth.loadRes([dict(one) for one in results]), iou)
        done.evaluate()
        done.accumulate()
        done.summarize()
    return done


def pycocotools(annotations, results):
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    return evaluated(coco.COCO, evaluation.COCOeval, annotations, results)


def faster_coco_eval(annotations, results):
    package = pytest.importorskip("faster_coco_eval")
    return evaluated(package.COCO, package.COCOeval_faster, annotations, results)


def agree(found, stats):
    for name, expected in zip(ORDER, stats, strict=True):
        assert found[name].value == pytest.approx(np.nan if expected == -1 else expected, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(
    ("images", "classes", "objects", "detections", "crowds"),
    [(30, 3, 8, 30, 0.1), (12, 1, 20, 40, 0.5), (3, 2, 3, 260, 0.2), (40, 12, 2, 3, 0.0), (2, 3, 1, 1, 1.0)],
)
def test_equal_to_pycocotools_and_faster_coco_eval(images, classes, objects, detections, crowds, ties):
    for seed in range(3):
        rng = np.random.default_rng([seed, images])
        case = scenes(rng, images, classes, objects=objects, detections=detections, crowds=crowds, ties=ties)
        if not any(len(one["boxes"]) for one in case[0]):
            continue
        files = coco_files(*case, classes)
        found = metrics.detection(*case, per_class=True, interval=False)
        peer = pycocotools(*files)
        agree(found, peer.stats)
        precision = peer.eval["precision"][:, :, :, 0, -1]
        for label in range(classes):
            theirs = precision[:, :, label].mean()
            if theirs > -1:
                assert found[f"map/{label}"].value == pytest.approx(theirs, abs=1e-12)
        agree(found, faster_coco_eval(*files).stats[:12])


def test_equal_from_files(tmp_path):
    import json

    case = scenes(np.random.default_rng(0), 25, 4, ties=True)
    annotations, results = coco_files(*case, 4)
    np.random.default_rng(1).shuffle(annotations["images"])
    (tmp_path / "annotations.json").write_text(json.dumps(annotations))
    (tmp_path / "results.json").write_text(json.dumps(results))
    predicted, targets, ids = read_coco_detection(tmp_path / "results.json", tmp_path / "annotations.json")
    assert ids == list(range(25))
    agree(metrics.detection(predicted, targets, interval=False), pycocotools(annotations, results).stats)


def test_a_bootstrap_is_pycocotools_on_repeated_images():
    case = scenes(np.random.default_rng(3), 20, 3)
    rows = metrics.measure([metrics.get("coco_map")], *case)
    counts = np.random.default_rng(4).multinomial(20, np.full(20, 0.05), 3)
    found = {name: metrics.get(f"coco_{name}").aggregate(rows, counts.astype(float)) for name in ORDER}
    for place, drawn in enumerate(counts):
        repeated = np.repeat(np.arange(20), drawn)
        stats = pycocotools(*coco_files(*([side[i] for i in repeated] for side in case), 3)).stats
        for name, expected in zip(ORDER, np.where(stats == -1, np.nan, stats), strict=True):
            assert found[name][place] == pytest.approx(expected, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
def test_masks_equal_pycocotools(ties, compressed):
    codes = pytest.importorskip("pycocotools.mask")
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    for seed in range(3):
        predicted, targets = outlined(np.random.default_rng(seed), 20, 2, detections=12, ties=ties, size=(64, 50))
        encoded = [
            [one | {"masks": [codes.encode(np.asfortranarray(m, np.uint8)) for m in one["masks"]]} for one in side]
            for side in (predicted, targets)
        ]
        annotations, results = coco_files(
            *([one | {"boxes": np.zeros((len(one["masks"]), 4))} for one in side] for side in encoded), 2
        )
        flat = ([mask for one in side for mask in one["masks"]] for side in encoded)
        for records, masks in zip((results, annotations["annotations"]), flat, strict=True):
            for record, mask in zip(records, masks, strict=True):
                record["segmentation"] = mask
        for record in results:
            del record["bbox"]
        peer = evaluated(coco.COCO, evaluation.COCOeval, annotations, results, "segm")
        case = encoded if compressed else (predicted, targets)
        agree(metrics.detection(*case, iou="masks", interval=False), peer.stats)
