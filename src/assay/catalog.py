"""What can be asked for by name: one dict per family, name → ``module:attribute``, imported on use.

Adding something is writing its file and one line here. Nothing in this module imports another room.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

MODELS: Mapping[str, str] = {
    "assay:aligned": "assay.models.native:load_shipped",
    "assay:captioner": "assay.models.native:load_shipped",
    "assay:fused": "assay.models.native:load_shipped",
    "assay:joint": "assay.models.native:load_shipped",
    "assay:vqa": "assay.models.native:load_shipped",
    "baseline:chance": "assay.models.baselines:chance",
    "baseline:pixels": "assay.models.baselines:pixels",
    "baseline:words": "assay.models.baselines:words",
}

SCHEMES: Mapping[str, str] = {
    "hf": "assay.models.hub.load:load_hub",
    "keras": "assay.models.keras:load_keras",
    "pretrained": "assay.models.packaged:load_packaged",
    "openai": "assay.client.endpoint:load_endpoint",
    "predictions": "assay.models.predictions:load_predictions",
    "py": "assay.models.callable:load_callable",
}
"""What reads the whole name of a model that begins with a word and a colon."""

DATASETS: Mapping[str, str] = {
    "digits": "assay.data.bundled:load",
    "easy-vqa": "assay.data.bundled:load",
    "emoji": "assay.data.bundled:load",
}

READERS: Mapping[str, str] = {
    "activitynet": "assay.data.readers.activitynet:activitynet",
    "card": "assay.data.cards:load_card",
    "coco": "assay.data.readers.published:coco",
    "flickr30k": "assay.data.readers.splits:flickr30k",
    "hf": "assay.data.readers.huggingface:huggingface",
    "karpathy": "assay.data.readers.splits:karpathy",
    "vqa": "assay.data.readers.published:vqa",
    "webdataset": "assay.data.readers.webdataset:webdataset",
}
"""Data in a benchmark's own layout, asked for as ``NAME:FILE,FILE …``."""

CARDS: tuple[str, ...] = (
    "coco-captions",
    "coco-retrieval",
    "coco-retrieval-1k",
    "flickr30k-retrieval",
    "mmbench",
    "mme",
    "pope",
    "vqav2",
    "winoground",
)
"""Benchmarks by their cards (`assay.data.cards`), asked for as ``NAME:DIR``."""

LAYOUTS: Mapping[str, str] = {
    "coco": "assay.data.cards.layouts:coco",
    "karpathy": "assay.data.cards.layouts:karpathy",
    "mme": "assay.data.cards.layouts:mme",
    "rows": "assay.data.cards.layouts:rows",
    "vqa": "assay.data.cards.layouts:vqa",
    "winoground": "assay.data.cards.layouts:winoground",
}
"""The ways in which benchmarks are published, as cards name them."""

TASKS: Mapping[str, str] = {
    "captioning": "assay.evaluation.tasks:captioning",
    "captioning:zh": "assay.evaluation.tasks:captioning_zh",
    "classification": "assay.evaluation.tasks:classification",
    "naming": "assay.evaluation.tasks:naming",
    "naming:zh": "assay.evaluation.tasks:naming_zh",
    "retrieval": "assay.evaluation.tasks:retrieval",
    "transcription": "assay.evaluation.tasks:transcription",
    "vqa": "assay.evaluation.tasks:vqa",
    "zeroshot": "assay.evaluation.tasks:zeroshot",
}

PROBES: Mapping[str, str] = {
    "blind": "assay.probes.blind:BLIND",
    "contribution": "assay.probes.contribution:CONTRIBUTION",
    "emap": "assay.probes.additive:EMAP",
    "mm_shap": "assay.probes.use:MM_SHAP",
    "pid": "assay.probes.decomposition:PID",
    "consistency": "assay.probes.consistency:CONSISTENCY",
    "embeddings": "assay.probes.embeddings:EMBEDDINGS",
    "causal": "assay.probes.causal:CAUSAL",
    "mediation": "assay.probes.mediation:MEDIATION",
    "patching": "assay.probes.patching:PATCHING",
    "robustness": "assay.probes.robustness:ROBUSTNESS",
    "fairness": "assay.probes.fairness:FAIRNESS",
}
"""Questions about what a model is made of, in the order in which a report answers them."""

RECIPES: Mapping[str, str] = {
    "aligned:emoji": "assay.recipes.aligned:emoji",
    "captioner:emoji": "assay.recipes.captioner:emoji",
    "clip:emoji": "assay.recipes.clip:emoji",
    "composed:emoji": "assay.recipes.composed:emoji",
    "distil_crossmodal:emoji": "assay.recipes.distil_crossmodal:emoji",
    "fewshot:emoji": "assay.recipes.fewshot:emoji",
    "fused:emoji": "assay.recipes.fused:emoji",
    "imagebind:emoji": "assay.recipes.imagebind:emoji",
    "joint:emoji": "assay.recipes.joint:emoji",
    "lit:emoji": "assay.recipes.lit:emoji",
    "mae:emoji": "assay.recipes.mae:emoji",
    "moco:emoji": "assay.recipes.moco:emoji",
    "multitask:digits": "assay.recipes.multitask:digits",
    "siglip:emoji": "assay.recipes.siglip:emoji",
    "tuned:emoji": "assay.recipes.tuned:emoji",
    "video:emoji": "assay.recipes.video:emoji",
    "vlm:easy-vqa": "assay.recipes.vlm:easy_vqa",
    "vlm:emoji": "assay.recipes.vlm:emoji",
    "vlm:emoji+easy-vqa": "assay.recipes.both:emoji_and_questions",
    "vqa:easy-vqa": "assay.recipes.vqa:easy_vqa",
}

GROUPS: Mapping[str, str] = {"model": "assay.models", "task": "assay.tasks", "metric": "assay.metrics"}
"""Where installed packages offer more of the same. A model's entry point is called with what follows its name and a colon, and gives
a model or a function; a task's with a data set (and ``measures``), and gives a `Task`; a metric's is a `Metric` of that name."""

VERBS: Mapping[str, tuple[str, str]] = {
    "demo": ("assay.cli.demo:DEMO", "Three real models, their answers and their scorecard, in half a minute"),
    "data": ("assay.cli.data:DATA", "List, show and check data sets"),
    "train": ("assay.cli.train:TRAIN", "Train a model by a recipe"),
    "predict": ("assay.cli.predict:PREDICT", "Ask a model about a picture, a sound, a text"),
    "search": ("assay.cli.search:SEARCH", "Find the best matches in a data set by words, picture or sound"),
    "evaluate": ("assay.cli.evaluate:EVALUATE", "Measure a model on data, every figure with its interval"),
    "explain": ("assay.cli.explain:EXPLAIN", "Show what a model's answers rest on, with a test of the maps"),
    "bench": ("assay.cli.bench:BENCH", "Measure what answering costs: latency, throughput, memory, energy, money"),
    "score": ("assay.cli.score:SCORE", "Measure answers in a file (JSONL, COCO, VQA), or a run again"),
    "import": ("assay.cli.take_over:IMPORT", "Take over another harness's log as a run"),
    "merge": ("assay.cli.merge:MERGE", "Put the shards of a run together"),
    "metrics": ("assay.cli.metrics:METRICS", "List the metrics, explain one, verify them on this machine"),
    "compare": ("assay.cli.compare:COMPARE", "Say which of two runs is better, paired, with a verdict"),
    "gate": ("assay.cli.gate:GATE", "Let a run pass or fail against a baseline, for CI"),
    "runs": ("assay.cli.runs:RUNS", "List the runs that were made, show one, remove it"),
    "report": ("assay.cli.report:REPORT", "Write a run's report as one HTML file"),
}


ALIKE = 0.1
"""Neighbours are told as long as they are no less like the name than the nearest by this much."""


def nearest(name: str, names: Iterable[str]) -> str:
    """The end of an error message for an unknown name: its neighbours, or everything there is.

    >>> nearest("emoij", ["emoji", "digits"])
    'did you mean emoji?'
    """
    known = sorted(names)
    found = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    likeness = {other: difflib.SequenceMatcher(None, other, name.lower()).ratio() for other in found}
    close = [other for other in found if likeness[other] >= likeness[found[0]] - ALIKE]
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"there is {', '.join(known)}." if known else "there is none."


def find(kind: str, name: str, family: Mapping[str, str]) -> Any:
    """The object behind a name, our own or a plugin's; an unknown one is a `ValueError` that tells its nearest neighbours."""
    if name in family:
        return attribute(family[name])
    found = plugin(kind, name)
    if found is None:
        raise ValueError(f"unknown {kind} {name!r}: {nearest(name, {*family, *offered(kind)})}")
    return found


def plugins(kind: str) -> tuple[EntryPoint, ...]:
    """What installed packages offer of a kind, as entry points of `GROUPS`."""
    from importlib.metadata import entry_points

    return tuple(entry_points(group=GROUPS[kind])) if kind in GROUPS else ()


def offered(kind: str) -> set[str]:
    """The names that installed packages offer of a kind."""
    return {one.name for one in plugins(kind)}


def plugin(kind: str, name: str) -> Any:
    """The object behind an entry point's name, ``None`` where there is no such name.

    `ValueError`, naming the package, for one that cannot be imported, and for a name that two packages offer.
    """
    found = [one for one in plugins(kind) if one.name == name]
    if not found:
        return None
    owners = [f"{one.dist.name} {one.dist.version}" if one.dist else "an unnamed package" for one in found]
    if len({one.value for one in found}) > 1:
        raise ValueError(f"the {kind} {name!r} is offered by {' and by '.join(owners)}: uninstall one of them.")
    try:
        return found[0].load()
    except Exception as error:
        raise ValueError(
            f"the {kind} {name!r} of {owners[0]} cannot be loaded from {found[0].value}: {type(error).__name__}: {error}"
        ) from error


def attribute(path: str) -> Any:
    """The object behind ``module:attribute``."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
