"""Texts cut into tokens (`assay.models.bpe`): a text Transformer (Vaswani et al. 2017, pre-norm) with a class token."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from assay.models.bpe import PAD
from assay.models.layers import TransformerBlock, expect_shape


class TokenEncoder(nn.Module):
    """Tokens ``int64[n, t]``, 0 where there is nothing -> one vector ``[n, dim]``, the class token's last state, projected.

    At most ``longest`` tokens are read. Padding has no influence; a text without tokens gives a constant.
    """

    def __init__(
        self,
        dim: int,
        *,
        vocabulary: int,
        width: int = 96,
        layers: int = 2,
        heads: int = 4,
        longest: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, width, padding_idx=PAD)
        self.start = nn.Parameter(torch.randn(width) * 0.02)
        self.positions = nn.Parameter(torch.randn(longest, width) * 0.02)
        blocks = (TransformerBlock(width, heads, expansion=2, dropout=dropout) for _ in range(layers))
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, dim)
        self.channels = width

    def features(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The class token and the tokens ``[n, 1 + t, channels]``, and which are there ``bool[n, 1 + t]``.

        `ValueError` for more tokens than there are positions for.
        """
        expect_shape(self, ids, ("n", "t"))
        n, t = ids.shape
        if t > len(self.positions):
            raise ValueError(f"TokenEncoder reads at most {len(self.positions)} tokens, got {t}")
        x = torch.cat([self.start.expand(n, 1, -1), self.table(ids) + self.positions[:t]], 1)
        mask = torch.cat([torch.ones(n, 1, dtype=torch.bool, device=ids.device), ids != PAD], 1)
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x), mask

    def summary(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """One vector ``[n, dim]`` from `features`."""
        out: Tensor = self.project(tokens[:, 0])
        return out

    def forward(self, ids: Tensor) -> Tensor:
        return self.summary(*self.features(ids))
