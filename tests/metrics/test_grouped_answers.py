"""Answers that count together, row by row: figures by units and weights, reading, what is missing."""

import numpy as np
import pytest

from assay import metrics
from assay.metrics import circular, mme

NAMES = ("circular_accuracy", "circular_accuracy:official")
SCORES = ("mme_perception", "mme_cognition", "mme_accuracy", "mme_accuracy_plus", "mme_unparsed")


def rotations(seed, n=12):
    rng = np.random.default_rng(seed)
    group = [f"q{i // 3}" for i in range(3 * n)]
    true = ["ABC"[i] for i in rng.integers(3, size=3 * n)]
    said = [letter if rng.random() < 0.8 else "it is unclear" for letter in true]
    return said, true, group


def pairs(seed, n=30):
    rng = np.random.default_rng(seed)
    picture = [f"p{i // 2}" for i in range(2 * n)]
    subtask = [mme.SUBTASKS[(i // 2) % 14] for i in range(2 * n)]
    true = ["Yes", "No"] * n
    said = [text if rng.random() < 0.7 else ["yes", "no", "hm"][rng.integers(3)] for text in true]
    return said, true, subtask, picture


def by_unit(names, rows, unit, counts):
    """Each figure where unit u counts ``counts[u]`` times."""
    weights = np.array([[counts[u] for u in unit]], dtype=np.float64)
    return [metrics.get(name).aggregate(rows, weights)[0] for name in names]


@pytest.mark.parametrize("seed", range(5))
def test_a_unit_that_counts_twice_is_there_twice(seed):
    rng = np.random.default_rng(seed)
    said, true, group = rotations(seed)
    counts = {u: int(rng.integers(0, 4)) for u in dict.fromkeys(group)}
    places = [(i, k) for u in counts for k in range(counts[u]) for i, g in enumerate(group) if g == u]
    again = circular.measure_rotations(
        [said[i] for i, _ in places], [true[i] for i, _ in places], [f"{group[i]}+{k}" for i, k in places]
    )
    found = by_unit(NAMES, circular.measure_rotations(said, true, group), group, counts)
    assert found == pytest.approx([metrics.get(n).aggregate(again, np.ones((1, len(places))))[0] for n in NAMES])
    answers, right, subtask, picture = pairs(seed)
    counts = {u: int(rng.integers(0, 4)) for u in dict.fromkeys(picture)}
    places = [(i, k) for u in counts for k in range(counts[u]) for i, g in enumerate(picture) if g == u]
    repeated = mme.measure_mme(
        *([column[i] for i, _ in places] for column in (answers, right, subtask)),
        [f"{picture[i]}+{k}" for i, k in places],
    )
    found = by_unit(SCORES, mme.measure_mme(answers, right, subtask, picture), picture, counts)
    assert found == pytest.approx([metrics.get(n).aggregate(repeated, np.ones((1, len(places))))[0] for n in SCORES])


def test_scale_order_and_nothing():
    answers, right, subtask, picture = pairs(1)
    rows = mme.measure_mme(answers, right, subtask, picture)
    order = np.random.default_rng(0).permutation(len(answers))
    mixed = mme.measure_mme(*([column[i] for i in order] for column in (answers, right, subtask, picture)))
    for name in SCORES:
        metric = metrics.get(name)
        ones = np.ones((1, len(answers)))
        assert metric.aggregate(rows, 3 * ones) == pytest.approx(metric.aggregate(rows, ones))
        assert metric.aggregate(mixed, ones) == pytest.approx(metric.aggregate(rows, ones))
        assert np.isnan(metric.aggregate(rows, 0 * ones)).all()
        assert metric.bounds[0] <= metric.aggregate(rows, ones)[0] <= metric.bounds[1]
    perfect = mme.measure_mme(right, right, subtask, picture)
    found = [metrics.get(name).aggregate(perfect, np.ones((1, len(answers))))[0] for name in SCORES]
    assert found == [2000, 800, 1, 1, 0]


def test_a_group_with_a_missing_answer_is_undefined():
    rows = circular.measure_rotations(["A", "B", "A"], ["A", "B", "A"], ["x", "x", "y"], lost={"y"})
    assert np.array_equal(rows["circular_accuracy"], [1, np.nan, np.nan], equal_nan=True)


def test_references_that_are_none():
    with pytest.raises(ValueError, match="row 1: a letter was expected"):
        circular.measure_rotations(["A", "B"], ["A", "cat"], ["x", "x"])
    with pytest.raises(ValueError, match="row 0: yes or no was expected"):
        mme.measure_mme(["yes"], ["perhaps"], ["color"], ["p"])


@pytest.mark.parametrize(
    "text,letter",
    [
        ("B", "B"), ("(B)", "B"), ("b", None), ("I think it is B.", "B"), ("B is what I would say here", None),
        ("The answer is B, since A is not", "B"), ("A dog", "A"), ("a DOG!", "B"), ("Z", "Z"), ("a cat or a dog", None),
        ("Cannot determine the answer", "Z"), ("", None), ("the cat " * 50, None), ("C", None),
    ],
)  # fmt: skip
def test_letters_as_vlmevalkit_reads_them(text, letter):
    """Told by hand from the rule; 200,000 random answers were the same as its own code's."""
    assert circular.as_vlmevalkit(text, ("cat", "a dog")) == letter
