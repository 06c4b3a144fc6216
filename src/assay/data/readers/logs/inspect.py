"""inspect_ai's logs: ``.eval`` (a zip of ``header.json`` and ``samples/ID_epoch_N.json``) and the older single ``.json``.

Scores are taken as inspect's own metrics take them: ``C`` is 1, ``P`` 0.5, ``I`` and ``N`` 0, yes and no, numbers; NaN is no score. A
scorer that gives several values has a figure for each, ``SCORER/NAME``. Epochs of one sample are one unit.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from assay.data.readers.logs.log import Log, Record, figure, listed, mapping, plain, whole

HEADER, START, SAMPLES = "header.json", "_journal/start.json", "samples/"
GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
ZSTANDARD = 93
LARGEST = 2 << 30
"""Bytes that all that is read of a log may have, once it is unpacked."""


def is_inspect(value: Any) -> bool:
    """Whether a JSON document is a whole log."""
    return isinstance(value, dict) and isinstance(value.get("eval"), dict) and isinstance(value.get("samples"), list)


def read_document(value: dict[str, Any]) -> Log:
    """A log that is one JSON document."""
    return log_of(value, [(f"sample {number}", one) for number, one in enumerate(value["samples"], 1)])


def read_archive(where: Path) -> Log:
    """A log that is an archive. `ValueError` for one that is damaged, holds no samples, or is too large."""
    try:
        with zipfile.ZipFile(where) as archive:
            names = {
                entry.filename: entry for entry in archive.infolist()
            }  # a sample logged again is there twice: the last counts
            head = next((name for name in (HEADER, START) if name in names), None)
            samples = [name for name in names if name.startswith(SAMPLES) and name.endswith(".json")]
            if head is None or not samples:
                raise ValueError(f"{where} is no log of inspect, or holds no samples yet.")
            if sum(names[name].file_size for name in samples) > LARGEST:
                raise ValueError(f"{where} holds more than {LARGEST >> 30} GiB of samples.")
            header = document(archive, where, names[head])
            return log_of(header, [(name, document(archive, where, names[name])) for name in samples])
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise ValueError(f"{where} cannot be read as a zip archive: {error}") from error


def document(archive: zipfile.ZipFile, where: Path, entry: zipfile.ZipInfo) -> Any:
    """One member as JSON; NaN, which inspect writes for "not scored", is read as what it is."""
    data = unpacked(archive, where, entry) if entry.compress_type == ZSTANDARD else archive.read(entry)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}, {entry.filename}: is no JSON: {error}") from error


def unpacked(archive: zipfile.ZipFile, where: Path, entry: zipfile.ZipInfo) -> bytes:
    """A member that is compressed by Zstandard, which Python's own archives cannot read."""
    import zstandard

    assert archive.fp is not None, "an open archive has a file"
    file: IO[bytes] = archive.fp
    file.seek(entry.header_offset)
    head = file.read(30)
    file.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    packed = file.read(entry.compress_size)
    try:
        with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as stream:
            data: bytes = stream.read(entry.file_size + 1)
    except zstandard.ZstdError as error:
        raise ValueError(f"{where}, {entry.filename}: cannot be unpacked: {error}") from error
    if len(data) != entry.file_size:
        raise ValueError(f"{where}, {entry.filename}: {entry.file_size} bytes were declared, others came.")
    return data


def log_of(header: dict[str, Any], samples: list[tuple[str, Any]]) -> Log:
    """The log from its header and its samples."""
    about = mapping(mapping(header).get("eval"))
    records = [(place, record_of(mapping(value))) for place, value in samples]
    return Log(str(about.get("model") or "model"), str(about.get("task") or "task").rpartition("/")[2], records)


def record_of(sample: dict[str, Any]) -> Record:
    """One sample in one epoch."""
    name, epoch = str(sample.get("id")), whole(sample.get("epoch"), 1)
    output = mapping(sample.get("output"))
    record: Record = {"id": name if epoch == 1 else f"{name}#{epoch}", "unit": name, "epoch": str(epoch)}
    error = sample.get("error") or output.get("error")
    if error:
        return record | {"error": str(error.get("message") if isinstance(error, dict) else error), **expected(sample)}
    record["prediction"] = completion(output)
    record["scores"] = dict(scores(mapping(sample.get("scores"))))
    return record | expected(sample)


def expected(sample: dict[str, Any]) -> Record:
    """What the answer should have been, and among which choices."""
    target = sample.get("target")
    wanted = [str(one) for one in target] if isinstance(target, list) else [] if target in (None, "") else [str(target)]
    return {
        **({"references": wanted} if wanted else {}),
        **({"options": sample["choices"]} if sample.get("choices") else {}),
    }


def completion(output: dict[str, Any]) -> str | None:
    """The text of an answer."""
    if isinstance(output.get("completion"), str):
        return str(output["completion"])
    choices = listed(output.get("choices"))
    content = mapping(mapping(choices[0]).get("message")).get("content") if choices else None
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in map(mapping, content))
    return content if isinstance(content, str) else None


def scores(given: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Every scorer's figures."""
    for scorer, score in given.items():
        value = score.get("value") if isinstance(score, dict) else score
        several = value.items() if isinstance(value, dict) else [("", value)]
        for name, one in several:
            number = GRADES.get(one, GRADES.get(one.lower())) if isinstance(one, str) else figure(one)
            if number is not None:
                yield plain(f"{scorer}/{name}" if name else scorer), number
