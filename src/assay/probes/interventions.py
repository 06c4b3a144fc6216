"""What is changed and what should come of it: edits of an attribute, with the contract that the answer changes, or that it stays.

Twins are the data's own edits: samples that share the group ``twin`` and differ in one attribute (a group: the skin tone, the
colour) alone. If their targets differ the answer should change to the other's, else it should stay. Elsewhere an edit is a
condition: a modality from another sample of the same class (the answer should stay), a question of yes or no turned into its
opposite (it should change).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from assay.data.transforms import cross_donors
from assay.data.transforms.negate import negate
from assay.probes.probe import Subject
from assay.types import CLEAN, Condition, Sample

CHANGE, STAY = "change", "stay"
TWIN = "twin"
LABELS = ("twin", "split", "name", "concept", "part", "family")
"""Groups that tell samples apart and are no attributes."""
YES_NO = ("yes", "no")


@dataclass(frozen=True)
class Edit:
    """One sample before and after: the places of the two (the same where a condition edits it), what the answer should be after, and of
    twins the attribute's two values."""

    before: int
    after: int
    target: str
    values: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Intervention:
    """Edits of one attribute under one contract; ``condition`` is what the edited samples were asked under."""

    attribute: str
    contract: str
    condition: Condition
    edits: tuple[Edit, ...] = field(repr=False)


def interventions(subject: Subject) -> list[Intervention]:
    """All that the data allows."""
    return [one for one in (*twins(subject), *within_class(subject), *negations(subject)) if one.edits]


def twins(subject: Subject) -> Iterator[Intervention]:
    """The data's own edits, by attribute and contract."""
    families: dict[str, list[int]] = {}
    for place, sample in enumerate(subject.samples):
        if sample.groups.get(TWIN) and sample.target is not None:
            families.setdefault(sample.groups[TWIN], []).append(place)
    found: dict[tuple[str, str], list[Edit]] = {}
    for places in families.values():
        for before, after in permutations(places, 2):
            a, b = subject.samples[before], subject.samples[after]
            attribute = difference(a, b, subject.task.dataset.slices)
            if attribute:
                contract = STAY if a.target == b.target else CHANGE
                values = (a.groups.get(attribute, ""), b.groups.get(attribute, ""))
                found.setdefault((attribute, contract), []).append(Edit(before, after, str(b.target), values))
    for (attribute, contract), edits in found.items():
        yield Intervention(attribute, contract, CLEAN, tuple(edits))


def difference(a: Sample, b: Sample, slices: Sequence[str]) -> str:
    """The attribute in which two twins differ; empty where it is none or several.

    >>> a, b = (Sample(x, {}, groups={"twin": "t", "colour": x, "name": x}) for x in ("red", "blue"))
    >>> difference(a, b, ())
    'colour'
    """
    names = [n for n in (slices or tuple(dict.fromkeys([*a.groups, *b.groups]))) if n not in LABELS]
    differing = [name for name in names if a.groups.get(name) != b.groups.get(name)]
    return differing[0] if len(differing) == 1 else ""


def within_class(subject: Subject) -> Iterator[Intervention]:
    """Each modality from a sample of the same class and another unit."""
    if not subject.task.choices or subject.task.dataset.asks:
        return  # where the text is a question, the same answer does not mean that the picture fits it
    aimed = [place for place, sample in enumerate(subject.samples) if sample.target is not None]
    samples = [subject.samples[place] for place in aimed]
    strata, units = [str(sample.target) for sample in samples], [subject.units[place] for place in aimed]
    for modality in subject.modalities:
        name = f"within:{modality}"
        rngs = {modality: subject.rng(name)}
        holders = [i for i, sample in enumerate(samples) if modality in sample.inputs]
        condition = cross_donors.shuffle(
            [samples[i] for i in holders],
            rngs,
            name=name,
            groups=[units[i] for i in holders],
            strata=[strata[i] for i in holders],
        )
        edits = edited(subject, condition, {sample.id: str(sample.target) for sample in samples})
        yield Intervention(f"{modality} of the same class", STAY, condition, edits)


def negations(subject: Subject) -> Iterator[Intervention]:
    """Questions of yes or no turned into their opposites."""
    if "text" not in subject.modalities or not {*YES_NO} <= {choice.lower() for choice in subject.task.choices}:
        return
    asked = [s for s in subject.samples if s.target is not None and str(s.target).lower() in YES_NO]
    condition = negate(asked)
    choices = {choice.lower(): choice for choice in subject.task.choices}
    other = {"yes": choices["no"], "no": choices["yes"]}
    targets = {s.id: other[str(s.target).lower()] for s in asked}
    yield Intervention("negation", CHANGE, condition, edited(subject, condition, targets))


def edited(subject: Subject, condition: Condition, targets: Mapping[str, str]) -> tuple[Edit, ...]:
    """The edits that a condition makes of the samples that it can be asked of."""
    return tuple(
        Edit(place, place, targets[sample.id])
        for place, sample in enumerate(subject.samples)
        if sample.id in targets and (condition.samples is None or sample.id in condition.samples)
    )
