"""Transcription: what is said in each sample's sound, in words.

The model is shown the sound alone; what it wrote is compared with the sample's references, else with its text, which in
recordings with a transcript is what was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assay.data.dataset import Dataset
from assay.evaluation.task import Task
from assay.evaluation.tasks.generating import answerable, expected, written
from assay.metrics.metric import Metric
from assay.types import Sample

MEASURES = ("wer", "cer", "wer:lower_punct", "cer:lower_punct")


def transcription(dataset: Dataset, *, measures: Sequence[str | Metric] = ()) -> Task:
    """The task of writing down what is said in each sample's sound.

    ``measures`` default to word and character error rates, as written and without case and punctuation. `ValueError` for
    data without sounds, and for a sample with nothing to compare with.
    """
    shown = dataset.for_task("transcription")
    samples = [heard(sample) for sample in shown.samples if "audio" in sample.inputs]
    if not samples:
        raise ValueError(f"transcription needs sounds, the data set {dataset.name!r} has none.")
    spoken = replace(shown, samples=samples, views={}, choices=())
    return written("transcription", answerable(spoken, "transcription"), measures or MEASURES)


def heard(sample: Sample) -> Sample:
    """The sample's sound alone, with what is said in it as its references."""
    text = sample.inputs.get("text")
    said = expected(sample) or ((text,) if isinstance(text, str) else ())
    return replace(sample, inputs={"audio": sample.inputs["audio"]}, references=said)
