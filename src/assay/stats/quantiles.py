"""Normal and Student quantiles, without the second that importing ``scipy.stats`` costs."""

from __future__ import annotations

import functools


@functools.lru_cache(maxsize=256)
def normal(p: float) -> float:
    """The standard normal quantile at ``p``.

    >>> round(normal(0.975), 6)
    1.959964
    """
    from scipy.special import ndtri

    return float(ndtri(p))


@functools.lru_cache(maxsize=256)
def student(p: float, freedom: float) -> float:
    """Student's t quantile at ``p`` with ``freedom`` degrees of freedom.

    >>> round(student(0.975, 3), 4)
    3.1824
    """
    from scipy.special import stdtrit

    return float(stdtrit(freedom, p))
