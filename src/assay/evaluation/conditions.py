"""Which samples a condition is asked of.

A condition's name is ``kind``, ``kind:modality`` or ``kind:modality@severity``; several modalities are joined by ``+``. One
that names modalities concerns only samples that hold them (and models that take them); ``only`` leaves these, ``drop``
takes them away, any other changes them. What a sample or a model lacks is declared absent: it is not planned, so it
cannot be missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.data.dataset import Dataset
from assay.data.transforms import cross
from assay.types import CLEAN, MODALITIES, Condition, Sample


def named_modalities(condition: str) -> frozenset[str]:
    """The modalities that a condition is about; none if it is about no modality in particular.

    >>> sorted(named_modalities("noise:image@3")), sorted(named_modalities("only:image+audio"))
    (['image'], ['audio', 'image'])
    """
    return frozenset(condition.partition(":")[2].partition("@")[0].split("+")).intersection(MODALITIES)


def left(condition: str, held: Collection[str]) -> frozenset[str]:
    """The modalities that a sample holding ``held`` shows under a condition; none if the condition does not concern it.

    >>> sorted(left("drop:audio", {"audio", "image"})), sorted(left("drop:audio", {"image"}))
    (['image'], [])
    >>> sorted(left("only:image", {"image", "text"}))
    ['image']
    """
    named = named_modalities(condition)
    if not named <= frozenset(held):
        return frozenset()
    kind = condition.partition(":")[0] if named else ""
    if kind == "only":
        return named
    return frozenset(held) - named if kind == "drop" else frozenset(held)


def alone_and_together(dataset: Dataset) -> tuple[Condition, ...]:
    """``clean``, then each modality of the data set alone and taken away, where there is more than one.

    >>> from assay.types import Sample
    >>> [c.name for c in alone_and_together(Dataset("d", [Sample("a", {"text": "x"})], "f"))]
    ['clean']
    """
    present = dataset.modalities
    if len(present) < 2:
        return (CLEAN,)
    return (CLEAN, *(cross.only(m) for m in present), *(cross.drop(m) for m in present))


def planned(conditions: Iterable[Condition], shared: Collection[str]) -> list[Condition]:
    """The conditions that mean something for a model that shares these modalities with the data."""
    several = len(shared) > 1
    return [
        condition
        for condition in conditions
        if named_modalities(condition.name) <= frozenset(shared)
        and (several or condition.name.partition(":")[0] not in ("only", "drop"))
    ]


def asked_of(samples: Sequence[Sample], condition: Condition, modalities: frozenset[str]) -> NDArray[np.intp]:
    """The indices of the samples that a model with these modalities is asked about under a condition."""
    chosen = concerned(samples, condition.name, modalities)
    if condition.samples is None:
        return chosen
    return np.array([index for index in chosen.tolist() if samples[index].id in condition.samples], dtype=np.intp)


def concerned(samples: Sequence[Sample], condition: str, modalities: frozenset[str]) -> NDArray[np.intp]:
    """The indices of the samples that show something to a model with these modalities under a condition of this name."""
    verdicts: dict[tuple[str, ...], bool] = {}
    chosen = []
    for index, sample in enumerate(samples):
        held = sample.modalities
        if held not in verdicts:
            verdicts[held] = bool(left(condition, modalities.intersection(held)))
        if verdicts[held]:
            chosen.append(index)
    return np.array(chosen, dtype=np.intp)
