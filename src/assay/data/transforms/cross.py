"""Transforms that concern whole modalities: one taken away, or all but some.

A condition's name says what it does and can be read back: ``drop:audio``, ``only:image``, ``only:image+audio``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from assay.catalog import nearest
from assay.types import CLEAN, MODALITIES, Condition, Sample

DROP, ONLY = "drop:", "only:"


def drop(*modalities: str) -> Condition:
    """The condition under which some modalities are not shown. Raises `ValueError` for an unknown modality.

    >>> drop("text").transform(Sample("a", {"text": "x"}), np.random.default_rng(0)).modalities
    ()
    """
    _known(modalities)
    dropped = tuple(m for m in MODALITIES if m in modalities)
    return Condition(DROP + "+".join(dropped), partial(without, modalities=dropped))


def only(*modalities: str) -> Condition:
    """The condition under which nothing but some modalities is shown. Raises `ValueError` for an unknown modality.

    >>> only("audio", "image").name
    'only:image+audio'
    """
    _known(modalities)
    kept = tuple(m for m in MODALITIES if m in modalities)
    return Condition(ONLY + "+".join(kept), partial(keeping, modalities=kept))


def without(sample: Sample, rng: np.random.Generator, modalities: tuple[str, ...]) -> Sample:
    """The sample without some modalities. The generator is not used."""
    return sample.with_inputs({m: content for m, content in sample.inputs.items() if m not in modalities})


def keeping(sample: Sample, rng: np.random.Generator, modalities: tuple[str, ...]) -> Sample:
    """The sample with some modalities alone. The generator is not used."""
    return sample.with_inputs({m: content for m, content in sample.inputs.items() if m in modalities})


def condition(name: str) -> Condition:
    """The condition of a name. Raises `ValueError` for a name that this module does not give.

    >>> condition("drop:image").name, condition("clean").name
    ('drop:image', 'clean')
    """
    if name == CLEAN.name:
        return CLEAN
    if name.startswith(DROP):
        return drop(*name.removeprefix(DROP).split("+"))
    if name.startswith(ONLY):
        return only(*name.removeprefix(ONLY).split("+"))
    raise ValueError(f"unknown condition {name!r}: {nearest(name, known_names())}")


def known_names() -> tuple[str, ...]:
    """``clean`` and the conditions that name one modality (`only` takes several, joined by ``+``)."""
    return (CLEAN.name, *(kind + modality for kind in (DROP, ONLY) for modality in MODALITIES))


def applies(condition: Condition, sample: Sample) -> bool:
    """Whether a sample can be asked under a condition of this module.

    It must hold every modality that the condition names, and one input must be left. A sample to which a
    condition does not apply is not planned under it: it is not counted as missing.

    >>> picture = Sample("a", {"text": "x", "image": "y"})
    >>> applies(drop("image"), picture), applies(drop("audio"), picture), applies(only("image", "audio"), picture)
    (True, False, False)
    """
    named = () if condition.name == CLEAN.name else tuple(condition.name.partition(":")[2].split("+"))
    shown = condition.transform(sample, np.random.default_rng(0))
    return bool(shown.inputs) and all(modality in sample.inputs for modality in named)


def _known(modalities: Iterable[str]) -> None:
    modalities = tuple(modalities)
    if not modalities:
        raise ValueError(f"no modality is named; there is {', '.join(MODALITIES)}")
    for modality in modalities:
        if modality not in MODALITIES:
            raise ValueError(f"unknown modality {modality!r}: {nearest(modality, MODALITIES)}")
