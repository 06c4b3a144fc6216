"""A recipe of one's own over the bundled digits, small enough for tests of sweeps and searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from assay.data.batch import Batch, Part, Sampler
from assay.data.bundled import load
from assay.losses.classify import classify
from assay.models.fused import Fused, FusedSettings
from assay.models.processor import Processor
from assay.recipes.classified import Labelled
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe


class Digits:
    """Some training digits in memory."""

    def __init__(self, seed: int) -> None:
        data = load("digits", "train").first(120)
        self.processor = Processor(size_px=8)
        self.pictures = self.processor.values("image", [sample.inputs["image"] for sample in data.samples])
        self.labels = torch.tensor([int(sample.target) for sample in data.samples])
        self.generator = torch.Generator().manual_seed(seed)
        self.sampler = Sampler(len(self.labels), 32, self.generator)

    def draw(self) -> Labelled:
        rows = self.sampler.draw()
        batch = Batch(tuple(map(str, rows.tolist())), {"image": Part(torch.arange(32), self.pictures[rows])})
        return Labelled(batch, self.labels[rows])

    def state(self) -> dict[str, Any]:
        return {"generator": self.generator.get_state(), **self.sampler.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.generator.set_state(state["generator"])
        self.sampler.restore(state)


def own(*, steps: int = 30, lr: float = 1e-2, fusion: str = "concat", seed: int = 0) -> Recipe:
    """Which digit it is."""
    source = Digits(seed)
    torch.manual_seed(seed)
    sizes = FusedSettings(
        classes=tuple("0123456789"), fusion=fusion, dim=16, image_widths=(8, 16), buckets=64, text_width=16
    )
    return Recipe(
        name="digits",
        settings={"steps": steps, "lr": lr, "fusion": fusion, "seed": seed},
        net=Fused(sizes),
        processor=source.processor,
        source=source,
        losses=lambda net, drawn: {"classes": classify(net(drawn.batch), drawn.labels)},
        optim=OptimSettings(lr=lr, steps=steps, matrix_lr=0.0),
        seed=seed,
        precision="f32",
    )
