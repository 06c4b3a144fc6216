"""evalscope's reviews, ``reviews/MODEL/BENCHMARK_SUBSET.jsonl``: an object a line with ``index``, ``target`` and ``sample_score``.

A sample whose score is not usable (``status`` is another than success) has its answer and no score.
"""

from __future__ import annotations

from pathlib import Path

from assay.data.readers.logs.log import Log, Placed, Record, figures, mapping, several


def is_evalscope(record: Record) -> bool:
    """Whether a first record is one of these."""
    return "index" in record and isinstance(record.get("sample_score"), dict)


def read(where: Path, content: Placed) -> Log:
    """The log; its folder is named after the model."""
    name = where.parent.name if where.parent.parent.name == "reviews" else where.stem
    return Log(name, where.stem, [(place, record_of(value)) for place, value in content])


def record_of(value: Record) -> Record:
    """One sample; repetitions of a sample (``group_id``) are one unit."""
    scored = mapping(value["sample_score"])
    score = mapping(scored.get("score"))
    came = score.get("prediction")
    record: Record = {
        "id": str(value["index"]),
        "prediction": came if came is not None else score.get("extracted_prediction"),
    }
    record["scores"] = (
        figures(mapping(score.get("value"))) if str(score.get("status", "success")).lower() == "success" else {}
    )
    if scored.get("group_id") is not None:
        record["unit"] = str(scored["group_id"])
    if expected := several(value.get("target")):
        record["references"] = expected
    return record
