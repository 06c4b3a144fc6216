"""Mutual information between the embeddings of two modalities: from neighbours, from canonical correlations, as a bound.

- ``ksg1``, ``ksg2`` (Kraskov, Stögbauer & Grassberger 2004, estimators 1 and 2, maximum norm): from the distances to the
  k-th neighbours. For up to about 10 dimensions in all, and for information well below ln N; more dimensions are refused
  unless each side is reduced to its first principal components, whitened.
- ``gaussian``: -½ Σ ln(1 - ρ²) over the canonical correlations, right where both are jointly Gaussian; in sample it is too
  large on few rows (refused for n < 10 max(p, q)), ``gaussian_held_out`` takes the held-out ρ.
- ``infonce``: ln N - the contrastive loss of the pairs, at best ln N (the ceiling, in the signature), which bounds the
  information from below where the embeddings were not trained on these pairs. Oord, Li & Vinyals 2018; Poole et al. 2019.

KSG and InfoNCE are means over pairs: ``items`` holds each pair's, the interval is Student's t over them. KSG's pairs share
neighbours, so its variance is doubled (simulated with k from 3 to 5: standard deviations are 1.2 to 1.4 times those of
independent terms). No interval knows the bias of KSG where dependence is strong in several dimensions: it is too low there.
Where values repeat, so that neighbours are at distance 0, noise of 1e-10 standard deviations parts them (``ties:noise``).
Bits by default; computed in nats.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.correlated import cca
from assay.metrics.embeddings import figure, pairs, unit_vectors
from assay.stats.clustered import mean_se
from assay.stats.inputs import floats
from assay.stats.quantiles import student
from assay.stats.streams import stream
from assay.types import Estimate

Values = NDArray[np.float64]

MOST_DIMENSIONS = 10
"""Dimensions of both sides together that neighbours are looked for in."""

MOST_SCORES = 1 << 24
"""Scores that are held at once (128 MB)."""

METHODS = ("ksg1", "ksg2", "gaussian", "gaussian_held_out", "infonce")


def mutual_information(
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: str = "ksg1",
    k: int = 3,
    components: int | None = None,
    temperature: float = 0.07,
    base: float = 2.0,
) -> Estimate:
    """The mutual information of ``x[n, p]`` and ``y[n, q]`` (or ``x[n]``, ``y[n]``), pairs row by row, in units of ``base``.

    ``method`` is one of `METHODS`. KSG: ``k`` neighbours, each side first reduced to ``components`` where given. InfoNCE:
    cosines over ``temperature``, both ways averaged. Estimates may be slightly negative and are not clipped. Raises
    `ValueError` for another method or base, k not below n, too many dimensions, and as `assay.metrics.cca`.

    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 2000).T
    >>> round(mutual_information(x, y, base=math.e).value, 8)
    0.52486139
    """
    if method not in METHODS:
        raise ValueError(f"a method of {', '.join(METHODS)} was expected, not {method!r}")
    if not (base > 1 and math.isfinite(base)):
        raise ValueError(f"a base above 1 was expected (2 for bits, e for nats), not {base}")
    a, b = pairs(_columns("x", x), _columns("y", y), least=4)
    unit = "bits" if base == 2 else "nats" if base == math.e else f"base-{base:g}"
    name, nats = "mutual_information", math.log(base)
    if method.startswith("gaussian"):
        found = cca(a, b, held_out=method == "gaussian_held_out", permutations=0)["cca"]
        rho = np.maximum(found.items if found.items is not None else np.zeros(0), 0)
        with np.errstate(divide="ignore"):
            value = -0.5 * float(np.log1p(-(rho**2)).sum())
        return figure(name, value / nats, n=len(a), recipe=(method, unit, *found.signature.split("|")[1:5]))
    recipe = [method, unit]
    if method == "infonce":
        items = infonce(a, b, temperature)
        recipe += [f"temperature:{temperature:g}", f"ceiling:{math.log(len(a)) / nats:.3f}"]
    else:
        a, b = _reduced(a, b, components)
        recipe += [f"k:{k}", f"n:{len(a)}", *([] if components is None else [f"components:{components}"])]
        if _repeats(a, b, k):
            a, b, recipe = *_parted(a, b), [*recipe, "ties:noise"]
        items = ksg(a, b, k, second=method == "ksg2")
    items = items / nats
    widened = 1.0 if method == "infonce" else math.sqrt(2)
    reach = student(0.975, len(items) - 1) * mean_se(items) * widened
    value = float(items.mean())
    return figure(name, value, (value - reach, value + reach), n=len(a), recipe=tuple(recipe), items=items)


def ksg(a: Values, b: Values, k: int = 3, *, second: bool = False) -> Values:
    """What each pair adds to the KSG estimate ``[n]``, whose mean is the estimate, in nats.

    The first estimator counts neighbours strictly within the distance to the k-th of the joint space; the ``second`` takes
    each side's own distance among those k, and counts what is not beyond it.
    """
    from scipy.spatial import cKDTree
    from scipy.special import digamma

    n = len(a)
    if not 1 <= k < n:
        raise ValueError(f"a number of neighbours from 1 to {n - 1} was expected, not {k}")
    joint = np.hstack([a, b])
    found = cKDTree(joint).query(joint, k + 1, p=np.inf)
    if second:
        others = np.asarray(found[1])[:, 1:]
        reach = [np.abs(side[others] - side[:, None]).max(axis=(1, 2)) for side in (a, b)]
        within = [_within(side, r, 1) - 1 for side, r in zip((a, b), reach, strict=True)]
        return np.asarray(digamma(k) - 1 / k + digamma(n) - digamma(within[0]) - digamma(within[1]))
    distance = np.asarray(found[0])[:, -1]
    within = [np.maximum(_within(side, distance, -1), 1) for side in (a, b)]
    return np.asarray(digamma(k) + digamma(n) - digamma(within[0]) - digamma(within[1]))


def _repeats(a: Values, b: Values, k: int) -> bool:
    """Whether some pair occurs more than k times, so that its k-th neighbour is at distance 0."""
    return bool(np.unique(np.hstack([a, b]), axis=0, return_counts=True)[1].max() > k)


def _parted(a: Values, b: Values) -> tuple[Values, Values]:
    rng = stream(0, "ksg", "ties")
    noisy = []
    for side in (a, b):
        spread = side.std(axis=0)
        scale = np.where(spread > 0, spread, np.maximum(np.abs(side).max(axis=0), 1))
        noisy.append(side + 1e-10 * scale * rng.standard_normal(side.shape))
    return noisy[0], noisy[1]


def _within(side: Values, reach: Values, edge: int) -> NDArray[np.int64]:
    """How many rows lie within ``reach[n]`` of each row in the maximum norm, itself included.

    Those at just that distance count with an ``edge`` of 1 and do not with -1; sums are rounded, so that the edge is as wide
    as their rounding.
    """
    reach = reach + edge * 4 * np.finfo(np.float64).eps * (np.abs(side).max() + reach)
    if side.shape[1] == 1:
        line = side[:, 0]
        ordered = np.sort(line)
        last = np.searchsorted(ordered, line + reach, side="right")
        return np.asarray(last - np.searchsorted(ordered, line - reach, side="left"))
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(side).query_ball_point(side, np.maximum(reach, 0), p=np.inf, return_length=True))


def infonce(a: Values, b: Values, temperature: float) -> Values:
    """ln N less each pair's contrastive loss, the mean of both ways ``[n]``, in nats."""
    if not (temperature > 0 and math.isfinite(temperature)):
        raise ValueError(f"a positive temperature was expected, not {temperature}")
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"embeddings of one space were expected, not of widths {a.shape[1]} and {b.shape[1]}")
    u, v = unit_vectors("x", a) / temperature, unit_vectors("y", b)
    own = (u * v).sum(axis=1)
    there, back = _log_sums(u, v), _log_sums(v, u)
    return np.asarray(math.log(len(u)) + own - (there + back) / 2)


def _log_sums(u: Values, v: Values) -> Values:
    """ln Σⱼ exp(uᵢ · vⱼ) for each i, a block of rows at a time."""
    step = max(1, MOST_SCORES // len(v))
    parts = []
    for start in range(0, len(u), step):
        scores = u[start : start + step] @ v.T
        top = scores.max(axis=1)
        parts.append(top + np.log(np.exp(scores - top[:, None]).sum(axis=1)))
    return np.concatenate(parts)


def _columns(name: str, values: ArrayLike) -> ArrayLike:
    array = floats(values, name)
    return array[:, None] if array.ndim == 1 else array


def _reduced(a: Values, b: Values, components: int | None) -> tuple[Values, Values]:
    """Each side's first principal components, whitened."""
    if components is not None and components < 1:
        raise ValueError(f"at least one component was expected, not {components}")
    if components is not None:
        a, b = _whitened(a, components), _whitened(b, components)
    if a.shape[1] + b.shape[1] > MOST_DIMENSIONS:
        raise ValueError(
            f"{a.shape[1]} + {b.shape[1]} dimensions are too many for neighbours (at most {MOST_DIMENSIONS} in all); "
            "give components=4, or take the method gaussian_held_out or infonce"
        )
    return a, b


def _whitened(side: Values, components: int) -> Values:
    left, values, _ = np.linalg.svd(side - side.mean(axis=0), full_matrices=False)
    rank = int((values > 1e-12 * values.max(initial=0)).sum())
    return np.asarray(left[:, : min(components, max(rank, 1))] * math.sqrt(len(side)))
