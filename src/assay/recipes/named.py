"""A recipe by its name (``aligned:emoji``), by its place (``my.py:function``), or the function itself."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from assay.catalog import RECIPES, find, nearest
from assay.recipes.overrides import OWN
from assay.training.recipe import Recipe

Function = Callable[..., Recipe]


def recipe_function(recipe: str | Function) -> tuple[Function, str]:
    """The recipe's function, and a name for its folder (``aligned-emoji``, ``my-function``).

    A file that is named is run, as ``python my.py`` would. `ValueError` for an unknown name (with the nearest), a file
    that is not there, a function that it does not hold, and for what is no function at all.
    """
    if callable(recipe):
        return recipe, getattr(recipe, "__name__", type(recipe).__name__)
    if not isinstance(recipe, str):
        raise ValueError(f"expected a recipe's name, my.py:function or the function, got {type(recipe).__name__}.")
    place, _, name = recipe.rpartition(":")
    if not place.endswith(".py"):
        return find("recipe", recipe, RECIPES), recipe.replace(":", "-")
    path = Path(place)
    if not path.is_file():
        raise ValueError(f"there is no file {place} to take the recipe {name!r} from.")
    module = loaded(path)
    functions = [known for known, value in vars(module).items() if inspect.isfunction(value)]
    if name not in functions:
        raise ValueError(f"{place} holds no function {name!r}: {nearest(name, functions)}")
    return getattr(module, name), f"{path.stem}-{name}"


def loaded(path: Path) -> ModuleType:
    """The module that a file makes; what goes wrong in it is told as Python tells it."""
    name = f"{OWN}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None and spec.loader is not None, f"{path} ends with .py"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its annotations are looked up there
    spec.loader.exec_module(module)
    return module


def train_folder(name: str) -> Path:
    """Where a recipe's model is kept unless somebody says otherwise."""
    return Path("runs/train") / name
