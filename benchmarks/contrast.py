"""InfoNCE in chunks beside the naive loss: the same gradients, memory that grows with the batch and not with its square."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator

import torch
import torch.nn.functional as F

from assay.losses.contrastive import chunked_info_nce, info_nce
from benchmarks.pairing import Pairing, pair

PAIRS, WIDTH = 4096, 256


def vectors(pairs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two sets of unit vectors that want gradients."""
    a, b = F.normalize(torch.randn(2, pairs, WIDTH, generator=torch.Generator().manual_seed(0)), dim=2)
    return a.requires_grad_(), b.requires_grad_()


def peak_mb(loss: str, pairs: int) -> float:
    """The growth of a fresh process's peak memory, in MB, over what it needs before the loss."""
    code = f"from benchmarks import contrast; print(contrast.growth_mb({loss!r}, {pairs}))"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def growth_mb(loss: str, pairs: int) -> float:
    """What one step adds to this process's peak memory, in MB."""
    a, b = vectors(pairs)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    {"naive": info_nce, "chunked": chunked_info_nce}[loss](a, b, 14.3).backward()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def pairings() -> Iterator[Pairing]:
    """Time at 4,096 pairs, with the memory of both in the line's name."""
    a, b = vectors(PAIRS)
    ours, naive = peak_mb("chunked", PAIRS), peak_mb("naive", PAIRS)
    yield pair(
        f"InfoNCE and gradients, {PAIRS} pairs; +{ours:.0f} against +{naive:.0f} MB",
        lambda: chunked_info_nce(a, b, 14.3).backward(),
        "naive InfoNCE",
        lambda: info_nce(a, b, 14.3).backward(),
    )
