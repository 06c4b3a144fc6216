"""A plain function is a model: this one answers questions without ever looking at the picture.

``assay evaluate py:examples.blind:answer …`` gives the floor that a model with eyes must beat.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay import Sample


def answer(samples: Sequence[Sample], choices: Sequence[str] | None = None) -> list[str]:
    """``yes`` to what begins like a yes/no question, a common colour or number to what asks for one, else ``unknown``."""
    return [_one(str(sample.inputs.get("text", "")).lower()) for sample in samples]


def _one(question: str) -> str:
    first = question.split(" ", 1)[0] if question else ""
    if first in {"is", "are", "does", "do", "did", "was", "were", "can", "could", "has", "have", "will"}:
        return "yes"
    if question.startswith("how many"):
        return "2"
    return "white" if "color" in question or "colour" in question else "unknown"


if __name__ == "__main__":
    print(answer([Sample("a", {"text": "Is it red?"}), Sample("b", {"text": "How many cats are there?"})]))
