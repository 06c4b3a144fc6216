"""The verb ``explain``: what a model's answers rest on. (The room below is `assay.explanations`.)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay import verbs
from assay.data.dataset import Dataset
from assay.types import Model

if TYPE_CHECKING:
    from assay.explanations.explain import Explanations


@dataclass(frozen=True)
class Explaining:
    """``task``: as of `assay.evaluate`, whether choices are weighed or words written (None: choices where the model can); ``target``: the
    choice to explain (None: the model's own); ``limit``: so many samples of data; ``seed``: of random orders."""

    task: str | None = None
    target: str | None = None
    limit: int = 8
    seed: int = 0


DEFAULT = Explaining()


def explain(
    model: str | Path | Model,
    data: str | Path | Dataset | None = None,
    *,
    image: Any = None,
    audio: Any = None,
    text: str | None = None,
    choices: Sequence[str] = (),
    method: str = "occlusion",
    how: Explaining = DEFAULT,
) -> Explanations:
    """What a model's answer to a picture, a sound, a text (or several), or to the first ``how.limit`` samples of ``data``, rests on:
    a map over each modality, its share, and how faithful the maps are against random ones.

    ``method``: ``occlusion``, ``shapley`` or ``integrated``.
    Explained is the best of ``choices`` (default: the data's, or the model's own classes), or
    ``how.target``; of a model that writes, its answer. `kept` writes what comes back as a page.
    `ValueError` unless either data or a sample is given, or where the model has no answer to explain.
    """
    from assay.explanations.explain import explain_samples

    given = any(one is not None for one in (image, audio, text))
    if given == (data is not None):
        raise ValueError("explain either data or one sample (a picture, a sound, a text): give one of the two.")
    if how.limit < 1:
        raise ValueError(f"limit must be at least 1, got {how.limit}.")
    if data is None and how.task is not None:
        raise ValueError("a task is asked of data; of one sample, give choices or a question.")
    words = False
    if data is None:
        samples = [verbs.sample_of(image=image, audio=audio, text=text)]
    elif how.task is None:
        loaded = verbs.load_dataset(data)
        samples, choices = list(loaded.samples[: how.limit]), choices or loaded.choices
    else:
        task = verbs.prepare(model, data, task=how.task, limit=how.limit).task
        if task.verb not in ("score", "generate"):
            raise ValueError(f"{task.name} has no single answer to explain: name a task that weighs choices or writes.")
        samples, choices, words = list(task.dataset.samples), choices or task.choices, task.verb == "generate"
    return explain_samples(
        verbs.load_model(model),
        samples,
        choices=choices,
        target=how.target,
        method=method,
        seed=how.seed,
        words=words,
    )


def kept(found: Explanations, folder: str | Path) -> Path:
    """Writes ``explain.html`` and ``explain.json`` into ``folder``; returns the page. `ValueError` where it is no folder."""
    from assay.evaluation.exports import write_json
    from assay.reporting.explained import write_explanations

    page = write_explanations(found, Path(folder) / "explain.html")
    write_json(Path(folder) / "explain.json", found.as_json())
    return page
