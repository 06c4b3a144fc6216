"""Statistics over rows: intervals by resampling units, paired comparisons with a verdict, tests, corrections, power.

Everything here knows of a metric only that it has a name, an aggregate under weights, bounds and a direction
(`assay.stats.measured.Measured`). A *unit* is what is resampled: ten questions about one image are one unit.

- Metrics: `intervals` (many metrics over many slices in one pass), `interval` (one), `slices`; `compare` (two runs,
  paired, with a verdict), `shared` (the rows that two runs have in common), `paired_bootstrap`.
- Any statistic: `bootstrap`, `two_stage_bootstrap`. Means: `clustered_mean`, `mean_se`, `wild_cluster`, `replicated_mean`. Proportions:
  `wilson`, `clopper_pearson`, `jeffreys`, `wald`.
- Tests of pairs: `paired_permutation`, `mcnemar`, `mcnemar_chi2`, `mcnemar_clustered`, `wilcoxon`; of two groups:
  `two_sample_permutation`, `brunner_munzel`; of several models: `cochran_q`, `friedman`, `nemenyi`, `rank_sets`;
  of too small a difference: `tost`, `non_inferiority`.
- Effects: `cohens_h`, `cohens_d`, `matched_odds_ratio`, `superiority`. Corrections: `holm`, `benjamini_hochberg`,
  `benjamini_yekutieli`, `max_t`. Planning: `sample_size`, `detectable`, `power`, `paired_variance`, `design_effect`,
  `intraclass_correlation`, `units_to_decide`; of a quantile: `observations_needed`, `allowed_beyond`.
- `assay.stats.sequential`: tests that may be looked at after every sample. `assay.stats.preference`: ratings from
  comparisons and rankings.
- `stream(seed, *names)`: a generator of its own for every named purpose, the same in every process.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from assay.stats.clustered import Mean, Wild, clustered_mean, mean_se, wild_cluster
from assay.stats.compare import Comparison, compare, shared
from assay.stats.finding import Finding
from assay.stats.interval import Interval, interval, intervals
from assay.stats.mcnemar import discordant, mcnemar, mcnemar_chi2, mcnemar_clustered
from assay.stats.measured import Measured, OfPrepared, OfSpread, OfSums, Statistic
from assay.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, holm, max_t
from assay.stats.paired import Difference, PairedBootstrap, paired_bootstrap, paired_permutation, wilcoxon
from assay.stats.power import (
    design_effect,
    detectable,
    intraclass_correlation,
    paired_variance,
    power,
    sample_size,
    units_to_decide,
)
from assay.stats.proportions import clopper_pearson, jeffreys, wald, wilson
from assay.stats.slices import slices
from assay.stats.streams import stream

if TYPE_CHECKING:
    from assay.stats.effects import cohens_d, cohens_h, matched_odds_ratio, superiority
    from assay.stats.equivalence import Equivalence, non_inferiority, tost
    from assay.stats.quantile_bounds import allowed_beyond, observations_needed
    from assay.stats.replicated import Replicated, replicated_mean
    from assay.stats.several import RankSet, cochran_q, friedman, nemenyi, rank_sets
    from assay.stats.statistic import Bootstrap, bootstrap, two_stage_bootstrap
    from assay.stats.unpaired import Superiority, brunner_munzel, two_sample_permutation

HOMES = {
    "Bootstrap": "statistic",
    "Equivalence": "equivalence",
    "RankSet": "several",
    "Replicated": "replicated",
    "Superiority": "unpaired",
    "allowed_beyond": "quantile_bounds",
    "bootstrap": "statistic",
    "brunner_munzel": "unpaired",
    "cochran_q": "several",
    "cohens_d": "effects",
    "cohens_h": "effects",
    "friedman": "several",
    "matched_odds_ratio": "effects",
    "nemenyi": "several",
    "non_inferiority": "equivalence",
    "observations_needed": "quantile_bounds",
    "rank_sets": "several",
    "replicated_mean": "replicated",
    "superiority": "effects",
    "tost": "equivalence",
    "two_sample_permutation": "unpaired",
    "two_stage_bootstrap": "statistic",
}
"""What metrics do not need is imported when it is first used."""

__all__ = [
    "Bootstrap",
    "Comparison",
    "Difference",
    "Equivalence",
    "Interval",
    "Mean",
    "Measured",
    "OfPrepared",
    "OfSpread",
    "OfSums",
    "PairedBootstrap",
    "RankSet",
    "Replicated",
    "Statistic",
    "Superiority",
    "Finding",
    "Wild",
    "allowed_beyond",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "bootstrap",
    "brunner_munzel",
    "clopper_pearson",
    "clustered_mean",
    "cochran_q",
    "cohens_d",
    "cohens_h",
    "compare",
    "design_effect",
    "detectable",
    "discordant",
    "friedman",
    "holm",
    "interval",
    "intervals",
    "intraclass_correlation",
    "jeffreys",
    "matched_odds_ratio",
    "max_t",
    "mcnemar",
    "mcnemar_chi2",
    "mcnemar_clustered",
    "mean_se",
    "nemenyi",
    "non_inferiority",
    "observations_needed",
    "paired_bootstrap",
    "paired_permutation",
    "paired_variance",
    "power",
    "rank_sets",
    "replicated_mean",
    "sample_size",
    "shared",
    "slices",
    "stream",
    "superiority",
    "tost",
    "two_sample_permutation",
    "two_stage_bootstrap",
    "units_to_decide",
    "wald",
    "wilcoxon",
    "wild_cluster",
    "wilson",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'assay.stats' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"assay.stats.{HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
