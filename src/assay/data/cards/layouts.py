"""From a card and the places of its files to a data set: one function for each way in which benchmarks are published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.catalog import CARDS, LAYOUTS, attribute, nearest
from assay.data.cards.card import FOLDER, Card, read_card
from assay.data.dataset import Dataset
from assay.data.kept import Kept
from assay.data.readers import published, splits
from assay.data.readers.inputs import BY_SUFFIX, medium
from assay.data.readers.jsonl import text_of, values
from assay.data.readers.published import made, required
from assay.types import Media, Sample

Layout = Callable[[Card, tuple[Path, ...]], Dataset]


def load_card(name: str) -> Dataset:
    """``NAME_OR_FILE[,DIR | ,FILE,FILE …]``: a benchmark by its card (``pope,DIR``, ``my.toml``, ``my.toml,DIR``).

    A shipped card needs the folder that its files lie in, or each file; one of your own looks beside itself without.
    Raises `ValueError` for an unknown card, for files that are not there, and as its layout does.
    """
    first, _, rest = name.partition(",")
    card = named_card(first.strip())
    if not rest and first in CARDS:
        raise ValueError(f"where are the files of {first}? Expected {card.form}")
    return with_card(card, f"card:{name}", placed(card, rest))


def named_card(name: str) -> Card:
    """The card of a name or a file."""
    if name in CARDS:
        return read_card(FOLDER / f"{name}.toml")
    if not name.endswith(".toml"):
        raise ValueError(f"unknown benchmark card {name!r}: {nearest(name, CARDS)} A card of your own is a .toml file.")
    return read_card(name)


def placed(card: Card, places: str) -> tuple[Path, ...]:
    """The card's files: in a folder, or each by itself. `ValueError` for one that is not there."""
    given = [Path(one.strip()) for one in places.split(",")] if places else [card.folder]
    for path in given:
        if not path.exists():
            raise ValueError(f"there is no file or folder {path} (expected {card.form})")
    inside = len(given) == 1 and given[0].is_dir()
    if inside and not (len(card.files) == 1 and not (given[0] / card.files[0]).exists()):
        found = [given[0] / file for file in card.files]
    elif len(given) == len(card.files):
        found = given
    else:
        raise ValueError(f"expected {card.form}, got {places!r}")
    for path in found:
        if not path.exists():
            raise ValueError(f"there is no file or folder {path} (expected {card.form})")
    return tuple(found)


def with_card(card: Card, name: str, files: tuple[Path, ...]) -> Dataset:
    """The data set of a card: its samples by its layout, with what the card says of them."""
    layout: Layout = attribute(LAYOUTS[card.layout])
    data = layout(card, files)
    groups = {key for sample in data.samples for key in sample.groups}
    return replace(
        data,
        name=name,
        card=card,
        choices=card.choices or data.choices,
        slices=tuple(group for group in card.groups if group in groups),
        licence=card.licence,
        source=card.source,
        description=card.title,
        asks=card.task if card.task in ("vqa", "captioning") else "",
        checked=False,
    )


def vqa(card: Card, files: tuple[Path, ...]) -> Dataset:
    """VQA v2's questions, annotations and pictures; the prompt may use ``{question}``."""
    from assay.data.cards.rows import filled

    data = published.vqa(files)
    asked = [
        sample.with_inputs({**sample.inputs, "text": filled(card.prompt, {"question": str(sample.inputs["text"])})})
        for sample in data.samples
    ]
    return replace(data, samples=asked)


def coco(card: Card, files: tuple[Path, ...]) -> Dataset:
    """COCO's captions and pictures; the prompt asks for a caption."""
    data = published.coco(files)
    asked = [sample.with_inputs({**sample.inputs, "text": card.prompt.strip()}) for sample in data.samples]
    return replace(data, samples=asked)


def karpathy(card: Card, files: tuple[Path, ...]) -> Dataset:
    """The test pictures of Karpathy's split and their captions, each a sample of its own, for retrieval."""
    return replace(splits.karpathy_pairs(files, card.folds), together="concept")


def mme(card: Card, files: tuple[Path, ...]) -> Dataset:
    """MME's release: a folder for each subtask, in it pictures and, of the same name, a text with two lines ``question<tab>answer``.

    Pictures and texts lie side by side, or in ``images`` and ``questions_answers_YN``. Groups: ``subtask``, ``image``.
    """
    kept, samples = Kept(), []
    texts: list[Path] = []
    for folder in sorted(one for one in files[0].iterdir() if one.is_dir() and one.name != "eval_tool"):
        apart = (folder / "questions_answers_YN").is_dir()
        asked_in, shown_in = (folder / "questions_answers_YN", folder / "images") if apart else (folder, folder)
        for text in sorted(asked_in.glob("*.txt")):
            picture = picture_beside(shown_in, text.stem, f"{folder.name}/{text.stem}", kept)
            texts.append(text)
            samples += mme_questions(card, text, picture, folder.name)
    if not samples:
        raise ValueError(f"{files[0]} holds no folders of subtasks with pictures and texts, as MME is published")
    return replace(made("mme", samples, tuple(texts), slices=(), asks="vqa"), together="image")


def mme_questions(card: Card, text: Path, picture: Media, subtask: str) -> list[Sample]:
    """The two questions about a picture. `ValueError` for a line that is none."""
    from assay.data.cards.rows import filled

    out = []
    for number, line in enumerate(filter(str.strip, text_of(text).splitlines())):
        question, _, answer = line.strip().rpartition("\t")
        if not question or answer.strip().lower() not in ("yes", "no"):
            raise ValueError(f"{text}, line {number + 1}: QUESTION<tab>Yes or No was expected, got {line[:60]!r}")
        told = answer.strip().lower()
        name = f"{subtask}/{text.stem}"
        groups = {"subtask": subtask, "image": name}
        inputs: dict[str, Media | str] = {"image": picture, "text": filled(card.prompt, {"question": question.strip()})}
        out.append(Sample(f"{name}#{number}", inputs, target=told, references=(told,), groups=groups))
    if len(out) != 2:
        raise ValueError(f"{text}: two questions about a picture were expected, got {len(out)}")
    return out


def picture_beside(folder: Path, stem: str, source: str, kept: Kept) -> Media:
    """The picture of a name with any usual ending; where there is none, loading it will say so."""
    found = [folder / f"{stem}{suffix}" for suffix, kind in BY_SUFFIX.items() if kind == "image"]
    path = next((one for one in found if one.is_file()), folder / f"{stem}.jpg")
    return medium("image", path, f"{source}{path.suffix}", kept)


def winoground(card: Card, files: tuple[Path, ...]) -> Dataset:
    """Winoground's ``examples.jsonl`` and its pictures: each example is two samples, a picture with its own caption.

    Groups: ``example``, ``side``, and the columns that the card names.
    """
    at, images = files
    kept, samples = Kept(), []
    for place, (where, one) in enumerate(values(at)):
        if not isinstance(one, dict):
            raise ValueError(f"{at}, {where}: an object was expected, got {type(one).__name__}")
        name = str(required(one, "id", at, place))
        told = {key: str(one[key]) for key in card.groups if one.get(key) not in (None, "")}
        for side in ("0", "1"):
            file = str(required(one, f"image_{side}", at, place))
            picture = winoground_picture(images, file, kept)
            caption = str(required(one, f"caption_{side}", at, place))
            groups = {"example": name, "side": side, **told}
            samples.append(Sample(f"{name}/{side}", {"text": caption, "image": picture}, groups=groups))
    return replace(made("winoground", samples, (at,), slices=(), asks=""), together="example")


def winoground_picture(images: Path, name: str, kept: Kept) -> Media:
    """``images/ex_0_img_0.png``; the records leave out the ending."""
    if (images / name).is_file():
        return medium("image", images / name, name, kept)
    return picture_beside(images, name, name, kept)


def rows(card: Card, files: tuple[Path, ...]) -> Dataset:
    """A manifest with the columns that the card names, and a folder of media (else the manifest's own)."""
    from assay.data.cards.rows import from_rows

    return from_rows(card, files[0], files[1] if len(files) > 1 else files[0].parent)


def listed() -> list[dict[str, Any]]:
    """The shipped cards, for people: name, title, how to ask for it, metrics, licence, source."""
    from assay.data.cards.card import shipped

    return [
        {
            "name": card.name,
            "title": card.title,
            "form": card.form,
            "task": card.task,
            "metrics": list(card.metrics),
            "licence": card.licence,
            "source": card.source,
        }
        for card in shipped().values()
    ]
