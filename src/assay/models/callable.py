"""Anything that can be called, or has one of the verbs, as a `Model`: ``py:package.module:function``, ``py:file.py:function``.

A plain ``function(samples, choices=None)`` gets a list of `assay.types.Sample` and gives as many texts, or rows of scores in
the order of ``choices``; one that takes only ``samples`` works too. Where its return annotation speaks of arrays or floats, it is
measured by its scores (log-probabilities, probabilities, or logits); otherwise by what it says, and rows of scores count as
saying the best choice. An object with ``embed``, ``score`` or ``generate`` is taken as it is; name, modalities and fingerprint
are added where it has none.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.types import MODALITIES, FloatArray, Media, Model, Sample

VERBS = ("embed", "score", "generate")
SCHEME = "py:"
SURE = 1e-2  # how far from 1 the sum of a row may lie that is taken as probabilities


class SpeakingFunction:
    """A function that answers in texts."""

    def __init__(self, function: Callable[..., Any], name: str, fingerprint: str, modalities: frozenset[str]) -> None:
        self.function, self.name, self.fingerprint, self.modalities = function, name, fingerprint, modalities
        self.takes_choices = takes_choices(function)

    def generate(self, samples: Sequence[Sample], modality: str = "text") -> list[str | Media]:
        """What the function says of each sample when it is given no choices."""
        return self.answer(samples, ())

    def answer(self, samples: Sequence[Sample], choices: Sequence[str]) -> list[Any]:
        """What it says of each sample. A row of scores stands for the best of the choices, the first of equals."""
        came = called(self.function, samples, choices, self.takes_choices)
        rows = scores_of(came, len(samples), len(choices)) if choices else None
        if rows is None:
            return list(came) if isinstance(came, Sequence | np.ndarray) and not isinstance(came, str) else came
        return [choices[i] if np.isfinite(rows[place, i]) else None for place, i in enumerate(best(rows))]


class ScoringFunction:
    """A function that gives rows of scores in the order of the choices."""

    def __init__(self, function: Callable[..., Any], name: str, fingerprint: str, modalities: frozenset[str]) -> None:
        self.function, self.name, self.fingerprint, self.modalities = function, name, fingerprint, modalities
        self.takes_choices = takes_choices(function)

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]``. `ValueError` for what is no array of scores of that shape."""
        came = called(self.function, samples, choices, self.takes_choices)
        rows = scores_of(came, len(samples), len(choices))
        if rows is None:
            raise ValueError(
                f"{self.name}: {len(samples)} rows of {len(choices)} scores were expected, got {shape_of(came)}"
            )
        return log_probabilities(rows).astype(np.float32)


def load_callable(spec: str) -> Model:
    """The model behind ``py:package.module:name`` or ``py:path/to/file.py:name``.

    A module is looked for in the working directory first, as ``python -m`` does. Raises `ValueError` for a file or module that
    is not there, for what goes wrong while it is run (naming file, line and exception), for what is no model, and for an
    unknown name, with its nearest neighbours.
    """
    place, _, name = spec.removeprefix(SCHEME).rpartition(":")
    if not place or not name:
        raise ValueError(
            f"{spec!r} names no function: expected py:package.module:function or py:path/to/file.py:function"
        )
    module = from_file(Path(place)) if place.endswith(".py") else from_module(place)
    if name not in vars(module):
        known = [key for key, value in vars(module).items() if not key.startswith("_") and callable(value)]
        raise ValueError(f"{place} has no {name!r}: {nearest(name, known)}")
    found = vars(module)[name]
    if isinstance(found, type):
        with told(f"{place}: {name}()", Path(str(module.__file__))):
            found = found()
    return as_model(found, name=f"{SCHEME}{place}:{name}")


def as_model(given: Any, *, name: str = "") -> Model:
    """A function, a class (made without arguments) or an object with one of the verbs, as a `Model`; a `Model` as it is.

    Raises `ValueError` for anything else.
    """
    if isinstance(given, type):
        given = given()
    if isinstance(given, Model):
        return given
    called_so = name or getattr(given, "__name__", type(given).__name__)
    modalities = frozenset(getattr(given, "modalities", MODALITIES))
    verbs = {verb: getattr(given, verb) for verb in VERBS if callable(getattr(given, verb, None))}
    if verbs:
        return with_verbs(verbs, called_so, str(getattr(given, "fingerprint", fingerprint_of(type(given)))), modalities)
    if not callable(given):
        raise ValueError(
            f"{name and name + ': '}expected a function, or an object with {', '.join(VERBS[:-1])} or {VERBS[-1]}, "
            f"got {type(given).__name__}: {given!r:.60}"
        )
    kind = ScoringFunction if gives_scores(given) else SpeakingFunction
    return kind(given, called_so, fingerprint_of(given), modalities)


def with_verbs(verbs: dict[str, Callable[..., Any]], name: str, fingerprint: str, modalities: frozenset[str]) -> Model:
    """A model with just these verbs, so that what it can do is what it has."""
    kind = type("Verbs", (), {verb: staticmethod(function) for verb, function in verbs.items()})
    model: Any = kind()
    model.name, model.fingerprint, model.modalities = name, fingerprint, modalities
    return model  # type: ignore[no-any-return]


def from_module(place: str) -> ModuleType:
    """The module, imported with the working directory on the path."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        with told(place, Path(*place.split("."))):
            return importlib.import_module(place)
    except ValueError as error:
        missing = error.__cause__
        if isinstance(missing, ModuleNotFoundError) and f"{place}.".startswith(f"{missing.name}."):
            raise ValueError(
                f"there is no module {place!r} here or installed ({missing}); a file is given as path/to/file.py"
            ) from missing
        raise


def from_file(path: Path) -> ModuleType:
    """The file as a module; its folder is on the path, so that it may import its neighbours."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None and found.loader is not None, "a file that ends in .py has a loader"
    module = importlib.util.module_from_spec(found)
    sys.modules.setdefault(path.stem, module)
    with told(str(path), path):
        found.loader.exec_module(module)
    return module


@contextlib.contextmanager
def told(what: str, file: Path) -> Iterator[None]:
    """Inside, what goes wrong in a user's code is a `ValueError` that names its line in ``file`` and the kind of exception; what it
    prints goes to standard error.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except SyntaxError as error:
        raise ValueError(f"{what} is no Python: {error}") from error
    except (Exception, SystemExit) as error:
        stem = str(file.with_suffix(""))
        lines = [at.lineno for at in traceback.extract_tb(error.__traceback__) if stem in at.filename]
        where = f", line {lines[-1]}" if lines else ""
        said = f"sys.exit({error.code!r})" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
        raise ValueError(f"{what}{where}: {said:.300}") from error


def takes_choices(function: Callable[..., Any]) -> bool:
    """Whether the choices can be handed over as the second argument."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(places) > 1 or any(p.kind is p.VAR_POSITIONAL for p in parameters)


def gives_scores(function: Callable[..., Any]) -> bool:
    """Whether the return annotation speaks of numbers: an array, floats, a tensor."""
    try:
        given = str(inspect.signature(function).return_annotation)
    except (TypeError, ValueError):
        return False
    return any(word in given for word in ("float", "ndarray", "NDArray", "FloatArray", "Tensor"))


def called(function: Callable[..., Any], samples: Sequence[Sample], choices: Sequence[str], with_choices: bool) -> Any:
    """The function's answer; None for the choices where there are none."""
    return function(list(samples), tuple(choices) or None) if with_choices else function(list(samples))


def scores_of(came: Any, count: int, width: int) -> NDArray[np.float64] | None:
    """``float64[count, width]`` if that is what came, else None."""
    try:
        array = np.asarray(came)
    except ValueError:
        return None
    return array.astype(np.float64) if array.shape == (count, width) and array.dtype.kind in "fiu" else None


def best(rows: NDArray[np.float64]) -> list[int]:
    """The place of each row's highest score, the first of equals; NaN is lowest."""
    return [int(i) for i in np.where(np.isnan(rows), -np.inf, rows).argmax(axis=1)] if len(rows) else []


def log_probabilities(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows that are log-probabilities as they are, probabilities as their logarithms, all else as logits.

    >>> np.exp(log_probabilities(np.array([[0.25, 0.75]]))).round(2).tolist()
    [[0.25, 0.75]]
    >>> np.exp(log_probabilities(np.array([[0.0, 0.0, 1000.0]]))).round(2).tolist()
    [[0.0, 0.0, 1.0]]
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        logs = (rows <= 0).all(axis=1) & (np.abs(np.exp(rows).sum(axis=1) - 1) < SURE)
        shares = (rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) < SURE) & ~logs
        shifted = rows - rows.max(axis=1, keepdims=True)
        out = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return np.where(logs[:, None], rows, np.where(shares[:, None], np.log(rows), out))


def shape_of(came: Any) -> str:
    """What came, in a few words."""
    array = came if isinstance(came, np.ndarray) else None
    if array is not None:
        return f"{array.dtype}[{', '.join(map(str, array.shape))}]"
    return f"{len(came)} values in a {type(came).__name__}" if isinstance(came, Sequence) else type(came).__name__


def fingerprint_of(given: Any) -> str:
    """A hash of the file that the function or class stands in and of its name; of its name alone where there is no file."""
    name = f"{getattr(given, '__module__', '')}:{getattr(given, '__qualname__', type(given).__qualname__)}"
    try:
        file = inspect.getsourcefile(inspect.unwrap(given))
        content = b"" if file is None else Path(file).read_bytes()
    except (OSError, TypeError):
        content = b""
    return hashlib.sha256(name.encode() + b"\0" + content).hexdigest()
