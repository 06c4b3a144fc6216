"""What a paired comparison says, as a sentence: who is better and by how much, or that the data cannot decide."""

from __future__ import annotations

import math

from assay.report import notation
from assay.report.content import Contrast, ReportContent
from assay.report.selection import ALL, CLEAN, condition_name

DECIDED, ALIKE, OPEN = "decided", "alike", "open"


def main(content: ReportContent) -> list[Contrast]:
    """The comparisons that stand at the top: headline metrics over whole data; what is decided comes first."""
    whole = [c for c in content.contrasts if c.headline and (c.slice, c.condition) == (ALL, CLEAN)]
    return sorted(whole, key=lambda contrast: kind(contrast) != DECIDED)


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
    'joint − fused = +.040 [.010, .070], p = .020 (paired, Holm over 6), n = 900'
    """
    if math.isnan(contrast.difference):
        return f"n = {contrast.n:,}"
    corrected = f"paired, Holm over {contrast.family}" if contrast.family > 1 else "paired"
    shown = notation.difference(contrast.difference, contrast.bounds)
    spread = notation.interval(contrast.low, contrast.high, contrast.bounds, contrast.difference)
    chance = notation.probability(contrast.p_holm)
    return f"{contrast.a} {notation.MINUS} {contrast.b} = {shown} {spread}, {chance} ({corrected}), n = {contrast.n:,}"


def _part(contrast: Contrast) -> str:
    """Which part of the data, where it is not all of it as it is."""
    part = "" if contrast.slice == "all" else f", {contrast.slice}"
    return part if contrast.condition == "clean" else f"{part}, {condition_name(contrast.condition)}"
