"""Ratings from preferences: who was liked better, two at a time or in whole rankings.

>>> found = bradley_terry(battles(["x", "y", "x", "z"], ["y", "z", "z", "x"], [1, 1, 0.5, 0], counts=[8, 7, 6, 3]))
>>> found.names[int(found.theta.argmax())]
'x'

- `battles`: pairs and their outcomes, checked; `components`, `separated`: can they be rated, and finitely?
- `bradley_terry`: ratings with sandwich intervals; ties as half wins, Davidson's or Rao and Kupper's; position; style
  (`relative_style`). `bootstrap_ratings`: the same by the bootstrap. `intransitivity`: does one scale fit?
- `plackett_luce`: ratings from rankings. `elo`: the running rating, and how much it owes to the order.
- `Ratings`: `elo()` for display, `anchored(name)`, `difference(a, b)`, `ranks()` by simultaneous tests.
"""

from assay.stats.preference.battles import Battles, battles, components, separated
from assay.stats.preference.elo import Elo, elo
from assay.stats.preference.paired import bootstrap_ratings, bradley_terry, intransitivity, relative_style
from assay.stats.preference.rankings import plackett_luce
from assay.stats.preference.ratings import Coefficient, Ratings

__all__ = [
    "Battles",
    "Coefficient",
    "Elo",
    "Ratings",
    "battles",
    "bootstrap_ratings",
    "bradley_terry",
    "components",
    "elo",
    "intransitivity",
    "plackett_luce",
    "relative_style",
    "separated",
]
