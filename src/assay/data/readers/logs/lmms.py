"""lmms-eval's ``…_samples_TASK.jsonl`` (``--log_samples``): an object a line with ``doc_id``, ``target``, ``filtered_resps``, and every
metric's value for the sample under its name, a number or an object with ``score``. lm-eval's samples have the same form.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from assay.data.readers.logs.log import Log, Placed, Record, figure, figures, plain, several

OWN = {"doc_id", "doc", "doc_hash", "target", "target_hash", "prompt_hash", "arguments", "input", "input_media"}
OWN |= {"resps", "filtered_resps", "token_counts", "filter", "metrics"}
NAMES = (re.compile(r"\d{8}_\d{6}_samples_(.+)"), re.compile(r"samples_(.+?)(?:_\d{4}-\d\d-\d\d.*)?"))


def is_lmms(record: Record) -> bool:
    """Whether a first record is one of these."""
    return "doc_id" in record and ("filtered_resps" in record or "resps" in record)


def read(where: Path, content: Placed) -> Log:
    """The log; the folder is named after the model, the file after the task."""
    found = next((match for name in NAMES if (match := name.fullmatch(where.stem))), None)
    records = [(place, record_of(value)) for place, value in content]
    return Log(where.parent.name if found else where.stem, found[1] if found else where.stem, records)


def record_of(value: Record) -> Record:
    """One sample. Several filters of one sample (lm-eval) are told apart by their names."""
    scores = figures({name: one for name, one in value.items() if name not in OWN})
    for name, one in value.items():
        if name not in OWN and isinstance(one, dict) and (number := figure(one.get("score"))) is not None:
            scores[plain(name)] = number
    came = answer(value.get("filtered_resps", value.get("resps")))
    record: Record = {"id": f"{value['doc_id']}", "prediction": came, "scores": scores}
    if value.get("filter") not in (None, "none"):
        record |= {"id": f"{value['doc_id']}:{value['filter']}", "unit": str(value["doc_id"])}
    if expected := several(value.get("target")):
        record["references"] = expected
    return record


def answer(value: Any) -> Any:
    """The text of an answer: the first of several; what is no text (log-likelihoods) as JSON."""
    while isinstance(value, list) and value and (len(value) == 1 or isinstance(value[0], str)):
        value = value[0]
    return value if isinstance(value, str) or value is None else json.dumps(value)
