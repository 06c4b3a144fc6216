"""Two small nets that are often drawn and often drawn wrongly: attention between a picture and a text, and a Transformer
over both.

`MultimodalFusion`: attention over a single token has one weight, which is 1, whatever asks: as it is usually written
(the text's one vector asks the picture's one vector) the text has exactly no influence. Here the picture is several
tokens, and what was found is added to what asked. `MultiModalTransformer` puts four given parts together.
"""

from __future__ import annotations

import inspect

import torch
from torch import Tensor, nn

from assay.models.layers import CrossBlock, expect_shape


class MultimodalFusion(nn.Module):
    """The text asks the picture and the picture the text, each with a residual; both meet in one vector ``[n, hidden_dim]``.

    ``image float[n, t, image_dim]`` (regions, patches, grid cells) and ``text float[n, s, text_dim]`` (words); a single
    vector ``[n, d]`` counts as one token. ``image_mask bool[n, t]`` and ``text_mask bool[n, s]`` say what is there. A
    missing modality (all hidden, or None) leaves the other's own content. `ValueError` for shapes that do not fit.

    >>> fusion = MultimodalFusion(image_dim=8, text_dim=6, hidden_dim=16)
    >>> fusion(torch.randn(2, 9, 8), torch.randn(2, 4, 6)).shape
    torch.Size([2, 16])
    """

    def __init__(self, image_dim: int, text_dim: int, hidden_dim: int, *, heads: int = 4) -> None:
        super().__init__()
        self.sizes = {"image": image_dim, "text": text_dim}
        self.image_in, self.text_in = nn.Linear(image_dim, hidden_dim), nn.Linear(text_dim, hidden_dim)
        self.text_asks = CrossBlock(hidden_dim, heads, expansion=2)
        self.image_asks = CrossBlock(hidden_dim, heads, expansion=2)
        self.out = nn.Sequential(nn.LayerNorm(2 * hidden_dim), nn.Linear(2 * hidden_dim, hidden_dim))

    def forward(
        self,
        image: Tensor | None,
        text: Tensor | None,
        *,
        image_mask: Tensor | None = None,
        text_mask: Tensor | None = None,
    ) -> Tensor:
        if image is None and text is None:
            raise ValueError("a picture, a text, or both were expected, got neither")
        n = len(image if image is not None else text)  # type: ignore[arg-type]
        pictures, seen = self._tokens("image", image, image_mask, n)
        words, read = self._tokens("text", text, text_mask, n)
        x, y = self.image_in(pictures), self.text_in(words)
        asked = _mean(self.text_asks(y, x, seen), read)
        shown = _mean(self.image_asks(x, y, read), seen)
        out: Tensor = self.out(torch.cat([asked, shown], 1))
        return out

    def _tokens(self, name: str, values: Tensor | None, mask: Tensor | None, n: int) -> tuple[Tensor, Tensor]:
        if values is None:
            return torch.zeros(n, 1, self.sizes[name]), torch.zeros(n, 1, dtype=torch.bool)
        tokens = values[:, None] if values.ndim == 2 else values
        expect_shape(self, tokens, (n, "tokens", self.sizes[name]))
        there = torch.ones(tokens.shape[:2], dtype=torch.bool) if mask is None else mask
        if there.shape != tokens.shape[:2]:
            raise ValueError(f"{name}_mask bool{tuple(tokens.shape[:2])} was expected, got {tuple(there.shape)}")
        return tokens * there[..., None], there


class MultiModalTransformer(nn.Module):
    """Picture and text through their encoders to tokens, one fusion encoder over all of them, a head on their mean.

    ``image_encoder`` and ``text_encoder`` each give ``tokens [n, t, d]``, ``(tokens, mask bool[n, t])``, or one vector
    ``[n, d]``, of one width d. ``fusion_encoder`` is a `torch.nn.TransformerEncoder` with ``batch_first``, a module that
    takes ``(tokens, mask)``, or one that takes tokens alone (hidden ones are 0); it keeps their number.
    ``output_head`` maps the mean of what is there, ``[n, d]``.
    """

    def __init__(
        self, image_encoder: nn.Module, text_encoder: nn.Module, fusion_encoder: nn.Module, output_head: nn.Module
    ) -> None:
        super().__init__()
        self.image_encoder, self.text_encoder = image_encoder, text_encoder
        self.fusion_encoder, self.output_head = fusion_encoder, output_head

    def states(self, image: Tensor | None, text: Tensor | None) -> Tensor:
        """The fused vectors ``[n, d]``; either input may be None, not both."""
        found = [
            _sequence(encoder, values)
            for encoder, values in ((self.image_encoder, image), (self.text_encoder, text))
            if values is not None
        ]
        if not found:
            raise ValueError("a picture, a text, or both were expected, got neither")
        shapes = [tuple(tokens.shape) for tokens, _ in found]
        if len({(shape[0], shape[2]) for shape in shapes}) > 1:
            raise ValueError(f"both encoders must give as many rows of one width, got {shapes[0]} and {shapes[1]}")
        tokens, mask = torch.cat([x for x, _ in found], 1), torch.cat([m for _, m in found], 1)
        return _mean(self._fused(tokens, mask), mask)

    def _fused(self, tokens: Tensor, mask: Tensor) -> Tensor:
        fuse = self.fusion_encoder
        if isinstance(fuse, nn.TransformerEncoder):
            return fuse(tokens, src_key_padding_mask=~mask)  # type: ignore[no-any-return]
        if len(inspect.signature(fuse.forward).parameters) > 1:
            return fuse(tokens, mask)  # type: ignore[no-any-return]
        return fuse(tokens * mask[..., None])  # type: ignore[no-any-return]

    def forward(self, image: Tensor | None, text: Tensor | None) -> Tensor:
        out: Tensor = self.output_head(self.states(image, text))
        return out


def _sequence(encoder: nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
    found = encoder(values)
    tokens, mask = found if isinstance(found, tuple) else (found, None)
    tokens = tokens[:, None] if tokens.ndim == 2 else tokens
    expect_shape(encoder, tokens, ("n", "tokens", "width"))
    return tokens, torch.ones(tokens.shape[:2], dtype=torch.bool) if mask is None else mask


def _mean(x: Tensor, mask: Tensor) -> Tensor:
    """Over what is there; over everything (a constant) where nothing is."""
    weights = (mask | ~mask.any(1, keepdim=True)).to(x.dtype)[..., None]
    return (x * weights).sum(1) / weights.sum(1)
