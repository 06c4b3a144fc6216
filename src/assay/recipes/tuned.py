"""Recipes that train `assay.models.tuned.Tuned`: weights that others trained, put to one's own use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from assay.data.batch import Batch, Part, Sampler, drop_modalities
from assay.data.bundled.load import load
from assay.losses.classify import classify
from assay.models.processor import Processor
from assay.models.tuned import Tuned, TunedSettings, preparation
from assay.recipes.classified import Labelled
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe
from assay.types import Sample

AT_ONCE = 32
HIDDEN = 0.45


class TunedSource:
    """Random batches of samples, some of their modalities hidden. What a frozen backbone makes of them is computed once."""

    def __init__(
        self, net: Tuned, processor: Processor, samples: Sequence[Sample], labels: Tensor, size: int, seed: int
    ) -> None:
        self.net, self.processor, self.samples, self.labels = net, processor, samples, labels
        self.frozen = not (net.settings.last or net.settings.rank)
        self.kept = kept(net, processor, samples) if self.frozen else {}
        self.generator = torch.Generator().manual_seed(seed)
        self.sampler = Sampler(len(samples), size, self.generator)

    def draw(self) -> Labelled:
        """The next batch: of a frozen net its encoders' means, else what they are given."""
        chosen = self.sampler.draw()
        shown = self._all(chosen)
        return Labelled(drop_modalities(shown, HIDDEN, self.generator), self.labels[chosen])

    def _all(self, chosen: Tensor) -> Batch:
        drawn = [self.samples[i] for i in chosen.tolist()]
        if not self.frozen:
            return self.processor.batch(drawn, self.net.modalities)
        ids = tuple(sample.id for sample in drawn)
        parts = {}
        for name, (place, vectors) in self.kept.items():
            rows = torch.nonzero(place[chosen] >= 0)[:, 0]
            parts[name] = Part(rows, vectors[place[chosen[rows]]])
        return Batch(ids, {name: part for name, part in parts.items() if len(part.rows)})

    def state(self) -> dict[str, Any]:
        """The generator and what the sampler has not yet given."""
        return {"generator": self.generator.get_state(), **self.sampler.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self.generator.set_state(state["generator"])
        self.sampler.restore(state)


def kept(net: Tuned, processor: Processor, samples: Sequence[Sample]) -> dict[str, tuple[Tensor, Tensor]]:
    """For each modality the samples' places (-1 without it) and the encoder's means ``[m, channels]``."""
    out = {}
    for name in net.modalities:
        place = torch.full((len(samples),), -1)
        held = [i for i, sample in enumerate(samples) if name in sample.inputs]
        place[held] = torch.arange(len(held))
        with torch.no_grad():
            means = [
                net.encoders[name].pooled(
                    processor.values(name, [samples[i].inputs[name] for i in held[start : start + AT_ONCE]])
                )
                for start in range(0, len(held), AT_ONCE)
            ]
        out[name] = place, torch.cat(means)
    return out


def tuned_losses(net: Tuned, drawn: Labelled) -> dict[str, Tensor]:
    """The class from the fused vector, and from each encoder alone."""
    pooled = drawn.batch if not (net.settings.last or net.settings.rank) else net.pooled(drawn.batch)
    vectors, mask = net.vectors(pooled)
    losses = {"classes": classify(net.head(net.fuse(vectors, mask)).float(), drawn.labels, smoothing=0.05)}
    alone = net.alone(vectors).float()
    for i, name in enumerate(net.modalities):
        losses[f"alone_{name}"] = 0.3 * classify(alone[:, i], drawn.labels, smoothing=0.05, rows=mask[:, i])
    return losses


def emoji(
    *,
    seed: int = 0,
    steps: int = 600,
    batch_size: int = 128,
    lr: float = 2e-3,
    image: str = "efficientnet-lite0",
    text: str = "minilm",
    fusion: str = "gated",
    rank: int = 0,
) -> Recipe:
    """The category of an emoji from encoders that were trained on photographs and on sentences: frozen, or with a low-rank change.

    Source: linear evaluation of frozen features with a fusion over them; low-rank change: Hu et al. 2021.

    Reached (seed 0, 600 steps, on every sixth concept only, 740 pictures; accuracy): the same concepts in another style .996
    with both, .785 by picture; concepts never seen (111 pictures of 37) .856 with both, .703 by picture, .811 by keywords.
    Time: a CPU-minute and a half for that sixth, most of it for what the backbones see, once.
    Command: ``assay train tuned:emoji``; needs ``assay[pretrained]``, or ``image=hf:FOLDER text=hf:FOLDER``.
    """
    named = {"image": image, "text": text}
    plain: dict[str, str | int | float] = {
        "seed": seed,
        "steps": steps,
        "batch_size": batch_size,
        "lr": lr,
        **named,
        "fusion": fusion,
        "rank": rank,
    }
    train, held = (load("emoji", split).for_task("classification") for split in ("train", "validation"))
    settings = TunedSettings(train.choices, image, text, fusion=fusion, rank=rank)
    torch.manual_seed(seed)
    net = Tuned(settings)
    processor = Processor(pretrained=preparation(settings.backbones))
    source = TunedSource(net, processor, train.samples, labels(train.choices, train.samples), batch_size, seed)
    checked, true = processor.batch(held.samples, net.modalities), labels(held.choices, held.samples)
    with torch.no_grad():
        pooled = net.eval().pooled(checked)

    def validate(net: Tuned) -> dict[str, float]:
        known = pooled if source.frozen else net.pooled(checked)
        guess = net.head(net.fuse(*net.vectors(known))).argmax(1)
        return {"accuracy_all": float((guess == true).float().mean())}

    return Recipe(
        name="tuned:emoji",
        settings={"recipe": "tuned:emoji", **plain},
        net=net,
        processor=processor,
        source=source,
        losses=tuned_losses,
        optim=OptimSettings(lr=lr, steps=steps, matrix_lr=10 * lr),
        seed=seed,
        precision="f32",
        validate=validate,
        validate_every=max(steps // 6, 1),
        checkpoint_every=steps,
    )


def labels(choices: Sequence[str], samples: Sequence[Sample]) -> Tensor:
    """``int64[n]``: the place of each sample's class."""
    places = {name: number for number, name in enumerate(choices)}
    return torch.tensor([places[str(sample.target)] for sample in samples])
