"""Models that decide together: each rule on numbers that can be checked by hand, absent modalities, weights that are fitted."""

import numpy as np
import pytest

import assay
from assay.models.decisions import decide, opinions, stack
from assay.types import Sample

CHOICES = ("a", "b", "c")


class Fixed:
    """Gives every sample the same probabilities; hears only its own modality."""

    fingerprint = "fixed"

    def __init__(self, name: str, modality: str, *probabilities: float) -> None:
        self.name, self.modalities, self.probabilities = name, frozenset({modality}), probabilities

    def score(self, samples, choices):
        assert all(set(s.inputs) <= self.modalities for s in samples), "nothing else is shown to it"
        return np.log(np.tile(np.array(self.probabilities, dtype=np.float32), (len(samples), 1)))


ONE, TWO, THREE = (
    Fixed("one", "text", 0.6, 0.3, 0.1),
    Fixed("two", "text", 0.1, 0.5, 0.4),
    Fixed("three", "audio", 0.2, 0.7, 0.1),
)
BOTH, READ = Sample("x", {"text": "t", "audio": "s"}), Sample("y", {"text": "t"})


def test_each_rule_is_its_formula():
    def told(rule, **more):
        return np.exp(decide([ONE, TWO, THREE], rule, **more).score([BOTH, READ], CHOICES))

    np.testing.assert_allclose(told("average")[0], [0.3, 0.5, 0.2], rtol=1e-5)
    np.testing.assert_allclose(told("average")[1], [0.35, 0.4, 0.25], rtol=1e-5)  # who hears only has no say
    product = np.array([0.6 * 0.1 * 0.2, 0.3 * 0.5 * 0.7, 0.1 * 0.4 * 0.1])
    np.testing.assert_allclose(told("product")[0], product / product.sum(), rtol=1e-5)
    assert told("vote")[0].argmax() == 1 and told("vote")[0, 1] == pytest.approx(2 / 3, abs=0.01)
    assert told("vote")[1].argmax() == 1  # one vote each for a and b: b has the higher mean
    np.testing.assert_allclose(told("average", weights=[1, 0, 0])[0], [0.6, 0.3, 0.1], rtol=1e-5)
    assert told("vote", weights=[3, 1, 1])[0].argmax() == 0
    for rule in ("average", "product", "vote"):
        np.testing.assert_allclose(told(rule).sum(1), 1, atol=1e-3)


def test_one_alone_is_as_it_was():
    np.testing.assert_allclose(np.exp(decide([ONE], "product").score([READ], CHOICES))[0], [0.6, 0.3, 0.1], rtol=1e-5)


def test_stacking_trusts_who_is_right():
    class Knows(Fixed):
        def score(self, samples, choices):
            rows = [[0.8 if s.inputs["text"] == choice else 0.1 for choice in choices] for s in samples]
            return np.log(np.array(rows, dtype=np.float32))

    samples = [Sample(f"s{i}", {"text": CHOICES[i % 3]}, target=CHOICES[i % 3]) for i in range(30)]
    model = stack([TWO, Knows("knows", "text")], samples, CHOICES)
    assert model.weights[1] > 1 > model.weights[0] >= 0
    assert (model.score(samples, CHOICES).argmax(1) == [i % 3 for i in range(30)]).all()
    assert model.name == "stack(two, knows)" and model.fingerprint != decide([TWO, Knows("knows", "text")]).fingerprint


def test_shipped_models_decide_together_on_real_data():
    data = assay.load_dataset("emoji:test-concepts[:60]").for_task("classification")
    models = [assay.load_model(name) for name in ("assay:fused", "assay:joint")]
    runs = [assay.evaluate(m, data, task="classification").headline.value for m in (*models, decide(models))]
    assert runs[2] >= min(runs[:2])
    told, there = opinions(models, data.samples[:4], data.choices)
    assert told.shape == (2, 4, len(data.choices)) and there.all()


def test_what_cannot_decide_is_told():
    with pytest.raises(ValueError, match="at least one model"):
        decide([])
    with pytest.raises(ValueError, match="did you mean vote"):
        decide([ONE], "votes")
    with pytest.raises(ValueError, match="for each of 2 models"):
        decide([ONE, TWO], weights=[1])
    with pytest.raises(ValueError, match="for each of 2 models"):
        decide([ONE, TWO], weights=[1, -1])
    with pytest.raises(ValueError, match="object does not weigh choices"):
        decide([object()])
    with pytest.raises(ValueError, match="takes anything of sample 'z'"):
        decide([ONE]).score([Sample("z", {"audio": "s"})], CHOICES)
    with pytest.raises(ValueError, match="'s' has the target 'd'"):
        stack([ONE], [Sample("s", {"text": "t"}, target="d")], CHOICES)
    with pytest.raises(ValueError, match="labelled samples, got none"):
        stack([ONE], [], CHOICES)
