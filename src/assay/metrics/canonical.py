"""Canonical directions of two modalities, fitted in sample or without a fold; what CCA, SVCCA and PWCCA are made of.

Canonical correlations are the singular values of Σxx^-½ Σxy Σyy^-½. Covariances are whitened by their Cholesky factors
where they are well conditioned (an error of about 1e-10); where they are not, by the singular vectors of the centred
rows, without directions below max(n, p)·ε·σ₁. A ridge adds κ·tr(Σ)/p to a covariance's diagonal; SVCCA keeps of each
side the principal components with a share of the variance.

Rows are centred once by the caller; sums of folds then add up and subtract without loss.

Source: Hotelling 1936; Vinod 1976 (ridge); Björck & Golub 1973 (numerics); Raghu et al. 2017 (SVCCA).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

Values = NDArray[np.float64]

CONDITION = 1e-6
"""Below this reciprocal condition number of a covariance its Cholesky factor is not trusted."""


@dataclass(frozen=True, slots=True)
class How:
    """What is done to each side before it is whitened: a ``ridge`` κ, or components with a share of the ``variance``."""

    ridge: float = 0.0
    variance: float | None = None


PLAIN = How()


@dataclass(frozen=True, slots=True)
class Sums:
    """Of ``n`` rows the sums ``x[p]``, ``y[q]`` and the sums of products ``xx[p, p]``, ``yy[q, q]``, ``xy[p, q]``."""

    n: int
    x: Values
    y: Values
    xx: Values
    yy: Values
    xy: Values

    def plus(self, other: Sums, sign: int = 1) -> Sums:
        """The sums of both sets of rows; with ``sign=-1`` of those that the other set does not hold."""
        mine, theirs = ((s.x, s.y, s.xx, s.yy, s.xy) for s in (self, other))
        return Sums(self.n + sign * other.n, *(a + sign * b for a, b in zip(mine, theirs, strict=True)))

    def centred(self) -> tuple[Values, Values, Values]:
        """``xx``, ``yy`` and ``xy`` about the means of these rows."""
        x, y = self.x, self.y
        return self.xx - np.outer(x, x) / self.n, self.yy - np.outer(y, y) / self.n, self.xy - np.outer(x, y) / self.n


@dataclass(frozen=True, slots=True)
class Directions:
    """Canonical directions ``a[p, k]``, ``b[q, k]``, and their correlations where they were fitted, descending ``[k]``."""

    a: Values
    b: Values
    correlations: Values


def sums_of(x: Values, y: Values) -> Sums:
    """The sums of ``x[n, p]`` and ``y[n, q]``."""
    return Sums(len(x), x.sum(axis=0), y.sum(axis=0), x.T @ x, y.T @ y, x.T @ y)


def fit(sums: Sums, x: Values, y: Values, how: How = PLAIN) -> Directions:
    """The canonical directions of some rows; ``x`` and ``y`` are those rows, looked at where their sums do not do."""
    xx, yy, cross = sums.centred()
    of_x, of_y = _whitening(xx, how), _whitening(yy, how)
    if of_x is None or of_y is None:
        base_x, of_x = _orthogonal(x, how)
        base_y, of_y = _orthogonal(y, how)
        cross = base_x.T @ base_y
    else:
        cross = of_x.T @ cross @ of_y
    left, correlations, right = np.linalg.svd(cross, full_matrices=False)
    return Directions(of_x @ left, of_y @ right.T, np.clip(correlations, 0, 1))


def correlations(sums: Sums, x: Values, y: Values, how: How = PLAIN) -> Values:
    """The canonical correlations of some rows, without their directions ``[k]``; arguments as `fit`."""
    xx, yy, cross = sums.centred()
    of_x, of_y = _whitening(xx, how), _whitening(yy, how)
    if of_x is None or of_y is None:
        cross = _orthogonal(x, how)[0].T @ _orthogonal(y, how)[0]
    else:
        cross = of_x.T @ cross @ of_y
    return np.clip(np.linalg.svd(cross, compute_uv=False), 0, 1)


def ranks(sums: Sums, x: Values, y: Values) -> tuple[int, int]:
    """In how many dimensions each side varies; the rows are decomposed only where their sums do not tell."""
    return _rank(sums.centred()[0], x), _rank(sums.centred()[1], y)


def _rank(gram: Values, rows: Values) -> int:
    whole = _whitening(gram, PLAIN) is not None
    return len(gram) if whole else int(np.linalg.matrix_rank(rows - rows.mean(axis=0)))


def folds(x: Values, y: Values, count: int, how: How = PLAIN) -> Iterator[tuple[Directions, Values, Sums]]:
    """For each fold i mod ``count`` the directions of the other rows, their correlations on it ``[k]``, the others' sums."""
    parts = [sums_of(x[start::count], y[start::count]) for start in range(count)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.plus(part)
    for start, part in enumerate(parts):
        rest, others = whole.plus(part, -1), np.arange(len(x)) % count != start
        found = fit(rest, x[others], y[others], how)
        yield found, along(found, part, x[start::count], y[start::count]), rest


def along(found: Directions, part: Sums, x: Values, y: Values) -> Values:
    """The correlation of some rows along each pair of directions ``[k]``; 0 where one side does not vary."""
    if len(found.a) + len(found.b) > 2 * part.n:
        u, v = (x - x.mean(axis=0)) @ found.a, (y - y.mean(axis=0)) @ found.b
        products = [(u * v).sum(axis=0), (u * u).sum(axis=0), (v * v).sum(axis=0)]
    else:
        xx, yy, xy = part.centred()
        sides = ((found.a, xy @ found.b), (found.a, xx @ found.a), (found.b, yy @ found.b))
        products = [np.einsum("ik,ik->k", left, right) for left, right in sides]
    below = np.sqrt(np.maximum(products[1], 0) * np.maximum(products[2], 0))
    shares = np.divide(products[0], below, out=np.zeros_like(below), where=below > 0)
    return np.asarray(np.clip(shares, -1, 1))


def _whitening(gram: Values, how: How) -> Values | None:
    """``T`` with TᵀGT = 1, from the Cholesky factor or the eigenvectors of G; None where G is nearly singular."""
    p = len(gram)
    if how.variance is not None:
        variances, axes = np.linalg.eigh(gram)
        variances, axes = variances[::-1], axes[:, ::-1]
        kept = _components(variances, how.variance)
        if not variances[kept - 1] > CONDITION * variances[0] > 0:
            return None
        return np.asarray(axes[:, :kept] / np.sqrt(variances[:kept]))
    if how.ridge:
        gram = gram + how.ridge * np.trace(gram) / p * np.eye(p)
    scale = float(np.abs(gram).sum(axis=0).max(initial=0))
    factor, info = lapack.dpotrf(gram, lower=0)
    if info or scale == 0 or lapack.dpocon(factor, scale)[0] < CONDITION:
        return None
    return np.asarray(solve_triangular(factor, np.eye(p), lower=False))


def _orthogonal(x: Values, how: How) -> tuple[Values, Values]:
    """A base ``[n, r]`` of the centred rows, orthonormal but for the ridge, and the ``T[p, r]`` that makes it of them."""
    centred = x - x.mean(axis=0)
    left, values, right = np.linalg.svd(centred, full_matrices=False)
    rank = int((values > max(centred.shape) * np.finfo(np.float64).eps * values.max(initial=0)).sum())
    if how.variance is not None and rank:
        rank = min(rank, _components(values**2, how.variance))
    left, values, right = left[:, :rank], values[:rank], right[:rank]
    inflated = np.sqrt(values**2 + how.ridge * (values**2).sum() / max(x.shape[1], 1))
    return left * (values / inflated), right.T / inflated


def _components(variances: Values, share: float) -> int:
    """How many of the descending variances make up the share of their sum."""
    reached = np.cumsum(np.maximum(variances, 0))
    return min(int(np.searchsorted(reached, share * reached[-1] * (1 - 1e-12))) + 1, len(variances))
