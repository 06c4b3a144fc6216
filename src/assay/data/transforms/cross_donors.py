"""Transforms that put another sample's content in the place of a sample's own: shuffled, swapped, in conflict.

Who gives to whom is a derangement: every sample gives once and gets once, nobody keeps its own, and (as far as the
groups allow it) nobody gets from a sample of its own group. Within strata it gives content that fits the question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.types import Condition, Media, Sample

Places = NDArray[np.intp]
Contents = Mapping[str, Media | str]


def derangement(groups: Sequence[Any], rng: np.random.Generator, *, strata: Sequence[Any] | None = None) -> Places:
    """For each place the place that gives to it, of another group (and the same stratum); -1 where there is none.

    Within a stratum it is a permutation, uniform over cyclic shifts of a random order, as long as no group holds more than half of
    it; beyond, the places that would get from their own group draw one of another at random.

    >>> donors = derangement(["a", "a", "b", "b"], np.random.default_rng(0))
    >>> sorted(donors.tolist()), [int(d) // 2 for d in donors]
    ([0, 1, 2, 3], [1, 1, 0, 0])
    """
    out = np.full(len(groups), -1, dtype=np.intp)
    members: dict[Any, list[int]] = {}
    for place in range(len(groups)):
        members.setdefault(None if strata is None else strata[place], []).append(place)
    for places in members.values():
        of = np.array(places, dtype=np.intp)
        out[of] = _within(of, [groups[place] for place in places], rng)
    return out


def _within(places: Places, groups: Sequence[Any], rng: np.random.Generator) -> Places:
    """The donors of one stratum: members of a group stand together in the order, which is shifted past the largest group."""
    numbers: dict[Any, int] = {}
    group = np.array([numbers.setdefault(one, len(numbers)) for one in groups], dtype=np.intp)
    sizes = np.bincount(group)
    if len(sizes) < 2:
        return np.full(len(places), -1, dtype=np.intp)
    order = np.lexsort((rng.permutation(len(places)), rng.permutation(len(sizes))[group]))
    largest, count = int(sizes.max()), len(places)
    shift = int(rng.integers(largest, count - largest + 1)) if 2 * largest <= count else largest
    donors = np.empty(count, dtype=np.intp)
    donors[order] = order[(np.arange(count) + shift) % count]
    for place in np.flatnonzero(group[donors] == group):
        donors[place] = rng.choice(np.flatnonzero(group != group[place]))
    return places[donors]


def shuffle(
    samples: Sequence[Sample],
    rngs: Mapping[str, np.random.Generator],
    *,
    name: str,
    groups: Sequence[Any] | None = None,
    strata: Sequence[Any] | None = None,
) -> Condition:
    """The condition under which each modality of ``rngs`` comes from another sample, drawn by its own generator.

    ``groups`` says which samples are of one thing (None: each by itself). Only samples that hold all the modalities and for which
    there is a donor are asked.
    """
    contents: dict[str, Contents] = {}
    for modality, rng in rngs.items():
        holders = [place for place, sample in enumerate(samples) if modality in sample.inputs]
        donors = derangement(
            holders if groups is None else [groups[place] for place in holders],
            rng,
            strata=None if strata is None else [strata[place] for place in holders],
        )
        contents[modality] = {
            samples[place].id: samples[holders[donor]].inputs[modality]
            for place, donor in zip(holders, donors.tolist(), strict=True)
            if donor >= 0
        }
    return Condition(name, partial(given, contents=contents), asked_of(contents))


def swap(pairs: Mapping[str, Sample], modality: str, *, name: str) -> Condition:
    """The condition under which a sample gets a modality of the sample that ``pairs`` names for its id."""
    contents = {modality: {one: donor.inputs[modality] for one, donor in pairs.items() if modality in donor.inputs}}
    return Condition(name, partial(given, contents=contents), asked_of(contents))


def asked_of(contents: Mapping[str, Contents]) -> frozenset[str]:
    """The ids for which there is content in every modality."""
    several = [frozenset(of) for of in contents.values()]
    return frozenset.intersection(*several) if several else frozenset()


def given(sample: Sample, rng: np.random.Generator, contents: Mapping[str, Contents]) -> Sample:
    """The sample with what ``contents`` holds for it in place of its own. The generator is not used."""
    new = {modality: of[sample.id] for modality, of in contents.items() if modality in sample.inputs}
    return sample.with_inputs({**sample.inputs, **new})
