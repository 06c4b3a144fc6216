"""Edits with a contract: a planted spurious cause and a planted bias are found, and an honest model passes."""

from __future__ import annotations

import numpy as np
import pytest
from probe_truths import probed

from assay import verbs
from assay.data.dataset import Dataset
from assay.data.media import Image
from assay.data.transforms.negate import negated
from assay.types import Sample

SHAPES, SHADES = ("bar", "box"), ("dark", "light")


def picture(shape: str, shade: str, seed: int) -> Image:
    pixels = np.full((12, 12, 3), 40 + 60 * (shade == "light"), np.uint8)
    pixels[4:8, (2 if shape == "bar" else 4) : (10 if shape == "bar" else 8)] = 250
    pixels[0, 0] = seed % 250
    return Image(pixels)


def twins(n: int = 60) -> Dataset:
    """Families of four: both shapes in both shades. The shape is the class; the shade should not matter."""
    samples = [
        Sample(
            f"{i}-{shape}-{shade}",
            {"image": picture(shape, shade, i)},
            shape,
            groups={"twin": str(i), "shape": shape, "shade": shade},
        )
        for i in range(n)
        for shape in SHAPES
        for shade in SHADES
    ]
    return Dataset("twins", samples, f"twins-{n}", choices=SHAPES, slices=("shape", "shade"))


def width(sample: Sample) -> str:
    return "bar" if (sample.inputs["image"].load()[6] == 250).all(axis=1).sum() > 6 else "box"


def shade(sample: Sample) -> str:
    return "light" if sample.inputs["image"].load()[11, 11, 0] > 70 else "dark"


def honest(samples, choices=None):
    return [width(sample) for sample in samples]


def spurious(samples, choices=None):
    return ["bar" if shade(sample) == "light" else "box" for sample in samples]


def biased(samples, choices=None):
    """Right, but for a quarter of the light ones, which it always calls box."""
    return ["box" if shade(s) == "light" and int(s.id.split("-")[0]) % 4 == 0 else width(s) for s in samples]


def test_an_honest_model_keeps_every_contract():
    found = probed(honest, twins(), "causal")
    assert found["invariance", "attribute=shade"].value == 1.0
    assert found["sensitivity", "attribute=shape"].value == 1.0
    assert found["directional_error", "attribute=shape"].value == 0.0
    assert found["counterfactual_accuracy", "attribute=shape & contract=change"].value == 1.0
    assert found["specificity", "all"].value == 1.0
    assert found["ate", "attribute=shade & edit=dark->light"].value == 0.0


def test_a_planted_spurious_cause_is_found():
    found = probed(spurious, twins(), "causal")
    assert found["causal_effect", "attribute=shade & contract=stay"].value == 1.0
    assert found["causal_effect", "attribute=shape & contract=change"].value == 0.0
    assert found["invariance", "attribute=shade"].value == found["sensitivity", "attribute=shape"].value == 0.0
    assert found["specificity", "all"].value == -1.0
    assert found["accuracy", "all"].value == 0.5


def test_a_planted_bias_is_found_with_its_size():
    found = probed(biased, twins(), "causal")
    effect = found["ate", "attribute=shade & edit=dark->light"]
    assert effect.value == pytest.approx(-0.125) and effect.low < -0.125 < effect.high < 0
    assert found["invariance", "attribute=shade"].value == pytest.approx(1 - 0.125)


def test_questions_turn_into_their_opposites_and_back():
    for question in (
        "is there a red shape?",
        "is there not a red shape in the image?",
        "does the image contain a circle?",
        "is no blue shape present?",
        "Are there dogs?",
        "can it fly?",
    ):
        other = negated(question)
        assert other is not None and other != question
        assert negated(other) == question
    assert negated("what is this?") is None and negated("") is None


def test_negation_is_asked_where_the_answers_are_yes_and_no():
    questions = ["is there a cat?", "is there a dog?", "what is it?"] * 8
    answers = ["yes", "no", "cat"] * 8
    samples = [
        Sample(str(i), {"text": text, "image": Image(np.zeros((2, 2, 3), np.uint8))}, target, (target,))
        for i, (text, target) in enumerate(zip(questions, answers, strict=True))
    ]
    data = Dataset("asked", samples, "asked", choices=("yes", "no", "cat"), asks="vqa")

    def deaf_to_not(samples, choices=None):
        return ["yes" if "cat?" in s.inputs["text"] else "no" if "dog" in s.inputs["text"] else "cat" for s in samples]

    run = verbs.evaluate(deaf_to_not, data, task="vqa", conditions=["clean"], probes=["causal"])
    found = {(e.metric, e.slice): e for e in run.estimates}
    assert found["sensitivity", "attribute=negation"].value == 0.0
    assert found["counterfactual_accuracy", "attribute=negation & contract=change"].value == 0.0
    assert found["sensitivity", "attribute=negation"].n == 16 and run.complete


def test_data_without_anything_to_edit_is_skipped_by_what_is_missing():
    samples = [Sample(str(i), {"text": f"t{i}"}, references=(f"t{i}",)) for i in range(4)]
    run = verbs.evaluate(
        lambda samples, choices=None: ["x"] * len(samples),
        Dataset("d", samples, "d", asks="vqa"),
        task="vqa",
        probes=["causal"],
    )
    assert "no twins" in run.manifest.skipped["causal"]
