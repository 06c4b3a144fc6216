"""The report in a terminal: scorecard, verdicts, what is missing. Plain text of a fixed width where there is no terminal.

Nothing from data reaches the terminal unless it went through `assay.reporting.text`, so no sequence in it can act.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from assay.evaluation.compare import Compared, Comparison
from assay.reporting import notation, selection, verdict
from assay.reporting.content import Contrast, Incomplete, ReportContent, Score
from assay.reporting.grids import cell, console_of, fitted, grid, text_of
from assay.reporting.selection import Board, Group, Row
from assay.reporting.text import one_line
from assay.types import Estimate

WIDTH = 100  # columns where nobody says how many there are
NARROWEST = 40
WIDE = 78  # from here on what a run took is a table
NAMED = 3  # failed samples that are named
PLAIN = str.maketrans({"−": "-", "→": "->", "…": "...", "⟨": "<", "⟩": ">", "─": "-", "∞": "inf"})
SIGNS = {verdict.DECIDED: "+", verdict.ALIKE: "=", verdict.OPEN: "?"}
STYLES = {verdict.DECIDED: "green", verdict.ALIKE: "cyan", verdict.OPEN: "yellow"}


def show(content: ReportContent, stream: TextIO) -> None:
    """Prints the report to a stream: coloured and as wide as it is if that is a terminal, plain and `WIDTH` columns wide if not."""
    probe = Console(file=stream)
    width = max(NARROWEST, probe.width) if probe.is_terminal else WIDTH
    shown = render(content, width=width, colour=probe.is_terminal and probe.color_system is not None)
    stream.write(encodable(shown, getattr(stream, "encoding", None) or "utf-8"))


def encodable(shown: str, encoding: str) -> str:
    """Text that an encoding can hold: with ASCII for the signs of this module, escapes for what else it lacks.

    >>> encodable("−.021 naïve", "ascii")
    '-.021 na\\\\xefve'
    """
    try:
        shown.encode(encoding)
    except UnicodeEncodeError:
        return shown.translate(PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return shown


def render(content: ReportContent, *, width: int = WIDTH, colour: bool = False) -> str:
    """The report as text that ends with a newline; without ``colour`` it holds no escape sequence and no drawn line."""
    console = console_of(width, colour)
    for missing in content.incomplete:
        console.print(_warning(missing), "")
    for task in selection.tasks(content):
        board = selection.headline_board(content, task)
        console.print(fitted(_table(board, board.columns, colour=colour), width), "")
        for fine in _fine(content, task):
            console.print(fitted(_table(fine, fine.columns, colour=colour), width), "")
    for task in selection.unique(cost.task for cost in content.costs):
        console.print(_costs(content, task, width=width, colour=colour), "")
    for lead, parts in verdict.main(content):
        console.print(_verdict(lead, parts))
    return text_of(console)


def estimates(found: Iterable[Estimate], *, width: int = WIDTH, colour: bool = False) -> str:
    """Estimates as a table: metric, value with interval, n, missing, slice, condition."""
    table = grid("Metric", "Value and interval", "n", "Missing", "Slice", "Condition", colour=colour)
    for e in found:
        bounds = notation.bounds(e.metric)
        reason = notation.why_undefined(e)
        value = f"{notation.figure(e, bounds)}{f': {reason}' if reason else ''}"
        table.add_row(*map(cell, (e.metric, value, f"{e.n:,}", f"{e.n_missing:,}", e.slice, e.condition)))
    console = console_of(width, colour)
    console.print(fitted(table, width))
    return text_of(console)


def comparison(found: Comparison, *, width: int | None = None, colour: bool | None = None) -> str:
    """A comparison as a table and its verdict; without a width and a wish for colour, as standard output can take it."""
    probe = Console(file=sys.stdout)
    has_colour = probe.is_terminal and probe.color_system is not None if colour is None else colour
    table = grid("Metric", "Part", found.a, found.b, "Difference", "p (Holm)", "n", "Verdict", colour=has_colour)
    for row in found.rows:
        table.add_row(*map(cell, _compared(found, row)))
    width = width or (max(NARROWEST, probe.width) if probe.is_terminal else WIDTH)
    console = console_of(width, has_colour)
    head = verdict.contrast(found, found.rows[0], names=(found.a, found.b), place=(found.data, selection.ALL))
    console.print(fitted(table, width), "", _verdict(head, ()))
    return text_of(console).rstrip("\n")


def sweep(
    found: Sequence[tuple[str, Estimate]], pairs: Sequence[tuple[str, str, Compared]], *, width: int = WIDTH
) -> str:
    """Trials by name with their headline, and what each pair's difference says (verdicts speak of the first)."""
    first = found[0][1]
    bounds = notation.bounds(first.metric)
    trials = grid("Trial", first.metric, "n", colour=False)
    for name, estimate in found:
        trials.add_row(*map(cell, (name, notation.figure(estimate, bounds), f"{estimate.n:,}")))
    table = grid("Pair", "Difference", "p (Holm)", "n", "Verdict", colour=False)
    for a, b, row in pairs:
        spread = notation.interval(row.low, row.high, bounds, row.difference)
        winner = {"better": f"{a} is better", "worse": f"{b} is better"}.get(row.verdict, row.verdict)
        p = notation.probability(row.p_holm).removeprefix("p ").removeprefix("= ")
        told = f"{notation.difference(row.difference, bounds)} {spread}"
        table.add_row(*map(cell, (f"{a} {notation.MINUS} {b}", told, p, f"{row.n:,}", winner)))
    console = console_of(width, False)
    console.print(fitted(trials, width), "", fitted(table, width))
    return text_of(console).rstrip("\n")


def _compared(found: Comparison, row: Compared) -> tuple[str, ...]:
    """A row of a comparison as cells."""
    one = verdict.contrast(found, row, names=(found.a, found.b), place=(found.data, row.slice))
    part = row.slice if row.condition == selection.CLEAN else f"{row.slice}, {selection.condition_name(row.condition)}"
    spread = notation.interval(row.low, row.high, one.bounds, row.difference)
    return (
        row.metric,
        part,
        notation.number(row.a, one.bounds),
        notation.number(row.b, one.bounds),
        f"{notation.difference(row.difference, one.bounds)} {spread}",
        notation.probability(row.p_holm).removeprefix("p ").removeprefix("= "),
        f"{row.n:,}",
        verdict.short(one),
    )


def _fine(content: ReportContent, task: str) -> Iterator[Board]:
    """What a terminal shows beside the headline: the modalities alone and together, the directions; a column per model."""
    board = selection.condition_board(content, task)
    if board is not None and board.groups:
        yield _turned(content, board)
    yield from (b for b in selection.slice_boards(content, task) if b.title == f"{task}: by direction")


def _turned(content: ReportContent, board: Board) -> Board:
    """A board of conditions with these in the rows and the models in the columns, baselines and pooled data left out."""
    known = selection.unique(row.label for group in board.groups for row in group.rows)
    names = tuple(name for name in known if name in selection.own(content)) or known
    groups = []
    for group in board.groups:
        held = {row.label: row.cells for row in group.rows}
        rows = tuple(
            Row(selection.condition_name(condition), tuple(held[name][i] if name in held else None for name in names))
            for i, condition in enumerate(board.columns)
        )
        groups.append(Group(group.label, rows))
    kept = selection.parts(content, [group.label for group in groups])
    return Board(board.title, names, tuple(group for group in groups if group.label in kept))


def _table(board: Board, columns: Sequence[str], *, colour: bool) -> Table:
    """A board as it stands: rows in groups, a value with its interval in each cell."""
    table = grid("", *columns, colour=colour, title=board.title)
    for group in board.groups:
        if len(board.groups) > 1:
            table.add_row(cell(group.label, "bold" if colour else ""))
        for row in group.rows:
            style = "dim" if colour and row.is_baseline else ""
            table.add_row(cell(f"  {one_line(row.label, 40)}", style), *(_figure(score, style) for score in row.cells))
    return table


def _figure(score: Score | None, style: str) -> Text:
    if score is None:
        return Text("not measured", style=style)
    e = score.estimate
    why = score.reason or notation.why_undefined(e)
    lost = f"\n{e.n_missing:,} missing" if e.n_missing else ""
    return Text(f"{one_line(notation.figure(e, score.bounds) + (f': {why}' if why else ''))}{lost}", style=style)


def _costs(content: ReportContent, task: str, *, width: int, colour: bool) -> Table | Text:
    """What each run of a task took: a table, or where there is no room for one a line for each."""
    head = ("", "p50", "p95", "per second", "memory", "params", "size")
    rows = [
        (
            one_line(c.model, 40),
            notation.seconds(c.latency_p50_s),
            notation.seconds(c.latency_p95_s),
            notation.count(c.throughput_per_s),
            notation.size(c.peak_bytes),
            notation.count(c.parameters),
            notation.size(c.size_bytes),
        )
        for c in content.costs
        if c.task == task
    ]
    title = f"{one_line(task, 80)}: time for a sample, memory and size"
    if width < WIDE:
        lines = (", ".join(f"{name} {word}".strip() for name, word in zip(head, row, strict=True)) for row in rows)
        return Text("\n".join((title, *(f"  {line}" for line in lines))))
    table = grid(*head, colour=colour, title=title)
    for row in rows:
        table.add_row(*map(cell, row))
    return fitted(table, width)


def _verdict(lead: Contrast, parts: Sequence[Contrast]) -> Text:
    """The sentence, the figures behind it, and the verdict on each part of the data."""
    kind = verdict.kind(lead)
    lines = Text()
    lines.append(f"{SIGNS[kind]} ", style=STYLES[kind])
    lines.append(f"{one_line(verdict.claim(lead), 400)}\n", style="bold")
    lines.append(f"  {one_line(verdict.evidence(lead), 400)}")
    for part in parts:
        line = f"{part.data}: {verdict.short(part)}, {verdict.figures(part)}"
        lines.append(f"\n  {one_line(line, 400)}")
    return lines


def _warning(missing: Incomplete) -> Text:
    """That something is missing, how much, and the first reasons."""
    where = f"{missing.model}, {missing.task} on {missing.data}"
    lines = Text()
    lines.append("INCOMPLETE", style="bold yellow")
    lines.append(f" {one_line(where, 300)}: {missing.failed:,} of {missing.planned:,} planned answers are missing.")
    if missing.bounds:
        lines.append(f"\n  {one_line(notation.whatever(missing.bounds), 400)}")
    for failure in missing.failures[:NAMED]:
        line = f"{one_line(failure.sample, 80)} ({one_line(failure.condition, 40)}): {one_line(failure.reason, 300)}"
        lines.append(f"\n  {line}")
    rest = missing.failed - min(NAMED, len(missing.failures))
    if rest:
        lines.append(f"\n  and {rest:,} more")
    return lines
