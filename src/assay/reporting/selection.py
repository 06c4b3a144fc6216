"""Which figures stand where: boards (tables of scores) cut out of a report's one list of scores.

A board has columns (splits, conditions, models) and rows in groups; a cell is a `Score` or, where nothing was measured, ``None``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assay.reporting.content import BASELINE, ModelCard, ReportContent, Score

CROSSING = re.compile(" & (?=[^ =&]+=)")
ALL, CLEAN = "all", "clean"
DIRECTION = "direction="
USUAL = ("direction=image->text",)
SLICES = 200  # of one grouping that the page lists
ROLES = ("Models", "Baselines")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a board: a model's figures, or (without a model) those of a slice."""

    label: str
    cells: tuple[Score | None, ...]
    model: ModelCard | None = None

    @property
    def is_baseline(self) -> bool:
        """Whether the line is there only to put the others in proportion."""
        return self.model is not None and self.model.role == BASELINE


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under one heading."""

    label: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A table of figures; ``scores`` are all its cells that hold one."""

    title: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def scores(self) -> tuple[Score, ...]:
        """Every figure on the board, in reading order."""
        return tuple(cell for group in self.groups for row in group.rows for cell in row.cells if cell is not None)


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """The values without repetition, in order of first appearance."""
    return tuple(dict.fromkeys(values))


def cards(content: ReportContent) -> tuple[ModelCard, ...]:
    """The models of the report, then its baselines; whoever has a figure has a card."""
    known = {card.name: card for card in content.models}
    for score in content.scores:
        known.setdefault(score.model, ModelCard(score.model))
    return tuple(sorted(known.values(), key=lambda card: card.role == BASELINE))


def own(content: ReportContent) -> tuple[str, ...]:
    """The names of the models, without the baselines; where there are only baselines, theirs."""
    known = cards(content)
    return tuple(card.name for card in known if card.role != BASELINE) or tuple(card.name for card in known)


def tasks(content: ReportContent) -> tuple[str, ...]:
    """The tasks that have figures."""
    return unique(score.task for score in content.scores)


def splits(content: ReportContent, task: str) -> tuple[str, ...]:
    """The data of a task, in the order of the report's data cards."""
    order = {card.name: place for place, card in enumerate(content.data)}
    found = unique(score.data for score in content.scores if score.task == task)
    return tuple(sorted(found, key=lambda name: order.get(name, len(order))))


def parts(content: ReportContent, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns without those that only pool others of them: what a plot shows where room is short."""
    pools = {card.name for card in content.data if card.parts and set(card.parts) <= set(columns)}
    return tuple(name for name in columns if name not in pools)


def whole(scores: Iterable[Score]) -> tuple[Score, ...]:
    """The figures over all samples as they are."""
    return tuple(s for s in scores if s.estimate.slice == ALL and s.estimate.condition == CLEAN)


def of_task(content: ReportContent, task: str) -> tuple[Score, ...]:
    """Every figure of one task."""
    return tuple(score for score in content.scores if score.task == task)


def headlines(scores: Iterable[Score]) -> tuple[Score, ...]:
    """The figures of the metric that a task is judged by."""
    return tuple(score for score in scores if score.headline)


def comparable_slice(content: ReportContent, task: str) -> str:
    """The slice by which the models of a task are set beside each other: all, or where they took different directions of
    retrieval (some have no ear), the first direction that all took, since a figure over unlike directions compares nothing.
    """
    taken: dict[str, list[str]] = {}
    for score in headlines(of_task(content, task)):
        name = score.estimate.slice
        if score.estimate.condition == CLEAN and name.startswith(DIRECTION) and len(crossed(name)) == 1:
            taken.setdefault(score.model, []).append(name)
    if len({frozenset(names) for names in taken.values()}) < 2:
        return ALL
    shared = [name for name in USUAL if all(name in names for names in taken.values())]
    shared += sorted(set.intersection(*map(set, taken.values())))
    return shared[0] if shared else ALL


def headline_board(content: ReportContent, task: str) -> Board:
    """The task's headline metric: a row per model, then per baseline; a column per split, all splits side by side."""
    part = comparable_slice(content, task)
    every = headlines(of_task(content, task))
    scores = tuple(s for s in every if s.estimate.slice == part and s.estimate.condition == CLEAN)
    columns = splits(content, task)
    index = {(s.model, s.data): s for s in scores}
    groups = []
    for label, is_baseline in zip(ROLES, (False, True), strict=True):
        rows = tuple(
            Row(card.name, tuple(index.get((card.name, data)) for data in columns), card)
            for card in cards(content)
            if (card.role == BASELINE) is is_baseline and any((card.name, data) in index for data in columns)
        )
        if rows:
            groups.append(Group(label, rows))
    title = f"{task}: {_named(scores)}" + ("" if part == ALL else f", {slice_name(part)[1]}")
    return Board(title, columns, tuple(groups))


def metrics_board(content: ReportContent, task: str) -> Board:
    """All metrics of a task, one group of rows per metric."""
    scores = whole(of_task(content, task))
    columns = splits(content, task)
    index = {(s.estimate.metric, s.model, s.data): s for s in scores}
    groups = []
    for metric in unique(s.estimate.metric for s in scores):
        rows = _rows(content, [[(metric, card.name, data) for data in columns] for card in cards(content)], index)
        groups.append(Group(_named([s for s in scores if s.estimate.metric == metric]), rows))
    over = "" if comparable_slice(content, task) == ALL else ", each over the directions that the model takes"
    return Board(f"{task}: all metrics{over}", columns, tuple(groups))


def condition_board(content: ReportContent, task: str) -> Board | None:
    """The headline metric under every condition (a column each), one group per split; ``None`` with only one condition."""
    scores = [s for s in headlines(of_task(content, task)) if s.estimate.slice == ALL]
    columns = unique([CLEAN, *(s.estimate.condition for s in scores)])
    if len(columns) < 2:
        return None
    index = {(s.data, s.model, s.estimate.condition): s for s in scores}
    groups = []
    for data in splits(content, task):
        wanted = [[(data, card.name, name) for name in columns] for card in cards(content)]
        rows = tuple(r for r in _rows(content, wanted, index) if sum(cell is not None for cell in r.cells) > 1)
        if rows:
            groups.append(Group(data, rows))
    return Board(f"{task}: what each modality is worth", columns, tuple(groups))


def slice_boards(content: ReportContent, task: str) -> tuple[Board, ...]:
    """The headline metric of the models by slice: a board per grouping, a group per split, a row per slice, a column per model."""
    scores = [s for s in headlines(of_task(content, task)) if s.estimate.slice != ALL and s.estimate.condition == CLEAN]
    shown = set(own(content))
    scores = [s for s in scores if s.model in shown] or scores
    models = unique(s.model for s in scores)
    index = {(s.data, s.estimate.slice, s.model): s for s in scores}
    boards = []
    for grouping in unique(slice_name(s.estimate.slice)[0] for s in scores):
        every = unique(s.estimate.slice for s in scores if slice_name(s.estimate.slice)[0] == grouping)
        names = every[:SLICES]
        groups = []
        for data in splits(content, task):
            cells = {name: tuple(index.get((data, name, model)) for model in models) for name in names}
            rows = tuple(Row(slice_name(n)[1], cells[n]) for n in names if any(cell is not None for cell in cells[n]))
            if rows:
                groups.append(Group(data, rows))
        rest = f" (the first {SLICES} of {len(every):,})" if len(every) > SLICES else ""
        boards.append(Board(f"{task}: by {grouping}{rest}", models, tuple(groups)))
    return tuple(boards)


def slice_name(name: str) -> tuple[str, str]:
    """A slice's grouping and value.

    >>> slice_name("category=food"), slice_name("rare")
    (('category', 'food'), ('group', 'rare'))
    >>> slice_name("style=noto & direction=image->text"), slice_name("category=food & drink")
    (('style and direction', 'noto, image→text'), ('category', 'food & drink'))
    """
    parts = [part.partition("=") for part in crossed(name)]
    if not all(equals for _, equals, _ in parts):
        return "group", name
    values = ", ".join(value or "none" for _, _, value in parts)
    return " and ".join(grouping for grouping, _, _ in parts), values.replace("->", "→")


def crossed(name: str) -> list[str]:
    """The slices that a slice is the crossing of. A value may hold an ampersand itself."""
    return CROSSING.split(name)


def condition_name(name: str) -> str:
    """A condition in words.

    >>> condition_name("clean"), condition_name("only:image"), condition_name("drop:audio"), condition_name("noise:image@3")
    ('all together', 'image alone', 'without audio', 'noise:image@3')
    """
    if name == CLEAN:
        return "all together"
    kind, _, rest = name.partition(":")
    words = rest.replace("+", " and ")
    return {"only": f"{words} alone", "drop": f"without {words}"}.get(kind, name) if rest else name


def _named(scores: Sequence[Score]) -> str:
    """The name of the metric of some scores, with its direction where it is not the usual one."""
    name = scores[0].estimate.metric if scores else ""
    return f"{name} (lower is better)" if scores and scores[0].better == "lower" else name


def _rows(
    content: ReportContent, wanted: Sequence[Sequence[tuple[str, str, str]]], index: dict[tuple[str, str, str], Score]
) -> tuple[Row, ...]:
    """A row per card that has at least one of its wanted figures."""
    found = []
    for card, keys in zip(cards(content), wanted, strict=True):
        cells = tuple(index.get(key) for key in keys)
        if any(cell is not None for cell in cells):
            found.append(Row(card.name, cells, card))
    return tuple(found)
