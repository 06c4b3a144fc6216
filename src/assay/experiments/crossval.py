"""Cross-validation: every sample is answered by a model that has not seen it, or anything that belongs to it.

The data are cut into folds by group (what belongs together stays together) with every class shared out evenly; one model is
fitted for each fold on the others. Their answers make one run over all samples, so intervals, slices and comparisons are those of any
run. Its interval knows how the samples vary, not how another training would come out: that the spread between folds shows.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay import verbs
from assay.catalog import MODELS, find
from assay.data.dataset import Dataset
from assay.evaluation.how import How
from assay.evaluation.run import Run
from assay.stats.streams import stream
from assay.types import Estimate, FloatArray, Generates, Media, Model, Sample, Scores

Fit = Callable[[Dataset], Model]


@dataclass(frozen=True)
class CrossValidated:
    """The run over all samples, and the headline of each fold's own samples."""

    run: Run
    folds: tuple[Estimate, ...]

    @property
    def headline(self) -> Estimate:
        """Over all samples, each answered by the model that had not seen it."""
        return self.run.headline

    @property
    def spread(self) -> float:
        """The standard deviation of the folds' values; NaN where it is not known."""
        values = [fold.value for fold in self.folds]
        return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


@dataclass(frozen=True)
class OutOfFold:
    """What models of several folds have in common; each sample is asked of the one in whose fold it was left out."""

    name: str
    modalities: frozenset[str]
    fingerprint: str
    fold_of: Mapping[str, int]

    def parts(self, samples: Sequence[Sample]) -> list[tuple[int, list[int]]]:
        """The places of the samples by fold. `ValueError` for a sample of no fold."""
        found: dict[int, list[int]] = {}
        for place, sample in enumerate(samples):
            if sample.id not in self.fold_of:
                raise ValueError(f"{self.name} was fitted around other samples and knows no fold of {sample.id!r}.")
            found.setdefault(self.fold_of[sample.id], []).append(place)
        return sorted(found.items())


@dataclass(frozen=True)
class ScoresOutOfFold:
    """Models that weigh choices, as one."""

    folds: OutOfFold
    models: tuple[Scores, ...]

    @property
    def name(self) -> str:
        """That of the models, with how many there are."""
        return self.folds.name

    @property
    def modalities(self) -> frozenset[str]:
        """What they take."""
        return self.folds.modalities

    @property
    def fingerprint(self) -> str:
        """Of all of them and of who answers what."""
        return self.folds.fingerprint

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]``, each row by the model that has not seen its sample."""
        out = np.zeros((len(samples), len(choices)), dtype=np.float32)
        for fold, places in self.folds.parts(samples):
            out[places] = self.models[fold].score([samples[i] for i in places], choices)
        return out


@dataclass(frozen=True)
class AnswersOutOfFold:
    """Models that write, as one."""

    folds: OutOfFold
    models: tuple[Generates, ...]

    @property
    def name(self) -> str:
        """That of the models, with how many there are."""
        return self.folds.name

    @property
    def modalities(self) -> frozenset[str]:
        """What they take."""
        return self.folds.modalities

    @property
    def fingerprint(self) -> str:
        """Of all of them and of who answers what."""
        return self.folds.fingerprint

    def generate(self, samples: Sequence[Sample], modality: str = "text") -> list[str | Media]:
        """One answer each, by the model that has not seen the sample."""
        out: dict[int, str | Media] = {}
        for fold, places in self.folds.parts(samples):
            answers = self.models[fold].generate([samples[i] for i in places], modality)
            out.update(zip(places, answers, strict=True))
        return [out[i] for i in range(len(samples))]


def cross_validate(
    fit: str | Fit,
    data: str | Path | Dataset,
    *,
    folds: int = 5,
    group: str | None = None,
    task: str | None = None,
    seed: int = 0,
    out: str | Path | None = None,
) -> CrossValidated:
    """Fits a model on all folds but one, for each fold, and measures every sample by the model that has not seen it.

    ``fit(dataset) -> model`` gets the training part; ``"baseline:words"`` names one. ``group`` is what must not be torn apart (a name
    in the samples' groups, as ``concept``; None: each sample by itself). With ``out`` the run is kept there.
    `ValueError` for fewer than two folds, for fewer groups than folds, and for models that neither score nor write.

    >>> found = cross_validate("baseline:pixels", "digits:test[:100]", folds=4, task="classification")
    >>> found.headline.n, len(found.folds)
    (100, 4)
    """
    dataset = verbs.load_dataset(data)
    make: Fit = find("model", fit, MODELS) if isinstance(fit, str) else fit
    view = dataset.for_task(task) if task is not None else dataset
    of = fold_of(dataset.samples, folds, group=group, seed=seed)
    models = []
    for fold in range(folds):
        kept = [i for i, number in enumerate(of) if number != fold]
        part = replace(
            view,
            name=f"{dataset.name} without fold {fold + 1} of {folds}",
            samples=[view.samples[i] for i in kept],
            fingerprint=hashlib.sha256(f"{dataset.fingerprint}/{folds}/{group}/{seed}/{fold}".encode()).hexdigest(),
        )
        models.append(make(part))
    whole = as_one(models, {sample.id: int(number) for sample, number in zip(dataset.samples, of, strict=True)})
    run = verbs.evaluate(whole, dataset, task=task, out=out, how=How(seed=seed))
    each = [
        verbs.evaluate(
            whole,
            replace(dataset, samples=[s for s, n in zip(dataset.samples, of, strict=True) if n == fold]),
            task=task,
        )
        for fold in range(folds)
    ]
    return CrossValidated(run, tuple(one.headline for one in each))


def fold_of(samples: Sequence[Sample], folds: int, *, group: str | None = None, seed: int = 0) -> NDArray[np.int64]:
    """The fold ``int64[n]`` of each sample: groups whole, classes (targets) and sizes as even as groups allow.

    Large groups are placed first, each where its classes are rarest so far; a seed decides among equals.
    """
    names = [sample.id if group is None else sample.groups.get(group) for sample in samples]
    lacking = next((s.id for s, name in zip(samples, names, strict=True) if name is None), None)
    if lacking is not None:
        raise ValueError(f"sample {lacking!r} has no group {group!r} by which the folds could be cut.")
    members: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        members.setdefault(str(name), []).append(i)
    if folds < 2 or len(members) < folds:
        raise ValueError(
            f"at least 2 folds and as many groups as folds were expected: {folds} folds, {len(members)} groups."
        )
    rng = stream(seed, "folds", str(folds))
    order = sorted(
        rng.permutation(np.array(list(members), dtype=object)).tolist(), key=lambda name: -len(members[name])
    )
    held = [Counter[str]() for _ in range(folds)]
    out = np.zeros(len(samples), dtype=np.int64)
    for name in order:
        classes = Counter(str(samples[i].target) for i in members[name])
        costs = [(sum(n * here[c] for c, n in classes.items()), here.total(), rng.random()) for here in held]
        best = min(range(folds), key=costs.__getitem__)
        held[best] += classes
        out[members[name]] = best
    return out


def as_one(models: Sequence[Model], folds: Mapping[str, int]) -> ScoresOutOfFold | AnswersOutOfFold:
    """The models of all folds as one. `ValueError` where they neither weigh choices nor write: their spaces are not one."""
    first = models[0]
    told = "|".join((*(model.fingerprint for model in models), *(f"{name}={fold}" for name, fold in folds.items())))
    common = OutOfFold(
        f"{first.name} ×{len(models)}", first.modalities, hashlib.sha256(told.encode()).hexdigest(), folds
    )
    scoring = tuple(model for model in models if isinstance(model, Scores))
    if len(scoring) == len(models):
        return ScoresOutOfFold(common, scoring)
    writing = tuple(model for model in models if isinstance(model, Generates))
    if len(writing) == len(models):
        return AnswersOutOfFold(common, writing)
    raise ValueError(f"{first.name} neither scores nor writes: vectors of models fitted apart cannot be compared.")
