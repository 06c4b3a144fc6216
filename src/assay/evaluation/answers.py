"""Asks a model for one batch and takes nothing on trust: what comes back is checked for count, shape, type and value.

An answer is a ``float32`` vector, a row of log-probabilities (``score``) or an embedding (``embed``), or a text (``generate``). What
cannot be one is a `Failure` that says what came; a model may give one itself, in the place of an answer. Log-probabilities may be minus
infinity for some choices, never for all, never positive beyond rounding, never NaN.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO, cast

import numpy as np

from assay.evaluation.deadline import OutOfTime
from assay.evaluation.errors import Terminated
from assay.stats.inputs import array as as_array
from assay.types import (
    Answers,
    Embeds,
    Failure,
    FloatArray,
    Generates,
    MediaError,
    Model,
    ModelStoppedError,
    Sample,
    Scores,
    Verb,
)

HALF_CHARACTER = re.compile("[\ud800-\udfff]")
LONGEST = 500  # characters of an error's message that are kept
ROUNDING = 1e-3  # how far above 0 a log-probability may lie


VERBS: Mapping[Verb, type] = {"embed": Embeds, "score": Scores, "generate": Generates}
TRIED_AGAIN = ("exception", "timeout", "unusable_answer")  # the kinds of failure that another attempt may mend
WRITTEN = ("generate", "read")  # the verbs whose answers are texts; what is read was written before


class UnusableAnswer(Exception):
    """What a model gave back cannot be read as answers to what it was asked."""


class Elsewhere(Exception):
    """What a model in another process raised, or how that process ended: the ``kind`` that it is counted as, and its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Unanswered(Exception):
    """Why there is no answer, where one was planned and somebody noted the reason."""


Answer = FloatArray | str | Failure
Ask = Callable[[Sequence[Sample]], list[Answer]]


@dataclass(frozen=True)
class Question:
    """What each sample of a pass is asked: the verb, for ``embed`` of which modality, for ``score`` among which choices."""

    verb: Verb
    modality: str | None = None
    choices: tuple[str, ...] = ()


def asker(model: Model, question: Question, width: int | None) -> Ask:
    """A function that asks the model and checks; ``width`` is the length that answers must have, ``None`` if any will do.

    `ValueError` when the model does not have the verb.
    """
    verb = require(model, question.verb)

    def ask(samples: Sequence[Sample]) -> list[Answer]:
        with answering():
            came = verb(list(samples), question)
        return checked(came, len(samples), width, question.verb)

    return ask


class Aside:
    """Standard error in the place of standard output, told apart from what other calls put there."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Inside, what is printed goes to standard error. A call that was left behind and ends late puts nothing back: somebody else has."""
    before, mine = sys.stdout, cast(TextIO, Aside())
    sys.stdout = mine
    try:
        yield
    finally:
        if sys.stdout is mine:
            sys.stdout = before


class EndedItself(ValueError):
    """A model that called ``sys.exit``."""


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Inside, a model is asked: what it prints must not end up in a program's output, and what means to end the program must not
    end a run, let alone with an exit code that says all is well: `EndedItself`.
    """
    try:
        with aside():
            yield
    except Terminated:
        raise
    except SystemExit as error:
        raise EndedItself(f"the model called sys.exit({error.code!r}) instead of answering") from error


def require(model: Model, verb: Verb) -> Callable[[list[Sample], Question], Any]:
    """The model's way of answering by ``verb``; `ValueError` if it has none."""
    if verb == "score" and isinstance(model, Scores):
        return lambda samples, question: model.score(samples, question.choices)
    if verb == "embed" and isinstance(model, Embeds):
        return lambda samples, question: model.embed(samples, question.modality)
    if verb == "generate" and isinstance(model, Answers):
        return lambda samples, question: model.answer(samples, question.choices)
    if verb in WRITTEN and isinstance(model, Generates):
        return lambda samples, question: model.generate(samples)
    able = [name for name, protocol in VERBS.items() if isinstance(model, protocol)]
    raise ValueError(
        f"the model {model.name!r} cannot {verb}: it can {' and '.join(able) or 'do nothing that is asked for'};"
        " choose a task that it can do."
    )


def checked(came: Any, count: int, width: int | None, verb: Verb) -> list[Answer]:
    """One answer for each sample. Raises `UnusableAnswer` when it cannot be told which answer is whose."""
    if verb in WRITTEN:
        return checked_texts(came, count)
    if isinstance(came, list | tuple) and len(came) == count and any(isinstance(one, Failure) for one in came):
        rest = [one for one in came if not isinstance(one, Failure)]
        given = iter(checked(rest, len(rest), width, verb) if rest else [])
        return [one if isinstance(one, Failure) else next(given) for one in came]
    expected = f"expected float32[{count}, {'d' if width is None else width}] from {verb}"
    if came is None or isinstance(came, str | bytes | dict):
        raise UnusableAnswer(f"{expected}, got {type(came).__name__}")
    try:
        array = as_array(came)
    except Exception as error:
        raise UnusableAnswer(f"{expected}, got a {type(came).__name__} that is no array: {describe(error)}") from error
    if array.dtype.kind not in "fiu":
        raise UnusableAnswer(f"{expected}, got {array.dtype}[{', '.join(map(str, array.shape))}]")
    if array.ndim != 2 or len(array) != count or array.shape[1] == 0 or (width is not None and array.shape[1] != width):
        raise UnusableAnswer(f"{expected}, got {array.dtype}[{', '.join(map(str, array.shape))}]")
    with np.errstate(over="ignore"):
        rows = np.array(array, dtype="<f4")
    if verb == "embed":
        usable = np.isfinite(rows).all(axis=1)
    else:
        usable = (rows > -np.inf).any(axis=1) & (rows <= ROUNDING).all(axis=1)
    return [row if usable[i] else flaw(row, verb) for i, row in enumerate(rows)]


def checked_texts(came: Any, count: int) -> list[Answer]:
    """One text for each sample; half a character (a lone surrogate), which cannot be kept, becomes ``\N{REPLACEMENT CHARACTER}``.

    >>> checked_texts(["a cat", None], 2)
    ['a cat', Failure(kind='not_text', message='generate gave NoneType, not a text')]
    """
    if not isinstance(came, list | tuple):
        raise UnusableAnswer(f"expected {count} texts from generate, got {type(came).__name__}")
    if len(came) != count:
        raise UnusableAnswer(f"expected {count} texts from generate, got {len(came)}")
    return [
        HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)
        if isinstance(text, str)
        else text
        if isinstance(text, Failure)
        else Failure("not_text", f"generate gave {type(text).__name__}, not a text")
        for text in came
    ]


def flaw(row: FloatArray, verb: Verb) -> Failure:
    """What is wrong with the values of an answer that cannot be taken."""
    if np.isnan(row).any():
        return Failure("not_finite", f"{verb} gave NaN in {int(np.isnan(row).sum())} of {len(row)} values")
    if verb == "embed":
        return Failure("not_finite", f"embed gave an infinite value in {int(np.isinf(row).sum())} of {len(row)}")
    if row.max() == -np.inf:
        return Failure("not_finite", "score gave minus infinity for every choice")
    return Failure(
        "not_log_probability", f"score gave {row.max():.6g}: expected log-probabilities, which are at most 0"
    )


def answers(ask: Ask, samples: Sequence[Sample], splits: list[int], *, attempts: int = 1) -> list[Answer]:
    """An answer or a failure for each sample. A batch that raises is asked again sample by sample, and a sample that raises until it was
    asked ``attempts`` times by itself; a batch that does not fit into memory is halved until it does, and the sizes at which it did
    not are appended to ``splits``. `ModelStoppedError` passes."""
    try:
        return ask(samples)
    except ModelStoppedError:
        raise
    except MemoryError as error:
        failure = Failure("out_of_memory", describe(error))
    except Exception as error:
        failure = Failure(kind_of(error), describe(error))
    if failure.kind == "out_of_memory":
        splits.append(len(samples))
    if len(samples) == 1:
        again = attempts > 1 and failure.kind in TRIED_AGAIN
        return answers(ask, samples, splits, attempts=attempts - 1) if again else [failure]
    step = (len(samples) + 1) // 2 if failure.kind == "out_of_memory" else 1
    parts = [samples[start : start + step] for start in range(0, len(samples), step)]
    return [answer for part in parts for answer in answers(ask, part, splits, attempts=attempts)]


def kind_of(error: Exception) -> str:
    """The kind that an exception is counted as."""
    if isinstance(error, UnusableAnswer | Unanswered):
        return "unusable_answer" if isinstance(error, UnusableAnswer) else "unanswered"
    if isinstance(error, OutOfTime):
        return "timeout"
    if isinstance(error, Elsewhere):
        return error.kind
    return "media" if isinstance(error, MediaError) else "exception"


def describe(error: BaseException) -> str:
    """An exception in one line of valid Unicode, however it behaves.

    >>> describe(ValueError("no such file"))
    'ValueError: no such file'
    """
    name = "" if isinstance(error, Unanswered) else f"{type(error).__name__}: "
    if isinstance(error, UnusableAnswer | OutOfTime | Elsewhere):
        return str(error)[:LONGEST]
    try:
        said = str(error)
    except Exception as second:
        said = f"(its message cannot be read: {type(second).__name__})"
    line = " ".join(said[: 2 * LONGEST].split()).encode("utf-8", "replace").decode()
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return f"{name}{line[:LONGEST]}" if line else type(error).__name__
