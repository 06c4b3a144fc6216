"""Group-sequential boundaries: a few looks that were planned, each with the share of α that it may spend.

Under no difference the standardised mean at looks with information fractions t₁ < … < t_K is a Brownian motion seen at these
times. The boundary of each look is where the chance of a first crossing equals what is newly spent, found by integrating the
density of what has not crossed (Armitage, McPherson & Rowe 1969). Spending functions: Lan & DeMets 1983, in the manner of
O'Brien & Fleming 1979 (2(1 - Φ(z_{α/4} / √t)) on either side: hardly anything early, nearly a fixed test at the end) or of
Pocock 1977 (α ln(1 + (e - 1) t): alike at all looks). Looks need not be those planned, only the function.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.stats.inputs import numbers, share
from assay.stats.quantiles import normal

Values = NDArray[np.float64]

NODES = 128
"""Points at which a density is held; the boundaries are then right to about 1e-8."""

FAR = 40.0
"""No boundary lies further out."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks of a test: at ``fractions`` of the planned samples a |z| of ``z`` (a two-sided p of ``p``) stops it; ``spent`` so far."""

    fractions: Values
    z: Values
    p: Values
    spent: Values


def group_sequential(fractions: Sequence[float], *, alpha: float = 0.05, spending: str = "obrien_fleming") -> Looks:
    """The boundaries of a two-sided test at level ``alpha`` that is looked at after these ``fractions`` of its samples.

    ``spending`` is ``obrien_fleming`` or ``pocock``. At the k-th look compare the p-value of the samples so far with ``p[k]``.
    Raises `ValueError` for fractions that do not rise within (0, 1], another function, an ``alpha`` not between 0 and 1.

    >>> group_sequential([0.2, 0.4, 0.6, 0.8, 1]).z.round(3).tolist()
    [4.877, 3.357, 2.68, 2.29, 2.031]
    """
    t = numbers(list(fractions), "fractions", least=1)
    if not (t > 0).all() or not (t <= 1).all() or (np.diff(t) <= 0).any():
        raise ValueError(f"fractions that rise within (0, 1] were expected, not {t.tolist()}")
    if spending not in ("obrien_fleming", "pocock"):
        raise ValueError(f"spending of obrien_fleming or pocock was expected, not {spending!r}")
    share(alpha, "alpha")
    spent = np.array([_spent(float(at), alpha, spending) for at in t])
    z = _boundaries(t, np.diff(spent, prepend=0.0))
    return Looks(t, z, np.array([math.erfc(one / math.sqrt(2)) for one in z]), spent)


def _spent(t: float, alpha: float, spending: str) -> float:
    """α spent on both sides together at the fraction ``t``."""
    if spending == "pocock":
        return alpha * math.log1p((math.e - 1) * t)
    return 2 * math.erfc(normal(1 - alpha / 4) / math.sqrt(2 * t))


def _boundaries(t: Values, newly: Values) -> Values:
    """|z| at each look, where the chance of the first crossing is ``newly``."""
    out = np.empty(len(t))
    at, density = np.zeros(1), np.ones(1)  # of the motion times the weights of the integral: at first all is at 0
    for look, step in enumerate(np.sqrt(np.diff(t, prepend=0.0))):
        root = math.sqrt(float(t[look]))
        low, high = 0.0, FAR
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if _crossed(middle * root, at, density, step) > newly[look] else (low, middle)
        out[look] = (low + high) / 2
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        edge = out[look] * root
        points = edge * nodes
        kernel = np.exp(-(((points[:, None] - at) / step) ** 2) / 2) / (step * math.sqrt(2 * math.pi))
        at, density = points, (kernel @ density) * edge * weights
    return out


def _crossed(edge: float, at: Values, density: Values, step: float) -> float:
    """The chance of lying beyond ±``edge`` after the step."""
    from scipy.special import ndtr

    return float(density @ (ndtr((at - edge) / step) + ndtr((-edge - at) / step)))
