"""Temporal annotations of films in ActivityNet's layouts: sentences with times (ActivityNet Captions), labelled segments (1.3).

A target says where in the film it is: ``{"segments": [[start, end] …], "labels": [...]}``, in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.data.dataset import Dataset
from assay.data.readers.inputs import KINDS, medium
from assay.data.readers.published import made, split_places, whole
from assay.types import Media, Sample

SLACK_S = 2.0
"""How far an annotation may reach past its film: ActivityNet's own do, by a rounding or so."""


def activitynet(places: str) -> Dataset:
    """``ANNOTATIONS,FILMS``, in one of two layouts.

    ``{"v_x": {"duration": 82.7, "timestamps": [[0.8, 19.9] …], "sentences": ["…" …]}}``: a sample for each sentence (``v_x#0``): the
    film, the sentence as its text, where it happens as its target. ``{"database": {"x": {"duration", "subset", "annotations":
    [{"segment": [a, b], "label": "…"}]}}}``: a sample for each film with all its segments as the target, and the labels as
    classes. Films are ``FILMS/<id>.mp4`` (or ``v_<id>``, any usual ending). Raises `ValueError` that names file and film.
    """
    at, films = split_places(places, "activitynet:ANNOTATIONS,FILMS", 2)
    given = whole(at)
    found = films_by_stem(films)
    if "database" in given:
        samples = list(segmented(given["database"], at, films, found))
    else:
        samples = list(told(given, at, films, found))
    labels = sorted({label for s in samples for label in s.target["labels"]} if "database" in given else set())
    data = made(f"activitynet:{places}", samples, (at,), slices=(), asks="")
    return data if not labels else Dataset(**{**data.__dict__, "choices": tuple(labels)})


def films_by_stem(films: Path) -> dict[str, Path]:
    """The films of a folder by their names without an ending."""
    return {file.stem: file for file in sorted(films.iterdir()) if file.suffix.lower() in KINDS["video"]}


def film(name: str, films: Path, found: Mapping[str, Path]) -> Media:
    """The film of an id; where there is none, loading it will say so."""
    path = found.get(name) or found.get(f"v_{name}") or films / f"{name}.mp4"
    return medium("video", path, path.name)


def told(given: Mapping[str, Any], at: Path, films: Path, found: Mapping[str, Path]) -> Iterator[Sample]:
    """A sample for each sentence."""
    for name, one in given.items():
        times, sentences = listed(one, "timestamps", at, name), listed(one, "sentences", at, name)
        if len(times) != len(sentences):
            raise ValueError(f"{at}, {name!r}: {len(times)} timestamps, but {len(sentences)} sentences")
        for number, (span, sentence) in enumerate(zip(times, sentences, strict=True)):
            segment = checked(span, one.get("duration"), at, f"{name!r}, sentence {number}")
            yield Sample(
                f"{name}#{number}",
                {"text": str(sentence).strip(), "video": film(name, films, found)},
                target={"segments": [segment], "labels": [""]},
                groups={"video": name},
            )


def segmented(given: Any, at: Path, films: Path, found: Mapping[str, Path]) -> Iterator[Sample]:
    """A sample for each film."""
    if not isinstance(given, dict):
        raise ValueError(f"{at}: an object under 'database' was expected, got {type(given).__name__}")
    for name, one in given.items():
        segments, labels = [], []
        for number, told_of in enumerate(listed(one, "annotations", at, name)):
            where = f"{name!r}, annotation {number}"
            if not isinstance(told_of, dict) or told_of.get("label") is None:
                raise ValueError(f"{at}, {where}: 'segment' and 'label' were expected, got {str(told_of)[:60]}")
            segments.append(checked(told_of.get("segment"), one.get("duration"), at, where))
            labels.append(str(told_of["label"]))
        groups = {"video": name} | ({"split": str(one["subset"])} if "subset" in one else {})
        target = {"segments": segments, "labels": labels}
        yield Sample(name, {"video": film(name, films, found)}, target=target, groups=groups)


def listed(one: Any, key: str, at: Path, name: str) -> list[Any]:
    """The list under a key of a film's record."""
    found = one.get(key) if isinstance(one, dict) else None
    if not isinstance(found, list):
        raise ValueError(f"{at}, {name!r}: a list under {key!r} was expected")
    return found


def checked(span: Any, duration: Any, at: Path, where: str) -> list[float]:
    """``[start, end]`` in seconds. `ValueError` unless 0 ≤ start < end, within the film."""
    numbers = isinstance(span, list) and len(span) == 2 and all(isinstance(t, int | float) for t in span)
    if not numbers or not all(map(math.isfinite, span)) or not 0 <= span[0] < span[1]:
        raise ValueError(f"{at}, {where}: [start, end] in seconds with 0 <= start < end was expected, got {span!r:.60}")
    if isinstance(duration, int | float) and span[1] > duration + SLACK_S:
        raise ValueError(f"{at}, {where}: ends at {span[1]:g} s, the film lasts {duration:g} s")
    return [float(span[0]), float(span[1])]
