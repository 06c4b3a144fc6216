"""OpenAI's batch output: an object a line with ``custom_id``, ``response`` (status and body) and ``error``. What was expected stands
in a file of its own, by the same ids.
"""

from __future__ import annotations

from pathlib import Path

from assay import wire
from assay.data.readers.logs.log import Log, Placed, Record, mapping


def is_batch(record: Record) -> bool:
    """Whether a first record is one of these."""
    return "custom_id" in record and "response" in record


def read(where: Path, content: Placed) -> Log:
    """The log; the model is the one that the replies name."""
    bodies = [mapping(value.get("response")).get("body") for _, value in content]
    model = next(
        (body["model"] for body in bodies if isinstance(body, dict) and isinstance(body.get("model"), str)), where.stem
    )
    return Log(model, where.stem, [(place, record_of(value)) for place, value in content])


def record_of(value: Record) -> Record:
    """One request: its answer, or why there is none."""
    response = mapping(value.get("response"))
    body, status = response.get("body"), response.get("status_code")
    name = {"id": str(value["custom_id"])}
    if status != 200 or value.get("error") or not isinstance(body, dict):
        said = wire.told(value if value.get("error") else body if isinstance(body, dict) else {})
        return {**name, "error": f"status {status}: {said}"}
    try:
        reply = wire.chat_of(body)
    except wire.Malformed as error:
        return {**name, "error": f"the reply cannot be read: {error}"}
    return {**name, "error": reply.withheld} if reply.withheld else {**name, "prediction": reply.text}
