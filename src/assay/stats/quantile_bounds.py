"""Does a quantile of a latency keep within a bound? How many observations say so with confidence.

Of n independent observations t lie beyond the bound. That a share p of all lies within it is shown with confidence c where so few
beyond it would be seen in at most 1 - c of cases if exactly p lay within: I_p(n - t, t + 1) ≤ 1 - c, the regularised
incomplete beta function. Source: the rule of early stopping of MLPerf's LoadGen (`early_stopping.cc`), without its tolerance.
"""

from __future__ import annotations

from assay.stats.inputs import share

MOST = 1 << 40
"""More observations are never asked for."""


def observations_needed(p: float, beyond: int, *, confidence: float = 0.99) -> int:
    """The least number of observations of which ``beyond`` may lie beyond a bound that a share ``p`` of all shall keep.

    Raises `ValueError` for a share or a confidence not between 0 and 1, and for ``beyond`` below 0.

    >>> observations_needed(0.9, 1), observations_needed(0.99, 1)
    (64, 662)
    """
    from scipy.special import betainc

    share(p, "a share")
    share(confidence, "a confidence")
    if beyond < 0:
        raise ValueError(f"a number of observations beyond the bound of 0 or more was expected, not {beyond}")
    low, high = 0, 1  # so many within the bound are too few, and enough
    while betainc(high, beyond + 1, p) > 1 - confidence:
        low, high = high, high * 2
        if high > MOST:
            raise ValueError(f"a share of {p} would need more than {MOST} observations")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if betainc(middle, beyond + 1, p) > 1 - confidence else (low, middle)
    return high + beyond


def allowed_beyond(p: float, n: int, *, confidence: float = 0.99) -> int | None:
    """How many of ``n`` observations may lie beyond the bound so that a share ``p`` of all keeps it; None where ``n`` are too few.

    The bound that n observations show is thus their (t + 1)-th greatest. Raises `ValueError` as `observations_needed`.

    >>> allowed_beyond(0.9, 64), allowed_beyond(0.9, 43)
    (1, None)
    """
    if observations_needed(p, 0, confidence=confidence) > n:
        return None
    low, high = 0, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        enough = observations_needed(p, middle, confidence=confidence) <= n
        low, high = (middle, high) if enough else (low, middle)
    return low
