"""What a metric is, in words: how it is computed, with which constants, from where, and when it is 0 or undefined."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

from assay import metrics
from assay.metrics import HOMES, METRICS, get
from assay.metrics.metric import Metric

INTERVALS = {
    "wilson": "Wilson's score interval (of the effective n where rows are clustered)",
    "bca": "bias-corrected and accelerated bootstrap over units (Student's t below 30 units)",
    "bias_corrected": "bias-corrected bootstrap over units",
    "percentile": "percentile bootstrap over units",
    "t": "Student's t on the clustered standard error",
    "none": "none",
}

TAKES = {
    "texts": "predictions as texts, one or several reference texts a row",
    "labels": "predicted labels, true labels",
    "label_sets": "lists of predicted labels, lists of true labels",
    "scores": "a score for each class (or one), the true class",
    "choices": "answers as texts, the letter of the right option",
    "yes_no": "answers as texts, yes or no",
    "numbers": "predicted numbers, true numbers",
    "ranking": "embeddings of queries and gallery, what is right (assay.metrics.retrieval)",
    "directions": "embeddings of both sides of pairs (assay.metrics.retrieval_both)",
    "clipscore": "captions and pictures, as vectors or with a function that embeds them (assay.metrics.clipscore)",
    "refclipscore": "captions, pictures and reference captions, as vectors or with a function that embeds them",
    "correctness": "what two models got right, row by row (assay.metrics.error_consistency and others)",
    "counts": "how many raters chose each category [units, categories] (assay.metrics.fleiss_kappa)",
    "embeddings": "vectors of what was made and of what is real (assay.metrics.frechet_distance)",
    "graphs": "scene graphs (assay.metrics.sgf1)",
    "groups": "items right (1) or wrong (0), the group of each (assay.metrics.group_accuracy)",
    "items": "scores [respondents][items] (assay.metrics.cronbach_alpha)",
    "mentions": "captions, the objects in each picture, their synonyms (assay.metrics.chair)",
    "naturalbench": "answers and right answers [n][question][image] (assay.metrics.naturalbench)",
    "ratings": "ratings [raters][units], None where there is none (assay.metrics.krippendorff_alpha and others)",
    "segments": "stretches of time with labels and scores, true ones (assay.metrics.temporal_detection)",
    "rotations": "answers as texts, right letters, the question that each is a rotation of (assay.metrics.circular)",
    "mme": "answers as texts, yes or no, subtask and picture of each (assay.metrics.mme)",
    "winoground": "scores [n, caption, image] (assay.metrics.winoground)",
    "boxes": "boxes with labels and scores, true boxes (assay.metrics.detection)",
    "masks": "masks with labels and scores, true masks (assay.metrics.detection with iou='masks')",
    "maps": "a class for each pixel, the true ones (assay.metrics.segmentation)",
    "grounded": "one box for each phrase, the true one (assay.metrics.grounding)",
    "points": "one point for each phrase, the true box (assay.metrics.pointing_accuracy)",
    "moments": "stretches of time for each query, best first, the true ones (assay.metrics.moment_retrieval)",
}


def explained(metric: Metric) -> dict[str, Any]:
    """The metric as plain values: name, family, definition, recipe, direction, bounds, interval, edge, source.

    >>> explained(get("accuracy"))["recipe"]
    ['unparsed:wrong']
    """
    low, high = metric.bounds
    return {
        "name": metric.name,
        "family": metric.family,
        "takes": TAKES.get(metric.family, metric.family),
        "definition": metric.definition,
        "recipe": metric.signature.split("|")[1:-1],
        "better": metric.better,
        "low": low if math.isfinite(low) else None,
        "high": high if math.isfinite(high) else None,
        "interval": INTERVALS[metric.interval],
        "edge": metric.edge,
        "source": metric.source,
        "signature": metric.signature,
    }


def explain(metric: Metric, facts: Sequence[str] = ()) -> str:
    """The same as text of several lines; ``facts`` are what is to be said of some data.

    >>> print(explain(get("accuracy")).splitlines()[0])
    accuracy: The share of rows whose answer is the true label.
    """
    told = explained(metric)
    low, high = (
        ("-∞" if told["low"] is None else f"{told['low']:g}"),
        ("∞" if told["high"] is None else f"{told['high']:g}"),
    )
    lines = {
        "takes": told["takes"],
        "recipe": ", ".join(told["recipe"]) or "nothing to choose",
        "range": f"{low} to {high}, {told['better']} is better",
        "interval": told["interval"],
        "0 or undefined": told["edge"],
        "source": told["source"],
        "signature": told["signature"],
    }
    width = max(map(len, lines))
    out = [f"{metric.name}: {told['definition']}", "", *(f"  {name:<{width}}  {text}" for name, text in lines.items())]
    if facts:
        out += ["", "in this file:", *(f"  - {fact}" for fact in facts)]
    return "\n".join(out)


def functions() -> list[str]:
    """Figures of whole tables (embeddings, pairs of models …) that are called as functions and have no name in files.

    >>> {"cka", "modality_gap"} <= set(functions()), "bleu_4" in functions()
    (True, False)
    """
    return sorted(name for name in HOMES if name.islower() and name not in {*METRICS, "estimates", "measure", "score"})


def explained_function(name: str) -> dict[str, str]:
    """One of `functions`: how it is called and its docstring.

    >>> explained_function("cka")["call"][:29]
    'assay.metrics.cka(x, y, *, ke'
    """
    found = getattr(metrics, name)
    told = inspect.signature(found)
    bare = told.replace(
        parameters=[one.replace(annotation=one.empty) for one in told.parameters.values()], return_annotation=told.empty
    )
    return {"name": name, "call": f"assay.metrics.{name}{bare}", "definition": inspect.getdoc(found) or ""}


def listed(family: str | None = None) -> list[dict[str, Any]]:
    """Every metric with a name, as `explained`, family by family."""
    every = [explained(get(name)) for name in METRICS]
    return sorted(
        (one for one in every if family in (None, one["family"])), key=lambda one: (one["family"], one["name"])
    )
