"""Learned words before a class's name, from a few examples: `Model` in, `Model` out; nothing else of the net changes.

Sources: CoOp (Zhou et al. 2022a: the same context for all classes), CoCoOp (Zhou et al. 2022b: the context is moved by a
small net that sees the sample, so that it serves classes that had no example).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.models.aligned import Aligned
from assay.models.encoders.text import WORDS, TextEncoder
from assay.models.native import NativeModel
from assay.types import FloatArray, Sample

BATCH = 32


class Context(nn.Module):
    """``words`` learned vectors ``[words, width]``; with ``dim`` also a net that moves them by what the sample's vector says."""

    def __init__(self, words: int, width: int, dim: int | None) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(words, width) * 0.02)
        self.moved = None
        if dim is not None:
            self.moved = nn.Sequential(
                nn.Linear(dim, max(dim // 16, 4)), nn.ReLU(), nn.Linear(max(dim // 16, 4), width)
            )

    def forward(self, samples: Tensor) -> Tensor:
        """``[n, words, width]`` of samples ``[n, dim]``; one context for all of them (``[1, …]``) where nothing moves it."""
        if self.moved is None:
            return self.vectors[None]
        return self.vectors[None] + self.moved(samples)[:, None]


@dataclass(frozen=True)
class Prompted:
    """An aligned model that puts learned words before every class's name."""

    name: str
    model: NativeModel
    context: Context
    fingerprint: str

    @property
    def modalities(self) -> frozenset[str]:
        """What the model takes."""
        return self.model.modalities

    @property
    def aligned_space(self) -> bool:
        """As the model's."""
        return self.model.aligned_space

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> FloatArray:
        """The underlying model's vectors ``float32[n, d]``."""
        return self.model.embed(samples, modality)

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]`` of any choices, those without an example too."""
        if not choices:
            raise ValueError(f"{self.name} was given no choices to score")
        vectors = torch.from_numpy(np.asarray(self.model.embed(samples), dtype=np.float32))
        ids = self.model.processor.values("text", list(choices))
        with torch.inference_mode():
            out: FloatArray = logits_of(self.model, self.context, vectors, ids).log_softmax(1).numpy()
        return out


def logits_of(model: NativeModel, context: Context, vectors: Tensor, ids: Tensor) -> Tensor:
    """``[n, k]``: scaled cosines of ``vectors [n, d]`` with the classes' texts ``ids int64[k, words, parts]`` behind the context."""
    net = model.net
    assert isinstance(net, Aligned), "only towers in one space can be prompted"
    tower = net.towers["text"]
    assert isinstance(tower, TextEncoder), "the aligned net reads hashed words"
    moved = context(vectors)
    m, k = len(moved), len(ids)
    texts = tower.prompted(ids.repeat(m, 1, 1), moved.repeat_interleave(k, 0))
    classes = F.normalize(texts.float(), dim=1).view(m, k, -1)
    return net.class_scale() * (vectors[:, None] * classes).sum(2)


def learn_prompt(
    model: NativeModel,
    support: Sequence[Sample],
    *,
    words: int = 4,
    conditional: bool = False,
    epochs: int = 50,
    lr: float = 0.02,
    seed: int = 0,
) -> Prompted:
    """Learns ``words`` vectors that stand before a class's name from the targets of the ``support`` samples.

    ``conditional``: CoCoOp, else CoOp. `ValueError` for a model whose words share no space with its other modalities, for no examples, an
    example without a target, and more words than the text tower has room for.
    """
    net = model.net
    if not isinstance(net, Aligned) or "text" not in net.modalities:
        raise ValueError(f"{model.name} has no space that words share: prompts are learnt for aligned models")
    if not support:
        raise ValueError("a prompt is learnt from at least one labelled example, got none")
    for sample in support:
        if sample.target is None:
            raise ValueError(f"example {sample.id!r} has no target")
    classes = tuple(dict.fromkeys(str(sample.target) for sample in support))
    ids = model.processor.values("text", list(classes))
    if not 1 <= words <= WORDS - ids.shape[1]:
        raise ValueError(
            f"the text tower has room for 1 to {WORDS - ids.shape[1]} words before these classes, not {words}"
        )
    labels = torch.tensor([classes.index(str(sample.target)) for sample in support])
    vectors = torch.from_numpy(np.array(model.embed(support), dtype=np.float32))
    context = _fitted(model, vectors, labels, ids, words, conditional, (epochs, lr, seed))
    told = b"".join(value.numpy().tobytes() for value in context.state_dict().values())
    kind = "cocoop" if conditional else "coop"
    digest = hashlib.sha256(f"{model.fingerprint}|{kind}|".encode() + told).hexdigest()
    return Prompted(f"{model.name}+{kind}", model, context, digest)


def _fitted(
    model: NativeModel,
    vectors: Tensor,
    labels: Tensor,
    ids: Tensor,
    words: int,
    conditional: bool,
    how: tuple[int, float, int],
) -> Context:
    """The context under which the labels are likeliest; the net itself gets no gradient."""
    epochs, lr, seed = how
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        assert isinstance(model.net, Aligned), "only towers in one space can be prompted"
        tower = model.net.towers["text"]
        assert isinstance(tower, TextEncoder), "the aligned net reads hashed words"
        context = Context(words, tower.positions.shape[1], vectors.shape[1] if conditional else None)
    learnt = list(context.parameters())
    optimiser = torch.optim.AdamW(learnt, lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        for rows in torch.randperm(len(labels), generator=generator).split(BATCH):
            loss = F.cross_entropy(logits_of(model, context, vectors[rows], ids), labels[rows])
            for p, slope in zip(learnt, torch.autograd.grad(loss, learnt), strict=True):
                p.grad = slope
            optimiser.step()
        schedule.step()
    return context.requires_grad_(False)
