"""Answers that were written down: predictions with what they should have been, one row each, from a file or several.

- JSONL (or a JSON list of the same objects; gzip is seen by its bytes): ``id``, ``prediction``, and ``reference`` or
  ``references`` (also ``label``, ``answer``, ``answers``). A prediction of null, or a row with ``error``, is missing. The
  references may stand in a file of their own, by the same ids.
- COCO results and annotations (captions, detections), VQA results, annotations and questions: `assay.data.readers.coco`.
- Tables (CSV, TSV, Excel, Parquet), and the logs of other harnesses: `assay.data.readers.logs`.

Everything is checked when it is read; an error names the file and the line. Half a character (a lone surrogate) in a text
becomes U+FFFD, since no file could keep it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.data.readers.jsonl import HALF_CHARACTER, Numbered, values, whole
from assay.data.readers.logs.find import contents
from assay.data.readers.sheet import Row, Sheet, digest

REFERENCES = ("references", "reference", "label", "answers", "answer")
"""What the references may be called, the first that there is."""

PREDICTION = "prediction"
ALIKE = (
    "pred",
    "predicted",
    "predictions",
    "output",
    "response",
    "hypothesis",
    "caption",
    "generated",
    "text",
    "result",
)
"""Names under which a prediction is often kept, told in the error."""

KNOWN = {"id", PREDICTION, "error", "options", *REFERENCES}
LONGEST_GROUP = 80
LONGEST_ID = 500


def read_answers(
    path: str | Path,
    references: str | Path | None = None,
    questions: str | Path | None = None,
    *,
    by: Sequence[str] = (),
) -> Sheet:
    """The answers of a file, with their references from the same file or from ``references``; ``by`` names groups to keep.

    What kind of file it is, its content says. Raises `ValueError`, naming file and line, for what cannot be read, for a
    row without id, prediction or references, for an id that occurs twice and for unknown ids.
    """
    where = Path(path)
    content, log = contents(where)
    kind = kind_of(content) if log is None else "rows"
    if kind != "rows":
        sheet = _coco(kind, where, references, questions)
    elif references is not None:
        sheet = _joined(where, content, Path(references))
    else:
        sheet = _rows(where, content)
    if not sheet.rows:
        raise ValueError(f"{where}: there are no rows in it.")
    if log is not None:
        sheet = replace(
            sheet, name=log.name, data=sheet.data if references is not None else f"{log.data}:{sheet.asked[:8]}"
        )
    return _grouped(sheet, by, where)


def _grouped(sheet: Sheet, by: Sequence[str], where: Path) -> Sheet:
    held = {name: None for row in sheet.rows for name in row.groups}
    for name in by:
        if name not in held:
            told = f"there is {', '.join(held)}" if held else "the rows hold no other fields"
            raise ValueError(f"{where}: no row has a field {name!r} to break figures down by; {told}.")
    return replace(sheet, slices=tuple(dict.fromkeys((*sheet.slices, *by))))


def kind_of(content: Numbered) -> str:
    """``captions``, ``detection`` or ``vqa`` results, or ``rows``."""
    first = content[0][1] if content else None
    if not isinstance(first, dict) or PREDICTION in first:
        return "rows"
    if "question_id" in first and "answer" in first and "id" not in first:
        return "vqa"
    if "image_id" in first and "id" not in first:
        return "captions" if "caption" in first else "detection" if "bbox" in first else "rows"
    return "rows"


def _rows(where: Path, content: Numbered) -> Sheet:
    """Predictions and references side by side."""
    rows: list[Row] = []
    seen = _Seen(where)
    for place, value in content:
        record = _object(value, where, place)
        name = seen.id_of(record, place, number=len(rows) + 1)
        rows.append(_row(name, record, _references(record, where, place), where, place))
    return _sheet(where, rows)


def _joined(where: Path, content: Numbered, references: Path) -> Sheet:
    """Predictions by id beside references in a file of their own; what has no prediction is missing."""
    answers: dict[str, tuple[str, dict[str, Any]]] = {}
    seen = _Seen(where)
    for place, value in content:
        record = _object(value, where, place)
        answers[seen.id_of(record, place, number=len(answers) + 1)] = (place, record)
    rows: list[Row] = []
    known = _Seen(references)
    for place, value in values(references):
        record = _object(value, references, place)
        name = known.id_of(record, place, number=len(rows) + 1)
        expected = _references(record, references, place)
        if name not in answers:
            rows.append(Row(name, None, expected, _groups(record), f"no row in {where.name}", _options(record)))
            continue
        at, answer = answers.pop(name)
        row = _row(name, {**record, **answer}, expected, where, at)
        rows.append(row)
    if answers:
        name, (place, _) = next(iter(answers.items()))
        near = difflib.get_close_matches(name, [row.id for row in rows[:10_000]], n=1)
        told = f"; did you mean {near[0]!r}?" if near else "."
        raise ValueError(f"{where}, {place}: id {name!r} is not in {references}{told}")
    return replace(_sheet(where, rows), data=f"{references.stem}:{digest([row.id for row in rows])[:8]}")


def _sheet(where: Path, rows: Sequence[Row]) -> Sheet:
    several = any(len(row.references) > 1 for row in rows)
    usual = ("bleu_4", "rouge_l", "cider_d") if several else ("exact_match", "token_f1")
    recorded = dict.fromkeys(f"recorded:{name}" for row in rows for name in row.scores)
    names: tuple[str, ...] = tuple(recorded) or usual
    sheet = Sheet(_stem(where), "", "rows", tuple(rows), names)
    return replace(sheet, data=f"jsonl:{sheet.asked[:8]}")


def _stem(where: Path) -> str:
    name = where.name
    for end in (".gz", ".jsonl", ".json", ".ndjson"):
        name = name.removesuffix(end)
    return name or where.name


class _Seen:
    """The ids of one file, so that none occurs twice."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self.first: dict[str, str] = {}
        self.numbered: bool | None = None

    def id_of(self, record: Mapping[str, Any], place: str, *, number: int) -> str:
        """A record's id as a text; where no record has one, its number."""
        value = record.get("id")
        if self.numbered is None:
            self.numbered = value is None
        if (value is None) != self.numbered:
            other = "the rows before it have none" if self.numbered else "the rows before it have one"
            raise ValueError(f"{self.where}, {place}: 'id' is {'there' if self.numbered else 'missing'}, but {other}.")
        if value is None:
            return str(number)
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise ValueError(
                f"{self.where}, {place}: 'id' as a text or a whole number was expected, not {value!r:.60}."
            )
        name = str(value)
        if len(name) > LONGEST_ID or "\0" in name:
            raise ValueError(f"{self.where}, {place}: the id is too long or holds a NUL character: {name[:60]!r}…")
        if HALF_CHARACTER.search(name):
            raise ValueError(f"{self.where}, {place}: the id {name!r} holds half a character (a lone surrogate).")
        if name in self.first:
            raise ValueError(f"{self.where}, {place}: the id {name!r} occurs already in {self.first[name]}.")
        self.first[name] = place
        return name


def _row(name: str, record: Mapping[str, Any], references: tuple[Any, ...], where: Path, place: str) -> Row:
    error = "" if record.get("error") in (None, "", False) else str(whole(record["error"]))
    if PREDICTION not in record and not error:
        raise ValueError(f"{where}, {place}: no 'prediction'; {_found(record)}")
    prediction = None if error else whole(record[PREDICTION])
    reason = error or ("the prediction is null" if prediction is None else "")
    return Row(name, prediction, references, _groups(record), reason, _options(record), record.get("scores") or {})


def _found(record: Mapping[str, Any]) -> str:
    """What a record holds instead, and what may have been meant."""
    names = [name for name in record if name not in REFERENCES and name != "id"]
    near = [name for name in names if name.lower() in ALIKE] or difflib.get_close_matches(
        PREDICTION, names, n=1, cutoff=0.5
    )
    told = f": did you mean {near[0]!r} to be the prediction? Then rename it." if near else "."
    return f"found {', '.join(map(repr, record)) or 'nothing'}{told}"


def _references(record: Mapping[str, Any], where: Path, place: str) -> tuple[Any, ...]:
    name = next((name for name in REFERENCES if record.get(name) is not None), None)
    if name is None and "scores" in record:
        return ()  # measured elsewhere, against what only its harness knows
    if name is None:
        told = ", ".join(map(repr, record)) or "nothing"
        raise ValueError(
            f"{where}, {place}: no 'reference' or 'references' (also 'label', 'answer', 'answers'); found {told}."
        )
    for other in REFERENCES:
        if other != name and record.get(other) is not None and not _agree(record[name], record[other]):
            raise ValueError(
                f"{where}, {place}: {name!r} and {other!r} contradict each other ({record[name]!r:.60}, {record[other]!r:.60}); "
                "keep the one that holds the references."
            )
    value = whole(_answers(record[name]) if name == "answers" else record[name])
    several = isinstance(value, list)
    if several and (not value or any(one is None for one in value)):
        raise ValueError(
            f"{where}, {place}: {name!r} holds {'nothing' if not value else 'null'}; a row needs a reference."
        )
    return tuple(value) if several else (value,)


def _answers(value: Any) -> Any:
    """The texts of VQA's annotators."""
    return [one.get("answer") if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value


def _agree(one: Any, other: Any) -> bool:
    """Whether the references under two names are the same, or the fewer are among the more."""
    few, more = sorted((_answers(x) if isinstance(x, list) else [x] for x in (one, other)), key=len)
    return all(x in more for x in few)


def _options(record: Mapping[str, Any]) -> tuple[str, ...]:
    value = record.get("options")
    return tuple(str(whole(one)) for one in value) if isinstance(value, list) else ()


def _groups(record: Mapping[str, Any]) -> dict[str, str]:
    """The other fields of a record whose values are short and plain."""
    out = {}
    for name, value in record.items():
        if name in KNOWN or not isinstance(value, str | int | float) or HALF_CHARACTER.search(name):
            continue
        text = str(whole(value))
        if len(text) <= LONGEST_GROUP:
            out[name] = text
    return out


def _object(value: Any, where: Path, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(
            f"{where}, {place}: an object with 'id', 'prediction', 'reference' was expected, not {value!r:.60}."
        )
    return value


def _coco(kind: str, where: Path, references: str | Path | None, questions: str | Path | None) -> Sheet:
    from assay.data.readers import coco

    if references is None:
        what = {"captions": "COCO captions", "detection": "COCO detections", "vqa": "VQA answers"}[kind]
        raise ValueError(f"{where} holds {what} without references: name the annotations' file after it.")
    name, data = _stem(where), _stem(Path(references))
    if kind == "captions":
        ids, predictions, captions = coco.read_coco_captions(where, references)
        rows = [
            Row(str(image), whole(text), tuple(map(whole, found)))
            for image, text, found in zip(ids, predictions, captions, strict=True)
        ]
        return Sheet(name, data, kind, tuple(rows), ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider_d"))
    if kind == "vqa":
        ids, answers, human, groups = coco.read_vqa(where, references, questions, incomplete=True)
        columns = {key: [str(whole(value)) for value in values] for key, values in groups.items()}
        rows = [
            Row(
                str(ids[at]),
                whole(answers[at]),
                tuple(map(whole, human[at])),
                {key: column[at] for key, column in columns.items()},
                "" if answers[at] is not None else f"no answer in {where.name}",
            )
            for at in range(len(ids))
        ]
        slices = tuple(key for key in ("answer_type",) if key in columns)
        return Sheet(name, data, kind, tuple(rows), ("vqa_accuracy",), slices)
    predicted, targets, images = coco.read_coco_detection(where, references)
    rows = [
        Row(str(image), plain(found), (plain(target),))
        for image, found, target in zip(images, predicted, targets, strict=True)
    ]
    return Sheet(name, data, kind, tuple(rows), ("coco_map", "coco_map_50", "coco_map_75", "coco_mar_100"))


def plain(boxes: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of one image as JSON lists."""
    return {name: column.tolist() for name, column in boxes.items()}
