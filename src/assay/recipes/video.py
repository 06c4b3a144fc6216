"""Recipes of films: frames through a picture net, then attention along time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from assay.data.batch import Batch, Part, Sampler
from assay.data.bundled import load
from assay.losses.classify import classify
from assay.models.aligned import Aligned
from assay.models.encoders.video import FrameVideoEncoder
from assay.models.fused import Fused, FusedSettings
from assay.models.native import load_shipped
from assay.models.processor import Processor
from assay.training.augment import change_pictures
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe

SHIPPED = "assay:aligned"
FRAMES = 6


@dataclass(frozen=True)
class Films:
    """Films ``uint8[n, frames, 3, size, size]`` (in a batch float in [0, 1]) and what kind of thing each shows."""

    ids: tuple[str, ...]
    values: Tensor
    labels: Tensor

    @property
    def batch(self) -> Batch:
        """The films as a net takes them."""
        return Batch(self.ids, {"video": Part(torch.arange(len(self.ids)), self.values)})


def read_films(processor: Processor, split: str) -> Films:
    """The concepts of an emoji split that move."""
    data = load("emoji", split)
    moving = {s.groups["concept"]: s for s in data.samples if "video" in s.inputs}
    values = torch.stack([processor.film(sample.inputs["video"]) for sample in moving.values()])
    labels = torch.tensor([data.choices.index(str(sample.target)) for sample in moving.values()])
    return Films(tuple(moving), values, labels)


class FilmSource:
    """Films at random, each once per epoch; all frames of one are changed alike, some run backwards."""

    def __init__(self, films: Films, size: int, seed: int) -> None:
        self.films = films
        self.generator = torch.Generator().manual_seed(seed)
        self.sampler = Sampler(len(films.ids), min(size, len(films.ids)), self.generator)

    def draw(self) -> Films:
        """The next batch."""
        films, generator = self.films, self.generator
        chosen = self.sampler.draw()
        values = films.values[chosen].float() / 255
        # As one picture of all frames' colours: whatever bends or shifts one frame does so to all.
        kept = generator.get_state()
        changed = []
        for i in range(values.shape[1]):
            generator.set_state(kept)
            changed.append(change_pictures(values[:, i], generator))
        values = torch.stack(changed, 1)
        back = torch.rand(len(chosen), generator=generator) < 0.5
        values = torch.where(back[:, None, None, None, None], values.flip(1), values)
        return Films(tuple(films.ids[i] for i in chosen.tolist()), values, films.labels[chosen])

    def state(self) -> dict[str, Any]:
        """The generator and what the sampler has not yet given."""
        return {"generator": self.generator.get_state(), **self.sampler.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self.generator.set_state(state["generator"])
        self.sampler.restore(state)


def emoji(
    *,
    seed: int = 0,
    steps: int = 100,
    batch_size: int = 32,
    lr: float = 2e-3,
    frozen: bool = True,
) -> Recipe:
    """What kind of thing an animated emoji shows, from six frames: the shipped picture tower (``frozen`` or tuned), attention along time.

    Source: divided attention in its cheapest form (Bertasius et al. 2021).

    Reached (seed 0, measured once): the category of the 52 films of test-concepts .769 [.639, .863]; the largest
    category has .346.
    Time: 49 seconds on one thread of a busy machine. Command: ``assay train video:emoji``.
    """
    processor = Processor(size_px=48, frames=FRAMES)
    train, held = read_films(processor, "train"), read_films(processor, "validation")
    shipped = load_shipped(SHIPPED)
    assert isinstance(shipped.net, Aligned), "it is trained by contrast"
    torch.manual_seed(seed)
    classes = load("emoji", "train").choices
    widths = shipped.net.settings.image_widths
    net = Fused(
        FusedSettings(classes, fusion="average", image_widths=widths, modalities=("video",), frames=FRAMES, dropout=0.0)
    )
    encoder = net.encoders["video"]
    assert isinstance(encoder, FrameVideoEncoder), "films are read frame by frame"
    encoder.frame.load_state_dict(shipped.net.towers["image"].state_dict())
    encoder.frame.requires_grad_(not frozen)
    seen = Films(held.ids, held.values.float() / 255, held.labels)
    return Recipe(
        name="video:emoji",
        settings={
            "recipe": "video:emoji",
            "seed": seed,
            "steps": steps,
            "batch_size": batch_size,
            "lr": lr,
            "frozen": frozen,
            "frames": f"{SHIPPED}@{shipped.fingerprint[:12]}",
        },
        net=net,
        processor=processor,
        source=FilmSource(train, batch_size, seed),
        losses=lambda net, drawn: {"classes": classify(net(drawn.batch), drawn.labels, smoothing=0.05)},
        optim=OptimSettings(lr=lr, steps=steps, matrix_lr=0.01),
        seed=seed,
        validate=lambda net: {"accuracy": float((net(seen.batch).argmax(1) == held.labels).float().mean())},
        validate_every=max(steps // 2, 1),
    )
