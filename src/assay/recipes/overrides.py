"""Hyper-parameters by name: a recipe's keyword-only parameters are its options, with their types and defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from assay.catalog import nearest
from assay.training.recipe import Recipe

OWN = "assay_recipe_"  # before the name of a file of one's own, where Python keeps its module
Value = str | int | float | bool
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def parameters(function: Callable[..., Recipe]) -> dict[str, str]:
    """Each option of a recipe as ``type = default``, for a help text.

    >>> def recipe(*, lr: float = 1e-3) -> Recipe: ...
    >>> parameters(recipe)
    {'lr': 'float = 0.001'}
    """
    hints = get_type_hints(function)
    return {
        name: f"{getattr(hints.get(name, str), '__name__', 'str')} = {parameter.default!r}"
        for name, parameter in inspect.signature(function).parameters.items()
    }


def configure(function: Callable[..., Recipe], overrides: Mapping[str, Value]) -> Recipe:
    """Call a recipe with some of its options set; texts, as a command line gives them, become the option's type.

    Raises `ValueError` for an option that it does not have (with the nearest names) and for a value of a wrong type.
    """
    hints = get_type_hints(function)
    known = inspect.signature(function).parameters
    values: dict[str, Any] = {}
    for name, value in overrides.items():
        if name not in known:
            raise ValueError(f"{_name(function)} has no option {name!r}: {nearest(name, known)}")
        values[name] = _typed(name, value, hints.get(name, str))
    recipe = function(**values)
    if not isinstance(recipe, Recipe):
        raise ValueError(
            f"{_name(function)} returned {type(recipe).__name__}; a recipe returns assay.training.recipe.Recipe"
        )
    return recipe


def _typed(name: str, value: Value, kind: Any) -> Any:
    """The value as the option's type (``bool``, ``int``, ``float`` or ``str``)."""
    text = str(value).strip()
    if kind is bool:
        if text.lower() in _TRUE + _FALSE:
            return text.lower() in _TRUE
        raise ValueError(f"{name} is true or false, not {value!r}")
    if kind not in (int, float):
        return value
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"{name} is a number ({kind.__name__}), not {value!r}") from error


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.removeprefix(OWN)}:{function.__name__}"
