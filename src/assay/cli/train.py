"""``assay train RECIPE [key=value …] [--sweep key=a,b,c …]``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.catalog import DATASETS, RECIPES
from assay.cli.options import Command, arg
from assay.cli.output import print_json
from assay.cli.progress import Bar

if TYPE_CHECKING:
    from assay.training.recipe import Progress


@dataclass(frozen=True)
class Train:
    """Trains a model by a recipe on the data that it names. The same command goes on where it was cut."""

    recipe: str = arg(f"{', '.join(RECIPES)}, or a function of your own as my.py:function")
    settings: tuple[str, ...] = arg("hyper-parameters as key=value", default=(), metavar="KEY=VALUE", positional=True)
    out: str | None = arg("the model's folder (default: runs/train/RECIPE)", default=None, metavar="DIR")
    sweep: tuple[str, ...] = arg(
        "train once for each of several values, measure each and compare: fusion=concat,gated",
        default=(),
        metavar="KEY=A,B",
    )
    search: tuple[str, ...] = arg(
        "look for good settings by Optuna: lr=1e-4..1e-2 fusion=concat,gated", default=(), metavar="KEY=RANGE"
    )
    trials: int = arg("how many trainings a search makes", default=10)
    on: str | None = arg(
        "what a sweep or a search measures on (default: the validation split)", default=None, metavar="DATA"
    )
    track: tuple[str, ...] = arg(
        "also keep losses and figures for tensorboard, wandb (offline) or mlflow, in the model's folder",
        default=(),
        metavar="TRACKER",
    )
    list: bool = arg("print the recipe's hyper-parameters with their defaults, and stop", default=False)
    json: bool = arg("print one JSON document", default=False)


def train(options: Train) -> int:
    """Trains, says where the model lies and what it reached."""
    from assay import verbs
    from assay.recipes.named import recipe_function, train_folder
    from assay.recipes.overrides import parameters
    from assay.training.distributed import leads
    from assay.training.tracking import tracking

    function, name = recipe_function(options.recipe)
    if options.list:
        for option, kind in parameters(function).items():
            print(f"{option}: {kind}")
        return 0
    settings = dict(parse_setting(text) for text in options.settings)
    if options.sweep or options.search:
        if options.track:
            raise ValueError("--track follows one training; a --sweep or --search keeps its own table.")
        if options.sweep and options.search:
            raise ValueError("--sweep tries every combination, --search looks for the best: ask for one of them.")
        return sweep(options, settings) if options.sweep else search(options, settings)
    if options.on is not None:
        raise ValueError("--on says what a --sweep or a --search measures on.")
    folder = options.out or str(train_folder(name))
    watched = options.track if leads() else ()
    with Bar(f"train {options.recipe}") as bar, tracking(watched, folder, name=name, settings=settings) as track:

        def tell(progress: Progress) -> None:
            bar(progress.step, progress.steps, 0)
            track(progress)

        model = verbs.train(function, out=folder, on_progress=tell if leads() else None, **settings)
    if not leads():
        return 0  # one of several processes speaks
    if options.json:
        print_json({"model": model.name, "folder": folder, "fingerprint": model.fingerprint})
    else:
        data = options.recipe.rpartition(":")[2]
        print(
            f"{model.name} lies in {folder}\nmeasure it: assay evaluate {folder} {data if data in DATASETS else 'DATA'}"
        )
    return 0


def sweep(options: Train, settings: dict[str, Any]) -> int:
    """Trains once for each combination, prints the runs in one table and who is better than whom."""
    from assay.experiments.sweep import sweep as sweep_settings
    from assay.recipes.named import recipe_function
    from assay.reporting import terminal

    values: dict[str, list[str]] = {}
    for text in options.sweep:
        key, given = parse_setting(text)
        values.setdefault(key, []).extend(v.strip() for v in given.split(",") if v.strip())
    out = options.out or f"runs/sweep/{recipe_function(options.recipe)[1]}"
    with Bar(f"sweep {options.recipe}") as bar:

        def tell(trial: str, step: int, steps: int) -> None:
            bar.title = f"sweep {options.recipe}, {trial}"
            bar(step, steps, 0)

        found = sweep_settings(options.recipe, values, data=options.on, out=out, settings=settings, on_trial=tell)
    if options.json:
        print_json(found.as_json())
        return 0
    pairs = [(pair.a, pair.b, pair.row) for pair in found.pairs]
    print(terminal.sweep([(trial.name, trial.run.headline) for trial in found.trials], pairs))
    best, beaten = found.best, found.beaten()
    told = f"better than {', '.join(beaten)}" if beaten else "not shown to be better than any other"
    print(f"\nhighest by {best.run.headline.metric} on {found.data}: {best.name} ({best.folder}), {told}")
    print(f"a page with the plot: {out}/sweep.html")
    return 0


def search(options: Train, settings: dict[str, Any]) -> int:
    """Trains as often as asked for and prints the trials, the best first."""
    from assay.experiments.search import search_settings
    from assay.recipes.named import recipe_function
    from assay.reporting import terminal

    space = {**settings, **dict(parse_setting(text) for text in options.search)}
    out = options.out or f"runs/search/{recipe_function(options.recipe)[1]}"
    with Bar(f"search {options.recipe}") as bar:

        def tell(trial: str, step: int, steps: int) -> None:
            bar.title = f"search {options.recipe}, {trial}"
            bar(step, steps, 0)

        found = search_settings(options.recipe, space, trials=options.trials, data=options.on, out=out, on_trial=tell)
    if options.json:
        print_json(found.as_json())
        return 0
    ordered = sorted(found.trials, key=lambda trial: trial is not found.best)
    print(terminal.sweep([(trial.name, trial.run.headline) for trial in ordered], ()))
    print(f"\nbest on {found.data}: {found.best.name} ({found.best.folder}); measure it on data that chose nothing")
    return 0


def parse_setting(text: str) -> tuple[str, Any]:
    """``key=value`` as a pair."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ValueError(f"a setting is key=value, got {text!r}.")
    return key, value


TRAIN = Command("train", Train, train, "assay train aligned:emoji lr=3e-4 --out runs/aligned")
