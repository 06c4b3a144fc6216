"""A sweep: the same recipe once for every combination of some settings, all measured on the same data and compared in pairs.

Which fusion is best (an ablation), which learning rate: one training each, one run each, paired tests by sample, corrected
by Holm's method over all pairs. Every training and every run is kept in a folder of its own and goes on where it was cut.
Choosing on the data that the final figure comes from makes that figure too good: choose on a validation split.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import verbs
from assay.catalog import DATASETS
from assay.data.bundled.load import splits
from assay.evaluation.compare import Compared, compare, judged
from assay.evaluation.pairs import strongest
from assay.evaluation.run import Run
from assay.recipes.named import recipe_function, train_folder
from assay.recipes.overrides import configure

VALIDATION = "validation"
OnTrial = Callable[[str, int, int], None]  # name, step, steps


@dataclass(frozen=True)
class Trial:
    """One combination of settings: the folder with its model, and its run."""

    settings: Mapping[str, str]
    folder: Path
    run: Run

    @property
    def name(self) -> str:
        """``fusion=concat lr=0.01``."""
        return combination(self.settings)


@dataclass(frozen=True)
class Pair:
    """Two trials by name, and how their headline metric compares: ``row.verdict`` speaks of A."""

    a: str
    b: str
    row: Compared


@dataclass(frozen=True)
class Sweep:
    """What a sweep found. ``pairs`` are all pairs of trials, their p-values corrected together."""

    recipe: str
    data: str
    trials: tuple[Trial, ...]
    pairs: tuple[Pair, ...]

    @property
    def best(self) -> Trial:
        """The trial with the best headline; of equals the first."""
        run = strongest([trial.run for trial in self.trials])
        return next(trial for trial in self.trials if trial.run is run)

    def beaten(self) -> tuple[str, ...]:
        """The trials that the best is better than, beyond chance."""
        best = self.best.name
        lost = [pair.b for pair in self.pairs if pair.a == best and pair.row.verdict == "better"]
        return (*lost, *(pair.a for pair in self.pairs if pair.b == best and pair.row.verdict == "worse"))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "recipe": self.recipe,
            "data": self.data,
            "metric": self.trials[0].run.headline.metric,
            "best": self.best.name,
            "trials": [{"settings": dict(t.settings), "folder": str(t.folder), **_figures(t.run)} for t in self.trials],
            "pairs": [
                {
                    "a": pair.a,
                    "b": pair.b,
                    "difference": pair.row.difference,
                    "low": pair.row.low,
                    "high": pair.row.high,
                    "p": pair.row.p,
                    "p_holm": pair.row.p_holm,
                    "n": pair.row.n,
                    "verdict": pair.row.verdict,
                    "n_needed": pair.row.n_needed,
                }
                for pair in self.pairs
            ],
        }


def sweep(
    recipe: str | Callable[..., Any],
    values: Mapping[str, Sequence[Any]],
    *,
    data: str | None = None,
    task: str | None = None,
    out: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    on_trial: OnTrial | None = None,
) -> Sweep:
    """Trains ``recipe`` once for each combination of ``values`` (``{"fusion": ["concat", "gated"]}``) and measures each on ``data``.

    ``data`` defaults to the validation split of the recipe's own data, else to that data. ``settings`` hold for all. The folder ``out``
    (default ``runs/sweep/RECIPE``) gets ``sweep.json`` and ``sweep.html``; the same call goes on where it was cut.
    `ValueError` for fewer than two combinations and for unknown settings, before anything is trained.
    """
    function, name = recipe_function(recipe)
    combinations = [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]
    names = [combination(chosen) for chosen in combinations]
    if len(set(names)) < 2:
        raise ValueError(f"a sweep needs at least two different combinations, got {', '.join(names) or 'none'}.")
    shared = dict(settings or {})
    if twice := sorted(set(shared) & set(values)):
        raise ValueError(f"{', '.join(twice)} cannot both vary and be fixed.")
    measured_on = data or usual_data(recipe if isinstance(recipe, str) else "")
    verbs.load_dataset(measured_on)
    for chosen in combinations:
        configure(
            function, {**shared, **chosen}
        )  # a misspelt value must be told before the first training, not after it
    folder = Path(out) if out is not None else Path("runs/sweep") / train_folder(name).name
    trials = []
    for chosen, label in zip(combinations, names, strict=True):
        place = folder / re.sub(r"[^\w.=+-]", "_", label)

        def tell(progress: Any, label: str = label) -> None:
            if on_trial is not None:
                on_trial(label, progress.step, progress.steps)

        model = verbs.train(function, out=place, on_progress=tell, **{**shared, **chosen})
        run = verbs.evaluate(model, measured_on, task=task, out=place / "run")
        trials.append(Trial({key: str(value) for key, value in chosen.items()}, place, run))
    found = Sweep(name, measured_on, tuple(trials), pairs_of(trials))
    (folder / "sweep.json").write_text(json.dumps(found.as_json(), indent=1) + "\n", encoding="utf-8")
    verbs.report([trial.run for trial in trials], folder / "sweep.html", title=f"{name}: {' × '.join(values)}")
    return found


def usual_data(recipe: str) -> str:
    """What a recipe's settings are chosen on: the validation split of its data, else the data itself.

    >>> usual_data("fused:emoji"), usual_data("vqa:easy-vqa")
    ('emoji:validation', 'easy-vqa')
    """
    data = recipe.rpartition(":")[2]
    if data not in DATASETS:
        raise ValueError(f"say which data to measure on: none is known for {recipe or 'a recipe of your own'!r}.")
    return f"{data}:{VALIDATION}" if VALIDATION in splits(data) else data


def combination(chosen: Mapping[str, Any]) -> str:
    """Settings in one line.

    >>> combination({"fusion": "concat", "lr": 0.01})
    'fusion=concat lr=0.01'
    """
    return " ".join(f"{key}={value}" for key, value in chosen.items())


def pairs_of(trials: Sequence[Trial]) -> tuple[Pair, ...]:
    """Every two trials by their common headline metric, p-values corrected over all pairs."""
    two = list(itertools.combinations(trials, 2))
    rows = [compare(a.run, b.run, metrics=[a.run.headline.metric], slices=["all"]).rows[0] for a, b in two]
    return tuple(Pair(a.name, b.name, row) for (a, b), row in zip(two, judged(rows, 0.05), strict=True))


def _figures(run: Run) -> dict[str, Any]:
    """A run's headline as plain values."""
    return {key: run.headline.as_json()[key] for key in ("value", "low", "high", "n", "n_missing")}
