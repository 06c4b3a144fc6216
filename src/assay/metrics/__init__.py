"""Metrics: rows of sufficient statistics and pure aggregates under weights, one file a family.

>>> from assay import metrics
>>> metrics.score(["accuracy"], ["cat", "dog"], ["cat", "cat"])["accuracy"].value
0.5
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assay.catalog import GROUPS, PROBES, attribute, find
from assay.metrics.names import METRICS, PATTERNS

if TYPE_CHECKING:
    from assay.metrics.agreement import cohen_kappa, fleiss_kappa, gwet_ac1, krippendorff_alpha
    from assay.metrics.caption_bleu import bleu_1, bleu_2, bleu_3, bleu_4
    from assay.metrics.caption_meteor import meteor
    from assay.metrics.choice import multiple_choice
    from assay.metrics.classification import confusion_matrix, per_class
    from assay.metrics.clip_score import clipscore, refclipscore
    from assay.metrics.coco import detection
    from assay.metrics.complement import (
        complementarity,
        disagreement,
        double_fault,
        error_consistency,
        oracle_gain,
        q_statistic,
    )
    from assay.metrics.consensus import DocumentFrequencies, cider, cider_d, document_frequencies
    from assay.metrics.correlated import cca, pwcca, svcca
    from assay.metrics.directions import retrieval, retrieval_both
    from assay.metrics.dissimilarity import rsa
    from assay.metrics.diversity import caption_length, distinct_1, distinct_2
    from assay.metrics.frechet import frechet_distance
    from assay.metrics.groups import circular_accuracy, group_accuracy
    from assay.metrics.hallucination import chair, chair_i, chair_s
    from assay.metrics.information import mutual_information
    from assay.metrics.item_consistency import cronbach_alpha
    from assay.metrics.kernels import cka
    from assay.metrics.label_maps import miou, miou_per_image, pixel_accuracy, segmentation
    from assay.metrics.labelled import aurc, auroc, average_precision, brier, brier_parts, ece, f1, precision, recall
    from assay.metrics.matching import anls, exact_match, relaxed_accuracy, token_f1
    from assay.metrics.metric import Metric
    from assay.metrics.moments import moment_retrieval
    from assay.metrics.phrases import grounding, pointing_accuracy
    from assay.metrics.quads import naturalbench, winoground
    from assay.metrics.regression import mae, mse, pearson, r2, rmse, spearman
    from assay.metrics.scene_graphs import sgf1
    from assay.metrics.selective import risk_coverage
    from assay.metrics.space import alignment, effective_rank, hubness, modality_gap, shift_gap, uniformity
    from assay.metrics.speech import cer, wer
    from assay.metrics.standalone import estimates, measure, score
    from assay.metrics.subsequence import rouge_l
    from assay.metrics.temporal import temporal_detection, temporal_iou
    from assay.metrics.translation import bleu, chrf
    from assay.metrics.vqa import vqa_accuracy
    from assay.metrics.yes_no import pope

FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "agreement": ("cohen_kappa", "fleiss_kappa", "gwet_ac1", "krippendorff_alpha"),
    "caption_bleu": ("bleu_1", "bleu_2", "bleu_3", "bleu_4"),
    "caption_meteor": ("meteor",),
    "choice": ("multiple_choice",),
    "classification": ("confusion_matrix", "per_class"),
    "clip_score": ("clipscore", "refclipscore"),
    "coco": ("detection",),
    "complement": (
        "complementarity",
        "disagreement",
        "double_fault",
        "error_consistency",
        "oracle_gain",
        "q_statistic",
    ),
    "consensus": ("DocumentFrequencies", "cider", "cider_d", "document_frequencies"),
    "correlated": ("cca", "pwcca", "svcca"),
    "directions": ("retrieval", "retrieval_both"),
    "dissimilarity": ("rsa",),
    "diversity": ("caption_length", "distinct_1", "distinct_2"),
    "frechet": ("frechet_distance",),
    "groups": ("circular_accuracy", "group_accuracy"),
    "hallucination": ("chair", "chair_i", "chair_s"),
    "information": ("mutual_information",),
    "item_consistency": ("cronbach_alpha",),
    "kernels": ("cka",),
    "labelled": ("aurc", "auroc", "average_precision", "brier", "brier_parts", "ece", "f1", "precision", "recall"),
    "matching": ("anls", "exact_match", "relaxed_accuracy", "token_f1"),
    "metric": ("Metric",),
    "quads": ("naturalbench", "winoground"),
    "regression": ("mae", "mse", "pearson", "r2", "rmse", "spearman"),
    "scene_graphs": ("sgf1",),
    "selective": ("risk_coverage",),
    "space": ("alignment", "effective_rank", "hubness", "modality_gap", "shift_gap", "uniformity"),
    "speech": ("cer", "wer"),
    "standalone": ("estimates", "measure", "score"),
    "subsequence": ("rouge_l",),
    "label_maps": (
        "miou",
        "miou_per_image",
        "pixel_accuracy",
        "segmentation",
    ),
    "moments": ("moment_retrieval",),
    "phrases": (
        "grounding",
        "pointing_accuracy",
    ),
    "temporal": ("temporal_detection", "temporal_iou"),
    "translation": ("bleu", "chrf"),
    "vqa": ("vqa_accuracy",),
    "yes_no": ("pope",),
}
"""What is imported on use, by module. A line here, one above for type checkers, one below that makes it public."""

HOMES = {name: f"assay.metrics.{module}" for module, names in FUNCTIONS.items() for name in names}

__all__ = ["METRICS", "get"]
__all__ += ["cohen_kappa", "fleiss_kappa", "gwet_ac1", "krippendorff_alpha"]
__all__ += ["bleu_1", "bleu_2", "bleu_3", "bleu_4"]
__all__ += ["meteor"]
__all__ += ["multiple_choice"]
__all__ += ["confusion_matrix", "per_class"]
__all__ += ["clipscore", "refclipscore"]
__all__ += ["detection"]
__all__ += ["complementarity", "disagreement", "double_fault", "error_consistency", "oracle_gain", "q_statistic"]
__all__ += ["DocumentFrequencies", "cider", "cider_d", "document_frequencies"]
__all__ += ["retrieval", "retrieval_both"]
__all__ += ["caption_length", "distinct_1", "distinct_2"]
__all__ += ["frechet_distance"]
__all__ += ["circular_accuracy", "group_accuracy"]
__all__ += ["chair", "chair_i", "chair_s"]
__all__ += ["aurc", "auroc", "average_precision", "brier", "brier_parts", "ece", "f1", "precision", "recall"]
__all__ += ["anls", "exact_match", "relaxed_accuracy", "token_f1"]
__all__ += ["Metric"]
__all__ += ["naturalbench", "winoground"]
__all__ += ["mae", "mse", "pearson", "r2", "rmse", "spearman"]
__all__ += ["sgf1"]
__all__ += ["risk_coverage"]
__all__ += ["cer", "wer"]
__all__ += ["estimates", "measure", "score"]
__all__ += ["rouge_l"]
__all__ += ["miou", "miou_per_image", "pixel_accuracy", "segmentation"]
__all__ += ["moment_retrieval"]
__all__ += ["grounding", "pointing_accuracy"]
__all__ += ["temporal_detection", "temporal_iou"]
__all__ += ["bleu", "chrf"]
__all__ += ["vqa_accuracy"]
__all__ += ["pope"]
__all__ += ["cca", "pwcca", "svcca"]
__all__ += ["alignment", "effective_rank", "hubness", "modality_gap", "shift_gap", "uniformity"]
__all__ += ["mutual_information"]
__all__ += ["cka"]
__all__ += ["cronbach_alpha"]
__all__ += ["rsa"]


def get(name: str) -> Metric:
    """The metric of this name; an unknown one is a `ValueError` that tells its nearest neighbours.

    >>> get("hit@3").name
    'hit@3'
    """
    path = METRICS.get(name) or next((path for pattern, path in PATTERNS.items() if re.fullmatch(pattern, name)), None)
    metric: Metric = (_figures().get(name) or offered(name)) if path is None else attribute(path)(name)
    return metric


def offered(name: str) -> Metric:
    """The metric that an installed package offers under this name."""
    from assay.metrics.metric import Metric

    found = find("metric", name, METRICS)
    if not isinstance(found, Metric) or found.name != name:
        raise ValueError(f"the entry point {name!r} of {GROUPS['metric']} is no metric of that name: {found!r:.80}")
    return found


@functools.cache
def _figures() -> Mapping[str, Metric]:
    """What probes' figures are, by name: measured by contrasting conditions alone, explained and compared like any metric."""
    return {metric.name: metric for path in PROBES.values() for metric in attribute(path).metrics}


def __getattr__(name: str) -> Any:
    # A metric without a function of its own (`metrics.macro_f1`) is one by its name.
    if name in HOMES:
        value = getattr(importlib.import_module(HOMES[name]), name)
    elif name in METRICS:
        value = importlib.import_module("assay.metrics.standalone").function(get(name))
    else:
        raise AttributeError(f"module 'assay.metrics' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES, *filter(str.isidentifier, METRICS)})
