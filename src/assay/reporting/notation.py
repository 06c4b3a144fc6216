"""How figures are written: always with the interval, never a 0 for what is undefined.

A share loses its leading zero (``.642``), other figures keep as many decimals as their size can bear. The minus is a true
minus sign. Units are part of the text (``12.4 ms``, ``3.1 MB``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from assay import metrics
from assay.metrics.metric import Metric
from assay.types import Estimate

MINUS = "\N{MINUS SIGN}"
UNDEFINED = "undefined"
UNKNOWN = "unknown"
SHARE = (0.0, 1.0)
Bounds = tuple[float, float]


def bounds(metric: str) -> Bounds:
    """Where a metric's values lie; of one that the catalogue does not know nothing is taken for granted.

    >>> bounds("accuracy"), bounds("no such metric")
    ((0.0, 1.0), (-inf, inf))
    """
    known = _known(metric)
    return (-math.inf, math.inf) if known is None else known.bounds


def better(metric: str) -> str:
    """Whether a ``higher`` or a ``lower`` value of a metric is better; empty if it is not known."""
    known = _known(metric)
    return "" if known is None else known.better


def _known(metric: str) -> Metric | None:
    try:
        return metrics.get(metric)
    except ValueError:
        return None  # a metric of the user's own


def is_share(bounds: Bounds) -> bool:
    """Whether a metric lives within [-1, 1], so that three decimals without a leading zero say it best."""
    return bounds[0] >= -1.0 and bounds[1] <= 1.0


def number(value: float, bounds: Bounds = SHARE, like: float | None = None) -> str:
    """One figure; ``like`` is the one that sets the decimals where several belong together.

    >>> number(0.6417), number(1.0), number(-0.02), number(12.345, (1, math.inf)), number(math.nan)
    ('.642', '1.000', '−.020', '12.3', 'undefined')
    """
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if not is_share(bounds):
        return _signless_zero(f"{value:,.{_decimals(value if like is None else like)}f}")
    return re.sub(r"^(\D?)0[.]", r"\1.", _signless_zero(f"{value:.3f}"))


def difference(value: float, bounds: Bounds = SHARE) -> str:
    """A figure with its sign, always.

    >>> difference(0.0412), difference(-0.0412), difference(0.0)
    ('+.041', '−.041', '.000')
    """
    text = number(value, bounds)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def interval(low: float, high: float, bounds: Bounds = SHARE, like: float | None = None) -> str:
    """The interval in brackets, or that there is none.

    >>> interval(0.617, 0.667), interval(math.nan, math.nan)
    ('[.617, .667]', 'no interval')
    """
    if math.isnan(low) or math.isnan(high):
        return "no interval"
    return f"[{number(low, bounds, like)}, {number(high, bounds, like)}]"


def figure(estimate: Estimate, bounds: Bounds = SHARE) -> str:
    """A value with its interval, as it stands in every table.

    >>> figure(Estimate("accuracy", 0.642, 0.617, 0.667, n=1400))
    '.642 [.617, .667]'
    >>> figure(Estimate("accuracy", math.nan, math.nan, math.nan, n=0))
    'undefined'
    """
    if math.isnan(estimate.value):
        return UNDEFINED
    return f"{number(estimate.value, bounds)} {interval(estimate.low, estimate.high, bounds, estimate.value)}"


def why_undefined(estimate: Estimate) -> str:
    """The reason that can be read off an estimate without a value; empty where it has one."""
    if not math.isnan(estimate.value):
        return ""
    if estimate.n == 0 and estimate.n_missing:
        return f"all {estimate.n_missing:,} planned {plural(estimate.unit, estimate.n_missing)} failed"
    if estimate.n == 0:
        return f"no {estimate.unit} to measure"
    return f"{estimate.metric} is not defined on these {estimate.n:,} {plural(estimate.unit, estimate.n)}"


def whatever(found: Sequence[tuple[str, float, float]]) -> str:
    """Between which values figures lie whatever missing answers would have been; of a metric without bounds nothing is said.

    >>> whatever([("accuracy", 0.5, 0.75)])
    'whatever they would have been: accuracy lies between .500 and .750'
    """
    told = [
        f"{name} lies between {number(low, bounds(name))} and {number(high, bounds(name))}"
        for name, low, high in found
        if math.isfinite(low) and math.isfinite(high)
    ]
    return f"whatever they would have been: {', '.join(told)}" if told else "what they would have been is not bounded"


def probability(p: float) -> str:
    """A p value.

    >>> probability(0.0312), probability(0.00001), probability(math.nan)
    ('p = .031', 'p < .001', 'p undefined')
    """
    if math.isnan(p):
        return "p undefined"
    return "p < .001" if p < 0.001 else f"p = {number(p)}"


def count(value: float | None) -> str:
    """A whole number in words a person reads: ``1,204``, ``2.1 M``.

    >>> count(1204), count(2_100_000), count(None)
    ('1,204', '2.1 M', 'unknown')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    for size, unit in ((1e9, "G"), (1e6, "M")):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value:,.0f}"


def seconds(value: float | None) -> str:
    """A duration.

    >>> seconds(0.01243), seconds(2.5), seconds(None)
    ('12.4 ms', '2.50 s', 'unknown')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value < 1:
        return f"{value * 1000:.{_decimals(value * 1000)}f} ms"
    return f"{value:.{_decimals(value)}f} s" if value < 120 else f"{value / 60:.1f} min"


def size(value: float | None) -> str:
    """A number of bytes.

    >>> size(5_600_000), size(900), size(None)
    ('5.6 MB', '900 B', 'unknown')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= scale:
            return f"{value / scale:.1f} {unit}"
    return f"{value:.0f} B"


def plural(noun: str, n: int) -> str:
    """The noun in the number of ``n``.

    >>> plural("sample", 1), plural("sample", 2)
    ('sample', 'samples')
    """
    return noun if n == 1 else f"{noun}s"


def _decimals(value: float) -> int:
    magnitude = abs(value)
    return 2 if magnitude < 10 else 1 if magnitude < 100 else 0


def _signless_zero(text: str) -> str:
    """The text of a number, with a true minus sign unless all its digits are 0."""
    return text.replace("-", MINUS if text.strip("-0.,") else "")
