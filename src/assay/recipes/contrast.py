"""Recipes of contrast, one idea each, all nets `assay.models.aligned.Aligned`: CLIP, SigLIP, a locked picture tower (LiT), and
all modalities against pictures only (ImageBind)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from assay.data.batch import Sampler
from assay.losses.contrastive import info_nce, sigmoid_contrast
from assay.models.aligned import Aligned, AlignedSettings
from assay.models.native import load_shipped
from assay.models.processor import Processor
from assay.recipes.aligned import validate_aligned
from assay.recipes.classified import draw_captions
from assay.recipes.corpus import Corpus, read_corpus
from assay.training.augment import STRONGER, change_pictures, change_sounds, hide_words
from assay.training.chunks import by_length, in_chunks
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe

SHIPPED = "assay:aligned"
BIAS = -10.0  # of SigLIP: nearly all pairs of a batch are wrong ones


@dataclass(frozen=True)
class Couples:
    """A training batch of n concepts, each once: a picture, a text, and for some (``sound_of``) a sound."""

    ids: tuple[str, ...]
    pictures: Tensor
    texts: Tensor
    sounds: Tensor
    sound_of: Tensor


class CoupleSource:
    """Concepts at random, each once per epoch: a picture in a random style, a caption, a sound where it is ``heard``."""

    def __init__(self, corpus: Corpus, concepts: int, seed: int, *, heard: bool = False) -> None:
        self.corpus, self.heard = corpus, heard
        self.generator = torch.Generator().manual_seed(seed)
        self.sampler = Sampler(len(corpus.concepts), min(concepts, len(corpus.concepts)), self.generator)

    def draw(self) -> Couples:
        """The next batch."""
        corpus, generator = self.corpus, self.generator
        # An epoch's end and the next one's beginning can hold the same concept, which would be its own wrong answer.
        chosen = torch.unique(self.sampler.draw())
        pictures = corpus.pictures.values[corpus.pictures.draw(chosen, generator)].float() / 255
        with_sound = torch.nonzero(corpus.sounds.counts[chosen] > 0)[:, 0] if self.heard else torch.zeros(0).long()
        sounds = corpus.sounds.values[corpus.sounds.draw(chosen[with_sound], generator)].float()
        return Couples(
            ids=tuple(corpus.concepts[i] for i in chosen.tolist()),
            pictures=change_pictures(pictures, generator, STRONGER),
            texts=hide_words(draw_captions(corpus, chosen, generator), generator),
            sounds=change_sounds(sounds, generator) if len(sounds) else sounds,
            sound_of=with_sound,
        )

    def state(self) -> dict[str, Any]:
        """The generator and what the sampler has not yet given."""
        return {"generator": self.generator.get_state(), **self.sampler.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self.generator.set_state(state["generator"])
        self.sampler.restore(state)


class Contrast(nn.Module):
    """The towers with what only training needs: the sigmoid loss's bias, and which towers stay as they are (``locked``)."""

    def __init__(self, towers: Aligned, locked: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.towers, self.locked = towers, locked
        self.bias = nn.Parameter(torch.tensor(BIAS))
        for name in locked:
            towers.towers[name].requires_grad_(False)

    def train(self, mode: bool = True) -> Contrast:
        """Training or not; a locked tower is never in training, so that its norms' statistics stay as they were."""
        super().train(mode)
        for name in self.locked:
            self.towers.towers[name].eval()
        return self

    def model(self) -> Aligned:
        """What is kept: the towers, which weigh classes as they weigh captions."""
        with torch.no_grad():
            self.towers.log_class_scale.copy_(self.towers.log_scale)
        return self.towers


def clip_loss(net: Contrast, drawn: Couples, chunk: int = 0) -> dict[str, Tensor]:
    """InfoNCE of pictures and texts; with a ``chunk`` both are read so many at a time (`assay.training.chunks`)."""
    towers = net.towers

    def read(modality: str, values: Tensor) -> Tensor:
        return in_chunks(lambda some: towers.vectors(modality, some), values, chunk or len(values))

    texts = by_length(lambda some: read("text", some), drawn.texts)
    return {"contrast": info_nce(read("image", drawn.pictures), texts, towers.scale())}


def siglip_loss(net: Contrast, drawn: Couples) -> dict[str, Tensor]:
    """Each pair of a picture and a text is a yes/no question of its own."""
    pictures, texts = net.towers.vectors("image", drawn.pictures), net.towers.vectors("text", drawn.texts)
    return {"contrast": sigmoid_contrast(pictures, texts, net.towers.scale(), net.bias)}


def imagebind_loss(net: Contrast, drawn: Couples) -> dict[str, Tensor]:
    """InfoNCE of sounds with pictures alone: sound and text never meet."""
    seen = net.towers.vectors("image", drawn.pictures[drawn.sound_of])
    return {"audio": info_nce(seen, net.towers.vectors("audio", drawn.sounds), net.towers.scale())}


def made(
    settings: Mapping[str, Any],
    loss: Callable[[Contrast, Couples], dict[str, Tensor]],
    *,
    modalities: tuple[str, ...] = ("text", "image"),
    locked: tuple[str, ...] = (),
    scale: float | None = None,
) -> Recipe:
    """A recipe of contrast on the bundled emoji. Towers that are ``locked`` have `assay:aligned`'s weights."""
    s = settings
    processor = Processor()
    corpus, held = read_corpus(processor, s["seed"]), read_corpus(processor, s["seed"], "validation")
    torch.manual_seed(s["seed"])
    towers = Aligned(AlignedSettings(modalities=modalities))
    begun: dict[str, str] = {}
    if locked:
        shipped = load_shipped(SHIPPED)
        assert isinstance(shipped.net, Aligned), "it is trained by contrast"
        for name in locked:
            towers.towers[name].load_state_dict(shipped.net.towers[name].state_dict())
        begun["locked"] = f"{', '.join(locked)} of {SHIPPED}@{shipped.fingerprint[:12]}"
    if scale is not None:
        torch.nn.init.constant_(towers.log_scale, scale)
    return Recipe(
        name=s["recipe"],
        settings={**s, **begun},
        net=Contrast(towers, locked),
        processor=processor,
        source=CoupleSource(corpus, s["concepts"], s["seed"], heard="audio" in modalities),
        losses=loss,
        optim=OptimSettings(lr=s["lr"], steps=s["steps"], matrix_lr=s["matrix_lr"]),
        seed=s["seed"],
        validate=lambda net: validate_aligned(net.towers, held),
        validate_every=max(s["steps"] // 4, 1),
        export=Contrast.model,
    )
