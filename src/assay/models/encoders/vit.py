"""Pictures: a vision Transformer (Dosovitskiy et al. 2021): patches, learned positions, a class token."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from assay.models.layers import TransformerBlock, expect_shape


class PatchTokens(nn.Module):
    """``float[n, 3, size, size]`` in [0, 1] -> ``[n, 1 + patches, dim]``: the class token, then the patches row by row.

    ``size_px`` must be a multiple of ``patch_px``.
    """

    def __init__(
        self,
        dim: int,
        *,
        size_px: int = 48,
        patch_px: int = 8,
        layers: int = 4,
        heads: int = 4,
        expansion: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if size_px % patch_px:
            raise ValueError(f"PatchTokens expects a size that patches divide, got {size_px} px and {patch_px} px")
        self.size_px, self.patch_px = size_px, patch_px
        self.patch = nn.Linear(3 * patch_px**2, dim)
        self.start = nn.Parameter(torch.randn(dim) * 0.02)
        self.positions = nn.Parameter(torch.randn(1 + (size_px // patch_px) ** 2, dim) * 0.02)
        blocks = (TransformerBlock(dim, heads, expansion=expansion, dropout=dropout) for _ in range(layers))
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(dim)

    def forward(self, image: Tensor) -> Tensor:
        return self._mixed(self._cut(image))

    def visible(self, image: Tensor, seen: Tensor) -> Tensor:
        """The same for a picture of which only the patches ``seen int64[n, v]`` are looked at: ``[n, 1 + v, dim]``."""
        x = self._cut(image)
        kept = x[:, 1:].gather(1, seen[..., None].expand(-1, -1, x.shape[2]))
        return self._mixed(torch.cat([x[:, :1], kept], 1))

    def _cut(self, image: Tensor) -> Tensor:
        expect_shape(self, image, ("n", 3, self.size_px, self.size_px))
        n, side, p = len(image), self.size_px // self.patch_px, self.patch_px
        cut = ((image - 0.5) * 2).view(n, 3, side, p, side, p).permute(0, 2, 4, 1, 3, 5).reshape(n, side**2, -1)
        return torch.cat([self.start.expand(n, 1, -1), self.patch(cut)], 1) + self.positions

    def _mixed(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out


class VisionTransformer(nn.Module):
    """``float[n, 3, size, size]`` in [0, 1] -> one vector ``[n, dim]``, the class token's last state, projected."""

    def __init__(
        self,
        dim: int,
        *,
        size_px: int = 48,
        patch_px: int = 8,
        width: int = 128,
        layers: int = 4,
        heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.tokens = PatchTokens(
            width, size_px=size_px, patch_px=patch_px, layers=layers, heads=heads, dropout=dropout
        )
        self.project = nn.Linear(width, dim)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.project(self.tokens(image)[:, 0])
        return out
