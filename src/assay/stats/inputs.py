"""What is given, checked once at the public edge: numbers without NaN, pairs of one length, labels of two or more."""

from __future__ import annotations

from collections.abc import Mapping, Set, Sized
from numbers import Number
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]


@runtime_checkable
class _Array(Protocol):
    def __array__(self) -> NDArray[Any]: ...


def plain(given: Any) -> Any:
    """An array or a series of another library (torch on the CPU, Polars, pandas) as numpy's, also in a list; all else as it is.

    Tensors compare by who they are: two that hold the same label would be two labels. ``pandas.NA`` is None.

    >>> plain([1, None]), plain(np.arange(2)).tolist()
    ([1, None], [0, 1])
    """
    if isinstance(given, _Array):
        found = array(given)
        return _with_none(found, of_texts=found is not given) if found.dtype == object and found.ndim == 1 else found
    if isinstance(given, list | tuple) and any(_foreign(kind) for kind in set(map(type, given))):
        return [_plain_row(one) if _foreign(type(one)) else one for one in given]
    return given


def _with_none(column: NDArray[Any], *, of_texts: bool) -> NDArray[Any]:
    """The same with None for ``pandas.NA`` and, in a column of texts of another library, for NaN, by which pandas means it."""
    kinds = set(map(type, column))
    nan = of_texts and str in kinds and float in kinds
    if not nan and not any(map(_absent, kinds)):
        return column
    lost = [_absent(type(one)) or (nan and one != one) for one in column]
    return np.array([None if gone else one for gone, one in zip(lost, column, strict=True)], dtype=object)


def array(given: Any) -> NDArray[Any]:
    """What `numpy.asarray` gives; a tensor with gradients, or of a kind that numpy has not (bfloat16), without and as floats.

    >>> array([1, 2]).tolist()
    [1, 2]
    """
    try:
        return np.asarray(given)
    except (RuntimeError, TypeError):
        loose = getattr(given, "detach", None)
        if loose is None:
            raise
        return np.asarray(loose().float())


def reals(given: Any) -> Values:
    """`array` as floats. `TypeError` for complex numbers, which numpy would cut, and as numpy for what is no number.

    >>> reals([1, None]).tolist()
    [1.0, nan]
    """
    found = array(given)
    if found.dtype.kind == "c":
        raise TypeError("complex numbers")
    return np.asarray(found, dtype=np.float64)


def _absent(kind: type) -> bool:
    """Whether it is the kind of ``pandas.NA``, which compares with nothing."""
    return kind.__name__ == "NAType"


def _foreign(kind: type) -> bool:
    return _absent(kind) or (issubclass(kind, _Array) and not issubclass(kind, np.ndarray | np.generic))


def _plain_row(one: Any) -> Any:
    if _absent(type(one)):
        return None
    found = array(one)
    return found.item() if found.ndim == 0 else found


def listed(given: Any, name: str) -> None:
    """Raises `ValueError` where ``given`` is nothing that holds a row after another: None, a number, a text, a dict, a generator.

    >>> listed(["a"], "predictions")
    """
    if isinstance(given, Mapping):
        texts = " (of pycocoevalcap's: [res[k][0] for k in gts] and [gts[k] for k in gts])"
        raise ValueError(
            f"{name}: a list, one a row, was expected, not a dict, {given!r:.80}: pass its values, all in the order of the "
            f"same keys{texts if name in ('predictions', 'references') else ''}"
        )
    if not isinstance(given, Sized) or isinstance(given, str | bytes | Set):
        raise ValueError(f"{name}: a list, one a row, was expected, not {given!r:.80}")


KINDS = ((str, "texts"), (bytes, "bytes"), ((Number, np.bool_), "numbers"))
"""Kinds of labels of which none equals one of another kind."""


def meeting(one: Any, other: Any, names: tuple[str, str]) -> None:
    """Raises `ValueError` where labels are of kinds that never equal each other: numbers beside texts, bytes beside texts.

    What is missing (None, NaN) has no kind. ``names`` are those of the two sides.

    >>> meeting([1, None], [2.0], ("predicted", "true"))
    """
    first, second = _kinds(one), _kinds(other)
    if first and second and not first & second and "" not in first | second:
        told = (
            f"{name} labels are {' and '.join(sorted(found))}"
            for name, found in zip(names, (first, second), strict=True)
        )
        raise ValueError(f"{', '.join(told)}: none equals any of the other side; give both as one kind")


def _kinds(labels: Any) -> set[str]:
    """The kinds that occur; an empty name for one that is none of `KINDS`."""
    if isinstance(labels, np.ndarray) and labels.dtype != object:
        types = {labels.dtype.type} if labels.size else set()
    else:
        types = set(map(type, labels)) - {type(None)}
    floating = {kind for kind in types if issubclass(kind, float | np.floating)}
    if floating and not any(one == one for one in labels if isinstance(one, float | np.floating)):
        types -= floating  # NaN, for what is missing
    return {next((name for known, name in KINDS if issubclass(kind, known)), "") for kind in types}


def floats(given: ArrayLike, name: str = "values") -> Values:
    """``given`` as ``float64`` in its own shape; None is NaN.

    Raises `ValueError` for what is no number and for rows of different shapes, naming the row.

    >>> floats([1, None], "scores").tolist()
    [1.0, nan]
    """
    found = array(given) if isinstance(given, _Array) else given
    if isinstance(found, np.ndarray) and found.dtype.kind == "c":
        raise ValueError(f"{name}: real numbers were expected, not complex ones")
    try:
        return np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name}: {_unreadable(given)}") from None


def _unreadable(given: Any) -> str:
    """Why ``given`` is no array of numbers."""
    first: tuple[int, ...] | None = None
    for row, one in enumerate(given if isinstance(given, list | tuple | np.ndarray) else ()):
        try:
            shape = np.asarray(one, dtype=np.float64).shape
        except (TypeError, ValueError, OverflowError):
            return f"row {row}: numbers were expected, not {one!r:.60}"
        if first is not None and shape != first:
            return f"row {row} is of shape {shape}, the rows before it are of shape {first}"
        first = shape
    return f"numbers were expected, not {given!r:.60}"


def numbers(given: ArrayLike, name: str = "values", *, least: int = 0) -> Values:
    """``float64[n]``. Raises `ValueError` for another shape, fewer than ``least``, or one that is not finite, naming its row."""
    values = floats(given, name)
    if values.ndim != 1:
        raise ValueError(f"{name}: one number a row was expected, not an array of shape {values.shape}")
    if len(values) < least:
        raise ValueError(f"{name}: at least {least} were expected, not {len(values)}")
    broken = np.flatnonzero(~np.isfinite(values))
    if len(broken):
        raise ValueError(
            f"{name}: row {broken[0]} is {values[broken[0]]}; leave out what is undefined, from both sides of a pair"
        )
    return values


def pairs(a: ArrayLike, b: ArrayLike, *, least: int = 1) -> tuple[Values, Values]:
    """Two columns of numbers, row i of both about one sample. Raises `ValueError` as `numbers`, and for unequal lengths."""
    first, second = numbers(a, "A", least=least), numbers(b, "B", least=least)
    if len(first) != len(second):
        raise ValueError(
            f"pairs were expected (row i of both is one sample), not {len(first)} of A and {len(second)} of B"
        )
    return first, second


def table(given: ArrayLike, name: str = "scores", *, columns: int = 2) -> Values:
    """``float64[n, m]``, a row a sample and a column a model. Raises `ValueError` for fewer columns, or one not finite."""
    values = floats(given, name)
    if values.ndim != 2 or values.shape[1] < columns or not len(values):
        raise ValueError(
            f"{name}: a table of samples by at least {columns} models was expected, not shape {values.shape}"
        )
    broken = np.argwhere(~np.isfinite(values))
    if len(broken):
        row, column = broken[0]
        raise ValueError(
            f"{name}: row {row}, model {column} is {values[row, column]}; leave the sample out for all models"
        )
    return values


def share(value: float, name: str) -> float:
    """A number strictly between 0 and 1, else a `ValueError`."""
    if not 0 < value < 1:
        raise ValueError(f"{name} between 0 and 1 was expected, not {value}")
    return float(value)
