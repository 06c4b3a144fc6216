"""The report's plots: what each shows, in marks and in words. `assay.reporting.charts` draws them, and the page sets a table beside each.

A model keeps its colour and its shape on the whole page; baselines share a quiet one. Splits stand beside each other on one scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assay.reporting import charts, notation, selection, svg, verdict
from assay.reporting.charts import Mark, Plot, Series
from assay.reporting.content import BASELINE, Contrast, ReportContent, Score
from assay.reporting.selection import Board
from assay.reporting.text import distinct, one_line

SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
QUIET = Series("", "var(--muted)", "circle")
KINDS = (
    Series(verdict.DECIDED, "var(--accent)", "circle"),
    Series(verdict.ALIKE, "var(--muted)", "square"),
    Series(verdict.OPEN, "var(--muted)", "diamond"),
)
SLICE_PLOTS = 3  # groupings drawn per task; the others are tables only
SLICE_ROWS = 24  # slices drawn per grouping
TASKS = 6  # tasks drawn; the others are tables only


@dataclass(frozen=True, slots=True)
class Figure:
    """One plot, not yet drawn: its place on the page (``kind``, ``task``, the board it shows), its words and its marks."""

    kind: str
    task: str
    board: str
    title: str
    description: str
    plot: Plot


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure with its two drawings, for a wide page and for a narrow one."""

    figure: Figure
    wide: Markup
    narrow: Markup


def draw(figures: Iterable[Figure]) -> list[Drawn]:
    """The figures as SVG. The first takes about a second (Vega starts), each other one about a tenth."""
    drawn = []
    for number, figure in enumerate(figures):
        words = one_line(figure.title), one_line(figure.description, 600)
        wide, narrow = (svg.draw(specification) for specification in charts.specifications(figure.plot))
        drawn.append(
            Drawn(
                figure,
                svg.inline(wide, f"figure-{number}-wide", *words),
                svg.inline(narrow, f"figure-{number}-narrow", *words),
            )
        )
    return drawn


def looks(content: ReportContent) -> dict[str, Series]:
    """Each model's colour, shape and label; baselines are quiet."""
    known = selection.cards(content)
    labels = distinct([card.name for card in known], 32)
    found: dict[str, Series] = {}
    for card, label in zip(known, labels, strict=True):
        place = len(found)
        is_quiet = card.role == BASELINE or place >= len(SHAPES)
        found[card.name] = (
            Series(label, QUIET.colour, QUIET.shape) if is_quiet else Series(label, f"var(--c{place})", SHAPES[place])
        )
    return found


def figures(content: ReportContent) -> Iterator[Figure]:
    """Every figure of the page, in reading order."""
    for task in selection.tasks(content)[:TASKS]:
        yield from _headline(content, task)
        yield from _conditions(content, task)
        yield from _slices(content, task)
        yield from _cost(content, task)
        yield from _differences(content, task)


def _headline(content: ReportContent, task: str) -> Iterator[Figure]:
    board = selection.headline_board(content, task)
    if len(board.scores) < 2:
        return
    look = looks(content)
    panels = selection.parts(content, board.columns)
    rows = [row for group in board.groups for row in group.rows]
    marks = [_mark(score, look[score.model].label, look) for score in board.scores if score.data in panels]
    labels = tuple(look[row.label].label for row in rows)
    plot = Plot(tuple(marks), labels, panels, _series(board.scores, look), _axis(board), labelled=True)
    words = f"{_axis(board)} of {len(rows)} models and baselines with 95 % intervals, on {_listed(panels)}."
    yield Figure("headline", task, board.title, f"{_axis(board)}, with 95 % intervals", words, plot)


def _conditions(content: ReportContent, task: str) -> Iterator[Figure]:
    board = selection.condition_board(content, task)
    if board is None or not board.groups:
        return
    look = looks(content)
    panels = selection.parts(content, [group.label for group in board.groups])
    own = selection.own(content)
    scores = [score for score in board.scores if score.data in panels and score.model in own]
    if not scores:
        return
    marks = [_mark(score, selection.condition_name(score.estimate.condition), look) for score in scores]
    names = tuple(selection.condition_name(name) for name in board.columns)
    plot = Plot(tuple(marks), names, panels, _series(scores, look), _axis(board))
    words = f"{_axis(board)} with each modality alone, without each, and with all of them, on {_listed(panels)}."
    yield Figure("conditions", task, board.title, f"{_axis(board)} by what is shown", words, plot)


def _slices(content: ReportContent, task: str) -> Iterator[Figure]:
    look = looks(content)
    for board in selection.slice_boards(content, task)[:SLICE_PLOTS]:
        panels = selection.parts(content, [group.label for group in board.groups])
        scores = [score for score in board.scores if score.data in panels]
        names = selection.unique(score.estimate.slice for score in scores)[:SLICE_ROWS]
        labels = dict(zip(names, distinct([selection.slice_name(name)[1] for name in names], 28), strict=True))
        marks = [_mark(s, labels[s.estimate.slice], look) for s in scores if s.estimate.slice in labels]
        plot = Plot(tuple(marks), tuple(labels.values()), panels, _series(scores, look), _axis(board))
        words = f"{_axis(board)} for each of {len(labels)} slices, with 95 % intervals, on {_listed(panels)}."
        yield Figure("slices", task, board.title, f"{_axis(board)} of each slice", words, plot)


def _cost(content: ReportContent, task: str) -> Iterator[Figure]:
    board = selection.headline_board(content, task)
    look = looks(content)
    time_s = {c.model: c.latency_p50_s for c in content.costs if c.task == task and c.latency_p50_s}
    panels = selection.parts(content, board.columns)
    # Baselines answer in no time at all: on one scale with them the models would lie on one spot.
    own = selection.own(content)
    scores = [s for s in board.scores if s.model in time_s and s.model in own and s.data in panels]
    if len({score.model for score in scores}) < 2:
        return
    marks = tuple(_mark(score, "", look, x=1000 * (time_s[score.model] or 0.0)) for score in scores)
    plot = Plot(marks, (), panels, _series(scores, look), _axis(board), cost_axis="milliseconds a sample (p50)")
    words = f"{_axis(board)} against the median time that a sample takes, for each model, on {_listed(panels)}."
    yield Figure("cost", task, board.title, f"{task}: {_axis(board)} and time", words, plot)


def _differences(content: ReportContent, task: str) -> Iterator[Figure]:
    contrasts = [c for lead, rest in verdict.main(content) for c in (lead, *rest) if c.task == task]
    if not contrasts:
        return
    panels = selection.parts(content, selection.unique(c.data for c in contrasts))
    pairs = selection.unique(_pair(c) for c in contrasts)
    marks = tuple(_difference(c) for c in contrasts if c.data in panels)
    axis = f"difference in {one_line(contrasts[0].metric, 40)}"
    kinds = tuple(one for one in KINDS if any(mark.series == one.label for mark in marks))
    plot = Plot(marks, pairs, panels, kinds, axis, zero=True, labelled=True)
    words = f"Paired {axis} with 95 % intervals, marked by whether they are decided after correction."
    yield Figure("contrasts", task, "", axis.capitalize(), words, plot)


def _mark(score: Score, row: str, look: dict[str, Series], x: float = float("nan")) -> Mark:
    e = score.estimate
    series = look[score.model].label
    return Mark(row, score.data, series, e.value, e.low, e.high, notation.number(e.value, score.bounds), x)


def _difference(c: Contrast) -> Mark:
    text = notation.difference(c.difference, c.bounds)
    return Mark(_pair(c), c.data, verdict.kind(c), c.difference, c.low, c.high, text)


def _pair(c: Contrast) -> str:
    return f"{one_line(c.a, 24)} {notation.MINUS} {one_line(c.b, 24)}"


def _series(scores: Iterable[Score], look: dict[str, Series]) -> tuple[Series, ...]:
    return tuple(look[name] for name in selection.unique(score.model for score in scores))


def _axis(board: Board) -> str:
    return one_line(board.scores[0].estimate.metric, 40) if board.scores else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(one_line(name, 40) for name in names)
