"""What a sequential test shows after each sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Monitored:
    """Arrays ``[n]``, a place for each sample so far.

    ``estimate``: the mean; ``e``: the evidence against the null value (its expectation is at most 1 under it); ``p``: the
    least 1/e so far; ``low`` and ``high``: a confidence sequence, all of which holds the truth with probability
    1 - ``alpha``. Before anything can be said, e and p are 1 and the bounds those of the scale.
    """

    estimate: Values
    e: Values
    p: Values
    low: Values
    high: Values
    alpha: float

    @property
    def stopped(self) -> int | None:
        """After how many samples p was first at most alpha; None as long as it was not."""
        crossed = np.flatnonzero(self.p <= self.alpha)
        return int(crossed[0]) + 1 if len(crossed) else None


def least_p(e: Values) -> Values:
    """The running minimum of 1/e, at most 1.

    >>> least_p(np.array([0.5, 4.0, 2.0])).tolist()
    [1.0, 0.25, 0.25]
    """
    return np.asarray(np.minimum.accumulate(1 / np.maximum(e, 1.0)))
