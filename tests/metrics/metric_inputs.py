"""Made-up inputs of every family of metrics: ties, absent positives, unparsed and missing answers among them."""

import re

import numpy as np
from detection_cases import films, outlined, scenes

CHOICES = list("abcde")
WORDS = ["a", "red", "Two", "dog's", "dogs,", "3.5", "B.", "no", "yes", ""]
CAPTIONS = re.compile(r"(bleu|cider|distinct|rouge|caption)_.*|cider|meteor.*")


def ranking_inputs(rng: np.random.Generator, n: int):
    scores = rng.integers(0, 4, (n, 7)).astype(float)
    return scores, [rng.choice(7, rng.integers(0, 4), replace=False).tolist() for _ in range(n)]


def label_inputs(rng: np.random.Generator, n: int):
    return rng.choice(np.array([*CHOICES, None]), n).tolist(), rng.choice(CHOICES[:4], n).tolist()


def score_inputs(rng: np.random.Generator, n: int):
    shares = np.round(rng.dirichlet(np.ones(5), n) * 8) + 0.1
    return np.log(shares / shares.sum(axis=1, keepdims=True)), rng.integers(0, 5, n)


def set_inputs(rng: np.random.Generator, n: int):
    return rng.integers(0, 2, (n, 4)), rng.integers(0, 2, (n, 4))


def text_inputs(rng: np.random.Generator, n: int):
    def text():
        return " ".join(rng.choice(WORDS, rng.integers(0, 5)))

    predictions = [None if rng.random() < 0.1 else text() for _ in range(n)]
    return predictions, [[text() for _ in range(rng.integers(1, 4))] for _ in range(n)]


def caption_inputs(rng: np.random.Generator, n: int):
    """Predictions taken from their references, so that every order that is said also matches: see `assay.metrics.caption_bleu`."""

    def taken(references):
        words = references[rng.integers(len(references))].split()
        start = rng.integers(len(words))
        return " ".join(words[start : start + rng.integers(1, len(words) + 1)])

    references = [
        [" ".join(rng.choice(WORDS[:-1], rng.integers(1, 9))) for _ in range(rng.integers(1, 4))] for _ in range(n)
    ]
    return [("", None, taken(one))[rng.choice(3, p=[0.1, 0.1, 0.8])] for one in references], references


def choice_inputs(rng: np.random.Generator, n: int):
    said = ["A", "(B)", "C. red", "the answer is A", "a cat", "", None, "B or C"]
    return [said[i] for i in rng.integers(0, len(said), n)], rng.choice(list("ABC"), n).tolist()


def yes_no_inputs(rng: np.random.Generator, n: int):
    said = ["yes", "No.", "Yes, it is", "perhaps", "", None, "not at all"]
    return [said[i] for i in rng.integers(0, len(said), n)], rng.choice(["yes", "no"], n).tolist()


def group_inputs(rng: np.random.Generator, n: int):
    """Items of each group and its label."""
    items = [rng.integers(0, 2, rng.integers(1, 5)).astype(float) for _ in range(n)]
    return [np.where(rng.random() < 0.1, np.nan, one) for one in items], list(range(n))


def quad_inputs(rng: np.random.Generator, n: int):
    said = np.array(["yes", "No.", "perhaps", "", None], dtype=object)
    return said[rng.choice(5, (n, 2, 2), p=[0.4, 0.4, 0.1, 0.07, 0.03])], rng.choice(["yes", "no"], (n, 2, 2))


def square_inputs(rng: np.random.Generator, n: int):
    return rng.integers(0, 3, (n, 2, 2)).astype(float), [None] * n


def box_inputs(rng: np.random.Generator, n: int):
    """No equal scores: those go by the order of the images, as pycocotools has it."""
    predicted, targets = scenes(rng, n, len(CHOICES), objects=4, detections=9)
    return [None if rng.random() < 0.1 else one for one in predicted], targets


def number_inputs(rng: np.random.Generator, n: int):
    """Numbers with ties, a large offset, and missing ones."""
    true = rng.integers(0, 6, n) + 1e6 * rng.integers(0, 2)
    predicted = [None if rng.random() < 0.1 else float(one) for one in true + rng.integers(-2, 3, n)]
    return predicted, true.astype(float)


def rating_inputs(rng: np.random.Generator, n: int):
    """Ratings of three raters a unit, some missing."""
    ratings = np.minimum(rng.integers(1, 5, (n, 1)) + rng.integers(0, 2, (n, 3)), 4).astype(object)
    ratings[rng.random((n, 3)) < 0.2] = None
    return ratings, [None] * n


def count_inputs(rng: np.random.Generator, n: int):
    return rng.multinomial(5, [0.5, 0.3, 0.2], n), [None] * n


def correctness_inputs(rng: np.random.Generator, n: int):
    return rng.choice([0, 1, np.nan], (2, n), p=[0.4, 0.5, 0.1])


def item_inputs(rng: np.random.Generator, n: int):
    """Right and wrong answers to four items, some respondents with a gap."""
    scores = (rng.random((n, 4)) < rng.random((n, 1))).astype(float)
    return np.where(rng.random((n, 4)) < 0.05, np.nan, scores), [None] * n


def graph_inputs(rng: np.random.Generator, n: int):
    """Graphs that share facts, empty ones and missing ones among them."""

    def graph():
        words = ["dog", "cat", "on"]
        return [tuple(rng.choice(words, rng.integers(1, 4)).tolist()) for _ in range(rng.integers(0, 5))]

    return [None if rng.random() < 0.1 else graph() for _ in range(n)], [graph() for _ in range(n)]


def mention_inputs(rng: np.random.Generator, n: int):
    """Objects that captions mention, with repetition, and those that are there."""

    def objects():
        return rng.choice(CHOICES, rng.integers(0, 5)).tolist()

    return [None if rng.random() < 0.1 else objects() for _ in range(n)], [objects() for _ in range(n)]


def clip_inputs(rng: np.random.Generator, n: int):
    """Captions, some missing; pictures with references."""
    captions = np.where(rng.random((n, 1)) < 0.1, np.nan, rng.standard_normal((n, 3)))
    return captions, [(rng.standard_normal(3), rng.standard_normal((rng.integers(1, 4), 3))) for _ in range(n)]


def embedding_inputs(rng: np.random.Generator, n: int):
    return rng.standard_normal((n, 3)), rng.random(n) < 0.5


def segment_inputs(rng: np.random.Generator, n: int):
    predicted, targets = films(rng, n, len(CHOICES))
    return [None if rng.random() < 0.1 else one for one in predicted], targets


def map_inputs(rng: np.random.Generator, n: int):
    """Small maps with ignored pixels, some of them altogether."""
    targets = [np.where(rng.random((3, 4)) < 0.2, 255, rng.integers(0, 5, (3, 4))) for _ in range(n)]
    predicted = [np.where(rng.random((3, 4)) < 0.4, rng.integers(0, 5, (3, 4)), one) for one in targets]
    return some_missing(rng, predicted), [np.full((3, 4), 255) if rng.random() < 0.1 else one for one in targets]


def mask_inputs(rng: np.random.Generator, n: int):
    """No equal scores, as with boxes."""
    predicted, targets = outlined(rng, n, len(CHOICES))
    return some_missing(rng, predicted), targets


def phrase_inputs(rng: np.random.Generator, n: int):
    targets = rng.integers(0, 10, (n, 4)).astype(float)
    predicted = [[] if rng.random() < 0.1 else one for one in np.abs(targets + rng.integers(-2, 3, (n, 4)))]
    return some_missing(rng, predicted), list(targets)


def point_inputs(rng: np.random.Generator, n: int):
    predicted = [[] if rng.random() < 0.1 else one for one in rng.integers(0, 12, (n, 2)).astype(float)]
    return some_missing(rng, predicted), list(rng.integers(0, 10, (n, 4)).astype(float))


def moment_inputs(rng: np.random.Generator, n: int):
    predicted = [np.sort(rng.integers(0, 9, (rng.integers(0, 4), 2))) for _ in range(n)]
    return some_missing(rng, predicted), [np.sort(rng.integers(0, 9, (rng.integers(1, 3), 2))) for _ in range(n)]


def some_missing(rng: np.random.Generator, predicted):
    return [None if rng.random() < 0.1 else one for one in predicted]


INPUTS = {
    "boxes": box_inputs,
    "captions": caption_inputs,
    "choices": choice_inputs,
    "clipscore": clip_inputs,
    "correctness": correctness_inputs,
    "counts": count_inputs,
    "directions": ranking_inputs,
    "embeddings": embedding_inputs,
    "graphs": graph_inputs,
    "grounded": phrase_inputs,
    "groups": group_inputs,
    "items": item_inputs,
    "label_sets": set_inputs,
    "labels": label_inputs,
    "maps": map_inputs,
    "masks": mask_inputs,
    "mentions": mention_inputs,
    "moments": moment_inputs,
    "naturalbench": quad_inputs,
    "numbers": number_inputs,
    "points": point_inputs,
    "ranking": ranking_inputs,
    "ratings": rating_inputs,
    "refclipscore": clip_inputs,
    "scores": score_inputs,
    "segments": segment_inputs,
    "texts": text_inputs,
    "winoground": square_inputs,
    "yes_no": yes_no_inputs,
}
"""What a family measures, ``n`` rows of it."""


def inputs(metric, rng: np.random.Generator, n: int):
    """``n`` rows for a metric."""
    return INPUTS["captions" if CAPTIONS.fullmatch(metric.name) else metric.family](rng, n)
