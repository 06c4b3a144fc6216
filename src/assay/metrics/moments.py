"""Moments of a film found for a query: recall at k of segments that overlap the true one by a tIoU, and the mean tIoU.

A segment is ``start, end``; what is predicted for a query are segments, the best first. Several true moments: the best
fitting one counts. Sources: Gao et al. 2017 (R@n, IoU=m); Lei et al. 2021 (QVHighlights).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.assignment import Values
from assay.metrics.metric import Metric, Rows, sign, weighted_mean
from assay.metrics.standalone import estimates
from assay.metrics.temporal import temporal_iou
from assay.stats.inputs import listed, reals
from assay.types import Estimate

Given = Sequence[ArrayLike | None]

AT = re.compile(r"moment_recall@([1-9]\d*),tiou=(0?\.\d+|1(?:\.0+)?)")


def moment_retrieval(
    predicted: Given,
    targets: Given,
    *,
    k: Sequence[int] = (1, 5),
    tiou: Sequence[float] = (0.3, 0.5, 0.7),
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """``recall@1,tiou=0.5`` …: the share of queries with a right segment among the first k; ``tiou``: the mean of the first.

    ``predicted`` holds for each query segments ``[m, 2]``, the best first, ``targets`` the true one or several. A
    segment is right when it overlaps a true one by the tIoU at least. No segment predicted: wrong. None never came:
    left out and counted in ``n_missing``. ``unit`` labels queries of one film. No queries: NaN. Raises `ValueError`,
    naming the query, for unequal numbers, shapes that do not fit, ends before starts, values that are not finite.

    >>> found = moment_retrieval([[[0, 10], [4, 8]]], [[4, 9]], k=(1, 2), tiou=(0.7,))
    >>> found["recall@1,tiou=0.7"].value, found["recall@2,tiou=0.7"].value, found["tiou"].value
    (0.0, 1.0, 0.5)
    """
    wrong: list[float] = [*(depth for depth in k if depth < 1), *(at for at in tiou if not 0 < at <= 1)]
    if wrong:
        raise ValueError(f"k from 1 on and tIoU above 0 and up to 1 were expected, not {wrong[0]}")
    asked = {f"recall@{depth},tiou={at:.10g}": _recall(int(depth), float(at)) for depth in k for at in tiou}
    asked["tiou"] = MEAN_TIOU
    overlaps = _overlaps(predicted, targets)
    rows = {MEAN_TIOU.name: _first(overlaps, 1)}
    for depth in k:
        rows.update((_recall(depth, at).name, _reached(_first(overlaps, depth), at)) for at in tiou)
    found = estimates(list(asked.values()), rows, unit, seed=seed, unit_name="query")
    missing = int(np.isnan(rows[MEAN_TIOU.name]).sum())
    return {name: replace(one, n_missing=missing) for name, one in zip(asked, found, strict=True)}


def measure_moments(predicted: Given, targets: Given, k: int = 1, tiou: float = 0.5) -> Rows:
    """Columns of whether one of the first ``k`` is right, and of the first one's tIoU ``moment_tiou`` ``[n]``.

    >>> measure_moments([[[0, 10]]], [[4, 9]])["moment_tiou"].tolist()
    [0.5]
    """
    overlaps = _overlaps(predicted, targets)
    return {
        _recall(k, tiou).name: _reached(_first(overlaps, k), tiou),
        "moment_tiou": _first(overlaps, 1),
    }


def _overlaps(predicted: Given, targets: Given) -> list[Values | None]:
    """Of each query the best tIoU of each of its segments with a true one, in their order."""
    listed(predicted, "predicted")
    listed(targets, "targets")
    if len(predicted) != len(targets):
        raise ValueError(
            f"predictions for every query were expected: {len(predicted)} predicted, {len(targets)} targets"
        )
    out: list[Values | None] = []
    for place, (found, true) in enumerate(zip(predicted, targets, strict=True)):
        right = _segments("targets", place, true)
        if not len(right):
            raise ValueError(f"targets[{place}]: one true segment at least was expected")
        if found is None:
            out.append(None)
            continue
        segments = _segments("predicted", place, found)
        out.append(temporal_iou(segments[:, None], right[None]).max(axis=1) if len(segments) else np.zeros(0))
    return out


def _segments(name: str, place: int, given: ArrayLike | None) -> Values:
    try:
        segments = reals(given)
    except (TypeError, ValueError):
        segments = np.zeros(())
    if segments.size == 0 and segments.ndim:
        return np.zeros((0, 2))
    if segments.shape[-1:] != (2,) or segments.ndim > 2:
        raise ValueError(f"{name}[{place}]: segments as start, end were expected, not {given!r:.80}")
    segments = segments.reshape(-1, 2)
    if not np.isfinite(segments).all() or (segments[:, 1] < segments[:, 0]).any():
        raise ValueError(
            f"{name}[{place}]: segments from a finite start to an end not before it were expected, not {given!r:.80}"
        )
    return segments


def _first(overlaps: list[Values | None], k: int) -> Values:
    """The best among the first ``k`` of each query, 0 where there is none, NaN where they never came."""
    return np.array([np.nan if one is None else one[:k].max(initial=0.0) for one in overlaps], dtype=np.float64)


def _reached(best: Values, at: float) -> Values:
    return np.where(np.isnan(best), np.nan, best >= at)


def named(name: str) -> Metric:
    """``moment_recall@1,tiou=0.5`` with any k and tIoU, or ``moment_tiou``."""
    if name == MEAN_TIOU.name:
        return MEAN_TIOU
    at = AT.fullmatch(name)
    assert at is not None, f"{name!r} is no metric of moments"
    return _recall(int(at[1]), float(at[2]))


def _recall(k: int, at: float) -> Metric:
    name = f"moment_recall@{k},tiou={at:.10g}"
    return Metric(
        name,
        functools.partial(measure_moments, k=k, tiou=at),
        weighted_mean(name),
        interval="wilson",
        unit="query",
        item=name,
        signature=sign(name, "moments:any"),
        source="Gao et al. 2017",
        family="moments",
        definition=f"the share of queries of whose first {k} segments one overlaps a true one by tIoU ≥ {at:.10g}",
        edge="a query without segments is wrong; undefined without queries",
    )


MEAN_TIOU = Metric(
    "moment_tiou",
    measure_moments,
    weighted_mean("moment_tiou"),
    unit="query",
    item="moment_tiou",
    signature=sign("moment_tiou", "moments:any"),
    source="Gao et al. 2017",
    family="moments",
    definition="the mean over queries of the tIoU of the first segment with the true one, or the best of several",
    edge="0 for a query without segments; undefined without queries",
)
