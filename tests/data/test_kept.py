"""Decoded media are kept within a bound, read-only, and never mixed up."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from assay.data import encode
from assay.data.kept import Kept
from assay.data.media import Image
from assay.types import MediaError


def test_what_was_used_longest_ago_goes_first():
    kept, made = Kept(limit_bytes=200), []

    def get(name):
        return kept.get(name, lambda: (made.append(name), np.zeros(100, np.uint8))[1])

    for name in "abacab":
        get(name)
    assert made == ["a", "b", "c", "b"]
    assert kept.bytes == 200 and len(kept.arrays) == 2


def test_what_is_larger_than_the_bound_is_given_but_not_kept():
    kept = Kept(limit_bytes=10)
    assert len(kept.get("a", lambda: np.zeros(100, np.uint8))) == 100
    assert kept.bytes == 0 and not kept.arrays


def test_a_picture_is_decoded_once_and_cannot_be_changed(monkeypatch):
    data = encode.png(np.full((2, 2, 3), 7, np.uint8))
    first, second = (Image(data, name, kept=kept) for kept in [Kept()] for name in ("one", "two"))
    array = first.load()
    assert first.load() is array and second.load() is not array
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


def test_a_broken_picture_stays_broken():
    torn = Image(b"not a picture", "torn", kept=Kept())
    for _ in range(2):
        with pytest.raises(MediaError, match="torn"):
            torn.load()


def test_a_copy_for_another_process_starts_empty():
    kept = Kept(50)
    kept.get("a", lambda: np.zeros(10, np.uint8))
    copy = pickle.loads(pickle.dumps(kept))
    assert copy.limit_bytes == 50 and not copy.arrays


def test_what_cannot_be_decoded_is_tried_once():
    kept, tries = Kept(), []

    def decode():
        tries.append(1)
        raise MediaError("x.png: is broken")

    for _ in range(3):
        with pytest.raises(MediaError, match="x.png: is broken"):
            kept.get("x", decode)
    assert len(tries) == 1
