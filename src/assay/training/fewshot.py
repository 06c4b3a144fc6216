"""A classifier out of a few labelled examples and any model that embeds: `Model` in, `Model` out.

Methods: ``prototypes`` (Snell et al. 2017), ``linear`` (a logistic probe on the vectors, with a ridge), ``cache``
(Tip-Adapter, Zhang et al. 2022: the class names' zero-shot logits plus a cache of the examples) and ``tuned_cache``
(Tip-Adapter-F: the cached keys are trained; when to stop is decided on a held-out part of the examples, never on what
is evaluated). Episodes are drawn from any data set; their accuracy is one `Estimate` with an interval over episodes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from assay.catalog import nearest
from assay.data.dataset import Dataset
from assay.losses.episodic import prototype_logits, prototypes
from assay.stats.clustered import mean_se
from assay.stats.quantiles import normal
from assay.types import Aligned, Embeds, Estimate, FloatArray, Sample
from assay.version import __version__

Logits = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Shots:
    """The examples as vectors: ``keys [n, d]``, their class numbers ``labels [n]``, and the class names' vectors, if any."""

    keys: Tensor
    labels: Tensor
    way: int
    names: Tensor | None


@dataclass(frozen=True)
class FewShot:
    """A model that embeds, with a classifier on top; it scores the classes of its examples."""

    name: str
    model: Embeds
    classes: tuple[str, ...]
    logits: Logits
    fingerprint: str

    @property
    def modalities(self) -> frozenset[str]:
        """What the model takes."""
        return self.model.modalities

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> FloatArray:
        """The underlying model's vectors ``float32[n, d]``."""
        return self.model.embed(samples, modality)

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]`` of the choices; `ValueError` for one that no example showed."""
        for choice in choices:
            if choice not in self.classes:
                raise ValueError(f"{self.name} has no example of {choice!r}: {nearest(choice, self.classes)}")
        columns = [self.classes.index(choice) for choice in choices]
        with torch.inference_mode():
            vectors = torch.from_numpy(np.asarray(self.model.embed(samples), dtype=np.float32))
            out: FloatArray = self.logits(vectors)[:, columns].log_softmax(1).numpy()
        return out


def fewshot(
    model: Embeds, support: Sequence[Sample], *, method: str = "prototypes", prompt: str = "{}", seed: int = 0
) -> FewShot:
    """A classifier of the targets that the ``support`` samples have, out of ``model``'s vectors.

    ``method`` is ``prototypes``, ``linear``, ``cache`` or ``tuned_cache``; the caches need a model whose words share a
    space with its other modalities, and put a class to it as ``prompt``. Raises `ValueError` for no examples, an
    example without a target, an unknown method, or a model that cannot serve it.
    """
    if method not in METHODS:
        raise ValueError(f"unknown few-shot method {method!r}: {nearest(method, METHODS)}")
    if not support:
        raise ValueError("few-shot learning needs at least one labelled example, got none")
    for sample in support:
        if sample.target is None:
            raise ValueError(f"example {sample.id!r} has no target")
    classes = tuple(dict.fromkeys(str(sample.target) for sample in support))
    labels = torch.tensor([classes.index(str(sample.target)) for sample in support])
    keys = torch.from_numpy(np.array(model.embed(support), dtype=np.float32))
    shots = Shots(keys, labels, len(classes), _class_vectors(model, classes, prompt) if "cache" in method else None)
    logits = METHODS[method](shots, torch.Generator().manual_seed(seed))
    recipe = f"{model.fingerprint}|{method}|{prompt}|{seed}|" + "|".join(f"{s.id}={s.target}" for s in support)
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    return FewShot(f"{model.name}+{method}", model, classes, logits, digest)


def _class_vectors(model: Embeds, classes: Sequence[str], prompt: str) -> Tensor:
    if not (isinstance(model, Aligned) and model.aligned_space and "text" in model.modalities):
        raise ValueError(f"{model.name} has no space that words share: use method='prototypes' or 'linear'")
    asked = [Sample(name, {"text": prompt.replace("{}", name)}) for name in classes]
    return torch.from_numpy(np.array(model.embed(asked, "text"), dtype=np.float32))


def by_prototypes(shots: Shots, generator: torch.Generator) -> Logits:
    """Nearest class mean. The distances' scale is the one under which each example, left out, is best predicted."""
    centres = prototypes(shots.keys, shots.labels, shots.way)
    scale = _left_out_scale(shots)
    return lambda vectors: scale * prototype_logits(vectors, centres)


def _left_out_scale(shots: Shots) -> float:
    """One of 1, 2, 4 … 128; 10 where no class has two examples."""
    counts = torch.bincount(shots.labels, minlength=shots.way)
    rows = torch.nonzero(counts[shots.labels] > 1)[:, 0]
    if not len(rows):
        return 10.0
    sums = torch.zeros(shots.way, shots.keys.shape[1]).index_add(0, shots.labels, shots.keys)
    logits = torch.empty(len(rows), shots.way)
    for place, row in enumerate(rows.tolist()):
        own = int(shots.labels[row])
        centres = sums / counts[:, None]
        centres[own] = (sums[own] - shots.keys[row]) / (counts[own] - 1)
        logits[place] = prototype_logits(shots.keys[row : row + 1], centres)[0]
    scales = [2.0**power for power in range(8)]
    costs = [float(F.cross_entropy(scale * logits, shots.labels[rows])) for scale in scales]
    return scales[int(np.argmin(costs))]


def by_probe(shots: Shots, generator: torch.Generator, *, ridge: float = 1e-2) -> Logits:
    """Multinomial logistic regression on the vectors, by L-BFGS, with ``ridge`` times the squared weights."""
    weight = torch.zeros(shots.way, shots.keys.shape[1], requires_grad=True)
    bias = torch.zeros(shots.way, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(shots.keys @ weight.T + bias, shots.labels) + ridge * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)
    learnt, shift = weight.detach(), bias.detach()
    return lambda vectors: vectors @ learnt.T + shift


def by_cache(
    shots: Shots, generator: torch.Generator, *, keys: Tensor | None = None, alpha: float = 1.17, beta: float = 1.0
) -> Logits:
    """Tip-Adapter: ``100 f Wᵀ + alpha exp(-beta (1 - f Fᵀ)) L`` with the paper's alpha and beta for ImageNet."""
    assert shots.names is not None
    names, own = shots.names, shots.keys if keys is None else keys
    one_hot = F.one_hot(shots.labels, shots.way).float()
    return lambda vectors: 100 * vectors @ names.T + alpha * torch.exp(-beta * (1 - vectors @ own.T)) @ one_hot


def by_tuned_cache(shots: Shots, generator: torch.Generator, *, epochs: int = 20, lr: float = 1e-3) -> Logits:
    """Tip-Adapter-F: the keys trained by AdamW with a cosine; the number of epochs is chosen on every fifth example.

    With fewer than two examples of some class nothing can be held out, and all epochs are run.
    """
    held = _held_out(shots)
    best = epochs
    if held is not None:
        inner = Shots(shots.keys[~held], shots.labels[~held], shots.way, shots.names)
        costs = []
        for keys in _tuned_keys(inner, epochs, lr):
            logits = by_cache(inner, generator, keys=keys)(shots.keys[held])
            costs.append(float(F.cross_entropy(logits, shots.labels[held])))
        best = int(np.argmin(costs))
    chosen = shots.keys
    for epoch, keys in enumerate(_tuned_keys(shots, epochs, lr)):
        if epoch <= best:
            chosen = keys
    return by_cache(shots, generator, keys=chosen)


def _held_out(shots: Shots) -> Tensor | None:
    """Every fifth example of a class, at least one of each; None where a class has a single one."""
    if int(torch.bincount(shots.labels, minlength=shots.way).min()) < 2:
        return None
    held = torch.zeros(len(shots.labels), dtype=torch.bool)
    for label in range(shots.way):
        held[torch.nonzero(shots.labels == label)[:, 0][::5]] = True
    return held


def _tuned_keys(shots: Shots, epochs: int, lr: float) -> list[Tensor]:
    """The keys before training and after each epoch."""
    keys = shots.keys.clone().requires_grad_()
    optimiser = torch.optim.AdamW([keys], lr=lr, eps=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    found = [shots.keys]
    for _ in range(epochs):
        # An example's own key would give it away: what is learnt is how the others' keys should lie.
        logits = by_cache(shots, torch.Generator(), keys=keys)(shots.keys)
        own = 1.17 * torch.exp(-(1 - (shots.keys * keys).sum(1)))
        logits = logits - own[:, None] * F.one_hot(shots.labels, shots.way)
        optimiser.zero_grad()
        F.cross_entropy(logits, shots.labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        found.append(keys.detach().clone())
    return found


METHODS: Mapping[str, Callable[[Shots, torch.Generator], Logits]] = {
    "prototypes": by_prototypes,
    "linear": by_probe,
    "cache": by_cache,
    "tuned_cache": by_tuned_cache,
}


def episode_accuracy(
    model: Embeds,
    data: Dataset,
    *,
    way: int = 5,
    shot: int = 1,
    queries: int = 15,
    episodes: int = 600,
    method: str = "prototypes",
    seed: int = 0,
) -> Estimate:
    """The mean accuracy over episodes of ``way`` classes with ``shot`` examples and ``queries`` questions each.

    Every sample is embedded once. The interval is mean ± 1.96 sd / √episodes, as the field reports it: it tells how
    well the mean over *episodes of these samples* is known. Raises `ValueError` where the data holds too few classes
    with ``shot + queries`` samples.
    """
    labels = [str(sample.target) for sample in data.samples]
    members = {label: np.flatnonzero([own == label for own in labels]) for label in dict.fromkeys(labels)}
    large = [rows for label, rows in members.items() if label != "None" and len(rows) >= shot + queries]
    if len(large) < way:
        raise ValueError(
            f"{data.name} has {len(large)} classes with at least {shot + queries} samples, an episode needs {way}:"
            " ask for fewer ways, shots or queries"
        )
    vectors = torch.from_numpy(np.array(model.embed(list(data.samples)), dtype=np.float32))
    names = [label for label, rows in members.items() if any(rows is kept for kept in large)]
    words = _class_vectors(model, names, "{}") if "cache" in method else None
    rng = np.random.default_rng(seed)
    right = np.empty(episodes)
    for episode in range(episodes):
        chosen = rng.choice(len(large), way, replace=False)
        drawn = np.stack([rng.permutation(large[i])[: shot + queries] for i in chosen])
        support, asked = torch.from_numpy(drawn[:, :shot].ravel()), torch.from_numpy(drawn[:, shot:].ravel())
        shots = Shots(
            vectors[support],
            torch.arange(way).repeat_interleave(shot),
            way,
            None if words is None else words[torch.from_numpy(chosen)],
        )
        guess = METHODS[method](shots, torch.Generator().manual_seed(seed))(vectors[asked]).argmax(1)
        right[episode] = float((guess == torch.arange(way).repeat_interleave(queries)).float().mean())
    mean, se = float(right.mean()), mean_se(right)
    reach = normal(0.975) * se if math.isfinite(se) else math.nan
    recipe = f"fewshot|{method}|way:{way}|shot:{shot}|queries:{queries}|seed:{seed}|assay:{__version__}"
    return Estimate(
        "fewshot_accuracy", mean, mean - reach, mean + reach, episodes, unit="episode", signature=recipe, items=right
    )
