"""``assay train RECIPE [key=value …]``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.catalog import RECIPES, find
from assay.cli.options import Command, arg
from assay.cli.output import print_json
from assay.cli.progress import Bar


@dataclass(frozen=True)
class Train:
    """Trains a model by a recipe on the data that it names. The same command goes on where it was cut."""

    recipe: str = arg("METHOD:DATA: aligned:emoji, joint:emoji, fused:emoji")
    settings: tuple[str, ...] = arg("hyper-parameters as key=value", default=(), metavar="KEY=VALUE", positional=True)
    out: str | None = arg("the model's folder (default: runs/train/RECIPE)", default=None, metavar="DIR")
    list: bool = arg("print the recipe's hyper-parameters with their defaults, and stop", default=False)
    json: bool = arg("print one JSON document", default=False)


def train(options: Train) -> int:
    """Trains, says where the model lies and what it reached."""
    from assay import verbs
    from assay.recipes.overrides import parameters

    function = find("recipe", options.recipe, RECIPES)
    if options.list:
        for name, kind in parameters(function).items():
            print(f"{name}: {kind}")
        return 0
    settings = dict(parse_setting(text) for text in options.settings)
    with Bar(f"train {options.recipe}") as bar:
        model = verbs.train(options.recipe, out=options.out, on_progress=lambda p: bar(p.step, p.steps, 0), **settings)
    folder = options.out or f"runs/train/{options.recipe.replace(':', '-')}"
    if options.json:
        print_json({"model": model.name, "folder": folder, "fingerprint": model.fingerprint})
    else:
        print(f"{model.name} lies in {folder}\nmeasure it: assay evaluate {folder} emoji --task classification")
    return 0


def parse_setting(text: str) -> tuple[str, Any]:
    """``key=value`` as a pair."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ValueError(f"a setting is key=value, got {text!r}.")
    return key, value


TRAIN = Command("train", Train, train, "assay train aligned:emoji lr=3e-4 --out runs/aligned")
