"""The data sets that come with the package, by name: no download, no network."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from types import ModuleType

from assay.data.bundled import digits, easy_vqa, emoji
from assay.data.dataset import Dataset

SETS: dict[str, ModuleType] = {"emoji": emoji, "easy-vqa": easy_vqa, "digits": digits}
ALL = "all"


def names() -> dict[str, str]:
    """Every bundled data set and what it is in one line.

    >>> sorted(names())
    ['digits', 'easy-vqa', 'emoji']
    """
    return {name: module.SUMMARY for name, module in SETS.items()}


def splits(name: str) -> dict[str, str]:
    """The splits of a bundled data set and what each is in one line. Raises `ValueError` for an unknown name."""
    return dict(_module(name).SPLITS)


def load(name: str, split: str | None = None) -> Dataset:
    """A bundled data set: one split, ``all`` of them, or (``None``) those it is measured by.

    ``name`` may hold the split: ``emoji:test-concepts``. Bytes are decoded when a medium is loaded.
    Raises `ValueError` for an unknown name or split.

    >>> load("digits:test").modalities
    ('image',)
    """
    if split is None and ":" in name:
        name, split = name.split(":", 1)
    module = _module(name)
    if split is None:
        return module.load(module.DEFAULT, name)
    if split == ALL:
        return module.load(tuple(module.SPLITS), f"{name}:{ALL}")
    if split not in module.SPLITS:
        raise ValueError(_unknown(f"split of {name}", split, (*module.SPLITS, ALL)))
    return module.load((split,), f"{name}:{split}")


def _module(name: str) -> ModuleType:
    if name not in SETS:
        raise ValueError(_unknown("bundled data set", name, SETS))
    return SETS[name]


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return f"unknown {what}: {name!r}; {hint}known: {', '.join(known)}"
