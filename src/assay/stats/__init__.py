"""Statistics over rows: intervals by resampling units, slices, paired comparisons.

Everything here knows of a metric only that it has a name, an aggregate under weights, bounds and a direction
(`assay.stats.measured.Measured`). A *unit* is what is resampled: ten questions about one image are one unit.

- `intervals(metrics, rows, unit=None, *, slices=None, seed=0, resamples=9_999, level=0.95) -> list[Interval]`:
  values and intervals of many metrics over many slices in one pass; `interval(metric, rows, …) -> (low, high)`: one.
- `slices(columns, crossed=()) -> dict[str, mask]`: ``all``, ``style=noto``, ``split=test & direction=image->text``.
- `compare(metrics, rows_a, rows_b, unit=None, *, margin=None, seed=0, alpha=0.05) -> list[Comparison]`: paired, with
  a verdict; `shared(keys_a, keys_b)`: the positions of the keys that two runs have in common.
- `holm`, `benjamini_hochberg`, `wilson`, `mean_se`, `mcnemar`, `sample_size`: the textbook pieces by themselves.
- `stream(seed, *names)`: a generator of its own for every named purpose, the same in every process.
"""

from assay.stats.clustered import mean_se
from assay.stats.compare import Comparison, compare, shared
from assay.stats.interval import Interval, interval, intervals
from assay.stats.mcnemar import mcnemar
from assay.stats.multiplicity import benjamini_hochberg, holm
from assay.stats.power import sample_size
from assay.stats.proportions import wilson
from assay.stats.slices import slices
from assay.stats.streams import stream

__all__ = [
    "Comparison",
    "Interval",
    "benjamini_hochberg",
    "compare",
    "holm",
    "interval",
    "intervals",
    "mcnemar",
    "mean_se",
    "sample_size",
    "shared",
    "slices",
    "stream",
    "wilson",
]
