"""What may be said about a model behind its name: ``hf:NAME?dtype=bfloat16&max_tokens=32``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from assay.catalog import nearest

SCHEME = "hf:"
DTYPES = ("auto", "float32", "bfloat16", "float16")
LIKELIHOODS = ("sum", "mean")
ELSEWHERE = ("device", "batch", "revision")
"""What decides where and how fast a model runs, or which files are taken, whose hash is known: not part of the fingerprint."""


@dataclass(frozen=True)
class Options:
    """How a model runs and answers.

    - ``device``: ``auto`` is the first CUDA device, else the CPU. ``dtype``: ``auto`` is float32 on the CPU, elsewhere the
      checkpoint's own. ``batch``: samples at once. ``revision``: of a model on the hub.
    - ``max_tokens``: of the longest answer (0: 128, for speech as many as the decoder can write). ``beams``: 1 is greedy.
    - ``prompt``: a sentence with ``{}`` in which a sample's text (for models that compare with texts: a choice) is put.
    - ``likelihood``: of a choice, the ``sum`` of its tokens' log-probabilities, or their ``mean``.
    - ``labels``: a classifier's classes under other names, in the order of its head.
    - ``language``: what a recogniser of speech is told to write in. ``frames``: how many pictures of a film are shown.
    """

    device: str = "auto"
    dtype: str = "auto"
    batch: int = 16
    max_tokens: int = 0
    beams: int = 1
    prompt: str = ""
    likelihood: str = "sum"
    labels: tuple[str, ...] = ()
    language: str = ""
    frames: int = 8
    revision: str = ""

    def __post_init__(self) -> None:
        for name, least in (("batch", 1), ("max_tokens", 0), ("beams", 1), ("frames", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name, known in (("dtype", DTYPES), ("likelihood", LIKELIHOODS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be {' or '.join(known)}, got {getattr(self, name)!r}")
        if self.prompt and self.prompt.count("{}") != 1:
            raise ValueError(f"prompt holds {{}} once, where the text goes; got {self.prompt!r}")

    def decisive(self) -> dict[str, Any]:
        """What decides the answers, for the fingerprint."""
        return {name: value for name, value in asdict(self).items() if name not in ELSEWHERE}

    def put(self, text: str) -> str:
        """The text in the prompt."""
        return self.prompt.replace("{}", text) if self.prompt else text


def parsed(spec: str) -> tuple[str, Options]:
    """Name (or folder) and options of ``hf:NAME?key=value&key=value``. `ValueError` for what cannot be read.

    >>> parsed("hf:org/name?batch=4&labels=cat,dog")[1].labels
    ('cat', 'dog')
    >>> parsed("hf:org/name?bach=4")
    Traceback (most recent call last):
    ValueError: unknown option 'bach' of a hf: model: did you mean batch?
    """
    name, _, given = spec.removeprefix(SCHEME).partition("?")
    if not name:
        raise ValueError(f"{spec!r} names no model: expected hf:org/name or hf:path/to/folder")
    kinds = {one.name: type(one.default) for one in fields(Options)}
    found: dict[str, Any] = {}
    for part in filter(None, given.split("&")):
        key, sign, value = part.partition("=")
        if key not in kinds:
            raise ValueError(f"unknown option {key!r} of a hf: model: {nearest(key, kinds)}")
        if not sign or not value:
            raise ValueError(f"cannot read {part!r}: expected {key}=VALUE")
        found[key] = _value(key, value, kinds[key])
    return name, replace(Options(), **found)


def _value(key: str, value: str, kind: type) -> Any:
    if kind is tuple:
        return tuple(one.strip() for one in value.split(","))
    if kind is not int:
        return value
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{key} is a whole number, got {value!r}") from None
