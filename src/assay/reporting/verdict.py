"""What a paired comparison says, as a sentence: who is better and by how much, or that the data cannot decide."""

from __future__ import annotations

import math

from assay.evaluation.compare import Compared, Comparison
from assay.reporting import notation
from assay.reporting.content import Contrast, ReportContent
from assay.reporting.selection import ALL, CLEAN, condition_name

DECIDED, ALIKE, OPEN = "decided", "alike", "open"


def contrast(comparison: Comparison, row: Compared, *, names: tuple[str, str], place: tuple[str, str]) -> Contrast:
    """A row of a comparison as the page shows it: under the page's ``names`` of A and B, in a ``place`` (data and slice)."""
    winners = {"better": names[0], "worse": names[1]}
    return Contrast(
        task=comparison.task,
        data=place[0],
        metric=row.metric,
        a=names[0],
        b=names[1],
        difference=row.difference,
        low=row.low,
        high=row.high,
        p=row.p,
        p_holm=row.p_holm,
        n=row.n,
        winner=winners.get(row.verdict, ""),
        equivalent=row.verdict == "equivalent",
        n_needed=row.n_needed,
        n_missing=row.n_missing,
        family=comparison.family or len(comparison.rows),
        unit=row.unit,
        slice=place[1],
        condition=row.condition,
        headline=row.metric == comparison.rows[0].metric,
        bounds=notation.bounds(row.metric),
        signature=row.signature,
        note="; ".join([*comparison.notes, *changes(comparison, row, names[0])]),
    )


def changes(comparison: Comparison, row: Compared, name: str) -> list[str]:
    """On how many rows one model was better, beside the figure that they make up; `assay compare --flips` names them."""
    found, headline = comparison.flips, row is comparison.rows[0]
    if found is None or not headline or not (found.better or found.worse):
        return []
    return [f"{name} better on {found.better:,} of {found.compared:,} rows, worse on {found.worse:,}"]


def main(content: ReportContent) -> list[tuple[Contrast, tuple[Contrast, ...]]]:
    """The comparisons that stand at the top, pair by pair: the headline metric over the data as a whole, then over its parts."""
    pools = {card.name for card in content.data if card.parts}
    pairs: dict[tuple[str, str, str], list[Contrast]] = {}
    for c in content.contrasts:
        if c.headline and (c.slice, c.condition) == (ALL, CLEAN):
            pairs.setdefault((c.task, c.a, c.b), []).append(c)
    ordered = [sorted(found, key=lambda c: c.data not in pools) for found in pairs.values()]
    return [(lead, tuple(parts)) for lead, *parts in ordered]


def kind(contrast: Contrast) -> str:
    """``decided``, ``alike`` (shown to be equivalent) or ``open``."""
    if contrast.winner:
        return DECIDED
    return ALIKE if contrast.equivalent else OPEN


def claim(contrast: Contrast) -> str:
    """The sentence without figures.

    >>> nan = math.nan
    >>> claim(Contrast("retrieval", "emoji:test", "hit@1", "joint", "fused", .04, .01, .07, .01, .02, 900, winner="joint"))
    'joint is better than fused in hit@1 on emoji:test.'
    >>> claim(Contrast("retrieval", "emoji:test", "hit@1", "joint", "fused", .004, -.02, .03, .6, .6, 900, n_needed=8400))
    'joint and fused cannot be told apart in hit@1 on emoji:test: inconclusive, needs about n = 8,400.'
    """
    where = f"in {contrast.metric} on {contrast.data}{_part(contrast)}"
    if contrast.winner:
        loser = contrast.b if contrast.winner == contrast.a else contrast.a
        return f"{contrast.winner} is better than {loser} {where}."
    pair = f"{contrast.a} and {contrast.b}"
    if contrast.equivalent:
        return f"{pair} are alike {where}: whatever difference there is, it is too small to matter."
    if contrast.n == 0 or math.isnan(contrast.difference):
        return f"{pair} could not be compared {where}: they have no {contrast.unit} in common."
    needs = "" if contrast.n_needed is None else f", needs about n = {contrast.n_needed:,}"
    return f"{pair} cannot be told apart {where}: inconclusive{needs}."


def evidence(contrast: Contrast) -> str:
    """The figures behind the sentence.

    >>> evidence(Contrast("retrieval", "emoji:test", "hit@1", "joint", "fused", .04, .01, .07, .01, .02, 900, family=6))
    'joint − fused = +.040 [.010, .070], p = .020, n = 900 (paired, Holm over 6)'
    """
    how = f"paired, Holm over {contrast.family}" if contrast.family > 1 else "paired"
    corrected = f" ({how}{f'; {contrast.note}' if contrast.note else ''})"
    pair = "" if math.isnan(contrast.difference) else f"{contrast.a} {notation.MINUS} {contrast.b} = "
    return f"{pair}{figures(contrast)}{corrected if pair else ''}"


def short(contrast: Contrast) -> str:
    """The verdict in a few words, for a line of a list."""
    if contrast.winner:
        return f"{contrast.winner} is better"
    if contrast.equivalent:
        return "alike"
    return "inconclusive" if contrast.n_needed is None else f"inconclusive, needs about n = {contrast.n_needed:,}"


def figures(contrast: Contrast) -> str:
    """The difference with its interval, the corrected p and the n."""
    if math.isnan(contrast.difference):
        return f"n = {contrast.n:,}"
    shown = notation.difference(contrast.difference, contrast.bounds)
    spread = notation.interval(contrast.low, contrast.high, contrast.bounds, contrast.difference)
    return f"{shown} {spread}, {notation.probability(contrast.p_holm)}, n = {contrast.n:,}"


def _part(contrast: Contrast) -> str:
    """Which part of the data, where it is not all of it as it is."""
    part = "" if contrast.slice == "all" else f", {contrast.slice}"
    return part if contrast.condition == "clean" else f"{part}, {condition_name(contrast.condition)}"
