"""Answers and search over a model whose space is known: three axes, one per colour."""

from __future__ import annotations

import numpy as np
import pytest

from assay.serving.answer import answer
from assay.serving.search import search
from assay.types import MediaError, Sample

COLOURS = ("red", "green", "blue")


class Picture:
    """A picture of one colour, or a broken one."""

    modality = "image"

    def __init__(self, colour):
        self.colour, self.source = colour, f"{colour}.png"

    def load(self):
        if self.colour not in COLOURS:
            raise MediaError(f"{self.source}: not a picture")
        return np.full((1, 1, 3), COLOURS.index(self.colour), np.uint8)


class Axes:
    """Embeds a colour as its axis; scores choices by the same."""

    name, fingerprint, modalities = "axes", "0", frozenset({"text", "image"})
    aligned_space, classes = True, ()

    def embed(self, samples, modality=None):
        rows = []
        for sample in samples:
            given = sample.inputs[modality] if modality else next(iter(sample.inputs.values()))
            colour = given if isinstance(given, str) else COLOURS[int(given.load()[0, 0, 0])]
            rows.append([float(colour == c) for c in COLOURS])
        return np.array(rows, np.float32)

    def score(self, samples, choices):
        right = self.embed(samples) @ self.embed([Sample(c, {"text": c}) for c in choices], "text").T
        return np.log(np.where(right > 0, 0.8, 0.2 / (len(choices) - 1))).astype(np.float32)


def test_the_nearest_name_and_the_likeliest_class_come_first():
    got = answer(Axes(), Sample("q", {"image": Picture("green")}), choices=COLOURS, names=COLOURS, k=2)
    assert got.names[0].label == "green" and got.names[0].score == pytest.approx(1)
    assert got.classes[0].label == "green" and got.classes[0].score == pytest.approx(0.8)
    assert len(got.names) == 2 and got.sentence == "green, green (80%)"


def test_what_the_model_cannot_take_is_said():
    got = answer(Axes(), Sample("q", {"text": "red", "audio": Picture("red")}), names=COLOURS)
    assert got.given == ("text",) and got.ignored == ("audio",)


def test_nothing_that_the_model_takes_is_an_error():
    with pytest.raises(ValueError, match="takes image, text"):
        answer(Axes(), Sample("q", {"audio": Picture("red")}), names=COLOURS)


def test_search_finds_by_words_and_reports_the_broken():
    samples = [Sample(f"{c}-{i}", {"image": Picture(c)}) for c in (*COLOURS, "torn") for i in range(2)]
    found = search(Axes(), samples, Sample("q", {"text": "blue"}), k=3)
    assert [h.sample.id for h in found.hits[:2]] == ["blue-0", "blue-1"]
    assert [name for name, _ in found.broken] == ["torn-0", "torn-1"]
    assert "torn.png" in found.broken[0][1]


def test_search_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="not audio"):
        search(Axes(), [], Sample("q", {"text": "red"}), among="audio")
    with pytest.raises(ValueError, match="no sample"):
        search(Axes(), [], Sample("q", {"text": "red"}))
    apart = Axes()
    apart.aligned_space = False
    with pytest.raises(ValueError, match="no space"):
        search(apart, [Sample("a", {"image": Picture("red")})], Sample("q", {"text": "red"}))


def test_a_choice_that_is_given_twice_is_refused():
    with pytest.raises(ValueError, match="'red' is given twice"):
        answer(Axes(), Sample("s", {"text": "red"}), choices=("red", "blue", "red"))
