"""Few-shot: methods on vectors whose truth is known, episodes, refusals, meta-learning against plain formulas."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assay.data.dataset import Dataset
from assay.losses import episodic
from assay.training.fewshot import METHODS, episode_accuracy, fewshot
from assay.types import Sample

CLASSES = ("red", "green", "blue", "white", "black", "grey")


class Blobs:
    """Vectors around one direction per class; texts lie at the direction itself."""

    name, fingerprint, aligned_space = "blobs", "f", True
    modalities = frozenset({"text", "image"})

    def __init__(self, noise: float = 0.3) -> None:
        self.noise = noise

    def embed(self, samples, modality=None):
        out = np.zeros((len(samples), 8), np.float32)
        for i, sample in enumerate(samples):
            word, _, number = str(sample.inputs["text"]).partition(" ")
            out[i, CLASSES.index(word)] = 1
            if number:
                out[i] += self.noise * np.random.default_rng(int(number)).standard_normal(8)
        return out / np.linalg.norm(out, axis=1, keepdims=True)


def samples(per_class: int, start: int = 0) -> list[Sample]:
    return [
        Sample(f"{word}{k}", {"text": f"{word} {start + 100 * i + k}"}, target=word)
        for i, word in enumerate(CLASSES)
        for k in range(per_class)
    ]


def accuracy(model, asked) -> float:
    guess = model.score(asked, CLASSES).argmax(1)
    return float(np.mean([CLASSES[g] == s.target for g, s in zip(guess, asked, strict=True)]))


@pytest.mark.parametrize("method", METHODS)
def test_a_few_examples_make_a_classifier(method: str) -> None:
    model = fewshot(Blobs(), samples(5), method=method)
    scores = model.score(samples(1, start=5000), CLASSES)
    np.testing.assert_allclose(np.exp(scores).sum(1), 1, rtol=1e-5)
    assert accuracy(model, samples(20, start=5000)) > 0.9
    assert model.classes == CLASSES and model.modalities == Blobs.modalities
    assert fewshot(Blobs(), samples(5), method=method).fingerprint == model.fingerprint
    assert fewshot(Blobs(), samples(4), method=method).fingerprint != model.fingerprint


def test_one_example_is_enough() -> None:
    assert accuracy(fewshot(Blobs(0.05), samples(1)), samples(5, start=5000)) == 1.0
    assert accuracy(fewshot(Blobs(0.05), samples(1), method="tuned_cache"), samples(5, start=5000)) == 1.0


def test_the_cache_is_the_formula() -> None:
    model = fewshot(Blobs(), samples(2), method="cache")
    f = torch.from_numpy(Blobs().embed(samples(1, start=9000)))
    keys = torch.from_numpy(Blobs().embed(samples(2)))
    names = torch.from_numpy(Blobs().embed([Sample(c, {"text": c}) for c in CLASSES]))
    one_hot = F.one_hot(torch.arange(6).repeat_interleave(2), 6).float()
    torch.testing.assert_close(model.logits(f), 100 * f @ names.T + 1.17 * torch.exp(-(1 - f @ keys.T)) @ one_hot)


def test_choices_may_be_some_of_the_classes() -> None:
    scores = fewshot(Blobs(), samples(3)).score(samples(1, start=7000), ("blue", "red"))
    assert scores.shape == (6, 2) and scores[2, 0] > scores[2, 1] and scores[0, 1] > scores[0, 0]


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        fewshot(Blobs(), [])
    with pytest.raises(ValueError, match="'x' has no target"):
        fewshot(Blobs(), [Sample("x", {"text": "red 1"})])
    with pytest.raises(ValueError, match="prototypes"):
        fewshot(Blobs(), samples(1), method="prototype")
    with pytest.raises(ValueError, match="no example of 'pink'"):
        fewshot(Blobs(), samples(1)).score(samples(1), ["pink"])
    blind = Blobs()
    blind.aligned_space = False
    with pytest.raises(ValueError, match="no space that words share"):
        fewshot(blind, samples(1), method="cache")


def test_episodes_have_an_interval() -> None:
    data = Dataset("colours", samples(20), "f")
    found = episode_accuracy(Blobs(1.0), data, way=3, shot=2, queries=5, episodes=100)
    assert found.low < found.value < found.high < 1 and found.n == 100 and found.unit == "episode"
    sd = found.items.std(ddof=1)
    assert found.high - found.value == pytest.approx(1.959964 * sd / 10, rel=1e-4)
    more = episode_accuracy(Blobs(1.0), data, way=3, shot=10, queries=5, episodes=100)
    assert more.value > found.value
    assert episode_accuracy(Blobs(1.0), data, way=3, shot=2, queries=5, episodes=100).value == found.value
    cached = episode_accuracy(Blobs(1.0), data, way=3, shot=2, queries=5, episodes=100, method="cache")
    assert cached.value > found.value  # the words know the classes' directions
    with pytest.raises(ValueError, match="6 classes with at least 16 samples, an episode needs 7"):
        episode_accuracy(Blobs(), data, way=7)


def test_prototype_logits_are_minus_squared_distances() -> None:
    a, b = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)), torch.randn(2, 4)
    torch.testing.assert_close(episodic.prototype_logits(a, b), -torch.cdist(a, b).square(), atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match=r"3 classes .* \[1, 0, 1\]"):
        episodic.prototypes(torch.zeros(2, 4), torch.tensor([0, 2]), 3)


def test_maml_differentiates_through_its_steps() -> None:
    """For loss (w - c)² one inner step gives w' = w - 2 lr (w - c), so d(w' - e)²/dw = 2 (w' - e)(1 - 2 lr)."""
    net = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        net.weight.fill_(3.0)
    one = torch.ones(1, 1)
    for first_order, factor in ((False, 1 - 2 * 0.1), (True, 1.0)):
        net.zero_grad()
        fast = episodic.adapted(net, lambda call: (call(one) - 1).square().sum(), lr=0.1, first_order=first_order)
        assert float(fast["weight"].detach()) == pytest.approx(3 - 0.1 * 2 * 2)
        (episodic.called_with(net, fast)(one) - 5).square().sum().backward()
        assert float(net.weight.grad) == pytest.approx(2 * (2.6 - 5) * factor, rel=1e-5)


def test_maml_learns_to_learn() -> None:
    """After meta-training, one step on a new line y = a x fits better than one step from the start did."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    generator = torch.Generator().manual_seed(1)

    def task_loss(a: float, x: torch.Tensor):
        return lambda call: (call(x) - a * x).square().mean()

    def after_one_step() -> float:
        costs = []
        for a in (-1.5, 0.5, 1.5):
            x, new = torch.linspace(-1, 1, 10)[:, None], torch.linspace(-0.9, 0.9, 7)[:, None]
            fast = episodic.adapted(net, task_loss(a, x), lr=0.1)
            costs.append(float(task_loss(a, new)(episodic.called_with(net, fast)).detach()))
        return float(np.mean(costs))

    before = after_one_step()
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        for _ in range(4):
            a = float(torch.rand(1, generator=generator)) * 4 - 2
            x, new = torch.rand(2, 10, 1, generator=generator) * 2 - 1
            fast = episodic.adapted(net, task_loss(a, x), lr=0.1)
            task_loss(a, new)(episodic.called_with(net, fast)).backward()
        optimiser.step()
    assert after_one_step() < 0.5 * before
    assert math.isfinite(before)
