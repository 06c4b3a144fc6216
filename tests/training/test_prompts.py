"""Learned words before names: what learns and what does not, classes without an example, the shipped towers on real emoji."""

import numpy as np
import pytest
import torch

import assay
from assay.training.prompts import learn_prompt
from assay.types import Embeds, Sample, Scores


@pytest.fixture(scope="module")
def aligned():
    return assay.load_model("assay:aligned")


@pytest.fixture(scope="module")
def emoji():
    """Pictures of training concepts with their subcategory as target: four for learning and others for measuring."""
    seen: dict[str, list[Sample]] = {}
    for sample in assay.load_dataset("emoji:test").samples:
        kind = sample.groups["subcategory"]
        seen.setdefault(kind, []).append(Sample(sample.id, {"image": sample.inputs["image"]}, target=kind))
    kinds = [kind for kind, own in seen.items() if len(own) >= 12][:16]
    return [s for k in kinds for s in seen[k][:4]], [s for k in kinds for s in seen[k][4:12]], kinds


def accuracy(model, samples, choices):
    guess = model.score(samples, choices).argmax(1)
    return float(np.mean([choices[i] == s.target for i, s in zip(guess, samples, strict=True)]))


@pytest.mark.parametrize("conditional", [False, True])
def test_a_few_examples_help_and_the_net_stays_as_it_was(aligned, emoji, conditional):
    support, asked, kinds = emoji
    before = {name: value.clone() for name, value in aligned.net.state_dict().items()}
    model = learn_prompt(aligned, support, conditional=conditional, epochs=12)
    assert isinstance(model, Scores) and isinstance(model, Embeds) and model.aligned_space
    assert accuracy(model, support, kinds) > accuracy(aligned, support, kinds)
    assert accuracy(model, asked, kinds) > accuracy(aligned, asked, kinds) - 0.1
    assert all(torch.equal(value, before[name]) for name, value in aligned.net.state_dict().items())
    assert all(p.grad is None for p in aligned.net.parameters())
    scores = model.score(asked[:3], ["nothing like it", *kinds[:2]])
    assert scores.shape == (3, 3) and np.allclose(np.exp(scores).sum(1), 1, atol=1e-5)
    alone = np.concatenate([model.score([s], kinds) for s in asked[:3]])
    np.testing.assert_allclose(alone, model.score(asked[:3], kinds), atol=1e-4)


def test_one_seed_one_prompt(aligned, emoji):
    support = emoji[0][:12]
    one, again, other = (learn_prompt(aligned, support, epochs=2, seed=seed) for seed in (0, 0, 1))
    assert one.fingerprint == again.fingerprint != other.fingerprint and one.name == "aligned+coop"


def test_what_cannot_be_prompted_is_told(aligned, emoji):
    support = emoji[0][:4]
    with pytest.raises(ValueError, match="fused has no space that words share"):
        learn_prompt(assay.load_model("assay:fused"), support)
    with pytest.raises(ValueError, match="at least one labelled example"):
        learn_prompt(aligned, [])
    with pytest.raises(ValueError, match="has no target"):
        learn_prompt(aligned, [Sample("x", {"text": "a"})])
    with pytest.raises(ValueError, match="has room for 1 to"):
        learn_prompt(aligned, support, words=24)
    with pytest.raises(ValueError, match="no choices"):
        learn_prompt(aligned, support, epochs=1).score(support, [])
