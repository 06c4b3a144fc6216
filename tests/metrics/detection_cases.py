"""Made-up detections of made-up objects: crowds, ties, empty images, boxes without area, areas at the edges of the sizes."""

import numpy as np

EDGES = np.array([0.0, 1023.999, 1024.0, 1024.001, 9216.0, 9216.001, 1e10])


def scenes(rng, n, classes=3, *, objects=8, detections=30, crowds=0.1, ties=False):
    """``n`` images as `assay.metrics.detection` takes them. With ``ties`` scores, overlaps and areas are often equal."""
    predicted, targets = [], []
    for _ in range(n):
        true = an_image(rng, classes, int(rng.integers(0, objects + 1)), crowds, ties)
        predicted.append(its_detections(rng, true, classes, int(rng.integers(0, detections + 1)), ties))
        targets.append(true)
    return predicted, targets


def an_image(rng, classes, count, crowds, ties):
    boxes = np.column_stack([rng.uniform(0, 200, (count, 2)), np.exp(rng.uniform(1.4, 5.6, (count, 2)))])
    area = boxes[:, 2] * boxes[:, 3] * rng.uniform(0.4, 1, count)
    if ties:
        boxes = np.round(boxes / 8) * 8
        area = np.where(rng.random(count) < 0.3, rng.choice(EDGES, count), boxes[:, 2] * boxes[:, 3])
    return {
        "boxes": boxes,
        "labels": rng.integers(0, classes, count),
        "area": area,
        "crowd": rng.random(count) < crowds,
    }


def its_detections(rng, true, classes, count, ties):
    objects = len(true["boxes"])
    boxes = np.column_stack([rng.uniform(0, 200, (count, 2)), rng.uniform(0, 150, (count, 2))])
    labels = rng.integers(0, classes, count)
    if objects and count:
        source = rng.integers(0, objects, count)
        near = true["boxes"][source]
        off = 0.2 * rng.standard_normal((count, 4)) * rng.choice([0.1, 0.3, 1], (count, 1))
        boxes = near * (1 + off)
        if ties:
            boxes = np.where(rng.random((count, 1)) < 0.5, near, np.round(boxes / 8) * 8)
        boxes[:, 2:] = np.abs(boxes[:, 2:])
        labels = np.where(rng.random(count) < 0.8, true["labels"][source], labels)
    scores = rng.random(count)
    return {"boxes": boxes, "labels": labels, "scores": np.round(scores * 4) / 4 if ties else scores}


def films(rng, n, classes=3, *, segments=4, detections=10, ties=False):
    """``n`` films as `assay.metrics.temporal_detection` takes them."""
    predicted, targets = [], []
    for _ in range(n):
        true, found = (np.sort(rng.uniform(0, 60, (rng.integers(0, most + 1), 2))) for most in (segments, detections))
        labels = rng.integers(0, classes, len(true))
        guesses, scores = rng.integers(0, classes, len(found)), rng.random(len(found))
        if len(true):
            source = rng.integers(0, len(true), len(found))
            found = np.sort(true[source] + rng.normal(0, rng.choice([0.5, 3, 10], (len(found), 1)), (len(found), 2)))
            guesses = np.where(rng.random(len(found)) < 0.8, labels[source], guesses)
        if ties:
            true, found, scores = np.round(true / 4) * 4, np.round(found / 4) * 4, np.round(scores * 4) / 4
        predicted.append({"segments": found, "labels": guesses, "scores": scores})
        targets.append({"segments": true, "labels": labels})
    return predicted, targets


def outlined(rng, n, classes=3, *, objects=4, detections=8, crowds=0.2, ties=False, size=(24, 30)):
    """``n`` pictures with bitmaps in place of boxes: ellipses, some of them beyond the edge, some empty."""
    predicted, targets = [], []
    rows, columns = np.mgrid[: size[0], : size[1]]

    def bitmap(shape):
        y, x, height, width = shape
        return ((rows - y) / max(height, 0.3)) ** 2 + ((columns - x) / max(width, 0.3)) ** 2 <= 1

    for _ in range(n):
        count, many = int(rng.integers(0, objects + 1)), int(rng.integers(0, detections + 1))
        shapes = np.column_stack([rng.uniform(-2, size[0] + 2, count), rng.uniform(0, size[1], count)])
        shapes = np.column_stack([shapes, rng.uniform(0, 12, (count, 2))])
        labels, guesses = rng.integers(0, classes, count), rng.integers(0, classes, many)
        found = np.column_stack([rng.uniform(0, 25, (many, 2)), rng.uniform(0, 9, (many, 2))])
        if count:
            source = rng.integers(0, count, many)
            found = shapes[source] + rng.normal(0, 0 if ties else 0.7, (many, 4))
            guesses = np.where(rng.random(many) < 0.8, labels[source], guesses)
        scores = np.round(rng.random(many) * 4) / 4 if ties else rng.random(many)
        predicted.append({"masks": [bitmap(one) for one in found], "labels": guesses, "scores": scores})
        true = {"masks": [bitmap(one) for one in shapes], "labels": labels, "crowd": rng.random(count) < crowds}
        true["area"] = np.array([one.sum() for one in true["masks"]]) * rng.choice([1, 10, 100], count)
        targets.append(true)
    return predicted, targets
