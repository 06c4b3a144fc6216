"""Tests that may be looked at after every sample: whenever one stops, the error stays at its level.

- `msprt`: differences on any scale, by a mixture of normal likelihood ratios; valid with a known variance, asymptotically
  with an estimated one. `mixture_ratio`: one such ratio.
- `betting`: scores in [0, 1], by betting against a mean; valid for any n and any distribution. `betting_paired`: two
  models' scores of the same samples. `confidence_sequence`: the means that no bet has beaten.
- `group_sequential`: a few looks that were planned, by O'Brien and Fleming's or Pocock's spending of α.
- `average_e`, `e_bh`: several e-values joined, or corrected for how many were looked at.

Samples must come in random order (not in the benchmark's), and rows of one cluster as one score: its mean.
"""

from assay.stats.sequential.betting import betting, betting_paired, confidence_sequence
from assay.stats.sequential.evalues import average_e, e_bh
from assay.stats.sequential.mixture import mixture_ratio, msprt
from assay.stats.sequential.monitored import Monitored
from assay.stats.sequential.spending import Looks, group_sequential

__all__ = [
    "Looks",
    "Monitored",
    "average_e",
    "betting",
    "betting_paired",
    "confidence_sequence",
    "e_bh",
    "group_sequential",
    "mixture_ratio",
    "msprt",
]
