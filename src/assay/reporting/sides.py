"""Many runs side by side as text: standings with ranks, pairs with verdicts, gaps to training data, samples that changed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from assay.evaluation.compare import Comparison
from assay.evaluation.flips import Flip
from assay.evaluation.matrix import Matrix, Standing
from assay.reporting import notation
from assay.reporting.grids import cell, console_of, fitted, grid, text_of
from assay.reporting.terminal import WIDTH
from assay.reporting.text import one_line


def matrix(found: Matrix, *, width: int = WIDTH) -> str:
    """Tables, task by task."""
    parts = []
    for task, data in dict.fromkeys((one.task, one.data) for one in found.standings):
        rows = [one for one in found.standings if (one.task, one.data) == (task, data)]
        pairs = [one for one in found.comparisons if (one.task, one.data) == (task, data)]
        parts.append(f"{task} on {data}\n{standings(rows, width)}")
        if pairs:
            parts.append(comparisons(pairs, width))
    if found.overall:
        table = grid("Model", "Tasks", "Mean rank", "Between", colour=False)
        for one in found.overall:
            table.add_row(
                *map(cell, (one.model, str(one.tasks), f"{one.rank:.2f}", f"{one.best:.2f} to {one.worst:.2f}"))
            )
        parts.append(printed("Over all tasks", table, width))
    if found.gaps:
        table = grid("Model", "Task", "Metric", "Training data", "Other data", "Gap", colour=False)
        for gap in found.gaps:
            bounds = notation.bounds(gap.metric)
            spread = notation.interval(gap.low, gap.high, (bounds[0] - bounds[1], bounds[1] - bounds[0]), gap.gap)
            told = f"{notation.difference(gap.gap, bounds)} {spread}"
            seen = f"{part_of(gap.train)} {notation.number(gap.train_value, bounds)}"
            other = f"{part_of(gap.test)} {notation.number(gap.test_value, bounds)}"
            table.add_row(*map(cell, (gap.model, gap.task, gap.metric, seen, other, told)))
        parts.append(printed("What was trained on against what was not", table, width))
    return "\n\n".join(parts)


def part_of(data: str) -> str:
    """What a data set's name says behind the first colon, the name itself if nothing."""
    return data.partition(":")[2] or data


def standings(rows: Sequence[Standing], width: int) -> str:
    """Models by their headline, with the ranks that they may have."""
    bounds = notation.bounds(rows[0].metric)
    table = grid("Rank", "May be", "Model", rows[0].metric, "n", "Missing", colour=False)
    for one in rows:
        spread = notation.interval(one.low, one.high, bounds, one.value)
        ranks = str(one.best) if one.best == one.worst else f"{one.best} to {one.worst}"
        value = f"{notation.number(one.value, bounds)} {spread}"
        table.add_row(*map(cell, (str(one.rank), ranks, one.model, value, f"{one.n:,}", f"{one.n_missing:,}")))
    return printed("", table, width)


def comparisons(found: Sequence[Comparison], width: int) -> str:
    """Every pair by the headline."""
    table = grid("Pair", "Difference", "p (Holm)", "n", "Verdict", "Changed", colour=False)
    for one in found:
        row = one.rows[0]
        bounds = notation.bounds(row.metric)
        spread = notation.interval(row.low, row.high, (bounds[0] - bounds[1], bounds[1] - bounds[0]), row.difference)
        winner = {"better": f"{one.a} is better", "worse": f"{one.b} is better"}.get(row.verdict, row.verdict)
        needs = "" if row.n_needed is None else f", needs about n = {row.n_needed:,}"
        changed = "" if one.flips is None else f"+{one.flips.better:,} {notation.MINUS}{one.flips.worse:,}"
        p = notation.probability(row.p_holm).removeprefix("p ").removeprefix("= ")
        told = f"{notation.difference(row.difference, bounds)} {spread}"
        table.add_row(*map(cell, (f"{one.a} {notation.MINUS} {one.b}", told, p, f"{row.n:,}", winner + needs, changed)))
    return printed("", table, width)


def flips(found: Comparison, count: int, *, width: int = WIDTH) -> str:
    """The samples that changed between two runs: at most ``count`` on which A is better, and as many on which it is worse."""
    assert found.flips is not None
    table = grid("Sample", "By", f"{found.a} said", "worth", f"{found.b} said", "worth", colour=False)
    for kind in ("better", "worse"):
        for one in [one for one in found.flips.listed if one.verdict == kind][:count]:
            table.add_row(*map(cell, flip_cells(one, found)))
    return printed(found.flips.sentence, table, width)


def flip_cells(one: Flip, found: Comparison) -> tuple[str, ...]:
    """One changed sample."""
    place = f"{one.sample} {one.direction}".strip() + (f" #{one.repeat}" if one.repeat else "")
    winner = found.a if one.verdict == "better" else found.b
    return place, winner, one.a, f"{one.value_a:.3g}", one.b, f"{one.value_b:.3g}"


def printed(title: str, table: Table, width: int) -> str:
    """A table under a title, as text."""
    console = console_of(width, False)
    if title:
        console.print(one_line(title, 400))
    console.print(fitted(table, width))
    return text_of(console).rstrip("\n")
