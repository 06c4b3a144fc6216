"""Every public function of `assay.metrics` with six or more good rows of its arguments, to be spoilt by tests."""

from collections.abc import Callable, Mapping

import numpy as np
from metric_inputs import CHOICES, inputs

from assay import metrics
from assay.metrics.metric import PAIRED

Call = tuple[Callable, list[list]]

NO_ROWS = {"DocumentFrequencies", "Metric", "estimates", "measure", "score"}
"""What is public and no figure of given rows by itself."""

ASKED_BY_NAME = PAIRED | {"label_sets", "scores"}
"""Families that `assay.metrics.score` takes; the others have functions of their own."""


def rows_of(name: str, n: int = 6) -> list[list]:
    """Rows for a metric, the first two of them answered."""
    rng = np.random.default_rng(1)
    predicted, true = (list(side) for side in inputs(metrics.get(name), rng, n))
    known = next(one for one in predicted if one is not None)
    return [[known if one is None and at < 2 else one for at, one in enumerate(predicted)], true]


def embeddings(n: int, width: int = 3) -> list[list]:
    """Two sides of ``n`` pairs."""
    return np.random.default_rng(2).standard_normal((2, n, width)).tolist()


def by_name(name: str) -> Call:
    """A metric asked by its name."""
    return lambda predicted, true: metrics.score([name], predicted, true), rows_of(name)


def of_texts() -> Mapping[str, Call]:
    """Functions of texts, answers, labels and numbers."""
    of = {
        **dict.fromkeys(("bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "cider", "cider_d", "rouge_l"), "bleu_4"),
        **dict.fromkeys(("caption_length", "distinct_1", "distinct_2", "bleu", "chrf", "wer", "cer", "anls"), "bleu_4"),
        **dict.fromkeys(("exact_match", "relaxed_accuracy", "token_f1", "vqa_accuracy"), "bleu_4"),
        **dict.fromkeys(("mae", "mse", "pearson", "r2", "rmse", "spearman"), "mae"),
        "multiple_choice": "multiple_choice",
        "pope": "pope_f1",
        "sgf1": "sgf1",
        "naturalbench": "naturalbench_group",
        **dict.fromkeys(("precision", "recall", "f1", "confusion_matrix", "per_class"), "accuracy"),
    }
    found: dict[str, Call] = {name: (getattr(metrics, name), rows_of(like)) for name, like in of.items()}
    found["document_frequencies"] = metrics.document_frequencies, rows_of("bleu_4")[1:]
    found["f1:samples"] = lambda p, t: metrics.f1(p, t, average="samples"), [[["a"], ["b"], [], ["c"]] * 2, [["a"]] * 8]
    found["circular_accuracy"] = metrics.circular_accuracy, [*rows_of("multiple_choice"), [0, 0, 1, 1, 2, 2]]
    for name in ("chair", "chair_i", "chair_s"):
        call = getattr(metrics, name)
        found[name] = lambda p, t, call=call: call(p, t, {word: [] for word in CHOICES}), rows_of("chair_i")
    return found


def of_pictures() -> Mapping[str, Call]:
    """Functions of boxes, masks, maps and stretches of time."""
    of = {"detection": "coco_map", "temporal_detection": "temporal_map", "moment_retrieval": "moment_tiou"}
    of |= {"grounding": "grounding_iou", "pointing_accuracy": "pointing_accuracy"}
    of |= dict.fromkeys(("segmentation", "miou", "miou_per_image", "pixel_accuracy"), "miou")
    found: dict[str, Call] = {name: (getattr(metrics, name), rows_of(like)) for name, like in of.items()}
    found["detection:masks"] = lambda p, t: metrics.detection(p, t, iou="masks"), rows_of("coco_map:masks")
    found["temporal_iou"] = metrics.temporal_iou, [[[0, 1], [1, 2], [2, 3]], [[0, 2], [1, 3], [2, 3]]]
    return found


def of_numbers() -> Mapping[str, Call]:
    """Functions of scores, raters and what was right."""
    binary, several = rows_of("brier"), [[0.1, 0.9, 0.4, 0.6, 0.8, 0.2], [0, 1, 0, 1, 1, 0]]
    found: dict[str, Call] = {
        name: (getattr(metrics, name), several)
        for name in ("auroc", "average_precision", "brier", "brier_parts", "ece", "aurc", "risk_coverage")
    }
    found |= {f"{name}:classes": (getattr(metrics, name), binary) for name in ("auroc", "brier", "ece")}
    right = [[1, 0, 1, 1, 0, 1], [1, 1, 0, 1, 0, 1]]
    for name in ("complementarity", "disagreement", "double_fault", "error_consistency", "oracle_gain", "q_statistic"):
        found[name] = getattr(metrics, name), right
    raters = [[1, 2, 3, 1, 2, 3], [1, 2, 3, 3, 2, 1], [1, 2, 2, 1, 2, 3]]
    found["cohen_kappa"] = metrics.cohen_kappa, raters[:2]
    found["gwet_ac1"] = lambda *lines: metrics.gwet_ac1(lines), raters
    found["krippendorff_alpha"] = lambda *lines: metrics.krippendorff_alpha(lines), raters
    found["krippendorff_alpha:ratio"] = lambda *lines: metrics.krippendorff_alpha(lines, level="ratio"), raters
    found["fleiss_kappa"] = metrics.fleiss_kappa, [[[3, 1], [2, 2], [4, 0], [0, 4], [1, 3]]]
    found["group_accuracy"] = metrics.group_accuracy, [[1, 0, 1, 1, 0, 1], [0, 0, 1, 1, 2, 2]]
    found["cronbach_alpha"] = metrics.cronbach_alpha, [[[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0], [1, 1, 0]]]
    found["winoground"] = metrics.winoground, [np.random.default_rng(0).random((6, 2, 2)).tolist()]
    return found


def of_embeddings() -> Mapping[str, Call]:
    """Functions of embeddings."""
    found: dict[str, Call] = {
        name: (getattr(metrics, name), embeddings(20))
        for name in ("alignment", "modality_gap", "cka", "rsa", "hubness", "frechet_distance", "clipscore")
    }
    found |= {name: (getattr(metrics, name), embeddings(20)[:1]) for name in ("uniformity", "effective_rank")}
    for name in ("cca", "svcca", "pwcca"):
        call = getattr(metrics, name)
        found[name] = lambda x, y, call=call: call(x, y, overfit=True), embeddings(60)
    for method in ("ksg1", "gaussian", "infonce"):
        key = "mutual_information" + ("" if method == "ksg1" else f":{method}")
        found[key] = lambda x, y, method=method: metrics.mutual_information(x, y, method=method), embeddings(60)
    found["shift_gap"] = lambda x, y: metrics.shift_gap(x, y, 0.3), embeddings(20)
    found["refclipscore"] = metrics.refclipscore, [*embeddings(6), [[[1.0, 0, 0]]] * 6]
    gallery = np.random.default_rng(5).standard_normal((7, 3))
    positives = [[0], [1], [2, 3], [4], [5], [6]]
    found["retrieval"] = lambda q, p: metrics.retrieval(q, gallery, p), [embeddings(6)[0], positives]
    found["retrieval_both"] = lambda a, p: metrics.retrieval_both(a, gallery, p), [embeddings(6)[0], positives]
    return found


CALLS: Mapping[str, Call] = {
    **of_texts(),
    **of_pictures(),
    **of_numbers(),
    **of_embeddings(),
    **{f"score:{name}": by_name(name) for name in metrics.METRICS if metrics.get(name).family in ASKED_BY_NAME},
}
"""Functions by name (after a colon what is asked of them) and good rows, a list for each argument that has rows."""
