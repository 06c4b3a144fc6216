"""Conditions that drop a modality or leave some."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from assay.data.transforms import cross
from assay.types import CLEAN, MODALITIES, Sample

RNG = np.random.default_rng(0)
FULL = Sample("a", {m: m for m in MODALITIES}, "target", ("reference",), {"g": "v"})


@pytest.mark.parametrize("modality", MODALITIES)
def test_drop_and_only_part_a_sample(modality: str) -> None:
    dropped = cross.drop(modality).transform(FULL, RNG)
    kept = cross.only(modality).transform(FULL, RNG)
    assert {**dropped.inputs, **kept.inputs} == FULL.inputs
    assert kept.modalities == (modality,) and modality not in dropped.inputs
    for changed in (dropped, kept):
        assert (changed.id, changed.target, changed.references, changed.groups) == (
            "a",
            "target",
            ("reference",),
            {"g": "v"},
        )
    assert FULL.modalities == MODALITIES


def test_names_read_back() -> None:
    for name in (*cross.known_names(), "only:text+video"):
        condition = cross.condition(name)
        assert condition.name == name
        again = pickle.loads(pickle.dumps(condition))  # conditions travel to other processes
        assert again.transform(FULL, RNG).inputs == condition.transform(FULL, RNG).inputs
    assert cross.only("video", "text").name == "only:text+video"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("drop:imgae", "image"),
        ("only:sound", "text"),
        ("dorp:image", "drop:image"),
        ("only:", "text"),
        ("only:text+", "text"),
    ],
)
def test_unknown_names_tell_their_neighbours(name: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=nearest):
        cross.condition(name)


def test_a_condition_applies_to_what_holds_its_modality_and_keeps_an_input() -> None:
    picture, both = Sample("p", {"image": "x"}), Sample("b", {"image": "x", "text": "y"})
    assert cross.applies(CLEAN, picture) and not cross.applies(CLEAN, Sample("e", {}))
    assert cross.applies(cross.only("image"), picture) and not cross.applies(cross.only("text"), picture)
    assert not cross.applies(cross.drop("image"), picture) and cross.applies(cross.drop("image"), both)
    assert not cross.applies(cross.drop("audio"), both)
