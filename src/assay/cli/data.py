"""``assay data list | show NAME | check NAME``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli import DONE, INCOMPLETE
from assay.cli.options import Command, arg
from assay.cli.output import print_json
from assay.cli.progress import Bar

if TYPE_CHECKING:
    from assay.data.dataset import Dataset
    from assay.data.summary import Check, Summary

ACTIONS = ("list", "show", "check")
FEW = 12


@dataclass(frozen=True)
class Data:
    """Lists the data sets, shows what is in one, or decodes every sample of it to find what is broken."""

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
    from assay import verbs

    dataset = verbs.load_dataset(options.name)
    if options.sheet:
        from assay.data.contact_sheet import contact_sheet

        Path(options.sheet).write_bytes(contact_sheet(dataset))
    return show_data(options, dataset) if options.action == "show" else check_data(options, dataset)


def list_data(options: Data) -> int:
    """Every bundled data set with its splits, the benchmarks that there are cards of, and the readers of one's own files."""
    from assay.catalog import READERS
    from assay.data.bundled import names, splits
    from assay.data.cards.layouts import listed

    if options.json:
        bundled = [{"name": n, "kind": "bundled", "summary": text, "splits": splits(n)} for n, text in names().items()]
        print_json([*bundled, *({**card, "kind": "card"} for card in listed())])
        return DONE
    for name, text in names().items():
        print(f"{name}: {text}")
        for split, about in splits(name).items():
            print(f"  {name}:{split:<16} {about}")
    print("\nBenchmarks, where their files are on this machine (NAME:DIR, or each file by itself):")
    for card in listed():
        print(
            f"  {card['name']:<20} {card['title']}\n{'':<23}{card['form']}\n{'':<23}{card['licence']}; {card['source']}"
        )
    print(
        f"\nFiles of your own: a folder, a CSV, JSONL or Parquet file, a card (my.toml), or {', '.join(map('{}:'.format, READERS))}"
    )
    return DONE


def show_data(options: Data, dataset: Dataset) -> int:
    """Counts, modalities, groups, licence."""
    from assay.data.summary import describe

    summary = describe(dataset)
    if options.json:
        print_json(asdict(summary))
    else:
        print_summary(summary)
        if options.sheet:
            print(f"contact sheet: {options.sheet}")
    return DONE


def print_summary(summary: Summary) -> None:
    """The summary for people."""
    print(f"{summary.name}: {summary.samples} samples\n{summary.description}\n")
    print(f"modalities   {counts(summary.modalities)}")
    if summary.targets:
        print(f"targets      {counts(summary.targets)}")
    for group, values in summary.groups.items():
        print(f"{group:<12} {counts(values)}")
    if summary.text_words:
        words = summary.text_words
        print(f"text         {words.least} to {words.most} words, median {words.median:g}")
    print(f"licence      {summary.licence}\nsource       {summary.source}\nfingerprint  {summary.fingerprint}")


def counts(values: Mapping[str, int]) -> str:
    """Values with their counts, most first; of many, the first few and how many there are.

    >>> counts({"red": 2, "blue": 1})
    'red 2, blue 1'
    """
    if len(values) > FEW and max(values.values()) == 1:
        return f"{len(values)} values, one sample each"
    shown = ", ".join(f"{value or '(none)'} {n}" for value, n in list(values.items())[:FEW])
    return shown if len(values) <= FEW else f"{shown}, ... ({len(values)} values)"


def check_data(options: Data, dataset: Dataset) -> int:
    """Decodes everything and says what is wrong."""
    from assay.data.summary import check

    with Bar(f"check {dataset.name}") as bar:
        found = check(dataset, lambda done: bar(done, len(dataset)))
    if options.json:
        print_json({"data": dataset.name, "samples": len(dataset), "sound": found.sound, **asdict(found)})
    else:
        print_check(dataset, found)
    return DONE if found.sound else INCOMPLETE


def print_check(dataset: Dataset, found: Check) -> None:
    """What was found, for people."""
    from assay.reporting.text import one_line

    state = "every input can be used" if found.sound else f"{len(found.broken)} inputs are broken"
    print(f"{dataset.name}: {len(dataset)} samples, {state}")
    for broken in found.broken:
        print(f"  {one_line(broken.sample, 60)} {broken.modality}: {one_line(broken.reason, 160)}")
    for name in found.duplicate_ids:
        print(f"  id used twice: {one_line(name, 60)}")
    for same in found.same_pictures:
        print(f"  the same picture under different labels: {', '.join(one_line(s, 60) for s in same[:FEW])}")
    for overlap in found.overlaps:
        first, second = overlap.splits
        print(f"  {first} and {second} share {overlap.count} {overlap.kind}s, such as {one_line(overlap.example, 60)}")


DATA = Command("data", Data, data, "assay data show emoji:test --sheet emoji.png")
