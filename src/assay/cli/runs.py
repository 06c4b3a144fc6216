"""``assay runs list|show|add|rm [RUN …] [--store URL]``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.catalog import nearest
from assay.cli import DONE, USAGE
from assay.cli.options import Command, arg
from assay.cli.output import print_json


@dataclass(frozen=True)
class Runs:
    """The runs that were made, with their figures: list them, show one, add folders, remove.

    RUN is a run's folder or the beginning of the key that `list` shows. `rm` asks before it removes a run from the disk.
    """

    what: str = arg("list, show, add or rm", default="list", positional=True)
    runs: tuple[str, ...] = arg("folders or keys", default=(), metavar="RUN", positional=True)
    store: str = arg(
        "the index: the path of an SQLite file or postgresql://USER@HOST/DATABASE (default: in the user's data folder)",
        default="",
        metavar="URL",
    )
    task: str | None = arg("list only runs of this task", default=None)
    model: str | None = arg("list only runs of this model", default=None)
    data: str | None = arg("list only runs on these data", default=None)
    keep_files: bool = arg("rm: only from the index", default=False)
    yes: bool = arg("rm: do not ask", default=False)
    json: bool = arg("print one JSON document", default=False)


def runs(options: Runs) -> int:
    """Does what was asked for."""
    from assay.evaluation import index

    doing = {"list": show_all, "show": show, "add": add, "rm": remove}
    if options.what not in doing:
        raise ValueError(f"cannot {options.what!r} runs: {nearest(options.what, doing)}")
    if options.what != "list" and not options.runs:
        raise ValueError(f"name a run: `assay runs {options.what} RUN`; `assay runs list` shows all.")
    with index.opened(options.store) as opened:
        return doing[options.what](options, opened)


def show_all(options: Runs, opened: Any) -> int:
    """Every run with its headline."""
    from assay.evaluation import index
    from assay.reporting import indexed

    found = index.listed(opened, task=options.task, model=options.model, data=options.data)
    if options.json:
        print_json({"store": opened.name, "runs": found})
    else:
        print(indexed.runs(found, opened.name))
    return DONE


def show(options: Runs, opened: Any) -> int:
    """One run, or several, with all figures."""
    from assay.evaluation import index
    from assay.reporting import indexed

    chosen = [index.found(opened, name) for name in options.runs]
    whole = [{**row, "estimates": index.figures_of(opened, row["id"])} for row in chosen]
    if options.json:
        print_json(whole[0] if len(whole) == 1 else {"runs": whole})
    else:
        print("\n\n".join(indexed.run(one) for one in whole))
    return DONE


def add(options: Runs, opened: Any) -> int:
    """Notes runs from their folders."""
    from assay import verbs
    from assay.evaluation import index

    keys = [index.note(opened, verbs.load_run(folder)) for folder in options.runs]
    if options.json:
        print_json({"store": opened.name, "added": keys})
    else:
        print("\n".join(f"{name}  {folder}" for name, folder in zip(keys, options.runs, strict=True)))
    return DONE


def remove(options: Runs, opened: Any) -> int:
    """Removes runs from disk and index, once somebody agreed. Exit code 2 where nobody did."""
    from assay.evaluation import index
    from assay.evaluation.removing import remove as remove_files

    chosen = [index.found(opened, name) for name in options.runs]
    folders = [] if options.keep_files else [Path(row["folder"]) for row in chosen if Path(row["folder"]).is_dir()]
    if not options.yes and not agreed(folders, chosen):
        print("nothing was removed.", file=sys.stderr)
        return USAGE
    stayed = {str(folder): rest for folder in folders if (rest := remove_files(folder))}
    index.forget(opened, [row["id"] for row in chosen])
    if options.json:
        print_json({"removed": [row["id"] for row in chosen], "stayed": stayed})
        return DONE
    print(f"removed: {', '.join(row['id'] for row in chosen)}")
    for folder, rest in stayed.items():
        print(f"{folder} stays, with what is no run's: {', '.join(rest)}")
    return DONE


def agreed(folders: list[Path], chosen: list[dict[str, Any]]) -> bool:
    """Whether whoever sits there wants it. `ValueError` where nobody does."""
    from assay.evaluation.removing import weigh
    from assay.reporting.text import one_line

    if not sys.stdin.isatty():
        raise ValueError("rm asks before it removes, and nobody is there to answer: say --yes.")
    for row in chosen:
        print(one_line(f"{row['id']}  {row['model']}, {row['task']} on {row['data']}", 200), file=sys.stderr)
    for folder in folders:
        weight = weigh(folder)
        print(f"  {folder}: {weight.files} files, {weight.bytes:,} bytes", file=sys.stderr)
    print("remove? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


RUNS = Command("runs", Runs, runs, "assay runs list --task classification")
