"""Cross-validation: nobody answers about what they have seen, groups stay whole, classes are shared out evenly."""

from collections import Counter

import numpy as np
import pytest

import assay
from assay.data.dataset import Dataset
from assay.experiments.crossval import cross_validate, fold_of
from assay.models.baselines import pixels
from assay.types import Sample


def samples(n: int, *, each: int = 1) -> list[Sample]:
    return [
        Sample(f"s{i}", {"text": f"text {i}"}, target="ab"[i % 2], groups={"page": f"p{i // each}"}) for i in range(n)
    ]


class Remembers:
    """Is right about exactly what it was fitted on."""

    name, modalities, fingerprint = "remembers", frozenset({"text"}), "x"

    def __init__(self, data: Dataset) -> None:
        self.seen = {sample.id: str(sample.target) for sample in data.samples}

    def score(self, samples, choices):
        rows = [[9.0 * (self.seen.get(s.id, "") == choice) for choice in choices] for s in samples]
        return np.array([row - np.logaddexp.reduce(row) for row in rows], dtype=np.float32)


def test_every_sample_is_answered_by_who_has_not_seen_it():
    data = Dataset("own", samples(40), "print", choices=("a", "b"))
    found = cross_validate(Remembers, data, folds=4, task="classification")
    # Nobody knows the answer: equal scores, of which the first choice is taken.
    assert found.headline.n == 40 and found.headline.value == pytest.approx(0.5)
    assert found.run.manifest.model == "remembers ×4" and [fold.n for fold in found.folds] == [10] * 4
    seen = assay.evaluate(Remembers(data), data, task="classification")
    assert seen.headline.value == 1.0


def test_folds_keep_groups_whole_and_share_classes_out_evenly():
    made = samples(60, each=3)
    of = fold_of(made, 5, group="page", seed=1)
    for page in {sample.groups["page"] for sample in made}:
        assert len({int(f) for f, s in zip(of, made, strict=True) if s.groups["page"] == page}) == 1
    assert sorted(Counter(of.tolist()).values()) == [12] * 5
    for fold in range(5):
        assert Counter(s.target for f, s in zip(of, made, strict=True) if f == fold) == {"a": 6, "b": 6}
    assert of.tolist() == fold_of(made, 5, group="page", seed=1).tolist()
    assert of.tolist() != fold_of(made, 5, group="page", seed=2).tolist()


def test_a_real_baseline_over_real_digits():
    data = assay.load_dataset("digits:test").first(120)
    found = cross_validate(pixels, data, folds=3, task="classification", seed=3)
    assert found.headline.value > 0.7 and found.headline.low < found.headline.value < found.headline.high
    assert 0 <= found.spread < 0.2
    pooled = sum(fold.value * fold.n for fold in found.folds) / 120
    assert found.headline.value == pytest.approx(pooled)


class Writes:
    name, modalities, fingerprint = "writes", frozenset({"text"}), "y"

    def __init__(self, data: Dataset) -> None:
        self.seen = {sample.id for sample in data.samples}

    def generate(self, samples, modality="text"):
        assert not any(sample.id in self.seen for sample in samples)
        return ["a" for _ in samples]


def test_models_that_write_are_asked_in_their_order():
    data = Dataset("own", samples(20), "print", choices=("a", "b"))
    found = cross_validate(Writes, data, folds=2, task="classification")
    assert found.headline.value == pytest.approx(0.5)


class Neither:
    name, modalities, fingerprint = "neither", frozenset({"text"}), "z"

    def __init__(self, data: Dataset) -> None:
        pass


def test_what_cannot_be_cross_validated_is_told():
    data = Dataset("own", samples(6, each=3), "print", choices=("a", "b"))
    with pytest.raises(ValueError, match="5 folds, 2 groups"):
        cross_validate(Remembers, data, folds=5, group="page")
    with pytest.raises(ValueError, match="at least 2 folds"):
        cross_validate(Remembers, data, folds=1)
    with pytest.raises(ValueError, match="'s0' has no group 'author'"):
        cross_validate(Remembers, data, folds=2, group="author")
    with pytest.raises(ValueError, match="neither scores nor writes"):
        cross_validate(Neither, data, folds=2)
    with pytest.raises(ValueError, match="did you mean"):
        cross_validate("baseline:pixel", data, folds=2)
