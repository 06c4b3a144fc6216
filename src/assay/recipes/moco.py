"""Recipes of momentum contrast: a picture against another view of itself, as a slowly following copy of the net sees it."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.losses.momentum import Queue, follow, in_batch, queued
from assay.models.aligned import Aligned, AlignedSettings
from assay.models.processor import Processor
from assay.recipes.views import Views, ViewSource, across_styles, neighbours_category, read_pictures
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe


class Momentum(nn.Module):
    """The picture net with its projector, a slow copy of both, a predictor (version 3) and a queue of keys (version 2)."""

    def __init__(self, net: Aligned, *, keys: int, dim: int = 128, seed: int = 0) -> None:
        super().__init__()
        self.net = net
        self.project = nn.Sequential(nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
        self.predict = nn.Sequential(nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
        self.slow = nn.ModuleList([copy.deepcopy(net.towers["image"]), copy.deepcopy(self.project)])
        self.slow.requires_grad_(False)
        self.queue = Queue(keys, dim, torch.Generator().manual_seed(seed))

    def queries(self, pictures: Tensor, *, predicted: bool = False) -> Tensor:
        """Unit vectors of the net that learns."""
        x = self.project(self.net.towers["image"](pictures))
        return F.normalize((self.predict(x) if predicted else x).float(), dim=1)

    @torch.no_grad()
    def keys(self, pictures: Tensor) -> Tensor:
        """Unit vectors of the slow copy."""
        return F.normalize(self.slow[1](self.slow[0](pictures)).float(), dim=1)

    @torch.no_grad()
    def follow(self, momentum: float) -> None:
        """The copy moves towards the net."""
        follow(self.slow[0], self.net.towers["image"], momentum)
        follow(self.slow[1], self.project, momentum)

    def model(self) -> Aligned:
        """What is kept: the picture net, without projector."""
        return self.net


def moco_loss(net: Momentum, views: Views, *, version: int, temperature: float, momentum: float) -> dict[str, Tensor]:
    """Version 2: one view asks, the other's key is right, the queue's keys are wrong. Version 3: both ways within the batch."""
    net.follow(momentum)
    if version == 3:
        ways = ((views.one, views.other), (views.other, views.one))
        terms = [in_batch(net.queries(a, predicted=True), net.keys(b), temperature) for a, b in ways]
        return {"contrast": torch.stack(terms).sum()}
    keys = net.keys(views.other)
    loss = queued(net.queries(views.one), keys, net.queue.keys.clone(), temperature)
    net.queue.push(keys)
    return {"contrast": loss}


def emoji(
    *,
    seed: int = 0,
    steps: int = 240,
    concepts: int = 96,
    version: int = 2,
    keys: int = 768,
    temperature: float = 0.2,
    momentum: float = 0.97,
    lr: float = 3e-3,
) -> Recipe:
    """A picture net learns without a name from two views of each picture.

    Source: MoCo v2 (He et al. 2020, Chen et al. 2020); ``version=3`` is MoCo v3's loss (Chen et al. 2021). With as few pictures the queue
    must be shorter than their number, else a picture is its own wrong answer, and the copy follows faster than in the paper.

    Reached (seed 0, measured once by picture on test-concepts, concepts never seen; intervals by episode and by
    concept): 600 episodes of 5 categories with 5 examples .432 [.424, .439], the untrained net .369 [.362, .375]; a
    linear probe of 494 training concepts .377 [.317, .441], untrained .195 [.147, .252].
    Time: 90 seconds on one thread of a busy machine. Command: ``assay train moco:emoji``.
    """
    if version not in (2, 3):
        raise ValueError(f"there is version 2 and 3 of momentum contrast, not {version}")
    processor = Processor(size_px=32)
    train, held = read_pictures(processor), read_pictures(processor, "validation")
    torch.manual_seed(seed)
    settings = {
        "recipe": "moco:emoji",
        "seed": seed,
        "steps": steps,
        "concepts": concepts,
        "version": version,
        "keys": keys,
        "temperature": temperature,
        "momentum": momentum,
        "lr": lr,
    }
    return Recipe(
        name="moco:emoji",
        settings=settings,
        net=Momentum(Aligned(AlignedSettings(modalities=("image",), dropout=0.0)), keys=keys, seed=seed),
        processor=processor,
        source=ViewSource(train, concepts, seed),
        losses=lambda net, views: moco_loss(net, views, version=version, temperature=temperature, momentum=momentum),
        optim=OptimSettings(lr=lr, steps=steps, matrix_lr=0.02),
        seed=seed,
        validate=lambda net: {
            "across_styles": across_styles(net.net, held),
            "category_of_nearest": neighbours_category(net.net, train, held),
        },
        validate_every=max(steps // 2, 1),
        export=Momentum.model,
    )
