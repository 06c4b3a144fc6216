"""``assay search MODEL DATA "a red fruit"``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from assay.cli.options import Command, arg
from assay.cli.output import print_json


@dataclass(frozen=True)
class Search:
    """The best matches in a data set for words, a picture or a sound."""

    model: str = arg("a model whose modalities share a space: assay:aligned, a model's folder, hf:NAME_OR_FOLDER")
    data: str = arg("the data to look through: emoji, emoji:all")
    text: str | None = arg("the words to search by", default=None, metavar="TEXT", positional=True)
    image: str | None = arg("the picture to search by", default=None, metavar="FILE")
    audio: str | None = arg("the sound to search by", default=None, metavar="FILE")
    among: str = arg("what to search in: image, text or audio", default="image")
    k: int = arg("how many", default=10)
    sheet: str | None = arg("draw what was found into this PNG file", default=None, metavar="FILE")
    json: bool = arg("print one JSON document", default=False)


def search(options: Search) -> int:
    """Lists what was found, best first."""
    from assay import verbs
    from assay.reporting.text import one_line

    if options.k < 1:
        raise ValueError(f"--k must be at least 1, got {options.k}.")
    found = verbs.search(
        options.model,
        options.data,
        options.text,
        image=options.image,
        audio=options.audio,
        among=options.among,
        k=options.k,
    )
    rows = [
        {
            "sample": hit.sample.id,
            "similarity": hit.similarity,
            "name": hit.sample.references[0] if hit.sample.references else None,
            "groups": dict(hit.sample.groups),
        }
        for hit in found.hits
    ]
    if options.sheet:
        from assay.data.contact_sheet import contact_sheet

        pictures = replace(verbs.load_dataset(options.data), samples=[hit.sample for hit in found.hits])
        Path(options.sheet).write_bytes(contact_sheet(pictures, n=options.k))
    if options.json:
        print_json({"hits": rows, "broken": [{"sample": s, "reason": r} for s, r in found.broken]})
        return 3 if found.broken else 0
    for row in rows:
        print(
            f"{row['similarity']:6.3f}  {one_line(str(row['name'] or ''), 60):<40}  {one_line(str(row['sample']), 60)}"
        )
    for sample, reason in found.broken:
        print(f"could not be read: {one_line(sample, 60)}: {one_line(reason, 120)}")
    if options.sheet:
        print(f"the pictures: {options.sheet}")
    return 3 if found.broken else 0


SEARCH = Command("search", Search, search, 'assay search assay:aligned emoji "a red fruit" --sheet found.png')
