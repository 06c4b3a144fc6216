"""A vision-language model: a picture's features, projected, before or beside the words of a small language model.

The picture is read by a convolutional net or a vision Transformer; a projector turns its features into tokens that the
decoder reads as a prefix (LLaVA: Liu et al. 2023) or attends to in every block (Flamingo-like cross attention: Alayrac
et al. 2022). A request ("Describe the picture.", a question) follows; what the decoder writes after it is the answer, or
first what the answer rests on and then the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from assay.catalog import nearest
from assay.data.batch import Batch, Part
from assay.models.bpe import END, PAD, START, padded
from assay.models.decoders import Cache, CausalDecoder
from assay.models.encoders.cnn import ImageEncoder
from assay.models.encoders.vit import PatchTokens
from assay.models.generation import Decoding, decode
from assay.models.layers import expect_modalities, expect_shape

READERS = ("cnn", "vit")
ATTACHMENTS = ("prefix", "cross")


@dataclass(frozen=True)
class VlmSettings:
    """The sizes that decide the net's shape; kept in ``config.json``.

    ``skills``: what it was trained to do on request. ``evidence``: whether it first writes what its answer rests on.
    ``pool``: how many cells of the reader's grid, each way, make one token. ``frozen``: whether training leaves the reader
    as it is. ``beams``: how it writes unless told otherwise.
    """

    vocabulary: int
    skills: tuple[str, ...] = ("ask",)
    attach: str = "prefix"
    reader: str = "cnn"
    size_px: int = 48
    image_widths: tuple[int, ...] = (32, 64, 128, 224)
    pool: int = 1
    vector_dim: int = 128
    whole_tokens: int = 4
    patch_px: int = 8
    dim: int = 128
    layers: int = 3
    heads: int = 4
    length: int = 96
    max_tokens: int = 48
    beams: int = 1
    dropout: float = 0.1
    evidence: bool = False
    frozen: bool = False


class VisionLanguage(nn.Module):
    """`Batch` of pictures and requests (tokens ``int64[m, t]``) -> answers in tokens.

    A convolutional reader gives some tokens of the whole picture and one of each cell of its grid, a Transformer those of
    its class and its patches.
    """

    modalities = ("text", "image")

    def __init__(self, settings: VlmSettings) -> None:
        super().__init__()
        s = self.settings = settings
        for value, known in ((s.reader, READERS), (s.attach, ATTACHMENTS)):
            if value not in known:
                raise ValueError(f"unknown part of a vision-language model {value!r}: {nearest(value, known)}")
        self.skills = s.skills
        if s.reader == "cnn":
            self.reader: nn.Module = ImageEncoder(s.vector_dim, widths=s.image_widths)
            features = s.image_widths[-1]
            self.side = s.size_px // self.reader.grid.shrink
            self.image_positions = nn.Parameter(torch.randn((self.side // s.pool) ** 2, s.dim) * 0.02)
            self.whole = nn.Sequential(nn.LayerNorm(s.vector_dim), nn.Linear(s.vector_dim, s.whole_tokens * s.dim))
        else:
            self.reader = PatchTokens(s.dim, size_px=s.size_px, patch_px=s.patch_px)
            features = s.dim
        self.reader.requires_grad_(not s.frozen)
        self.projector = nn.Sequential(
            nn.LayerNorm(features), nn.Linear(features, 2 * s.dim), nn.GELU(), nn.Linear(2 * s.dim, s.dim)
        )
        self.no_picture = nn.Parameter(torch.randn(s.dim) * 0.02)
        self.decoder = CausalDecoder(
            s.vocabulary,
            s.dim,
            layers=s.layers,
            heads=s.heads,
            length=s.length,
            cross=s.attach == "cross",
            dropout=s.dropout,
        )

    def train(self, mode: bool = True) -> VisionLanguage:
        """Training or not; a frozen reader is never in training, so that its norms' statistics stay as they were."""
        super().train(mode)
        if self.settings.frozen:
            self.reader.eval()
        return self

    def picture_tokens(self, image: Tensor) -> Tensor:
        """``[m, p, dim]`` of pictures ``float[m, 3, size, size]``."""
        s = self.settings
        expect_shape(self, image, ("n", 3, s.size_px, s.size_px))
        if s.reader == "vit":
            return self.projector(self.reader(image)).float()
        return self.seen(*self.reader.features(image))

    def seen(self, cells: Tensor, mask: Tensor) -> Tensor:
        """The same of what a convolutional reader made of pictures."""
        s, n = self.settings, len(cells)
        whole = self.whole(self.reader.summary(cells, mask)).float().view(n, s.whole_tokens, s.dim)
        grid = cells.transpose(1, 2).unflatten(2, (self.side, self.side))
        pooled = F.max_pool2d(grid, s.pool).flatten(2).transpose(1, 2)
        return torch.cat([whole, self.projector(pooled).float() + self.image_positions], 1)

    def pictured(self, tokens: Tensor | None, n: int, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``[n, 1 + p, dim]`` and its mask: row i shows picture ``rows[i]`` of ``tokens [m, p, dim]``, -1 for none.

        Without a picture a learned token stands alone, so that the net knows that there is none.
        """
        blank = self.no_picture.expand(n, 1, -1)
        if tokens is None:
            return blank, torch.ones(n, 1, dtype=torch.bool)
        rows = torch.arange(n) if rows is None else rows
        there = rows >= 0
        shown = tokens[rows.clamp(min=0)]
        mask = torch.cat([~there[:, None], there[:, None].expand(-1, shown.shape[1])], 1)
        return torch.cat([blank, shown], 1), mask

    def answer_states(self, pictures: tuple[Tensor, Tensor], requests: Tensor, answers: Tensor) -> Tensor:
        """``[n, t + 1, dim]``: the states that foretell each place of ``answers int64[n, t]``, and what ends them.

        ``requests int64[n, r]``; padding after the end of either. The decoder's ``logits`` make tokens of states.
        """
        start = torch.full((len(answers), 1), START)
        states, _ = self._read(pictures, torch.cat([requests, start, answers], 1))
        return states[:, -(answers.shape[1] + 1) :]

    def begin(self, batch: Batch, beside: Tensor | None = None) -> tuple[Tensor, Cache]:
        """The state ``[n, dim]`` from which each sample's answer starts, and what is kept to go on from it.

        ``beside [n, e, dim]`` are further tokens that are read with the picture's."""
        expect_modalities(self, batch.parts)
        n = len(batch)
        image, text = batch.parts.get("image"), batch.parts.get("text")
        tokens = None if image is None else self.picture_tokens(image.values)
        pictures = accompanied(self.pictured(tokens, n, batch.places("image")), beside)
        requests = torch.zeros(n, 0, dtype=torch.int64) if text is None else text.spread(text.values, n)
        states, cache = self._read(pictures, torch.cat([requests, torch.full((n, 1), START)], 1))
        return states[:, -1], cache

    def generate(
        self, batch: Batch, how: Decoding, generators: Sequence[Generator] = (), *, beside: Tensor | None = None
    ) -> list[list[int]]:
        """The tokens of each sample's answer."""
        state, cache = self.begin(self.with_evidence(batch)[1], beside)
        return decode(self.decoder.logits(state), cache, self._step, how, generators)

    def with_evidence(self, batch: Batch) -> tuple[list[list[int]], Batch]:
        """What each answer rests on (tokens; the likeliest, whatever the way of decoding), and the batch in which it stands
        behind the request. Nothing, and the batch as it is, for a net that answers at once."""
        if not self.settings.evidence:
            return [[] for _ in batch.ids], batch
        state, cache = self.begin(batch)
        found = decode(self.decoder.logits(state), cache, self._step, Decoding(max_tokens=self.settings.max_tokens))
        n, text = len(batch), batch.parts.get("text")
        requests = torch.zeros(n, 0, dtype=torch.int64) if text is None else text.spread(text.values, n)
        told = torch.cat([requests, torch.full((n, 1), START), padded(found)], 1)
        return found, Batch(batch.ids, {**batch.parts, "text": Part(torch.arange(n), told)})

    def choice_scores(self, batch: Batch, choices: Sequence[Sequence[int]], *, beside: Tensor | None = None) -> Tensor:
        """``float[n, k]``: the log-probability of writing each choice (tokens) and ending there."""
        state, cache = self.begin(self.with_evidence(batch)[1], beside)
        n, k = len(batch), len(choices)
        index = torch.arange(n).repeat_interleave(k)
        targets = padded([[*choice, END] for choice in choices]).repeat(n, 1)
        later = targets[:, :-1]
        states, _ = self.decoder(self.decoder.embed(later), later != PAD, cache=cache.rows(index))
        logits = self.decoder.logits(torch.cat([state[index][:, None], states], 1))
        picked = logits.log_softmax(2).gather(2, targets[..., None])[..., 0]
        return (picked * (targets != PAD)).sum(1).view(n, k)

    def embed(self, batch: Batch) -> Tensor:
        """Unit vectors ``float[n, dim]`` of all that is present: the states from which the answers start."""
        return F.normalize(self.begin(batch)[0].float(), dim=1)

    def _read(self, pictures: tuple[Tensor, Tensor], ids: Tensor) -> tuple[Tensor, Cache]:
        """The decoder's states over a request and what follows it; the picture before it or beside it."""
        tokens, shown = pictures
        words, seen = self.decoder.embed(ids), ids != PAD
        if self.settings.attach == "cross":
            return self.decoder(words, seen, memory=tokens, memory_seen=shown)
        return self.decoder(torch.cat([tokens.to(words.dtype), words], 1), torch.cat([shown, seen], 1))

    def _step(self, tokens: Tensor, cache: Cache) -> tuple[Tensor, Cache]:
        seen = torch.ones(len(tokens), 1, dtype=torch.bool)
        states, cache = self.decoder(self.decoder.embed(tokens[:, None]), seen, cache=cache)
        return self.decoder.logits(states[:, -1]), cache


def accompanied(pictures: tuple[Tensor, Tensor], beside: Tensor | None) -> tuple[Tensor, Tensor]:
    """What is seen ``[n, p, dim]`` with its mask, and behind it further tokens ``beside [n, e, dim]``, if there are any."""
    if beside is None:
        return pictures
    tokens, mask = pictures
    more = mask.new_ones(beside.shape[:2])
    return torch.cat([tokens, beside.to(tokens.dtype)], 1), torch.cat([mask, more], 1)
