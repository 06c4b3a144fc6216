"""From runs to examples: what was shown, what was expected, what came instead, with the media of the data set where there is one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from assay.data.dataset import Dataset
from assay.evaluation import examples as notable
from assay.evaluation.run import Run
from assay.reporting.clips import clip
from assay.reporting.content import BEST, WORST, Answer, Clip, Example
from assay.types import MODALITIES, MediaError, Sample

EACH = 4  # worst and best examples of a run, shared among its splits
WEIGHED = 4  # classes shown of those that a model weighed
SPLIT = "group.split"


def examples(run: Run, data: Dataset | None, *, name: str, parts: Mapping[str, str]) -> Iterator[Example]:
    """The examples of a run, ``name`` being the model's on the page and ``parts`` the page's name of the data for each split."""
    samples = {} if data is None else {s.id: s for s in data.for_task(run.manifest.task).samples}
    places = _places(run)
    for split, part in (parts or {"": run.manifest.data}).items():
        some = _part(run, split)
        found = notable.notable(some, max(1, EACH // max(1, len(parts))))
        for kind, chosen in ((WORST, found.worst), (BEST, found.best)):
            for one in chosen:
                shown = _retrieved if one.direction else _classified
                example = shown(run, one, samples, places)
                yield replace(example, model=name, data=part, kind=kind)


def _part(run: Run, split: str) -> Run:
    """The run with the measurements of one split only."""
    if not split:
        return run
    return replace(run, measurements=run.measurements.where(run.measurements[SPLIT] == split))


def _places(run: Run) -> dict[tuple[str, str], int]:
    """Where the answer to each sample under each condition stands among the predictions; of repeats the first."""
    keys = zip(run.predictions["sample"].tolist(), run.predictions["condition"].tolist(), strict=True)
    places: dict[tuple[str, str], int] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, place)
    return places


def _classified(
    run: Run, one: notable.Example, samples: Mapping[str, Sample], places: Mapping[tuple[str, str], int]
) -> Example:
    """A classification: the inputs, the class, and the classes that the model found most probable."""
    sample = samples.get(one.sample)
    clips, text, note = _shown(sample, set(MODALITIES))
    unseen = [] if sample is None else [m for m in sample.modalities if m not in run.manifest.modalities]
    if unseen:
        note = "; ".join(part for part in (note, f"{' and '.join(unseen)}: not shown to this model") if part)
    answers, rank = _weighed(run, one, places)
    return Example(
        model=run.manifest.model,
        task=run.manifest.task,
        data=run.manifest.data,
        sample=one.sample,
        kind="",
        target=one.target,
        answers=answers,
        text=text,
        clips=clips,
        rank=rank,
        condition=one.condition,
        note=note,
    )


def _weighed(
    run: Run, one: notable.Example, places: Mapping[tuple[str, str], int]
) -> tuple[tuple[Answer, ...], int | None]:
    """The most probable classes with their probabilities, the expected one among them, and the rank of that."""
    answer = Answer(one.answer, None if math.isnan(one.confidence) else one.confidence, one.right)
    choices, place = run.manifest.choices, places.get((one.sample, one.condition))
    if place is None or run.manifest.verb != "score" or one.target not in choices or one.answer not in choices:
        return (answer,), None  # asked in sentences, or said in words: there are no probabilities of the classes
    weights = np.exp(run.predictions["answer"][place][: len(choices)].astype(np.float64))
    order = np.argsort(-weights, kind="stable").tolist()
    expected = choices.index(one.target)
    chosen = [i for i in order[:WEIGHED] if choices[i] != one.answer]
    if expected not in (*chosen, choices.index(one.answer)):
        chosen = [*chosen[: WEIGHED - 2], expected]
    others = tuple(Answer(choices[i], float(weights[i]), i == expected) for i in chosen)
    return (answer, *others), order.index(expected) + 1


def _retrieved(
    run: Run, one: notable.Example, samples: Mapping[str, Sample], places: Mapping[tuple[str, str], int]
) -> Example:
    """A retrieval: the query, what came first, and what belongs to the query."""
    asked, _, sought = one.direction.partition("->")
    query = samples.get(one.sample)
    clips, text, note = _shown(query, {asked})
    first = _candidate(samples.get(one.answer), one.answer, sought, one.confidence, right=one.right)
    expected = () if one.right else (_candidate(query, one.sample, sought, None, right=True),)
    return Example(
        model=run.manifest.model,
        task=f"{run.manifest.task}, {asked} → {sought}",
        data=run.manifest.data,
        sample=one.sample,
        kind="",
        target=_name(query, one.sample),
        answers=(first, *expected),
        text=text,
        clips=clips,
        rank=None if math.isnan(one.rank) else round(one.rank),
        condition=one.condition,
        note=note or (f"among {one.candidates:,} candidates" if one.candidates else ""),
    )


def _candidate(sample: Sample | None, identity: str, modality: str, score: float | None, *, right: bool) -> Answer:
    """A candidate of a retrieval in the modality that was sought."""
    name = _name(sample, identity)
    content = None if sample is None else sample.inputs.get(modality)
    if isinstance(content, str):
        return Answer(content, score, right)
    clips, _, _ = _shown(sample, {modality})
    return Answer(name, score, right, clips[0] if clips else None)


def _shown(sample: Sample | None, modalities: set[str]) -> tuple[tuple[Clip, ...], str, str]:
    """The clips and the text of a sample in some modalities, and what could not be shown."""
    if sample is None:
        return (), "", "The data set was not at hand: the sample is named, not shown."
    clips: list[Clip] = []
    text, notes = "", []
    for modality in (m for m in MODALITIES if m in modalities and m in sample.inputs):
        content = sample.inputs[modality]
        if isinstance(content, str):
            text = content
            continue
        try:
            clips.append(clip(content, f"{modality} of {_name(sample, sample.id)}"))
        except MediaError as error:
            notes.append(str(error))
    return tuple(clips), text, "; ".join(notes)


def _name(sample: Sample | None, identity: str) -> str:
    """What a sample is called: its first reference, else its id."""
    return sample.references[0] if sample is not None and sample.references else identity
