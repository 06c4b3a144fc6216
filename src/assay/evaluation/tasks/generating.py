"""Answers in words: visual question answering, descriptions and names of pictures.

The model writes (``generate``); what it wrote is kept as it is and measured as a text against the sample's references.
Where the data has a closed set of answers, the text is also read as one of them (`read_choice`): a text that is none is
wrong, and counted as ``unparsed`` in an estimate of its own. Asked with the picture and, where there is a question to
ask, without it: what is right blindly was not seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import metrics
from assay.data.dataset import Dataset
from assay.data.requests import CHINESE, DESCRIBE, ENGLISH, NAME, request
from assay.data.transforms import cross
from assay.evaluation.conditions import alone_and_together, asked_of, planned
from assay.evaluation.plan import Pass
from assay.evaluation.task import Task, named_metrics, natural_unit
from assay.evaluation.tasks import grouped
from assay.evaluation.tasks.family import Family, check_family, check_targets, joined, measured
from assay.metrics.metric import Metric, Rows
from assay.metrics.vqa import normalise
from assay.table import KEY, Table
from assay.types import CLEAN, Answers, Condition, Model, Sample

ANSWERED = ("vqa_accuracy", "exact_match")
CLOSED = ("vqa_accuracy", "accuracy", "unparsed")
DESCRIBED = ("cider_d", "bleu_4", "rouge_l", "exact_match")
DESCRIBED_ZH = ("cider_d:chars", "bleu_4:chars", "rouge_l:chars", "exact_match")
USUAL: Mapping[tuple[str, str], tuple[str, ...]] = {
    (DESCRIBE, ENGLISH): DESCRIBED,
    (DESCRIBE, CHINESE): DESCRIBED_ZH,
    (NAME, ENGLISH): ("exact_match", "token_f1"),
    (NAME, CHINESE): ("exact_match", "token_f1:zh"),
}
SAID = ("accuracy", "macro_f1", "unparsed")


def vqa(dataset: Dataset, *, measures: Sequence[str | Metric] = ()) -> Task:
    """The task of answering each sample's text, a question, about its picture.

    ``measures`` default to VQA accuracy and, where the data has a closed set of answers, accuracy and the share of
    answers that are none of them. `ValueError` for data without texts, and for a sample with nothing to compare with.
    """
    seen = answerable(dataset.for_task("vqa"), "vqa")
    if "text" not in seen.modalities:
        raise ValueError(f"vqa asks the samples' texts, the data set {dataset.name!r} has none.")
    # A label beside the question is no answer to it: the classes are the answers only where these are among them.
    known = set(seen.choices)
    closed = bool(known) and all(
        sample.target in known and known.issuperset(expected(sample)) for sample in seen.samples
    )
    return written("vqa", seen if closed else replace(seen, choices=()), measures or (CLOSED if closed else ANSWERED))


def saying(dataset: Dataset, *, measures: Sequence[str | Metric] = ()) -> Task:
    """Classification by what a model says: a text is read as one of the classes, or as none of them.

    ``measures`` default to accuracy, macro-F1 and the share of answers that are no class.
    `ValueError` as `assay.evaluation.tasks.labelling.classification`.
    """
    seen = dataset.for_task("classification")
    check_targets(seen)
    aimed = replace(seen, samples=[sample for sample in seen.samples if sample.target is not None])
    task = written("classification", aimed, measures or SAID)
    return replace(task, conditions=alone_and_together(aimed))


def describing(
    dataset: Dataset, *, skill: str = DESCRIBE, language: str = ENGLISH, measures: Sequence[str | Metric] = ()
) -> Task:
    """The task of describing (or, by ``skill``, naming) each sample's picture in a language; the request stands in for its text.

    ``measures`` default to CIDEr-D, BLEU-4, ROUGE-L (of characters in Chinese) and exact match; for names to exact match and token F1.
    `ValueError` for data without pictures, and for a sample with nothing to compare with.
    """
    name = {DESCRIBE: "captioning", NAME: "naming"}[skill] + ("" if language == ENGLISH else f":{language}")
    shown = dataset.for_task(name)
    samples = [requested(sample, request(skill, language)) for sample in shown.samples if "image" in sample.inputs]
    if not samples:
        raise ValueError(f"{name} needs pictures, the data set {dataset.name!r} has none.")
    # What a picture is called is no set of choices: the texts are compared as texts.
    open_ended = replace(shown, samples=samples, views={}, choices=())
    return written(name, answerable(open_ended, name), measures or USUAL[skill, language])


captioning = partial(describing, skill=DESCRIBE)
captioning_zh = partial(describing, skill=DESCRIBE, language=CHINESE)
naming = partial(describing, skill=NAME)
naming_zh = partial(describing, skill=NAME, language=CHINESE)


def requested(sample: Sample, words: str) -> Sample:
    """The sample's picture with the request as its text. Other modalities, which could say what it is, are not shown."""
    return sample.with_inputs({"text": words, "image": sample.inputs["image"]})


def written(name: str, dataset: Dataset, measures: Sequence[str | Metric]) -> Task:
    """A task whose answers are texts."""
    named = named_metrics(measures)
    check_family(name, named, ("texts", "labels") if dataset.choices else ("texts",))
    return Task(
        name=name,
        dataset=dataset,
        verb="generate",
        metrics=named,
        unit=natural_unit(dataset),
        conditions=with_and_without(dataset),
        source=dataset.source,
        choices=dataset.choices,
    )


def with_and_without(dataset: Dataset) -> tuple[Condition, ...]:
    """``clean``, and without the picture where there is something else."""
    present = dataset.modalities
    return (CLEAN, cross.drop("image")) if "image" in present and len(present) > 1 else (CLEAN,)


def answerable(dataset: Dataset, task: str) -> Dataset:
    """The data set as it is; `ValueError` for a sample that has neither references nor a target, by its id."""
    for sample in dataset.samples:
        if not expected(sample):
            raise ValueError(f"{task} compares with references, sample {sample.id!r} of {dataset.name!r} has none.")
    return dataset


def expected(sample: Sample) -> tuple[str, ...]:
    """What a right answer may be: the references, else the target."""
    return sample.references or (() if sample.target is None else (str(sample.target),))


def passes(task: Task, modalities: frozenset[str]) -> list[Pass]:
    """One pass for each condition and repeat, over the samples that it concerns."""
    samples = task.dataset.samples
    return [
        Pass(condition.name, condition, asked_of(samples, condition, modalities), repeat)
        for condition in planned(task.asked, modalities.intersection(task.dataset.modalities))
        for repeat in range(task.repeats)
    ]


def offered(task: Task, model: Model) -> tuple[str, ...]:
    """The closed set of answers, for a model that may be told it; any other that writes is given nothing to choose from."""
    return task.choices if isinstance(model, Answers) else ()


def measure(task: Task, parts: Sequence[tuple[Pass, Table]]) -> Table:
    """A row for each planned answer: what was expected first, what came, what it was read as, and what the metrics measure."""
    return joined([measure_pass(task, asked, answers) for asked, answers in parts])


def measure_pass(task: Task, asked: Pass, answers: Table) -> Table:
    """The rows of one condition and repeat."""
    samples = [task.dataset.samples[index] for index in asked.samples]
    missing = answers["error_kind"] != ""
    came = [str(text) for text in answers["answer"][~missing]]
    there = [sample for sample, lost in zip(samples, missing.tolist(), strict=True) if not lost]
    shown: dict[str, Any] = {name: answers[name] for name in KEY}
    shown["true"] = texts([expected(sample)[0] for sample in samples])
    shown["predicted"] = texts([str(text) for text in answers["answer"]])
    found = dict(rows(task, came, there))
    if others := [metric for metric in task.metrics if metric.family not in ("texts", "labels")]:
        lost = [sample for sample, gone in zip(samples, missing.tolist(), strict=True) if gone]
        found.update(grouped.measure(others, task, came, there, lost))
    return measured(task, samples, missing, shown, found)


def texts(values: Sequence[str]) -> NDArray[Any]:
    """Texts of any length: as objects, since fixed-width text costs the longest one's length in every row."""
    return np.array([*values, None], dtype=object)[:-1]


def rows(task: Task, came: Sequence[str], samples: Sequence[Sample]) -> Rows:
    """What the metrics measure: those of texts against all references, those of labels against the target."""
    compared = [metric for metric in task.metrics if metric.family == "texts"]
    labels = [metric for metric in task.metrics if metric.family == "labels"]
    out: dict[str, NDArray[Any]] = {}
    if compared:
        out.update(metrics.measure(compared, list(came), [list(expected(sample)) for sample in samples]))
    if labels:
        reader = ChoiceReader(task.choices)
        true = [expected(sample)[0] if sample.target is None else str(sample.target) for sample in samples]
        out.update(metrics.measure(labels, [reader.read(text) for text in came], true, task.choices))
    return out


class ChoiceReader:
    """Reads texts as one of some choices.

    A text is the choice that it equals to the letter but for case, or after VQA's normalisation (case, punctuation, articles,
    numbers as words), else the only one whose words it holds; else it is none.

    >>> reader = ChoiceReader(("yes", "no", "red", "dark red"))
    >>> [reader.read(text) for text in ("Yes.", "It is dark red", "yes or no", "green")]
    ['yes', 'dark red', None, None]
    """

    def __init__(self, choices: Sequence[str]) -> None:
        self.exact: Mapping[str, str] = {choice.strip().casefold(): choice for choice in choices}
        plain = Counter(map(normalise, choices))
        # A choice that normalises to nothing ("a", "the"), or to the same as another ("2", "two"), is read to the letter only.
        self.known = {
            normalise(choice): choice for choice in choices if normalise(choice) and plain[normalise(choice)] == 1
        }
        # The longest first, so that "dark red" is not read as "red" as well.
        longest_first = sorted(filter(None, self.known), key=lambda words: (-len(words), words))
        self.any = (
            re.compile("(?!)")
            if not longest_first
            else re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
        )

    def read(self, text: str) -> str | None:
        """The choice that a text is, or ``None``."""
        if (whole := text.strip().casefold()) in self.exact:
            return self.exact[whole]
        plain = normalise(text)
        if plain in self.known:
            return self.known[plain]
        found = set(self.any.findall(plain))
        return self.known[found.pop()] if len(found) == 1 else None


FAMILY = Family(passes, offered, measure)
