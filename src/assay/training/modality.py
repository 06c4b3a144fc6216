"""No modality left behind: slow down the one that learns fastest, weigh losses by what generalises.

Sources: OGM-GE (Peng et al. 2022), gradient blending (Wang et al. 2020). Modality dropout is
`assay.data.batch.drop_modalities`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor, nn


def modulation(
    logits: Mapping[str, Tensor], labels: Tensor, *, alpha: float = 0.5, present: Mapping[str, Tensor] | None = None
) -> dict[str, float]:
    """For each modality what its encoder's gradient is to be multiplied by: 1 - tanh(alpha ρ) where ρ > 1, else 1.

    ``logits [n, k]`` are each modality's own; ρ is its summed probability of the right class over the mean of the other
    modalities' (two modalities: the paper's ratio). Rows that lack a modality (``present bool[n]``) do not count.
    """
    if len(logits) < 2:
        return dict.fromkeys(logits, 1.0)
    sure = {}
    for name, values in logits.items():
        right = values.detach().float().softmax(1).gather(1, labels[:, None])[:, 0]
        there = torch.ones_like(right) if present is None else present[name].float()
        sure[name] = float((right * there).sum() / there.sum().clamp(min=1))
    out = {}
    for name, own in sure.items():
        others = [value for other, value in sure.items() if other != name]
        ratio = own / max(sum(others) / len(others), 1e-12)
        out[name] = 1 - float(torch.tanh(torch.tensor(alpha * ratio))) if ratio > 1 else 1.0
    return out


@torch.no_grad()
def modulate(
    encoders: Mapping[str, nn.Module], factors: Mapping[str, float], generator: Generator | None = None
) -> None:
    """Scale the gradients of each encoder by its factor (OGM); with a ``generator`` add noise of their own spread (GE).

    Only kernels and matrices get noise, in every encoder, as the authors' code gives it to every convolution.
    """
    for name, encoder in encoders.items():
        for p in encoder.parameters():
            if p.grad is None:
                continue
            spread = p.grad.std() + 1e-8 if p.ndim > 1 and p.numel() > 1 else None
            p.grad.mul_(factors[name])
            if generator is not None and spread is not None:
                p.grad.add_(torch.randn(p.grad.shape, generator=generator, dtype=p.grad.dtype) * spread)


def blend_weights(
    train: Mapping[str, tuple[float, float]], valid: Mapping[str, tuple[float, float]], *, variant: str = "paper"
) -> dict[str, float]:
    """Gradient blending: the weight of each head's loss, from its losses (before, after) an epoch or several.

    ``paper``: what generalised over what was overfitted squared, (drop of validation loss) / (growth of the gap)²,
    normalised to sum 1; a head that got worse in validation gets 0. ``multibench``: |final validation loss / final
    gap²|, as that library computes by default. Raises `ValueError` if the two do not hold the same heads.

    >>> blend_weights({"a": (1.0, 0.5), "b": (1.0, 0.1)}, {"a": (1.0, 0.6), "b": (1.0, 0.8)})["a"] > 0.9
    True
    """
    if set(train) != set(valid) or variant not in ("paper", "multibench"):
        raise ValueError(
            f"the same heads and a variant paper or multibench were expected, not {sorted(train)}, "
            f"{sorted(valid)}, {variant!r}"
        )
    raw = {}
    for name, (before, after) in train.items():
        held_before, held_after = valid[name]
        gap = held_after - after
        if variant == "multibench":
            raw[name] = abs(held_after / max(gap**2, 1e-12))
        else:
            grown = gap - (held_before - before)
            raw[name] = max(held_before - held_after, 0.0) / max(grown**2, 1e-12)
    total = sum(raw.values())
    return {name: value / total if total > 0 else 1 / len(raw) for name, value in raw.items()}
