"""Scene-graph F1 against graphs that are known exactly, as made-up scenes have them.

A graph is a set of facts: ``("dog",)`` an object, ``("dog", "black")`` an attribute of it, ``("dog", "on", "mat")`` a relation. Facts are
compared as they stand: no lemmas, no synonyms, no parsing, and a fact said twice is one. A row's F1 is 2 |said and true| over
|said| + |true|; the metric is the mean of the rows, as SPICE's, which this is not (SPICE parses captions and matches by WordNet). ``sgf1``
is of all facts; ``sgf1_objects``, ``sgf1_attributes`` and ``sgf1_relations`` are of those kinds alone.

Source: Anderson et al. 2016 (the F-score over tuples).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.metric import Metric, Rows, sign, weighted_mean
from assay.metrics.standalone import estimate
from assay.stats.inputs import listed
from assay.types import Estimate

Fact = tuple[str, ...]
Graph = Mapping[str, Collection[Any]] | Collection[str | Sequence[str]]

KINDS = {"objects": 1, "attributes": 2, "relations": 3}
"""The parts of a graph that is given as a dict, and how many words make a fact of each."""

NAMES = {"sgf1": None, **{f"sgf1_{kind}": length for kind, length in KINDS.items()}}


@dataclass(frozen=True, slots=True)
class Graphs:
    """A predicted graph a row, None where it is missing, and the true one."""

    predicted: list[frozenset[Fact] | None]
    true: list[frozenset[Fact]]


def paired_graphs(predicted: Sequence[Graph | None], true: Sequence[Graph]) -> Graphs:
    """Predicted and true graphs, checked.

    A graph is a collection of facts (each a text or up to three texts), or a dict of ``objects``, ``attributes``
    (pairs) and ``relations`` (triples). Raises `ValueError` for unequal lengths and for what is no graph, naming the row.

    >>> paired_graphs([{"objects": ["dog"], "attributes": [("dog", "big")]}], [["dog"]]).true
    [frozenset({('dog',)})]
    """
    for what, graphs in (("predicted", predicted), ("true", true)):
        listed(graphs, f"{what} graphs")
    if len(predicted) != len(true):
        raise ValueError(
            f"a true graph for every predicted one was expected: {len(predicted)} predicted, {len(true)} true"
        )
    said = [None if graph is None else _facts("predicted", row, graph) for row, graph in enumerate(predicted)]
    return Graphs(said, [_facts("true", row, graph) for row, graph in enumerate(true)])


def _facts(what: str, row: int, graph: Any) -> frozenset[Fact]:
    """The facts of a graph."""
    if isinstance(graph, Mapping):
        unknown = sorted(map(str, set(graph) - set(KINDS)))
        if unknown:
            raise ValueError(f"row {row}: a {what} graph has {', '.join(KINDS)}, not {', '.join(unknown)}")
        parts: list[tuple[int | None, Any]] = [(KINDS[kind], graph[kind]) for kind in graph]
    else:
        parts = [(None, graph)]
    found: set[Fact] = set()
    for length, facts in parts:
        if isinstance(facts, str | bytes) or not isinstance(facts, Collection):
            raise ValueError(f"row {row}: a collection of facts was expected in the {what} graph, not {facts!r:.80}")
        found |= {_fact(what, row, fact, length) for fact in facts}
    return frozenset(found)


def _fact(what: str, row: int, fact: Any, length: int | None) -> Fact:
    words = (fact,) if isinstance(fact, str) else fact
    fits = isinstance(words, Sequence) and (1 <= len(words) <= 3 if length is None else len(words) == length)
    if not fits or not all(isinstance(word, str) for word in words):
        wanted = "an object, (object, attribute) or (object, relation, object)" if length is None else f"{length} texts"
        raise ValueError(f"row {row}: {wanted} was expected as a {what} fact, not {fact!r:.80}")
    return tuple(words)


def row_f1(graphs: Graphs, length: int | None) -> NDArray[np.float64]:
    """F1 ``[n]`` over facts of ``length`` texts (None: all); NaN where neither graph has any, or nothing was predicted."""
    out = np.full(len(graphs.true), np.nan)
    for row, (said, true) in enumerate(zip(graphs.predicted, graphs.true, strict=True)):
        if said is None:
            continue
        a, b = ({fact for fact in graph if length is None or len(fact) == length} for graph in (said, true))
        if a or b:
            out[row] = 2 * len(a & b) / (len(a) + len(b))
    return out


def _measure(name: str) -> Callable[[Graphs], Rows]:
    return lambda graphs: {name: row_f1(graphs, NAMES[name])}


METRICS = {
    name: Metric(
        name,
        _measure(name),
        weighted_mean(name),
        item=name,
        signature=sign(name, "match:exact", "facts:set"),
        source="Anderson et al. 2016, F over tuples; not SPICE: graphs are given, facts match exactly",
        family="graphs",
        prepare=paired_graphs,
        definition=f"mean over the rows of 2 |said and true| / (|said| + |true|), over {'all facts' if length is None else name[5:]}",
        edge="0 where only one of the two graphs has such facts; a row where neither has is undefined",
    )
    for name, length in NAMES.items()
}


def named(name: str) -> Metric:
    """``sgf1``, ``sgf1_objects``, ``sgf1_attributes`` or ``sgf1_relations``."""
    return METRICS[name]


def sgf1(
    predicted: Sequence[Graph | None],
    true: Sequence[Graph],
    *,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Scene-graph F1 over all facts, in [0, 1]; ``items`` are the rows'. A predicted graph of None is missing.

    Raises `ValueError` as `paired_graphs`.

    >>> sgf1([["dog", ("dog", "black"), ("dog", "on", "mat")]], [{"objects": ["dog", "mat"], "relations": [("dog", "on", "mat")]}]).value
    0.6666666666666666
    """
    return estimate(METRICS["sgf1"], predicted, true, unit=unit, seed=seed)
