"""``assay data list | show NAME | check NAME``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli import DONE, FAILED, INCOMPLETE
from assay.cli.options import Command, arg
from assay.cli.output import print_json
from assay.cli.progress import Bar

if TYPE_CHECKING:
    from assay.data.clean import Embed, Examined
    from assay.data.dataset import Dataset
    from assay.data.summary import Summary

ACTIONS = ("list", "show", "check")
FEW = 12
SHOWN = 5


@dataclass(frozen=True)
class Data:
    """Lists the data sets, shows what is in one, or decodes every sample of it to find what is broken, there twice, leaked, or strange."""

    action: str = arg("list, show or check")
    name: str | None = arg(
        "NAME[:SPLIT], a folder, a manifest, or what assay evaluate takes as data",
        default=None,
        metavar="DATA",
        positional=True,
    )
    sheet: str | None = arg("draw a contact sheet of the data into this PNG file", default=None, metavar="FILE")
    out: str | None = arg(
        "check: write the data without what is rejected, and the reasons, into this folder", default=None, metavar="DIR"
    )
    reject: str | None = arg(
        "check: the reasons to leave samples out for (default: unusable, duplicates, leaks)",
        default=None,
        metavar="REASON,...",
    )
    fail_on: str | None = arg(
        "check: exit with 1 if a sample is found for one of these reasons", default=None, metavar="REASON,..."
    )
    embed: str | None = arg(
        "check: a model in whose space to look for outliers and doubtful labels", default=None, metavar="MODEL"
    )
    map: str | None = arg("which column is what: image=path,label=species", default=None, metavar="ROLE=COLUMN,...")
    json: bool = arg("print one JSON document", default=False)


def data(options: Data) -> int:
    """Prints what was asked for. `check` exits 3 when a sample cannot be used, 1 when ``fail_on`` says so."""
    from assay.catalog import nearest
    from assay.cli.evaluate import columns_named

    if options.action not in ACTIONS:
        raise ValueError(f"unknown action {options.action!r}: {nearest(options.action, ACTIONS)}")
    if options.action == "list":
        return list_data(options)
    if options.name is None:
        raise ValueError(f"`assay data {options.action}` needs a name; `assay data list` tells them.")
    from assay import verbs

    columns = None if options.map is None else columns_named(options.map)
    dataset = verbs.load_dataset(options.name, columns=columns)
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
    print(f"{summary.name}: {summary.samples} samples\n" + (f"{summary.description}\n" if summary.description else ""))
    print(f"modalities   {counts(summary.modalities)}")
    if summary.targets:
        print(f"targets      {counts(summary.targets)}")
    for group, values in summary.groups.items():
        print(f"{group:<12} {counts(values)}")
    if summary.text_words:
        words = summary.text_words
        print(f"text         {words.least} to {words.most} words, median {words.median:g}")
    for name, value in (("licence", summary.licence), ("source", summary.source), ("fingerprint", summary.fingerprint)):
        if value:
            print(f"{name:<12} {value}")


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
    """Decodes everything, says what was found, and writes the rest where that was asked for."""
    from assay.data import clean, written

    reject = clean.REJECTED if options.reject is None else clean.check_reasons(names(options.reject))
    gates = clean.check_reasons(names(options.fail_on or ""))
    embed = None if options.embed is None else embedding(options.embed)
    with Bar(f"check {dataset.name}") as bar:
        found = clean.examine(dataset, embed=embed, progress=lambda done: bar(done, len(dataset)))
    rows = clean.rows(found, reject)
    kept: Dataset | None = None
    if options.out is not None:
        kept = clean.cleaned(dataset, found, reject)
        written.write_reasons(rows, Path(options.out))
        written.write_data(kept, Path(options.out))
    if options.json:
        told = {"data": dataset.name, "samples": len(dataset), "sound": found.check.sound, **asdict(found.check)}
        print_json({**told, "counts": found.counts, "findings": rows, "notes": found.notes})
    else:
        print_check(dataset, found)
        if kept is not None:
            print(
                f"\n{len(kept)} of {len(dataset)} samples are kept in {options.out}, with reasons.parquet and reasons.csv"
            )
    if not found.usable:
        return INCOMPLETE
    return FAILED if any(gate in found.counts for gate in gates) else DONE


def names(given: str) -> list[str]:
    """What stands between commas.

    >>> names("leak, duplicate")
    ['leak', 'duplicate']
    """
    return [part.strip() for part in given.split(",") if part.strip()]


def embedding(model: str) -> Embed:
    """The function by which a model embeds samples. `ValueError` for one that has no space."""
    from assay import verbs
    from assay.types import Embeds

    loaded = verbs.load_model(model)
    if not isinstance(loaded, Embeds):
        raise ValueError(f"{model} cannot embed: choose another model for --embed")
    return lambda samples: loaded.embed(samples)


def print_check(dataset: Dataset, found: Examined) -> None:
    """What was found, for people: counts, a few samples of each reason, what splits share."""
    from assay.data.clean import REASONS
    from assay.reporting.text import one_line

    state = "every input can be used" if found.usable else "some cannot be used"
    print(f"{dataset.name}: {len(dataset)} samples, {state}")
    for reason, count in found.counts.items():
        print(f"  {reason:<18} {count:>6}  {REASONS[reason]}")
        for one in [one for one in found.findings if one.reason == reason][:SHOWN]:
            like = f" (like {one_line(one.other, 60)})" if one.other else ""
            print(f"    {one_line(one.sample, 60)}{like} {one_line(one.detail, 160)}".rstrip())
    for note in found.notes:
        print(f"  {one_line(note, 200)}")
    for same in found.check.same_pictures[:FEW]:
        print(f"  the same picture in different samples: {', '.join(one_line(s, 60) for s in same[:FEW])}")
    for overlap in found.check.overlaps:
        first, second = overlap.splits
        print(f"  {first} and {second} share {overlap.count} {overlap.kind}s, such as {one_line(overlap.example, 60)}")


DATA = Command("data", Data, data, "assay data show emoji:test --sheet emoji.png")
