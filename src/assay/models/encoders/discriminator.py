"""Features from a game: a generator makes pictures (or spectrograms), a discriminator tells them from real ones.

What the discriminator learns to look at serves as features for other tasks (DCGAN, Radford et al. 2016: the maximum
over a grid of each layer's responses, put side by side). Losses: hinge with spectral normalisation (Miyato et al.
2018). Shape: ``float[n, c, h, w]`` with sides divisible by 16; spectrograms are one channel.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Discriminator(nn.Module):
    """Four halving convolutions -> how real each input looks ``[n]``; `features` is what it saw on the way."""

    def __init__(self, channels: int = 1, width: int = 32) -> None:
        super().__init__()
        sizes = (channels, width, 2 * width, 4 * width, 4 * width)
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in pairwise(sizes))
        self.judge = spectral_norm(nn.Linear(sizes[-1], 1))
        self.width = 4 * sum(sizes[1:])

    def responses(self, x: Tensor) -> list[Tensor]:
        """Each layer's responses, ``[n, c, h, w]``."""
        found = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            found.append(x)
        return found

    def features(self, x: Tensor) -> Tensor:
        """``[n, width]``: every layer's maximum over the cells of a 2 x 2 grid, each layer brought to one length."""
        return torch.cat([F.normalize(F.adaptive_max_pool2d(r, 2).flatten(1), dim=1) for r in self.responses(x)], 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.judge(self.responses(x)[-1].sum((2, 3)))[:, 0]
        return out


class Generator(nn.Module):
    """Noise ``[n, noise]`` -> ``[n, channels, height, width]`` in [-1, 1], by four doublings."""

    def __init__(self, channels: int, height: int, width: int, *, noise: int = 64, features: int = 128) -> None:
        super().__init__()
        if height % 16 or width % 16:
            raise ValueError(f"sides divisible by 16 were expected, not {height} x {width}")
        self.noise, self.start = noise, (features, height // 16, width // 16)
        self.spread = nn.Linear(noise, features * (height // 16) * (width // 16))
        sizes = (features, features, features // 2, features // 4, features // 4)
        blocks = []
        for a, b in pairwise(sizes):
            blocks += [nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 3, 1, 1), nn.BatchNorm2d(b), nn.ReLU()]
        self.grow = nn.Sequential(*blocks, nn.Conv2d(sizes[-1], channels, 3, 1, 1), nn.Tanh())

    def forward(self, noise: Tensor) -> Tensor:
        out: Tensor = self.grow(self.spread(noise).view(-1, *self.start))
        return out


class DiscriminatorEncoder(nn.Module):
    """A discriminator's features, frozen, and a linear map of them -> ``[n, dim]``."""

    def __init__(self, discriminator: Discriminator, dim: int) -> None:
        super().__init__()
        self.discriminator = discriminator.requires_grad_(False)
        self.project = nn.Linear(discriminator.width, dim)
        self.channels = dim

    def train(self, mode: bool = True) -> DiscriminatorEncoder:
        """Training leaves the frozen part in eval mode: its spectral norms would otherwise still move."""
        super().train(mode)
        self.discriminator.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            seen = self.discriminator.features(x)
        out: Tensor = self.project(seen)
        return out
