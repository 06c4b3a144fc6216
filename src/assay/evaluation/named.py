"""Conditions by their names, on a task's data: what ``--conditions`` takes.

``clean``, ``again``; ``drop:M``, ``only:M``, ``shuffle:M`` (``@2`` … further draws), ``constant:M`` (``@2``: black),
``noise:M``, where ``M`` is a modality or several joined by ``+``; ``constant:all``; a change that keeps the meaning
(``recase:text``, ``nudge:image`` …); ``substitute:text@image``. Under its name a condition is the same whoever asks for it.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from assay.catalog import nearest
from assay.data.transforms import cross, cross_donors, cross_fill, cross_render
from assay.data.transforms.noisy import SEVERITIES, noisy
from assay.data.transforms.same import KINDS, same
from assay.evaluation.task import Task
from assay.stats.streams import stream
from assay.types import CLEAN, MODALITIES, Condition, Sample

AGAIN = "again"
EVERYTHING = "all"
CHANNELS = ("image", "audio")


def names() -> tuple[str, ...]:
    """The names that take one modality, with every modality that they can take."""
    plain = [f"{kind}:{m}" for kind in ("shuffle", "constant", "noise") for m in MODALITIES]
    changes = [f"{kind}:{m}" for m, kinds in KINDS.items() for kind in kinds]
    channels = [f"substitute:text@{m}" for m in CHANNELS]
    return (*cross.known_names(), AGAIN, f"constant:{EVERYTHING}", *plain, *changes, *channels)


def named_condition(name: str, task: Task, *, seed: int = 0) -> Condition:
    """The condition of a name on a task's data. An unknown one is a `ValueError` with its neighbours.

    Further draws and levels follow the name: ``shuffle:image@3``.
    """
    kind, _, rest = name.partition(":")
    where, _, level = rest.partition("@")
    modalities = tuple(where.split("+"))
    known = bool(where) and all(m in MODALITIES for m in modalities)
    if name == AGAIN:
        return Condition(AGAIN)
    if name == CLEAN.name or kind in ("drop", "only"):
        return cross.condition(name)
    if kind == "shuffle" and known and (not level or level.isdecimal()):
        rngs = {m: stream(seed, "probe", "shuffle", m, level or "1") for m in modalities}
        units = [task.unit_of(sample) for sample in task.dataset.samples]
        return cross_donors.shuffle(task.dataset.samples, rngs, name=name, groups=units)
    if kind == "constant" and (known or where == EVERYTHING) and level in ("", "2"):
        chosen = MODALITIES if where == EVERYTHING else modalities
        return cross_fill.constant(chosen, level="black" if level else "grey", name=name)
    if kind == "noise" and known and len(modalities) == 1 and level in ("", *map(str, SEVERITIES)):
        return with_noise(where, int(level), seed) if level else cross_fill.noise(where, name=name)
    if kind in KINDS.get(where, ()) and not level:
        return same(kind, where)
    if kind == "substitute" and where == "text" and level in CHANNELS:
        return cross_render.substitute(level)
    raise ValueError(f"unknown condition {name!r}: {nearest(name, names())}")


def with_noise(modality: str, severity: int, seed: int) -> Condition:
    """Noise of a severity in one modality, the same draws at every severity."""
    transform = partial(drawn_alike, modality=modality, severity=severity, seed=seed)
    return Condition(f"noise:{modality}@{severity}", transform)


def drawn_alike(sample: Sample, rng: np.random.Generator, *, modality: str, severity: int, seed: int) -> Sample:
    """The sample with noise drawn by a generator of its own, which does not know the severity."""
    return noisy(sample, stream(seed, "noise", modality, sample.id), modality=modality, severity=severity)
