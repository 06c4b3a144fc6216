"""The data sets that come with the package, by name: no download, no network."""

from __future__ import annotations

from assay.catalog import nearest
from assay.data.bundled.bundle import Bundle
from assay.data.bundled.digits import DIGITS
from assay.data.bundled.easy_vqa import EASY_VQA
from assay.data.bundled.emoji import EMOJI
from assay.data.dataset import Dataset

BUNDLES: dict[str, Bundle] = {"emoji": EMOJI, "easy-vqa": EASY_VQA, "digits": DIGITS}
ALL = "all"


def names() -> dict[str, str]:
    """Every bundled data set and what it is in one line.

    >>> sorted(names())
    ['digits', 'easy-vqa', 'emoji']
    """
    return {name: bundle.summary for name, bundle in BUNDLES.items()}


def splits(name: str) -> dict[str, str]:
    """The splits of a bundled data set and what each is in one line. Raises `ValueError` for an unknown name."""
    return dict(_bundle(name).splits)


def load(name: str, split: str | None = None) -> Dataset:
    """A bundled data set: one split, ``all`` of them, or (``None``) those it is measured by.

    ``name`` may hold the split: ``emoji:test-concepts``. Bytes are decoded when a medium is loaded.
    Raises `ValueError` for an unknown name or split.

    >>> load("digits:test").modalities
    ('image',)
    """
    if split is None and ":" in name:
        name, split = name.split(":", 1)
    bundle = _bundle(name)
    if split is None:
        return bundle.read(bundle.default, name)
    if split == ALL:
        return bundle.read(tuple(bundle.splits), f"{name}:{ALL}")
    if split not in bundle.splits:
        raise ValueError(f"unknown split {split!r} of {name}: {nearest(split, (*bundle.splits, ALL))}")
    return bundle.read((split,), f"{name}:{split}")


def _bundle(name: str) -> Bundle:
    if name not in BUNDLES:
        raise ValueError(f"unknown bundled data set {name!r}: {nearest(name, BUNDLES)}")
    return BUNDLES[name]
