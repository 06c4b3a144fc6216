"""The conditions that probes share, under the names by which their answers are shared.

``drop:M`` and ``only:M``: a modality not shown, or alone. ``shuffle:M`` (``@2``, ``@3`` … further draws): from another sample;
``constant:M`` (grey) and ``constant:M@2`` (black); ``noise:M``. Several modalities are joined by ``+``.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.data.transforms import cross, cross_donors, cross_fill
from assay.probes.probe import Subject
from assay.types import MODALITIES, Condition


def joined(modalities: Sequence[str]) -> str:
    """Modalities in a condition's name, in their order.

    >>> joined(("image", "text"))
    'text+image'
    """
    return "+".join(m for m in MODALITIES if m in modalities)


def drop(*modalities: str) -> Condition:
    """Some modalities not shown."""
    return cross.drop(*modalities)


def shuffled_name(modalities: Sequence[str], draw: int = 1) -> str:
    """The name of a draw of `shuffled`."""
    return f"shuffle:{joined(modalities)}" + ("" if draw == 1 else f"@{draw}")


def shuffled(subject: Subject, modalities: Sequence[str], draw: int = 1) -> Condition:
    """Each of some modalities from a sample of another unit, each from one of its own.

    Within a draw a modality comes from the same sample whatever else is shuffled, so that a model that does not use it answers the same.
    """
    rngs = {modality: subject.rng("shuffle", modality, str(draw)) for modality in modalities}
    name = shuffled_name(modalities, draw)
    return cross_donors.shuffle(subject.samples, rngs, name=name, groups=subject.units)


def constant(modalities: Sequence[str], level: int = 1) -> Condition:
    """Some modalities constant: grey (1) or black (2) pictures, silence, no words."""
    name = f"constant:{joined(modalities)}" + ("" if level == 1 else f"@{level}")
    return cross_fill.constant(modalities, level="grey" if level == 1 else "black", name=name)


OPTIONS_ONLY = "constant:all"


def options_only() -> Condition:
    """All that a sample holds constant: what is left to answer by are the options."""
    return cross_fill.constant(MODALITIES, name=OPTIONS_ONLY)
