"""Summaries, checks and contact sheets."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from assay.data import bundled, encode
from assay.data.contact_sheet import CELL_PX, contact_sheet
from assay.data.dataset import Dataset
from assay.data.media import Audio, Image, Video
from assay.data.summary import Broken, Overlap, check, describe
from assay.types import Sample

RED, BLUE = (np.full((8, 8, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 0, 255)))
TONE = np.sin(np.arange(4000) / 9).astype(np.float32)


def dataset(*samples: Sample) -> Dataset:
    return Dataset("d", samples, "f", licence="MIT", source="here")


def test_a_summary_counts() -> None:
    summary = describe(
        dataset(
            Sample("a", {"text": "one two", "image": Image(RED)}, "x", (), {"split": "train", "style": "s"}),
            Sample("b", {"text": "one", "audio": Audio(TONE, given_rate_hz=8000)}, "x", (), {"split": "test"}),
            Sample("b", {"image": Image(BLUE)}, None, (), {"split": "test"}),
        )
    )
    assert summary.samples == 3 and summary.modalities == {"text": 2, "image": 2, "audio": 1}
    assert summary.groups == {"split": {"test": 2, "train": 1}, "style": {"s": 1}} and summary.targets == {"x": 2}
    assert summary.text_words is not None and (summary.text_words.least, summary.text_words.most) == (1, 2)
    assert summary.duplicate_ids == ("b",) and summary.licence == "MIT"


def test_a_check_lists_what_is_broken_by_name_and_reason() -> None:
    half = Image(RED).bytes_and_mime()[0][:40]
    found = check(
        dataset(
            Sample("whole", {"image": Image(RED), "text": "red"}),
            Sample("half", {"image": Image(half, "half.png"), "text": "red"}),
            Sample("blank", {"text": ""}),
            Sample("nothing", {}),
            Sample("deaf", {"audio": Audio(b"RIFF", "deaf.wav")}),
        )
    )
    assert not found.sound
    assert [(b.sample, b.modality) for b in found.broken] == [
        ("half", "image"), ("blank", "text"), ("nothing", "none"), ("deaf", "audio"),
    ]  # fmt: skip
    assert found.broken[0].reason.startswith("half.png: cannot be decoded")
    assert Broken("blank", "text", "is blank") in found.broken


def test_a_check_finds_the_same_picture_under_two_names_and_across_splits() -> None:
    def sample(name: str, pixels: np.ndarray, target: str, split: str) -> Sample:
        return Sample(name, {"image": Image(pixels)}, target, (), {"split": split, "family": target, "concept": target})

    found = check(
        dataset(
            sample("a", RED, "red", "train"),
            sample("b", RED.copy(), "rot", "train"),
            sample("c", BLUE, "blue", "train"),
            sample("d", BLUE.copy(), "blue", "test"),
        )
    )
    assert found.sound and found.same_pictures == (("a", "b"),)
    assert set(found.overlaps) == {
        Overlap("family", ("train", "test"), 1, "blue"),
        Overlap("picture", ("train", "test"), 1, "c"),
    }


def test_the_bundled_data_are_sound() -> None:
    for name in ("emoji:validation", "digits:test"):
        data = bundled.load(name)
        done: list[int] = []
        found = check(data, progress=done.append)
        assert found.sound and done[-1] == len(data)
        assert describe(data).duplicate_ids == ()


def test_a_contact_sheet_shows_every_kind_of_sample() -> None:
    film = Video(encode.animated_webp(np.stack([RED, BLUE]), 5))
    sheet = contact_sheet(
        dataset(
            Sample("a", {"image": Image(RED), "text": "red"}, "colour"),
            Sample(
                "b",
                {"audio": Audio(TONE, given_rate_hz=8000), "text": "красный"},
                "sound",
                ("red",),
                {"language": "ru"},
            ),
            Sample("c", {"video": film}, "film"),
            Sample("d", {"text": "words alone"}),
            Sample("e", {"image": Image(b"broken")}),
        ),
        columns=3,
    )
    picture = np.asarray(Pillow.open(io.BytesIO(sheet)))
    assert picture.shape == (2 * CELL_PX, 3 * CELL_PX, 3)
    assert picture[40, CELL_PX // 2].tolist() == [255, 0, 0]
    assert abs(picture[40, 2 * CELL_PX + CELL_PX // 2].astype(int) - [0, 0, 255]).max() < 10
    assert (picture[CELL_PX : CELL_PX + 70, CELL_PX : 2 * CELL_PX] != 255).any()


def test_a_contact_sheet_is_spread_over_the_data() -> None:
    data = bundled.load("digits:test")
    width, height = Pillow.open(io.BytesIO(contact_sheet(data, n=23, columns=10))).size
    assert (width, height) == (10 * CELL_PX, 3 * CELL_PX)
    with pytest.raises(ValueError, match="needs samples"):
        contact_sheet(dataset())
    with pytest.raises(ValueError, match="n and columns"):
        contact_sheet(data, n=0)
