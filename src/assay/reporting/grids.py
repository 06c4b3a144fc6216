"""Tables as text: ruled and coloured on a terminal, columns of plain text elsewhere. What comes from data can do nothing in them."""

from __future__ import annotations

import io

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from assay.reporting.text import one_line

GUTTER = 3  # blanks beside each column and its share of the edges, at most
LONGEST_WORD = 18


def grid(*head: str, colour: bool, title: str = "") -> Table:
    """An empty table: ruled and coloured on a terminal, columns of plain text elsewhere."""
    table = Table(
        box=box.SIMPLE_HEAD if colour else None,
        title=Text(one_line(title, 120), style="bold") if title else None,
        title_justify="left",
        pad_edge=False,
        padding=(0, 1 if colour else 2, 0, 0),
        header_style="bold" if colour else "",
    )
    for name in head:
        table.add_column(cell(name), overflow="fold")
    return table


def cell(text: str, style: str = "") -> Text:
    """Text from data as a cell: one line, no markup, nothing that acts."""
    indent = len(text) - len(text.lstrip(" "))
    return Text(" " * indent + one_line(text, 80), style=style)


def fitted(table: Table, width: int) -> Table:
    """The table with columns no narrower than their longest word where the width allows it, so that sentences break and words do not."""
    longest = [
        max(map(len, " ".join(map(str, (column.header, *column.cells))).split()), default=1) for column in table.columns
    ]
    room = width - GUTTER * len(longest)
    # Rich leaves out columns for which there is no room: what is asked for must fit.
    limit = next((most for most in range(LONGEST_WORD, 0, -1) if sum(min(most, n) for n in longest) <= room), 1)
    for column, n in zip(table.columns, longest, strict=True):
        column.min_width = min(limit, n)
    return table


def console_of(width: int, colour: bool) -> Console:
    """A console that writes into a string, the same everywhere: it asks neither the terminal nor the environment."""
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )


def text_of(console: Console) -> str:
    """What was printed, without blanks at the ends of lines."""
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().rstrip().split("\n")) + "\n"
