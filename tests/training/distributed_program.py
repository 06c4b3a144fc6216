"""What two processes do in the test of distributed training; started by torchrun with a folder."""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from assay.data.batch import Batch, Part, Sampler
from assay.losses.classify import classify
from assay.losses.contrastive import info_nce
from assay.models.attention import MultiModalTransformer
from assay.models.encoders.text import text_tensor
from assay.models.fused import Fused, FusedSettings
from assay.models.layers import TransformerBlock
from assay.models.processor import Processor
from assay.recipes.classified import Labelled
from assay.training import distributed
from assay.training.loop import train
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe
from assay.training.sharded import shard, whole_weights

WORDS = ["red apple", "green apple", "blue flag", "red flag", "dog face", "cat face", "green tree", "blue sea"]
BUCKETS, STEPS = 256, 8


class Words:
    """A word or two and which of two kinds it is; no picture, so that no batch norm takes part."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(5)
        self.sampler = Sampler(len(WORDS), 4, self.generator)
        self.ids = text_tensor(WORDS, BUCKETS)

    def draw(self) -> Labelled:
        rows = self.sampler.draw()
        part = Part(torch.arange(len(rows)), self.ids[rows])
        return Labelled(Batch(tuple(WORDS[i] for i in rows.tolist()), {"text": part}), rows % 2)

    def state(self) -> dict[str, Any]:
        return {"generator": self.generator.get_state(), **self.sampler.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.generator.set_state(state["generator"])
        self.sampler.restore(state)


def recipe(*, accumulate: int = 1, dropout: float = 0.0) -> Recipe:
    """The same run for one process (with ``accumulate`` 2) and for two."""
    torch.manual_seed(1)
    sizes = {"dim": 16, "image_widths": (8, 8), "buckets": BUCKETS, "text_width": 16, "dropout": dropout}
    return Recipe(
        name="words",
        settings={"steps": STEPS, "dropout": dropout},
        net=Fused(FusedSettings(("even", "odd"), **sizes)),
        processor=Processor(size_px=16, buckets=BUCKETS),
        source=Words(),
        losses=lambda net, drawn: {"classes": classify(net(drawn.batch), drawn.labels)},
        optim=OptimSettings(lr=0.01, steps=STEPS, matrix_lr=0.02, average=0.8, accumulate=accumulate),
        precision="f32",
        checkpoint_every=4,
    )


def curve(made: Recipe, out: Path, *, cut_after: int = 0) -> list[float]:
    """The losses of a run's steps, as all processes know them."""

    class Cut(Exception):
        pass

    found: list[float] = []

    def told(progress: Any) -> None:
        found.append(progress.losses["classes"])
        if progress.step == cut_after:
            raise Cut

    try:
        train(made, out=out, on_progress=told)
    except Cut:
        return found
    return found


def contrast(vectors: torch.Tensor) -> list[float]:
    """The gradient of InfoNCE over everybody's vectors with regard to a weight that all share."""
    weight = torch.eye(4, requires_grad=True)
    own = vectors.chunk(distributed.count())[distributed.rank()]
    a, b = (distributed.gathered(F.normalize(part @ weight, dim=1)) for part in own.split(4, dim=1))
    (info_nce(a, b, 5.0) / distributed.count()).backward()
    shared = torch.nn.Parameter(weight.detach())
    shared.grad = weight.grad
    distributed.sum_gradients([shared])
    return shared.grad.flatten().tolist()


def tokens() -> MultiModalTransformer:
    """A small Transformer over a picture's and a text's tokens."""
    torch.manual_seed(2)
    return MultiModalTransformer(nn.Linear(6, 16), nn.Linear(5, 16), Both(), nn.Linear(16, 2))


class Both(nn.Module):
    """Two blocks over all tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(TransformerBlock(16, 2) for _ in range(2))

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x, mask)
        return x


def sharded_curve(net: nn.Module) -> list[float]:
    """Five steps of AdamW on fixed numbers, each process with its part of the batch: the mean losses."""
    draw = torch.Generator().manual_seed(3)
    pictures, texts = torch.randn(8, 3, 6, generator=draw), torch.randn(8, 2, 5, generator=draw)
    own = torch.arange(8).chunk(distributed.count())[distributed.rank()]
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01)
    found = []
    for _ in range(5):
        loss = F.cross_entropy(net(pictures[own], texts[own]), own % 2)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        found.append(distributed.mean_values([float(loss.detach())])[0])
    return found


def main(folder: Path) -> None:
    with distributed.processes():
        found = {
            "processes": distributed.count(),
            "whole": curve(recipe(), folder / "whole"),
            "dropped": curve(recipe(dropout=0.3), folder / "dropped"),
            "cut": curve(recipe(dropout=0.3), folder / "cut", cut_after=6),
            "resumed": curve(recipe(dropout=0.3), folder / "cut"),
            "contrast": contrast(torch.randn(6, 8, generator=torch.Generator().manual_seed(0))),
            "sharded": sharded_curve(net := shard(tokens())),
            "held": sum(p.to_local().numel() for p in net.parameters()),
            "weights": {name: value.sum().item() for name, value in whole_weights(net).items()},
            "everyones": distributed.everyones(distributed.rank()),
        }
        try:
            train(replace(recipe(), balance=_learning()), out=folder / "refused")
        except ValueError as error:
            found["refused"] = str(error)
    if distributed.leads():
        (folder / "found.json").write_text(json.dumps(found))


def _learning() -> Any:
    from assay.training.balance import Uncertainty

    return Uncertainty(["classes"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
