"""When something happens in a film: detection of segments (ActivityNet, THUMOS), and moments found for a query.

A segment is ``start, end``, in seconds or whatever unit both sides share; overlap (tIoU) is intersection over union.
Detection: in each film the detections of a class take turns as in `assay.metrics.assignment`; average precision is the
whole area under the precision-recall curve with precision the best at a recall or a higher one. Rows are films.
Sources: Heilbron et al. 2015 and ActivityNet's `eval_detection.py`; Jiang et al. 2014 (THUMOS); Gao et al. 2017 (moments).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.assignment import Detections, Rules, Truths, Values, assign
from assay.metrics.metric import Metric, Rows, sign
from assay.metrics.per_image import OfImage, Side, both_sides, classes_of, numbers, refuse
from assay.metrics.pooled import Pool, pool, records
from assay.metrics.pooled_precision import mean_precision, steps_of
from assay.metrics.standalone import estimates
from assay.stats.inputs import floats
from assay.stats.measured import OfPrepared
from assay.types import Estimate

BENCHMARKS: dict[str, tuple[float, ...]] = {
    "activitynet": tuple(np.linspace(0.5, 0.95, 10).tolist()),
    "thumos": (0.3, 0.4, 0.5, 0.6, 0.7),
}
"""The thresholds of tIoU by benchmark."""

NAME = "temporal_map"
AT = re.compile(r"temporal_map@(0?\.\d+|1(?:\.0+)?)")


def temporal_detection(
    predicted: Sequence[OfImage | None],
    targets: Sequence[OfImage],
    *,
    thresholds: str | Sequence[float] = "activitynet",
    classes: Sequence[Hashable] = (),
    per_class: bool = False,
    interval: bool = True,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Average precision of segments by name: ``map``, the mean over thresholds and classes, and ``map@0.5``, ``map@0.55`` …

    Of each film ``predicted`` holds ``segments float[k, 2]`` (start, end), ``labels`` and ``scores``, and ``targets``
    ``segments`` and ``labels``. ``thresholds`` are those of ``activitynet`` (.5, .55 … .95), of ``thumos`` (.3, .4 … .7)
    or your own. Classes are those that the targets have: one that nothing was predicted of counts 0, and one that only
    predictions have changes nothing. Equal scores go by the order of films and segments. A prediction of None never
    came: the film is left out and counted in ``n_missing``. With ``per_class`` each class comes along as ``map/LABEL``.
    No true segments at all: NaN. Raises `ValueError`, naming film and segment, for unequal lengths, ends before starts,
    values that are not finite, shapes that do not fit, labels that are none of ``classes`` (None: any).

    >>> true = {"segments": [[0, 10], [20, 30]], "labels": ["run", "run"]}
    >>> found = {"segments": [[0, 9], [50, 60]], "labels": ["run", "run"], "scores": [0.9, 0.8]}
    >>> out = temporal_detection([found], [true], thresholds="thumos")
    >>> out["map@0.5"].value
    0.5
    """
    rules, name = _rules(thresholds)
    rows, known = _measured(predicted, targets, rules, name, classes)
    asked = {"map": _metric(rules, name)}
    asked.update((f"map@{at:.10g}", _metric(rules, name, place)) for place, at in enumerate(rules.thresholds))
    if per_class:
        asked.update((f"map/{label}", _metric(rules, name, label=place)) for place, label in enumerate(known))
    metrics = list(asked.values()) if interval else [replace(one, interval="none") for one in asked.values()]
    found = estimates(metrics, rows, unit, seed=seed, unit_name="film")
    missing = int(np.isnan(rows[_columns(name)[2]]).sum())
    out = {key: replace(one, n_missing=missing) for key, one in zip(asked, found, strict=True)}
    for label in known if per_class else ():
        out[f"map/{label}"] = replace(out[f"map/{label}"], slice=f"class={label}")
    return out


def temporal_iou(a: ArrayLike, b: ArrayLike) -> Values:
    """The overlap ``[…]`` of segments ``a[…, 2]`` with ``b[…, 2]``, intersection over union; 0 where both are empty.

    Raises `ValueError` for shapes that do not fit, values that are not finite, ends before starts.

    >>> temporal_iou([[0, 10], [0, 10]], [[5, 15], [20, 30]]).round(4).tolist()
    [0.3333, 0.0]
    """
    first, second = (floats(side, name) for side, name in ((a, "a"), (b, "b")))
    for name, side in (("a", first), ("b", second)):
        if side.ndim < 1 or side.shape[-1] != 2:
            raise ValueError(f"{name}: segments as start, end along the last axis were expected, not {side.shape}")
        if not np.isfinite(side).all() or (side[..., 1] < side[..., 0]).any():
            raise ValueError(f"{name}: segments from a finite start to an end not before it were expected")
    return _iou(first, second)


def measure_segments(
    predicted: Sequence[OfImage | None],
    targets: Sequence[OfImage],
    classes: Sequence[Hashable] = (),
    *,
    thresholds: str | Sequence[float] = "activitynet",
) -> Rows:
    """One row a film: its detections and its true segments as records, with what became of each at every threshold.

    As `assay.metrics.coco.measure_boxes`. Raises `ValueError` as `temporal_detection`.
    """
    return _measured(predicted, targets, *_rules(thresholds), classes)[0]


def named(name: str) -> Metric:
    """``temporal_map`` (ActivityNet's), ``temporal_map:thumos``, or ``temporal_map@0.5`` at one threshold."""
    at = AT.fullmatch(name)
    if at is not None:
        return _metric(*_rules([float(at[1])]), 0)
    benchmark = name.removeprefix(NAME).removeprefix(":") or "activitynet"
    return _metric(*_rules(benchmark))


def _rules(thresholds: str | Sequence[float]) -> tuple[Rules, str]:
    """The rules, and a name for their columns and signature."""
    if isinstance(thresholds, str):
        if thresholds not in BENCHMARKS:
            raise ValueError(f"thresholds of {' or '.join(BENCHMARKS)}, or numbers, were expected, not {thresholds!r}")
        return _RULES[thresholds], thresholds
    own_thresholds = tuple(sorted({float(at) for at in thresholds}))
    if not own_thresholds or not all(0 < at <= 1 for at in own_thresholds) or len(own_thresholds) > 64:
        raise ValueError(f"up to 64 thresholds above 0 and up to 1 were expected, not {list(thresholds)!r:.80}")
    return Rules(own_thresholds), ",".join(f"{at:.10g}" for at in own_thresholds)


_RULES = {name: Rules(thresholds) for name, thresholds in BENCHMARKS.items()}


def _columns(name: str) -> tuple[str, str, str]:
    return tuple(f"segments.{name}.{part}" for part in ("found", "true", "answered"))  # type: ignore[return-value]


def _measured(
    predicted: Sequence[OfImage | None],
    targets: Sequence[OfImage],
    rules: Rules,
    name: str,
    classes: Sequence[Hashable],
) -> tuple[Rows, tuple[Hashable, ...]]:
    found, true = both_sides(predicted, targets, "segments")
    known, (found_labels, true_labels) = classes_of(found, true, classes)
    a, b = _segments(found), _segments(true)
    detections = Detections(found.image, found_labels, numbers(found, "scores"), np.zeros(len(a)))
    truths = Truths(true.image, true_labels, np.zeros(len(b)), np.zeros(len(b), dtype=np.bool_))
    assigned = assign(detections, truths, lambda d, g: _iou(a[d], b[g]), rules)
    answered = np.fromiter((np.nan if item is None else 1.0 for item in predicted), np.float64, len(predicted))
    columns = (*records(detections, truths, assigned, len(answered)), answered)
    return dict(zip(_columns(name), columns, strict=True)), known


def _segments(side: Side) -> Values:
    """``float64[k, 2]``."""
    segment = numbers(side, "segments", 2)
    refuse(side, segment[:, 1] < segment[:, 0], "it ends before it starts; segments are start, end")
    return segment


def _iou(a: Values, b: Values) -> Values:
    both = np.minimum(a[..., 1], b[..., 1]) - np.maximum(a[..., 0], b[..., 0])
    both = np.maximum(both, 0)
    whole = (b[..., 1] - b[..., 0]) + (a[..., 1] - a[..., 0]) - both
    return np.asarray(np.divide(both, whole, out=np.zeros(both.shape), where=whole > 0))


@functools.cache
def _pooling(rules: Rules, columns: tuple[str, str]) -> Any:
    """One function for all metrics with these rules, so that they pool once."""
    return functools.partial(pool, rules=rules, columns=columns)


def _metric(rules: Rules, name: str, place: int | None = None, label: int | None = None) -> Metric:
    """The mean over all thresholds, or at the one at ``place``; of all classes, or of one."""
    chosen = range(len(rules.thresholds)) if place is None else range(place, place + 1)
    columns = _columns(name)
    at = name if place is None else f"{rules.thresholds[place]:.10g}"
    own = NAME if name == "activitynet" else f"{NAME}:{name}"
    return Metric(
        own if place is None else f"{NAME}@{at}",
        functools.partial(measure_segments, thresholds=name if name in BENCHMARKS else rules.thresholds),
        OfPrepared(
            _pooling(rules, columns[:2]),
            functools.partial(mean_precision, thresholds=chosen, label=label, points=False),
            columns,
            functools.partial(_cost, thresholds=chosen),
        ),
        unit="film",
        signature=sign(own if place is None else f"{NAME}@{at}", f"tiou:{at}", "area:voc2011", "ties:order"),
        source="Heilbron et al. 2015, ActivityNet eval_detection.py",
        family="segments",
        columns=columns,
        definition="the whole area under the precision-recall curve (precision the best at that recall or a higher one, "
        "not read at 101 points), detections of all films pooled by score, averaged over the classes of the true "
        f"segments and over tIoU {', '.join(f'{rules.thresholds[t]:.10g}' for t in chosen)}; a detection takes the free "
        "segment of its film and class that it overlaps most",
        edge="0 where nothing is found; undefined without true segments; a class without detections counts 0",
    )


def _cost(pooled: Pool, thresholds: range) -> int:
    return 4 * steps_of(pooled, area="all", thresholds=thresholds)
