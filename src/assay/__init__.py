"""assay builds, trains, measures and serves multimodal models (text, image, audio, video).

The nouns and verbs below are imported when they are first used, so that ``import assay`` costs next to nothing
and needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from assay.version import __version__

if TYPE_CHECKING:
    from assay.data.dataset import Dataset
    from assay.evaluation.frames import frame
    from assay.evaluation.how import How, Shard
    from assay.evaluation.run import Run
    from assay.experiments.crossval import cross_validate
    from assay.experiments.search import search_settings
    from assay.experiments.sweep import sweep
    from assay.explaining import explain
    from assay.kept import matrix, merge, rescore, track
    from assay.models.attention import MultimodalFusion, MultiModalTransformer
    from assay.models.decisions import decide, stack
    from assay.models.pretrained import MultiModalFeatureExtractor, MultiModalModel, MultiModalTokenizer
    from assay.training.fewshot import fewshot
    from assay.types import Condition, Estimate, Media, Model, Sample
    from assay.verbs import (
        bench,
        compare,
        evaluate,
        gate,
        load_dataset,
        load_model,
        load_run,
        predict,
        report,
        score,
        search,
        train,
    )

HOMES = {
    "Condition": "assay.types",
    "Dataset": "assay.data.dataset",
    "Estimate": "assay.types",
    "How": "assay.evaluation.how",
    "Media": "assay.types",
    "Model": "assay.types",
    "MultiModalFeatureExtractor": "assay.models.pretrained",
    "MultiModalModel": "assay.models.pretrained",
    "MultiModalTokenizer": "assay.models.pretrained",
    "MultiModalTransformer": "assay.models.attention",
    "MultimodalFusion": "assay.models.attention",
    "Run": "assay.evaluation.run",
    "Sample": "assay.types",
    "Shard": "assay.evaluation.how",
    "bench": "assay.verbs",
    "compare": "assay.verbs",
    "cross_validate": "assay.experiments.crossval",
    "decide": "assay.models.decisions",
    "evaluate": "assay.verbs",
    "explain": "assay.explaining",
    "fewshot": "assay.training.fewshot",
    "frame": "assay.evaluation.frames",
    "gate": "assay.verbs",
    "load_dataset": "assay.verbs",
    "load_model": "assay.verbs",
    "load_run": "assay.verbs",
    "matrix": "assay.kept",
    "merge": "assay.kept",
    "predict": "assay.verbs",
    "report": "assay.verbs",
    "rescore": "assay.kept",
    "score": "assay.verbs",
    "search": "assay.verbs",
    "search_settings": "assay.experiments.search",
    "stack": "assay.models.decisions",
    "sweep": "assay.experiments.sweep",
    "track": "assay.kept",
    "train": "assay.verbs",
}

__all__ = [
    "Condition",
    "Dataset",
    "Estimate",
    "How",
    "Media",
    "Model",
    "MultiModalFeatureExtractor",
    "MultiModalModel",
    "MultiModalTokenizer",
    "MultiModalTransformer",
    "MultimodalFusion",
    "Run",
    "Sample",
    "Shard",
    "__version__",
    "bench",
    "compare",
    "cross_validate",
    "decide",
    "evaluate",
    "explain",
    "fewshot",
    "frame",
    "gate",
    "load_dataset",
    "load_model",
    "load_run",
    "matrix",
    "merge",
    "predict",
    "report",
    "rescore",
    "score",
    "search",
    "search_settings",
    "stack",
    "sweep",
    "track",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'assay' has no attribute {name!r}")
    # A verb and the room of its name (`report`) share this attribute: the verb wins, whichever is asked for first.
    value = getattr(importlib.import_module(HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})
