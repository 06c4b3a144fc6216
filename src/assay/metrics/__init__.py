"""Metrics: rows of sufficient statistics and pure aggregates under weights, one file a family.

>>> from assay import metrics
>>> metrics.score(["accuracy"], ["cat", "dog"], ["cat", "cat"])["accuracy"].value
0.5
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assay.catalog import attribute, nearest

if TYPE_CHECKING:
    from assay.metrics.caption_bleu import bleu_1, bleu_2, bleu_3, bleu_4
    from assay.metrics.caption_meteor import meteor
    from assay.metrics.choice import multiple_choice
    from assay.metrics.classification import confusion_matrix, per_class
    from assay.metrics.coco import detection
    from assay.metrics.consensus import DocumentFrequencies, cider, cider_d, document_frequencies
    from assay.metrics.directions import retrieval, retrieval_both
    from assay.metrics.diversity import caption_length, distinct_1, distinct_2
    from assay.metrics.groups import circular_accuracy, group_accuracy
    from assay.metrics.labelled import aurc, auroc, average_precision, brier, brier_parts, ece, f1, precision, recall
    from assay.metrics.matching import anls, exact_match, relaxed_accuracy, token_f1
    from assay.metrics.metric import Metric
    from assay.metrics.quads import naturalbench, winoground
    from assay.metrics.selective import risk_coverage
    from assay.metrics.speech import cer, wer
    from assay.metrics.standalone import estimates, measure, score
    from assay.metrics.subsequence import rouge_l
    from assay.metrics.translation import bleu, chrf
    from assay.metrics.vqa import vqa_accuracy
    from assay.metrics.yes_no import pope

RANKED = "assay.metrics.ranked:named"
BOXES = "assay.metrics.coco:named"
CLASSES = "assay.metrics.classification:named"
BLEU = "assay.metrics.caption_bleu:named"
CIDER = "assay.metrics.consensus:named"
ROUGE = "assay.metrics.subsequence:named"
DIVERSITY = "assay.metrics.diversity:named"
SCORES = "assay.metrics.scores:named"
AREAS = "assay.metrics.discrimination:named"
CALIBRATION = "assay.metrics.calibration:named"
SELECTIVE = "assay.metrics.selective:named"
SETS = "assay.metrics.labelsets:named"
MATCHING = "assay.metrics.matching:named"
SPEECH = "assay.metrics.speech:named"
CHOICE = "assay.metrics.choice:named"
GROUPS = "assay.metrics.groups:named"
QUADS = "assay.metrics.quads:named"
YES_NO = "assay.metrics.yes_no:named"
TRANSLATION = "assay.metrics.translation:named"
VQA = "assay.metrics.vqa:named"
METEOR = "assay.metrics.caption_meteor:named"

METRICS: Mapping[str, str] = {
    "accuracy": CLASSES,
    "accuracy@coverage=0.8": SELECTIVE,
    "anls": MATCHING,
    "anls:mmf": MATCHING,
    "aurc": SELECTIVE,
    "auroc": AREAS,
    "auroc_ovo": AREAS,
    "average_precision": AREAS,
    "balanced_accuracy": CLASSES,
    "bleu": TRANSLATION,
    "bleu:char": TRANSLATION,
    "bleu:none": TRANSLATION,
    "bleu:zh": TRANSLATION,
    "bleu_1": BLEU,
    "bleu_2": BLEU,
    "bleu_3": BLEU,
    "bleu_4": BLEU,
    "brier": CALIBRATION,
    "brier_reliability": CALIBRATION,
    "brier_resolution": CALIBRATION,
    "brier_uncertainty": CALIBRATION,
    "caption_length": DIVERSITY,
    "cer": SPEECH,
    "cer:lower_punct": SPEECH,
    "cer:zh": SPEECH,
    "choice_unparsed": CHOICE,
    "chrf": TRANSLATION,
    "chrf++": TRANSLATION,
    "cider": CIDER,
    "cider_d": CIDER,
    "coco_map": BOXES,
    "coco_map_50": BOXES,
    "coco_map_75": BOXES,
    "coco_map_large": BOXES,
    "coco_map_medium": BOXES,
    "coco_map_small": BOXES,
    "coco_mar_1": BOXES,
    "coco_mar_10": BOXES,
    "coco_mar_100": BOXES,
    "coco_mar_large": BOXES,
    "coco_mar_medium": BOXES,
    "coco_mar_small": BOXES,
    "coverage@risk=0.05": SELECTIVE,
    "distinct_1": DIVERSITY,
    "distinct_2": DIVERSITY,
    "eaurc": SELECTIVE,
    "ece": CALIBRATION,
    "ece_adaptive": CALIBRATION,
    "ece_classwise": CALIBRATION,
    "ece_debiased": CALIBRATION,
    "exact_match": MATCHING,
    "exact_match:squad": MATCHING,
    "group_accuracy": GROUPS,
    "group_excess": GROUPS,
    "group_expected": GROUPS,
    "group_single": GROUPS,
    "hamming_loss": SETS,
    "hit@1": RANKED,
    "hit@5": RANKED,
    "hit@10": RANKED,
    "macro_f1": CLASSES,
    "macro_precision": CLASSES,
    "macro_recall": CLASSES,
    "map": RANKED,
    "map@10": RANKED,
    "map@r": RANKED,
    "map_cut@10": RANKED,
    "mcc": CLASSES,
    "mce": CALIBRATION,
    "mean_rank": RANKED,
    "median_rank": RANKED,
    "meteor": METEOR,
    "meteor15_noparaphrase": METEOR,
    "micro_f1": CLASSES,
    "micro_precision": CLASSES,
    "micro_recall": CLASSES,
    "mrr": RANKED,
    "multilabel_macro_f1": SETS,
    "multilabel_macro_precision": SETS,
    "multilabel_macro_recall": SETS,
    "multilabel_micro_f1": SETS,
    "multilabel_micro_precision": SETS,
    "multilabel_micro_recall": SETS,
    "multilabel_weighted_f1": SETS,
    "multilabel_weighted_precision": SETS,
    "multilabel_weighted_recall": SETS,
    "multiple_choice": CHOICE,
    "naturalbench_accuracy": QUADS,
    "naturalbench_group": QUADS,
    "naturalbench_image": QUADS,
    "naturalbench_question": QUADS,
    "naturalbench_unparsed": QUADS,
    "ndcg": RANKED,
    "ndcg@10": RANKED,
    "nll": SCORES,
    "pope_accuracy": YES_NO,
    "pope_accuracy:official": YES_NO,
    "pope_f1": YES_NO,
    "pope_f1:official": YES_NO,
    "pope_precision": YES_NO,
    "pope_precision:official": YES_NO,
    "pope_recall": YES_NO,
    "pope_recall:official": YES_NO,
    "pope_yes_ratio": YES_NO,
    "pope_yes_ratio:official": YES_NO,
    "precision@10": RANKED,
    "r_precision": RANKED,
    "recall@1": RANKED,
    "recall@5": RANKED,
    "recall@10": RANKED,
    "relaxed_accuracy": MATCHING,
    "rouge_l": ROUGE,
    "rsum": RANKED,
    "samples_f1": SETS,
    "samples_jaccard": SETS,
    "samples_precision": SETS,
    "samples_recall": SETS,
    "subset_accuracy": SETS,
    "token_f1": MATCHING,
    "token_f1:zh": MATCHING,
    "top_5_accuracy": SCORES,
    "unparsed": CLASSES,
    "vqa_accuracy": VQA,
    "vqa_accuracy:always": VQA,
    "vqa_accuracy:evalai_textvqa": VQA,
    "weighted_f1": CLASSES,
    "weighted_precision": CLASSES,
    "weighted_recall": CLASSES,
    "wer": SPEECH,
    "wer:english": SPEECH,
    "wer:lower_punct": SPEECH,
    "winoground_group": QUADS,
    "winoground_image": QUADS,
    "winoground_text": QUADS,
    "yes_no_unparsed": YES_NO,
}
"""What can be asked for by name; `get` also takes any other k."""

ANY_K: Mapping[str, str] = {
    r"bleu_[1-4]:(chars|jieba)": BLEU,
    r"cider(_d)?:(chars|jieba)": CIDER,
    r"(distinct_[1-9]|caption_length)(:(chars|jieba))?": DIVERSITY,
    r"rouge_l:(chars|jieba)": ROUGE,
    r"(hit|recall|precision|ndcg|map|map_cut)@[1-9]\d*": RANKED,
    r"top_[1-9]\d*_accuracy": SCORES,
    r"(accuracy@coverage|coverage@risk)=(0?\.\d+|1(\.0+)?)": SELECTIVE,
}

HOMES = {
    "DocumentFrequencies": "assay.metrics.consensus",
    "Metric": "assay.metrics.metric",
    "anls": "assay.metrics.matching",
    "aurc": "assay.metrics.labelled",
    "auroc": "assay.metrics.labelled",
    "average_precision": "assay.metrics.labelled",
    "bleu": "assay.metrics.translation",
    "bleu_1": "assay.metrics.caption_bleu",
    "bleu_2": "assay.metrics.caption_bleu",
    "bleu_3": "assay.metrics.caption_bleu",
    "bleu_4": "assay.metrics.caption_bleu",
    "brier": "assay.metrics.labelled",
    "brier_parts": "assay.metrics.labelled",
    "caption_length": "assay.metrics.diversity",
    "cer": "assay.metrics.speech",
    "chrf": "assay.metrics.translation",
    "cider": "assay.metrics.consensus",
    "cider_d": "assay.metrics.consensus",
    "circular_accuracy": "assay.metrics.groups",
    "confusion_matrix": "assay.metrics.classification",
    "detection": "assay.metrics.coco",
    "distinct_1": "assay.metrics.diversity",
    "distinct_2": "assay.metrics.diversity",
    "document_frequencies": "assay.metrics.consensus",
    "ece": "assay.metrics.labelled",
    "estimates": "assay.metrics.standalone",
    "exact_match": "assay.metrics.matching",
    "f1": "assay.metrics.labelled",
    "group_accuracy": "assay.metrics.groups",
    "measure": "assay.metrics.standalone",
    "meteor": "assay.metrics.caption_meteor",
    "multiple_choice": "assay.metrics.choice",
    "naturalbench": "assay.metrics.quads",
    "per_class": "assay.metrics.classification",
    "pope": "assay.metrics.yes_no",
    "precision": "assay.metrics.labelled",
    "recall": "assay.metrics.labelled",
    "relaxed_accuracy": "assay.metrics.matching",
    "retrieval": "assay.metrics.directions",
    "retrieval_both": "assay.metrics.directions",
    "risk_coverage": "assay.metrics.selective",
    "rouge_l": "assay.metrics.subsequence",
    "score": "assay.metrics.standalone",
    "token_f1": "assay.metrics.matching",
    "vqa_accuracy": "assay.metrics.vqa",
    "wer": "assay.metrics.speech",
    "winoground": "assay.metrics.quads",
}

__all__ = [
    "DocumentFrequencies",
    "METRICS",
    "Metric",
    "anls",
    "aurc",
    "auroc",
    "average_precision",
    "bleu",
    "bleu_1",
    "bleu_2",
    "bleu_3",
    "bleu_4",
    "brier",
    "brier_parts",
    "caption_length",
    "cer",
    "chrf",
    "cider",
    "cider_d",
    "circular_accuracy",
    "confusion_matrix",
    "detection",
    "distinct_1",
    "distinct_2",
    "document_frequencies",
    "ece",
    "estimates",
    "exact_match",
    "f1",
    "get",
    "group_accuracy",
    "measure",
    "meteor",
    "multiple_choice",
    "naturalbench",
    "per_class",
    "pope",
    "precision",
    "recall",
    "relaxed_accuracy",
    "retrieval",
    "retrieval_both",
    "risk_coverage",
    "rouge_l",
    "score",
    "token_f1",
    "vqa_accuracy",
    "wer",
    "winoground",
]


def get(name: str) -> Metric:
    """The metric of this name; an unknown one is a `ValueError` that tells its nearest neighbours.

    >>> get("hit@3").name
    'hit@3'
    """
    path = METRICS.get(name) or next((path for pattern, path in ANY_K.items() if re.fullmatch(pattern, name)), None)
    if path is None:
        raise ValueError(f"unknown metric {name!r}: {nearest(name, METRICS)}")
    metric: Metric = attribute(path)(name)
    return metric


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
