"""A search for good settings by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011): each trial is a training and a run.

Where the next trial looks depends on the seed, its number and the trials before it, so a search that was cut goes on as if it had not
been. Trials are measured on the validation split; what is found there must be measured once more on the test split.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from assay import verbs
from assay.catalog import nearest
from assay.evaluation.pairs import higher_is_better
from assay.experiments.sweep import OnTrial, Trial, usual_data
from assay.recipes.named import recipe_function, train_folder
from assay.recipes.overrides import parameters

if TYPE_CHECKING:
    import optuna

DECADE = 10.0


@dataclass(frozen=True)
class Range:
    """The numbers from ``low`` to ``high``; evenly in their logarithm where ``log``."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


Space = Mapping[str, Range | Sequence[str]]


@dataclass(frozen=True)
class Search:
    """What a search found, trial by trial."""

    recipe: str
    data: str
    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial:
        """The trial with the best headline; of equals the first."""
        sign = 1 if higher_is_better(self.trials[0].run.headline.metric) else -1
        return max(self.trials, key=lambda trial: _goodness(trial, sign))

    def as_json(self) -> dict[str, Any]:
        """Plain values, the best first."""
        sign = 1 if higher_is_better(self.trials[0].run.headline.metric) else -1
        ordered = sorted(self.trials, key=lambda trial: -_goodness(trial, sign))
        return {
            "recipe": self.recipe,
            "data": self.data,
            "metric": self.trials[0].run.headline.metric,
            "trials": [
                {
                    "settings": dict(trial.settings),
                    "folder": str(trial.folder),
                    **{key: trial.run.headline.as_json()[key] for key in ("value", "low", "high", "n")},
                }
                for trial in ordered
            ],
        }


def search_settings(
    recipe: str | Callable[..., Any],
    space: Mapping[str, str | Range | Sequence[str]],
    *,
    trials: int = 10,
    data: str | None = None,
    task: str | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    on_trial: OnTrial | None = None,
) -> Search:
    """Trains ``recipe`` ``trials`` times with settings from ``space`` and measures each on ``data`` (default: the validation split).

    ``space`` holds ranges (``"1e-4..1e-2"``, by logarithm over a decade or more), choices (``"concat,gated"``), or one value that all
    trials have. The folder
    ``out`` (default ``runs/search/RECIPE``) keeps every trial; the same call goes on where it was cut, more ``trials`` add to it.
    `ValueError` for unknown settings, empty ranges and fewer than one trial; `ModuleNotFoundError` without Optuna.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    function, name = recipe_function(recipe)
    known = parameters(function)
    hints = get_type_hints(function)
    wanted = {key: read_range(key, given, hints.get(key, str), known) for key, given in space.items()}
    varied = [key for key, one in wanted.items() if isinstance(one, Range) or len(one) > 1]
    if trials < 1 or not varied:
        raise ValueError(f"a search needs at least one trial and one setting to vary, got {trials} and {len(varied)}.")
    measured_on = data or usual_data(recipe if isinstance(recipe, str) else "")
    folder = Path(out) if out is not None else Path("runs/search") / train_folder(name).name
    found: list[Trial] = []
    for number in range(trials):
        chosen = suggested(wanted, found, seed=seed, number=number)
        place = folder / f"trial-{number + 1:03d}"

        def tell(progress: Any, number: int = number) -> None:
            if on_trial is not None:
                on_trial(f"trial {number + 1} of {trials}", progress.step, progress.steps)

        model = verbs.train(function, out=place, on_progress=tell, **chosen)
        run = verbs.evaluate(model, measured_on, task=task, out=place / "run")
        found.append(Trial({key: str(value) for key, value in chosen.items()}, place, run))
    result = Search(name, measured_on, tuple(found))
    (folder / "search.json").write_text(json.dumps(result.as_json(), indent=1) + "\n", encoding="utf-8")
    return result


def read_range(
    key: str, given: str | Range | Sequence[str], kind: Any, known: Mapping[str, str]
) -> Range | tuple[str, ...]:
    """A range or choices for an option of a recipe, from how it is written.

    >>> read_range("lr", "1e-4..1e-2", float, {"lr": ""}), read_range("fusion", "concat, gated", str, {"fusion": ""})
    (Range(low=0.0001, high=0.01, log=True, whole=False), ('concat', 'gated'))
    """
    if key not in known:
        raise ValueError(f"the recipe has no option {key!r}: {nearest(key, known)}")
    if isinstance(given, str) and ".." in given:
        low, _, high = given.partition("..")
        try:
            ends = float(low), float(high)
        except ValueError as error:
            raise ValueError(f"{key} goes from a number to a number, as 1e-4..1e-2; got {given!r}.") from error
        log = kind is float and ends[0] > 0 and ends[1] / ends[0] >= DECADE
        given = Range(*ends, log=log, whole=kind is int)
    if isinstance(given, Range):
        if not (given.low < given.high and math.isfinite(given.high) and math.isfinite(given.low)):
            raise ValueError(f"{key} has an empty range, {given.low} to {given.high}.")
        if kind not in (int, float):
            raise ValueError(f"{key} is no number: give its values with commas between.")
        return given
    choices = tuple(v.strip() for v in (given.split(",") if isinstance(given, str) else given) if str(v).strip())
    if not choices:
        raise ValueError(f"{key} has no value to choose from.")
    return choices


def suggested(
    space: Mapping[str, Range | tuple[str, ...]], before: Sequence[Trial], *, seed: int, number: int
) -> dict[str, Any]:
    """The settings of the next trial in the light of those before."""
    import optuna

    sign = 1 if not before or higher_is_better(before[0].run.headline.metric) else -1
    spread = {key: distribution(one) for key, one in space.items()}
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed * 100_003 + number, n_startup_trials=5)
    )
    for trial in before:
        params = {key: typed(trial.settings[key], space[key]) for key in space}
        value = _goodness(trial, sign)
        state = optuna.trial.TrialState.COMPLETE if math.isfinite(value) else optuna.trial.TrialState.FAIL
        kept = value if math.isfinite(value) else None
        study.add_trial(optuna.trial.create_trial(params=params, distributions=spread, value=kept, state=state))
    return dict(study.ask(spread).params)


def distribution(one: Range | tuple[str, ...]) -> optuna.distributions.BaseDistribution:
    """A range or choices as Optuna knows them."""
    import optuna

    if isinstance(one, tuple):
        return optuna.distributions.CategoricalDistribution(one)
    if one.whole:
        return optuna.distributions.IntDistribution(round(one.low), round(one.high), log=one.log)
    return optuna.distributions.FloatDistribution(one.low, one.high, log=one.log)


def typed(text: str, one: Range | tuple[str, ...]) -> str | int | float:
    """A kept setting as the value that it was."""
    if isinstance(one, tuple):
        return text
    return int(text) if one.whole else float(text)


def _goodness(trial: Trial, sign: int) -> float:
    """The headline, higher for better; minus infinity where it is undefined."""
    value = sign * trial.run.headline.value
    return -math.inf if math.isnan(value) else value
