"""``assay data list | show NAME | check NAME``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from assay.cli.options import Command, arg
from assay.cli.output import print_json

ACTIONS = ("list", "show", "check")


@dataclass(frozen=True)
class Data:
    """Lists the data sets, shows what is in one, or checks every sample of it."""

    action: str = arg("list, show or check")
    name: str | None = arg("NAME[:SPLIT], such as emoji:test-concepts", default=None, metavar="NAME", positional=True)
    sheet: str | None = arg("draw a contact sheet of the data into this PNG file", default=None, metavar="FILE")
    json: bool = arg("print one JSON document", default=False)


def data(options: Data) -> int:
    """Prints what was asked for. `check` exits 3 when a sample is broken."""
    from assay.catalog import nearest

    if options.action not in ACTIONS:
        raise ValueError(f"unknown action {options.action!r}: {nearest(options.action, ACTIONS)}")
    if options.action == "list":
        return list_data(options)
    if options.name is None:
        raise ValueError(f"`assay data {options.action}` needs a name; `assay data list` tells them.")
    return describe_data(options, options.name)


def list_data(options: Data) -> int:
    """Every bundled data set with its splits."""
    from assay.data import bundled

    rows = [{"name": n, "summary": text, "splits": list(bundled.splits(n))} for n, text in bundled.names().items()]
    if options.json:
        print_json(rows)
        return 0
    for row in rows:
        print(f"{row['name']:<10} {row['summary']}\n{'':<10} splits: {', '.join(row['splits'])}")
    return 0
