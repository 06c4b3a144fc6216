"""One contract over every metric there is: what an aggregate under weights must obey."""

import math
import re

import numpy as np
import pytest
from detection_cases import films, outlined, scenes
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import metrics, stats
from assay.metrics.consensus import with_frequencies
from assay.metrics.ranking import rank

CHOICES = list("abcde")
WORDS = ["a", "red", "Two", "dog's", "dogs,", "3.5", "B.", "no", "yes", ""]
OF_COUNTS = {
    *("aurc", "bleu", "bleu:char", "bleu:none", "bleu:zh", "eaurc", "ece_debiased", "frechet_distance"),
    *(name for name in metrics.METRICS if name.startswith("krippendorff_alpha")),
}
"""Metrics that know how much data there is, not only its shares: smoothing counts one match in so many n-grams, a risk
is the share of errors among the first one, two, three rows, a covariance is a sum over n - 1."""

laws = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 2**32 - 1)
every = pytest.mark.parametrize("name", metrics.METRICS)


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
"""What a family measures, ``n`` rows of it: ties, absent positives, unparsed and missing answers among them."""


CAPTIONS = re.compile(r"(bleu|cider|distinct|rouge|caption)_.*|cider|meteor.*")
CORPUS = caption_inputs(np.random.default_rng(0), 9)[1]
"""Where CIDEr's document frequencies come from: frozen, as a law about rows needs them."""

GROWING = ("distinct_1", "distinct_2")
"""Metrics that are not the same when all rows are there twice."""


def inputs(metric, rng: np.random.Generator, n: int):
    return INPUTS["captions" if CAPTIONS.fullmatch(metric.name) else metric.family](rng, n)


def measured(metric, given_inputs):
    """The rows of a metric for such inputs."""
    if metric.family == "ranking":
        scores, positives = given_inputs
        return metric.measure(rank(scores, np.eye(7), positives))
    if metric.family == "directions":
        scores, positives = given_inputs
        way = scores[:, 0] > 1
        asked = ([p for p, there in zip(positives, way, strict=True) if there == side] for side in (True, False))
        return metric.measure(
            *(rank(scores[way == side], np.eye(7), p) for side, p in zip((True, False), asked, strict=True))
        )
    if metric.family == "labels":
        return metric.measure(*given_inputs, CHOICES)
    if metric.family in ("boxes", "maps", "masks", "segments"):
        return metric.measure(*given_inputs, range(len(CHOICES)))
    if metric.family == "groups":
        items, labels = given_inputs
        return metric.measure(np.concatenate([np.zeros(0), *items]), np.repeat(labels, [len(one) for one in items]))
    if metric.family in ("counts", "winoground"):
        return metric.measure(given_inputs[0])
    if metric.name.startswith("cider"):
        metric = with_frequencies(metric, CORPUS)
    if metric.family == "ratings":
        raters = 2 if metric.name.startswith("cohen") else 3
        return metric.measure(given_inputs[0].T[:raters], categories=[1, 2, 3, 4])
    if metric.family.endswith("clipscore"):
        captions, pictures = given_inputs
        images, references = (list(side) for side in zip(*pictures, strict=True))
        return metric.measure(captions, images, *([references] if metric.family == "refclipscore" else []))
    if metric.family == "embeddings":
        embedded, is_real = given_inputs
        return metric.measure(embedded[~is_real], embedded[is_real])
    return metrics.measure([metric], *given_inputs)


def drawn(name: str, seed: int, n: int | None = None):
    """A metric, its rows and a random generator."""
    rng = np.random.default_rng(seed)
    metric = metrics.get(name)
    return metric, measured(metric, inputs(metric, rng, n or int(rng.integers(1, 25)))), rng


def size(rows):
    return len(next(iter(rows.values())))


def taken(rows, index):
    return {name: column[index] for name, column in rows.items()}


def value(metric, rows, weights=None):
    return metric.aggregate(rows, np.ones((1, size(rows))) if weights is None else np.atleast_2d(weights))[0]


def same(a, b):
    assert a == pytest.approx(b, rel=1e-9, abs=1e-12, nan_ok=True)


@every
@laws
@given(seed=seeds)
def test_a_weight_is_how_often_a_row_is_there(name, seed):
    metric, rows, rng = drawn(name, seed)
    counts = rng.integers(0, 4, size(rows))
    repeated = taken(rows, np.repeat(np.arange(size(rows)), counts))
    expected = value(metric, repeated) if counts.sum() else math.nan
    same(value(metric, rows, counts.astype(float)), expected)


@every
@laws
@given(seed=seeds)
def test_order_and_scale_do_not_matter(name, seed):
    metric, rows, rng = drawn(name, seed)
    weights, order = rng.random(size(rows)), rng.permutation(size(rows))
    same(value(metric, taken(rows, order), weights[order]), value(metric, rows, weights))
    if name not in (*OF_COUNTS, *GROWING):
        same(value(metric, rows, 7.3 * weights), value(metric, rows, weights))


@every
@laws
@given(seed=seeds)
def test_shards_make_the_whole(name, seed):
    rng = np.random.default_rng(seed)
    metric = metrics.get(name)
    first, second = inputs(metric, rng, 20)
    cut = int(rng.integers(1, 20))
    shards = [measured(metric, (first[part], second[part])) for part in (slice(0, cut), slice(cut, 20))]
    whole = measured(metric, (first, second))
    merged = {name: np.concatenate([shard[name] for shard in shards]) for name in whole}
    same(value(metric, merged), value(metric, whole))


@every
@laws
@given(seed=seeds)
def test_many_weight_vectors_are_each_their_own(name, seed):
    metric, rows, rng = drawn(name, seed)
    weights = rng.integers(0, 3, (5, size(rows))).astype(float)
    together = metric.aggregate(rows, weights)
    assert together.shape == (5,)
    assert together.dtype == np.float64
    for one, alone in zip(together, weights, strict=True):
        same(one, value(metric, rows, alone))


@every
@laws
@given(seed=seeds)
def test_values_keep_within_their_bounds(name, seed):
    metric, rows, rng = drawn(name, seed)
    found = value(metric, rows, rng.random(size(rows)))
    assert math.isnan(found) or metric.bounds[0] - 1e-12 <= found <= metric.bounds[1] + 1e-12


@every
def test_nothing_is_nan_and_never_0(name):
    metric, rows, _ = drawn(name, 0, 6)
    assert math.isnan(value(metric, rows, np.zeros(6)))
    assert math.isnan(value(metric, taken(rows, np.arange(0))))


@every
@laws
@given(seed=seeds)
def test_an_undefined_row_is_as_good_as_absent(name, seed):
    metric, rows, rng = drawn(name, seed, 12)
    lost = rng.random(12) < 0.4
    floats = [column for column in metric.columns if rows[column].dtype.kind == "f"]
    holed = {
        n: np.where(lost.reshape(-1, *[1] * (column.ndim - 1)), np.nan, column) if n in floats else column
        for n, column in rows.items()
    }
    if floats:
        expected = value(metric, taken(rows, ~lost)) if not lost.all() else math.nan
        same(value(metric, holed), expected)


@every
@pytest.mark.parametrize("clusters", [None, 3, 40])
@pytest.mark.parametrize("n", [1, 2, 7, 120])
def test_every_interval_contains_its_value_within_the_bounds(name, clusters, n):
    metric, rows, rng = drawn(name, n, n)
    unit = None if clusters is None else rng.integers(0, clusters, n)
    masks = {"all": np.ones(n, bool), "half": rng.random(n) < 0.5, "none": np.zeros(n, bool)}
    for one in stats.intervals([metric], rows, unit, slices=masks, resamples=500):
        if math.isnan(one.value):
            assert math.isnan(one.low)
            assert math.isnan(one.high)
            assert one.n == 0 or metric.item is None, "a metric may need more than one row to be defined"
        elif metric.interval != "none":
            assert metric.bounds[0] <= one.low <= one.value <= one.high <= metric.bounds[1]
            assert one.n > 0
            if metric.bounds[1] == 1:
                assert one.low < one.high, "a figure from a sample is never certain"
