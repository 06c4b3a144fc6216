"""The baselines: what they can, what they refuse, and that they find what they remember."""

import numpy as np
import pytest

from assay.data.dataset import Dataset
from assay.models.baselines import BASELINES, chance, pixels, thumbnail, words
from assay.types import Embeds, HasFacts, Sample, Scores

CLASSES = ("red", "blue", "none")


class Picture:
    """A square of one colour with a spot."""

    modality, source = "image", "memory"

    def __init__(self, colour: tuple[int, int, int], spot: int) -> None:
        self.colour, self.spot = colour, spot

    def load(self) -> np.ndarray:
        picture = np.full((40, 37, 3), 255, dtype=np.uint8)
        picture[self.spot : self.spot + 12, 5:20] = self.colour
        return picture


def sample(key: str, target: str, spot: int = 0) -> Sample:
    colour = (250, 0, 0) if target == "red" else (0, 0, 250)
    return Sample(key, {"image": Picture(colour, spot), "text": f"{target} square {key}"}, target=target)


TRAIN = Dataset("toy", [sample("a", "red"), sample("b", "blue"), sample("c", "blue", 20), sample("c", "blue", 20)], "f")
TRAIN_WITH_CHOICES = Dataset("toy", TRAIN.samples, "f", choices=CLASSES)


@pytest.mark.parametrize("name", list(BASELINES))
def test_a_baseline_is_a_model(name: str) -> None:
    model = BASELINES[name](TRAIN)
    assert isinstance(model, Embeds) and isinstance(model, Scores) and isinstance(model, HasFacts)
    assert model.name == f"baseline:{name}" and len(model.fingerprint) == 64
    scores = model.score(TRAIN.samples, ("red", "blue"))
    assert scores.shape == (4, 2) and scores.dtype == np.float32
    np.testing.assert_allclose(np.exp(scores).sum(1), 1, atol=1e-5)
    assert model.score([], ("red", "blue")).shape == (0, 2)
    embedded = model.embed(TRAIN.samples, "text")
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-5)


def test_other_data_has_another_fingerprint() -> None:
    other = Dataset("toy", TRAIN.samples, "g")
    assert len({chance(TRAIN).fingerprint, chance(other).fingerprint, pixels(TRAIN).fingerprint}) == 3


def test_chance_depends_on_the_id_alone() -> None:
    model = chance(TRAIN)
    bare = Sample("a", {})
    assert np.array_equal(model.score([bare], CLASSES), model.score([TRAIN.samples[0]], CLASSES))
    assert not np.array_equal(model.embed([bare], "text"), model.embed([bare], "image"))


def test_pixels_finds_the_picture_it_remembers() -> None:
    model = pixels(TRAIN)
    assert len(model.labels) == 3
    assert model.score(TRAIN.samples, ("blue", "red")).argmax(1).tolist() == [1, 0, 0, 0]
    similar = model.embed(TRAIN.samples[:3], "image") @ model.embed(TRAIN.samples[:3], "text").T
    assert similar.argmax(1).tolist() == [0, 1, 2]


def test_pixels_without_a_picture_does_not_pretend() -> None:
    model = pixels(TRAIN)
    blind = Sample("x", {"text": "red"})
    np.testing.assert_allclose(np.exp(model.score([blind], ("red", "blue"))), 0.5)
    with pytest.raises(ValueError, match="'x' has none"):
        model.embed([blind], "image")


def test_words_are_counted_as_naive_bayes_counts_them() -> None:
    model = words(TRAIN_WITH_CHOICES)
    # Seven words in all: a, b, c, red, blue, square. "red" class: red square a; blue: b, c, c.
    vocabulary = len(model.vocabulary)
    assert vocabulary == 6
    red = np.log(2 / 7) + np.log(2 / (3 + vocabulary))
    blue = np.log(4 / 7) + np.log(1 / (9 + vocabulary))
    none = np.log(1 / 7) + np.log(1 / vocabulary)
    expected = np.array([red, blue, none]) - np.logaddexp.reduce([red, blue, none])
    scores = model.score([Sample("x", {"text": "Red, unheard"})], CLASSES)
    np.testing.assert_allclose(scores[0], expected, atol=1e-5)


def test_words_refuses_pictures() -> None:
    with pytest.raises(ValueError, match="texts alone"):
        words(TRAIN).embed(TRAIN.samples, "image")


def test_unknown_classes_tell_the_nearest() -> None:
    for fit in (pixels, words):
        with pytest.raises(ValueError, match="blue"):
            fit(TRAIN).score(TRAIN.samples, ("blu",))


def test_data_that_cannot_be_learnt_from_is_told() -> None:
    blind = Dataset("blind", [Sample("a", {"text": "x"}, target="red")], "f")
    mute = Dataset("mute", [Sample("a", {"image": Picture((0, 0, 0), 0)}, target="red")], "f")
    with pytest.raises(ValueError, match="needs pictures; blind holds text"):
        pixels(blind)
    with pytest.raises(ValueError, match="needs texts; mute holds image"):
        words(mute)


def test_thumbnails_are_the_means_of_cells() -> None:
    picture = Picture((10, 20, 30), 0)
    pixels_of = picture.load().astype(np.float64) / 255
    rows, columns = np.linspace(0, 40, 9).astype(int), np.linspace(0, 37, 9).astype(int)
    cell = pixels_of[rows[2] : rows[3], columns[1] : columns[2]].mean((0, 1))
    cells = thumbnail(picture).reshape(8, 8, 3)
    whole = np.array(
        [
            [pixels_of[rows[i] : rows[i + 1], columns[j] : columns[j + 1]].mean((0, 1)) for j in range(8)]
            for i in range(8)
        ]
    )
    np.testing.assert_allclose(cells[2, 1], cell - whole.mean((0, 1)), atol=1e-5)
