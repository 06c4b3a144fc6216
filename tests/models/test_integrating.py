"""Integrated gradients: their parts sum to the difference between the ends of the path, on the shipped nets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

import assay
from assay.data.media import Audio, Image
from assay.explanations.explain import explain_samples
from assay.types import Sample


def clipart(height: int = 60, width: int = 90) -> np.ndarray:
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[10:50, 20:70] = (220, 40, 30)
    return pixels


def odds(model, sample: Sample, choices: tuple[str, ...], place: int) -> float:
    row = model.score([sample], choices)[0].astype(float)
    return float(row[place] - logsumexp(np.delete(row, place)))


@pytest.mark.parametrize("name", ["assay:fused", "assay:joint", "assay:aligned"])
@pytest.mark.parametrize("held", [("text", "image"), ("image",), ("text",)])
def test_parts_sum_to_the_difference_of_the_log_odds(name, held):
    model = assay.load_model(name)
    inputs = {"text": "the red apple, a fruit", "image": Image(clipart())}
    grey = {"text": "", "image": Image(np.full((60, 90, 3), 128, np.uint8))}
    sample, nothing = (Sample("a", {m: of[m] for m in held}) for of in (inputs, grey))
    choices = model.classes or ("apple", "car", "cat")
    pieces = ["the", " red", " apple,", " a", " fruit"]
    found, start = model.integrated((sample, nothing), choices, 1, grid=(7, 7), pieces=pieces)
    difference = odds(model, sample, choices, 1) - start
    assert set(found) == set(held)
    assert sum(part.sum() for part in found.values()) == pytest.approx(difference, abs=0.05 + 0.02 * abs(difference))
    if held == ("image",):  # nothing is the grey picture itself
        assert start == pytest.approx(odds(model, nothing, choices, 1), abs=1e-4)
    if "text" in held:
        assert found["text"][0] == found["text"][3] == 0  # articles, which these nets do not read


def test_a_sample_beyond_pictures_and_words_is_refused():
    sample = Sample("a", {"text": "cat", "audio": Audio(np.ones(16000, np.float32) * 0.1, given_rate_hz=16000)})
    with pytest.raises(ValueError, match="not audio"):
        explain_samples(assay.load_model("assay:fused"), [sample], method="integrated")


def test_a_model_without_gradients_is_refused():
    with pytest.raises(ValueError, match="no gradients"):
        explain_samples(
            assay.load_model(lambda samples: ["x"] * len(samples)), [Sample("a", {"text": "cat"})], method="integrated"
        )


def test_the_map_of_the_verb_sums_too():
    found = assay.explain("assay:fused", image=clipart(), text="red apple", method="integrated").samples[0]
    assert {each.grid.modality for each in found.maps} == {"text", "image"}
    assert all(np.isfinite(each.effects).all() for each in found.maps)
