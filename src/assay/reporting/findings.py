"""What a probe found, in sentences: made from its figures alone, with their intervals, and silent where they are undefined."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from assay.reporting import notation
from assay.types import Estimate

Found = Sequence[Estimate]
LOOKS = {"image": "the picture", "text": "the text", "audio": "the sound", "video": "the film"}


def of(found: Found, metric: str, prefix: str = "") -> list[tuple[str, Estimate]]:
    """The defined figures of a metric with what follows ``prefix`` in their slices."""
    return [
        (one.slice.removeprefix(prefix), one)
        for one in found
        if one.metric == metric and one.slice.startswith(prefix) and not math.isnan(one.value)
    ]


def share(one: Estimate) -> str:
    """A share in per cent with its interval.

    >>> share(Estimate("m", 0.5, 0.25, 0.75, 4))
    '50 % (25 to 75)'
    """
    value, low, high = (
        f"{100 * x:.1f}".removesuffix(".0").replace("-", notation.MINUS) for x in (one.value, one.low, one.high)
    )
    return f"{value} % ({low} to {high})"


def points(one: Estimate) -> str:
    """A difference in points with its sign and interval."""
    value, low, high = (notation.difference(x, (0.0, 1.0)) for x in (one.value, one.low, one.high))
    return f"{value} [{low}, {high}]"


def less(one: Estimate) -> str:
    """How far a figure lies below 0, with its interval.

    >>> less(Estimate("m", -0.5, -0.75, -0.25, 4))
    '.500 [.250, .750]'
    """
    value, low, high = (notation.number(-x) for x in (one.value, one.high, one.low))
    return f"{value} [{low}, {high}]"


def named(modality: str) -> str:
    """A modality in a sentence.

    >>> named("image"), named("text+image")
    ('the picture', 'the text and the picture')
    """
    return " and ".join(LOOKS.get(one, one) for one in modality.split("+"))


def upper(text: str) -> str:
    """With a capital at the start."""
    return text[:1].upper() + text[1:]


def blind(found: Found) -> list[str]:
    """What is reached without each modality."""
    return [
        f"Without {named(m)}, {share(one)} of the score remains." for m, one in of(found, "blind_share", "modality=")
    ]


def contribution(found: Found) -> list[str]:
    """Who carries the answers, and what two say together."""
    values = sorted(of(found, "shapley", "modality="), key=lambda pair: -pair[1].value)
    out = []
    if values:
        first, most = values[0]
        rest = ", ".join(f"{named(m)} {points(one)}" for m, one in values[1:])
        out.append(
            f"{upper(named(first))} carries most: it is worth {points(most)} of the score"
            + (f"; {rest}." if rest else ".")
        )
    for pair, one in of(found, "shapley_interaction", "modality="):
        if one.low > 0:
            out.append(f"{upper(named(pair))} are worth {points(one)} more together than apart.")
        elif one.high < 0:
            out.append(
                f"{upper(named(pair))} partly say the same: together they are worth {less(one)} less than the sum of both."
            )
    return out


def interaction(found: Found) -> list[str]:
    """What interaction is worth."""
    out = []
    for _, one in of(found, "emap_gap"):
        decided = one.low > 0 or one.high < 0
        out.append(
            f"Interaction between modalities is worth {points(one)} of the accuracy"
            + (
                "."
                if decided
                else ": a sum of what each says by itself would do as well, as far as these samples tell."
            )
        )
    return out


def use(found: Found) -> list[str]:
    """What answers rest on."""
    shares = [f"{share(one)} on {named(m)}" for m, one in of(found, "mm_shap", "modality=")]
    return [f"Answers rest {', '.join(shares)}."] if shares else []


def decomposition(found: Found) -> list[str]:
    """What two modalities tell of the answers."""
    out = []
    for pair, one in of(found, "pid_synergistic", "modality="):
        if not pair.endswith(" & of=answers"):
            continue
        both = pair.partition(" & ")[0]
        redundant = next((e for p, e in of(found, "pid_redundant", "modality=") if p == pair), None)
        if redundant is not None:
            out.append(
                f"Of what {named(both)} tell of the answer, {redundant.value:.2f} bits are in either"
                f" and {one.value:.2f} only in both together."
            )
    return out


def consistency(found: Found) -> list[str]:
    """What changes and what is followed."""
    out = []
    for modality, one in of(found, "flip_rate", "modality="):
        if " & " not in modality:
            out.append(f"Changes of {named(modality)} that keep its meaning change {share(one)} of the answers.")
    for pair, one in of(found, "cross_modal_consistency", "modality="):
        out.append(
            f"Through {named(pair).replace(' and ', ' alone and through ')} alone, {share(one)} are answered alike."
        )
    for modality, one in of(found, "modality_preference", "modality="):
        if one.low > 0 or one.high < 0:
            whom = named(modality) if one.value > 0 else "the rest"
            out.append(
                f"Where {named(modality)} and the rest disagree, answers follow {whom} (preference {points(one)})."
            )
    for _, one in of(found, "repeat_stability"):
        if one.value < 1:
            out.append(f"Asked twice, {share(one)} are answered alike.")
    return out


def causal(found: Found) -> list[str]:
    """What moves the answer and should, or should not."""
    out = []
    for attribute, one in of(found, "invariance", "attribute="):
        edit = (
            f"Another {attribute}"
            if " of the same class" in attribute
            else f"Another value of {attribute}, all else equal,"
        )
        out.append(f"{edit} leaves {share(one)} of the answers as they are; all should stay.")
    for attribute, one in of(found, "sensitivity", "attribute="):
        out.append(
            f"Where {attribute} changes the truth, {share(one)} of the answers change to the new one; all should."
        )
    return out


def inside(found: Found) -> list[str]:
    """Which parts of the net bring the answer back."""
    parts = [f"{site} {share(one)}" for site, one in of(found, "patching_recovery", "site=")]
    return [f"What comes back of the clean answer by one part of the net: {', '.join(parts)}."] if parts else []


def mediation(found: Found) -> list[str]:
    """What goes through the model's own words."""
    effects = {name: one for name in ("total_effect", "direct_effect", "indirect_effect") for _, one in of(found, name)}
    if len(effects) < 3:
        return []
    total, direct, indirect = effects.values()
    return [
        f"A picture of another class changes the score by {points(total)}:"
        f" by sight {points(direct)}, by the description {points(indirect)}."
    ]


def robustness(found: Found) -> list[str]:
    """What is retained."""
    out = []
    for part, one in of(found, "retained_ratio", "modality="):
        out.append(
            f"Over five severities of noise in {named(part.partition(' & ')[0])}, {share(one)} of the score is retained."
        )
    for _, one in of(found, "missing_retained_ratio"):
        out.append(
            f"When modalities are missing at rates up to 90 %, {share(one)} of the score is retained on average."
        )
    return out


def fairness(found: Found) -> list[str]:
    """Who is worst served."""
    gaps = dict(of(found, "group_gap", "group="))
    out = []
    for name, one in of(found, "worst_group_score", "group="):
        gap = f"; the best is {points(gaps[name])} above it" if name in gaps else ""
        out.append(f"By {name.replace('_', ' ')}, the worst group scores {score(one)}{gap}.")
    return out


def score(one: Estimate) -> str:
    """A score with its interval."""
    return notation.figure(one, notation.SHARE)


FINDINGS: Mapping[str, Callable[[Found], list[str]]] = {
    "blind": blind,
    "contribution": contribution,
    "emap": interaction,
    "mm_shap": use,
    "pid": decomposition,
    "consistency": consistency,
    "causal": causal,
    "mediation": mediation,
    "patching": inside,
    "robustness": robustness,
    "fairness": fairness,
}
"""By probe; one without sentences shows its question and its figures."""
